"""People label posts blind, by two; a third decides; how far they agree, label by label."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import access, actions, agreement, answers, data, figures, filters, highlight, words
from dashboard.access import Refused, Role
from dashboard.agreement import Agreement
from dashboard.answers import QUEUES, Answer
from dashboard.views import parts
from dashboard.words import tr
from raccroche import reference
from raccroche.post import Kind, Labels
from raccroche.store import StoredPost

VIEWS = ("annoter", "departager", "accord", "files")
MANY = ("10", "20", "50", "100", "200", "500")  # posts added to a queue at once


def page() -> None:
    parts.heading(
        tr("Relecture", "Review"),
        tr(
            "Deux personnes étiquettent chaque publication sans voir le modèle ni l’autre ; une "
            "troisième départage.",
            "Two people label each post without seeing the model or each other; a third decides.",
        ),
    )
    if not data.exists():
        parts.nothing_yet()
        return
    if not access.may(Role.ANNOTATOR):
        parts.nothing(
            tr(
                "L’annotation est réservée aux annotateurs. Voici leur accord.",
                "Labelling is for annotators. Here is how they agree.",
            )
        )
        _agreement()
        return
    view = filters.choose("vue", tr("Étape", "Step"), VIEWS, show=_view_name, hidden_label=True)
    try:
        {"annoter": _annotate, "departager": _decide, "accord": _agreement, "files": _queues}[
            view
        ]()
    except Refused as refused:
        st.warning(str(refused))


def _view_name(view: str) -> str:
    return {
        "annoter": tr("Annoter", "Label"),
        "departager": tr("Départager", "Decide"),
        "accord": tr("Accord", "Agreement"),
        "files": tr("Files", "Queues"),
    }[view]


def queue_name(queue: str) -> str:
    return {
        "random": tr("Au hasard", "Random"),
        "uncertain": tr("Incertaines", "Uncertain"),
        "reported": tr("Signalées", "Reported"),
    }.get(queue, queue)


def _who() -> str:
    """The name that labels will carry: of the login, or written here and kept for the session."""
    name = access.me().name
    if name:
        st.caption(tr(f"Annotateur : {name}", f"Annotator: {name}"))
        return name
    st.session_state.setdefault("annotator", "")
    written = st.text_input(
        tr("Votre nom d’annotateur", "Your annotator name"),
        key="w_annotator",
        value=st.session_state["annotator"],
        max_chars=access.MAX_NAME,
        width=320,
        placeholder=tr("par exemple : claire", "for instance: claire"),
    )
    st.session_state["annotator"] = written
    return access.clean_name(written)


# one post at a time


def _annotate() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        queue = filters.choose("file", tr("File", "Queue"), QUEUES, show=queue_name)
        name = _who()
    if not name:
        parts.nothing(
            tr(
                "Écrivez votre nom : il accompagne vos étiquettes (human:nom).",
                "Write your name: it goes with your labels (human:name).",
            )
        )
        return
    post = _reopened() or actions.next_post(name, queue)
    if post is None:
        parts.nothing(
            tr(
                "Rien à relire dans cette file : elle est vide, ou vous avez tout vu. L’étape "
                "« Files » y ajoute des publications.",
                "Nothing to review in this queue: it is empty, or you have seen it all. The step "
                "“Queues” adds posts.",
            )
        )
        return
    left, right = st.columns([6, 5], gap="large")
    with left:
        _text(post)
        _guide()
    with right:
        _form(post, name)


def _reopened() -> StoredPost | None:
    """The post that the person takes back, once."""
    again = st.session_state.get("review_again")
    found = data.post(again) if again else None
    return found.post if found else None


def _text(post: StoredPost) -> None:
    """The post without labels, probabilities or author: what a blind reader may see."""
    with st.container(border=True, key="review-post"):
        when = post.published_at
        day = words.day(when.astimezone(data.PARIS).date()) if when else tr("sans date", "undated")
        context = [day, _kind(post.kind), post.platform, post.thread_title or ""]
        if post.context_brand:
            context.append(tr("à propos de ", "about ") + data.display(post.context_brand))
        head = highlight.to_html(" · ".join(one for one in context if one))
        title = f"<h4>{highlight.to_html(post.title)}</h4>" if post.title else ""
        # as HTML of ours: Markdown would make links of the addresses in a title
        st.html(
            f'<div class="row-head">{head}</div>'
            f'<div class="post-full">{title}{highlight.to_html(post.text)}</div>'
        )


def _kind(kind: Kind) -> str:
    return {
        Kind.POST: tr("publication", "post"),
        Kind.COMMENT: tr("commentaire", "comment"),
        Kind.REVIEW: tr("avis", "review"),
        Kind.ARTICLE: tr("article", "article"),
        Kind.TOPIC: tr("sujet de forum", "forum topic"),
    }.get(kind, str(kind))


def _form(post: StoredPost, name: str) -> None:
    key = f"r{post.n}"
    answer = _questions(key, _suggested(post, name))
    missing = answer.missing()
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        done = st.button(
            tr("Enregistrer", "Save"),
            key="review-save",
            type="primary",
            shortcut="Ctrl+Enter",
            disabled=bool(missing),
        )
        skip = st.button(
            tr("Pas en français ou illisible", "Not French, or unreadable"),
            key="review-refuse",
            type="tertiary",
        )
        if st.session_state.get("review_last") and not st.session_state.get("review_again"):
            st.button(
                tr("Reprendre la précédente", "Back to the last"),
                key="review-back",
                type="tertiary",
                on_click=_take_back,
            )
    if missing:
        parts.note(tr("Il manque : ", "Missing: ") + words.listing(list(missing)))
    if done or skip:
        labels = answers.refused(post.id) if skip else answer.labels(post, data.family_of)
        actions.save(labels, name)
        _next(post.id)


def _suggested(post: StoredPost, name: str) -> Labels | None:
    """The person's own earlier answer, when they take a post back; never anybody else's."""
    found = data.post(post.id) if st.session_state.get("review_again") else None
    mine = found.labels if found else ()
    return next((one for one in mine if one.labeller == f"human:{name}"), None)


def _take_back() -> None:
    st.session_state["review_again"] = st.session_state["review_last"]


def _next(post_id: str) -> None:
    st.session_state["review_last"] = post_id
    st.session_state.pop("review_again", None)
    st.toast(tr("Enregistré.", "Saved."))
    st.rerun()


def _questions(key: str, before: Labels | None) -> Answer:
    """The questions of the guide, in order; letters and digits answer the first three."""
    harassment = _flag(
        f"{key}-h",
        tr("Rapporte du démarchage ou du harcèlement téléphonique ?", "Reports phone harassment?"),
        "on" if words.language() == "fr" else "yn",
        before.phone_harassment if before else None,
    )
    testimony = _flag(
        f"{key}-t",
        tr("L’auteur raconte ce qu’il, ou un proche, a vécu ?", "An own or a relative’s story?"),
        "ta",
        before.testimony if before else None,
    )
    sentiment = _choice(
        f"{key}-s",
        tr("Tonalité", "Sentiment"),
        [(one.id, one.title(words.language())) for one in reference.sentiments()],
        "123",
        before.sentiment if before else None,
    )
    topics = _pills(
        f"{key}-topics",
        tr("Sujets", "Topics"),
        [one for one in reference.topics() if one.id not in ("phone_harassment", "other")],
        before.topics if before else (),
    )
    signals = _pills(
        f"{key}-signals",
        tr("Signaux, s’ils sont dits", "Signals, if stated"),
        reference.signals() if harassment else
        [one for one in reference.signals() if one.id == "sms_messaging"],
        before.signals if before else (),
    )  # fmt: skip
    roles = _brands(f"{key}-brands", before)
    relation = st.selectbox(
        tr("Qui est appelé", "Who is called"),
        filters.RELATIONS,
        index=filters.RELATIONS.index(relation_of(before)),
        format_func=filters.relation_label,
        key=f"{key}-relation",
    )
    return Answer(
        harassment=harassment,
        testimony=testimony,
        sentiment=sentiment,
        topics=tuple(topics),
        signals=tuple(signals),
        roles=roles,
        relation=relation,
    )


def relation_of(before: Labels | None) -> str:
    """The relation of an earlier answer, as far as it is still one of the guide."""
    said = before.relation if before else "unknown"
    return said if said in filters.RELATIONS else "unknown"


def _flag(key: str, question: str, keys: str, before: bool | None) -> bool | None:
    options = [("yes", tr("Oui", "Yes")), ("no", tr("Non", "No"))]
    old = None if before is None else ("yes" if before else "no")
    found = _choice(key, question, options, keys, old)
    return None if found is None else found == "yes"


def _choice(
    key: str, question: str, options: Sequence[tuple[str, str]], keys: str, before: str | None
) -> str | None:
    """Buttons with a key of the keyboard each; the chosen one is filled and says so."""
    st.session_state.setdefault(key, before)
    st.markdown(f"**{question}**")
    with st.container(horizontal=True, gap="small"):
        for (value, name), letter in zip(options, keys, strict=False):
            chosen = st.session_state[key] == value
            st.button(
                f"✓ {name}" if chosen else name,
                key=f"{key}-{value}",
                type="primary" if chosen else "secondary",
                shortcut=letter,
                on_click=_choose,
                args=(key, value),
            )
    found: str | None = st.session_state[key]
    return found


def _choose(key: str, value: str) -> None:
    st.session_state[key] = value


def _pills(
    key: str, label: str, terms: Sequence[reference.Term], before: Sequence[str]
) -> list[str]:
    names = {one.id: one.title(words.language()) for one in terms}
    return st.pills(
        label,
        list(names),
        selection_mode="multi",
        default=[one for one in before if one in names],
        format_func=names.__getitem__,
        key=key,
        wrap=True,
    )


def _brands(key: str, before: Labels | None) -> Mapping[str, str]:
    """brand -> role; brands of the table, or any name as it is written."""
    old = {one.brand: one.role for one in before.mentions} if before else {}
    own = [one.name for one in data.settings().brands]
    table = [*own, *(one.name for one in reference.brands() if one.name not in own)]
    chosen = st.multiselect(
        tr("Marques nommées", "Brands named"),
        [*table, *(name for name in old if name not in table)],
        default=list(old),
        key=key,
        accept_new_options=True,
        format_func=data.display,
        placeholder=tr("Choisir ou écrire", "Choose or write"),
    )
    titles = {one.id: one.title(words.language()) for one in reference.roles()}
    ids = list(titles)
    roles = {}
    for name in chosen:
        roles[name] = st.selectbox(
            tr(f"Rôle {words.of_brand(data.display(name))}", f"Role of {data.display(name)}"),
            ids,
            index=ids.index(old.get(name, "cited") if old.get(name) in ids else "cited"),
            format_func=titles.__getitem__,
            key=f"{key}-{name}",
        )
    return roles


def _guide() -> None:
    with st.expander(tr("Le guide", "The guide")):
        st.markdown(
            tr(
                "- **Qui appelle qui ?** « J’ai appelé SFR huit fois » n’est jamais du "
                "harcèlement ; un rappel demandé ou un technicien non plus.\n"
                "- **Un seul appel** commercial non voulu, dont on se plaint, suffit.\n"
                "- **Appelle** et **commanditaire supposé** mettent la marque en cause ; "
                "opérateur de la ligne, usurpée, citée : non.\n"
                "- **Article, conseil, publicité** : pas un témoignage.\n"
                "- **Le sarcasme** suit l’intention ; dans le doute, neutre.\n"
                "- **Rien n’est déduit** : un signal est coché s’il est dit.\n"
                "- **Les paroles citées** ne sont pas celles de l’auteur.",
                "- **Who calls whom?** “I called SFR eight times” is never harassment; nor is a "
                "call-back that was asked for, or a technician.\n"
                "- **One** unwanted sales call complained of is enough.\n"
                "- **Calls** and **suspected principal** accuse the brand; operator of the line, "
                "impersonated, named do not.\n"
                "- **Articles, advice, adverts** are no testimony.\n"
                "- **Sarcasm** follows the intent; in doubt, neutral.\n"
                "- **Nothing is inferred**: a signal is ticked if it is stated.\n"
                "- **Quoted words** are not the author’s.",
            )
        )
        terms = (*reference.topics(), *reference.signals())
        table = pd.DataFrame(
            {
                tr("Étiquette", "Label"): [one.title(words.language()) for one in terms],
                tr("Définition", "Definition"): [one.definition(words.language()) for one in terms],
            }
        )
        parts.show_table(table, key="guide", height=320)


# a third person decides


def _decide() -> None:
    name = _who()
    waiting = answers.disputed(data.store().review_items(), data.store().labels_by("human:"))
    if not waiting:
        parts.nothing(tr("Aucun désaccord à départager.", "No disagreement to decide."))
        return
    mine = [one for one in waiting if f"human:{name}" not in {x.labeller for x in one}]
    many = words.plural(
        len(waiting), tr("désaccord", "disagreement"), tr("désaccords", "disagreements")
    )
    others = len(waiting) - len(mine)
    st.caption(
        many
        + (tr(f", dont {others} de vous", f", {others} of yours") if others else "")
    )  # fmt: skip
    if not name or not mine:
        parts.nothing(
            tr(
                "Une troisième personne départage : écrivez un autre nom que ceux des annotateurs.",
                "A third person decides: write a name other than the annotators’.",
            )
        )
        return
    first, second = mine[0]
    found = data.post(first.post_id)
    if found is None:
        return
    left, right = st.columns([6, 5], gap="large")
    with left:
        _text(found.post)
        _two(first, second)
        _guide()
    with right:
        _decision(found.post, first, second, name)


def _two(first: Labels, second: Labels) -> None:
    """Both answers, without names: only what differs."""
    differing = agreement.differing(first, second)
    table = pd.DataFrame(
        {
            tr("Étiquette", "Label"): [label_name(one) for one in differing],
            "A": [answers.value(first, one) for one in differing],
            "B": [answers.value(second, one) for one in differing],
        }
    )
    parts.show_table(table, key="two")


def _decision(post: StoredPost, first: Labels, second: Labels, name: str) -> None:
    answer = _questions(f"d{post.n}", answers.common(first, second))
    missing = answer.missing()
    if missing:
        parts.note(tr("Il manque : ", "Missing: ") + words.listing(list(missing)))
    if st.button(
        tr("Décider", "Decide"),
        key="decide",
        type="primary",
        shortcut="Ctrl+Enter",
        disabled=bool(missing),
    ):
        actions.adjudicate(answer.labels(post, data.family_of), name)
        st.toast(tr("Décision enregistrée.", "Decision saved."))
        st.rerun()


def label_name(label: str) -> str:
    """A label as `agreement` names it, in words."""
    kind, _, name = label.partition(":")
    known = {
        "sentiment": tr("Tonalité", "Sentiment"),
        "phone_harassment": tr("Harcèlement", "Harassment"),
        "testimony": tr("Témoignage direct", "First-hand"),
    }
    if label in known:
        return known[label]
    if kind == "brand":
        return tr(f"{data.display(name)} en cause", f"{data.display(name)} accused")
    try:
        return reference.title(name, words.language())
    except KeyError:
        return name


# agreement


def _agreement() -> None:
    queue = filters.choose("accord_file", tr("File", "Queue"), QUEUES, show=queue_name)
    items = {one.post_id for one in data.store().review_items(queue)}
    people = [
        one
        for one in data.store().labels_by("human:")
        if one.post_id in items and one.labeller != actions.ADJUDICATED
    ]
    found = agreement.of(people)
    many = found[0].pairs if found else 0
    if many < agreement.FEW:
        parts.nothing(
            tr(
                f"{words.plural(many, 'publication étiquetée', 'publications étiquetées')} deux "
                f"fois dans cette file : il en faut {agreement.FEW} pour un coefficient.",
                f"{words.plural(many, 'post', 'posts')} labelled twice in this queue: a "
                f"coefficient needs {agreement.FEW}.",
            )
        )
        return
    measured = [one for one in found if one.kappa and one.alpha]
    first = next(one for one in found if one.label == "phone_harassment")
    parts.lead(_sentence(first, many))
    table = _coefficients(measured)
    shown = pd.DataFrame(
        {
            tr("Étiquette", "Label"): [label_name(one.label) for one in found],
            tr("Identiques", "Same"): [f"{one.same} / {one.pairs}" for one in found],
            "κ": [_written(one.kappa) for one in found],
            "α": [_written(one.alpha) for one in found],
        }
    )
    if table.empty:
        parts.note(
            tr(
                "Aucun coefficient : chaque étiquette est sur trop peu de ces publications, ou "
                "sur toutes.",
                "No coefficient: each label is on too few of these posts, or on all of them.",
            )
        )
        parts.show_table(shown, key="agreement-table")
        return
    parts.chart(
        figures.coefficients(table, parts.look()),
        tr(
            "Kappa de Cohen et alpha de Krippendorff ; barres : intervalle à 95 % "
            "(bootstrap bayésien). Sous cinq publications qui portent l’étiquette, rien. "
            "Tirets : 0, le hasard, et 0,8, le seuil habituel d’un accord sûr.",
            "Cohen’s kappa and Krippendorff’s alpha; bars: 95% interval (Bayesian bootstrap). "
            "Under five posts with the label, none. Dashes: 0, chance, and 0.8, "
            "the usual mark of reliable agreement.",
        ),
        shown,
        key="agreement",
    )  # fmt: skip
    parts.note(
        tr(
            "L’accord des personnes est le plafond de ce qu’un modèle peut atteindre. Seule la "
            "file au hasard décrit l’ensemble des publications ; les deux autres sont choisies "
            "parce qu’elles sont difficiles.",
            "How people agree is the ceiling of what a model can reach. Only the random queue "
            "describes all posts; the two others are chosen for being hard.",
        )
    )


def _sentence(first: Agreement, many: int) -> str:
    kappa = f" (κ = {_written(first.kappa)})" if first.kappa else ""
    return tr(
        f"Sur **{words.number(many)} publications** lues par deux personnes, elles s’accordent "
        f"**{words.number(first.same)} fois** sur le harcèlement{kappa}.",
        f"Of **{words.number(many)} posts** read by two people, they agree "
        f"**{words.number(first.same)} times** on harassment{kappa}.",
    )  # fmt: skip


def _written(found: Any) -> str:
    if found is None:
        return "–"
    bounds = words.span(found.low, found.high, 2)
    return f"{words.number(found.value, 2)} ({bounds})"


def _coefficients(measured: Sequence[Agreement]) -> pd.DataFrame:
    measures = (("kappa", "κ Cohen"), ("alpha", "α Krippendorff"))
    rows = [
        {
            "name": label_name(one.label),
            "measure": name,
            "value": interval.value,
            "low": interval.low,
            "high": interval.high,
            "said": _written(interval),
        }
        for one in measured
        for key, name in measures
        if (interval := getattr(one, key)) is not None
    ]
    return pd.DataFrame(rows)


# queues


def _queues() -> None:
    items = data.store().review_items()
    by_queue: dict[str, Counter[str]] = {queue: Counter() for queue in QUEUES}
    for one in items:
        by_queue.setdefault(one.queue, Counter())[answers.progress(one)] += 1
    stages = answers.stages()
    table = pd.DataFrame(
        [
            {tr("File", "Queue"): queue_name(queue)}
            | {name: counted[stage] for stage, name in stages.items()}
            for queue, counted in by_queue.items()
        ]
    )
    parts.show_table(table, key="queues")
    st.header(tr("Ajouter des publications", "Add posts"), anchor=False)
    if not data.known().labellers:
        parts.nothing_yet()
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        queue = filters.choose("ajout", tr("File", "Queue"), QUEUES[:2], show=queue_name)
        many = filters.choose(
            "combien", tr("Combien", "How many"), MANY, default="50", widget="select", width=140
        )
        add = st.button(tr("Ajouter", "Add"), key="fill", type="primary")
    if add:
        new = actions.fill_queue(queue, data.known().labellers[0], int(many))
        st.toast(
            tr(f"{new} publications ajoutées.", f"{new} posts added."),
        )
        st.rerun()
    parts.note(
        tr(
            "Au hasard : chaque publication datée a la même chance d’être tirée ; cette file seule "
            "mesure l’exactitude. Incertaines : celles où le modèle hésite le plus, pour "
            "l’instruire. Signalées : par les lecteurs de la page Publications.",
            "Random: each dated post is equally likely; this queue alone measures accuracy. "
            "Uncertain: where the model hesitates most, to teach it. Reported: by readers of the "
            "page Posts.",
        )
    )  # fmt: skip

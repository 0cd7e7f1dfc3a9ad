"""The posts behind every number: a list, one post beside it, search, a file of the selection."""

import html
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import actions, archives, data, filters, highlight, words
from dashboard.selection import Selection
from dashboard.views import parts
from dashboard.words import tr
from raccroche import reference
from raccroche.post import Labels, Mention
from raccroche.store import Filters, PostDetail, PostRow, PostsPage, StoredPost

SIZE = 20
WIDTHS = (130, 240, 88)  # pixels of the columns label, value, probability
CERTAIN = 0.995  # probabilities above are written `> 99 %`


def page() -> None:
    chosen = parts.begin(tr("Publications", "Posts"))
    asked, query = _asked(chosen)
    found = data.posts(asked, words=query, size=SIZE, after=next(iter(filters.get("apres")), None))
    if not found.rows:
        _back_to_start()
        parts.nothing()
        return
    _counted(chosen, asked, found, query)
    # on a narrow screen an opened post stands above the list (see `parts`)
    with st.container(key="split-open" if filters.get("post") else "split"):
        left, right = st.columns([5, 6], gap="large")
    with left:
        opened = _list(found)
        _pager(found)
    with right:
        _detail(opened, chosen.labeller, found)


def _asked(chosen: Selection) -> tuple[Filters, str]:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        query = filters.text(
            "q",
            tr("Rechercher", "Search"),
            placeholder=tr(
                'mot, "expression exacte", -exclu, début*', 'word, "exact phrase", -not, start*'
            ),
            width=420,
        )
        accusing = filters.switch("accusations", tr("Accusations seulement", "Accusations only"))
        copies = filters.switch(
            "copies",
            tr("Avec les copies", "With copies"),
            help=tr(
                "Les textes identiques forment un groupe qui compte une fois.",
                "Identical texts form a group that counts once.",
            ),
        )
    asked = replace(chosen.filters(harassment_only=accusing), with_copies=copies)
    _restart_when_changed(asked, query)
    return asked, query


def _restart_when_changed(asked: Filters, query: str) -> None:
    """A new question starts on its first page: a cursor belongs to one question."""
    key = repr((asked, query))
    before = st.session_state.get("posts_question")
    filters.remember("apres", next(iter(filters.get("apres")), ""))
    if before is not None and before != key:
        filters.remember("apres", "")
        st.session_state["posts_trail"] = []
    st.session_state["posts_question"] = key


def _counted(chosen: Selection, asked: Filters, found: PostsPage, query: str) -> None:
    total = words.number(found.total)
    about = "" if found.exact else tr("au moins ", "at least ")
    every = words.number(data.known().posts)
    labeller = chosen.labeller.partition("+")[0]  # its rules and brands stand beside each post
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            tr(
                f"{about}{total} publications sur {every} · "
                f"du {words.day(chosen.start, weekday=False)} au "
                f"{words.day(chosen.end, weekday=False)} · étiquetées par {labeller}",
                f"{about}{total} posts of {every} · from {words.day(chosen.start, weekday=False)} "
                f"to {words.day(chosen.end, weekday=False)} · labelled by {labeller}",
            ),
            width="content",
        )
        if not query:
            _export(asked, found.total or 0)


def _export(asked: Filters, total: int) -> None:
    if total > archives.MOST:
        parts.note(
            tr(
                "Sélection trop grande pour le navigateur : « raccroche export » l’écrit sur le "
                "disque.",
                "Too large for the browser: “raccroche export” writes it to disk.",
            )
        )
        return
    with st.popover(tr("Exporter", "Export"), key="p_export"):
        forms = {"csv": "CSV", "excel": "CSV (Excel)", "jsonl": "JSON Lines", "parquet": "Parquet"}
        form = filters.choose(
            "format", tr("Format", "Format"), tuple(forms), show=forms.__getitem__
        )
        st.caption(
            tr(
                "Textes masqués, pseudonymes propres à ce fichier ; métadonnées, fiche et sommes "
                "de contrôle jointes.",
                "Masked texts, pseudonyms of this file only; metadata, data card and checksums "
                "included.",
            )
        )
        st.download_button(
            tr("Télécharger la sélection", "Download the selection"),
            data=actions.archive_later(asked, form, "publications"),
            file_name=f"raccroche-{data.today().isoformat()}.zip",
            mime="application/zip",
            type="primary",
            on_click="ignore",
        )


# the list


def _list(found: PostsPage) -> str:
    """The rows of this page; the id of the one that is open."""
    ids = [row.post.id for row in found.rows]
    asked = next(iter(filters.get("post")), "")
    opened = asked or ids[0]
    for place, row in enumerate(found.rows):
        _row(row, place, opened=row.post.id == opened)
    filters.remember("post", asked)
    return opened


def _row(row: PostRow, place: int, *, opened: bool) -> None:
    key = f"row-open-{place}" if opened else f"row-{place}"
    with st.container(border=True, key=key, gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.html(f'<div class="row-head">{_head(row)}</div>', width="stretch")
            st.button(
                tr("Lire", "Read"),
                key=f"read-{place}",
                type="tertiary",
                help=tr("Ouvrir cette publication", "Open this post"),
                on_click=filters.put,
                args=("post", row.post.id),
            )
        reasons = row.labels.spans if row.labels and not row.highlights else ()
        st.html(
            '<div class="row-text">'
            + highlight.snippet(row.post.text, row.highlights, named(reasons))
            + "</div>"
        )


def _head(row: PostRow) -> str:
    """Date, brands and copies of a row, as safe HTML."""
    accused = [m.brand for m in row.labels.mentions if m.harassment] if row.labels else []
    cited = [m.brand for m in row.labels.mentions if not m.harassment] if row.labels else []
    said = [f'<span class="date">{html.escape(_date(row.post))}</span>']
    said += [f'<span class="accused">{html.escape(data.display(one))}</span>' for one in accused]
    if row.labels and row.labels.phone_harassment and not accused:
        said.append(f'<span class="accused">{tr("marque inconnue", "unknown brand")}</span>')
    said += [f'<span class="cited">{html.escape(data.display(one))}</span>' for one in cited[:3]]
    if row.post.copies:
        copies = words.plural(row.post.copies, tr("copie", "copy"), tr("copies", "copies"))
        said.append(f'<span class="date">+ {copies}</span>')
    return " ".join(said)


def _date(post: StoredPost) -> str:
    if post.published_at is None:
        return tr("sans date", "undated")
    return words.short_day(post.published_at.astimezone(data.PARIS).date())


def _pager(found: PostsPage) -> None:
    trail: list[str] = st.session_state.setdefault("posts_trail", [])
    with st.container(horizontal=True):
        if filters.get("apres"):
            st.button(tr("← Plus récentes", "← Newer"), key="newer", on_click=_newer, args=(trail,))
        if found.next:
            st.button(
                tr("Plus anciennes →", "Older →"),
                key="older",
                on_click=_older,
                args=(trail, found.next),
            )


def _older(trail: list[str], cursor: str) -> None:
    trail.append(next(iter(filters.get("apres")), ""))
    filters.put("apres", cursor)
    filters.put("post")


def _newer(trail: list[str]) -> None:
    filters.put("apres", *([trail.pop()] if trail and trail[-1] else []))
    filters.put("post")


def _back_to_start() -> None:
    filters.put("apres")
    filters.put("post")


# one post


def _detail(post_id: str, labeller: str, page_of: PostsPage) -> None:
    found = data.post(post_id)
    if found is None:
        st.info(
            tr(
                "Cette publication n’est pas, ou plus, dans la base.",
                "This post is not, or no longer, in the database.",
            )
        )
        return
    words_found = next((row.highlights for row in page_of.rows if row.post.id == post_id), ())
    mine = next((one for one in found.labels if one.labeller == labeller), None)
    with st.container(border=True, key="post-detail"):
        _text(found.post, mine, words_found)
        _source(found.post)
        if mine is None:
            parts.note(
                tr(
                    f"Pas d’étiquettes de {labeller} pour cette publication.",
                    f"No labels by {labeller} for this post.",
                )
            )
        else:
            _labels(mine)
        _others(found, labeller)
        _copies(found)


def _text(post: StoredPost, labels: Labels | None, words_found: Sequence[highlight.Span]) -> None:
    reasons = named(labels.spans) if labels else []
    title = f"<h4>{html.escape(post.title)}</h4>" if post.title else ""
    st.html(
        f'<div class="post-full">{title}{highlight.to_html(post.text, words_found, reasons)}</div>'
    )
    whys = sorted({why for *_, why in reasons})
    if whys:
        parts.note(tr("Surligné : ", "Highlighted: ") + ", ".join(whys).lower())


def named(spans: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans with their reasons in words."""
    return [(start, end, reason_name(reason)) for start, end, reason in spans]


def reason_name(reason: str) -> str:
    """`sig.robocall` or `robocall` in words; what we do not name is a sign of a call."""
    label = reason.split(":")[-1].split(".")[-1]
    try:
        return reference.title(label, words.language())
    except KeyError:
        return tr("Indice d’appel", "Sign of a call")


def _source(post: StoredPost) -> None:
    said = [post.platform, post.source.split("/")[-1], _moment(post)]
    st.caption(parts.escape(" · ".join(part for part in said if part)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        link = highlight.safe_link(post.url)
        if link:
            st.link_button(tr("Voir à la source", "See at the source"), link)
        if st.button(
            tr("Signaler", "Report"),
            key="report",
            help=tr(
                "Étiquettes douteuses ou donnée personnelle visible : met la publication dans la "
                "file « signalées » de la relecture.",
                "Doubtful labels or visible personal data: puts the post into the “reported” "
                "review queue.",
            ),
        ):
            actions.report([post.id], reason=tr("signalée en lecture", "reported while reading"))
            st.toast(tr("Publication signalée.", "Post reported."))


def _moment(post: StoredPost) -> str:
    if post.published_at is None:
        return tr("sans date", "undated")
    moment = post.published_at.astimezone(data.PARIS)
    day = words.day(moment.date())
    return day if post.day_only else f"{day}, {moment:%H:%M}"


def _labels(labels: Labels) -> None:
    if labels.refused:
        parts.note(tr(f"Non étiquetée : {labels.refused}.", f"Not labelled: {labels.refused}."))
        return
    probability = labels.probabilities.get("phone_harassment")
    verdict = (
        tr("Rapporte du harcèlement téléphonique", "Reports phone harassment")
        if labels.phone_harassment
        else tr("Ne rapporte pas de harcèlement téléphonique", "Reports no phone harassment")
    )
    st.markdown(f"**{verdict}**" + ("" if probability is None else f" · {_sure(probability)}"))
    if labels.mentions:
        parts.show_table(_mentions(labels.mentions), key="mentions")
    table = _label_table(labels)
    widths = dict(zip(table.columns, WIDTHS, strict=False))
    columns = {name: st.column_config.Column(width=width) for name, width in widths.items()}
    parts.show_table(table, key="labels", columns=columns)
    _declared(labels)
    st.caption(parts.escape(tr(f"Étiqueteur : {labels.labeller}", f"Labeller: {labels.labeller}")))


def _label_table(labels: Labels) -> pd.DataFrame:
    """One row a label with its probability, where the labeller has one."""
    topic, signal = tr("Sujet", "Topic"), tr("Signal", "Signal")
    rows = [
        (tr("Témoignage direct", "First-hand"), _yes(labels.testimony), "testimony"),
        (tr("Tonalité", "Sentiment"), _title(labels.sentiment), "sentiment"),
        *((topic, _title(one), f"topic:{one}") for one in labels.topics),
        *((signal, _title(one), f"signal:{one}") for one in labels.signals),
    ]
    if labels.relation != "unknown":
        relation = filters.relation_label(labels.relation)
        rows.append((tr("Relation", "Relation"), relation, "relation"))
    table = {
        tr("Étiquette", "Label"): [kind for kind, _, _ in rows],
        tr("Valeur", "Value"): [value for _, value, _ in rows],
    }
    known = labels.probabilities
    sure = [_nearly(known[name]) if name in known else "" for *_, name in rows]
    if any(sure):
        table[tr("Probabilité", "Probability")] = sure
    return pd.DataFrame(table)


def _yes(flag: bool) -> str:
    return tr("oui", "yes") if flag else tr("non", "no")


def _sure(probability: float) -> str:
    return tr("probabilité ", "probability ") + _nearly(probability).replace(">", "\\>")


def _nearly(probability: float) -> str:
    """A probability as a whole percentage, which is never a hundred."""
    if probability > CERTAIN:
        return f"> {words.percent(0.99, 0)}"
    return words.percent(probability, 0)


def _title(label: str) -> str:
    try:
        return reference.title(label, words.language())
    except KeyError:
        return label


def _mentions(mentions: Sequence[Mention]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Marque", "Brand"): [data.display(one.brand) for one in mentions],
            tr("Rôle", "Role"): [_title(one.role) for one in mentions],
            tr("Accusée", "Accused"): [_yes(one.harassment) for one in mentions],
            tr("Tonalité", "Sentiment"): [_title(one.sentiment) for one in mentions],
            tr("Probabilité", "Probability"): [
                "" if one.probability is None else _nearly(one.probability) for one in mentions
            ],
        }
    )


def _declared(labels: Labels) -> None:
    """What the author declares: how often, hours, classes of numbers."""
    said = []
    calls = labels.facts.get("calls")
    if calls and calls.get("min") is not None:
        per = {
            "hour": tr("par heure", "an hour"),
            "day": tr("par jour", "a day"),
            "week": tr("par semaine", "a week"),
            "month": tr("par mois", "a month"),
        }.get(calls.get("per"), tr("en tout", "in all"))
        low, high = calls["min"], calls.get("max") or calls["min"]
        calls_said = words.plural(high, tr("appel", "call"), tr("appels", "calls"))
        if low != high:
            calls_said = tr(f"{words.span(low, high)} appels", f"{words.span(low, high)} calls")
        said.append(f"{calls_said} {per}")
    if labels.facts.get("hours"):
        hours = [words.clock(str(one)) for one in labels.facts["hours"]]
        said.append(tr("à ", "at ") + words.listing(hours))
    classes = [_title(str(one.get("class"))) for one in labels.facts.get("numbers", ())]
    said += sorted(set(classes))
    if said:
        parts.note(tr("Déclaré : ", "Declared: ") + " ; ".join(said))


def _others(found: PostDetail, labeller: str) -> None:
    others = [one for one in found.labels if one.labeller != labeller]
    if not others:
        return
    with st.expander(tr("Autres étiqueteurs", "Other labellers")):
        parts.show_table(
            pd.DataFrame(
                {
                    tr("Étiqueteur", "Labeller"): [one.labeller for one in others],
                    tr("Harcèlement", "Harassment"): [_yes(one.phone_harassment) for one in others],
                    tr("Marques accusées", "Accused brands"): [
                        words.listing([m.brand for m in one.mentions if m.harassment])
                        for one in others
                    ],
                }
            ),
            key="others",
        )


def _copies(found: PostDetail) -> None:
    copies = [one for one in found.group if one.id != found.post.id]
    if not copies:
        return
    many = words.plural(len(copies), tr("copie", "copy"), tr("copies", "copies"))
    with st.expander(many):
        parts.show_table(
            pd.DataFrame(
                {
                    tr("Date", "Date"): [_date(one) for one in copies],
                    tr("Site", "Site"): [one.source for one in copies],
                }
            ),
            key="copies",
        )

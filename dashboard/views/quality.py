"""What was collected, what was missed, and how often the model is right."""

import datetime as dt
from collections.abc import Sequence
from importlib.resources import files

import pandas as pd
import streamlit as st

from dashboard import collecting, data, filters, intervals, judged, panels, series, words
from dashboard.judged import Confusion
from dashboard.views import parts, review
from dashboard.words import tr
from raccroche.post import Labels
from raccroche.store import Filters, PostRow

VIEWS = ("collecte", "modele")
SHOWN = 180  # days of coverage
NEWEST = 200  # posts whose delay is measured


def page() -> None:
    parts.heading(
        tr("Collecte et qualité", "Collection and quality"),
        tr(
            "Ce qui a été lu, ce qui manque, et ce que valent les étiquettes.",
            "What was read, what is missing, and what the labels are worth.",
        ),
    )
    if not data.exists():
        parts.nothing_yet()
        return
    view = filters.choose("volet", tr("Volet", "Part"), VIEWS, show=_view_name, hidden_label=True)
    if view == "collecte":
        _collection()
    else:
        _model()


def _view_name(view: str) -> str:
    return {"collecte": tr("Collecte", "Collection"), "modele": tr("Modèle", "Model")}[view]


# collection


def _collection() -> None:
    last = data.last_runs()
    if not last:
        parts.nothing(
            tr(
                "Aucune collecte enregistrée : « raccroche run » en fait une.",
                "No collection recorded: “raccroche run” makes one.",
            )
        )
        return
    troubled = sorted(name for name, run in last.items() if not run.verdict.ok)
    parts.lead(_sentence(len(last), troubled))
    _figures()
    st.header(tr("Dernier passage de chaque source", "Last run of each source"), anchor=False)
    parts.show_table(collecting.last_runs(last, data.PARIS), key="last-runs")
    parts.note(
        tr(
            "« Annoncées » : combien la source dit en avoir. Un zéro n’est jamais silencieux : "
            "chaque passage a son verdict.",
            "“Declared”: how many the source says it has. No zero is silent: each run has its "
            "verdict.",
        )
    )
    _coverage()
    with st.expander(tr("Tous les passages récents", "All recent runs")):
        parts.show_table(collecting.runs(data.runs(300), data.PARIS), key="runs")


def _sentence(many: int, troubled: Sequence[str]) -> str:
    if not troubled:
        if many == 1:
            return tr(
                "La **seule source** a répondu à son dernier passage.",
                "The **only source** answered at its last run.",
            )
        return tr(
            f"Les **{many} sources** ont répondu à leur dernier passage.",
            f"All **{many} sources** answered at their last run.",
        )
    names = words.listing(troubled[:4]) + ("…" if len(troubled) > 4 else "")
    return tr(
        f"**{words.plural(len(troubled), 'source', 'sources')} sur {many}** en difficulté au "
        f"dernier passage : {names}.",
        f"**{len(troubled)} of {many} sources** in trouble at their last run: {names}.",
    )


def _figures() -> None:
    status = data.status()
    known = data.known()
    newest: tuple[PostRow, ...] = ()
    if known.labellers and known.last_day:
        asked = Filters(labeller=known.labellers[0], end=known.last_day, with_copies=True)
        newest = data.posts(asked, size=NEWEST).rows
    wait = collecting.delay([row.post for row in newest])
    copied = intervals.share(sum(row.post.is_copy for row in newest), len(newest))
    told = len(newest) >= intervals.FEW_FOR_PERCENT
    one, two, three = st.columns(3)
    with one:
        parts.figure(
            tr("Publications", "Posts"),
            words.number(status.posts),
            tr(
                f"{words.plural(status.runs, 'passage', 'passages')} · "
                f"{words.plural(status.pending, 'page', 'pages')} en attente",
                f"{words.plural(status.runs, 'run', 'runs')} · "
                f"{words.plural(status.pending, 'page', 'pages')} waiting",
            ),
            tr("Copies comprises.", "Copies included."),
        )
    with two:
        parts.figure(
            tr("Délai médian", "Median delay"),
            collecting.duration(wait) if wait is not None else "–",
            tr(
                f"de la publication à la base, {words.number(len(newest))} dernières",
                f"from publication to the database, newest {words.number(len(newest))}",
            ),
            tr(
                "Long au premier passage, qui lit les archives.",
                "Long at the first run, which reads archives.",
            ),
        )
    with three:
        parts.figure(
            tr("Copies", "Copies"),
            words.percent(copied.value, 1) if copied and told else "–",
            tr(
                f"des {words.number(len(newest))} dernières ; comptées une fois",
                f"of the newest {words.number(len(newest))}; counted once",
            ),
            tr(
                "Mêmes mots, ou presque, ou même message vu par deux sources.",
                "The same words, nearly so, or one message seen through two sources.",
            ),
        )


def _coverage() -> None:
    st.header(tr("Jours couverts", "Days covered"), anchor=False)
    end = data.today()
    coverage = data.coverage(end - dt.timedelta(SHOWN - 1), end)
    strip = series.strip(coverage)
    if strip.empty:
        parts.note(tr("Rien sur ces mois.", "Nothing over these months."))
        return
    days = (strip["end"] - strip["day"]).dt.days
    share = float(days[strip["state"] == "full"].sum() / days.sum())
    missing = collecting.gaps(coverage)
    many = words.plural(len(missing), tr("interruption", "gap"), tr("interruptions", "gaps"))
    summary = tr(
        f"{words.percent(share, 0)} des jours-sources collectés sur {SHOWN} jours ; {many}.",
        f"{words.percent(share, 0)} of source-days collected over {SHOWN} days; {many}.",
    )
    drawn = panels.coverage_strip(strip, parts.look())
    parts.chart(drawn, summary, collecting.strip_table(strip), key="quality-coverage")
    if len(missing):
        with st.expander(tr("Interruptions", "Gaps")):
            parts.show_table(missing, key="gaps")


# the model


def _model() -> None:
    labellers = data.known().labellers
    models = [one for one in labellers if not one.startswith("human:")]
    if not models:
        parts.nothing_yet()
        return
    model = filters.choose("juge", tr("Modèle", "Model"), models, widget="select")
    items = {one.post_id for one in data.store().review_items("random")}
    people = [one for one in data.store().labels_by("human:") if one.post_id in items]
    predicted = _predicted(model, {one.post_id for one in people})
    found = judged.confusions(people, predicted)
    if found and found[0].posts:
        _scores(found)
        _by_source(people, predicted)
    else:
        parts.nothing(
            tr(
                "Personne n’a encore relu de publication tirée au hasard : l’exactitude n’est pas "
                "mesurée ici. La page Relecture le permet.",
                "Nobody has reviewed a random post yet: accuracy is not measured here. The page "
                "Review is for that.",
            )
        )
    _labellers()
    _card()


def _predicted(model: str, wanted: set[str]) -> dict[str, Labels]:
    found: dict[str, Labels] = {}
    for post_id in wanted:
        detail = data.post(post_id)
        for one in detail.labels if detail else ():
            if one.labeller == model:
                found[post_id] = one
    return found


def _scores(found: Sequence[Confusion]) -> None:
    first = found[0]
    parts.lead(
        tr(
            f"Sur **{words.number(first.posts)} publications** tirées au hasard et relues : quand "
            f"le modèle dit harcèlement, il a raison **{_share(first.hits, first.found)}** ; "
            f"il en trouve **{_share(first.hits, first.true)}**.",
            f"Of **{words.number(first.posts)} posts** drawn at random and reviewed: when the "
            f"model says harassment, it is right **{_share(first.hits, first.found)}**; it finds "
            f"**{_share(first.hits, first.true)}**.",
        )
    )
    st.header(tr("Confusion, par étiquette", "Confusion, by label"), anchor=False)
    parts.show_table(_table({review.label_name(one.label): one for one in found}), key="confusion")
    parts.note(
        tr(
            "Seule la file au hasard est comptée. Une publication dont les relecteurs disputent "
            "encore l’étiquette en est exclue. Intervalles de Wilson à 95 % ; moins de 20 : pas de "
            "pourcentage.",
            "Only the random queue counts. A post whose label reviewers still dispute is left "
            "out. 95% Wilson intervals; under 20: no percentage.",
        )
    )


def _by_source(people: Sequence[Labels], predicted: dict[str, Labels]) -> None:
    st.header(tr("Harcèlement, par source", "Harassment, by source"), anchor=False)
    found = judged.by_source(people, predicted, lambda post_id: post_id.rsplit(":", 1)[0])
    parts.show_table(_table(found), key="by-source")


def _table(found: dict[str, Confusion]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "": list(found),
            tr("Trouvées", "Found"): [one.hits for one in found.values()],
            tr("À tort", "Wrongly"): [one.false for one in found.values()],
            tr("Manquées", "Missed"): [one.missed for one in found.values()],
            tr("Écartées", "Left"): [one.left for one in found.values()],
            tr("Précision", "Precision"): [_share(one.hits, one.found) for one in found.values()],
            tr("Rappel", "Recall"): [_share(one.hits, one.true) for one in found.values()],
        }
    )


def _share(hits: int, of: int) -> str:
    """`83 % (71 à 91 %)`; of few, how many of how many; a dash of none."""
    found = intervals.share(hits, of)
    if found is None:
        return "–"
    if of < intervals.FEW_FOR_PERCENT:
        return tr(f"{words.number(hits)} sur {words.number(of)}", f"{hits} of {of}")
    return f"{words.percent(found.value, 0)} ({words.span(found.low, found.high, 0, share=True)})"


def _labellers() -> None:
    st.header(tr("Qui a étiqueté", "Who labelled"), anchor=False)
    found = data.labellers()
    table = pd.DataFrame(
        {
            tr("Étiqueteur", "Labeller"): [one.name for one in found],
            tr("Personne", "Person"): [tr("oui", "yes") if one.human else "" for one in found],
            tr("Publications", "Posts"): [words.number(one.posts) for one in found],
            tr("Depuis", "Since"): [_since(one.first_at) for one in found],
        }
    )
    parts.show_table(table, key="labellers")


def _since(moment: dt.datetime | None) -> str:
    return words.short_day(moment.astimezone(data.PARIS).date()) if moment else "–"


def _card() -> None:
    card = files("nlp").joinpath("models", "CARD.md")
    if not card.is_file():
        return
    with st.expander(tr("Fiche du modèle embarqué (en anglais)", "Card of the embedded model")):
        st.markdown(_lower_headings(card.read_text(encoding="utf-8")))


def _lower_headings(text: str) -> str:
    """The card inside a page: its titles two levels down."""
    return "\n".join(f"##{line}" if line.startswith("#") else line for line in text.splitlines())

"""How it counts, what it cannot say, the denominators with their dates, the rights of persons."""

from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard import access, data, intervals, officials, words
from dashboard.access import Role
from dashboard.views import parts
from dashboard.words import tr
from raccroche import reference
from raccroche.config import Config

TEXTS = Path(__file__).parents[1] / "texts"
LOGGED = 200  # erasures shown


def page() -> None:
    parts.heading(
        tr("Méthode", "Method"),
        tr(
            "Comment les chiffres sont faits, et ce qu’ils ne disent pas.",
            "How the figures are made, and what they do not say.",
        ),
    )
    with st.container(key="method", width=860):
        _text("method")
        _denominators()
        _text("limits")
        _labels()
        _text("rights")
        _log()
        _versions()


def _text(name: str) -> None:
    """A text of ours in the reader's language, its numbers filled in."""
    path = TEXTS / f"{name}.{words.language()}.md"
    settings = data.settings()
    unknown = tr("non renseigné", "not stated")
    written = path.read_text(encoding="utf-8").format(
        few_rate=intervals.FEW_FOR_RATE,
        few_rank=intervals.FEW_FOR_RANK,
        few_percent=intervals.FEW_FOR_PERCENT,
        text_days=words.number(settings.privacy.text_days),
        raw=_raw(settings),
        contact=parts.escape(settings.collect.contact or unknown),
        controller=parts.escape(settings.privacy.controller or unknown),
        basis=parts.escape(settings.privacy.basis or unknown),
    )
    st.markdown(tr(written, written))


def _raw(settings: Config) -> str:
    """What becomes of the answers of the sources; a sentence."""
    if not settings.collect.archive:
        return tr("Les réponses brutes ne sont pas gardées.", "Raw answers are not kept.")
    days = words.number(settings.collect.archive_days)
    return tr(
        f"Les réponses brutes des sources, telles que reçues, sont lisibles du seul exploitant et "
        f"supprimées après {days} jours ; un effacement les atteint aussi.",
        f"Raw answers of the sources, as received, can be read by the operator only and are "
        f"deleted after {days} days; an erasure reaches them too.",
    )


def _denominators() -> None:
    st.header(tr("Les dénominateurs", "The denominators"), anchor=False)
    rows = [
        one
        for one in reference.subscribers()
        if one.mobile_millions is not None or one.fixed_millions is not None
    ]
    rows.sort(key=lambda one: (one.family, -(one.date.toordinal() if one.date else 0)))
    table = pd.DataFrame(
        {
            tr("Groupe", "Group"): [words.family(one.family) for one in rows],
            tr("Date", "Date"): [words.short_day(one.date) if one.date else "–" for one in rows],
            tr("Mobile ou abonnés (M)", "Mobile or subscribers (M)"): [
                _millions(one.mobile_millions) for one in rows
            ],
            tr("Fixe (M)", "Fixed (M)"): [_millions(one.fixed_millions) for one in rows],
            tr("Lu dans", "Read in"): [officials.source(one.source) for one in rows],
        }
    )
    parts.show_table(table, key="denominators", height=330)
    parts.note(
        tr(
            "Millions de clients. Les périmètres diffèrent d’un opérateur et d’une date à l’autre "
            "(grand public ou tous, avec ou sans cartes prépayées et machines) : n’y lisez pas de "
            "tendance. Sofinco : aucune base publiée. MAIF : 2,3 millions d’assurés auto en 2020, "
            "ce n’est pas le nombre de sociétaires.",
            "Millions of customers. Perimeters differ between operators and dates (consumers or "
            "all, with or without prepaid cards and machines): do not read a trend in them. "
            "Sofinco: no base published. MAIF: 2.3 million motor policyholders in 2020, which is "
            "not the number of members.",
        )
    )


def _millions(value: float | None) -> str:
    return "–" if value is None else words.number(value, 2)


def _labels() -> None:
    with st.expander(tr("Ce que veut dire chaque étiquette", "What each label means")):
        terms = (*reference.topics(), *reference.signals())
        table = pd.DataFrame(
            {
                tr("Étiquette", "Label"): [one.title(words.language()) for one in terms],
                tr("Sens", "Meaning"): [one.definition(words.language()) for one in terms],
                tr("Règle en cause", "Rule at stake"): [one.rule for one in terms],
            }
        )
        parts.show_table(table, key="meanings")


def _log() -> None:
    """How many erasures and objections were honoured; what they were about is not kept."""
    if not data.exists():
        return
    found = data.store().takedowns(LOGGED)
    posts = sum(one.posts for one in found)
    parts.note(
        tr(
            f"Registre : {words.plural(len(found), 'demande suivie', 'demandes suivies')}, "
            f"{words.plural(posts, 'publication effacée', 'publications effacées')}.",
            f"Log: {words.plural(len(found), 'request honoured', 'requests honoured')}, "
            f"{words.plural(posts, 'post erased', 'posts erased')}.",
        )
    )
    if found and access.may(Role.ADMIN):
        table = pd.DataFrame(
            {
                tr("Date", "Date"): [
                    words.short_day(one.at.astimezone(data.PARIS).date()) for one in found
                ],
                tr("Clé", "Key"): [one.kind for one in found],
                tr("Motif", "Reason"): [one.reason for one in found],
                tr("Publications", "Posts"): [one.posts for one in found],
            }
        )
        parts.show_table(table, key="takedowns")


def _versions() -> None:
    known = data.known() if data.exists() else None
    model = known.labellers[0] if known and known.labellers else tr("aucun", "none")
    parts.note(
        tr(
            f"Modèle affiché : {model} · taxonomie : version {reference.taxonomy_version()}.",
            f"Model shown: {model} · taxonomy: version {reference.taxonomy_version()}.",
        )
    )

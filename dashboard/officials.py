"""Official series in words: what each counts, who publishes it, and why it is not ours."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard import words
from dashboard.words import tr
from raccroche import reference
from raccroche.reference import SeriesPoint
from raccroche.store import SeriesValue


@dataclass(frozen=True, slots=True)
class Panel:
    """One published series: its key, title, publisher, and what must be known to read it."""

    key: str
    title: str
    unit: str
    note: str
    points: tuple[SeriesPoint, ...]


def groups() -> list[tuple[str, tuple[str, ...]]]:
    """The sections of the page and the series of each."""
    return [
        (
            tr("Arcep, espace « J’alerte l’Arcep »", "Arcep, “J’alerte l’Arcep” desk"),
            ("arcep_alerts_total", "arcep_alerts_abusive_calls"),
        ),
        (tr("Médiation", "Mediation"), ("mediator_referrals",)),
        ("Bloctel", ("bloctel_registered", "bloctel_complaints", "bloctel_alerts")),
        (
            "SignalConso",
            ("signalconso_canvassing", "signalconso_telecoms", "signalconso_total"),
        ),
        (
            tr("Enquêtes auprès du public", "Surveys of the public"),
            (
                "arcep_survey_unwanted",
                "arcep_survey_spoofing",
                "ufc_calls_a_week",
                "ufc_mobile_weekly",
            ),
        ),
    ]


def _texts() -> dict[str, tuple[str, str, str]]:
    """series -> (title, unit, note)"""
    alerts = tr("alertes par an", "alerts a year")
    return {
        "arcep_alerts_total": (
            tr("Alertes reçues, tous marchés", "Alerts received, all markets"),
            alerts,
            tr(
                "Ouvert en octobre 2017. 2021 : valeur non trouvée ; 2025 : « plus de 70 000 ».",
                "Opened in October 2017. 2021: value not found; 2025: “more than 70,000”.",
            ),
        ),
        "arcep_alerts_abusive_calls": (
            tr("Dont appels et messages non désirés", "Of which unwanted calls and messages"),
            alerts,
            tr(
                "En 2025, 83 % concernent l’usurpation de numéro.",
                "In 2025, 83% are about spoofed numbers.",
            ),
        ),
        "mediator_referrals": (
            tr("Saisines du médiateur des communications", "Referrals to the telecoms mediator"),
            tr("saisines par an", "referrals a year"),
            tr(
                "Tous litiges, peu de démarchage. 2018 et 2019 : valeurs non trouvées. 2023 : "
                f"7{words.NARROW}631, révisé à 7{words.NARROW}748.",
                "All disputes, little canvassing. 2018 and 2019 not found. 2023: 7,631, revised "
                "to 7,748.",
            ),
        ),
        "bloctel_registered": (
            tr("Personnes inscrites", "People registered"),
            tr("personnes", "people"),
            tr(
                "Nombre à une date, non par an. 2024 : « plus de 6 millions ». La liste s’arrête "
                "avec le consentement préalable, le 11 août 2026.",
                "A stock, not a flow. 2024: “more than 6 million”. The list ends with prior "
                "consent, on 11 August 2026.",
            ),
        ),
        "bloctel_complaints": (
            tr("Réclamations cumulées", "Complaints, cumulated"),
            tr("réclamations depuis l’ouverture", "complaints since opening"),
            tr("Juin 2016 à février 2017 seulement.", "June 2016 to February 2017 only."),
        ),
        "bloctel_alerts": (
            tr("Signalements Bloctel cumulés", "Bloctel reports, cumulated"),
            tr("signalements depuis octobre 2021", "reports since October 2021"),
            tr(
                "Rupture : depuis octobre 2021 ces signalements passent par SignalConso.",
                "Break: since October 2021 these reports go through SignalConso.",
            ),
        ),
        "signalconso_canvassing": (
            tr("Démarchage abusif", "Abusive canvassing"),
            tr("signalements cumulés, mi-2026", "reports in all, mid-2026"),
            tr(
                "Catégorie du jeu ouvert ; il ne nomme aucune entreprise.",
                "A category of the open data; no firm is named in it.",
            ),
        ),
        "signalconso_telecoms": (
            tr("Téléphonie, internet, médias", "Telephone, internet, media"),
            tr("signalements cumulés, mi-2026", "reports in all, mid-2026"),
            tr(
                "Tous litiges du secteur, dont peu de démarchage.",
                "All disputes of the sector, little canvassing.",
            ),
        ),
        "signalconso_total": (
            tr("Tous secteurs", "All sectors"),
            tr("signalements en 2024", "reports in 2024"),
            "",
        ),
        "arcep_survey_unwanted": (
            tr("Ont reçu un appel ou SMS non désiré", "Got an unwanted call or SMS"),
            tr("% en trois mois", "% in three months"),
            tr("55 % presque chaque jour.", "55% almost daily."),
        ),
        "arcep_survey_spoofing": (
            tr("Victimes d’usurpation de numéro", "Victims of a spoofed number"),
            tr("% en trois mois", "% in three months"),
            tr("Arcep, 2025.", "Arcep, 2025."),
        ),
        "ufc_calls_a_week": (
            tr("Appels par semaine et par foyer", "Calls a week and household"),
            tr("appels", "calls"),
            tr(
                "UFC-Que Choisir. 96 % des appels viennent d’entreprises dont on n’est pas client.",
                "UFC-Que Choisir. 96% of calls come from firms one is no customer of.",
            ),
        ),
        "ufc_mobile_weekly": (
            tr("Démarchés chaque semaine sur mobile", "Canvassed each week on a mobile"),
            "%",
            tr("UFC-Que Choisir, 2023 ; 97 % agacés.", "UFC-Que Choisir, 2023; 97% annoyed."),
        ),
    }


def panel(key: str) -> Panel:
    """The series *key* with its published values, oldest first."""
    title, unit, note = _texts()[key]
    found = [one for one in reference.official_series() if one.series == key]
    points = tuple(one for one in found if one.value is not None)
    return Panel(key, title, unit, note, points)


def table(shown: Panel) -> pd.DataFrame:
    """Rows (year, value, said, period, source): years without a figure are NaN, lines break."""
    rows = {_when(one.period): one for one in shown.points}
    years = sorted(rows)
    between = range(int(years[0]) + 1, int(years[-1]))
    empty = [float(year) for year in between if not any(int(one) == year for one in years)]
    every = sorted([*years, *empty])
    return pd.DataFrame(
        {
            "year": [float(year) for year in every],
            "value": [rows[year].value if year in rows else float("nan") for year in every],
            "said": [said(rows[year].value) if year in rows else "" for year in every],
            "period": [when(rows[year].period) if year in rows else "" for year in every],
            "source": [source(rows[year].source) if year in rows else "" for year in every],
        }
    )


def said(value: float | None) -> str:
    """A figure as it was published: whole where it is whole, millions in words."""
    if value is None:
        return "–"
    if value >= 1_000_000:
        return words.number(value / 1_000_000, 1) + tr(" M", "M")
    return words.number(value, 0 if float(value).is_integer() else 1)


def when(period: str) -> str:
    """A period as published, in words: `2018`, `décembre 2016`, `octobre 2021 – février 2022`."""
    if period == "cumul":
        return ""
    return " – ".join(_month(part) for part in period.split("/"))


def _month(part: str) -> str:
    year, _, month = part.partition("-")
    return words.month(dt.date(int(year), int(month), 1)) if month.isdigit() else part


def _when(period: str) -> float:
    """A period as published, as a year on an axis: the end of a range, 0 for a total."""
    last = period.split("/")[-1]
    if not last[:4].isdigit():
        return 0.0
    month = int(last[5:7]) if last[5:7].isdigit() else 0
    return int(last[:4]) + (month - 1) / 12 if month else float(last[:4])


def per_customers() -> pd.DataFrame:
    """Arcep's alerts per 100,000 customers: rows (family, year, value); 2018 and 2019 only."""
    return _by_family("arcep_alerts_per_100k/")


def satisfaction() -> pd.DataFrame:
    """Arcep's satisfaction marks out of 10: rows (family, year, value)."""
    return _by_family("arcep_satisfaction/")


def _by_family(prefix: str) -> pd.DataFrame:
    rows = [
        {"family": one.series.removeprefix(prefix), "year": one.period, "value": one.value}
        for one in reference.official_series()
        if one.series.startswith(prefix) and one.value is not None
    ]
    return pd.DataFrame(rows, columns=["family", "year", "value"])


def sanctions() -> pd.DataFrame:
    """Fines, newest first, in words."""
    about = {"yes": tr("oui", "yes"), "partly": tr("en partie", "partly"), "no": tr("non", "no")}
    rows = sorted(reference.sanctions(), key=lambda one: one.date, reverse=True)
    return pd.DataFrame(
        {
            tr("Date", "Date"): [_day(one.date) for one in rows],
            tr("Autorité", "Authority"): [one.authority for one in rows],
            tr("Entreprise", "Firm"): [_company(one.company) for one in rows],
            tr("Montant (€)", "Amount (€)"): [
                tr("non trouvé", "not found") if one.amount_eur is None
                else words.number(one.amount_eur)
                for one in rows
            ],
            tr("Vise des appels", "About calls"): [about.get(one.about_calls, "") for one in rows],
            tr("Lu dans", "Read in"): [source(one.source) for one in rows],
        }
    )  # fmt: skip


def source(text: str) -> str:
    """Where a figure was read, in the reader's language."""
    named = {
        "press": tr("presse", "press"),
        "seed": tr("dossier de départ", "seed"),
        "data set": tr("jeu de données", "data set"),
        "Arcep press release": tr("communiqué de l’Arcep", "Arcep press release"),
    }
    found = text
    for known, said in named.items():
        found = re.sub(rf"\b{known}\b", said, found)
    return found


def _day(date: str) -> str:
    """`2025-07-17` or `2025-07` in words."""
    return words.short_day(dt.date.fromisoformat(date)) if date.count("-") == 2 else when(date)


def _company(name: str) -> str:
    """The firm as published; what stands in brackets is said in the reader's language."""
    if words.language() == "en":
        return name
    french = {
        "a firm of Lyon (name not given)": "une société de Lyon (nom non publié)",
        "Optynergy (manager: 22,340 euros more)": f"Optynergy (et 22{words.NARROW}340 € au gérant)",
    }
    return french.get(name, name)


def collected(values: Sequence[SeriesValue]) -> pd.DataFrame:
    """Figures that a source brought, as a table."""
    return pd.DataFrame(
        {
            tr("Série", "Series"): [one.series for one in values],
            tr("Période", "Period"): [one.period for one in values],
            tr("Valeur", "Value"): [one.value for one in values],
            tr("Unité", "Unit"): [one.unit for one in values],
            tr("Source", "Source"): [one.source for one in values],
        }
    )

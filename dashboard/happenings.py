"""Laws, leaks, sales and sanctions of the reference, as rows for charts."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from dashboard import words
from dashboard.words import tr
from raccroche import reference
from raccroche.reference import Event

LABELLED = 9  # with more events than this, titles are left to the list
CONSENT = dt.date(2026, 8, 11)  # the consent regime enters into force
COLUMNS = ["date", "kind", "kind_name", "title", "text", "words", "scope", "source", "lane"]


def alert_days(period: str) -> tuple[dt.date | None, dt.date | None, str]:
    """The first and last day of an alert's period, an ISO week or a day, and its name."""
    try:
        if "W" in period:
            year, week = period.split("-W")
            first = dt.date.fromisocalendar(int(year), int(week), 1)
            return first, first + dt.timedelta(6), words.period(first, "week")
        day = dt.date.fromisoformat(period)
    except ValueError:
        return None, None, period
    return day, day, words.day(day)


def kind_name(kind: str) -> str:
    return {
        "law": tr("Loi", "Law"),
        "regulation": tr("Régulation", "Regulation"),
        "sanction": tr("Sanction", "Sanction"),
        "leak": tr("Fuite de données", "Data leak"),
        "ownership": tr("Propriété", "Ownership"),
        "series": tr("Série officielle", "Official series"),
        "press": tr("Presse", "Press"),
        "context": tr("Contexte", "Context"),
        "break": tr("Rupture de série", "Series break"),
    }.get(kind, kind)


def kinds() -> tuple[str, ...]:
    return tuple(dict.fromkeys(event.kind for event in reference.events()))


def between(
    start: dt.date, end: dt.date, families: Sequence[str], chosen: Sequence[str] = ()
) -> list[Event]:
    """Events of a period for all or for these families; of the *chosen* kinds, if any."""
    return [
        event
        for event in reference.events()
        if start <= event.date <= end
        and (event.scope == "*" or event.scope in families)
        and (not chosen or event.kind in chosen)
    ]


def rows(
    events: Sequence[Event], breaks: Sequence[tuple[dt.date, str]], start: dt.date, end: dt.date
) -> pd.DataFrame:
    """Events and breaks in our own series as rows; lanes keep labels apart."""
    found = [
        (
            event.date,
            event.kind,
            event.title(words.language()),
            event.text(words.language()),
            event.scope,
            event.source,
        )
        for event in events
    ]
    for day, source in breaks:
        title = tr(f"Nouvelle source : {source}", f"New source: {source}")
        found.append((day, "break", title, "", "*", tr("collecte", "collection")))
    found.sort()
    middle = start + (end - start) / 2
    listed = [
        {
            "date": pd.Timestamp(day),
            "kind": kind,
            "kind_name": kind_name(kind),
            "title": title,
            "text": text,
            "words": words.day(day),
            "scope": scope,
            "source": source,
            "lane": at % 4 if len(found) > LABELLED else at,
            "labelled": len(found) <= LABELLED,
            "side": "left" if day > middle else "right",
        }
        for at, (day, kind, title, text, scope, source) in enumerate(found)
    ]
    return pd.DataFrame(listed, columns=[*COLUMNS, "labelled", "side"])

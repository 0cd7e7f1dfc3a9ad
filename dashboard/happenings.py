"""Laws, leaks, sales and sanctions of the reference, as rows for charts."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from dashboard import breaks, words
from dashboard.breaks import Break
from dashboard.words import tr
from raccroche import reference
from raccroche.reference import Event

LABELLED = 9  # with more events than this, titles are left to the list
CONSENT = dt.date(2026, 8, 11)  # the consent regime enters into force
SAME = dt.timedelta(days=60)  # an ownership event of the list this near to a change of group is it
COLUMNS = ["date", "end", "kind", "kind_name", "title", "text", "words", "scope", "source", "lane"]


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
    start: dt.date,
    end: dt.date,
    families: Sequence[str],
    chosen: Sequence[str] = (),
    brands: Sequence[str] = (),
) -> list[Event]:
    """
    Events that touch a period, for all or for these families; of the *chosen* kinds, if any.

    The changes of group of *brands* are among them, as events of ownership.
    """
    every = [*reference.events(), *_changes_of_group(brands)]
    return [
        event
        for event in every
        if event.date <= end
        and (event.end or event.date) >= start
        and (event.scope == "*" or event.scope in families)
        and (not chosen or event.kind in chosen)
    ]


def _changes_of_group(brands: Sequence[str]) -> list[Event]:
    """A brand that passed from one group to another, where the list of events does not say it."""
    told = [one for one in reference.events() if one.kind == "ownership"]
    found = []
    for brand in filter(None, map(reference.brand, brands)):
        after = [step.family for step in brand.families[1:]] + [brand.family]
        for step, family in zip(brand.families, after, strict=True):
            scopes = {step.family, family}
            if not any(e.scope in scopes and _near(e, step.until) for e in told):
                found.append(_passed(brand.display, step.until, step.family, family, brand.family))
    return found


def _near(event: Event, day: dt.date) -> bool:
    return event.date - SAME <= day <= (event.end or event.date) + SAME


def _passed(name: str, day: dt.date, before: str, after: str, scope: str) -> Event:
    first, second = words.family(before), words.family(after)
    return Event(
        date=day,
        end=None,
        kind="ownership",
        scope=scope,
        title_fr=f"{name} change de groupe",
        title_en=f"{name} changes hands",
        text_fr=f"{first}, puis {second}.",
        text_en=f"{first}, then {second}.",
        source="brands.toml",
        status="read",
    )


def rows(
    events: Sequence[Event], found_breaks: Sequence[Break], start: dt.date, end: dt.date
) -> pd.DataFrame:
    """
    Events and breaks in our own series as rows; lanes keep labels apart.

    *end* is the day after the last one of events that lasted, else NaT.
    """
    found = sorted([*map(_of_event, events), *map(_of_break, found_breaks)])
    middle = start + (end - start) / 2
    listed = [
        {
            "date": pd.Timestamp(max(day, start)),
            "end": pd.Timestamp(min(until, end) + dt.timedelta(1)) if until > day else pd.NaT,
            "kind": kind,
            "kind_name": kind_name(kind),
            "title": title,
            "text": text,
            "words": _when(day, until),
            "scope": scope,
            "source": source,
            "lane": at % 4 if len(found) > LABELLED else at,
            "labelled": len(found) <= LABELLED,
            "side": "left" if day > middle else "right",
        }
        for at, (day, until, kind, title, text, scope, source) in enumerate(found)
    ]
    table = pd.DataFrame(listed, columns=[*COLUMNS, "labelled", "side"])
    return table.astype({"date": "datetime64[s]", "end": "datetime64[s]"})


_Row = tuple[dt.date, dt.date, str, str, str, str, str]


def _of_event(event: Event) -> _Row:
    title, text = event.title(words.language()), event.text(words.language())
    until = event.end or event.date
    return event.date, until, event.kind, title, text, event.scope, event.source


def _of_break(one: Break) -> _Row:
    return one.day, one.day, "break", breaks.said(one), "", "*", tr("collecte", "collection")


def _when(day: dt.date, until: dt.date) -> str:
    if until <= day:
        return words.day(day)
    return f"{words.day(day, weekday=False)} – {words.day(until, weekday=False)}"

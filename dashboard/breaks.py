"""Where a series may not be read across: sources that begin, stop or change; labels that begin."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from dashboard import series, words
from dashboard.words import tr
from raccroche.store import Labeller, SourceChange

Kind = Literal["begins", "ends", "changes", "labels", "model"]
SHARE = 0.05  # a source that brings less of the posts around does not break a line
AROUND = dt.timedelta(days=84)  # the stretch in which that share is measured
EDGE = dt.timedelta(days=7)  # nearer to an end of the period nothing can be told
SILENT = dt.timedelta(days=28)  # a source without a covered day for so long has stopped
LABELLED = 0.5  # with less of the posts labelled, a period has no value


@dataclass(frozen=True, slots=True)
class Break:
    """One break: its day, why, and the sources or labellers concerned."""

    day: dt.date
    kind: Kind
    names: tuple[str, ...]

    @property
    def cuts(self) -> bool:
        """Whether the line is cut: not by a new model, which labels the past again."""
        return self.kind != "model"


def said(one: Break) -> str:
    """The break in words, for lists, legends and tables."""
    names = ", ".join(one.names)
    many = len(one.names) > 1
    return {
        "begins": tr(
            f"Nouvelle{'s' if many else ''} source{'s' if many else ''} : {names}",
            f"New source{'s' if many else ''}: {names}",
        ),
        "ends": tr(
            f"Source{'s' if many else ''} arrêtée{'s' if many else ''} : {names}",
            f"Source{'s' if many else ''} stopped: {names}",
        ),
        "changes": tr(
            f"Collecte changée : {names}",
            f"Collection changed: {names}",
        ),
        "labels": tr(
            f"Début des étiquettes de {names}",
            f"Labels of {names} begin",
        ),
        "model": tr(
            f"Nouveau modèle {names}, séries recalculées",
            f"New model {names}, series computed anew",
        ),
    }[one.kind]


def of_sources(
    coverage: pd.DataFrame, changes: Iterable[SourceChange], start: dt.date, end: dt.date
) -> list[Break]:
    """When sources that matter began, stopped or changed; those of one month are one break."""
    covered = coverage[coverage["covered"]].groupby("source")["day"]
    found: list[tuple[Kind, dt.date, str]] = []
    earliest = covered.min().min()
    for source, first in covered.min().items():
        day = first.date()
        if first == earliest:
            continue  # nothing was collected before it: there is no series to break
        if day > start + EDGE and _weighs(coverage, str(source), day, day + AROUND):
            found.append(("begins", day, str(source)))
    for source, last in covered.max().items():
        day = last.date()
        if day < end - SILENT and _weighs(coverage, str(source), day - AROUND, day):
            found.append(("ends", day + dt.timedelta(1), str(source)))
    sources = set(coverage["source"])
    for change in changes:
        if start + EDGE < change.day <= end and change.source in sources:
            found.append(("changes", change.day, change.source))
    return _by_month(found)


def _weighs(coverage: pd.DataFrame, source: str, first: dt.date, last: dt.date) -> bool:
    """Whether a source brings enough of the posts of a stretch to move every line."""
    around = coverage[coverage["day"].between(pd.Timestamp(first), pd.Timestamp(last))]
    every = int(around["posts"].sum())
    own = int(around.loc[around["source"] == source, "posts"].sum())
    return not every or own / every >= SHARE


def _by_month(found: Sequence[tuple[Kind, dt.date, str]]) -> list[Break]:
    grouped: dict[tuple[Kind, int, int], list[tuple[dt.date, str]]] = {}
    for kind, day, source in sorted(found, key=lambda one: (one[1], one[2])):
        grouped.setdefault((kind, day.year, day.month), []).append((day, source))
    breaks = [
        Break(rows[0][0], kind, tuple(name for _, name in rows))
        for (kind, *_), rows in grouped.items()
    ]
    return sorted(breaks, key=lambda one: one.day)


def labelled(counts: pd.DataFrame, labeller: str, periods: pd.DatetimeIndex) -> pd.Series:
    """
    The share of posts that *labeller* labelled, by period, out of what the models together did.

    *counts*: period, labeller, posts. 1 where no model labelled anything.
    """
    table = counts.pivot_table(index="period", columns="labeller", values="posts", aggfunc="sum")
    table = table.reindex(periods).fillna(0)
    if labeller not in table:
        return pd.Series(1.0, index=periods)
    most = table.max(axis=1)
    return (table[labeller] / most.where(most > 0)).fillna(1.0)


def of_labels(share: pd.Series, labeller: str) -> list[Break]:
    """Where the labels of *labeller* begin, if posts before them have only those of others."""
    enough = share >= LABELLED
    if enough.all() or not enough.any():
        return []
    first = enough.index[int((~enough).to_numpy().nonzero()[0].max()) + 1 :]
    return [Break(first[0].date(), "labels", (labeller,))] if len(first) else []


def of_models(
    found: Sequence[Labeller], labeller: str, start: dt.date, end: dt.date
) -> list[Break]:
    """When *labeller* followed another model: figures told before that day differ from now."""
    models = [one for one in found if not one.human and one.first_at is not None]
    mine = next((one for one in models if one.name == labeller), None)
    if mine is None or mine.first_at is None:
        return []
    older = any(one.first_at < mine.first_at for one in models if one.first_at)
    day = mine.first_at.date()
    return [Break(day, "model", (labeller,))] if older and start < day <= end else []


def cut(table: pd.DataFrame, breaks: Sequence[Break], step: str) -> pd.DataFrame:
    """
    The rows of `series.by_period` with *segment*, which changes at each break, and its *note*.

    The period in which a break falls begins a new segment: no line leads to it.
    """
    days = sorted({series.first_of(one.day, step) for one in breaks if one.cuts})
    periods = table["period"].dt.date
    segment = sum((periods >= day).astype(int) for day in days) if days else 0
    notes: dict[dt.date, list[str]] = {}
    for one in breaks:
        notes.setdefault(series.first_of(one.day, step), []).append(said(one))
    note = periods.map(lambda day: " ; ".join(notes.get(day, ())))
    return table.assign(segment=segment, note=note)


def told(found: Sequence[Break]) -> str:
    """The breaks in one or two sentences; empty without any."""
    cuts = [one for one in found if one.cuts]
    others = [one for one in found if not one.cuts]
    said_cuts = tr(
        f"Rupture de série (trait plein, ligne coupée) : {_listed(cuts)}.",
        f"Series break (full rule, line cut): {_listed(cuts)}.",
    )
    said_others = tr(
        f"Trait plein, ligne entière : {_listed(others)} ; les chiffres relevés avant différaient.",
        f"Full rule, whole line: {_listed(others)}; figures noted before were others.",
    )
    return " ".join(said for said, some in ((said_cuts, cuts), (said_others, others)) if some)


def _listed(found: Sequence[Break]) -> str:
    return " ; ".join(
        f"{words.day(one.day, weekday=False)}, {said(one)[0].lower()}{said(one)[1:]}"
        for one in found
    )

"""Each brand over time among laws, leaks and sales; before and after a date."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import (
    charts,
    comparison,
    data,
    filters,
    happenings,
    intervals,
    panels,
    series,
    words,
)
from dashboard.panels import Measure
from dashboard.selection import Selection
from dashboard.views import parts
from dashboard.words import tr

WINDOWS = ("4", "8", "13", "26", "52")  # weeks on each side


def page() -> None:
    chosen = parts.begin(tr("Chronologie", "Timeline"))
    brands = filters.shown_brands(chosen, 6)
    found = parts.changes(chosen)
    table = parts.series_of(chosen, brands, found)
    if not table["mentions"].sum():
        parts.nothing()
        return
    share, shared, kinds = _controls()
    families = [family for brand in brands if (family := data.family_of(brand))]
    events = happenings.between(chosen.start, chosen.end, families, kinds, brands)
    marks = happenings.rows(events, found, chosen.start, chosen.end)
    mean = parts.averaged(chosen, table)
    drawn = panels.measure(share=share, mean=mean)
    _panels(chosen, brands, table, marks, drawn, shared=shared)
    parts.note(parts.reading(chosen, table, found, drawn) + _lasting(marks))
    with st.expander(tr("Tableau des valeurs", "Table of values")):
        parts.series_table(table, chosen.step, key="timeline-table")
    _list(marks)
    _before_after(chosen, brands)


def _controls() -> tuple[bool, bool, tuple[str, ...]]:
    names = {
        "count": tr("Nombre", "Count"),
        "share": tr("Part de ses mentions", "Share of its mentions"),
    }
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        measure = filters.choose(
            "courbe", tr("Mesure", "Measure"), tuple(names), show=names.__getitem__
        )
        free = filters.switch("libre", tr("Échelles libres", "Free scales"))
        with st.popover(tr("Événements", "Events"), key="p_events"):
            kinds = filters.choose_many(
                "evenements",
                tr("Genres d’événements", "Kinds of events"),
                happenings.kinds(),
                show=happenings.kind_name,
            )
    return measure == "share", not free, kinds


def _panels(
    chosen: Selection,
    brands: tuple[str, ...],
    table: pd.DataFrame,
    marks: pd.DataFrame,
    drawn: Measure,
    *,
    shared: bool,
) -> None:
    look, styles = parts.look(), parts.styles(brands)
    top = panels.top_of(table, drawn) if shared else None
    first, last = table["period"].min(), table["period"].max()
    if len(marks):
        lane = panels.event_lane(marks, look, first.date(), last.date(), step=chosen.step)
        parts.chart(lane, _said(marks), key="lane", show_summary=False)
    for brand in brands:
        own = table[table["brand"] == brand]
        scoped = marks[marks["scope"].isin(["*", data.family_of(brand) or "*"])]
        chart = panels.brand_panel(
            series.whole(own, chosen.start),
            look,
            styles[brand],
            step=chosen.step,
            drawn=drawn,
            top=top,
            height=150,
            marks=scoped[(scoped["date"] >= first) & (scoped["date"] <= last)],
            count=8,
        )
        parts.panel(brand, own, chart, key=f"time-{brand}", open_posts=lambda p: _open(p, chosen))


def _lasting(marks: pd.DataFrame) -> str:
    if marks.empty or marks["end"].isna().all():
        return ""
    return tr(" Bande de couleur : événement qui a duré.", " Coloured band: an event that lasted.")


def _open(point: Mapping[str, Any], chosen: Selection) -> None:
    parts.open_period(str(point["brand"]), point["period"], chosen.step)


def _said(marks: pd.DataFrame) -> str:
    return tr("Événements : ", "Events: ") + " ; ".join(
        f"{row['words']}, {row['title']}" for _, row in marks.iterrows()
    )


def _list(marks: pd.DataFrame) -> None:
    if marks.empty:
        return
    with st.expander(tr("Événements de la période", "Events of the period")):
        parts.show_table(
            pd.DataFrame(
                {
                    tr("Date", "Date"): marks["words"],
                    tr("Genre", "Kind"): marks["kind_name"],
                    tr("Événement", "Event"): marks["title"],
                    tr("Précision", "Details"): marks["text"],
                    tr("Source", "Source"): marks["source"],
                }
            ),
            key="events",
        )


# before and after a date


def _before_after(chosen: Selection, brands: tuple[str, ...]) -> None:
    st.header(tr("Avant et après une date", "Before and after a date"), anchor=False)
    known = data.known()
    if known.first_day is None or known.last_day is None:
        return
    day, weeks = _around(known.first_day, known.last_day)
    half = dt.timedelta(7 * weeks)
    before = (max(day - half, known.first_day), day - dt.timedelta(1))
    after = (day, min(day + half - dt.timedelta(1), known.last_day))
    if before[0] > before[1] or after[0] > after[1]:
        parts.nothing(
            tr(
                "Pas de publications des deux côtés de cette date.",
                "No posts on both sides of this date.",
            )
        )
        return
    table = _ratios(chosen, brands, before, after)
    look = parts.look()
    order = comparison.ordered(table, by_value=False)
    named = {data.display(brand): brand for brand in brands}
    styles = parts.styles(brands)
    drawn = charts.intervals_by_name(
        table,
        look,
        {name: styles[named[name]] for name in order},
        order=order,
        title="",
        share=False,
        ratio=True,
        height=32,
    )
    st.subheader(
        tr(
            "Part après la date ÷ part avant (1 : pas de changement)",
            "Share after the date ÷ share before (1: no change)",
        ),
        anchor=False,
    )
    parts.chart(drawn, _moved(table, day), _readable(table), key="before-after")
    parts.note(_windows(before, after))
    st.warning(
        tr(
            "Corrélation, pas cause : d’autres faits changent en même temps (collecte, actualité, "
            "saison). L’effet du régime du 11 août 2026 est une question ouverte que cette page "
            "mesure sans y répondre.",
            "Correlation, not cause: other things change at the same time (collection, news, "
            "season). The effect of the regime of 11 August 2026 is an open question that this "
            "page measures and does not answer.",
        )
    )


def _around(first: dt.date, last: dt.date) -> tuple[dt.date, int]:
    default = (
        happenings.CONSENT if first < happenings.CONSENT < last else first + (last - first) / 2
    )
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        day = filters.pick_day(
            "date", tr("Date", "Date"), default, min_value=first, max_value=last, width=180
        )
        weeks = filters.choose(
            "fenetre",
            tr("Semaines de chaque côté", "Weeks on each side"),
            WINDOWS,
            default="13",
        )
    return day, int(weeks)


def _ratios(
    chosen: Selection,
    brands: tuple[str, ...],
    before: tuple[dt.date, dt.date],
    after: tuple[dt.date, dt.date],
) -> pd.DataFrame:
    """A row a brand: the ratio of its shares, none where one side has fewer than 20 mentions."""
    sides = []
    for start, end in (before, after):
        found = data.daily_counts(
            chosen.filters(start=start, end=end, brands=brands), by=("brand",)
        )
        sides.append(found.set_index("brand")[["harassment", "mentions"]])
    rows = []
    for brand in brands:
        (h0, m0), (h1, m1) = (_cell(side, brand) for side in sides)
        ratio = intervals.rate_ratio((h0, m0), (h1, m1))
        enough = min(m0, m1) >= intervals.FEW_FOR_PERCENT and h0 + h1 >= intervals.FEW_FOR_RATE
        if ratio is None or not enough:
            values: tuple[float, ...] = (float("nan"),) * 3
            short = tr("trop peu de cas pour comparer", "too few cases to compare")
        else:
            values = (ratio.value, ratio.low, ratio.high)
            short = f"{words.percent(h0 / m0)} → {words.percent(h1 / m1)}"
        said = f"{short} · {h0}/{m0} → {h1}/{m1}"
        rows.append((data.display(brand), h0 + h1, m0 + m1, *values, False, short, said))
    return pd.DataFrame(rows, columns=comparison.COLUMNS)


def _cell(side: pd.DataFrame, brand: str) -> tuple[int, int]:
    if brand not in side.index:
        return 0, 0
    found = side.to_dict("index")[brand]
    return int(found["harassment"]), int(found["mentions"])


def _moved(table: pd.DataFrame, day: dt.date) -> str:
    if table["value"].isna().all():
        return tr(
            f"Trop peu de cas autour du {words.day(day, weekday=False)} pour comparer.",
            f"Too few cases around {words.day(day, weekday=False)} to compare.",
        )
    up = list(table.loc[table["low"] > 1, "name"])
    down = list(table.loc[table["high"] < 1, "name"])
    when = words.day(day, weekday=False)
    parts_ = []
    if down:
        parts_.append(
            tr(
                f"Après le {when}, la part recule nettement pour **{words.listing(down)}**.",
                f"After {when}, the share clearly falls for **{words.listing(down)}**.",
            )
        )
    if up:
        parts_.append(
            tr(
                f"{'Elle' if down else f'Après le {when}, la part'} augmente nettement pour "
                f"**{words.listing(up)}**.",
                f"{'It' if down else f'After {when}, the share'} clearly rises for "
                f"**{words.listing(up)}**.",
            )
        )
    if not up and not down:
        parts_.append(
            tr(
                f"**Aucun changement n’est établi** autour du {when} : les intervalles "
                "contiennent tous 1.",
                f"**No change is shown** around {when}: all intervals contain 1.",
            )
        )
    return " ".join(parts_)


def _windows(before: tuple[dt.date, dt.date], after: tuple[dt.date, dt.date]) -> str:
    days = [(end - start).days + 1 for start, end in (before, after)]
    return tr(
        f"Avant : {words.short_day(before[0])} – {words.short_day(before[1])} ({days[0]} jours). "
        f"Après : {words.short_day(after[0])} – {words.short_day(after[1])} ({days[1]} jours).",
        f"Before: {words.short_day(before[0])} – {words.short_day(before[1])} ({days[0]} days). "
        f"After: {words.short_day(after[0])} – {words.short_day(after[1])} ({days[1]} days).",
    )


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Marque", "Brand"): table["name"],
            tr("Part avant → après", "Share before → after"): table["text"],
            tr("Rapport", "Ratio"): [
                "–" if pd.isna(v) else f"{words.number(v, 2)} ({words.span(low, high, 2)})"
                for v, low, high in table[["value", "low", "high"]].itertuples(index=False)
            ],
        }
    )

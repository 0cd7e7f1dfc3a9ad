"""One brand over time, and the events, breaks and gaps it must be read with: pure charts."""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import pandas as pd

from dashboard import intervals, series, words
from dashboard.charts import (
    AXIS,
    LEGEND,
    POINT,
    BrandStyle,
    Look,
    finish,
    number_axis,
    outfit,
    time_axis,
)
from dashboard.drawn import Spec, once
from dashboard.words import tr

MARGIN = 34  # pixels left of the axis, the same in every panel, so that dates stand in line
HATCHES = 4  # rows of strokes in the height of a panel

Layer = dict[str, Any]  # a part of a specification of Vega-Lite, written out


@dataclass(frozen=True, slots=True)
class Measure:
    """Which columns are drawn; *raw*: counts under a moving average, as thin columns."""

    value: str
    low: str
    high: str
    share: bool = False
    raw: str | None = None


COUNT = Measure("harassment", "low", "high")
SHARE = Measure("share", "share_low", "share_high", share=True)
MEAN = Measure("trend", "trend_low", "trend_high", raw="harassment")
MEAN_SHARE = Measure("trend_share", "trend_share_low", "trend_share_high", share=True)


def measure(*, share: bool, mean: bool) -> Measure:
    if share:
        return MEAN_SHARE if mean else SHARE
    return MEAN if mean else COUNT


def top_of(table: pd.DataFrame, drawn: Measure) -> float | None:
    """The highest value that panels on one scale must hold; None where there is none."""
    columns = [drawn.high, *([drawn.raw] if drawn.raw else [])]
    top = table[columns].max().max()
    return None if pd.isna(top) else float(top)


@once
def brand_panel(
    table: pd.DataFrame,
    look: Look,
    style: BrandStyle,
    *,
    step: str,
    drawn: Measure = COUNT,
    top: float | None = None,
    height: int = 130,
    marks: pd.DataFrame | None = None,
    count: int = 4,
) -> Any:
    """
    One brand over time: line, 95 % band, dashed provisional end, cut where data are missing or a
    break falls, hatched where collection was incomplete.

    *table*: rows of `series.by_period` of one brand, with the *segment* of `breaks.cut` if any.
    *marks*: events and breaks (date, end, title, kind). Every period can be clicked
    (brand, period).
    """
    rows = _spoken(table, step, drawn)
    frame = _frame(rows, drawn, step, top, count)
    layers = [
        *_incomplete(rows, look, columns=25 * count),
        *_event_marks(marks, look),
        _band(rows, frame, style, drawn),
        *_columns(rows, frame, style, drawn),
        _line(rows, frame, style),
        *_late(rows, frame, style, drawn),
        *_single(rows, frame, style, drawn),
        *_points(rows, frame, style, drawn),
        *_nothing(rows, look, drawn),
    ]
    return Spec({"layer": layers, "height": height, "params": _PARAMS, **outfit(look)})


def _spoken(table: pd.DataFrame, step: str, drawn: Measure) -> pd.DataFrame:
    """The columns that are drawn, each row in words, and *drawn*: the settled part of the line."""
    rows = table if "segment" in table else table.assign(segment=0)
    columns = {str(name): values for name, values in rows.to_dict("list").items()}
    said = [
        _exact(dict(zip(columns, row, strict=True)), drawn)
        for row in zip(*columns.values(), strict=True)
    ]
    names = ["brand", "period", "state", "coverage", "segment", drawn.value, drawn.low, drawn.high]
    return rows[list(dict.fromkeys([*names, *([drawn.raw] if drawn.raw else [])]))].assign(
        words=[words.period(day.date(), step) for day in rows["period"]],
        exact=said,
        drawn=rows[drawn.value].where(rows["state"] == "settled"),
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """The axes that the layers of a panel share; *wide*: the one x that sets the whole domain."""

    wide: Layer
    x: Layer
    scale: Layer
    axis: Layer

    def y(self, column: str) -> Layer:
        own = {"field": column, "type": "quantitative", "title": None}
        return {**own, "scale": self.scale, "axis": self.axis}


def _frame(rows: pd.DataFrame, drawn: Measure, step: str, top: float | None, count: int) -> _Frame:
    scale = {"domain": [0, top]} if top else {}
    first, last = rows["period"].min().date(), rows["period"].max().date()
    domain = {} if first == last else {"domain": [_moment(first), _moment(last)]}
    x = {"field": "period", "type": "temporal", "axis": _time_axis(step, count), "title": None}
    return _Frame(
        wide={**x, "scale": {**domain, "nice": False}},
        x=x,
        scale={**scale, "nice": top is None, "zero": True},
        axis=_number_axis(share=drawn.share),
    )


@cache
def _time_axis(step: str, count: int) -> Layer:
    return dict(time_axis(step, count=count).to_dict())


@cache
def _number_axis(*, share: bool) -> Layer:
    axis = number_axis(share=share, count=3)
    axis.minExtent = axis.maxExtent = MARGIN
    return dict(axis.to_dict())


def _layer(data: pd.DataFrame, mark: Layer, **encoding: Any) -> Layer:
    return {"data": data, "mark": mark, "encoding": encoding}


def _time(column: str) -> Layer:
    return {"field": column, "type": "temporal"}


_SEGMENT = {"field": "segment", "type": "nominal"}


def _band(rows: pd.DataFrame, frame: _Frame, style: BrandStyle, drawn: Measure) -> Layer:
    mark = {"type": "area", "opacity": 0.16, "color": style.colour}
    y, y2 = frame.y(drawn.low), {"field": drawn.high}
    return _layer(rows, mark, x=frame.wide, y=y, y2=y2, detail=_SEGMENT)


def _columns(rows: pd.DataFrame, frame: _Frame, style: BrandStyle, drawn: Measure) -> list[Layer]:
    """The counts themselves under a moving average."""
    if drawn.raw is None:
        return []
    found = rows[rows[drawn.raw] > 0]
    if found.empty:
        return []
    mark = {"type": "rule", "color": style.colour, "strokeWidth": 2.5, "opacity": 0.4}
    y = frame.y(drawn.raw)
    return [_layer(found, {**mark, "aria": False}, x=frame.x, y=y, y2={"datum": 0})]


def _line(rows: pd.DataFrame, frame: _Frame, style: BrandStyle) -> Layer:
    mark = {"type": "line", "color": style.colour, "strokeWidth": 2}
    return _layer(rows, mark, x=frame.x, y=frame.y("drawn"), detail=_SEGMENT)


def _late(rows: pd.DataFrame, frame: _Frame, style: BrandStyle, drawn: Measure) -> list[Layer]:
    """The dashed end of the line: provisional periods, from the settled one before them."""
    table = rows.reset_index(drop=True)
    late = table.index[table["state"] == "provisional"]
    if late.empty:
        return []
    end = table.loc[max(int(late.min()) - 1, 0) :]
    end = end[end["segment"] == end["segment"].iloc[-1]]
    dashes = {"strokeWidth": 1.5, "strokeDash": [2, 3], "opacity": 0.8}
    mark = {"type": "line", "color": style.colour, **dashes}
    return [_layer(end, mark, x=frame.x, y=frame.y(drawn.value))]


def _single(rows: pd.DataFrame, frame: _Frame, style: BrandStyle, drawn: Measure) -> list[Layer]:
    """Points without a neighbour, which no line would show."""
    known = rows[drawn.value].notna()
    here = rows["segment"]
    before = known.shift(fill_value=False) & (here.shift() == here)
    after = known.shift(-1, fill_value=False) & (here.shift(-1) == here)
    alone = rows[known & ~before & ~after]
    if alone.empty:
        return []
    dot = {"type": "point", "filled": True, "size": 45, "color": style.colour, "opacity": 1}
    return [_layer(alone, {**dot, "aria": False}, x=frame.x, y=frame.y(drawn.value))]


def _nothing(rows: pd.DataFrame, look: Look, drawn: Measure) -> list[Layer]:
    """A word where there is nothing to draw."""
    if rows[drawn.value].notna().any():
        return []
    few = intervals.FEW_FOR_PERCENT
    text = (
        tr(f"moins de {few} mentions par point : pas de taux", f"under {few} mentions: no rate")
        if drawn.share
        else tr("rien n’a été collecté", "nothing was collected")
    )
    mark = {"type": "text", "color": look.soft, "fontSize": 12}
    x, y = ({"value": {"expr": f"{one} / 2"}} for one in ("width", "height"))
    said = {"field": "text", "type": "nominal"}
    return [_layer(pd.DataFrame({"text": [text]}), mark, x=x, y=y, text=said)]


# what is clicked, and what is under the pointer: parameters of the layers of these names
_PARAMS = [
    {
        "name": POINT,
        "select": {"type": "point", "fields": ["brand", "period"], "on": "click"},
        "views": ["dots"],
    },
    {
        "name": "hover",
        "select": {"type": "point", "fields": ["period"], "nearest": True, "on": "pointerover"},
        "views": ["near"],
    },
]


def _points(rows: pd.DataFrame, frame: _Frame, style: BrandStyle, drawn: Measure) -> list[Layer]:
    """What is clicked, and the dot under the pointer; periods without a value only speak."""
    known = rows[drawn.value].notna()
    shown = rows if known.all() or not known.any() else rows[known]
    said = [
        {"field": "words", "type": "nominal", "title": tr("Période", "Period")},
        {"field": "exact", "type": "nominal", "title": tr("Valeur", "Value")},
    ]
    mark = {"type": "point", "filled": True, "color": style.colour, "shape": style.marker}
    place = {"x": frame.x, "y": frame.y(drawn.value), "tooltip": said}
    near = {"condition": {"param": "hover", "value": 1, "empty": False}, "value": 0}
    dots = {**mark, "aria": False, "size": 70, "opacity": 0}
    return [
        {**_layer(shown, dots, **place, opacity={"value": 0}), "name": "dots"},
        {
            **_layer(shown, {**mark, "aria": False, "size": 50}, **place, opacity=near),
            "name": "near",
        },
    ]


def _exact(row: dict[str, Any], drawn: Measure) -> str:
    """A point in words: the value, its interval, what it is out of, and its state."""
    if row["state"] == "missing":
        return tr("rien n’a été collecté", "nothing was collected")
    if row["state"] == "unlabelled":
        return tr("pas encore étiqueté", "not labelled yet")
    out_of = tr("sur", "of") + f" {words.number(row['mentions'])} mentions"
    said = f"{_value(row, drawn)} {out_of}"
    if drawn.raw or drawn is MEAN_SHARE:
        said += f" ; {_mean(row, drawn)}"
    return said + (tr(", provisoire", ", provisional") if row["state"] == "provisional" else "")


def _value(row: dict[str, Any], drawn: Measure) -> str:
    if drawn.raw or drawn is MEAN_SHARE:
        return words.number(row["harassment"])
    if not drawn.share:
        return f"{words.number(row['harassment'])} ({words.span(row['low'], row['high'])})"
    if pd.isna(row["share"]):
        few = intervals.FEW_FOR_PERCENT
        return tr(f"moins de {few} mentions : pas de taux", f"fewer than {few} mentions: no rate")
    bounds = words.span(row["share_low"], row["share_high"], share=True)
    return f"{words.percent(row['share'])} ({bounds})"


def _mean(row: dict[str, Any], drawn: Measure) -> str:
    name = tr(f"en moyenne sur {series.WINDOW}", f"mean of {series.WINDOW}")
    value, low, high = (row[one] for one in (drawn.value, drawn.low, drawn.high))
    if pd.isna(value):
        return f"{name} –"
    if drawn.share:
        return f"{name} {words.percent(value)} ({words.span(low, high, 1, share=True)})"
    return f"{name} {words.number(value, 1)} ({words.span(low, high, 1)})"


# what was not collected


def _incomplete(rows: pd.DataFrame, look: Look, *, columns: int) -> list[Layer]:
    """Hatching behind the stretches of which less than 95 % was collected or labelled."""
    found = _stretches(rows)
    if not found or len(rows) < 2:
        return []
    ground = {"type": "rect", "color": look.soft, "opacity": 0.1, "aria": False}
    ends = {"x": _time("from"), "x2": {"field": "to"}}
    layers = [_layer(pd.DataFrame(found, columns=["from", "to"]), ground, **ends)]
    span = (rows["period"].max() - rows["period"].min()) / columns
    strokes = [
        (start + span * at, min(start + span * (at + 1), end))
        for start, end in found
        for at in range(max(round((end - start) / span), 1))
        if start + span * at < end
    ]
    stroke = {"type": "rule", "color": look.soft, "strokeWidth": 0.8, "opacity": 0.55}
    table = pd.DataFrame(strokes, columns=["from", "to"])
    for row in range(HATCHES):
        y, y2 = ({"value": {"expr": f"height * {at / HATCHES}"}} for at in (row + 1, row))
        layers.append(_layer(table, {**stroke, "aria": False}, **ends, y=y, y2=y2))
    return layers


def _stretches(rows: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Incomplete periods joined where they touch, each reaching half-way to its neighbours."""
    starts = rows["period"] - rows["period"].diff().bfill() / 2
    ends = rows["period"] + rows["period"].diff().shift(-1).ffill() / 2
    low, high = rows["period"].min(), rows["period"].max()
    found: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for start, end, full in zip(starts, ends, rows["coverage"] >= series.FULL, strict=True):
        if full:
            continue
        start, end = max(start, low), min(end, high)
        if found and found[-1][1] >= start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


# events and breaks


KIND_COLOURS = {
    # light, dark: at least 3:1 on their ground
    "law": ("#245FF3", "#6E9BFF"),
    "regulation": ("#0E7C86", "#33B5C1"),
    "sanction": ("#C9300F", "#FF7A5C"),
    "leak": ("#A3195B", "#E25C9C"),
    "ownership": ("#8A5CD6", "#A98BEF"),
    "series": ("#59636E", "#AEB6BF"),
    "press": ("#946B00", "#D0A02B"),
    "context": ("#59636E", "#AEB6BF"),
    "break": ("#1B1F24", "#F1F3F5"),
}
KIND_SHAPES = {
    "law": "circle",
    "regulation": "square",
    "sanction": "triangle-up",
    "leak": "diamond",
    "ownership": "cross",
    "series": "triangle-left",
    "press": "triangle-down",
    "context": "triangle-right",
    "break": "stroke",
}


def kind_colour(kind: str, look: Look) -> str:
    return KIND_COLOURS.get(kind, KIND_COLOURS["context"])[int(look.dark)]


def _said() -> list[Any]:
    return [
        alt.Tooltip("title:N", title=tr("Événement", "Event")),
        alt.Tooltip("words:N", title=tr("Date", "Date")),
    ]


def _event_marks(marks: pd.DataFrame | None, look: Look) -> list[Layer]:
    """A dashed rule an event, a band where it lasted, a full rule where the series breaks."""
    if marks is None or marks.empty:
        return []
    shown = ["date", "end", "title", "words", "kind"]
    rows = marks[shown].assign(colour=[kind_colour(kind, look) for kind in marks["kind"]])
    seen = {
        "x": _time("date"),
        "color": {"field": "colour", "type": "nominal", "scale": None},
        "tooltip": [one.to_dict() for one in _said()],
    }
    layers = []
    lasting = rows[rows["end"].notna()]
    if len(lasting):
        band = {"type": "rect", "opacity": 0.16}
        layers.append(_layer(lasting, band, **seen, x2={"field": "end"}))
    for cut in (False, True):
        found = rows[(rows["kind"] == "break") == cut]
        if found.empty:
            continue
        faint = 0.75 if len(found) < 12 else 0.4
        rule = {
            "type": "rule",
            "strokeDash": [1, 0] if cut else [2, 3],
            "strokeWidth": 1.6 if cut else 1,
            "opacity": 1 if cut else faint,
        }
        layers.append(_layer(found, rule, **seen))
    return layers


def _moment(day: dt.date) -> dict[str, int]:
    """A day as Vega reads it without a time zone."""
    return {"year": day.year, "month": day.month, "date": day.day}


@once
def event_lane(marks: pd.DataFrame, look: Look, start: dt.date, end: dt.date, *, step: str) -> Any:
    """One mark an event, on the time axis of the panels under it; titles where there is room."""
    kinds = sorted(set(marks["kind_name"]))
    first = marks.drop_duplicates("kind_name").set_index("kind_name")["kind"]
    colours = [kind_colour(first[name], look) for name in kinds]
    shapes = [KIND_SHAPES.get(first[name], "circle") for name in kinds]
    scale = alt.Scale(domain=[_moment(start), _moment(end)], clamp=True)
    legend = alt.Legend(orient="top", title=None, direction="horizontal", symbolOpacity=1)
    quiet = time_axis(step, count=8)
    quiet.labelOpacity = 0
    base = alt.Chart(marks).encode(
        # the same margins as the panels have, so that dates stand above each other
        x=alt.X("date:T", axis=quiet, title=None),
        y=alt.Y(
            "lane:O", axis=alt.Axis(labels=False, minExtent=MARGIN, maxExtent=MARGIN), title=None
        ),
        tooltip=_said(),
    )
    colour = alt.Color("kind_name:N", scale=alt.Scale(domain=kinds, range=colours), legend=legend)
    shape = alt.Shape("kind_name:N", scale=alt.Scale(domain=kinds, range=shapes), legend=legend)
    dots = base.mark_point(filled=True, size=90, opacity=1, strokeWidth=2)
    lasting = base.transform_filter("isValid(datum.end)").mark_rule(strokeWidth=6, opacity=0.5)
    layers = [
        *([lasting.encode(x2="end:T", color=colour)] if marks["end"].notna().any() else []),
        dots.encode(
            x=alt.X("date:T", scale=scale, axis=quiet, title=None),
            color=colour,
            shape=shape,
            stroke=colour,
        ),
    ]
    if marks["labelled"].any():
        left = alt.datum.side == "left"
        for test, align, dx in ((left, "right", -8), (alt.datum.side == "right", "left", 8)):
            layers.append(
                base.transform_filter(test & alt.datum.labelled)
                .mark_text(align=align, dx=dx, fontSize=11.5, color=look.ink)
                .encode(text="title:N")
            )
    height = 20 * int(marks["lane"].max() + 1) + AXIS + LEGEND
    return finish(alt.layer(*layers).properties(height=height), look)


@once
def coverage_strip(coverage: pd.DataFrame, look: Look, *, step: str = "day") -> Any:
    """A row a source: thick where it was collected, thinner in part, a thread where nothing was."""
    names = {
        "full": tr("collecté", "collected"),
        "part": tr("en partie", "partly"),
        "none": tr("rien", "nothing"),
    }
    colours = {
        names["full"]: "#3F7F9E" if look.dark else "#5B9BB8",
        names["part"]: "#C99A2E" if look.dark else "#B58100",
        names["none"]: look.warm,
    }
    thick = {"full": 14, "part": 8, "none": 3}
    rows = coverage.assign(state=coverage["state"].map(names), thick=coverage["state"].map(thick))
    sources = rows["source"].nunique()
    legend = alt.Legend(orient="top", title=None, direction="horizontal", offset=4)
    drawn = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("day:T", axis=time_axis(step, count=8), title=None),
            x2="end:T",
            y=alt.Y("source:N", title=None, axis=alt.Axis(labelLimit=170)),
            color=alt.Color(
                "state:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=legend,
            ),
            size=alt.Size("thick:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("source:N", title=tr("Source", "Source")),
                alt.Tooltip("words:N", title=tr("Jour", "Day")),
                alt.Tooltip("state:N", title=tr("État", "State")),
            ],
        )
        .properties(height=22 * sources + AXIS + LEGEND)
    )
    return finish(drawn, look)

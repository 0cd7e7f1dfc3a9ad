"""Tables to charts: pure functions, no Streamlit; French number and date formats inside."""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from dashboard import words
from dashboard.drawn import Spec, once
from dashboard.words import Language, tr
from raccroche import reference

AXIS, LEGEND = 34, 26  # pixels: Streamlit counts them in the height of a chart
READABLE = 10  # pixels: smaller digits of a count give way to thousands
_ON_A_TELEPHONE = "containerSize()[0] < 480"
_ONE_LINE = 16  # letters of the name of a row, there
POINT = "point"  # the name of the selection of every chart that can be clicked
FONT = '"Source Sans", "Source Sans Pro", sans-serif'
# Colours for brands that the palette lacks, in the same spirit: 3:1 on their background.
_SPARE_LIGHT = ("#8A5CD6", "#B3541E", "#0E7C86", "#A3195B", "#5B6B1F", "#3D4FA8", "#946B00")
_SPARE_DARK = ("#A98BEF", "#E08A4F", "#33B5C1", "#E25C9C", "#A5BC4A", "#8494F0", "#D0A02B")
_SPARE_DASH = ([5, 2], [3, 3], [8, 2, 2, 2], [1, 2], [7, 4], [2, 4], [9, 3])
_MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-left")


@dataclass(frozen=True, slots=True)
class Look:
    """How charts are drawn for one reader."""

    dark: bool = False
    language: Language = "fr"

    @property
    def ink(self) -> str:
        return "#F1F3F5" if self.dark else "#1B1F24"

    @property
    def soft(self) -> str:
        """Axis labels and secondary words: at least 4.5:1."""
        return "#AEB6BF" if self.dark else "#59636E"

    @property
    def rule(self) -> str:
        return "#31363D" if self.dark else "#E3E6EA"

    @property
    def ground(self) -> str:
        return "#0F1216" if self.dark else "#FFFFFF"

    @property
    def accent(self) -> str:
        return "#6E9BFF" if self.dark else "#245FF3"

    @property
    def warm(self) -> str:
        return "#FF7A5C" if self.dark else "#C9300F"


@dataclass(frozen=True, slots=True)
class BrandStyle:
    colour: str
    dash: list[int]
    marker: str


def _number_list(text: str) -> list[int]:
    return [int(one) for one in text.split()] if text and text[0].isdigit() else [1, 0]


def brand_styles(
    brands: Sequence[str], look: Look, *, order: Sequence[str] = ()
) -> dict[str, BrandStyle]:
    """
    A colour, a dash and a marker a brand: those of the palette, else spare ones.

    *order* lists brands so that each keeps its spare colour whichever others are shown with it.
    """
    palette = {style.brand: style for style in reference.palette()}
    ids = {one.name: one.id for one in reference.brands()}
    every = dict.fromkeys([*order, *brands])
    spare = [name for name in every if ids.get(name) not in palette]
    found: dict[str, BrandStyle] = {}
    for name in brands:
        style = palette.get(ids.get(name, ""))
        if style is not None:
            colour = style.dark if look.dark else style.light
            found[name] = BrandStyle(colour, _number_list(style.dash), _marker(style.marker))
            continue
        turn, at = divmod(spare.index(name), len(_SPARE_LIGHT))
        colours = _SPARE_DARK if look.dark else _SPARE_LIGHT
        form = (at + 3 * turn) % len(_MARKERS)  # a colour that comes again has another form
        found[name] = BrandStyle(colours[at], _SPARE_DASH[form], _MARKERS[form])
    return found


def leading_brand(family: str) -> str | None:
    """The name of the brand that the palette gives a family; None for another family."""
    names = {one.id: one.name for one in reference.brands()}
    return next((names.get(one.brand) for one in reference.palette() if one.family == family), None)


def _marker(name: str) -> str:
    return name if name in _MARKERS else "circle"


def finish(chart: Any, look: Look, *, description: str = "") -> Any:
    """A chart ready to show: fonts, colours, quiet axes, locale, and words for screen readers."""
    clothes = outfit(look)
    changes: dict[str, Any] = {"usermeta": clothes["usermeta"]}
    if description:
        changes["description"] = description
    return chart.configure(**clothes["config"]).properties(**changes)


def outfit(look: Look) -> dict[str, Any]:
    """What every specification wears: *config* (fonts, colours, axes), *usermeta* (locale)."""
    axis = {
        "domain": False,
        "ticks": False,
        "gridColor": look.rule,
        "labelColor": look.soft,
        "titleColor": look.soft,
        "labelFont": FONT,
        "titleFont": FONT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelPadding": 6,
    }
    config: dict[str, Any] = {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"grid": False, "labelOverlap": True, "labelSeparation": 8},
        "legend": {"labelColor": look.ink, "titleColor": look.soft, "labelFontSize": 12},
        "title": {"color": look.ink, "fontSize": 14, "anchor": "start", "fontWeight": 600},
        "header": {"labelColor": look.ink, "labelFontSize": 13, "titleColor": look.soft},
        "text": {"color": look.ink, "font": FONT, "fontSize": 12},
    }
    locale = words.chart_locale()
    config["locale"] = {"number": locale["formatLocale"], "time": locale["timeFormatLocale"]}
    return {
        "config": config,
        "usermeta": {"embedOptions": {**locale, "actions": False, "renderer": "svg"}},
    }


def time_axis(step: str, *, title: str | None = None, count: int = 6) -> Any:
    """A time axis in the reader's language; `step` is day, week or month."""
    pattern = "%b %Y" if step == "month" else "%e %b"
    expression = (
        f"timeFormat(datum.value, '{pattern}')"
        if step == "month"
        else "timeFormat(datum.value, month(datum.value) == 0 && date(datum.value) < 8 ? '%b %Y' "
        ": date(datum.value) == 1 ? '%b' : '%e %b')"
    )
    return alt.Axis(title=title, labelExpr=expression, tickCount=count, labelFlush=True)


def number_axis(*, title: str | None = None, share: bool = False, count: int = 4) -> Any:
    least = alt.Undefined if share else 1
    return alt.Axis(
        title=title, format=".0%" if share else ",d", tickCount=count, tickMinStep=least
    )


_MARKDOWN = re.compile(r"([\\`_\[\]<>#|~$:]|(?<!\*)\*(?!\*))")


def markdown_safe(text: str) -> str:
    """*text* as Markdown that shows it literally, except our own `**bold**`."""
    return _MARKDOWN.sub(r"\\\1", text)


@once
def intervals_by_name(
    table: pd.DataFrame,
    look: Look,
    styles: dict[str, BrandStyle],
    *,
    order: Sequence[str],
    title: str,
    share: bool,
    digits: str = "",
    ratio: bool = False,
    height: int = 36,
) -> Any:
    """
    A dot and its 95 % interval a brand. *table*: name, value, low, high, few (grey), text,
    short. A *ratio* is drawn on a scale of doublings around 1. Every dot can be clicked (name).
    """
    known = bool(table["value"].notna().any())
    title = title if known else ""
    ends = _doublings(table) if ratio and known else None
    rows = _within(table, *ends) if ends else table.assign(at=table["high"].fillna(0))
    names = [styles[name] for name in order]
    few = {"test": "datum.few", "value": look.soft}
    colour = {**_by_name(order, [one.colour for one in names]), "condition": few}
    shape = _by_name(order, [one.marker for one in names])
    # a dot at zero keeps clear of its name
    axis = {"labelLimit": 190, "labelFontSize": 13, "labelColor": look.ink, "labelPadding": 12}
    y = {**_nominal("name"), "sort": list(order), "title": None, "axis": axis}
    tooltip = [_nominal("name", tr("Marque", "Brand")), _nominal("text", tr("Valeur", "Value"))]
    base: dict[str, Any] = {"y": y, "tooltip": tooltip}
    spread, dot, said = (_measured(column, title) for column in ("low", "value", "at"))
    dot |= _ratio_axis(*ends) if ends else _values_axis(known, share, digits)
    layers = [
        _layer(
            rows,
            {"type": "rule", "strokeWidth": 2.5, "opacity": 0.55},
            {**base, "x": spread, "x2": {"field": "high"}, "color": colour},
        ),
        {
            **_layer(
                rows,
                {"type": "point", "filled": True, "size": 130, "opacity": 1},
                {**base, "x": dot, "color": colour, "shape": shape},
            ),
            "name": "dots",
        },
        _layer(
            rows,
            {"type": "text", "align": "left", "dx": 8, "fontSize": 12, "color": look.soft},
            {**base, "x": said, "text": _nominal("short")},
        ),
    ]
    if ends:
        mark = {"type": "rule", "color": look.soft, "strokeDash": [3, 3]}
        x = {"field": "x", "type": "quantitative"}
        layers.insert(0, _layer(pd.DataFrame({"x": [1.0]}), mark, {"x": x}))
    size = height * len(order) + AXIS
    params = [_clicked("dots", "name")]
    return Spec({"layer": layers, "height": size, "params": params, **outfit(look)})


def _by_name(order: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    scale = {"domain": list(order), "range": list(values)}
    return {**_nominal("name"), "scale": scale, "legend": None}


_MOST = 4  # doublings or halvings that are drawn: what goes further ends at the edge


def _doublings(table: pd.DataFrame) -> tuple[int, int]:
    """How many times the lowest end halves and the highest doubles: powers of two around 0."""
    low = max(float(table["low"].min()), 2.0**-_MOST)
    high = min(float(table["high"].max()), 2.0**_MOST)
    return min(-1, math.floor(math.log2(low))), max(1, math.ceil(math.log2(high)))


def _within(table: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """The intervals cut at the edges of the scale; what has none is told at its left edge."""
    ends = table[["low", "value", "high"]].clip(2.0**first, 2.0**last)
    return table.assign(**ends, at=ends["high"].fillna(2.0**first))


def _ratio_axis(first: int, last: int) -> dict[str, Any]:
    said = (
        "datum.value < 1 ? '÷ ' + format(1 / datum.value, 'd')"
        " : datum.value > 1 ? '× ' + format(datum.value, 'd') : '1'"
    )
    values = [2.0**power for power in range(first, last + 1)]
    scale = {"type": "log", "base": 2, "domain": [values[0], values[-1]], "nice": False}
    return {"axis": {"values": values, "labelExpr": said, "grid": True}, "scale": scale}


def _values_axis(known: bool, share: bool, digits: str) -> dict[str, Any]:
    if not known:  # without any value an axis would have nothing to measure
        return {"axis": {"labels": False, "grid": False}, "scale": {"domain": [0, 1]}}
    form = ".0%" if share else digits or ",d"
    return {"axis": {"format": form, "tickCount": 5, "grid": True}, "scale": {"zero": True}}


def _layer(data: pd.DataFrame, mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    return {"data": data, "mark": mark, "encoding": encoding}


def _nominal(field: str, title: str | None = None) -> dict[str, Any]:
    return {"field": field, "type": "nominal", **({} if title is None else {"title": title})}


def _measured(field: str, title: str | None) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "title": title}


def _clicked(view: str, *fields: str) -> dict[str, Any]:
    """The selection that makes the marks of a layer clickable; *fields* are what the page gets."""
    select = {"type": "point", "fields": list(fields), "on": "click"}
    return {"name": POINT, "select": select, "views": [view]}


@once
def heat_map(
    table: pd.DataFrame, look: Look, *, terms: Sequence[str], columns: Sequence[str] | None = None
) -> Any:
    """
    Terms by brands: colour is the share within the brand, the text is n. *columns*: their order.

    *table*: brand, name, term, title, n, total, share (NaN: no colour), said. Cells can be clicked
    (brand, term).
    """
    shaded = bool(table["share"].notna().any())
    top = max(float(table["share"].max()), 0.01) if shaded else 1.0
    rows = table[table["title"].isin(list(terms))]
    base = _grid(look, terms, columns)
    cell = {"type": "rect", "stroke": look.ground, "strokeWidth": 2, "cornerRadius": 3}
    shade = _shade(look, top, bool(columns)) | ({} if shaded else {"legend": None})
    colour = {"condition": {"test": "isValid(datum.share)", **shade}}
    turn = 0.67 if look.dark else 0.82  # from here on the other ink stands out more
    strong = f"isValid(datum.share) && datum.share > {top * turn}"
    light = look.ground if not look.dark else "#0B0E12"
    ink = {"condition": {"test": strong, "value": light}, "value": look.ink}
    rows = rows.assign(brief=rows["n"].map(words.brief))
    wide, narrow = (_room(rows, said) for said in (words.number, words.brief))
    fits = f"{wide} >= {READABLE}"
    size = f"{fits} ? min({wide}, 12) : clamp({narrow}, 8, 11)"
    number = {"type": "text", "fontSize": {"expr": size}}
    text = {"condition": {"test": fits, **_counted("n")}, **_nominal("brief")}
    layers = [
        {
            **_layer(
                rows,
                {**cell, "invalid": "show"},
                {**base, "color": {**colour, "value": look.rule}},
            ),
            "name": "cells",
        },
        _layer(rows, number, {**base, "text": text, "color": ink}),
    ]
    tallest = max((len(name) for name in table["name"]), default=0)
    height = 27 * len(terms) + min(max(80, 5 * tallest), 140) + 60
    params = [_clicked("cells", "brand", "term")]
    return Spec({"layer": layers, "height": height, "params": params, **outfit(look)})


def _room(rows: pd.DataFrame, said: Callable[[float], str]) -> str:
    """How high the digits of the widest number may be in a cell, in pixels: an expression."""
    widest = len(said(float(rows["n"].max()))) if len(rows) else 1
    return f"width / {max(rows['name'].nunique(), 1)} / {0.62 * widest:.2f}"


def _counted(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "format": ",d"}


def _grid(look: Look, terms: Sequence[str], columns: Sequence[str] | None) -> dict[str, Any]:
    """Where the cells of a heat map stand, and what they say under the pointer."""
    across = {"orient": "top", "labelAngle": -45, "labelColor": look.ink, "labelLimit": 150}
    down = {"labelLimit": 230, "labelColor": look.ink, "labelLineHeight": 12}
    down |= {"labelFontSize": {"expr": f"{_ON_A_TELEPHONE} ? 11 : 13"}, "labelExpr": _folded(terms)}
    x = {**_nominal("name"), "title": None, "axis": {**across, "labelOverlap": False}}
    return {
        "x": {**x, "sort": list(columns)} if columns else x,
        "y": {**_nominal("title"), "sort": list(terms), "title": None, "axis": down},
        "tooltip": [
            _nominal("name", tr("Marque", "Brand")),
            _nominal("title", tr("Terme", "Term")),
            _nominal("said", "n"),
        ],
    }


def _folded(names: Sequence[str]) -> str:
    """Names of rows, long ones on two lines where the chart is narrow: an expression."""
    halves = {name: words.in_two(name) for name in names if len(name) > _ONE_LINE}
    if not halves:
        return "datum.label"
    said = json.dumps(halves, ensure_ascii=False)
    return f"({_ON_A_TELEPHONE} && {said}[datum.label]) || datum.label"


def _shade(look: Look, top: float, columns: bool) -> dict[str, Any]:
    """The colour of a share, and its legend."""
    low, high = ("#16202E", "#6E9BFF") if look.dark else ("#F1F5FE", "#245FF3")
    title = (
        tr("part dans la colonne", "share within the column")
        if columns
        else tr("part dans la marque", "share within the brand")
    )
    legend = {
        "orient": "bottom",
        "title": title,
        "format": ".0%",
        "gradientLength": 130,
        "gradientThickness": 10,
        "titleFontWeight": "normal",
        "tickCount": 3,
    }
    scale = {"domain": [0, top], "range": [low, high]}
    return {"field": "share", "type": "quantitative", "scale": scale, "legend": legend}


@once
def columns(
    table: pd.DataFrame, look: Look, *, title: str, second: str = "", height: int = 220
) -> Any:
    """Columns of a distribution: bin, n, allowed; those not allowed in the warm colour, hatched."""
    names = {True: tr("dans les heures", "within hours"), False: second or "–"}
    rows = table.assign(kind=table["allowed"].map(names))
    legend = {"orient": "top", "title": None, "direction": "horizontal"} if second else None
    colours = {"domain": [names[True], names[False]], "range": [look.accent, look.warm]}
    top = max(1.0, 1.12 * float(table["n"].max())) if len(table) else 1.0  # room for the numbers
    bins = {"labelAngle": 0, "labelOverlap": True, "labelSeparation": 5}
    axis = {"title": None, "format": ",d", "tickCount": 4, "tickMinStep": 1}
    base = {
        "x": {**_nominal("bin", title), "sort": list(table["bin"]), "axis": bins},
        "y": {**_measured("n", None), "axis": axis, "scale": {"domainMax": top}},
        "tooltip": [_nominal("bin", title), {**_counted("n"), "title": "n"}],
    }
    bar = {"type": "bar", "cornerRadiusEnd": 2, "width": {"band": 0.82}}
    said = {"condition": {"test": "datum.n > 0", **_counted("n")}, "value": ""}
    text = {"type": "text", "dy": -7, "color": look.soft, "fontSize": 11}
    kind = {**_nominal("kind"), "scale": colours, "legend": legend}
    layers = [
        _layer(rows, bar, {**base, "color": kind}),
        _layer(rows, text, {**base, "text": said}),
    ]
    return Spec({"layer": layers, "height": height, **outfit(look)})

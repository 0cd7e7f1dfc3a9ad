"""Tables to charts: pure functions, no Streamlit; French number and date formats inside."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from dashboard import words
from dashboard.drawn import once
from dashboard.words import Language, tr
from raccroche import reference

AXIS, LEGEND = 34, 26  # pixels: Streamlit counts them in the height of a chart
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
        at = spare.index(name) % len(_SPARE_LIGHT)
        colours = _SPARE_DARK if look.dark else _SPARE_LIGHT
        found[name] = BrandStyle(colours[at], _SPARE_DASH[at], _MARKERS[at])
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
        "axisX": {"grid": False, "labelOverlap": True},
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


def point(*fields: str) -> Any:
    """The selection that makes marks clickable; *fields* are what the page receives."""
    return alt.selection_point(name=POINT, fields=list(fields), on="click", empty=False)


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
    centre: float | None = None,
    height: int = 36,
) -> Any:
    """
    A dot and its 95 % interval a brand. *table*: name, value, low, high, few (grey), text,
    short. *centre* draws a rule, for ratios. Every dot can be clicked (name).
    """
    domain = list(order)
    colours = alt.Scale(domain=domain, range=[styles[name].colour for name in order])
    shapes = alt.Scale(domain=domain, range=[styles[name].marker for name in order])
    axis = alt.Axis(format=".0%" if share else digits or ",d", tickCount=5, grid=True)
    names = alt.Axis(labelLimit=190, labelFontSize=13, labelColor=look.ink)
    colour = alt.condition(
        "datum.few", alt.value(look.soft), alt.Color("name:N", scale=colours, legend=None)
    )
    rows = table.assign(at=table["high"].fillna(0))
    base = alt.Chart(rows).encode(
        y=alt.Y("name:N", sort=domain, title=None, axis=names),
        tooltip=[
            alt.Tooltip("name:N", title=tr("Marque", "Brand")),
            alt.Tooltip("text:N", title=tr("Valeur", "Value")),
        ],
    )
    # without any value an axis would have nothing to measure
    known = rows["value"].notna().any()
    scale = alt.Scale(zero=True) if known else alt.Scale(domain=[0, 1])
    if not known:
        axis = alt.Axis(labels=False, grid=False)
    x = alt.X("value:Q", title=title if known else "", axis=axis, scale=scale)
    bars = base.mark_rule(strokeWidth=2.5, opacity=0.55).encode(
        x=alt.X("low:Q", title=title if known else ""), x2="high:Q", color=colour
    )
    dots = (
        base.mark_point(filled=True, size=130, opacity=1)
        .encode(x=x, color=colour, shape=alt.Shape("name:N", scale=shapes, legend=None))
        .add_params(point("name"))
    )
    said = base.mark_text(align="left", dx=8, fontSize=12, color=look.soft).encode(
        x=alt.X("at:Q", title=title if known else ""), text="short:N"
    )
    middle = alt.Chart(pd.DataFrame({"x": [] if centre is None else [centre]}))
    rule = middle.mark_rule(color=look.soft, strokeDash=[3, 3]).encode(x="x:Q")
    drawn = [rule, bars, dots, said] if centre is not None and known else [bars, dots, said]
    return finish(alt.layer(*drawn).properties(height=height * len(order) + AXIS), look)


@once
def heat_map(
    table: pd.DataFrame, look: Look, *, terms: Sequence[str], columns: Sequence[str] | None = None
) -> Any:
    """
    Terms by brands: colour is the share within the brand, the text is n. *columns*: their order.

    *table*: brand, name, term, title, n, total, share (NaN: no colour), said. Cells can be clicked
    (brand, term).
    """
    low, high = ("#16202E", "#6E9BFF") if look.dark else ("#F1F5FE", "#245FF3")
    top = max(float(table["share"].max()), 0.01) if table["share"].notna().any() else 1.0
    rows = table[table["title"].isin(list(terms))]
    base = alt.Chart(rows).encode(
        x=alt.X(
            "name:N",
            title=None,
            sort=list(columns) if columns else alt.Undefined,
            axis=alt.Axis(
                orient="top",
                labelAngle=-45,
                labelColor=look.ink,
                labelLimit=150,
                labelOverlap=False,
            ),
        ),
        y=alt.Y(
            "title:N",
            sort=list(terms),
            title=None,
            axis=alt.Axis(labelLimit=230, labelFontSize=13, labelColor=look.ink),
        ),
        tooltip=[
            alt.Tooltip("name:N", title=tr("Marque", "Brand")),
            alt.Tooltip("title:N", title=tr("Terme", "Term")),
            alt.Tooltip("said:N", title="n"),
        ],
    )
    colour = alt.Color(
        "share:Q",
        scale=alt.Scale(domain=[0, top], range=[low, high]),
        legend=alt.Legend(
            orient="bottom",
            title=tr("part dans la colonne", "share within the column")
            if columns
            else tr("part dans la marque", "share within the brand"),
            format=".0%",
            gradientLength=130,
            gradientThickness=10,
            titleFontWeight="normal",
            tickCount=3,
        ),
    )
    cells = (
        base.mark_rect(stroke=look.ground, strokeWidth=2, cornerRadius=3, invalid="show")
        .encode(color=alt.condition("isValid(datum.share)", colour, alt.value(look.rule)))
        .add_params(point("brand", "term"))
    )
    turn = 0.67 if look.dark else 0.82  # from here on the other ink stands out more
    strong = f"isValid(datum.share) && datum.share > {top * turn}"
    light = look.ground if not look.dark else "#0B0E12"
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text("n:Q", format=",d"),
        color=alt.condition(strong, alt.value(light), alt.value(look.ink)),
    )
    tallest = max((len(name) for name in table["name"]), default=0)
    height = 27 * len(terms) + min(max(80, 5 * tallest), 140) + 60
    return finish(alt.layer(cells, text).properties(height=height), look)


BINS = alt.Axis(labelAngle=0, labelOverlap=True)


@once
def columns(
    table: pd.DataFrame, look: Look, *, title: str, second: str = "", height: int = 220
) -> Any:
    """Columns of a distribution: bin, n, allowed; those not allowed in the warm colour, hatched."""
    names = {True: tr("dans les heures", "within hours"), False: second or "–"}
    rows = table.assign(kind=table["allowed"].map(names))
    legend = alt.Legend(orient="top", title=None, direction="horizontal") if second else None
    colours = alt.Scale(domain=[names[True], names[False]], range=[look.accent, look.warm])
    base = alt.Chart(rows).encode(
        x=alt.X("bin:N", sort=list(table["bin"]), title=title, axis=BINS),
        y=alt.Y("n:Q", title=None, axis=number_axis()),
        tooltip=[alt.Tooltip("bin:N", title=title), alt.Tooltip("n:Q", title="n", format=",d")],
    )
    bars = base.mark_bar(cornerRadiusEnd=2, width=alt.RelativeBandSize(0.82)).encode(
        color=alt.Color("kind:N", scale=colours, legend=legend)
    )
    text = base.mark_text(dy=-7, color=look.soft, fontSize=11).encode(
        text=alt.condition("datum.n > 0", alt.Text("n:Q", format=",d"), alt.value(""))
    )
    return finish(alt.layer(bars, text).properties(height=height), look)

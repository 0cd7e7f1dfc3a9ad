"""Tables to charts: pure functions, no Streamlit; French number and date formats inside."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from dashboard import intervals, words
from dashboard.words import Language, tr
from raccroche import reference

POINT = "point"  # the name of the selection of every chart that can be clicked
FONT = '"Source Sans", "Source Sans Pro", sans-serif'
# Colours for brands that the palette lacks, in the same spirit: 3:1 on their background.
_SPARE_LIGHT = ("#8A5CD6", "#B3541E", "#0E7C86", "#A3195B", "#5B6B1F", "#3D4FA8", "#946B00")
_SPARE_DARK = ("#A98BEF", "#E08A4F", "#33B5C1", "#E25C9C", "#A5BC4A", "#8494F0", "#D0A02B")
_SPARE_DASH = ([5, 2], [3, 3], [8, 2, 2, 2], [1, 2], [7, 4], [2, 4], [9, 3])
_MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "stroke")


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


def brand_styles(brands: Sequence[str], look: Look) -> dict[str, BrandStyle]:
    """A colour, a dash and a marker a brand: those of the palette, else spare ones in order."""
    palette = {style.brand: style for style in reference.palette()}
    ids = {one.name: one.id for one in reference.brands()}
    spare = [name for name in brands if ids.get(name) not in palette]
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
    options = {**locale, "actions": False, "renderer": "svg"}
    finished = chart.configure(**config)
    changes: dict[str, Any] = {"usermeta": {"embedOptions": options}}
    if description:
        changes["description"] = description
    return finished.properties(**changes)


def point(*fields: str) -> Any:
    """The selection that makes marks clickable; *fields* are what the page receives."""
    return alt.selection_point(name=POINT, fields=list(fields), on="click", empty=False)


def time_axis(step: str, *, title: str | None = None, count: int = 6) -> Any:
    """A time axis in the reader's language; `step` is day, week or month."""
    pattern = "%b %Y" if step == "month" else "%e %b"
    expression = (
        f"timeFormat(datum.value, '{pattern}')"
        if step == "month"
        else "timeFormat(datum.value, "
        "month(datum.value) == 0 && date(datum.value) < 8 ? '%b %Y' : '%e %b')"
    )
    return alt.Axis(title=title, labelExpr=expression, tickCount=count, labelFlush=False)


def number_axis(*, title: str | None = None, share: bool = False, count: int = 4) -> Any:
    return alt.Axis(title=title, format=".0%" if share else ",d", tickCount=count)


_MARKDOWN = re.compile(r"([\\`_\[\]<>#|~$:]|(?<!\*)\*(?!\*))")


def markdown_safe(text: str) -> str:
    """*text* as Markdown that shows it literally, except our own `**bold**`."""
    return _MARKDOWN.sub(r"\\\1", text)


def _states(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the dashed end of a line: provisional ones, with the settled one before them."""
    rows = table.reset_index(drop=True)
    late = rows.index[rows["state"] == "provisional"]
    if late.empty:
        return rows.iloc[0:0]
    return rows.loc[max(int(late.min()) - 1, 0) :]


def brand_panel(
    table: pd.DataFrame,
    look: Look,
    style: BrandStyle,
    *,
    step: str,
    top: float | None = None,
    height: int = 130,
    value: str = "harassment",
    low: str = "low",
    high: str = "high",
    share: bool = False,
) -> Any:
    """
    One brand over time: line, 95 % band, dashed provisional end, broken where data are missing.

    *table*: rows of `series.by_period` of one brand. Every period can be clicked (brand, period).
    """
    rows = table.assign(words=[words.period(day.date(), step) for day in table["period"]])
    rows["exact"] = [_exact(dict(one), share=share) for _, one in rows.iterrows()]
    scale = alt.Scale(domain=[0, top] if top else alt.Undefined, nice=top is None, zero=True)
    x = alt.X("period:T", axis=time_axis(step, count=4), title=None)
    y = alt.Y(f"{value}:Q", scale=scale, axis=number_axis(share=share, count=3), title=None)
    tooltip = [
        alt.Tooltip("words:N", title=tr("Période", "Period")),
        alt.Tooltip("exact:N", title=tr("Valeur", "Value")),
    ]
    base = alt.Chart(rows).encode(x=x)
    band = base.mark_area(opacity=0.16, color=style.colour).encode(
        y=alt.Y(f"{low}:Q", scale=scale, title=None), y2=f"{high}:Q"
    )
    settled = rows.assign(drawn=rows[value].where(rows["state"] == "settled"))
    line = (
        alt.Chart(settled)
        .mark_line(color=style.colour, strokeWidth=2)
        .encode(x=x, y=alt.Y("drawn:Q", scale=scale, title=None))
    )
    late = (
        alt.Chart(_states(rows))
        .mark_line(color=style.colour, strokeWidth=1.5, strokeDash=[2, 3], opacity=0.8)
        .encode(x=x, y=y)
    )
    chosen = point("brand", "period")
    dots = (
        base.mark_point(filled=True, size=70, color=style.colour, shape=style.marker, opacity=0)
        .encode(
            y=y,
            tooltip=tooltip,
            opacity=alt.value(0),
        )
        .add_params(chosen)
    )
    hover = alt.selection_point(on="pointerover", nearest=True, fields=["period"], empty=False)
    shown = (
        base.mark_point(filled=True, size=50, color=style.colour, shape=style.marker)
        .encode(y=y, opacity=alt.condition(hover, alt.value(1), alt.value(0)), tooltip=tooltip)
        .add_params(hover)
    )
    return finish(alt.layer(band, line, late, dots, shown).properties(height=height), look)


def _exact(row: dict[str, Any], *, share: bool) -> str:
    """A point in words: the value, its interval, what it is out of, and its state."""
    if row["state"] == "missing":
        return tr("rien n’a été collecté", "nothing was collected")
    if share and pd.isna(row["share"]):
        few = intervals.FEW_FOR_PERCENT
        return tr(f"moins de {few} mentions : pas de taux", f"fewer than {few} mentions: no rate")
    if share:
        bounds = words.span(row["share_low"], row["share_high"], share=True)
        said = f"{words.percent(row['share'])} ({bounds})"
    else:
        said = f"{words.number(row['harassment'])} ({words.span(row['low'], row['high'])})"
    out_of = tr("sur", "of") + f" {words.number(row['mentions'])} mentions"
    late = tr(", provisoire", ", provisional") if row["state"] == "provisional" else ""
    return f"{said} {out_of}{late}"


def coverage_strip(coverage: pd.DataFrame, look: Look, *, step: str = "day") -> Any:
    """A row a source, a cell a day (or week, month): covered, partly, not at all."""
    names = {
        "full": tr("collecté", "collected"),
        "part": tr("en partie", "partly"),
        "none": tr("rien", "nothing"),
    }
    rows = coverage.assign(state=coverage["state"].map(names))
    colours = {
        names["full"]: "#3F7F9E" if look.dark else "#5B9BB8",
        names["part"]: "#C99A2E" if look.dark else "#E0B252",
        names["none"]: look.warm,
    }
    sources = rows["source"].nunique()
    return finish(
        alt.Chart(rows)
        .mark_rect()
        .encode(
            x=alt.X("day:T", axis=time_axis(step, count=8), title=None),
            x2="end:T",
            y=alt.Y(
                "source:N",
                title=None,
                axis=alt.Axis(labelLimit=170),
                scale=alt.Scale(paddingInner=0.35, paddingOuter=0.2),
            ),
            color=alt.Color(
                "state:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=alt.Legend(orient="top", title=None, direction="horizontal", offset=4),
            ),
            tooltip=[
                alt.Tooltip("source:N", title=tr("Source", "Source")),
                alt.Tooltip("words:N", title=tr("Jour", "Day")),
                alt.Tooltip("state:N", title=tr("État", "State")),
            ],
        )
        .properties(height=24 * sources + 6),
        look,
    )


def intervals_by_name(
    table: pd.DataFrame,
    look: Look,
    styles: dict[str, BrandStyle],
    *,
    order: Sequence[str],
    title: str,
    share: bool,
    digits: str = "",
) -> Any:
    """
    A dot and its 95 % interval a brand. *table*: name, value, low, high, few (grey), text.

    Every dot can be clicked (name).
    """
    shapes = [styles[name].marker for name in order]
    colours = [styles[name].colour for name in order]
    pattern = ".0%" if share else digits or ",d"
    rows = table.assign(grey=table["few"])
    x = alt.X(
        "value:Q",
        title=title,
        axis=alt.Axis(format=pattern, tickCount=5),
        scale=alt.Scale(zero=True),
    )
    y = alt.Y(
        "name:N",
        sort=list(order),
        title=None,
        axis=alt.Axis(labelLimit=190, labelFontSize=13, labelColor=look.ink),
    )
    colour = alt.condition(
        "datum.few",
        alt.value(look.soft),
        alt.Color("name:N", scale=alt.Scale(domain=list(order), range=colours), legend=None),
    )
    tooltip = [
        alt.Tooltip("name:N", title=tr("Marque", "Brand")),
        alt.Tooltip("text:N", title=tr("Valeur", "Value")),
    ]
    base = alt.Chart(rows).encode(y=y, tooltip=tooltip)
    bars = base.mark_rule(strokeWidth=2.5, opacity=0.55).encode(
        x=alt.X("low:Q", title=title), x2="high:Q", color=colour
    )
    dots = (
        base.mark_point(filled=True, size=130, opacity=1)
        .encode(
            x=x,
            color=colour,
            shape=alt.Shape(
                "name:N", scale=alt.Scale(domain=list(order), range=shapes), legend=None
            ),
        )
        .add_params(point("name"))
    )
    said = base.mark_text(align="left", dx=8, fontSize=12, color=look.soft).encode(
        x="high:Q", text="short:N"
    )
    grid = alt.layer(bars, dots, said).properties(height=max(120, 36 * len(order)))
    return finish(grid, look)

"""Tables to charts: pure functions, no Streamlit; French number and date formats inside."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from dashboard import words
from dashboard.words import Language
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
    config = {
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
    options = {**words.chart_locale(), "actions": False, "renderer": "svg"}
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

"""Charts of alerts, classes of numbers, official series and agreement: pure, no Streamlit."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from dashboard import words
from dashboard.charts import AXIS, LEGEND, Look, finish, number_axis, time_axis
from dashboard.words import tr

# One colour a class of numbers, light and dark, 3:1 on their ground.
CLASS_COLOURS = {
    "telemarketing_range": ("#245FF3", "#6E9BFF"),
    "mobile": ("#C9300F", "#FF7A5C"),
    "geographic": ("#0E7C86", "#33B5C1"),
    "non_geographic": ("#8A5CD6", "#A98BEF"),
    "masked": ("#59636E", "#AEB6BF"),
    "foreign": ("#946B00", "#D0A02B"),
    "special_rate": ("#A3195B", "#E25C9C"),
}
_OTHER = ("#7A6A58", "#BCA88F")


def class_colour(name: str, look: Look) -> str:
    return CLASS_COLOURS.get(name, _OTHER)[int(look.dark)]


def spike(
    table: pd.DataFrame,
    look: Look,
    *,
    expected: float,
    bound: float,
    height: int = 170,
    description: str = "",
) -> Any:
    """
    Posts a week: the week of the alert stands out, what was expected and its bound are rules.

    *table*: period (its Monday), n (NaN: nothing was collected), alert (bool), words.
    """
    rules = pd.DataFrame(
        {
            "y": [expected, bound],
            "what": [
                tr("attendu : ", "expected: ") + words.number(expected, 1),
                tr("seuil : ", "bound: ") + words.number(bound, 0),
            ],
            "dash": ["a", "b"],
        }
    )
    bars = (
        alt.Chart(table)
        .mark_bar(cornerRadiusEnd=2, width={"band": 0.7})
        .encode(
            x=alt.X(
                "period:O",
                timeUnit="yearmonthdate",
                axis=alt.Axis(
                    title=None,
                    labelExpr="timeFormat(toDate(datum.value), '%e %b')",
                    labelAngle=0,
                    labelOverlap="parity",
                ),
            ),
            y=alt.Y("n:Q", axis=number_axis(), title=None),
            color=alt.condition("datum.alert", alt.value(look.warm), alt.value(look.soft)),
            tooltip=[
                alt.Tooltip("words:N", title=tr("Période", "Period")),
                alt.Tooltip("n:Q", title=tr("Publications", "Posts"), format=",d"),
            ],
        )
    )
    lines = (
        alt.Chart(rules)
        .mark_rule(color=look.ink, strokeWidth=1.2)
        .encode(
            y="y:Q",
            strokeDash=alt.StrokeDash(
                "dash:N", scale=alt.Scale(domain=["a", "b"], range=[[2, 3], [6, 3]]), legend=None
            ),
        )
    )
    text = (
        alt.Chart(rules)
        .mark_text(align="left", baseline="bottom", dx=3, dy=-2, color=look.soft, fontSize=11)
        .encode(x=alt.value(0), y="y:Q", text="what:N")
    )
    layered = alt.layer(bars, lines, text).properties(height=height)
    return finish(layered, look, description=description)


def composition(
    table: pd.DataFrame, look: Look, order: Sequence[str], *, step: str, description: str = ""
) -> Any:
    """
    Columns a period, stacked by class of number: counts that add up to declarations.

    *table*: period, term, title, n, words. *order*: class ids, from the bottom.
    """
    titles = table.drop_duplicates("term").set_index("term")["title"]
    domain = [titles[name] for name in order]
    place = {name: at for at, name in enumerate(order)}
    rows = table.assign(place=table["term"].map(place))
    drawn = (
        alt.Chart(rows)
        .mark_bar(stroke=look.ground, strokeWidth=0.6, **_wide(table, step))
        .encode(
            x=alt.X(
                "period:T",
                axis=time_axis(step, count=8),
                title=None,
                timeUnit="yearmonth" if step == "month" else alt.Undefined,
                bandPosition=0 if step == "month" else alt.Undefined,
            ),
            y=alt.Y("n:Q", axis=number_axis(), title=None, stack="zero"),
            color=alt.Color(
                "title:N",
                scale=alt.Scale(domain=domain, range=[class_colour(name, look) for name in order]),
                legend=alt.Legend(orient="top", title=None, columns=3, labelLimit=240),
            ),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("words:N", title=tr("Période", "Period")),
                alt.Tooltip("title:N", title=tr("Classe", "Class")),
                alt.Tooltip("n:Q", title="n", format=",d"),
            ],
        )
        .properties(height=240 + AXIS + LEGEND)
    )
    return finish(drawn, look, description=description)


def _wide(table: pd.DataFrame, step: str) -> dict[str, Any]:
    """How wide a column is: its month, else most of the room that each day or week has."""
    if step == "month":
        return {}
    many = max(table["period"].nunique(), 1)
    return {"width": alt.ExprRef(f"max(1.5, 0.8 * width / {many})")}


def official(table: pd.DataFrame, look: Look, *, height: int = 150, description: str = "") -> Any:
    """
    One official series: a point a year with its value, joined only where the years follow.

    *table*: year, value (NaN: not published), said. One scale of its own, from zero.
    """
    low, high = int(table["year"].min()), int(table["year"].max())
    top = float(table["value"].max()) * 1.22
    x = alt.X(
        "year:Q",
        scale=alt.Scale(domain=[low - 0.4, high + 0.4], nice=False),
        axis=alt.Axis(title=None, format="d", values=_years(low, high)),
    )
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(labels=False, tickCount=3),
    )
    base = alt.Chart(table).encode(x=x, y=y)
    line = base.mark_line(color=look.accent, strokeWidth=2)
    dots = base.mark_point(filled=True, color=look.accent, size=60, opacity=1).encode(
        tooltip=[
            alt.Tooltip("year:Q", title=tr("Année", "Year"), format="d"),
            alt.Tooltip("said:N", title=tr("Valeur", "Value")),
        ]
    )
    crowded = table["year"].diff().shift(-1) < 0.5  # the next label would stand on this one
    named = alt.Chart(table[~crowded]).encode(x=x, y=y)
    text = named.mark_text(dy=-12, fontSize=11.5, color=look.ink).encode(text="said:N")
    layered = alt.layer(line, dots, text).properties(height=height)
    return finish(layered, look, description=description)


def _years(low: int, high: int) -> list[int]:
    step = 1 if high - low < 7 else 2
    return list(range(high, low - 1, -step))[::-1]


def bars(table: pd.DataFrame, look: Look, *, description: str = "") -> Any:
    """A bar a name with its value beside it. *table*: name, value, said; in the order given."""
    base = alt.Chart(table).encode(
        x=alt.X("value:Q", title=None, axis=None, scale=alt.Scale(zero=True, padding=30)),
        y=alt.Y(
            "name:N",
            sort=list(table["name"]),
            title=None,
            axis=alt.Axis(labelLimit=190, labelColor=look.ink, labelFontSize=13),
        ),
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("said:N", title=" ")],
    )
    drawn = base.mark_bar(color=look.accent, cornerRadiusEnd=2, height={"band": 0.62})
    text = base.mark_text(align="left", dx=5, color=look.ink).encode(text="said:N")
    height = 30 * len(table)
    return finish(alt.layer(drawn, text).properties(height=height), look, description=description)


def coefficients(table: pd.DataFrame, look: Look, *, description: str = "") -> Any:
    """
    A dot and its interval a label, for kappa and alpha; rules at 0 and at 0.8.

    *table*: name, measure, value, low, high, said.
    """
    names = list(dict.fromkeys(table["name"]))
    scale = alt.Scale(domain=[min(-0.2, float(table["low"].min())), 1], nice=False)
    base = alt.Chart(table).encode(
        y=alt.Y(
            "name:N",
            sort=names,
            title=None,
            axis=alt.Axis(labelLimit=230, labelColor=look.ink, labelFontSize=13),
        ),
        yOffset=alt.YOffset("measure:N"),
        color=alt.Color(
            "measure:N",
            scale=alt.Scale(range=[look.accent, look.warm]),
            legend=alt.Legend(orient="top", title=None),
        ),
        tooltip=[
            alt.Tooltip("name:N", title=tr("Étiquette", "Label")),
            alt.Tooltip("measure:N", title=tr("Mesure", "Measure")),
            alt.Tooltip("said:N", title=tr("Valeur", "Value")),
        ],
    )
    axis = alt.Axis(format=".1f", tickCount=6, grid=True)
    spread = base.mark_rule(strokeWidth=2.5, opacity=0.5).encode(
        x=alt.X("low:Q", scale=scale, title=None, axis=axis), x2="high:Q"
    )
    shape = alt.Shape("measure:N", legend=None)
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=alt.X("value:Q", scale=scale, title=None), shape=shape
    )
    marks = alt.Chart(pd.DataFrame({"x": [0.0, 0.8]}))
    rule = marks.mark_rule(color=look.soft, strokeDash=[3, 3]).encode(x="x:Q")
    height = 34 * len(names) + AXIS + LEGEND
    layered = alt.layer(rule, spread, dots).properties(height=height)
    return finish(layered, look, description=description)

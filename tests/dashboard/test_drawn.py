"""Charts are drawn once, shared, and never mixed up."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import altair as alt
import pandas as pd
import pytest

from dashboard import charts, drawn
from dashboard.charts import Look
from dashboard.kept import Answers

TABLE = pd.DataFrame({"bin": ["1", "2"], "n": [3, 5], "allowed": [True, False]})


@pytest.fixture
def drawings() -> list[int]:
    return []


def _drawing(drawings: list[int]) -> Any:
    @drawn.once
    def one(table: pd.DataFrame, look: Look, *, title: str) -> Any:
        drawings.append(1)
        return alt.Chart(table).mark_bar().encode(x="bin:N", y=alt.Y("n:Q", title=title))

    return one


def test_the_same_table_is_drawn_once_whatever_memory_it_lies_in(drawings: list[int]) -> None:
    draw = _drawing(drawings)
    title = f"once {uuid4()}"
    first = draw(TABLE, Look(), title=title)
    assert draw(TABLE.copy(), Look(), title=title) is first
    assert len(drawings) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"table": TABLE.assign(n=[3, 6])},
        {"table": TABLE.rename(columns={"allowed": "permitted"})},
        {"table": TABLE.iloc[::-1]},
        {"look": Look(dark=True)},
        {"title": "another"},
    ],
)
def test_another_table_or_look_is_another_chart(
    change: dict[str, Any], drawings: list[int]
) -> None:
    draw = _drawing(drawings)
    given = {"table": TABLE, "look": Look(), "title": f"other {uuid4()}"}
    asked = given | change
    first = draw(given["table"], given["look"], title=given["title"])
    assert draw(asked["table"], asked["look"], title=asked["title"]) is not first
    assert len(drawings) == 2


def _shown(chart: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """As Streamlit asks: tables go into a dictionary of this run."""
    tables: dict[str, bytes] = {}

    def collect(data: Any, datasets: dict[str, bytes]) -> dict[str, str]:
        datasets["table"] = data.to_json().encode()
        return {"name": "table"}

    alt.data_transformers.register("collected", collect)
    with alt.data_transformers.enable("collected", datasets=tables):
        return chart.to_dict(), tables


def test_a_kept_chart_gives_its_tables_to_every_reader() -> None:
    chart = charts.columns(TABLE, Look(), title="shared")
    first, tables = _shown(chart)
    first["layer"].clear()  # Streamlit changes what it shows
    second, again = _shown(charts.columns(TABLE, Look(), title="shared"))
    assert second["layer"]
    assert tables == again
    assert tables


def test_old_charts_leave_when_there_are_too_many(
    drawings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "_charts", Answers(2))
    draw = _drawing(drawings)
    for title in ("a", "b", "c", "a"):
        draw(TABLE, Look(), title=f"old {title}")
    assert len(drawings) == 4


def test_sessions_that_ask_at_once_draw_once() -> None:
    drawings: list[int] = []
    go = threading.Event()

    @drawn.once
    def slow(table: pd.DataFrame, *, title: str) -> Any:
        drawings.append(1)
        assert go.wait(10)
        return alt.Chart(table).mark_bar()

    title = f"at once {uuid4()}"
    with ThreadPoolExecutor(8) as sessions:
        asked = [sessions.submit(slow, TABLE, title=title) for _ in range(8)]
        go.set()
        assert len({id(one.result(10)) for one in asked}) == 1
    assert drawings == [1]

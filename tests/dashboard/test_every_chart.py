"""Every chart of every page says in words what it shows, and has its values in a table."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import officials
from raccroche.post import Labels
from raccroche.store import Filters, Store
from tests.dashboard import samples
from tests.dashboard.conftest import Open

VIEWS = Path(__file__).parents[2] / "dashboard" / "views"
BRANDS = len(samples.BRANDS)
LINES = sum(len(officials.panel(key).points) > 2 for _, keys in officials.groups() for key in keys)
# The page, what is chosen in it, and its charts from top to bottom: the key under which a view
# draws it, how many such there are, and a column of the table that goes with it.
Chart = tuple[str, int, str]
PAGES: tuple[tuple[str, dict[str, str], tuple[Chart, ...]], ...] = (
    ("", {}, (("panel-", BRANDS, "Accusations"), ("coverage", 1, "Jours collectés"))),
    ("marques", {}, (("compare-", 1, "Mentions"),)),
    ("marques", {"mesure": "count"}, (("compare-", 1, "Mentions"),)),
    (
        "marques",
        {"mesure": "customers", "qui": "prospect"},
        (("compare-", 1, "Mentions"),),
    ),
    (
        "chronologie",
        {"periode": "tout"},
        (
            ("lane", 1, "Événement"),
            ("time-", BRANDS, "Accusations"),
            ("before-after", 1, "Part avant → après"),
        ),
    ),
    (
        "sujets",
        {"ensemble": "1"},
        (
            ("map-", 1, "Terme"),
            ("pairs-", 1, "Terme"),
            ("calls", 1, "Appels par jour"),
            ("hours", 1, "Heure"),
        ),
    ),
    (
        "sujets",
        {"carte": "relation"},
        (("map-", 1, "Terme"), ("calls", 1, "Appels par jour"), ("hours", 1, "Heure")),
    ),
    ("publications", {}, ()),
    ("alertes", {}, (("spike-", 1, "Semaine"),)),
    (
        "numeros",
        {},
        (
            ("numbers-time", 1, "Période"),
            ("numbers-map", 1, "Classe"),
            ("rotation", 1, "Numéros changeants"),
        ),
    ),
    ("series", {}, (("official-", LINES, "Période"), ("per-customers", 1, "Groupe"))),
    ("relecture", {"vue": "accord"}, (("agreement", 1, "κ"),)),
    ("qualite", {}, (("quality-coverage", 1, "Jours collectés"),)),
    ("qualite", {"volet": "modele"}, ()),
    ("exports", {}, ()),
    ("methode", {}, ()),
)


def keys_in_views() -> set[str]:
    """The keys that views give to `parts.chart` and `parts.panel`, up to what differs."""
    found = set()
    for path in VIEWS.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in (
                "parts.chart",
                "parts.panel",
            ):
                key = next(word.value for word in call.keywords if word.arg == "key")
                first = key.values[0] if isinstance(key, ast.JoinedStr) else key
                found.add(str(ast.literal_eval(first)))
    return found


def in_order(block: Any) -> Iterator[Any]:
    """The elements of a page from top to bottom."""
    for one in block.children.values():
        yield one
        if hasattr(one, "children"):
            yield from in_order(one)


def sections(app: AppTest) -> list[tuple[list[Any], list[Any]]]:
    """The charts and the tables under each heading."""
    found: list[tuple[list[Any], list[Any]]] = [([], [])]
    for one in in_order(app.main):
        if one.type == "header":
            found.append(([], []))
        elif one.type == "vega_lite_chart":
            found[-1][0].append(one)
        elif one.type == "dataframe":
            found[-1][1].append(one.value)
    return found


@pytest.fixture
def judged(database: Path) -> Path:
    """Posts that two people labelled, nearly alike: what the page of agreement draws."""
    with Store.open(database, near_duplicates=False) as store:
        rows = store.posts(Filters(samples.MODEL), size=30).rows
        store.add_review("random", [row.post.id for row in rows])
        for who in (0, 1):
            store.add_labels(
                [
                    Labels(
                        row.post.id,
                        f"human:{who}",
                        "negative",
                        (at + who * (at % 7 == 0)) % 2 == 0,
                        True,
                    )
                    for at, row in enumerate(rows)
                ]
            )
    return database


@pytest.mark.parametrize(("page", "chosen", "charts"), PAGES)
def test_every_chart_of_a_page_has_its_words_and_its_table(
    page: str, chosen: dict[str, str], charts: tuple[Chart, ...], open_page: Open, judged: Path
) -> None:
    app = open_page(page, database=judged, **chosen)
    assert not app.exception
    columns = [column for _, many, column in charts for _ in range(many)]
    drawn = [(chart, tables) for found, tables in sections(app) for chart in found]
    assert len(drawn) == len(columns), "as many charts as are told"
    for (chart, tables), column in zip(drawn, columns, strict=True):
        assert len(chart.proto.alt) > 12, "words for who does not see it"
        assert "**" not in chart.proto.alt
        (own, *_) = [table for table in tables if column in table.columns] or [None]
        assert own is not None, f"{chart.proto.alt}: no table with {column} in its section"
        assert len(own)
    words = [chart.proto.alt for chart, _ in drawn]
    assert len(set(words)) == len(words), "each chart is told in words of its own"


def test_no_chart_of_a_view_is_left_out_here() -> None:
    told = {key for _, _, charts in PAGES for key, _, _ in charts}
    assert keys_in_views() - told == set()

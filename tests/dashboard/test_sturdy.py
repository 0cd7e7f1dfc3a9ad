"""What changed under the dashboard: brands and labels that are gone, a database that is locked."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from raccroche.store import Filters, Store
from tests.dashboard import samples
from tests.dashboard.conftest import APP, Open, everything

PAGES = (
    "", "marques", "chronologie", "sujets", "publications", "alertes", "numeros", "series",
    "relecture", "qualite", "exports", "methode",
)  # fmt: skip


def without_brands(config: Path) -> None:
    """config.toml as it is after all brands were removed, `[watch]` naming one that never was."""
    text = config.read_text(encoding="utf-8")
    kept_part = text.partition("\n[[brands]]")[0]
    start = kept_part.index("brands = [")
    end = kept_part.index("\n", start)
    config.write_text(f'{kept_part[:start]}brands = ["Jamais Vue"]{kept_part[end:]}', "utf-8")


def run(page: str, **url: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    for key, value in url.items():
        app.query_params[key] = value
    app._page_hash = calc_hash(page) if page else ""
    return app.run()


@pytest.mark.parametrize("page", PAGES)
def test_brands_removed_from_the_configuration_are_still_shown_with_their_posts(
    page: str, configured: Callable[[Path], Path], filled: Path
) -> None:
    without_brands(configured(filled))
    app = run(page)
    assert not app.exception
    assert app.title[0].value != "Les données ne sont pas lisibles"
    if page == "":
        assert "Mandarine" in everything(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_label_version_that_is_gone_gives_way_to_the_one_that_is_there(
    page: str, open_page: Open, database: Path
) -> None:
    with Store.open(database) as store:
        store.add_review(
            "random", [next(iter(store.iterate(Filters(samples.MODEL)))).post.id], reason="gone@0.1"
        )
    app = open_page(page, database=database, modele="gone@0.1")
    assert not app.exception
    if page in ("", "marques", "publications"):
        assert any("gone@0.1" in one.value for one in app.warning)
        assert not any("Rien à montrer" in one.value for one in app.title)


@pytest.mark.parametrize("page", PAGES)
def test_when_all_labels_of_the_model_are_dropped_the_page_says_what_to_do(
    page: str, open_page: Open, database: Path
) -> None:
    with Store.open(database) as store:
        store.drop_labels(samples.MODEL)
    app = open_page(page, database=database, modele=samples.MODEL)
    assert not app.exception
    if page == "":
        assert app.title[0].value == "Rien à montrer pour l’instant"


@pytest.fixture
def locked(database: Path) -> Iterator[Path]:
    """A database that another process keeps for itself alone."""
    with Store.open(database):
        pass
    holder = sqlite3.connect(database, isolation_level=None, timeout=10)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    yield database
    holder.rollback()
    holder.close()


@pytest.mark.slow  # seconds, until the store knows that it is locked
@pytest.mark.parametrize("page", ["", "exports"])
def test_a_database_that_another_process_keeps_to_itself_is_told_in_words(
    page: str, open_page: Open, locked: Path
) -> None:
    app = open_page(page, database=locked)
    assert not app.exception
    assert app.title[0].value
    assert app.metric or app.dataframe or "locked" in everything(app), "read all the same, or told"

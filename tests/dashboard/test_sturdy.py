"""What changed under the dashboard: brands and labels that are gone, a database that is locked."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard.views import broken
from raccroche.errors import StoreError
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


@contextmanager
def kept_alone(database: Path) -> Iterator[None]:
    """As another process keeps a database for itself, with a log that nobody else may read."""
    holder = sqlite3.connect(database, isolation_level=None, timeout=10)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("create table theirs (a)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


@pytest.mark.slow  # seconds, until the store knows that it is locked
@pytest.mark.parametrize(
    ("page", "language", "title"),
    [
        ("", "fr", "La base est occupée"),
        ("exports", "fr", "La base est occupée"),
        ("", "en", "The database is busy"),
    ],
)
def test_a_database_that_another_process_keeps_to_itself_is_told_in_words(
    page: str, language: str, title: str, open_page: Open, database: Path
) -> None:
    with kept_alone(database):
        app = open_page(page, database=database, lang=language)
    assert not app.exception
    assert app.title[0].value == title
    assert app.button(key="try-again")


def test_once_it_is_free_trying_again_shows_the_page(open_page: Open, database: Path) -> None:
    with kept_alone(database):
        app = open_page("", database=database)
    app.button(key="try-again").click().run()
    assert app.title[0].value == "Vue d’ensemble"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_a_database_of_a_newer_release_says_what_to_do(
    page: str, language: str, open_page: Open, database: Path
) -> None:
    with closing(sqlite3.connect(database)) as newer, newer:
        newer.execute("update schema_version set version = version + 7")
    app = open_page(page, database=database, lang=language)
    assert not app.exception
    titles = {
        "fr": "La base est plus récente que ce tableau de bord",
        "en": "The database is newer than this",
    }
    assert app.title[0].value == titles[language]
    assert "make setup" in app.code[0].value


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("data.sqlite3 is damaged: restore a backup", "La base est endommagée"),
        (
            "data.sqlite3 has the older schema 1: a command that writes brings it up to date",
            "La base attend une mise à jour",
        ),
        (
            "the PostgreSQL server of raccroche does not answer: refused",
            "Le serveur de la base ne répond pas",
        ),
        ("/data is a folder, not a database", "Les données ne sont pas lisibles"),
    ],
)
def test_what_is_the_matter_is_known_by_what_the_store_says(said: str, title: str) -> None:
    assert broken.trouble(StoreError(said)).title == title


def test_a_server_that_refuses_a_password_is_not_said_to_be_stopped() -> None:
    """The client library tells both the same way."""
    refused = "the PostgreSQL server of raccroche does not answer: FATAL: password authentication"
    assert "mot de passe" in broken.trouble(StoreError(refused)).what

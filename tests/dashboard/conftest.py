"""A filled database, and the dashboard opened on it without a browser."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard import kept
from tests.dashboard import samples

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with some months of posts; tests that write take `database` instead."""
    path = tmp_path_factory.mktemp("dashboard") / "filled.sqlite3"
    samples.fill(path)
    return path


@pytest.fixture
def database(filled: Path, tmp_path: Path) -> Path:
    """A copy of the filled database that a test may change."""
    path = tmp_path / "own.sqlite3"
    shutil.copy(filled, path)
    return path


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Makes the dashboard read a database: `configured(database)`."""

    def configure(database: Path) -> Path:
        path = samples.write_config(tmp_path, database)
        monkeypatch.setenv("RACCROCHE_CONFIG", str(path))
        monkeypatch.delenv("RACCROCHE_STORE_URL", raising=False)
        return path

    yield configure
    kept.forget()


@pytest.fixture
def open_page(configured: Callable[[Path], Path], filled: Path) -> Open:
    """Opens a page: `open_page("publications", database=..., marques=["Indigo"])`."""

    def open_one(
        page: str = "", *, database: Path | None = None, **url: str | list[str]
    ) -> AppTest:
        configured(database or filled)
        app = AppTest.from_file(APP, default_timeout=30)
        for key, value in url.items():
            app.query_params[key] = value
        # AppTest.switch_page takes files only; pages that are functions are named by their URL
        app._page_hash = calc_hash(page) if page else ""
        return app.run()

    return open_one


def everything(app: AppTest) -> str:
    """All the words of a page."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error")
    said = [one.value for kind in kinds for one in app.get(kind)]
    return "\n".join(str(one) for one in said)


def list_of(app: AppTest, key: str) -> list[str]:
    """The values of a query parameter, one or many."""
    found = app.query_params[key]
    return [found] if isinstance(found, str) else list(found)

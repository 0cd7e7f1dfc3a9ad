"""A fresh store for each test, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from raccroche.store import Store
from tests.servers import postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres.server() as url:
        yield url


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)]


@contextmanager
def place(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """Where a fresh store of the dialect that *request* asks for may be."""
    if request.param == "sqlite":
        yield str(folder / "raccroche.db")
        return
    with postgres.database(request.getfixturevalue("postgres_url")) as found:
        yield found


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the store of a test is."""
    with place(request, tmp_path) as found:
        yield found


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., Store]]:
    """Opens the store of a test, as often as it likes."""
    opened: list[Store] = []

    def open_one(**options: object) -> Store:
        opened.append(Store.open(url, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()

"""Has it changed? Asked only of pages whose posts are stored."""

import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from raccroche.errors import ConfigError
from raccroche.http import Session
from raccroche.http.cache import Cache, Validators
from raccroche.post import Answer, Request
from tests.servers.faulty import FakeTime, Faulty, answer, polite_client

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    async with Faulty() as running:
        yield running


async def fetch(server: Faulty, cache: Path, *, keep: bool, **asked: Any) -> tuple[Answer, Session]:
    """One run that asks one page, and says that its posts are stored if *keep*."""
    source = asked.pop("source", "test")
    async with polite_client(FakeTime(), cache=cache) as client:
        session = client.session(source)
        got = await session.fetch(Request(server.url(), **asked))
        if keep:
            session.keep(got)
    return got, session


def conditions(server: Faulty) -> dict[str, str]:
    last = server.seen[-1].headers
    return {name: value for name, value in last.items() if name.startswith("if-")}


TAGGED = answer("x", etag='W/"1"', last_modified="Mon, 02 Mar 2026 10:00:00 GMT")
ASKED = {"if-none-match": 'W/"1"', "if-modified-since": "Mon, 02 Mar 2026 10:00:00 GMT"}


async def test_a_page_whose_posts_are_stored_is_asked_whether_it_changed(
    server: Faulty, tmp_path: Path
) -> None:
    server.on("/", TAGGED, answer("", 304))
    await fetch(server, tmp_path / "c", keep=True)
    got, session = await fetch(server, tmp_path / "c", keep=True)
    assert conditions(server) == ASKED
    assert (got.status, got.body, session.not_modified) == (304, b"", 1)
    await fetch(server, tmp_path / "c", keep=False)
    assert conditions(server) == ASKED  # a 304 changes nothing of what we know


async def test_a_page_whose_posts_were_lost_is_read_again_whole(
    server: Faulty, tmp_path: Path
) -> None:
    server.on("/", TAGGED)
    await fetch(server, tmp_path / "c", keep=False)
    await fetch(server, tmp_path / "c", keep=False)
    assert conditions(server) == {}


async def test_another_source_or_another_query_knows_nothing_of_it(
    server: Faulty, tmp_path: Path
) -> None:
    server.on("/", TAGGED)
    await fetch(server, tmp_path / "c", keep=True)
    await fetch(server, tmp_path / "c", keep=False, source="other")
    assert conditions(server) == {}
    await fetch(server, tmp_path / "c", keep=False, params={"page": "2"})
    assert conditions(server) == {}


@pytest.mark.parametrize(
    "asked", [{"method": "POST", "form": {"a": "1"}}, {"transient": True}], ids=["form", "login"]
)
async def test_a_form_and_a_login_are_never_conditional(
    server: Faulty, tmp_path: Path, asked: dict[str, Any]
) -> None:
    server.on("/", TAGGED)
    await fetch(server, tmp_path / "c", keep=True, **asked)
    await fetch(server, tmp_path / "c", keep=True, **asked)
    assert conditions(server) == {}


async def test_what_a_server_forbids_to_store_is_not_stored(server: Faulty, tmp_path: Path) -> None:
    server.on("/", answer("x", etag='"1"', cache_control="private, no-store"))
    await fetch(server, tmp_path / "c", keep=True)
    await fetch(server, tmp_path / "c", keep=True)
    assert conditions(server) == {}


async def test_the_page_behind_a_redirect_is_asked_whether_it_changed(
    server: Faulty, tmp_path: Path
) -> None:
    server.on("/", answer("", 302, location="/b"))
    server.on("/b", TAGGED)
    await fetch(server, tmp_path / "c", keep=True)
    await fetch(server, tmp_path / "c", keep=True)
    assert [bool(s.headers.get("if-none-match")) for s in server.seen] == [
        False,
        False,
        False,
        True,
    ]


async def test_the_file_tells_nobody_what_was_read(server: Faulty, tmp_path: Path) -> None:
    server.on("/", answer("a private body", etag='"1"'))
    path = tmp_path / "folder" / "cache.sqlite3"
    await fetch(server, path, keep=True, params={"q": "someone"})
    held = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"someone" not in held
    assert b"a private body" not in held
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_validators_not_met_for_long_are_forgotten(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    cache.keep("s", "u", Validators('"1"', None), now=0)
    cache.forget_before(89 * 86_400)
    assert cache.validators("s", "u") == Validators('"1"', None)
    cache.forget_before(91 * 86_400)
    assert cache.validators("s", "u") is None
    cache.close()


async def test_a_locked_cache_costs_a_full_read_and_is_kept(
    server: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("/", TAGGED)
    await fetch(server, tmp_path / "c", keep=True)

    class Full(sqlite3.Connection):
        def executescript(self, script: str) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("database or disk is full")

    real = sqlite3.connect
    with monkeypatch.context() as full:

        def connect(place: object, **more: Any) -> sqlite3.Connection:
            return real(place, **more) if place == ":memory:" else real(place, factory=Full, **more)  # type: ignore[arg-type]

        full.setattr(sqlite3, "connect", connect)
        await fetch(server, tmp_path / "c", keep=False)
        assert conditions(server) == {}
    await fetch(server, tmp_path / "c", keep=False)
    assert conditions(server) == ASKED


async def test_a_damaged_cache_is_begun_anew(server: Faulty, tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_bytes(b"this is no database" * 100)
    server.on("/", TAGGED)
    await fetch(server, path, keep=True)
    await fetch(server, path, keep=True)
    assert conditions(server) == ASKED


def test_a_cache_where_no_file_can_be_is_a_setting_to_correct(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be written"):
        Cache(tmp_path / "file" / "cache.sqlite3")


def test_a_cache_that_fails_later_costs_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(tmp_path / "c")
    cache.close()
    cache.keep("s", "u", Validators('"1"', None), now=0)
    assert cache.validators("s", "u") is None
    assert "cannot be used" in caplog.text

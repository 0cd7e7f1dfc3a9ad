"""robots.txt by RFC 9309, crawl delays, and reservations against text and data mining."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from raccroche.errors import FetchError
from raccroche.http import Session
from raccroche.http.robots import agent_in
from raccroche.post import Request
from tests.servers.faulty import FakeTime, Faulty, answer, polite_client, reset

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    async with Faulty() as running:
        running.on("/", answer("x"))
        running.on("/private/", answer("x"))
        yield running


async def verdict(server: Faulty, path: str = "/", **options: Any) -> tuple[str, str]:
    """("ok" or the verdict, what the session says of robots.txt)."""
    async with polite_client(options.pop("time", FakeTime()), **options) as client:
        session = client.session("test")
        return await outcome(session, server, path), session.robots


async def outcome(session: Session, server: Faulty, path: str = "/") -> str:
    try:
        await session.fetch(Request(server.url(path)))
    except FetchError as error:
        return error.verdict
    return "ok"


CASES = [
    # text, path, allowed
    ("User-agent: *\nDisallow: /", "/", False),
    ("User-agent: *\nDisallow: /private/", "/", True),
    ("User-agent: *\nDisallow: /private/", "/private/", False),
    ("User-agent: *\nDisallow: /private/\nAllow: /private/$", "/private/", True),
    ("User-agent: *\nDisallow: /*?page=", "/?page=2", False),
    ("User-agent: *\nDisallow:", "/", True),
    ("", "/", True),
    ("<html>no such page</html>", "/", True),
    ("\ufeffUser-agent: *\nDisallow: /", "/", False),
    ("user-agent: *\r\ndisallow: /", "/", False),
    # the product token: exactly ours, whatever the case; then our group alone counts
    ("User-agent: *\nDisallow: /\n\nUser-agent: Raccroche\nAllow: /", "/", True),
    ("User-agent: RACCROCHE\nDisallow: /\n\nUser-agent: *\nAllow: /", "/", False),
    ("User-agent: raccroche/2.0\nDisallow: /", "/", False),
    ("User-agent: rac\nDisallow: /", "/", True),
    ("User-agent: raccrochebot\nDisallow: /", "/", True),
    ("User-agent: GPTBot\nUser-agent: Raccroche\nDisallow: /", "/", False),
    ("User-agent: GPTBot\nDisallow: /", "/", True),
]


@pytest.mark.parametrize(("text", "path", "allowed"), CASES)
async def test_the_rules_for_us_are_obeyed(
    server: Faulty, text: str, path: str, allowed: bool
) -> None:
    server.on("/robots.txt", answer(text, content_type="text/plain"))
    got = await verdict(server, path)
    assert got == (("ok", "allowed") if allowed else ("refused_by_robots", "refused"))
    assert len(server.seen) == int(allowed)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_robots_txt_that_does_not_exist_allows_all(server: Faulty, status: int) -> None:
    server.on("/robots.txt", answer("Disallow: /", status))
    assert await verdict(server) == ("ok", "none")


@pytest.mark.parametrize(
    "fault",
    [answer("x", 500), answer("x", 503), answer("x", 501), reset(), answer("User", length=900)],
    ids=["500", "503", "501", "reset", "cut"],
)
async def test_a_robots_txt_that_cannot_be_had_forbids_all(server: Faulty, fault: Any) -> None:
    server.on("/robots.txt", fault)
    assert await verdict(server) == ("refused_by_robots", "unreachable")
    assert server.seen == []


async def test_a_passing_fault_of_robots_txt_forbids_nothing(server: Faulty) -> None:
    server.on("/robots.txt", answer("x", 503), answer("User-agent: *\nAllow: /"))
    assert await verdict(server) == ("ok", "allowed")


async def test_a_rate_limit_on_robots_txt_is_a_rate_limit(server: Faulty) -> None:
    server.on("/robots.txt", answer("x", 429, retry_after="5"))
    assert (await verdict(server))[0] == "rate_limited"
    assert server.seen == []


async def test_a_firewall_before_robots_txt_is_a_block(server: Faulty) -> None:
    server.on("/robots.txt", answer("<title>Just a moment...</title>", 403))
    assert (await verdict(server))[0] == "blocked"


async def test_robots_txt_is_followed_over_five_redirects_and_then_taken_for_none(
    server: Faulty,
) -> None:
    server.on("/robots.txt", answer("", 301, location="/r1"))
    for number in range(1, 7):
        server.on(f"/r{number}", answer("", 302, location=f"/r{number + 1}"))
    server.on("/r5", answer("User-agent: *\nDisallow: /"))
    assert (await verdict(server))[0] == "refused_by_robots"
    server.on("/r5", answer("", 302, location="/r6"))
    assert await verdict(server) == ("ok", "none")


async def test_what_comes_after_500_kib_of_robots_txt_is_not_read(server: Faulty) -> None:
    padding = "# " + "x" * (500 * 1024) + "\n"
    server.on("/robots.txt", answer("User-agent: *\n" + padding + "Disallow: /"))
    assert (await verdict(server))[0] == "ok"
    server.on("/robots.txt", answer("User-agent: *\nDisallow: /\n" + padding))
    assert (await verdict(server))[0] == "refused_by_robots"


async def test_a_compressed_robots_txt_is_read(server: Faulty) -> None:
    body = gzip.compress(b"User-agent: *\nDisallow: /")
    server.on("/robots.txt", answer(body, content_encoding="gzip"))
    assert (await verdict(server))[0] == "refused_by_robots"


async def test_robots_txt_is_asked_once_a_run_and_once_a_day(
    server: Faulty, tmp_path: Path
) -> None:
    server.on("/robots.txt", answer("User-agent: *\nAllow: /"))
    time = FakeTime()
    for hours, asked in ((0, 1), (23, 1), (2, 2)):
        time.seconds += hours * 3600
        async with polite_client(time, cache=tmp_path / "cache.sqlite3") as client:
            for name in ("one", "two"):
                assert await outcome(client.session(name), server) == "ok"
        assert [seen.path for seen in server.about].count("/robots.txt") == asked


async def test_an_unreachable_robots_txt_is_not_remembered_for_the_next_run(
    server: Faulty, tmp_path: Path
) -> None:
    server.on("/robots.txt", answer("x", 500))
    options = {"time": FakeTime(), "cache": tmp_path / "cache.sqlite3"}
    assert (await verdict(server, **options))[0] == "refused_by_robots"
    server.on("/robots.txt", answer("User-agent: *\nAllow: /"))
    options["time"] = FakeTime()
    assert (await verdict(server, **options))[0] == "ok"


async def test_a_crawl_delay_is_kept_and_noted(server: Faulty) -> None:
    server.on("/robots.txt", answer("User-agent: *\nCrawl-delay: 7\nAllow: /"))
    time = FakeTime()
    async with polite_client(time) as client:
        session = client.session("test")
        await outcome(session, server)
        time.slept.clear()
        await outcome(session, server)
        await outcome(session, server)
    assert time.slept == [7, 7]
    assert session.robots == "allowed; crawl-delay 7"


async def test_a_crawl_delay_shorter_than_our_spacing_changes_nothing(server: Faulty) -> None:
    server.on("/robots.txt", answer("User-agent: *\nCrawl-delay: 0.1\nAllow: /"))
    time = FakeTime()
    async with polite_client(time) as client:
        session = client.session("test")
        await outcome(session, server)
        await outcome(session, server)
    assert set(time.slept) == {1}


async def test_a_crawl_delay_of_hours_is_a_rate_limit(server: Faulty) -> None:
    server.on("/robots.txt", answer("User-agent: *\nCrawl-delay: 86400\nAllow: /"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test")
        assert [await outcome(session, server) for _ in range(2)] == ["ok", "rate_limited"]


async def test_a_redirect_is_followed_only_where_the_other_site_s_robots_txt_allows(
    server: Faulty,
) -> None:
    async with Faulty() as other:
        other.on("/robots.txt", answer("User-agent: *\nDisallow: /page"))
        other.on("/page", answer("x"))
        server.on("/", answer("", 302, location=other.url("/page")))
        assert (await verdict(server))[0] == "refused_by_robots"
        assert other.seen == []


async def test_an_operator_with_a_right_does_not_ask_robots_txt(server: Faulty) -> None:
    server.on("/robots.txt", answer("User-agent: *\nDisallow: /"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test", robots=False)
        assert await outcome(session, server) == "ok"
    assert (session.robots, server.about) == ("not asked", [])


@pytest.mark.parametrize(
    ("headers", "note"),
    [
        ({"tdm_reservation": "1"}, "tdm-reservation"),
        ({"x_robots_tag": "noai, noimageai"}, "noai; noimageai"),
        ({"x_robots_tag": "noindex"}, ""),
        ({"tdm_reservation": "0"}, ""),
    ],
)
async def test_reservations_in_headers_are_noted_and_the_page_is_read(
    server: Faulty, headers: dict[str, str], note: str
) -> None:
    server.on("/", answer("x", **headers))
    got, said = await verdict(server)
    assert got == "ok"
    assert said == "; ".join(part for part in ("none", note) if part)


async def test_a_reservation_in_the_page_is_noted(server: Faulty) -> None:
    server.on("/", answer('<meta name="robots" content="noai">'))
    assert await verdict(server) == ("ok", "none; noai")


@pytest.mark.parametrize(
    ("document", "note"),
    [
        ('[{"location": "/", "tdm-reservation": 1}]', "none; tdmrep.json"),
        ('[{"location": "/private/*", "tdm-reservation": 1}]', "none"),
        ('[{"location": "/", "tdm-reservation": 0}]', "none"),
        ("[[[[", "none"),
        ('{"tdm-reservation": 1}', "none"),
    ],
)
async def test_tdmrep_json_is_noted(server: Faulty, document: str, note: str) -> None:
    server.on("/.well-known/tdmrep.json", answer(document, content_type="application/json"))
    assert await verdict(server) == ("ok", note)


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("User-agent: Raccroche", "Raccroche"),
        ("user agent raccroche # us", "raccroche"),
        ("User-agent: Raccroche/1.0", "Raccroche/1.0"),
        ("User-agent: raccroche-images", "*"),
        ("# User-agent: raccroche", "*"),
    ],
)
def test_the_group_for_us_is_found_by_the_whole_product_token(text: str, agent: str) -> None:
    assert agent_in(text, "raccroche") == agent

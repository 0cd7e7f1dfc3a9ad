"""Articles of a newsgroup, from a small NNTP server on loopback."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from raccroche.errors import FetchError
from raccroche.post import Answer, Request
from tests.servers.faulty import FakeTime, polite_client

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


class News:
    """
    One group, `fr.test`. *articles*: number -> raw text; *replies* overrides the answer to a
    command.
    """

    def __init__(self) -> None:
        self.articles: dict[int, bytes] = {}
        self.password = ""
        self.greeting = b"200 news.example ready"
        self.replies: dict[str, bytes] = {}
        self.commands: list[str] = []
        self.port = 0
        self._known = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._known = not self.password
        writer.write(self.greeting + b"\r\n")
        try:
            while line := await reader.readline():
                command = line.decode().strip()
                self.commands.append(command)
                if command == "QUIT":
                    break
                writer.write(self._answer(command) + b"\r\n")
                await writer.drain()
        except ConnectionError:
            pass  # the client left
        finally:
            writer.close()

    def _answer(self, command: str) -> bytes:
        word, _, rest = command.partition(" ")
        if word in self.replies:
            return self.replies[word]
        if command == "MODE READER":
            return b"200 posting allowed"
        if word == "AUTHINFO":
            return self._login(rest)
        if not self._known:
            return b"480 authentication required"
        return {"GROUP": self._group, "OVER": self._over, "ARTICLE": self._article}[word](rest)

    def _login(self, rest: str) -> bytes:
        if rest.startswith("USER"):
            return b"381 password"
        self._known = rest == f"PASS {self.password}"
        return b"281 welcome" if self._known else b"481 wrong"

    def _group(self, name: str) -> bytes:
        if name != "fr.test":
            return b"411 no such group"
        numbers = sorted(self.articles) or [0]
        return f"211 {len(self.articles)} {numbers[0]} {numbers[-1]} fr.test".encode()

    def _over(self, rest: str) -> bytes:
        first, last = (int(part) for part in rest.split("-"))
        rows = [f"{n}\tSubject\tme\r\n" for n in sorted(self.articles) if first <= n <= last]
        return b"224 overview\r\n" + "".join(rows).encode() + b"." if rows else b"423 none"

    def _article(self, rest: str) -> bytes:
        raw = self.articles.get(int(rest))
        if raw is None:
            return b"423 no such article"
        lines = [b"." + line if line.startswith(b".") else line for line in raw.split(b"\r\n")]
        return f"220 {rest} <id>\r\n".encode() + b"\r\n".join(lines) + b"\r\n."


@pytest.fixture
async def news() -> AsyncIterator[News]:
    running = News()
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    running.articles = {n: f"Subject: {n}\r\n\r\nbonjour {n}".encode() for n in (3, 4, 9)}
    yield running
    server.close()


async def read(news: News, path: str = "/fr.test", **options: Any) -> Answer:
    headers = options.pop("headers", {})
    async with polite_client(FakeTime(), **options) as client:
        session = client.session("test", headers=headers)
        return await session.fetch(Request(f"nntp://127.0.0.1:{news.port}{path}"))


def articles(answer: Answer) -> dict[int, bytes]:
    lines = [json.loads(line) for line in answer.body.splitlines()]
    return {line["number"]: base64.b64decode(line["raw_base64"]) for line in lines}


def counts(answer: Answer) -> list[str]:
    return [answer.headers[f"x-nntp-{name}"] for name in ("first", "last", "count", "read")]


async def test_the_articles_of_a_group_come_as_lines(news: News) -> None:
    got = await read(news)
    assert {n: raw.rstrip() for n, raw in articles(got).items()} == news.articles
    assert counts(got) == ["3", "9", "3", "9"]
    assert news.commands[0] == "MODE READER"


async def test_only_the_articles_asked_for_are_read(news: News) -> None:
    got = await read(news, "/fr.test?from=4&to=8")
    assert (list(articles(got)), counts(got)[3]) == ([4], "8")
    got = await read(news, "/fr.test?from=10")
    assert (got.body, counts(got)[3]) == (b"", "9")


async def test_500_articles_are_read_at_a_time_and_the_answer_says_how_far(news: News) -> None:
    news.articles = {n: b"x" for n in range(1, 1203)}
    read_so_far = [0]
    seen: list[int] = []
    while read_so_far[-1] < 1202:
        got = await read(news, f"/fr.test?from={read_so_far[-1] + 1}")
        seen += articles(got)
        read_so_far.append(int(counts(got)[3]))
    assert read_so_far == [0, 500, 1000, 1202]
    assert seen == list(range(1, 1203))


async def test_a_large_hole_in_the_numbers_is_crossed(news: News) -> None:
    news.articles = {1: b"first", 100_000: b"last"}
    assert list(articles(await read(news, "/fr.test?from=1"))) == [1, 100_000]


async def test_lines_that_begin_with_a_dot_come_out_as_written(news: News) -> None:
    news.articles = {1: b"a\r\n.\r\n..b\r\n.c"}
    assert articles(await read(news))[1] == b"a\r\n.\r\n..b\r\n.c\r\n"


async def test_an_article_cancelled_meanwhile_is_left_out(news: News) -> None:
    news.replies["OVER"] = b"224 overview\r\n3\tx\r\n5\tx\r\n."
    assert list(articles(await read(news))) == [3]


async def test_a_server_without_overview_is_asked_number_by_number(news: News) -> None:
    news.replies["OVER"] = news.replies["XOVER"] = b"500 what?"
    assert list(articles(await read(news))) == [3, 4, 9]


async def test_an_empty_group_is_no_error(news: News) -> None:
    news.replies["GROUP"] = b"211 0 4 3 fr.test"
    got = await read(news)
    assert (got.body, counts(got)[:3]) == (b"", ["4", "3", "0"])


async def test_reading_ends_before_the_cap_is_passed_and_goes_on_from_there(news: News) -> None:
    news.articles = {n: b"x" * 300 for n in (1, 2, 3)}
    first = await read(news, "/fr.test?from=1", max_body=1000)
    assert (list(articles(first)), counts(first)[3]) == ([1, 2], "2")
    then = await read(news, "/fr.test?from=3", max_body=1000)
    assert (list(articles(then)), counts(then)[3]) == ([3], "3")


async def test_an_article_larger_than_the_cap_does_not_hold_up_the_group(news: News) -> None:
    news.articles = {1: b"x\r\n" * 5000, 2: b"small"}
    got = await read(news, max_body=1000)
    assert (list(articles(got)), counts(got)[3]) == ([2], "2")


async def test_a_group_behind_a_login_is_a_login_wall(news: News) -> None:
    news.password = "pw"
    with pytest.raises(FetchError) as caught:
        await read(news)
    assert (caught.value.verdict, caught.value.status) == ("login_wall", 480)


async def test_the_login_of_the_source_opens_it(news: News) -> None:
    news.password = "pw"
    login = {"x-nntp-user": "me", "x-nntp-password": "pw"}
    assert len(articles(await read(news, headers=login))) == 3
    with pytest.raises(FetchError) as caught:
        await read(news, headers=login | {"x-nntp-password": "no"})
    assert caught.value.verdict == "login_wall"
    assert "no" not in str(caught.value).split()


async def test_a_password_goes_over_tls_only() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise AssertionError("asked")

    async with polite_client(FakeTime(), resolve=resolve) as client:
        session = client.session("test", headers={"x-nntp-user": "me", "x-nntp-password": "pw"})
        with pytest.raises(FetchError, match="TLS"):
            await session.fetch(Request("nntp://news.example/fr.test"))


async def test_a_login_cannot_smuggle_a_command(news: News) -> None:
    news.password = "pw"
    with pytest.raises(FetchError):
        await read(news, headers={"x-nntp-user": "me\r\nPOST", "x-nntp-password": "pw"})
    assert "POST" not in news.commands


@pytest.mark.parametrize(
    "path", ["/", "/fr.test%0d%0aPOST", "/fr test", "/fr.test?from=1%0d%0aPOST", "/fr.test?to=x"]
)
async def test_a_url_that_names_no_group_or_number_is_not_asked(news: News, path: str) -> None:
    with pytest.raises(FetchError):
        await read(news, path)
    assert news.commands == []


@pytest.mark.parametrize(
    ("greeting", "verdict"),
    [
        (b"400 busy", "blocked"),
        (b"502 go away", "blocked"),
        (b"SSH-2.0-x", "unreachable"),
        (b"", "unreachable"),
    ],
)
async def test_a_greeting_that_is_none_has_its_verdict(
    news: News, greeting: bytes, verdict: str
) -> None:
    news.greeting = greeting
    with pytest.raises(FetchError) as caught:
        await read(news)
    assert caught.value.verdict == verdict


async def test_an_unknown_group_is_unreachable(news: News) -> None:
    with pytest.raises(FetchError) as caught:
        await read(news, "/fr.other")
    assert (caught.value.verdict, caught.value.status) == ("unreachable", 411)


async def test_a_group_answer_that_makes_no_sense_is_unreachable_not_a_crash(news: News) -> None:
    news.replies["GROUP"] = b"211 many of them"
    with pytest.raises(FetchError) as caught:
        await read(news)
    assert caught.value.verdict == "unreachable"


async def test_a_news_server_at_a_private_address_is_not_asked(news: News) -> None:
    with pytest.raises(FetchError, match="not a public address"):
        await read(news, allow_hosts=())
    assert news.commands == []

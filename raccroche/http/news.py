"""Reads articles of one newsgroup (NNTP, RFC 3977): Python's own module is gone since 3.13."""

import asyncio
import base64
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from raccroche.errors import FetchError
from raccroche.http.addresses import Guard, plain_host, port_of
from raccroche.http.exchange import NoAnswer, Reply
from raccroche.redact import shown

MOST_ARTICLES = 500  # in one answer; the next request goes on from there
_TLS_PORT = 563
_LONGEST_LINE = 8_000_000  # bytes
_WINDOW = 2_000  # article numbers asked for at once
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,200}")
_LOGIN = frozenset({480, 481, 482, 483})
_REFUSED = frozenset({400, 502})


async def read(
    url: httpx.URL,
    login: tuple[str, str] | None,
    *,
    guard: Guard,
    tls: ssl.SSLContext,
    timeout: float,
    cap: int,
) -> Reply:
    """
    The articles of `nntp://host[:port]/group?from=N&to=M` as JSON lines, `{"number": N,
    "raw_base64": "..."}`.

    Without `from`, the newest 500. Headers: `x-nntp-first`, `-last`, `-count` as the group has
    them, and `-read`, the last number this answer covers: the next `from` is one more. Port 563 is
    asked over TLS, and a login goes over TLS only, unless the configuration names the host. Raises
    NoAnswer, FetchError.
    """
    group, first, last = _asked(url)
    host, port = plain_host(url), port_of(url)
    if login and port != _TLS_PORT and not guard.allows(host, port):
        raise _error(url, "a password is sent over TLS only: use port 563", "login_wall")
    try:
        async with asyncio.timeout(max(120.0, 4 * timeout)):
            connection = await _Connection.open(url, guard, tls)
            try:
                if login:
                    await connection.log_in(*login)
                return await _group(connection, url, group, first, last, cap)
            finally:
                await connection.close()
    except OSError as error:  # TimeoutError is one
        raise NoAnswer(f"{type(error).__name__}: {error}", reached=False) from error
    except (EOFError, ValueError) as error:
        raise NoAnswer(f"the news server broke off: {error}", reached=True) from error


def _asked(url: httpx.URL) -> tuple[str, int | None, int | None]:
    group = url.path.strip("/")
    if not _GROUP.fullmatch(group):
        raise _error(url, "the URL names no newsgroup", "unreachable")
    limits = [url.params.get(name) for name in ("from", "to")]
    if any(text is not None and not re.fullmatch(r"\d{1,15}", text) for text in limits):
        raise _error(url, "from and to are article numbers", "unreachable")
    first, last = (int(text) if text is not None else None for text in limits)
    return group, first, last


async def _group(
    connection: "_Connection",
    url: httpx.URL,
    group: str,
    first: int | None,
    last: int | None,
    cap: int,
) -> Reply:
    count, low, high = await connection.group(group)
    start = max(low, high - MOST_ARTICLES + 1) if first is None else max(first, low)
    end = high if last is None else min(last, high)
    numbers, covered = await _numbers(connection, start, end if count else start - 1)
    body = bytearray()
    for number in numbers:
        article = await connection.article(number, cap // 2)
        line = _line(number, article) if article is not None else b""
        if len(body) + len(line) > cap:
            covered = number - 1
            break
        body += line
    headers = {
        "content-type": "application/x-ndjson",
        "x-nntp-first": str(low),
        "x-nntp-last": str(high),
        "x-nntp-count": str(count),
        "x-nntp-read": str(max(covered, 0)),
    }
    return Reply(url, 200, headers, bytes(body), len(body))


async def _numbers(connection: "_Connection", start: int, end: int) -> tuple[list[int], int]:
    """(the first 500 numbers that exist from *start* to *end*, the last number looked at)."""
    numbers: list[int] = []
    at = start
    while at <= end and len(numbers) <= MOST_ARTICLES:
        top = min(end, at + _WINDOW - 1)
        numbers += await connection.numbers(at, top)
        at = top + 1
    if len(numbers) > MOST_ARTICLES:
        return numbers[:MOST_ARTICLES], numbers[MOST_ARTICLES - 1]
    return numbers, at - 1


def _line(number: int, article: bytes) -> bytes:
    raw = base64.b64encode(article).decode("ascii")
    return json.dumps({"number": number, "raw_base64": raw}).encode() + b"\n"


def _error(url: httpx.URL, message: str, verdict: str, status: int | None = None) -> FetchError:
    return FetchError(message, url=shown(str(url)), verdict=verdict, status=status)


@dataclass(slots=True)
class _Connection:
    """One conversation. Every answer that is no success raises FetchError with its verdict."""

    url: httpx.URL
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, url: httpx.URL, guard: Guard, tls: ssl.SSLContext) -> "_Connection":
        host, port = plain_host(url), port_of(url)
        address = (await guard.addresses(host, port))[0]
        secure = port == _TLS_PORT
        reader, writer = await asyncio.open_connection(
            address,
            port,
            limit=_LONGEST_LINE,
            ssl=tls if secure else None,
            server_hostname=host if secure else None,
        )
        connection = cls(url, reader, writer)
        try:
            connection._expect(await connection._line(), (200, 201))
            await connection._ask("MODE READER", (200, 201, 500))
        except BaseException:
            writer.close()
            raise
        return connection

    async def log_in(self, user: str, password: str) -> None:
        if "\r" in user + password or "\n" in user + password:
            raise _error(self.url, "the login holds a line break", "login_wall")
        if (await self._ask(f"AUTHINFO USER {user}", (281, 381)))[0] == 381:
            await self._ask(f"AUTHINFO PASS {password}", (281,))

    async def group(self, name: str) -> tuple[int, int, int]:
        """(how many articles, lowest number, highest number); the first is an estimate."""
        _, text = await self._ask(f"GROUP {name}", (211,))
        count, low, high = (int(part) for part in text.split()[:3])
        return count, low, high

    async def numbers(self, first: int, last: int) -> list[int]:
        """The numbers that exist from *first* to *last*, in order."""
        for command in ("OVER", "XOVER"):
            status, _ = await self._ask(f"{command} {first}-{last}", (224, 420, 423, 500, 501))
            if status == 224:
                rows = [row.split(b"\t", 1)[0] async for row in self._lines()]
                return sorted({int(row) for row in rows if row.isdigit()})
            if status in (420, 423):
                return []
        return list(range(first, last + 1))

    async def article(self, number: int, cap: int) -> bytes | None:
        """
        The article as sent, lines ended by CR LF; None where it is gone or weighs more than *cap*.
        """
        status, _ = await self._ask(f"ARTICLE {number}", (220, 423, 430))
        if status != 220:
            return None
        body, whole = bytearray(), True
        async for line in self._lines():
            if len(body) + len(line) > cap:
                whole = False
            else:
                body += line + b"\r\n"
        return bytes(body) if whole else None

    async def close(self) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(b"QUIT\r\n")
            self.writer.close()
            await self.writer.wait_closed()

    async def _ask(self, command: str, expected: tuple[int, ...]) -> tuple[int, str]:
        self.writer.write(command.encode() + b"\r\n")
        await self.writer.drain()
        return self._expect(await self._line(), expected)

    async def _line(self) -> bytes:
        line = await self.reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the connection ended")
        return line.rstrip(b"\r\n")

    async def _lines(self) -> AsyncIterator[bytes]:
        """The lines of a long answer, up to its lone dot, without the doubled dots."""
        while (line := await self._line()) != b".":
            yield line[1:] if line.startswith(b"..") else line

    def _expect(self, line: bytes, expected: tuple[int, ...]) -> tuple[int, str]:
        status = int(line[:3]) if line[:3].isdigit() else 0
        if status in expected:
            return status, line[4:].decode("utf-8", "replace")
        verdict = (
            "login_wall" if status in _LOGIN else "blocked" if status in _REFUSED else "unreachable"
        )
        raise _error(self.url, f"the news server answered {status}", verdict, status)

"""A reverse proxy before a real server that hurts some of its answers, as tests plan it."""

import asyncio
import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

from tests.servers.faulty import Faulty, Seen, Send, answer

Fault = Callable[["Real"], Send]
"""The real answer, to what is sent instead of it."""

_OURS = ("connection", "content-length", "transfer-encoding", "keep-alive")


@dataclass(frozen=True, slots=True)
class Real:
    """What the server behind answered. *headers* have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def send(self, body: bytes | None = None, *, length: int | None = None, **changed: str) -> Send:
        """This answer, with another body, a Content-Length that may lie, or other headers."""
        headers = {**self.headers, **{n.replace("_", "-"): v for n, v in changed.items()}}
        return answer(self.body if body is None else body, self.status, length=length, **headers)


@dataclass
class Faults(Faulty):
    """
    Passes requests to *upstream* (`http://127.0.0.1:8080`), whose name in answers becomes ours.

    *faults* are (pattern of the path, fault, how many more answers it hurts; None: all).
    """

    upstream: str = ""
    faults: list[tuple[str, Fault, int | None]] = field(default_factory=list)

    def hurt(self, path: str, fault: Fault, times: int | None = None) -> None:
        """Hurt the next *times* answers to paths that match *path*."""
        self.faults.append((path, fault, times))

    def heal(self) -> None:
        self.faults.clear()

    def _plan(self, path: str) -> Send:
        seen = next(one for one in (*self.about[::-1], *self.seen[::-1]) if one.path == path)

        async def send(writer: asyncio.StreamWriter) -> None:
            real = await self._ask(seen)
            fault = self._fault(path)
            await (fault(real) if fault else real.send())(writer)

        return send

    def _fault(self, path: str) -> Fault | None:
        for place, (pattern, fault, times) in enumerate(self.faults):
            if times != 0 and re.search(pattern, path):
                self.faults[place] = (pattern, fault, None if times is None else times - 1)
                return fault
        return None

    async def _ask(self, seen: Seen) -> Real:
        """The answer of the server behind; HTTP/1.0, so that it ends where the connection does."""
        there = urlsplit(self.upstream).netloc
        reader, writer = await asyncio.open_connection(*there.split(":"))
        passed = {n: v for n, v in seen.headers.items() if n not in (*_OURS, "host")}
        passed |= {"host": there, "connection": "close", "accept-encoding": "identity"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in passed.items())
        writer.write(f"{seen.method} {seen.path} HTTP/1.0\r\n{lines}\r\n".encode() + seen.body)
        raw = await reader.read()
        writer.close()
        await writer.wait_closed()
        return _real(raw.replace(there.encode(), f"127.0.0.1:{self.port}".encode()))


def _real(raw: bytes) -> Real:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {n.lower(): v.strip() for n, _, v in pairs if n.lower() not in _OURS}
    return Real(int(first.split()[1]), headers, body)


# Faults ----------------------------------------------------------------------------------------


def instead(send: Send) -> Fault:
    """*send*, whatever the server answered."""
    return lambda real: send


def refusal(status: int, retry_after: str = "", now: datetime | None = None) -> Fault:
    """A status, with a Retry-After in seconds; at *now*, the same as an HTTP date."""
    headers = {"retry_after": retry_after} if retry_after else {}
    if now is not None:
        moment = now + timedelta(seconds=int(retry_after))
        headers = {
            name: format_datetime(at, usegmt=True)
            for name, at in (("date", now), ("retry_after", moment))
        }
    return instead(answer("injected", status, **headers))


def truncated(real: Real) -> Send:
    """Half of the body under the length of the whole."""
    return real.send(real.body[: len(real.body) // 2], length=len(real.body))


def cut_inside(real: Real) -> Send:
    """Half of the body as if it were the whole: what an intermediary that broke down serves."""
    return real.send(real.body[: len(real.body) // 2])


def garbage(real: Real) -> Send:
    """Other bytes under the name of a page: what a broken intermediary or an outage page serves."""
    return answer(b"\x00\xff<html>panne</html>", content_type="text/html; charset=iso-8859-1")


def late(seconds: float) -> Fault:
    """The real answer, some time later."""

    def fault(real: Real) -> Send:
        async def send(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(seconds)
            await real.send()(writer)

        return send

    return fault


def bomb(real: Real) -> Send:
    """A body of some kilobytes that unpacks to some megabytes."""
    return real.send(gzip.compress(b" " * 8_000_000 + real.body), content_encoding="gzip")


def said_to_be(charset: str) -> Fault:
    """The real body under the name of another encoding."""
    return lambda real: real.send(
        content_type=f"{real.headers['content-type'].partition(';')[0]}; charset={charset}"
    )


def sent_to(address: str) -> Fault:
    """A redirect."""
    return instead(answer("", 302, location=address))

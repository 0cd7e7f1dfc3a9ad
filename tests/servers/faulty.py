"""
A loopback web server whose every fault a test chooses: raw bytes, in the order given, per path.
"""

import asyncio
import ssl
import subprocess
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from raccroche.http import Client

EPOCH = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

Send = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came. *headers* have lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def answer(
    body: bytes | str = b"",
    status: int = 200,
    *,
    length: int | None = None,
    **headers: str,
) -> Send:
    """A plain answer. *length*: a Content-Length that may lie. `retry_after` names Retry-After."""
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("content-type", "text/html; charset=utf-8")
    named["content-length"] = str(len(raw) if length is None else length)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase if status in set(HTTPStatus) else 'X'}\r\n"
    )
    head += "".join(f"{name}: {value}\r\n" for name, value in named.items()) + "\r\n"

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + raw)
        await writer.drain()
        if length is not None and length != len(raw):
            writer.close()

    return send


def reset() -> Send:
    """The connection breaks before any answer."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    return send


def endless(piece: bytes = b"x" * 65_536) -> Send:
    """A body that never ends."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        while not writer.is_closing():
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()

    return send


def drip(byte: bytes = b"x", every: float = 0.01, *, in_headers: bool = False) -> Send:
    """A byte now and then, for ever: no single read times out."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        if not in_headers:
            writer.write(b"no\r\n\r\n")
        while not writer.is_closing():
            writer.write(byte)
            await writer.drain()
            await asyncio.sleep(every)

    return send


@dataclass
class Faulty:
    """
    Answers *plans[path]* in turn, the last one for ever; 404 elsewhere. *seen* are the requests,
    robots.txt and tdmrep.json apart in *about*. The path is without its query; a plan for the path
    with its query comes first.
    """

    plans: dict[str, list[Send]] = field(default_factory=lambda: defaultdict(list))
    seen: list[Seen] = field(default_factory=list)
    about: list[Seen] = field(default_factory=list)
    port: int = 0

    def on(self, path: str, *sends: Send) -> None:
        self.plans[path] = list(sends)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def over_tls(self, folder: Path) -> Path:
        """
        Speak TLS on the same port, with a certificate for 127.0.0.1 signed by itself; return it.
        """
        self._server.close()
        key, certificate = self_signed(folder)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        return certificate

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._writers: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        while self._writers:
            self._idle.clear()
            for writer in self._writers:
                writer.transport.abort()
            await self._idle.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while not writer.is_closing():
                seen = await _read(reader)
                known = seen.path in ("/robots.txt", "/.well-known/tdmrep.json")
                (self.about if known else self.seen).append(seen)
                await self._plan(seen.path)(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left
        finally:
            writer.close()
            self._writers.discard(writer)
            self._idle.set()

    def _plan(self, path: str) -> Send:
        plans = self.plans.get(path) or self.plans.get(path.partition("?")[0])
        if not plans:
            return answer("not here", 404)
        return plans.pop(0) if len(plans) > 1 else plans[0]


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method, path, headers, body)


class FakeTime:
    """
    A clock that only sleeping moves: nothing waits for real. *slept* are the waits asked for, in
    seconds.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.seconds += seconds
        await asyncio.sleep(0)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """(key, certificate) for 127.0.0.1, made in *folder*."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    command += f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return key, certificate


@cache
def _tls() -> ssl.SSLContext:
    """One for all tests: reading the authorities takes longer than a test."""
    return ssl.create_default_context()


def polite_client(time: FakeTime, **options: Any) -> Client:
    """
    A client that may ask loopback, on *time*; its random waits are always the longest possible.
    """
    options.setdefault("allow_hosts", ["127.0.0.1"])
    options.setdefault("tls", _tls())
    return Client(
        "webmaster@observatory.example",
        "Raccroche/0.1",
        sleep=time.sleep,
        clock=time,
        now=time.now,
        jitter=lambda low, high: high,
        **options,
    )

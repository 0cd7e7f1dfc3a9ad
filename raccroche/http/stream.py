"""Reads a WebSocket for a while: its messages become the lines of one answer."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from raccroche.http.addresses import Guard, plain_host, port_of
from raccroche.http.exchange import NoAnswer, Reply

_LARGEST_MESSAGE = 1_000_000  # bytes, decompressed
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Reading:
    """
    When to stop: after *seconds*, after *messages* (None: no limit), or before *cap* bytes are
    passed.
    """

    seconds: float = _SECONDS
    messages: int | None = None
    cap: int = 20_000_000

    @classmethod
    def of(cls, context: Mapping[str, str], *, longest: float, cap: int) -> "Reading":
        """As `context["seconds"]` and `context["messages"]` say, *longest* seconds at most."""
        messages = context.get("messages")
        seconds = min(float(context.get("seconds", _SECONDS)), longest)
        return cls(seconds, int(messages) if messages else None, cap)


class _Connect(connect):
    """Follows no redirect: it would carry the secrets along."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def read(
    url: httpx.URL,
    headers: Mapping[str, str],
    reading: Reading,
    guard: Guard,
    tls: ssl.SSLContext,
    timeout: float,
) -> Reply:
    """
    JSON lines: one text message a line, binary ones left out and counted in `x-stream-binary`.

    `x-stream-end` says why reading stopped: seconds, messages, bytes or closed. Raises NoAnswer,
    AddressRefused.
    """
    host, port = plain_host(url), port_of(url)
    try:
        async with asyncio.timeout(timeout):
            address = (await guard.addresses(host, port))[0]
        # the checked address is given, so the name is not looked up again
        opening = _Connect(
            str(url),
            host=address,
            port=port,
            additional_headers={k: v for k, v in headers.items() if k.lower() != "user-agent"},
            user_agent_header=headers["user-agent"],
            max_size=_LARGEST_MESSAGE,
            open_timeout=timeout,
            close_timeout=1,
            proxy=None,
            ssl=tls if url.scheme == "wss" else None,
        )
        async with opening as socket:
            return await _messages(url, socket, reading)
    except InvalidStatus as error:
        found = {name.lower(): value for name, value in error.response.headers.raw_items()}
        found.pop("location", None)  # nothing follows it
        return Reply(url, error.response.status_code, found, bytes(error.response.body or b""), 0)
    except (OSError, TimeoutError) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}", reached=False) from error
    except (InvalidHandshake, ConnectionClosed) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}", reached=True) from error


async def _messages(url: httpx.URL, socket: ClientConnection, reading: Reading) -> Reply:
    lines = bytearray()
    count = binary = 0
    end = "messages"
    try:
        async with asyncio.timeout(reading.seconds):
            while reading.messages is None or count < reading.messages:
                message = await socket.recv()
                count += 1
                if isinstance(message, bytes):
                    binary += 1
                    continue
                line = _one_line(message)
                if len(lines) + len(line) > reading.cap:
                    end = "bytes"
                    break
                lines += line
    except TimeoutError:
        end = "seconds"
    except ConnectionClosed:
        end = "closed"
    headers = {
        "content-type": "application/x-ndjson",
        "x-stream-end": end,
        "x-stream-binary": str(binary),
    }
    return Reply(url, 200, headers, bytes(lines), len(lines))


def _one_line(message: str) -> bytes:
    """*message* on a line of its own: JSON may be written over several."""
    if "\n" in message or "\r" in message:
        try:
            message = json.dumps(json.loads(message), ensure_ascii=False)
        except ValueError:
            message = json.dumps(message, ensure_ascii=False)
    return message.encode() + b"\n"

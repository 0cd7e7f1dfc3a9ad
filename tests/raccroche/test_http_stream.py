"""A WebSocket read for a while is one answer: a message a line."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import Request as Handshake
from websockets.asyncio.server import Response, ServerConnection, serve
from websockets.datastructures import Headers

from raccroche.errors import FetchError
from raccroche.http import Session
from raccroche.post import Answer, Request
from tests.servers.faulty import FakeTime, polite_client

pytestmark = pytest.mark.anyio

Talk = Callable[[ServerConnection], Awaitable[None]]


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


class Stream:
    """A WebSocket server on loopback that says what *talk* says; *status* refuses the handshake."""

    def __init__(self) -> None:
        self.talk: Talk = self._count
        self.status = 0
        self.location = ""
        self.headers: list[Headers] = []
        self.port = 0

    async def _count(self, socket: ServerConnection) -> None:
        for number in range(5):
            await socket.send(json.dumps({"seq": number}))
        await socket.wait_closed()

    async def answer(self, socket: ServerConnection) -> None:
        await self.talk(socket)

    def handshake(self, socket: ServerConnection, request: Handshake) -> Response | None:
        self.headers.append(request.headers)
        if not self.status:
            return None
        return Response(self.status, "X", Headers(location=self.location), b"no")


@pytest.fixture
async def stream() -> AsyncIterator[Stream]:
    running = Stream()
    async with serve(
        running.answer, "127.0.0.1", 0, process_request=running.handshake, close_timeout=0.1
    ) as server:
        running.port = next(iter(server.sockets)).getsockname()[1]
        yield running


async def read(stream: Stream, *, session: dict[str, str] | None = None, **options: Any) -> Answer:
    context = {"messages": "3", "seconds": "20", **options.pop("context", {})}
    url = options.pop("url", f"ws://127.0.0.1:{stream.port}/subscribe?cursor=7")
    async with polite_client(FakeTime(), **options) as client:
        return await _session(client, session).fetch(Request(url, context=context))


def _session(client: Any, headers: dict[str, str] | None) -> Session:
    session: Session = client.session("test", headers=headers)
    return session


async def test_messages_become_lines_up_to_the_number_asked_for(stream: Stream) -> None:
    got = await read(stream)
    assert got.body == b'{"seq": 0}\n{"seq": 1}\n{"seq": 2}\n'
    assert (got.headers["x-stream-end"], got.content_type) == ("messages", "application/x-ndjson")


async def test_reading_ends_after_the_seconds_asked_for(stream: Stream) -> None:
    got = await read(stream, context={"messages": "99", "seconds": "0.1"})
    assert (got.headers["x-stream-end"], got.body.count(b"\n")) == ("seconds", 5)


async def test_what_was_read_before_the_server_hung_up_is_kept(stream: Stream) -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.send('{"seq": 1}')
        socket.transport.abort()

    stream.talk = talk
    got = await read(stream)
    assert (got.headers["x-stream-end"], got.body) == ("closed", b'{"seq": 1}\n')


async def test_reading_ends_before_the_cap_is_passed(stream: Stream) -> None:
    got = await read(stream, context={"messages": "5"}, max_body=25)
    assert (got.headers["x-stream-end"], got.body.count(b"\n")) == ("bytes", 2)


async def test_a_message_over_several_lines_is_one_line_and_a_binary_one_is_counted(
    stream: Stream,
) -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.send('{\n  "text": "é"\n}')
        await socket.send(b"\x00\x01")
        await socket.send("two\nlines")
        await socket.wait_closed()

    stream.talk = talk
    got = await read(stream)
    assert got.body.decode() == '{"text": "é"}\n"two\\nlines"\n'
    assert got.headers["x-stream-binary"] == "1"


async def test_a_message_that_unpacks_to_more_than_a_megabyte_ends_the_reading(
    stream: Stream,
) -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.send('{"seq": 1}')
        await socket.send("x" * 2_000_000)

    stream.talk = talk
    got = await read(stream)
    assert (got.headers["x-stream-end"], got.body) == ("closed", b'{"seq": 1}\n')


@pytest.mark.parametrize(
    ("status", "verdict", "attempts"),
    [
        (401, "login_wall", 1),
        (403, "blocked", 1),
        (404, "unreachable", 1),
        (429, "rate_limited", 4),
        (503, "unreachable", 4),
    ],
)
async def test_a_refused_handshake_has_its_verdict(
    stream: Stream, status: int, verdict: str, attempts: int
) -> None:
    stream.status = status
    with pytest.raises(FetchError) as caught:
        await read(stream)
    assert (caught.value.verdict, caught.value.status) == (verdict, status)
    assert len(stream.headers) == attempts


async def test_the_stream_learns_who_reads_and_gets_the_secrets_of_its_source(
    stream: Stream,
) -> None:
    await read(stream, session={"Authorization": "Bearer s3cret"})
    assert stream.headers[0]["user-agent"].startswith("Raccroche/0.1 (+")
    assert stream.headers[0]["authorization"] == "Bearer s3cret"


async def test_a_stream_at_a_private_address_is_not_read(stream: Stream) -> None:
    with pytest.raises(FetchError, match="ws:// is not encrypted") as caught:
        await read(stream, allow_hosts=())
    assert caught.value.verdict == "unreachable"
    with pytest.raises(FetchError, match="not a public address"):
        await read(stream, url=f"wss://localhost:{stream.port}/")
    assert stream.headers == []


async def test_a_stream_does_not_lead_to_another_host(stream: Stream) -> None:
    stream.status, stream.location = 302, f"ws://localhost:{stream.port}/elsewhere"
    with pytest.raises(FetchError) as caught:
        await read(stream)
    assert caught.value.verdict == "unreachable"
    assert {headers["host"] for headers in stream.headers} == {f"127.0.0.1:{stream.port}"}


async def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(FetchError) as caught:
        await read(Stream(), url="ws://127.0.0.1:9/")
    assert caught.value.verdict == "unreachable"

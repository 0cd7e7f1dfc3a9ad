"""
One host, one queue: spacing, waiting as long as asked, slowing down. Time is a clock that only
sleeping moves.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest

from raccroche.errors import FetchError
from raccroche.http import Session
from raccroche.http.hosts import Host
from raccroche.post import Request
from tests.servers.faulty import FakeTime, Faulty, Send, answer, polite_client, reset

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    async with Faulty() as running:
        yield running


async def waits(server: Faulty, *sends: Send, times: int = 1, **options: Any) -> list[float]:
    """
    Ask a path that answers *sends* in turn, *times*; return how long we slept, robots.txt aside.
    """
    server.on("/", *sends)
    server.on("/warm", answer("x"))
    time = FakeTime()
    async with polite_client(time, **options) as client:
        session = client.session("test")
        await session.fetch(Request(server.url("/warm")))
        time.slept.clear()
        time.seconds += 1000
        for _ in range(times):
            await session.fetch(Request(server.url()))
    return time.slept


async def test_requests_to_one_host_are_a_second_apart(server: Faulty) -> None:
    assert await waits(server, answer("x"), times=4) == [1, 1, 1]


async def test_the_rate_is_a_setting(server: Faulty) -> None:
    assert await waits(server, answer("x"), times=3, rate=0.25) == [4, 4]


async def test_two_sources_of_one_host_share_its_queue(server: Faulty) -> None:
    server.on("/", answer("x"))
    time = FakeTime()
    async with polite_client(time) as client:
        sessions = [client.session("one"), client.session("two")]
        await asyncio.gather(*(s.fetch(Request(server.url())) for s in sessions))
    assert time.slept == [1, 1, 1]  # robots.txt, tdmrep.json, then one page each


async def test_one_host_is_never_asked_two_things_at_a_time(server: Faulty) -> None:
    busy: list[int] = [0]
    most = [0]

    async def slowly(writer: asyncio.StreamWriter) -> None:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        await asyncio.sleep(0.01)
        busy[0] -= 1
        await answer("x")(writer)

    server.on("/", slowly)
    async with polite_client(FakeTime()) as client:
        sessions = [client.session(str(n)) for n in range(4)]
        await asyncio.gather(*(s.fetch(Request(server.url())) for s in sessions))
    assert most == [1]


async def test_two_hosts_do_not_wait_for_each_other(server: Faulty) -> None:
    async with Faulty() as other:
        server.on("/", answer("x"))
        other.on("/", answer("x"))
        time = FakeTime()
        async with polite_client(time) as client:
            for one in (server, other):
                session = client.session("test", robots=False)
                await session.fetch(Request(one.url()))
    assert time.slept == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "asked",
    [
        {"retry_after": "17"},
        {"retry_after": "{http_date}"},
        {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "{iso}"},
        {"ratelimit_remaining": "0", "ratelimit_reset": "{epoch}"},
        {"ratelimit": '"default";r=0;t=17'},
    ],
    ids=["seconds", "date", "iso", "epoch", "draft"],
)
async def test_the_wait_asked_for_is_kept_exactly(
    server: Faulty, asked: dict[str, str], status: int
) -> None:
    time = FakeTime()
    server.on("/warm", answer("x"))
    async with polite_client(time) as client:
        session = client.session("test")
        await session.fetch(Request(server.url("/warm")))
        time.seconds += 1000
        # the wait counts from the moment of the answer
        later = time.now().timestamp() + 17
        names = {
            "http_date": _http_date(later),
            "iso": f"{_iso(later)}",
            "epoch": f"{later:.0f}",
        }
        headers = {name: value.format(**names) for name, value in asked.items()}
        server.on("/", answer("x", status, **headers), answer("bonjour"))
        time.slept.clear()
        await session.fetch(Request(server.url()))
    assert time.slept == [17]


def _http_date(epoch: float) -> str:
    return formatdate(epoch, usegmt=True)


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()


async def test_without_a_wait_asked_for_the_wait_is_random_and_grows(server: Faulty) -> None:
    slept = await waits(server, *[answer("x", 500)] * 3, answer("x"))
    assert slept == [4, 8, 16]  # the longest of full jitter: the test's dice always give it


async def test_a_connection_that_breaks_is_tried_again_after_a_growing_wait(
    server: Faulty,
) -> None:
    assert await waits(server, reset(), reset(), answer("x")) == [4, 8]


async def test_a_wait_longer_than_we_wait_is_rate_limited_at_once(server: Faulty) -> None:
    with pytest.raises(FetchError) as caught:
        await waits(server, answer("x", 429, retry_after="3600"), answer("x"))
    assert caught.value.verdict == "rate_limited"
    assert "3600 s" in str(caught.value)
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_waits_that_lead_nowhere_are_rate_limited(server: Faulty, status: int) -> None:
    with pytest.raises(FetchError) as caught:
        await waits(server, answer("x", status, retry_after="5"))
    assert (caught.value.verdict, caught.value.status) == ("rate_limited", status)
    assert len(server.seen) == 5


async def test_a_503_that_asks_for_no_wait_is_unreachable(server: Faulty) -> None:
    with pytest.raises(FetchError) as caught:
        await waits(server, answer("x", 503))
    assert caught.value.verdict == "unreachable"


async def test_when_nothing_remains_of_the_quota_the_next_request_waits_for_its_reset(
    server: Faulty,
) -> None:
    spent = answer("x", x_ratelimit_remaining="0", x_ratelimit_reset="30")
    assert await waits(server, spent, answer("x"), times=2) == [30]


async def test_a_quota_that_is_back_too_late_is_rate_limited_without_a_request(
    server: Faulty,
) -> None:
    spent = answer("x", x_ratelimit_remaining="0", x_ratelimit_reset="900")
    with pytest.raises(FetchError) as caught:
        await waits(server, spent, answer("x"), times=2)
    assert caught.value.verdict == "rate_limited"
    assert len(server.seen) == 2


async def test_one_source_s_429_keeps_the_other_sources_of_the_host_away_too(
    server: Faulty,
) -> None:
    server.on("/", answer("x", 429, retry_after="3600"))
    time = FakeTime()

    async def verdict(session: Session) -> str:
        with pytest.raises(FetchError) as caught:
            await session.fetch(Request(server.url()))
        return caught.value.verdict

    async with polite_client(time) as client:
        for name in ("one", "two"):
            assert await verdict(client.session(name)) == "rate_limited"
    assert len(server.seen) == 1


async def test_seconds_waited_are_counted(server: Faulty) -> None:
    server.on("/", answer("x", 429, retry_after="40"), answer("x"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test", robots=False)
        await session.fetch(Request(server.url()))
        assert session.waited == 40


# ------------------------------------------------------------------------------- the queue itself


async def _turns(host: Host, count: int) -> None:
    for _ in range(count):
        async with host.turn(1000):
            pass


async def test_a_struggling_host_is_asked_less_and_less_then_as_before_when_well() -> None:
    time = FakeTime()
    host = Host("h", spacing=1, clock=time, sleep=time.sleep)
    delays = []
    for _ in range(3):
        host.struck()
        delays.append(host.delay)
    assert delays == [2, 4, 8]
    for _ in range(20):
        host.answered(0.1)
    assert host.delay == 1


async def test_a_slow_host_gets_as_long_a_rest_as_its_answers_take() -> None:
    time = FakeTime()
    host = Host("h", spacing=1, clock=time, sleep=time.sleep)
    async with host.turn(1000):
        time.seconds += 6
        host.answered(6)
    await _turns(host, 1)
    assert time.slept == [6]


async def test_the_slowing_down_has_an_end() -> None:
    host = Host("h", spacing=1, clock=FakeTime(), sleep=FakeTime().sleep)
    for _ in range(50):
        host.struck()
    assert host.delay == 60


async def test_a_clock_that_does_not_move_still_spaces_requests() -> None:
    time = FakeTime()
    host = Host("h", spacing=2, clock=time, sleep=time.sleep)
    await _turns(host, 4)
    assert time.slept == [2, 2, 2]

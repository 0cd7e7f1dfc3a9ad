"""
Many sessions at once: what the dashboard's server takes for them.

    python benchmarks/dashboard_sessions.py DATABASE [sessions]

Every session talks to a real server as the browser's page does (Streamlit's own messages over a
socket), all at once: each opens a page with nothing cached, then again, then each asks a change of
filter of its own, then all ask the same one that nobody asked for yet. Nothing is drawn: twenty
browsers on the same cores would be measured instead. Told: the half, 95 in 100 and the slowest of
the sessions, how many failed, the CPU seconds and the memory of the server.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import many_posts
from tests.servers import browser

PATHS = ("", "marques", "chronologie", "sujets", "publications")
PATIENCE = 300  # seconds
QUESTIONS: tuple[dict[str, str], ...] = (
    *({"marques": name} for name in many_posts.BRANDS[10:15]),
    *({"sujets": name} for name in many_posts.TOPICS[:5]),
    *({"signaux": name} for name in many_posts.SIGNALS[:5]),
    *({"plateformes": name} for name in ("forum", "mastodon", "reviews", "wordpress")),
    {"periode": "tout"},
)


class Session:
    """One reader: a socket, and the page it shows."""

    def __init__(self, url: str, page: str) -> None:
        from streamlit.util import calc_hash

        self.url, self.page = url, page
        self._hash = calc_hash(page) if page else ""
        self._socket: Any = None

    async def __aenter__(self) -> Self:
        from websockets.asyncio.client import connect

        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await connect(
            address, origin=self.url, subprotocols=["streamlit"], max_size=None  # type: ignore[arg-type, list-item]
        )  # fmt: skip
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._socket.close()

    async def show(self, **question: str) -> tuple[float, bool]:
        """Seconds until the page is whole, and whether it is without an exception."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        asked = BackMsg()
        asked.rerun_script.query_string = urlencode(question)
        asked.rerun_script.page_script_hash = self._hash
        asked.rerun_script.page_name = self.page
        start = time.perf_counter()
        await self._socket.send(asked.SerializeToString())
        sound = await self._whole()
        return time.perf_counter() - start, sound

    async def _whole(self) -> bool:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        sound = True
        while True:
            got = ForwardMsg()
            got.ParseFromString(await asyncio.wait_for(self._socket.recv(), PATIENCE))
            if got.delta.new_element.WhichOneof("type") == "exception":
                sound = False
            if got.WhichOneof("type") == "script_finished":
                return sound and got.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


async def ask(sessions: Sequence[Session], questions: Sequence[dict[str, str]], what: str) -> None:
    """All sessions at once, each its own question."""
    before = server()[0]
    pairs = zip(sessions, questions, strict=True)
    found = await asyncio.gather(*(one.show(**question) for one, question in pairs))
    seconds, memory = server()
    took = sorted(seconds for seconds, _ in found)
    p95 = statistics.quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
    failed = sum(not sound for _, sound in found)
    print(
        f"{what}: half within {statistics.median(took):.2f} s, 95 % {p95:.2f} s, "
        f"slowest {took[-1]:.2f} s, {failed} failed; "
        f"server {seconds - before:.2f} CPU s, {memory:,.0f} MiB",
        flush=True,
    )


def server() -> tuple[float, float]:
    """CPU seconds and MiB of memory of the server, a child of this process."""
    ticks, pages = 0, 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == os.getpid() and b"streamlit" in command:
            ticks += int(fields[11]) + int(fields[12])
            pages += int(fields[21])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(url: str, many: int) -> None:
    pages = [PATHS[at % len(PATHS)] for at in range(many)]
    nothing: list[dict[str, str]] = [{}] * many
    async with Session(url, "methode") as first:
        await first.show()  # libraries are loaded once a server
    for what in ("first page, nothing cached", "first page, again"):
        sessions = [Session(url, page) for page in pages]
        opened = [await one.__aenter__() for one in sessions]
        await ask(opened, nothing, what)
        if what.endswith("again"):
            own = [QUESTIONS[at % len(QUESTIONS)] for at in range(many)]
            await ask(opened, own, "a filter, another for each")
            same = {"signaux": many_posts.SIGNALS[5], "sujets": many_posts.TOPICS[6]}
            await ask(opened, [same] * many, "topic and signal, the same for all")
        for one in opened:
            await one.__aexit__(None, None, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("database", type=Path)
    parser.add_argument("sessions", type=int, nargs="?", default=20)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        browser.dashboard(many_posts.write_config(Path(folder), given.database)) as url,
    ):
        asyncio.run(measure(url, given.sessions))


if __name__ == "__main__":
    main()

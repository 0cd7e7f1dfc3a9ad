"""
Many sessions at once, in real browser pages.

    python benchmarks/dashboard_sessions.py DATABASE [sessions]

Every session opens its own page (each in a browser context of its own), all at once: first with
nothing cached, then again, then with a filter (a brand) that nobody asked for yet.
Told: half of the sessions are ready within p50, 95 in 100 within p95. The browser
draws on the same cores, most of the time on a small machine: how much the server itself worked is
told beside it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import many_posts
from tests.servers import browser

PATHS = ("", "marques", "chronologie", "sujets", "publications")
READY = (
    "() => document.querySelector('h1')"
    " && document.querySelector('[data-testid=stCaptionContainer]')"
    " && !document.querySelector('[data-test-script-state=\"running\"]')"
)


def _wait(pages: list[Any], start: float) -> list[float]:
    took = []
    for page in pages:
        page.wait_for_function(READY)
        took.append(time.perf_counter() - start)
    return took


def _tell(what: str, took: list[float], pages: list[Any]) -> None:
    failed = sum(page.locator("[data-testid=stException]").count() for page in pages)
    p95 = statistics.quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
    print(
        f"{what}: {len(took)} sessions, p50 {statistics.median(took):.1f} s, p95 {p95:.1f} s, "
        f"last {max(took):.1f} s, {failed} failed",
        flush=True,
    )


def _open(opened: Any, url: str, many: int, query: str = "") -> tuple[list[Any], list[float]]:
    pages = [browser.new_page(opened) for _ in range(many)]
    for page in pages:
        page.set_default_timeout(300_000)
    start = time.perf_counter()
    for at, page in enumerate(pages):
        page.goto(f"{url}/{PATHS[at % len(PATHS)]}{query}", wait_until="commit")
    return pages, _wait(pages, start)


def _server_seconds() -> float:
    """CPU seconds of this process's children, those that still run included: the server's."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == os.getpid() and b"streamlit" in command:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("database", type=Path)
    parser.add_argument("sessions", type=int, nargs="?", default=20)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        browser.dashboard(many_posts.write_config(Path(folder), given.database)) as url,
        browser.browser() as opened,
    ):
        for what in ("nothing cached", "again"):
            before = _server_seconds()
            pages, took = _open(opened, url, given.sessions)
            _tell(what, took, pages)
            print(f"  the server worked {_server_seconds() - before:.1f} CPU seconds")
            for page in pages:
                page.context.close()
        before = _server_seconds()
        pages, took = _open(opened, url, given.sessions, f"?marques={many_posts.BRANDS[7]}")
        _tell("a brand, nothing cached", took, pages)
        print(f"  the server worked {_server_seconds() - before:.1f} CPU seconds")


if __name__ == "__main__":
    main()

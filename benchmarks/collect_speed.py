"""
Comments a second, and CPU a page, of our collection and of Scrapy on the same local site.

    python benchmarks/collect_speed.py [--pages 100] [--runs 5] [--scrapy PYTHON] [--profile html]
    python benchmarks/collect_speed.py --parse

A process of its own serves a fictional WordPress blog on loopback (collect_site.py): pages of 100
comments, and the same comments by REST. Scrapy (collect_spider.py) reads them with politeness off,
16 requests at once, and writes JSON Lines; ours reads them with politeness off, one request after
the other, once into JSON Lines (fetch, parse, normalise) and once through the whole pipeline
(pseudonyms, masking, duplicates, WARC, SQLite). The comments of all must be the same, field by
field: id, author, date, text, address, parent. Rounds take turns; medians; CPU is of the process
from its first request to its last, start-up left out. Prints Markdown.

*--parse* measures the parsers alone, in this process: pages of 100, 1,000 and 5,000 comments.

*--scrapy*: a Python that has Scrapy (`pip install scrapy`); default: this one. Without Scrapy only
ours is measured, and the reason is said.
"""

import argparse
import asyncio
import cProfile
import json
import platform
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.collect_site import article_page, make_comments, rest_page
from collectors import wordpress
from raccroche import json_text, pipeline
from raccroche.archive import Archive
from raccroche.config import load
from raccroche.errors import FetchError
from raccroche.http import Budget, Client, Session
from raccroche.post import Answer, State
from raccroche.store import Store

ROOT = Path(__file__).parents[1]
EACH = 100  # comments a page
WAYS = ("html", "rest")
FIELDS = ("id", "author", "published_at", "text", "url", "parent")
CONFIG = """
[store]
url = "store.sqlite3"
[collect]
contact = "benchmark@observatoire.example"
allow_hosts = ["{place}"]
budget_requests = 1000000
budget_mb = 100000
archive = "warc"
[privacy]
key_file = "key"
[sources.blog]
platform = "wordpress"
enabled = true
purpose = "benchmark"
site = "http://{place}"
via = "{way}"
"""


# Ours, in a process of its own -------------------------------------------------------------------


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Stages:
    """
    CPU seconds by stage, from `start` on; a stage within another is counted in its own only.
    """

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._within = [0.0]
        self._began = 0.0, 0.0

    def start(self) -> None:
        """All is open and nothing is asked yet: what Scrapy calls the opening of a spider."""
        self._began = time.perf_counter(), cpu()

    def passed(self) -> dict[str, float]:
        """Seconds and CPU seconds since `start`."""
        seconds, used = self._began
        return {"seconds": time.perf_counter() - seconds, "cpu": cpu() - used}

    def time(self, owner: Any, name: str, stage: str) -> None:
        """Count the calls of `owner.name` to *stage* from now on."""
        call = getattr(owner, name)

        def timed(*args: Any, **options: Any) -> Any:
            began = time.process_time()
            self._within.append(0.0)
            try:
                return call(*args, **options)
            finally:
                spent = time.process_time() - began
                self.spent[stage] += spent - self._within.pop()
                self._within[-1] += spent

        setattr(owner, name, timed)


def politeless(place: str, archive: Archive | None = None) -> Client:
    contact = "benchmark@observatoire.example"
    return Client(contact, "raccroche", allow_hosts=[place], archive=archive, polite=False)


async def to_lines(place: str, way: str, target: Path, stages: Stages) -> None:
    """Fetch, parse, and write what `raccroche parse` prints."""
    settings = wordpress.Settings(site=f"http://{place}", via=way)
    queue = deque(wordpress.requests(settings, State()))
    write = (target / "ours.jsonl").open("w", encoding="utf-8")
    async with politeless(place) as client:
        session = client.session("blog", budget=Budget(requests=10**6, bytes=10**12))
        with write as out, pipeline.seldom_swept():
            stages.start()
            while queue:
                queue.extend(await _one_page(session, queue.popleft(), out.write))


async def _one_page(session: Session, request: Any, write: Callable[[str], Any]) -> Iterator[Any]:
    try:
        answer = await session.fetch(request)
    except FetchError as error:
        if error.status != 404:  # the feed's end
            raise
        return iter(())
    page = wordpress.parse(answer)
    for post in page.posts:
        write(json_text.line(post.to_dict()) + "\n")
    return iter(page.next)


async def to_store(place: str, way: str, target: Path, stages: Stages) -> None:
    """The whole pipeline, as `raccroche collect` runs it, politeness off."""
    (target / "config.toml").write_text(CONFIG.format(place=place, way=way), "utf-8")
    config = load(target / "config.toml")
    pipeline.jobs(config)  # loads the parsers of all platforms
    archive = Archive(target / "warc")
    stages.time(archive, "add", "WARC")
    stages.time(pipeline, "admitted", "pseudonyms and masks")
    with Store.open(config.store_url) as store:
        stages.time(store, "add_page", "SQLite")
        async with politeless(place, archive) as client:
            stages.start()
            runs = await pipeline.collect(config, store, client)
    archive.close()
    assert runs[0].verdict.ok, runs[0].message


def work(side: str, place: str, way: str, target: Path, profile: bool) -> None:
    """One measured run; prints one JSON line."""
    stages = Stages()
    stages.time(wordpress, "parse", "parse")
    begin = {"lines": to_lines, "store": to_store}[side]
    profiler = cProfile.Profile() if profile else None
    if profiler:
        profiler.runcall(asyncio.run, begin(place, way, target, stages))
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(40)
    else:
        asyncio.run(begin(place, way, target, stages))
    print(json.dumps(stages.passed() | {"stages": stages.spent}))


# The rounds --------------------------------------------------------------------------------------


@contextmanager
def site(pages: int) -> Iterator[str]:
    """The blog, served by a process of its own: host and port."""
    command = [sys.executable, str(ROOT / "benchmarks/collect_site.py"), str(pages), str(EACH)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        assert server.stdin
        yield f"127.0.0.1:{server.stdout.readline().strip()}"
        server.stdin.close()


def has_scrapy(python: str) -> bool:
    done = subprocess.run([python, "-c", "import scrapy"], capture_output=True)
    return done.returncode == 0


def measure(side: str, place: str, way: str, target: Path, python: str) -> dict[str, Any]:
    """One run of one side in a process of its own."""
    if side == "scrapy":
        spider = str(ROOT / "benchmarks/collect_spider.py")
        command = [python, spider, way, f"http://{place}", str(target / "scrapy.jsonl")]
    else:
        command = [sys.executable, __file__, "--work", side, place, way, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def comments_of(side: str, target: Path) -> set[tuple[Any, ...]]:
    """What a run wrote, field by field."""
    name = "scrapy.jsonl" if side == "scrapy" else "ours.jsonl"
    rows = map(json.loads, (target / name).read_text("utf-8").splitlines())
    return {tuple(row[field] for field in FIELDS) for row in rows}


def stored(target: Path) -> int:
    with Store.open(load(target / "config.toml").store_url, read_only=True) as store:
        return store.status().posts


def rounds(
    place: str, way: str, sides: list[str], runs: int, pages: int, python: str
) -> dict[str, list[dict[str, Any]]]:
    """*runs* rounds of all *sides*, each checked to have brought the same comments."""
    measured: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for _ in range(runs):
        wrote: dict[str, set[tuple[Any, ...]]] = {}
        for side in sides:
            with tempfile.TemporaryDirectory() as folder:
                measured[side].append(measure(side, place, way, Path(folder), python))
                if side == "store":
                    assert stored(Path(folder)) == pages * EACH
                else:
                    wrote[side] = comments_of(side, Path(folder))
        assert len(wrote["lines"]) == pages * EACH
        if "scrapy" in wrote:
            differing = wrote["scrapy"] ^ wrote["lines"]
            assert not differing, f"{len(differing)} differ: {sorted(differing, key=str)[:2]}"
    return measured


def answer_of(way: str, many: int) -> Answer:
    """One page of *many* comments, as the site gives it."""
    base = "http://127.0.0.1:8000"
    listed = make_comments(1, many)[0]
    if way == "rest":
        return Answer(f"{base}/wp-json/wp/v2/comments", rest_page(base, listed).encode())
    headers = {"content-type": "text/html; charset=UTF-8"}
    return Answer(f"{base}/article-1/", article_page(base, 1, listed).encode(), headers=headers)


def parse_alone() -> None:
    """CPU of parsing one page, the least of ten times, and the memory it takes at its peak."""
    print("| page | comments | CPU ms | us a comment | peak MB |")
    print("|---|--:|--:|--:|--:|")
    for way in WAYS:
        for many in (100, 1000, 5000):
            answer = answer_of(way, many)
            spent = []
            with pipeline.seldom_swept():
                for _ in range(10):
                    began = time.process_time()
                    assert len(wordpress.parse(answer).posts) == many
                    spent.append(time.process_time() - began)
            tracemalloc.start()
            wordpress.parse(answer)
            peak = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
            least = min(spent)
            each = least / many * 1e6
            print(f"| {way} | {many} | {least * 1000:.1f} | {each:.0f} | {peak:.1f} |")


NAMES = {"scrapy": "Scrapy, JSON Lines", "lines": "ours, JSON Lines", "store": "ours, all of it"}


def report(way: str, measured: dict[str, list[dict[str, Any]]], pages: int) -> None:
    """A table, then where our CPU goes."""
    seconds = {side: statistics.median(r["seconds"] for r in rs) for side, rs in measured.items()}
    used = {side: statistics.median(r["cpu"] for r in rs) for side, rs in measured.items()}
    print(f"\n{way}: {pages} pages of {EACH} comments\n")
    print("| | comments/s | CPU ms a page | times Scrapy's speed | times less CPU |")
    print("|---|--:|--:|--:|--:|")
    for side in measured:
        speed = pages * EACH / seconds[side]
        ratios = (
            f"{seconds['scrapy'] / seconds[side]:.1f} | {used['scrapy'] / used[side]:.1f}"
            if "scrapy" in measured
            else "- | -"
        )
        print(f"| {NAMES[side]} | {speed:.0f} | {used[side] / pages * 1000:.1f} | {ratios} |")
    for side in ("lines", "store"):
        parts = {
            stage: statistics.median(r["stages"].get(stage, 0.0) for r in measured[side])
            for stage in measured[side][0]["stages"]
        }
        parts["HTTP, event loop and the rest"] = used[side] - sum(parts.values())
        told = ", ".join(f"{name} {part / pages * 1000:.1f}" for name, part in parts.items())
        print(f"\nCPU ms a page, {NAMES[side]}: {told}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scrapy", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--profile", choices=WAYS, help="profile our side instead")
    parser.add_argument("--parse", action="store_true", help="the parsers alone, in this process")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        side, place, way, target = options.work
        work(side, place, way, Path(target), profile=False)
        return
    if options.parse:
        parse_alone()
        return
    with site(options.pages) as place:
        if options.profile:
            with tempfile.TemporaryDirectory() as folder:
                work("lines", place, options.profile, Path(folder), profile=True)
            return
        sides = ["scrapy", "lines", "store"]
        if not has_scrapy(options.scrapy):
            print("Scrapy is left out: not installed for", Path(options.scrapy).name)
            sides.remove("scrapy")
        print(f"Python {platform.python_version()}, {options.runs} rounds, medians")
        for way in WAYS:
            measured = rounds(place, way, sides, options.runs, options.pages, options.scrapy)
            report(way, measured, options.pages)


if __name__ == "__main__":
    main()

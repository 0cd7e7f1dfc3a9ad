"""
kill -9 at random moments over collect, label, export, erase and copy; then everything is counted.

    python benchmarks/reliability.py 40 [--minutes 10] [--seed 1] [--only sqlite]

A server on loopback gives posts; a child process runs one command of the command line on them and
is killed at a moment drawn from the time the command took when it was left alone. After every kill
the store must be sound (`Store.check`: integrity_check, search index, counts equal to a fresh
count). After some kills the command runs through; at the end of a round, posts, labels, exports and
copies are compared with what the server gave. All the while another process reads as the dashboard
does: no look may fail or contradict itself. Runs on SQLite, and on PostgreSQL where Debian's server
is installed. Prints JSON.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.reading import reader
from raccroche.cli import app
from raccroche.errors import RaccrocheError
from raccroche.labelling import shown_labeller
from raccroche.store import Filters, Store
from tests.servers import postgres
from tests.servers.mastodon import Mastodon, mastodon

ACTIONS = ("collect", "label", "export", "erase", "copy")
EACH = 400  # new posts before every round of commands
AUTHORS = 20  # of each round
HOST = "127.0.0.1"
ERASURES = 5  # tries, since one that a reader holds up asks to be repeated
TIMES = 3  # kills of one command before it may run through
BRANDS = ("Orange", "Free", "Bouygues Telecom", "MAIF", "Sofinco")
START = datetime(2024, 1, 1, tzinfo=UTC)

CONFIG = """
[store]
url = "{url}"
[collect]
contact = "benchmark@observatoire.example"
allow_hosts = ["127.0.0.1:{port}"]
rate = 100000.0
archive = "warc"
cache = "cache.sqlite3"
[nlp]
labeller = "rules"
batch_size = 64
[privacy]
key_file = "key"
[alerts]
feed = ""
[sources.tag]
platform = "mastodon"
enabled = true
purpose = "benchmark"
instance = "http://127.0.0.1:{port}"
tags = ["demarchage"]
"""

Copies = Callable[[], AbstractContextManager[str]]


class Campaign:
    """One dialect: its folder, its database, what was killed and what was found wrong."""

    def __init__(self, folder: Path, url: str, copy_to: Copies, port: int) -> None:
        self.folder, self.url, self.copy_to, self.port = folder, url, copy_to, port
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG.format(url=url, port=port), encoding="utf-8")
        self.took: dict[str, float] = {}
        self.killed: Counter[str] = Counter()
        self.spared: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.erased: set[str] = set()
        self.rounds = 0
        self.held_up = 0

    def arguments(self, action: str, copy: str) -> list[str]:
        more = {
            "export": [str(self.folder / "export"), "--format", "jsonl"],
            "erase": [
                "--author",
                f"{author(self.rounds, 3)}@{HOST}:{self.port}",
                "--platform",
                "mastodon",
            ],
            "copy": ["--to", copy],
        }
        return ["-c", str(self.config), action, *more.get(action, [])]

    def whole(self, action: str, copy: str = "") -> None:
        """Run to the end; its time is the one that kills are drawn from."""
        started = time.monotonic()
        said = self.folder / "said"
        for _ in range(ERASURES if action == "erase" else 1):
            child = start(self.arguments(action, copy), said)
            child.join()
            if child.exitcode == 0 or "erase again" not in said.read_text("utf-8"):
                break
            self.held_up += 1  # by a reader, as it says
        self.took[action] = time.monotonic() - started
        if child.exitcode != 0:
            self.wrong.append(f"{action} failed after a kill: {said.read_text('utf-8')[-300:]}")

    def kill(self, action: str, draw: random.Random, copy: str = "") -> None:
        child = start(self.arguments(action, copy), self.folder / "said")
        child.join(draw.uniform(0.02, 0.98) * self.took[action])
        if child.exitcode is None:
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
        if child.exitcode == -signal.SIGKILL:
            self.killed[action] += 1
        else:
            self.spared[action] += 1
        self.check(f"{action}, kill {sum(self.killed.values())}")

    def check(self, when: str) -> None:
        if self.url.startswith("postgresql") or (self.folder / "db.sqlite3").exists():
            with Store.open(self.place) as store:
                self.wrong += [f"{when}: {problem}" for problem in store.check()]

    @property
    def place(self) -> str:
        return self.url if "://" in self.url else f"sqlite:///{self.folder / self.url}"

    def round(self, site: Mastodon, draw: random.Random, kills: int) -> None:
        """New posts, then each command killed some times (*kills* in all) and run through."""
        self.rounds += 1
        for number in range(EACH):
            n = self.rounds * 100_000 + number
            brand = BRANDS[number % len(BRANDS)]
            text = (
                f"{brand} m'appelle {number} fois par jour malgré Bloctel, c'est pénible, cas {n}"
            )
            at = START + timedelta(minutes=n // 100)
            site.add(n, text, at, author(self.rounds, number % AUTHORS))
        for action in ACTIONS:
            with self.copy_to() if action == "copy" else nullcontext("") as copy:
                if self.rounds > 1:  # the first round shows how long each command takes
                    times = min(TIMES, kills)
                    kills -= times
                    for _ in range(times):
                        self.kill(action, draw, copy)
                self.whole(action, copy)
                if action == "copy":
                    self._compare(copy)
        self.erased.add(author(self.rounds, 3))
        self._recount(site)

    def _compare(self, copy: str) -> None:
        place = copy if "://" in copy else f"sqlite:///{copy}"
        with Store.open(self.place) as here, Store.open(place) as there:
            self.wrong += [f"the copy: {problem}" for problem in there.check()]
            for what in (lambda s: s.status().posts, totals, lambda s: len(s.takedowns(10_000))):
                if what(here) != what(there):
                    self.wrong.append(f"the copy differs: {what(here)} and {what(there)}")

    def _recount(self, site: Mastodon) -> None:
        """Nothing lost, doubled or back after erasure; labels on each; counts as if fresh."""
        expected = {
            str(s["id"])
            for s in site.statuses
            if s["account"]["username"] not in self.erased  # type: ignore[index]
        }
        with Store.open(self.place) as store:
            rows = list(store.iterate(Filters(labeller=shown_labeller(store), with_copies=True)))
            found = Counter(row.post.native_id for row in rows)
            before = totals(store)
            store.rebuild_counts()
            after = totals(store)
        lost, more = expected - found.keys(), found.keys() - expected
        doubled = [name for name, many in found.items() if many > 1]
        unlabelled = sum(row.labels is None for row in rows)
        for many, words in ((len(lost), "lost"), (len(more), "back after erasure"),
                            (len(doubled), "doubled"), (unlabelled, "without labels")):  # fmt: skip
            if many:
                self.wrong.append(f"round {self.rounds}: {many} posts {words}")
        if before != after:
            self.wrong.append(f"round {self.rounds}: totals {before} become {after} when rebuilt")
        lines = sum(1 for _ in self._exported())
        if lines != len(expected) + self._erased_since_export():
            self.wrong.append(f"round {self.rounds}: {lines} lines exported, not {len(expected)}")

    def _exported(self) -> Iterator[str]:
        for path in sorted((self.folder / "export").rglob("posts*.jsonl")):
            yield from path.open(encoding="utf-8")

    def _erased_since_export(self) -> int:
        """The export of a round comes before its erasure."""
        return EACH // AUTHORS


def totals(store: Store) -> object:
    return store.totals(Filters(labeller=shown_labeller(store)))


def author(round_: int, number: int) -> str:
    return f"temoin{round_:03d}x{number:02d}"


def start(arguments: list[str], said: Path) -> multiprocessing.Process:
    child = multiprocessing.get_context("fork").Process(target=command, args=(arguments, said))
    child.start()
    return child


def command(arguments: list[str], said: Path) -> None:
    with said.open("w", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            sys.exit(app(arguments, standalone_mode=False) or 0)
        except RaccrocheError as error:
            print(error)
            sys.exit(1)


def run(
    campaign: Campaign, site: Mastodon, kills: int, until: float, seed: int
) -> dict[str, object]:
    """Rounds until *kills* children were killed or the time is up; what was found."""
    draw = random.Random(seed)
    campaign.round(site, draw, kills)
    with reader(campaign.config, campaign.folder) as read:
        while sum(campaign.killed.values()) < kills and time.monotonic() < until:
            campaign.round(site, draw, kills - sum(campaign.killed.values()))
            done = (campaign.rounds, dict(campaign.killed), campaign.wrong)
            print(*done, file=sys.stderr, flush=True)
    campaign.wrong += [f"reader: {said}" for said in read["wrong"][:20]]
    with Store.open(campaign.place) as store:
        posts = store.status().posts
    return {
        "kills": sum(campaign.killed.values()),
        "by_command": dict(campaign.killed),
        "ended_before_the_kill": sum(campaign.spared.values()),
        "rounds": campaign.rounds,
        "posts": posts,
        "erased": len(campaign.erased) * (EACH // AUTHORS),
        "reader": {name: value for name, value in read.items() if name != "wrong"},
        "erasures_held_up_by_the_reader": campaign.held_up,
        "seconds_left_alone": {k: round(v, 2) for k, v in campaign.took.items()},
        "wrong": campaign.wrong,
    }


def sqlite_copies(folder: Path) -> Copies:
    @contextmanager
    def fresh() -> Iterator[str]:
        target = folder / "copy"
        target.mkdir()
        try:
            yield str(target / "copy.sqlite3")
        finally:
            shutil.rmtree(target)

    return fresh


def postgres_copies(server: str) -> Copies:
    @contextmanager
    def fresh() -> Iterator[str]:
        with postgres.database(server) as url:
            yield url

    return fresh


@contextmanager
def on_sqlite(folder: Path, port: int) -> Iterator[Campaign]:
    yield Campaign(folder, "db.sqlite3", sqlite_copies(folder), port)


@contextmanager
def on_postgresql(folder: Path, port: int) -> Iterator[Campaign]:
    with postgres.server() as server, postgres.database(server) as url:
        yield Campaign(folder, url, postgres_copies(server), port)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.strip().split("\n")[0])
    options.add_argument("kills", type=int, nargs="?", default=40, help="in all")
    options.add_argument("--minutes", type=float, default=10, help="no new round after these")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", choices=("sqlite", "postgresql"))
    chosen = options.parse_args()
    places = {"sqlite": on_sqlite, "postgresql": on_postgresql}
    if postgres.binaries() is None:
        del places["postgresql"]
    names = [name for name in places if chosen.only in (None, name)]
    share = -(-chosen.kills // max(1, len(names)))
    said = {}
    for name in names:
        until = time.monotonic() + chosen.minutes * 60 / len(names)
        with (
            tempfile.TemporaryDirectory() as folder,
            mastodon() as site,
            places[name](Path(folder), site.server_port) as campaign,
        ):
            said[name] = run(campaign, site, share, until, chosen.seed)
    print(json.dumps(said, indent=1))
    sys.exit(1 if not said or any(one["wrong"] for one in said.values()) else 0)


if __name__ == "__main__":
    main()

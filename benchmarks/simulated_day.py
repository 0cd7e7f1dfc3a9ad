"""
A day of scheduled rounds in minutes, with faults all the while; then everything is counted.

    python benchmarks/simulated_day.py [--seconds 300] [--posts 4000] [--seed 1] [--only sqlite]

`raccroche schedule` runs as a process of its own on a clock that makes 24 hours of *seconds*. Three
servers on loopback get posts over the day; by turns they refuse, fail, dawdle, cut off or answer
another page. The scheduler is killed (SIGKILL) or told to stop (SIGTERM) at random moments and
started again; at noon the clock is set back an hour; where a small disk can be mounted, it is full
for moments. A reader asks what the dashboard asks. In the end the servers are well, rounds run
until nothing is new, and posts, labels, counts, the published dataset and the alerts sent are
compared with what the servers hold. Prints JSON; exit code 1 when anything is wrong.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import time_machine

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.reading import Report, reader
from raccroche import schedule
from raccroche.cli import app
from raccroche.errors import RaccrocheError
from raccroche.labelling import shown_labeller
from raccroche.store import Filters, Store
from tests.servers import postgres
from tests.servers.inbox import Inbox, inbox
from tests.servers.mastodon import Mastodon, _Handler

MORNING = datetime(2026, 11, 18, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)
SET_BACK = timedelta(hours=1)
PAST = 120  # days of history, so that a rise can be seen
BRANDS = ("Orange", "Free", "MAIF", "Sofinco", "Bouygues Telecom")
RISING = "MAIF"
FAULTS = ("refused", "failing", "slow", "cut", "changed", "reset")
CONFIG = """
[store]
url = "{url}"
[collect]
contact = "benchmark@observatoire.example"
allow_hosts = [{hosts}]
rate = 100000.0
timeout = 2.0
archive = "warc"
cache = "cache.sqlite3"
[nlp]
labeller = "rules"
batch_size = 64
[privacy]
key_file = "key"
[schedule]
cron = "*/20 * * * *"
timezone = "Europe/Paris"
jitter_seconds = 60
health_file = "health.json"
metrics_file = "raccroche.prom"
publish = "published"
[alerts]
feed = "alerts.atom"
notify = ["json://127.0.0.1:{inbox}/hook"]
"""
SOURCE = """
[sources.{name}]
platform = "mastodon"
enabled = true
purpose = "benchmark"
instance = "{url}"
tags = ["demarchage"]
cron = "{cron}"
"""
CRONS = {"one": "*/20 * * * *", "two": "7,37 * * * *", "three": "15 * * * *"}


class Troubled(Mastodon):
    """A server with a *mood*: "" or one of FAULTS."""

    def __init__(self) -> None:
        super().__init__()
        self.RequestHandlerClass = _Moody
        self.mood = ""
        self.met: Counter[str] = Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed leaves; that is no news."""


class _Moody(_Handler):
    server: Troubled

    def do_GET(self) -> None:
        mood = self.server.mood if "/api/" in self.path else ""
        self.server.met[mood] += 1
        if mood == "refused":
            self._send(403, b"no")
        elif mood == "failing":
            self._send(500, b"{}")
        elif mood == "changed":
            self._send(200, b"<html><body>Nouvelle version du site</body></html>")
        elif mood == "cut":
            self.send_response(200)
            self.send_header("content-length", "5000")
            self.end_headers()
            self.wfile.write(b'[{"id": "1", ')
            self.close_connection = True
        elif mood == "reset":
            self.close_connection = True
        else:
            time.sleep(0.3 if mood == "slow" else 0)
            super().do_GET()


@dataclass
class Clock:
    """24 hours in *seconds*, for every process; *shift* is by how many seconds it was set back."""

    seconds: float
    shift: "Synchronized[float]"
    began: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        passed = (time.monotonic() - self.began) / self.seconds
        return MORNING + passed * DAY - timedelta(seconds=self.shift.value)

    @property
    def over(self) -> bool:
        return time.monotonic() - self.began > self.seconds


@dataclass
class Day:
    """One dialect: where all lies, what was done to it, and what is wrong."""

    folder: Path
    url: str
    sites: dict[str, Troubled]
    clock: Clock
    draw: random.Random
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def place(self) -> str:
        return self.url if "://" in self.url else f"sqlite:///{self.folder / self.url}"

    def write_config(self, letters: Inbox) -> None:
        hosts = ", ".join(f'"127.0.0.1:{site.server_port}"' for site in self.sites.values())
        head = CONFIG.format(url=self.url, hosts=hosts, inbox=letters.server_port)
        parts = [
            SOURCE.format(name=name, url=site.url, cron=CRONS[name])
            for name, site in self.sites.items()
        ]
        self.config.write_text(head + "".join(parts), encoding="utf-8")


# What happens ------------------------------------------------------------------------------------


def write_past(day: Day) -> int:
    """Two posts a day and brand, before the day that is watched."""
    numbers = iter(range(1, 1_000_000))
    for back in range(PAST, 0, -1):
        for at in range(2 * len(BRANDS)):
            moment = MORNING - timedelta(days=back) + timedelta(minutes=61 * at)
            add(day, next(numbers), BRANDS[at % len(BRANDS)], moment)
    return next(numbers)


def add(day: Day, number: int, brand: str, moment: datetime) -> None:
    site = list(day.sites.values())[number % len(day.sites)]
    text = f"{brand} m'appelle {number} fois par jour malgré Bloctel, c'est pénible, cas {number}"
    site.add(number, text, moment, f"temoin{number % 97}")


def live(day: Day, posts: int, first: int) -> None:
    """Posts come all day, and the servers' moods change, until the day is over."""
    written, change = 0, 0.0
    while not day.clock.over:
        passed = min(1.0, (time.monotonic() - day.clock.began) / day.clock.seconds)
        for number in range(first + written, first + int(posts * passed)):
            # after ten o'clock one brand calls far more than it did
            loud = passed > 0.4 and number % 3 == 0
            add(day, number, RISING if loud else BRANDS[number % len(BRANDS)], day.clock.now())
            written += 1
        if passed > change:
            change = passed + day.draw.uniform(0.01, 0.06)
            site = day.draw.choice(list(day.sites.values()))
            site.mood = "" if site.mood else day.draw.choice(FAULTS)
        time.sleep(0.02)
    for number in range(first + written, first + posts):
        add(day, number, BRANDS[number % len(BRANDS)], day.clock.now())
    for site in day.sites.values():
        site.mood = ""


def scheduler(config: Path, clock: Clock, said: Path, command: str = "schedule") -> None:
    """`raccroche COMMAND` on the fast clock, in this process."""
    schedule.LOOK = 0.02
    with (
        said.open("a", encoding="utf-8") as file,
        redirect_stdout(file),
        redirect_stderr(file),
        time_machine.travel(clock.now().timestamp(), tick=False) as traveller,
    ):
        threading.Thread(target=_advance, args=(traveller, clock), daemon=True).start()
        try:
            sys.exit(app(["-c", str(config), command], standalone_mode=False) or 0)
        except RaccrocheError as error:
            print(f"raccroche: {error}")
            sys.exit(1)


def _advance(traveller: "time_machine.Coordinates", clock: Clock) -> None:
    while True:
        traveller.move_to(clock.now().timestamp())
        time.sleep(0.005)


def start(day: Day, command: str = "schedule") -> multiprocessing.Process:
    arguments = (day.config, day.clock, day.folder.parent / f"{command}.log", command)
    child = multiprocessing.get_context("fork").Process(target=scheduler, args=arguments)
    child.start()
    return child


def trouble(day: Day, disk: bool) -> None:
    """Keep a scheduler running and end it again and again, until the day is over."""
    running = start(day)
    turned = False
    while not day.clock.over:
        time.sleep(day.draw.uniform(0.02, 0.05) * day.clock.seconds)
        if not turned and day.clock.now() > MORNING + DAY / 2:
            turned = True
            day.clock.shift.value += SET_BACK.total_seconds()
            day.done["clock set back an hour"] += 1
        what = day.draw.choice(("kill", "kill", "stop", "none", "disk" if disk else "none"))
        if what == "disk":
            fill_for_a_moment(day)
        if what in ("kill", "stop") or not running.is_alive():
            end(day, running, what)
            running = start(day)
    end(day, running, "stop")


def fill_for_a_moment(day: Day) -> None:
    ballast = day.folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 65_536):
            pass
    time.sleep(0.02 * day.clock.seconds)
    ballast.unlink()
    day.done["disk full"] += 1


def end(day: Day, running: multiprocessing.Process, how: str) -> None:
    """SIGKILL or SIGTERM; a scheduler that ended by itself is a fault."""
    if not running.is_alive():
        day.done["ended by itself"] += 1
        words = f"the scheduler ended by itself with {running.exitcode}: {last_words(day)}"
        day.wrong.append(words)
    elif how == "kill":
        os.kill(running.pid or 0, signal.SIGKILL)
        day.done["SIGKILL"] += 1
    elif how == "stop":
        os.kill(running.pid or 0, signal.SIGTERM)
        day.done["SIGTERM"] += 1
        running.join(90)
        if running.exitcode not in (0, -signal.SIGTERM):  # the latter: it had not begun yet
            day.wrong.append(f"after SIGTERM: exit code {running.exitcode}: {last_words(day)}")
            running.kill()
    running.join()


def last_words(day: Day) -> str:
    return (day.folder.parent / "schedule.log").read_text("utf-8")[-300:]


# What is left -------------------------------------------------------------------------------------


def settle(day: Day) -> None:
    """Rounds until nothing is new: what the faults held up comes now."""
    for _ in range(6):
        last = start(day, "run")
        last.join()
        with Store.open(day.place) as store:
            new = sum(run.new for run in store.last_runs().values())
            if last.exitcode == 0 and not new and not store.status().pending:
                return
    day.wrong.append(f"the last rounds did not settle: exit code {last.exitcode}")


def count(day: Day, letters: Inbox, read: Report) -> dict[str, object]:
    """Compare everything with what the servers hold."""
    expected = {str(s["id"]) for site in day.sites.values() for s in site.statuses}
    with Store.open(day.place) as store:
        rows = list(store.iterate(Filters(shown_labeller(store), with_copies=True)))
        found = Counter(row.post.native_id for row in rows)
        day.wrong += store.check()
        filters = Filters(shown_labeller(store))
        before = store.totals(filters), store.daily_counts(filters).to_dict()
        store.rebuild_counts()
        if before != (store.totals(filters), store.daily_counts(filters).to_dict()):
            day.wrong.append("counts differ from a fresh rebuild")
        alerts = store.alerts(limit=1000)
        runs = store.runs(100_000)
    unlabelled = sum(row.labels is None for row in rows)
    for many, words in (
        (len(expected - found.keys()), "lost"),
        (len(found.keys() - expected), "from nowhere"),
        (sum(many > 1 for many in found.values()), "doubled"),
        (unlabelled, "without labels"),
    ):
        if many:
            day.wrong.append(f"{many} posts {words}")
    if (rows_out := published(day)) != len(expected):
        day.wrong.append(f"{rows_out} rows published, not {len(expected)}")
    sent = Counter(json.loads(text)["title"] for text in letters.received)
    if unsent := [one for one in alerts if "apprise" not in one.sent]:
        day.wrong.append(f"{len(unsent)} alerts were not sent")
    if not any(one.brand == RISING for one in alerts):
        day.wrong.append("the rise raised no alert")
    twice = sum(letters_sent > 1 for letters_sent in sent.values())
    if twice > day.done["SIGKILL"]:
        day.wrong.append(f"{twice} alerts were sent more than once")
    day.wrong += [f"reader: {said}" for said in read["wrong"][:20]]
    return {
        "posts": len(expected),
        "runs_recorded": len(runs),
        "runs_by_verdict": Counter(str(run.verdict) for run in runs),
        "faults": day.done,
        "answers_by_mood": sum((site.met for site in day.sites.values()), Counter()),
        "alerts": len(alerts),
        "alerts_sent_twice_by_a_kill": twice,
        "reader": {name: value for name, value in read.items() if name != "wrong"},
        "wrong": day.wrong,
    }


def published(day: Day) -> int:
    manifest = json.loads((day.folder / "published/manifest.json").read_text("utf-8"))
    return sum(int(one["rows"]) for one in manifest["files"] if "posts" in one["path"])


def simulate(day: Day, letters: Inbox, posts: int, *, disk: bool) -> dict[str, object]:
    day.write_config(letters)
    first = write_past(day)
    Store.open(day.place).close()
    living = threading.Thread(target=live, args=(day, posts, first))
    day.clock.began = time.monotonic()
    living.start()
    with reader(day.config, day.folder.parent) as read:
        trouble(day, disk)
        living.join()
        settle(day)
    return count(day, letters, read)


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Whether *folder* is a disk of its own that can be filled."""
    command = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    mounted = mounted and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def sites() -> Iterator[dict[str, Troubled]]:
    with ExitStack() as stack:
        found = {name: stack.enter_context(Troubled()) for name in CRONS}
        for site in found.values():
            threading.Thread(target=site.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(site.shutdown)
        yield found


def run(name: str, seconds: float, posts: int, seed: int) -> dict[str, object]:
    """The day on one dialect."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "home"
        folder.mkdir()
        disk = stack.enter_context(small_disk(folder))
        url = "db.sqlite3"
        if name == "postgresql":
            url = stack.enter_context(postgres.database(stack.enter_context(postgres.server())))
        clock = Clock(seconds, multiprocessing.Value("d", 0.0))
        day = Day(folder, url, stack.enter_context(sites()), clock, random.Random(seed))
        return simulate(day, stack.enter_context(inbox()), posts, disk=disk)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.strip().split("\n")[0])
    options.add_argument("--seconds", type=float, default=300, help="that the day takes")
    options.add_argument("--posts", type=int, default=4000, help="of that day")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", choices=("sqlite", "postgresql"))
    chosen = options.parse_args()
    names = ["sqlite"] + ["postgresql"] * (postgres.binaries() is not None)
    said = {
        name: run(name, chosen.seconds, chosen.posts, chosen.seed)
        for name in names
        if chosen.only in (None, name)
    }
    print(json.dumps(said, indent=1))
    sys.exit(1 if not said or any(one["wrong"] for one in said.values()) else 0)


if __name__ == "__main__":
    main()

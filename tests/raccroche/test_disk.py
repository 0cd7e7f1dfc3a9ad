"""A full, a read-only disk, a locked database: one sentence from every command, nothing lost."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raccroche import config as configuration
from raccroche.errors import StoreError
from raccroche.labelling import shown_labeller
from raccroche.routine import collect
from raccroche.store import Filters, Store
from tests.servers.mastodon import Mastodon, mastodon

pytestmark = pytest.mark.slow
FIRST, MORE = 120, 400
CONFIG = """
[store]
url = "db.sqlite3"
[collect]
contact = "test@example.org"
allow_hosts = ["127.0.0.1:{port}"]
rate = 10000.0
archive = "warc"
cache = "cache.sqlite3"
[nlp]
labeller = "rules"
[privacy]
key_file = "key"
[schedule]
health_file = "health.json"
metrics_file = "raccroche.prom"
publish = "published"
[alerts]
feed = "alerts.atom"
[sources.tag]
platform = "mastodon"
enabled = true
purpose = "test"
instance = "http://127.0.0.1:{port}"
tags = ["demarchage"]
"""


def write_posts(site: Mastodon, first: int, many: int) -> None:
    for n in range(first, first + many):
        at = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=n)
        text = f"Orange m'appelle {n} fois par jour malgré Bloctel, c'est pénible " + "encore " * 40
        site.add(n, text, at, f"temoin{n % 20}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """
    An installation with 120 posts labelled, 400 more to come; beside it, on a disk with room, what
    `import` and `restore` read.
    """
    folder = tmp_path_factory.mktemp("made")
    home, path = folder / "home", folder / "home" / "config.toml"
    home.mkdir()
    with mastodon() as site:
        write_posts(site, 1, FIRST)
        path.write_text(CONFIG.format(port=site.server_port), encoding="utf-8")
        for command in (["collect"], ["label"], ["backup", str(folder / "backup.sqlite3")]):
            done = raccroche(path, *command)
            assert done.returncode == 0, done.stderr
        write_posts(site, 1000, MORE)
        yield folder


@pytest.fixture
def other(made: Path, tmp_path: Path) -> Path:
    """A folder on a disk with room."""
    folder = tmp_path / "other"
    folder.mkdir()
    rows = [f"i{n},{'Orange appelle encore, ' * 60}{n}" for n in range(4000)]
    (folder / "posts.csv").write_text("id,text\n" + "\n".join(rows), encoding="utf-8")
    shutil.copy(made / "backup.sqlite3", folder)
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Iterator[Path]:
    """The installation's config.toml, on a disk of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a small disk")
    options = ["-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    done = subprocess.run(["mount", *options], capture_output=True)
    if done.returncode:
        pytest.skip(f"no small disk here: {done.stderr.decode().strip()}")
    shutil.copytree(made / "home", folder, dirs_exist_ok=True)
    yield folder / "config.toml"
    subprocess.run(["umount", "-l", str(folder)], check=True)


def raccroche(config: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "raccroche", "-c", str(config), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def fill(folder: Path) -> Path:
    """A file that leaves the disk without a free byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (65_536, 4_096, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return ballast


def one_sentence(done: "subprocess.CompletedProcess[str]") -> str:
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    assert lines, done.stdout
    assert lines[-1].startswith("raccroche: "), done.stderr
    return lines[-1]


def posts(config: Path) -> int:
    """How many posts are stored; all that is there must be sound."""
    with Store.open(configuration.load(config).store_url) as store:
        assert store.check() == []
        labels = store.totals(Filters(shown_labeller(store), with_copies=True)).posts
        assert labels >= FIRST
        return store.status().posts


Arguments = Callable[[Path, Path], list[str]]
COMMANDS: dict[str, Arguments] = {
    "collect": lambda disk, other: ["collect"],
    "run": lambda disk, other: ["run"],
    "label": lambda disk, other: ["label", "--labeller", "embedded"],
    "export": lambda disk, other: ["export", str(disk / "out"), "--format", "jsonl"],
    "export csv": lambda disk, other: ["export", str(disk / "out.csv"), "--format", "csv"],
    "export parquet": lambda disk, other: ["export", str(disk / "out"), "--format", "parquet"],
    "import": lambda disk, other: ["import", str(other / "posts.csv")],
    "copy": lambda disk, other: ["copy", "--to", str(disk / "copy.sqlite3")],
    "backup": lambda disk, other: ["backup", str(disk / "backup.sqlite3")],
    "restore": lambda disk, other: ["restore", str(other / "backup.sqlite3")],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_one_sentence_and_the_command_goes_on_when_there_is_room(
    home: Path, other: Path, name: str
) -> None:
    ballast = fill(home.parent)
    arguments = COMMANDS[name](home.parent, other)
    said = one_sentence(raccroche(home, *arguments))
    assert "full" in said or "No space" in said, said
    ballast.unlink()
    assert posts(home) >= FIRST
    if name == "import":  # more than the disk ever holds
        (other / "posts.csv").write_text("id,text\ni1,Orange appelle\n", encoding="utf-8")
    done = raccroche(home, *arguments)
    assert done.returncode == 0, (done.stdout, done.stderr)
    expected = {"collect": FIRST + MORE, "run": FIRST + MORE, "import": FIRST + 1}
    assert posts(home) == expected.get(name, FIRST)


def test_an_erasure_on_a_full_disk_is_whole_or_said_to_fail(home: Path) -> None:
    """Erasing may need room to rewrite the file; what is said is what was done."""
    ballast = fill(home.parent)
    with Store.open(configuration.load(home).store_url, read_only=True) as store:
        post = store.unlabelled("nobody@1", 1)[0]
    arguments = ["erase", "--post", post.id]
    done = raccroche(home, *arguments)
    if done.returncode:
        one_sentence(done)
    ballast.unlink()
    again = raccroche(home, *arguments)
    assert again.returncode == 0, again.stderr
    with Store.open(configuration.load(home).store_url) as store:
        assert store.check() == []
        assert store.status().posts == FIRST - 1
    data = b"".join(p.read_bytes() for p in home.parent.glob("db.sqlite3*"))
    assert post.text.encode() not in data


def test_a_read_only_disk_is_one_sentence_and_can_be_looked_at(home: Path, other: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(home.parent)], check=True)
    for arguments in COMMANDS.values():
        said = one_sentence(raccroche(home, *arguments(home.parent, other)))
        assert "ead-only" in said, said
    for command, code in (("status", 0), ("register", 0), ("doctor", 1)):
        done = raccroche(home, command)
        assert done.returncode == code, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(home.parent)], check=True)
    assert posts(home) == FIRST


def test_a_database_locked_by_another_program_is_one_sentence(home: Path, other: Path) -> None:
    with closing(sqlite3.connect(home.parent / "db.sqlite3", isolation_level=None)) as program:
        program.execute("begin exclusive")
        with ThreadPoolExecutor() as pool:
            waiting = [
                pool.submit(raccroche, home, *COMMANDS[name](home.parent, other))
                for name in ("collect", "label", "import", "run")
            ]
            for one in waiting:
                assert "locked by another program" in one_sentence(one.result())
        program.execute("rollback")
    assert posts(home) == FIRST


def test_a_disk_that_fills_while_sources_are_read_is_one_sentence(
    home: Path,
) -> None:
    """The archive of raw answers meets the full disk first, in the middle of a collection."""
    with Store.open(configuration.load(home).store_url) as store:
        ballast = fill(home.parent)
        loaded = configuration.load(home)
        with pytest.raises(StoreError, match="full|No space"):
            asyncio.run(collect(loaded, store))
        ballast.unlink()
        assert asyncio.run(collect(loaded, store))[0].new == MORE
    assert posts(home) == FIRST + MORE

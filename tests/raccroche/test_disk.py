"""A full, a read-only disk, a locked database: one sentence from every command, nothing lost."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from raccroche import config as configuration
from raccroche.alerts.notify import send_alerts
from raccroche.errors import StoreError
from raccroche.labelling import shown_labeller
from raccroche.routine import collect
from raccroche.store import Alert, Filters, Store
from tests.servers import forked
from tests.servers.inbox import inbox
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
    with TemporaryDirectory() as said:
        return forked.run(config, Path(said), *arguments)


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
    "purge": lambda disk, other: ["purge"],
    "object": lambda disk, other: ["object", "--author", "temoin1", "--platform", "mastodon"],
    "rebuild-counts": lambda disk, other: ["rebuild-counts"],
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
    with Store.open(configuration.load(home).store_url) as store:
        erase = ["erase", "--post", store.unlabelled("nobody@1", 1)[0].id]
    subprocess.run(["mount", "-o", "remount,ro", str(home.parent)], check=True)
    for arguments in COMMANDS.values():
        said = one_sentence(raccroche(home, *arguments(home.parent, other)))
        assert "ead-only" in said, said
    assert "ead-only" in one_sentence(raccroche(home, *erase))
    for command, code in (("status", 0), ("register", 0), ("doctor", 1)):
        done = raccroche(home, command)
        assert done.returncode == code, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(home.parent)], check=True)
    assert posts(home) == FIRST  # nothing went by halves
    assert raccroche(home, *erase).returncode == 0
    with Store.open(configuration.load(home).store_url) as store:
        assert store.status().posts == FIRST - 1


def test_a_purge_on_a_full_disk_is_whole_or_said_to_fail(home: Path) -> None:
    """Every text is older than a day; blanking them rewrites the file."""
    text = home.read_text("utf-8").replace('key_file = "key"', 'key_file = "key"\ntext_days = 1')
    home.write_text(text, encoding="utf-8")
    ballast = fill(home.parent)
    done = raccroche(home, "purge")
    if done.returncode:
        said = one_sentence(done)
        assert "full" in said or "No space" in said, said
    ballast.unlink()
    assert posts(home) == FIRST
    again = raccroche(home, "purge")
    assert again.returncode == 0, again.stderr
    with Store.open(configuration.load(home).store_url) as store:
        assert {post.text for post in store.unlabelled("nobody@1", 1000)} == {""}
        assert store.check() == []
    assert posts(home) == FIRST
    data = b"".join(p.read_bytes() for p in home.parent.glob("db.sqlite3*"))
    assert b"encore encore" not in data


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_training_without_room_is_said_before_it_begins_and_the_old_model_stays(
    home: Path, other: Path, fault: str
) -> None:
    model, card = home.parent / "ours.npz", home.parent / "CARD.md"
    model.write_bytes(b"old model")
    card.write_text("old card", encoding="utf-8")
    rows = other / "rows.jsonl"
    row = {"id": "1", "text": "Orange appelle", "sentiment": "negative", "phone_harassment": True}
    rows.write_text(json.dumps(row) + "\n", encoding="utf-8")
    if fault == "full":
        fill(home.parent)
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(home.parent)], check=True)
    said = one_sentence(raccroche(home, "train", str(rows), "--out", str(model), "--repeats", "0"))
    assert ("No space" if fault == "full" else "ead-only") in said, said
    assert (model.read_bytes(), card.read_text("utf-8")) == (b"old model", "old card")
    assert not list(home.parent.glob(".ours*"))


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


def test_an_alert_that_a_full_disk_does_not_let_be_noted_is_not_sent(home: Path) -> None:
    """A note that changes nothing writes nothing: it would succeed, and the next one fail."""
    alert = Alert(
        brand="Mandarine", signal="", period="2026-W47", observed=9, expected=1, bound=4, posts=9,
        authors=7, repost_share=0.0,
    )  # fmt: skip
    with inbox() as server:
        notify = f'feed = ""\nnotify = ["json://127.0.0.1:{server.server_port}/hook"]'
        text = home.read_text("utf-8").replace('feed = "alerts.atom"', notify)
        home.write_text(text, encoding="utf-8")
        loaded = configuration.load(home)
        with Store.open(loaded.store_url) as store:
            store.add_alerts([alert])
        with Store.open(loaded.store_url) as store:
            ballast = fill(home.parent)
            for _ in range(2):
                with pytest.raises(StoreError, match="full"):
                    send_alerts(loaded, store)
            assert server.received == []
            ballast.unlink()
            assert send_alerts(loaded, store) == 1
            assert send_alerts(loaded, store) == 0
        assert len(server.received) == 1

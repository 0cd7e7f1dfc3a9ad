"""Kills, full and read-only disks, locks and broken files: one sentence each, and nothing lost."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from raccroche.errors import StoreError
from raccroche.store import Filters, Store
from tests.raccroche.store.samples import MODEL, crowd, ids, labels, mention, post

ROOT = Path(__file__).parents[3]
WORKER = """
import sys
sys.path.insert(0, sys.argv[2])
from raccroche.store import Store
from tests.raccroche.store.samples import crowd
posts, labels = crowd(900, seed=int(sys.argv[3]))
with Store.open(sys.argv[1]) as store:
    start = int(store.cursor("blog").get("at", 0))
    print("ready", flush=True)
    for at in range(start, len(posts), 10):
        store.add_page("blog", posts[at : at + 10], cursor={"at": str(at + 10)})
        store.add_labels(labels[at : at + 10])
"""


def test_a_killed_collector_loses_and_doubles_nothing(store: Store, url: str) -> None:
    draw = random.Random(7)
    expected = [one.id for one in crowd(900, seed=3)[0]]
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, str(ROOT), "3"], stdout=subprocess.PIPE, text=True
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.05, 0.4))
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(10)
        worker.stdout.close()
        time.sleep(0.2)  # until the PostgreSQL server has rolled back
        at = int(store.cursor("blog").get("at", 0))
        assert store.known_ids(expected) == set(expected[:at]), "posts and cursor moved together"
        assert store.check() == []
    assert at > 0


def test_threads_read_while_another_writes(store: Store) -> None:
    posts, said = crowd(200)
    wrong: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            totals = store.totals(Filters(MODEL))
            listed = store.posts(Filters(MODEL), size=500).rows
            if not totals.harassment <= totals.posts <= 200 or len(listed) > 200:
                wrong.append(f"{totals}")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for at in range(0, 200, 20):
        store.add_page("blog", posts[at : at + 20])
        store.add_labels(said[at : at + 20])
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert store.check() == []


def test_several_writers_at_once_lose_nothing(
    store: Store, open_store: Callable[..., Store]
) -> None:
    posts, said = crowd(240)
    failed: list[Exception] = []

    def write(part: int) -> None:
        own = open_store(timeout=30.0)
        try:
            for at in range(part * 20, 240, 80):
                own.add_page(f"source{part}", posts[at : at + 40], cursor={"at": str(at)})
                own.add_labels(said[at : at + 40])
        except StoreError as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    assert store.status().posts == 240
    assert store.check() == []
    store.add_labels(said)
    assert store.unlabelled(MODEL, 10) == []


def test_a_database_locked_by_another_program_is_said_so(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db", timeout=0.2) as store:
        store.add_page("blog", [post("1")])
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
            other.execute("begin exclusive")
            with pytest.raises(StoreError, match="locked by another program"):
                store.add_page("blog", [post("2")])
            assert store.status().posts == 1, "reading goes on"
            other.execute("rollback")
        assert store.add_page("blog", [post("2")]).new == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"this is a text, not a database" * 200, "not a database"),
        (b"SQLite format 3\0" + b"\xff" * 8000, "damaged|malformed|not a database"),
    ],
)
def test_a_file_that_is_no_database_is_said_so_and_left_alone(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "a.db"
    file.write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=words):
            Store.open(file, read_only=read_only)
    assert file.read_bytes() == content


def test_a_damaged_database_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with Store.open(file) as store:
        posts, said = crowd(200)
        store.add_page("blog", posts)
        store.add_labels(said)
    data = bytearray(file.read_bytes())
    for at in range(8192, len(data) - 4096, 8192):
        data[at : at + 4096] = b"\xa5" * 4096
    file.write_bytes(bytes(data))
    with pytest.raises(StoreError, match="damaged"), Store.open(file) as store:
        list(store.iterate(Filters(MODEL)))


def test_another_programs_database_is_not_taken_for_ours(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("create table recipes (name text)")
        other.commit()
    with pytest.raises(StoreError, match="not a Raccroche database"):
        Store.open(file, read_only=True)


def test_a_missing_database_is_not_made_by_a_reader(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database at"):
        Store.open(tmp_path / "a.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://localhost/a", "only SQLite and PostgreSQL"),
        ("sqlite://", "needs a file"),
        ("postgresql://nobody:hunter2@127.0.0.1:1/none", "does not answer"),
        ("://", "not one"),
    ],
)
def test_an_address_that_cannot_be_opened_is_said_so_without_its_password(
    url: str, words: str
) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        Store.open(url)
    assert "hunter2" not in str(caught.value)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        Store.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store.open(tmp_path / "file" / "a.db")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"no small disk here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_so_and_what_was_stored_is_whole(small_disk: Path) -> None:
    with Store.open(small_disk / "a.db") as store:
        stored = 0

        def fill() -> None:
            nonlocal stored
            for page in range(1000):
                words = "mot " * 50
                found = [
                    post(f"{page}-{n}", f"Page {page}, message {n} {words}") for n in range(50)
                ]
                store.add_page("blog", found, cursor={"page": str(page)})
                stored += 50

        with pytest.raises(StoreError, match="full"):
            fill()
        assert store.status().posts == stored > 0
        assert store.cursor("blog") == {"page": str(stored // 50 - 1)}
        assert store.check() == []
        with pytest.raises(StoreError, match="full|cannot be written"):
            store.backup(small_disk / "b.db")
        assert not (small_disk / "b.db").exists()


def test_a_read_only_disk_can_be_read_and_a_write_says_why_not(small_disk: Path) -> None:
    with Store.open(small_disk / "a.db") as store:
        store.add_page("blog", [post("1")])
        store.add_labels([labels(post("1"), mention())])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store.open(small_disk / "a.db", read_only=True) as reader:
        assert ids(reader.posts(Filters(MODEL)).rows) == ["1"]
    with pytest.raises(StoreError, match="[Rr]ead-only|cannot be opened"):
        Store.open(small_disk / "a.db")

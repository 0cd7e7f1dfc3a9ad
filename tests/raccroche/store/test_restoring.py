"""What a restore must not lose: what another program wrote, older files, and persons' requests."""

import logging
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from raccroche.errors import StoreError
from raccroche.store import Store
from tests.raccroche.store.samples import labels, mention, post


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def saved(tmp_path: Path, place: Path) -> Path:
    """A backup of a store with posts 1 to 3, the third by the author of the second."""
    with Store.open(place) as store:
        store.add_page("blog", [post("1", author="ada"), post("2", author="bo")])
        store.add_page(
            "blog", [post("3", "Encore un appel !", author="bo", url="https://b.example/3")]
        )
        store.add_labels([labels(post(n).id, mention()) for n in "123"])
        return store.backup(tmp_path / "saved.db")


def ids(path: Path) -> set[str]:
    with closing(connect(path)) as conn:
        return {row[0].rsplit(":", 1)[1] for row in conn.execute("select id from posts")}


IDLE = """
import sys
from raccroche.post import Post
from raccroche.store import Store
with Store.open(sys.argv[1]) as store:
    store.add_page("blog", [Post("blog/a", "blog", "later", "Un texte.")])
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_store_that_another_process_has_open_is_not_replaced(saved: Path, place: Path) -> None:
    command = [sys.executable, "-c", IDLE, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreError, match="another program"):
            Store.restore(saved, place)
        other.communicate(b"", timeout=30)
    assert ids(place) == {"1", "2", "3", "later"}
    Store.restore(saved, place)
    assert ids(place) == {"1", "2", "3"}


def test_a_store_that_is_being_collected_into_is_not_replaced(saved: Path, place: Path) -> None:
    with Store.open(place) as store:
        lock = store.lock("run")
    with lock, pytest.raises(StoreError, match="another Raccroche .* is at work"):
        Store.restore(saved, place)


def test_what_a_killed_program_left_in_the_log_is_kept(saved: Path, place: Path) -> None:
    code = IDLE.replace("sys.stdin.read()", "import os; os._exit(9)")
    subprocess.run([sys.executable, "-c", code, str(place)], check=False, capture_output=True)
    assert place.with_name("a.db-wal").stat().st_size > 0
    Store.restore(saved, place)
    assert ids(place) == {"1", "2", "3"}
    assert ids(place.with_name("a.db.before")) == {"1", "2", "3", "later"}


def test_each_restore_keeps_the_file_it_replaced(saved: Path, place: Path) -> None:
    for n in "45":
        with Store.open(place) as store:
            store.add_page("blog", [post(n, f"Un autre texte, le numéro {n}")])
        Store.restore(saved, place)
    assert ids(place.with_name("a.db.before")) == {"1", "2", "3", "4"}
    assert ids(place.with_name("a.db.before-2")) == {"1", "2", "3", "5"}


def test_a_store_is_not_restored_from_itself(saved: Path, place: Path) -> None:
    with pytest.raises(StoreError, match="the database itself"):
        Store.restore(place, place)
    assert ids(place) == {"1", "2", "3"}
    assert not place.with_name("a.db.before").exists()


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ({"authors": ["bo"]}, {"1"}),
        ({"urls": ["https://b.example/3"]}, {"1", "2"}),
        ({"post_ids": [post("1").id]}, {"2", "3"}),
    ],
)
def test_what_was_erased_since_the_backup_stays_erased(
    saved: Path,
    place: Path,
    caplog: pytest.LogCaptureFixture,
    named: dict[str, list[str]],
    left: set[str],
) -> None:
    with Store.open(place) as store:
        erased = store.erase(**named, reason="asked")  # type: ignore[arg-type]
        log = store.takedowns()
    with caplog.at_level(logging.WARNING):
        Store.restore(saved, place)
    assert f"{erased.posts} posts that were erased since had come back" in caplog.text
    assert ids(place) == left
    assert b"bo" in saved.read_bytes()
    with Store.open(place) as store:
        assert store.takedowns() == log
        assert store.check() == []
        assert store.suppressed(post("3", author="bo", url="https://b.example/3")) == (
            "3" not in left
        )


def test_no_byte_of_an_erased_text_is_left_in_a_restored_file(saved: Path, place: Path) -> None:
    with Store.open(place) as store:
        store.erase(post_ids=[post("3").id])
    assert b"Encore un appel" in saved.read_bytes()
    Store.restore(saved, place)
    assert b"Encore un appel" not in place.read_bytes()


def test_an_objection_since_the_backup_is_kept_and_removes_nothing(
    saved: Path, place: Path
) -> None:
    with Store.open(place) as store:
        store.suppress(authors=["bo"], reason="objection")
    Store.restore(saved, place)
    assert ids(place) == {"1", "2", "3"}
    with Store.open(place) as store:
        assert "bo" in store.refused_authors()
        assert store.add_page("blog", [post("4", "Rien de tel.", author="bo")]).new == 0


def test_a_damaged_store_is_replaced_and_what_is_lost_is_said(
    saved: Path, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.write_bytes(b"not a database" * 1000)
    with caplog.at_level(logging.WARNING):
        Store.restore(saved, place)
    assert "make them again" in caplog.text
    assert ids(place) == {"1", "2", "3"}
    assert place.with_name("a.db.before").read_bytes().startswith(b"not a database")

"""Migrations, checks, backups and copies."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import inspect, select

from raccroche.errors import StoreError
from raccroche.post import Request
from raccroche.store import Filters, SeriesValue, Store, tables
from tests.raccroche.store.conftest import BOTH, place
from tests.raccroche.store.samples import MODEL, crowd, labels, mention, post
from tests.raccroche.store.test_journal import run
from tests.raccroche.store.test_people import ALERT


def fill(store: Store, many: int = 120) -> None:
    posts, said = crowd(many)
    store.add_page("blog", posts, cursor={"since": "é"}, pending=[Request("https://a.example/2")])
    store.add_labels(said)
    store.add_labels([labels(posts[0], mention(), labeller="human:ada")])
    store.record_run(run())
    store.add_alerts([ALERT])
    store.put_series([SeriesValue("s", "2025", 0.1 + 0.2, "calls", "somebody")])
    store.set_setting("a", {"b": 1})
    store.add_review("random", [posts[0].id])
    store.suppress(authors=["gone"])
    store.add_page(
        "blog", [post("0", "Un texte changé", source=posts[0].source, platform=posts[0].platform)]
    )


def content(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for the note of a copy on itself."""
    with store._db.read() as conn:
        return {
            name: sorted(
                (
                    tuple(row)
                    for row in conn.execute(select(table))
                    if (name, row[0]) != ("settings", "copy")
                ),
                key=repr,
            )
            for name, table in tables.metadata.tables.items()
            if name != "schema_version"
        }


def test_the_tables_are_those_that_the_migrations_make(store: Store) -> None:
    with store._db.read() as conn:
        looked = inspect(conn)
        for name, table in tables.metadata.tables.items():
            made = {column["name"] for column in looked.get_columns(name)}
            # PostgreSQL keeps the words of a post beside it, SQLite in a table of its own
            assert made - {"words"} == {column.name for column in table.columns}, name
            assert set(looked.get_pk_constraint(name)["constrained_columns"]) == {
                column.name for column in table.primary_key
            }, name


def test_a_store_of_an_older_release_is_brought_up_to_date_with_all_its_rows(
    store: Store, open_store: Callable[..., Store]
) -> None:
    fill(store)
    store.rebuild_counts()  # rows in which nothing is left go
    before = content(store)
    with store._db.write() as conn:
        for column in ("author_brand", "reply_to_brand"):
            conn.exec_driver_sql(f"alter table posts drop column {column}")
        conn.exec_driver_sql(f"delete from counts where term_n >= {tables.PAIRS}")
        conn.exec_driver_sql("delete from schema_version where version > 1")
    with pytest.raises(StoreError, match="older schema 1"):
        open_store(read_only=True)

    again = open_store()

    assert content(again) == before
    assert again.check() == []
    assert again.add_page("blog", [post("neuf", reply_to_brand="Pomme")]).new == 1


def test_a_store_that_counted_one_term_at_a_time_counts_two_from_then_on(
    store: Store, open_store: Callable[..., Store]
) -> None:
    fill(store)
    crossed = Filters(MODEL, topics=("phone_harassment",), signals=("robocall", "silent_call"))
    before = store.daily_counts(crossed, ("week", "signal"))
    assert len(before)
    with store._db.write() as conn:
        conn.exec_driver_sql(f"delete from counts where term_n >= {tables.PAIRS}")
        conn.exec_driver_sql("delete from schema_version where version > 2")
    with pytest.raises(StoreError, match="older schema 2.*brings it up to date"):
        open_store(read_only=True)

    again = open_store()

    pd.testing.assert_frame_equal(again.daily_counts(crossed, ("week", "signal")), before)
    assert again.check() == []


def test_a_store_of_a_newer_release_is_refused(
    store: Store, open_store: Callable[..., Store]
) -> None:
    with store._db.write() as conn:
        conn.execute(tables.schema_version.insert().values(version=99, applied=0))
    for read_only in (False, True):
        with pytest.raises(StoreError, match="schema 99.*upgrade"):
            open_store(read_only=read_only)


def test_check_finds_what_does_not_hang_together(store: Store) -> None:
    fill(store)
    assert store.check() == []
    with store._db.write() as conn:
        conn.exec_driver_sql("delete from marks where term_n = (select max(term_n) from marks)")
        conn.exec_driver_sql("delete from labels where post_n in (select post_n from mentions)")
        conn.exec_driver_sql("update arrivals set posts = posts + 1")
    found = " ".join(store.check())
    for words in ("counts differ", "mentions have no labels", "counted on arrival"):
        assert words in found


def test_posts_of_impossible_years_are_counted_with_the_others(store: Store) -> None:
    """A source may say any date, up to the ends of the calendar."""
    days = (
        datetime(1, 1, 2),
        datetime(1969, 7, 1),
        datetime(2025, 1, 1),
        datetime(9999, 12, 31, 23, 30),
    )
    many = [
        post(str(n), f"Un texte bien à lui, de {day:%Y}", published_at=day.replace(tzinfo=UTC))
        for n, day in enumerate(days)
    ]
    store.add_page("blog", many)
    store.add_labels([labels(one.id, mention()) for one in many])
    assert store.check() == []
    before = content(store)["counts"]
    store.rebuild_counts()
    assert content(store)["counts"] == before
    assert store.check() == []
    assert store.totals(Filters(MODEL, end=date.max)).posts == len(many)


def test_a_backup_is_a_whole_store(store: Store, tmp_path: Path) -> None:
    fill(store)
    if store.path is None:
        with pytest.raises(StoreError, match="pg_dump"):
            store.backup(tmp_path / "b.db")
        return
    saved = store.backup(tmp_path / "b.db")
    with Store.open(saved, read_only=True) as copy:
        assert content(copy) == content(store)
    with pytest.raises(StoreError, match="never overwrites"):
        store.backup(saved)


def test_a_restored_store_is_the_one_that_was_saved(tmp_path: Path) -> None:
    place = tmp_path / "a.db"
    with Store.open(place) as store:
        fill(store)
        saved = store.backup(tmp_path / "saved.db")
        before = content(store)
        store.add_page("blog", [post("later")])
    Store.restore(saved, place)
    with Store.open(place) as store:
        assert content(store) == before
        assert store.check() == []
    assert place.with_name("a.db.before").exists()


@pytest.mark.parametrize("harm", ["cut", "other", "missing", "overwritten"])
def test_a_backup_that_is_not_whole_is_never_restored(tmp_path: Path, harm: str) -> None:
    with Store.open(tmp_path / "a.db") as store:
        fill(store)
        saved = store.backup(tmp_path / "saved.db")
    data = saved.read_bytes()
    if harm == "cut":
        saved.write_bytes(data[: len(data) // 2])
    elif harm == "other":
        saved.write_text("not a database")
    elif harm == "missing":
        saved.unlink()
    else:
        saved.write_bytes(data[:8192] + b"\xff" * 40_000 + data[48_192:])
    with pytest.raises(StoreError, match="saved.db"):
        Store.restore(saved, tmp_path / "a.db")
    with Store.open(tmp_path / "a.db") as store:
        assert store.check() == []


@pytest.fixture(params=BOTH)
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    folder = tmp_path / "target"
    folder.mkdir()
    with place(request, folder) as url:
        yield url


def test_a_copy_is_exact_and_goes_on_working(store: Store, target_url: str) -> None:
    fill(store)
    with Store.open(target_url) as target:
        said: list[tuple[str, int, int]] = []
        store.copy_to(target, lambda *step: said.append(step))
        assert content(target) == content(store)
        assert ("posts", 120, 120) in said
        target.add_page("blog", [post("new", author="somebody new", source="x/y", platform="x")])
        target.add_labels([labels("x/y:new", mention("Une marque neuve"), labeller="model@2")])
        assert target.check() == []
        assert (
            target.search("démarchage", Filters(MODEL)).total
            == store.search("démarchage", Filters(MODEL)).total
        )


def test_a_copy_that_was_cut_goes_on_where_it_stopped(store: Store, target_url: str) -> None:
    fill(store)

    class Cut(Exception):
        pass

    def cut_at_labels(table: str, done: int, total: int) -> None:
        if table == "labels":
            raise Cut

    with Store.open(target_url) as target:
        with pytest.raises(Cut):
            store.copy_to(target, cut_at_labels)
        again: list[str] = []
        store.copy_to(target, lambda table, done, total: again.append(table))
        assert "posts" not in again
        assert content(target) == content(store)


def test_a_copy_whose_source_changed_starts_over(store: Store, target_url: str) -> None:
    fill(store)

    def cut(table: str, done: int, total: int) -> None:
        if table == "labels":
            raise KeyboardInterrupt

    with Store.open(target_url) as target:
        with pytest.raises(KeyboardInterrupt):
            store.copy_to(target, cut)
        store.erase(post_ids=[crowd(3)[0][1].id], shrink=False)
        store.copy_to(target)
        assert content(target) == content(store)


def test_a_copy_that_is_whole_is_whole_when_asked_again(store: Store, target_url: str) -> None:
    """A program killed after its last write is started again."""
    fill(store)
    with Store.open(target_url) as target:
        rows = store.copy_to(target)
        before = content(target)
        assert store.copy_to(target) == rows
        assert content(target) == before
        target.add_page("blog", [post("later", author="somebody new")])
        with pytest.raises(StoreError, match="not empty"):
            store.copy_to(target)


def test_a_copy_into_a_store_that_is_not_empty_is_refused(store: Store, target_url: str) -> None:
    fill(store, 10)
    with Store.open(target_url) as target:
        target.add_page("blog", [post("mine")])
        with pytest.raises(StoreError, match="not empty"):
            store.copy_to(target)
        assert target.status().posts == 1


def test_another_programs_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(other)) as conn:
        conn.execute("create table bookmarks (n integer primary key)")
    before = other.read_bytes()
    with pytest.raises(StoreError, match="another program's database .tables: bookmarks"):
        Store.open(other)
    assert other.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.sqlite3"]


def test_a_store_in_a_new_folder_is_made_with_it(tmp_path: Path) -> None:
    with Store.open(tmp_path / "new" / "folder" / "a.db") as store:
        store.add_page("blog", [post("1")])


def test_opening_is_quick_once_the_schema_is_there(
    store: Store, open_store: Callable[..., Store]
) -> None:
    start = time.monotonic()
    open_store().data_version()
    assert time.monotonic() - start < 2


def test_the_file_is_a_plain_sqlite_database(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        fill(store, 5)
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    with closing(sqlite3.connect(tmp_path / "b.db")) as conn:
        assert conn.execute("select count(*) from posts").fetchone() == (5,)
        assert conn.execute("pragma journal_mode").fetchone() == ("wal",)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        fill(store, 5)
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == {"a.db": 0o600, "a.db-shm": 0o600, "a.db-wal": 0o600}


def test_two_processes_may_make_one_store_at_once(url: str) -> None:
    failed: list[Exception] = []

    def open_one() -> None:
        try:
            Store.open(url).close()
        except StoreError as error:
            failed.append(error)

    openers = [threading.Thread(target=open_one) for _ in range(4)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    assert failed == []

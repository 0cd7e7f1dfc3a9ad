"""Keeping the database right: fresh counts, checks, backups, and a copy into another database."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select, text, tuple_, update

from raccroche.errors import StoreError
from raccroche.store import migrations, people
from raccroche.store.engine import Database
from raccroche.store.labelling import touch
from raccroche.store.locks import hold
from raccroche.store.recount import fresh, recount, stretches
from raccroche.store.rows import insert_into
from raccroche.store.tables import (
    CELLS,
    arrivals,
    counters,
    counts,
    labels,
    marks,
    mentions,
    metadata,
    posts,
    schema_version,
    settings,
)
from raccroche.store.tally import Key

_COPY = "copy"  # the setting that says how far a copy has come
_ROWS = 2_000
Progress = Callable[[str, int, int], None]


def rebuild_counts(db: Database) -> int:
    """Count everything again, month by month; how many count rows there are then."""
    with db.read() as conn:
        found = list(stretches(conn))
    for stretch in found:
        with db.write() as conn:
            hold(conn)
            recount(conn, stretch)
            touch(conn)
    with db.read() as conn:
        return int(conn.execute(select(func.count()).select_from(counts)).scalar_one())


def check(db: Database) -> list[str]:
    """What is wrong, a sentence each; nothing if all is well."""
    found = _check_file(db) if db.sqlite else []
    with db.read() as conn:
        return found + _check_counts(conn) + _check_rows(conn)


def _check_file(db: Database) -> list[str]:
    with db.outside() as conn:
        said = [str(row[0]) for row in conn.exec_driver_sql("pragma integrity_check")]
        strays = conn.exec_driver_sql("pragma foreign_key_check").all()
    found = [] if said == ["ok"] else [f"the file is damaged: {line}" for line in said[:10]]
    if strays:
        found.append(f"{len(strays)} rows refer to rows that are gone")
    if db.read_only or found:
        return found
    try:
        with db.write() as conn:
            conn.exec_driver_sql(
                "insert into posts_fts (posts_fts, rank) values ('integrity-check', 1)"
            )
    except StoreError:
        return ["the search index does not match the posts"]
    return []


def _check_counts(conn: Connection) -> list[str]:
    wrong = 0
    for stretch in stretches(conn):
        expected = {key: cells for key, cells in fresh(conn, stretch).cells.items() if any(cells)}
        query = select(counts).where(*stretch.days())
        stored = {key: cells for key, cells in map(_cells, conn.execute(query)) if any(cells)}
        keys = expected.keys() | stored.keys()
        wrong += sum(expected.get(key) != stored.get(key) for key in keys)
    return [f"{wrong} counts differ from the labels: rebuild them"] if wrong else []


def _cells(row: Any) -> tuple[Key, list[int]]:
    key = (row.labeller_n, row.term_n, row.source_n, row.brand_n, row.day)
    return key, [getattr(row, cell) for cell in CELLS]


def _check_rows(conn: Connection) -> list[str]:
    first = posts.alias("first")
    lone = select(func.count()).select_from(
        posts.outerjoin(first, first.c.n == posts.c.group_n)
    ).where(func.coalesce(first.c.group_n, -1) != posts.c.group_n)  # fmt: skip
    questions = {
        "posts are in a group that has no first post": lone,
        "labels are of posts that are gone": _strays(labels, posts, "post_n", "n"),
        "mentions have no labels": _unlabelled(mentions),
        "marks have no labels": _unlabelled(marks),
    }
    found = [(conn.execute(query).scalar_one(), words) for words, query in questions.items()]
    said = [f"{many} {words}" for many, words in found if many]
    arrived = conn.execute(select(func.coalesce(func.sum(arrivals.c.posts), 0))).scalar_one()
    stored = conn.execute(select(func.count()).select_from(posts)).scalar_one()
    if int(arrived) != stored:
        said.append(f"{stored} posts are stored, {int(arrived)} were counted on arrival")
    return said


def _strays(table: Table, other: Table, column: str, key: str) -> Any:
    there = select(other.c[key]).where(other.c[key] == table.c[column])
    return select(func.count()).select_from(table).where(~there.exists())


def _unlabelled(table: Table) -> Any:
    there = select(labels.c.post_n).where(
        labels.c.post_n == table.c.post_n, labels.c.labeller_n == table.c.labeller_n
    )
    return select(func.count()).select_from(table).where(~there.exists())


def try_writing(db: Database) -> None:
    """Begin to write, and do not."""
    with (
        db.errors(),
        db.engine.connect().execution_options(writes=True) as conn,
        conn.begin() as transaction,
    ):
        if not db.sqlite:
            conn.exec_driver_sql("update schema_version set version = version where false")
        transaction.rollback()


def copy(source: Database, target: Database, progress: Progress | None) -> int:
    """
    Copy everything into an empty database, or go on where an interrupted copy stopped; how many
    rows there are.

    Each part is one transaction with the note of how far it came. If the source changed since, the
    copy starts over.
    """
    copied = 0
    with source.read() as conn:
        version = conn.execute(
            select(counters.c.value).where(counters.c.name == "version")
        ).scalar_one()
        mark = f"{source.name}#{version}"
        _prepare_copy(target, mark, version)
        for table in _copied_tables():
            total = conn.execute(select(func.count()).select_from(table)).scalar_one()
            for done in _copy_table(conn, target, table, mark):
                if progress is not None:
                    progress(table.name, done, total)
            copied += total
        _finish_copy(conn, target, mark)
    return copied


def _copied_tables() -> list[Table]:
    """All that is data, rows before those that refer to them."""
    skipped = (schema_version, counters, settings)
    return [table for table in metadata.tables.values() if table not in skipped]


def _prepare_copy(target: Database, mark: str, version: int) -> None:
    """A copy that was whole already (killed after its last write) is only compared again."""
    with target.write() as conn:
        state = people.setting(conn, _COPY, None)
        holds = conn.execute(select(posts.c.n).limit(1)).one_or_none() is not None
        if state is not None and state.get("whole"):
            own = select(counters.c.value).where(counters.c.name == "version")
            if state["mark"] == mark and conn.execute(own).scalar_one() == version:
                return
            state = None
        if state is None and holds:
            raise StoreError(f"{target.name} is not empty: a copy needs an empty database")
        if state is None or state["mark"] != mark:
            for table in reversed(_copied_tables()):
                conn.execute(table.delete())
            people.set_setting(conn, _COPY, {"mark": mark, "tables": {}})


def _copy_table(conn: Connection, target: Database, table: Table, mark: str) -> Iterator[int]:
    key = list(table.primary_key.columns)
    with target.read() as there:
        state = people.setting(there, _COPY, {"tables": {}})["tables"].get(
            table.name, {"last": None, "done": 0}
        )
    while True:
        query = select(table).order_by(*key).limit(_ROWS)
        if state["last"] is not None:
            query = query.where(tuple_(*key) > tuple_(*state["last"]))
        rows = [dict(row) for row in conn.execute(query).mappings()]
        if not rows:
            return
        last = [rows[-1][column.name] for column in key]
        state = {"last": last, "done": state["done"] + len(rows)}
        with target.write() as there:
            there.execute(insert_into(there, table).on_conflict_do_nothing(), rows)
            whole = people.setting(there, _COPY, {"mark": mark, "tables": {}})
            whole["tables"][table.name] = state
            people.set_setting(there, _COPY, whole)
        yield state["done"]


def _finish_copy(conn: Connection, target: Database, mark: str) -> None:
    """Compare, then hand over the counters: only now is the copy a store."""
    with target.write() as there:
        for table in _copied_tables():
            here, copied = (
                c.execute(select(func.count()).select_from(table)).scalar_one()
                for c in (conn, there)
            )
            if here != copied:
                raise StoreError(
                    f"the copy of {table.name} has {copied} rows instead of {here}: start it again"
                )
        done = people.setting(there, _COPY, {"tables": {}})["tables"]
        people.set_setting(there, _COPY, {"mark": mark, "tables": done, "whole": True})
        for name, value in conn.execute(select(counters.c.name, counters.c.value)):
            there.execute(update(counters).where(counters.c.name == name).values(value=value))
        for key, value in conn.execute(
            select(settings.c.key, settings.c.value).where(settings.c.key != _COPY)
        ):
            there.execute(
                insert_into(there, settings).values(key=key, value=value).on_conflict_do_nothing()
            )
        if not target.sqlite:
            _continue_numbering(there)


def _continue_numbering(conn: Connection) -> None:
    """Let PostgreSQL number new rows after those that came with their numbers."""
    for table in _copied_tables():
        if "n" in table.c and table is not posts:
            sequence = text("select pg_get_serial_sequence(:name, 'n')").bindparams(name=table.name)
            highest = select(func.coalesce(func.max(table.c.n), 1)).scalar_subquery()
            conn.execute(select(func.setval(conn.execute(sequence).scalar_one(), highest)))


def backup(db: Database, path: Path) -> Path:
    """A whole SQLite file at *path*, checked before it gets that name; writers go on meanwhile."""
    if db.path is None:
        raise StoreError(
            "a PostgreSQL database is backed up by pg_dump, or by `raccroche copy --to FILE`"
        )
    if path.exists():
        raise StoreError(f"{path} exists already: a backup never overwrites")
    part = path.with_name(path.name + ".part")
    try:
        empty(part)
        with db.outside() as conn:
            conn.exec_driver_sql("vacuum into ?", (str(part),))
        verify(part)
        to_disk(part)
        part.rename(path)
    except OSError as error:
        raise StoreError(f"the backup {path} cannot be written: {error.strerror}") from error
    return path


def verify(path: Path) -> None:
    """StoreError unless *path* is a whole database of ours."""
    if not path.is_file():
        raise StoreError(f"there is no backup at {path}")
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as conn:
            said = conn.execute("pragma integrity_check").fetchall()
            found = conn.execute("select max(version) from schema_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is not a whole Raccroche database: {error}") from error
    if said != [("ok",)]:
        raise StoreError(f"{path} is damaged: {said[0][0]}")
    if found > migrations.CURRENT:
        raise StoreError(migrations.newer(found))


def empty(path: Path) -> None:
    """An empty file for its owner alone, in the place of what a killed program left there."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def size(db: Database, conn: Connection) -> int:
    """Bytes on the disk."""
    if db.path is None:
        return int(
            conn.execute(select(func.pg_database_size(func.current_database()))).scalar_one()
        )
    files: Sequence[Path] = [db.path, db.path.with_name(db.path.name + "-wal")]
    return sum(file.stat().st_size for file in files if file.exists())

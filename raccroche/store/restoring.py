"""Putting a backup in the place of a database, without losing what only that database knows."""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, insert, select

from raccroche.errors import StoreError
from raccroche.store import migrations, rights
from raccroche.store.engine import Database
from raccroche.store.keep import empty, to_disk, verify
from raccroche.store.labelling import touch
from raccroche.store.locks import lock
from raccroche.store.rows import clean, hashed, insert_into
from raccroche.store.tables import authors, posts, suppressions, takedowns
from raccroche.store.tally import Tally
from raccroche.store.writes import remove_posts

_LOG = logging.getLogger(__name__)
_LOGS = ("-wal", "-shm")
Key = tuple[str, str]  # kind (post, author or url) and hash


@dataclass(frozen=True, slots=True)
class Requests:
    """What persons asked: keys refused, and the log as rows (at, kind, hash, reason, posts)."""

    refused: frozenset[Key] = frozenset()
    log: frozenset[tuple[int, str, str, str, int]] = frozenset()

    def since(self, other: "Requests") -> "Requests":
        """What *other* lacks."""
        return Requests(self.refused - other.refused, self.log - other.log)

    @property
    def erased(self) -> frozenset[Key]:
        """The keys of erasures that removed something; an objection removes nothing."""
        return frozenset((kind, digest) for _, kind, digest, _, removed in self.log if removed)


def restore(saved: Path, path: Path) -> None:
    """
    Put a backup in the place of a database that no program has open.

    The old file stays as `.before` (`.before-2`, ... where that exists). Erasures and objections
    that only the old one knows are carried over, and the erasures done again; the log says how
    many. StoreError: the backup is not whole, or is that very file; the database is in use.
    """
    if saved.exists() and path.exists() and saved.samefile(path):
        raise StoreError(f"{saved} is the database itself: name a backup")
    verify(saved)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path) as asked:
            for log in _LOGS:
                part.with_name(part.name + log).unlink(missing_ok=True)
            empty(part)
            shutil.copyfile(saved, part)
            if asked is not None:
                _carry_over(asked, part)
            to_disk(part)
            _set_aside(path)
            os.replace(part, path)
    except OSError as error:
        raise StoreError(f"{path} cannot be restored: {error.strerror}") from error


@contextmanager
def _alone(path: Path) -> Iterator[Requests | None]:
    """
    Keep all others out of a database, its log written into it; what persons asked for in it.

    None where there is no database, or a damaged one. StoreError while a program has it open.
    """
    if not path.exists():
        yield None
        return
    db = Database(path, read_only=True, timeout=0)
    with lock(db, "run"), closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as conn:
        try:
            with db.errors():
                asked = _closed(conn, db.name)
        except StoreError as error:
            if isinstance(error.__cause__, sqlite3.OperationalError) or error.__cause__ is None:
                raise
            _LOG.warning(
                "%s is damaged: erasures and objections since the backup cannot be read from it; "
                "make them again",
                db.name,
            )
            asked = None
        yield asked


def _closed(conn: sqlite3.Connection, name: str) -> Requests:
    """Leaving the write-ahead log needs that no other connection is open, idle ones included."""
    if conn.execute("pragma journal_mode = delete").fetchone() != ("delete",):
        raise StoreError(f"{name} is open in another program: close it, or try again")
    conn.execute("begin exclusive")
    return _requests(conn)


def _requests(conn: sqlite3.Connection) -> Requests:
    if not conn.execute("select 1 from sqlite_master where name = 'takedowns'").fetchone():
        return Requests()
    log = conn.execute("select at, kind, hash, reason, posts from takedowns")
    refused = conn.execute("select kind, hash from suppressions")
    return Requests(frozenset(refused), frozenset(log))


def _set_aside(path: Path) -> None:
    """The old file and what is left of its logs, under a name that nothing has yet."""
    kept = _free_name(path)
    for ending in ("", *_LOGS):
        old = path.with_name(path.name + ending)
        if old.exists():
            os.replace(old, kept.with_name(kept.name + ending))


def _free_name(path: Path) -> Path:
    names = (f"{path.name}.before{f'-{n}' if n > 1 else ''}" for n in count(1))
    return next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))


def _carry_over(asked: Requests, part: Path) -> None:
    db = Database(part, read_only=False, timeout=10)
    with db.errors(), closing(sqlite3.connect(part)) as backup:
        new = asked.since(_requests(backup))
    if not (new.refused or new.log):
        return
    try:
        with db.write() as conn:
            migrations.migrate(conn)
            removed = _write(conn, new)
        if removed:
            rights.shrink(db)
    finally:
        db.engine.dispose()
    _LOG.warning(
        "%d refusals and %d entries of the log of takedowns, made since the backup, are carried "
        "over; %d posts that were erased since had come back with it and are removed again",
        len(new.refused),
        len(new.log),
        removed,
    )


def _write(conn: Connection, new: Requests) -> int:
    """Store the requests and erase what they name; how many posts were removed."""
    if new.refused:
        rows = [{"kind": kind, "hash": digest} for kind, digest in sorted(new.refused)]
        conn.execute(insert_into(conn, suppressions).on_conflict_do_nothing(), rows)
    if new.log:
        names = ("at", "kind", "hash", "reason", "posts")
        conn.execute(
            insert(takedowns), [dict(zip(names, row, strict=True)) for row in sorted(new.log)]
        )
    tallied = Tally()
    removed, _ = remove_posts(conn, _named(conn, new.erased), tallied)
    tallied.write(conn)
    touch(conn)
    return removed


def _named(conn: Connection, wanted: frozenset[Key]) -> list[int]:
    """The numbers of the posts that a hashed key names."""
    if not wanted:
        return []
    query = select(posts.c.n, posts.c.id, posts.c.url, posts.c.uri, authors.c.name).select_from(
        posts.outerjoin(authors, authors.c.n == posts.c.author_n)
    )
    return [
        n
        for n, post_id, url, uri, author in conn.execute(query)
        if not wanted.isdisjoint(
            (kind, hashed(clean(value)))
            for kind, value in (("post", post_id), ("url", url), ("url", uri), ("author", author))
            if value
        )
    ]

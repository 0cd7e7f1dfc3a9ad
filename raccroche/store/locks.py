"""
Locks between processes that nobody has to clean up: the system frees them when their holder dies.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, func, select, text

from raccroche.errors import StoreError
from raccroche.store.engine import Database
from raccroche.store.rows import key64


@contextmanager
def lock(db: Database, name: str) -> Iterator[None]:
    """Hold *name*, or StoreError at once if another process (or this one) holds it."""
    if db.path is not None:
        with _file_lock(db.path, name):
            yield
        return
    with db.outside() as conn:
        key = key64(f"raccroche:{name}")
        if not conn.execute(select(func.pg_try_advisory_lock(key))).scalar_one():
            raise StoreError(_held(name, db.name, ""))
        try:
            yield
        finally:
            conn.execute(select(func.pg_advisory_unlock(key)))


@contextmanager
def _file_lock(path: Path, name: str) -> Iterator[None]:
    with _lock_file(path, name) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            raise StoreError(_held(name, str(path), holder)) from error
        with suppress(OSError):  # a full disk: then a message names no process
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield


def _lock_path(path: Path, name: str) -> Path:
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    word = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40]
    return path.with_name(f"{path.name}.{word}-{digest}.lock")


@contextmanager
def _lock_file(path: Path, name: str) -> Iterator[int]:
    """The open file of a lock; it stays, so that two processes never lock two files."""
    file = _lock_path(path, name)
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"the lock {file} cannot be made: {error.strerror}") from error
    try:
        yield handle
    finally:
        os.close(handle)  # frees the lock


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: the process (of the server, on PostgreSQL), and since when if known."""

    process: int | None
    since: datetime | None


def holder(db: Database, name: str) -> Holder | None:
    """Who holds *name* now; None if nobody does."""
    if db.path is not None:
        return _file_holder(_lock_path(db.path, name))
    # an advisory lock's key is shown in two halves
    query = text(
        "select pid, (select backend_start from pg_stat_activity a where a.pid = l.pid) as since "
        "from pg_locks l where locktype = 'advisory' and granted and database = "
        "(select oid from pg_database where datname = current_database()) "
        "and (classid::bigint << 32 | objid::bigint) = :key limit 1"
    )
    with db.read() as conn:
        row = conn.execute(query, {"key": key64(f"raccroche:{name}")}).one_or_none()
    return Holder(row.pid, row.since) if row else None


def _file_holder(file: Path) -> Holder | None:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None  # never taken, or not ours to read
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
        since = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
        return Holder(int(said) if said.isdigit() else None, since)
    finally:
        os.close(handle)
    return None


class Presence(Protocol):
    """Where many may be at once, and one can learn that nobody else is."""

    def enter(self) -> None:
        """Be there, together with others."""

    def alone(self) -> bool:
        """Leave, and whether nobody else was there; if so nobody comes in before `enter`."""


@contextmanager
def presence(db: Database, name: str) -> Iterator[Presence]:
    """A place that the system empties when the process ends, however it ends."""
    if db.path is not None:
        with _lock_file(db.path, name) as handle:
            yield _FilePresence(handle)
        return
    with db.outside() as conn:
        there = _ServerPresence(conn, key64(f"raccroche:{name}"))
        try:
            yield there
        finally:
            conn.invalidate()  # the session ends, and its locks with it


class _FilePresence:
    def __init__(self, handle: int) -> None:
        self._handle = handle

    def enter(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def alone(self) -> bool:
        fcntl.flock(self._handle, fcntl.LOCK_UN)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class _ServerPresence:
    """Advisory locks of one session, which count: each is taken once."""

    def __init__(self, conn: Connection, key: int) -> None:
        self._conn, self._key = conn, key
        self._shared = self._exclusive = False

    def enter(self) -> None:
        if not self._shared:
            self._conn.execute(select(func.pg_advisory_lock_shared(self._key)))
            self._shared = True
        if self._exclusive:
            self._conn.execute(select(func.pg_advisory_unlock(self._key)))
            self._exclusive = False

    def alone(self) -> bool:
        if self._shared:
            self._conn.execute(select(func.pg_advisory_unlock_shared(self._key)))
            self._shared = False
        taken = self._conn.execute(select(func.pg_try_advisory_lock(self._key))).scalar_one()
        self._exclusive = bool(taken)
        return self._exclusive


def hold(conn: Connection, *, shared: bool = False) -> None:
    """
    Keep PostgreSQL's writers from counting what another is changing, until this transaction ends.

    What is counted depends on labels and on groups of copies: many may label at once (*shared*),
    but posts come, change
    and go one writer at a time. SQLite has one writer anyway.
    """
    if conn.dialect.name == "postgresql":
        take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        conn.execute(select(take(key64("raccroche counts"))))


def _held(name: str, where: str, holder: str) -> str:
    who = f" (process {holder})" if holder else ""
    return f"another Raccroche{who} is at work: {name!r} is held on {where}"

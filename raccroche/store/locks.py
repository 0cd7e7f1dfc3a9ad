"""
Locks between processes that nobody has to clean up: the system frees them when their holder dies.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, func, select

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


@contextmanager
def _lock_file(path: Path, name: str) -> Iterator[int]:
    """The open file of a lock; it stays, so that two processes never lock two files."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    word = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40]
    file = path.with_name(f"{path.name}.{word}-{digest}.lock")
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"the lock {file} cannot be made: {error.strerror}") from error
    try:
        yield handle
    finally:
        os.close(handle)  # frees the lock


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

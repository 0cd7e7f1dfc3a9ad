"""
Locks between processes that nobody has to clean up: the system frees them when their holder dies.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    word = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40]
    file = path.with_name(f"{path.name}.{word}-{digest}.lock")
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"the lock {file} cannot be made: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            raise StoreError(_held(name, str(path), holder)) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(
            handle
        )  # frees the lock; the file stays, so that two processes never lock two files


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

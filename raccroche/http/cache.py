"""Remembers between runs: validators of pages whose posts are stored, and robots.txt files."""

import hashlib
import logging
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raccroche.errors import ConfigError

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS validators (
    key BLOB PRIMARY KEY, etag TEXT, last_modified TEXT, seen REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS robots (
    origin TEXT PRIMARY KEY, status INTEGER NOT NULL, body BLOB NOT NULL, tdm TEXT NOT NULL, fetched
    REAL NOT NULL
) WITHOUT ROWID;
"""
_KEPT = 90 * 86_400  # seconds that a validator not met again is kept


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to ask "has it changed?" with (RFC 9110 8.8)."""

    etag: str | None
    last_modified: str | None

    @property
    def headers(self) -> dict[str, str]:
        named = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class SavedRobots:
    """A robots.txt as it was at *fetched* (epoch seconds); *tdm*: tdmrep.json reserves rights."""

    status: int
    body: bytes
    tdm: str
    fetched: float


class Cache:
    """
    A small SQLite file, mode 0600; in memory where no path is given.

    Keys are hashes of source and URL: the file tells nobody what was read. Bodies are not kept:
    personal data would outlive its retention here. Losing the file costs a full read, nothing else.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        try:
            self._db = _open(path)
        except sqlite3.OperationalError as error:  # a full disk, a lock: no fault of the file
            log.warning("the cache %s cannot be used: %s", path, error)
            self._db = _open(None)
        except sqlite3.DatabaseError:
            if path is None:
                raise
            log.warning("%s is no cache; a new one is begun", path)
            path.unlink()
            self._db = _open(path)

    def close(self) -> None:
        self._db.close()

    def validators(self, source: str, url: str) -> Validators | None:
        rows = self._run(
            "SELECT etag, last_modified FROM validators WHERE key = ?", _key(source, url)
        )
        return Validators(*rows[0]) if rows else None

    def keep(self, source: str, url: str, validators: Validators, now: float) -> None:
        """Remember *validators*; called once the posts of the page are stored, never before."""
        values = (_key(source, url), validators.etag, validators.last_modified, now)
        self._run("INSERT OR REPLACE INTO validators VALUES (?, ?, ?, ?)", *values)

    def forget_before(self, now: float) -> None:
        """Drop what was not met for 90 days before *now*, and robots.txt files of yesterday."""
        self._run("DELETE FROM validators WHERE seen < ?", now - _KEPT)
        self._run("DELETE FROM robots WHERE fetched < ?", now - 86_400)

    def robots(self, origin: str) -> SavedRobots | None:
        rows = self._run("SELECT status, body, tdm, fetched FROM robots WHERE origin = ?", origin)
        return SavedRobots(*rows[0]) if rows else None

    def keep_robots(self, origin: str, saved: SavedRobots) -> None:
        values = (origin, saved.status, saved.body, saved.tdm, saved.fetched)
        self._run("INSERT OR REPLACE INTO robots VALUES (?, ?, ?, ?, ?)", *values)

    def _run(self, sql: str, *values: str | bytes | float | None) -> list[Any]:
        """A cache that fails (disk full, locked, damaged) costs a full read, not the run."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            log.warning("the cache %s cannot be used: %s", self._path, error)
            return []


def _open(path: Path | None) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError for what is no database, ConfigError where no file can be."""
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigError(f"the cache {path} cannot be written: {error.strerror}") from error
    database = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=30)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _key(source: str, url: str) -> bytes:
    return hashlib.blake2b(f"{source}\0{url}".encode(), digest_size=16).digest()

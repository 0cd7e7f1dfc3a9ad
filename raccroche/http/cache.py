"""Remembers between runs: validators of pages whose posts are stored, and robots.txt files."""

import hashlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

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
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def validators(self, source: str, url: str) -> Validators | None:
        row = self._db.execute(
            "SELECT etag, last_modified FROM validators WHERE key = ?", (_key(source, url),)
        ).fetchone()
        return Validators(*row) if row else None

    def keep(self, source: str, url: str, validators: Validators, now: float) -> None:
        """Remember *validators*; called once the posts of the page are stored, never before."""
        self._db.execute(
            "INSERT OR REPLACE INTO validators VALUES (?, ?, ?, ?)",
            (_key(source, url), validators.etag, validators.last_modified, now),
        )

    def forget_before(self, now: float) -> None:
        self._db.execute("DELETE FROM validators WHERE seen < ?", (now - _KEPT,))
        self._db.execute("DELETE FROM robots WHERE fetched < ?", (now - 86_400,))

    def robots(self, origin: str) -> SavedRobots | None:
        row = self._db.execute(
            "SELECT status, body, tdm, fetched FROM robots WHERE origin = ?", (origin,)
        ).fetchone()
        return SavedRobots(*row) if row else None

    def keep_robots(self, origin: str, saved: SavedRobots) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO robots VALUES (?, ?, ?, ?, ?)",
            (origin, saved.status, saved.body, saved.tdm, saved.fetched),
        )


def _key(source: str, url: str) -> bytes:
    return hashlib.blake2b(f"{source}\0{url}".encode(), digest_size=16).digest()

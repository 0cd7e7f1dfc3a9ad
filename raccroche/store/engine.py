"""Opening a database, its transactions, and its errors said in one sentence."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from raccroche.errors import StoreError

_WRITES = {"writes": True}


class Database:
    """An engine with the transactions we use: `read()` and `write()`."""

    def __init__(self, url: str | Path, *, read_only: bool, timeout: float) -> None:
        self.url = _url(url)
        self.read_only = read_only
        self.timeout = timeout
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database) if self.sqlite and self.url.database else None
        self.engine = self._sqlite() if self.sqlite else self._postgresql()

    @property
    def name(self) -> str:
        """What a message calls this database: never a password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        options = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with (
            self.errors(),
            self.engine.connect().execution_options(**options) as conn,
            conn.begin(),
        ):
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is whole or nothing."""
        if self.read_only:
            raise StoreError(f"{self.name} is opened for reading only")
        with (
            self.errors(),
            self.engine.connect().execution_options(**_WRITES) as conn,
            conn.begin(),
        ):
            yield conn

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A connection without a transaction: VACUUM, pragmas, session locks."""
        with (
            self.errors(),
            self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn,
        ):
            yield conn

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the driver's errors into StoreError."""
        try:
            yield
        except (IntegrityError, DataError):
            raise  # a fault of this code, not of the database
        except DBAPIError as error:
            raise StoreError(_sentence(self.name, error.orig or error)) from error
        except sqlite3.Error as error:
            raise StoreError(_sentence(self.name, error)) from error
        except SQLAlchemyError as error:
            raise StoreError(f"{self.name}: {_first_line(error)}") from error

    def tables(self) -> set[str]:
        """The names of the tables that are there. A look at a file changes nothing in it."""
        if self.path is None:
            with self.read() as conn:
                return set(inspect(conn).get_table_names())
        with self.errors(), closing(_attach(self.path, "ro", self.timeout)) as found:
            return {
                name
                for (name,) in found.execute("select name from sqlite_master where type = 'table'")
            }

    def _sqlite(self) -> Engine:
        path = self.path
        if path is None:
            raise StoreError(
                "the store needs a file: a database in memory is lost at the first close"
            )
        if self.read_only and not path.exists():
            raise StoreError(f"there is no database at {path}: collect or import something first")
        if path.is_dir():
            raise StoreError(f"{path} is a folder, not a database")
        if not self.read_only:
            _make_folder(path.parent)
            _make_file(path)
        mode = "ro" if self.read_only else "rwc"
        engine = create_engine(
            "sqlite+pysqlite://",
            creator=lambda: _connect(path, mode, self.timeout),
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=32,
        )
        event.listen(engine, "begin", _begin)
        return engine

    def _postgresql(self) -> Engine:
        return create_engine(self.url, pool_size=8, max_overflow=32, pool_pre_ping=True)


def _url(given: str | Path) -> URL:
    if isinstance(given, Path) or "://" not in given:
        return URL.create("sqlite", database=str(given))
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise StoreError(
            "the store's URL is not one: expected a path, sqlite:///... or postgresql://..."
        ) from error
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise StoreError(f"no store for {url.drivername!r}: only SQLite and PostgreSQL")
    return url


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be made: {error.strerror}") from error


def _make_file(path: Path) -> None:
    """What people wrote is for its owner's eyes; the log gets the permissions of the file."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _connect(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    conn = _attach(path, mode, timeout)
    try:
        conn.execute("pragma foreign_keys = on")
        conn.execute("pragma cache_size = -65536")
        conn.execute("pragma temp_store = memory")
        if mode == "rwc":
            conn.execute("pragma journal_mode = wal")
            conn.execute(
                "pragma synchronous = full"
            )  # a person's label said to be saved is on the disk
            conn.execute("pragma secure_delete = on")
    except sqlite3.Error:
        conn.close()
        raise
    return conn


def _attach(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    def connect(query: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?{query}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )

    conn = connect(f"mode={mode}")
    if mode != "ro":
        return conn
    try:
        conn.execute("select 1 from sqlite_master limit 1")
    except sqlite3.OperationalError:
        # A disk that cannot be written has no room for the shared index of the log: with no log
        # there is nothing in it
        conn.close()
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        return connect("mode=ro&immutable=1")
    return conn


def _begin(conn: Connection) -> None:
    writes = conn.get_execution_options().get("writes")
    if (
        conn.get_isolation_level() == "AUTOCOMMIT"
        or conn.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    ):
        return
    conn.exec_driver_sql("begin immediate" if writes else "begin")


_SQLITE_SENTENCES = (
    ("locked", "is locked by another program: close it, or try again"),
    ("readonly", "cannot be written: the file, its folder or its disk is read-only"),
    ("read-only", "cannot be written: the file, its folder or its disk is read-only"),
    ("full", "cannot grow: the disk is full; what was stored before is whole"),
    ("malformed", "is damaged: restore a backup, or see `raccroche doctor`"),
    ("not a database", "is not a database, or is damaged"),
    ("unable to open", "cannot be opened: the folder is missing or not ours to write"),
    ("disk i/o", "cannot be read or written: the disk gives an error or is full"),
    ("no such table", "is not a Raccroche database, or its schema is not made yet"),
)


def _sentence(name: str, error: Any) -> str:
    words = str(error).lower()
    if isinstance(error, sqlite3.Error):
        for sign, sentence in _SQLITE_SENTENCES:
            if sign in words:
                return f"{name} {sentence}"
        return f"{name}: {_first_line(error)}"
    state = getattr(error, "sqlstate", None) or ""
    if state in ("53100", "53200"):
        return f"{name} cannot grow: the server's disk or memory is full"
    if state in ("42P01", "3F000"):
        return f"{name} is not a Raccroche database, or its schema is not made yet"
    if state == "25006":
        return f"{name} cannot be written: the server is read-only"
    if not state or state.startswith(("08", "57P")):
        return f"the PostgreSQL server of {name} does not answer: {_first_line(error)}"
    return f"{name}: {_first_line(error)}"


def _first_line(error: Any) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]

"""A real Isso on loopback, with comments written straight into its database."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.running import answers_http, folder, free_port, home, process

_CONFIG = """
[general]
dbpath = {database}
host = http://127.0.0.1:{port}/
latest-enabled = true
gravatar = false
[server]
listen = http://127.0.0.1:{port}
public-endpoint = http://127.0.0.1:{port}
[guard]
enabled = false
[rss]
base = http://127.0.0.1:{port}
limit = 100
[hash]
salt = tests
algorithm = pbkdf2
"""
FIRST = 1_706_745_600  # 1 February 2024, Unix time


def missing() -> str:
    """Why no server can be started; "" when one can."""
    return "" if (home() / "isso" / "bin" / "isso").exists() else "Isso is not installed"


@dataclass(frozen=True, slots=True)
class Isso:
    """*url* of the server; *database* is its SQLite file."""

    url: str
    database: Path

    def write(self, uri: str, numbers: range, *, mode: int = 1) -> None:
        """Comments of one page: every third answers the one before, every sixth has no name."""
        with sqlite3.connect(self.database) as db:
            db.execute(
                "INSERT OR IGNORE INTO threads(uri, title) VALUES (?, ?)", (uri, "Panne d’été")
            )
            (thread,) = db.execute("SELECT id FROM threads WHERE uri = ?", (uri,)).fetchone()
            above = None
            for number in numbers:
                answers = number % 3 == 2
                row = db.execute(
                    "INSERT INTO comments(tid, parent, created, modified, mode, remote_addr, text,"
                    " author, likes, dislikes, voters, notification)"
                    " VALUES (?, ?, ?, NULL, ?, '192.0.2.0', ?, ?, ?, 0, ?, 0)",
                    (thread, above if answers else None, FIRST + 600 * number, mode,
                     f"La **fibre** est coupée & le service muet (n° {number})",
                     None if number % 6 == 0 else f"Usager {number % 4}", number % 7, bytes(256)),
                )  # fmt: skip
                if not answers:
                    above = row.lastrowid
        db.close()


@contextmanager
def isso() -> Iterator[Isso]:
    port = free_port()
    with folder("isso") as state:
        database = state / "comments.db"
        config = state / "isso.cfg"
        config.write_text(_CONFIG.format(database=database, port=port))
        url = f"http://127.0.0.1:{port}"
        command = [str(home() / "isso" / "bin" / "isso"), "-c", str(config), "run"]
        with process(command, ready=answers_http(f"{url}/latest?limit=1"), log=state / "log"):
            yield Isso(url, database)

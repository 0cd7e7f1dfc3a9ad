"""A private PostgreSQL on loopback, from Debian's binaries, for as long as the tests run."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 128MB
max_connections = 100
"""


def binaries() -> Path | None:
    """The folder of the newest server binaries installed by Debian; None where there are none."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    return found[-1].parent if found else None


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server (without a database name), stopped and removed at the end."""
    programs = binaries()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="raccroche-postgres-"))
    try:
        _as_server_user(folder)
        _run(programs / "initdb", "-D", str(folder / "data"), "-U", "tester", "-E", "UTF8",
             "--locale=C.UTF-8", "-A", "trust", "--no-sync")  # fmt: skip
        port = _free_port()
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(f"{_SETTINGS}port = {port}\n")
        url = f"postgresql://tester@127.0.0.1:{port}"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*_prefix(), str(programs / "postgres"), "-D", str(folder / "data")],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            _wait(url, process, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(url: str) -> Iterator[str]:
    """The URL of a fresh database on a server."""
    name = f"t{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
        conn.execute(f'create database "{name}"')
    try:
        yield f"{url}/{name}"
    finally:
        with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
            conn.execute(f'drop database if exists "{name}" with (force)')


def _prefix() -> list[str]:
    """initdb and postgres refuse to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _as_server_user(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o711)


def _run(*command: str | Path) -> None:
    done = subprocess.run([*_prefix(), *map(str, command)], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not start in 30 s")

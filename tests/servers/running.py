"""Real servers for tests: where they are installed, how one is started, waited for and stopped."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen


def home() -> Path:
    """Where `tests/servers/install.sh` puts servers that are no packages of the system."""
    return Path(os.environ.get("RACCROCHE_SERVERS", "/var/tmp/raccroche-servers"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers_http(url: str) -> Callable[[], bool]:
    """Whether *url* answers at all, whatever it says."""

    def ask() -> bool:
        try:
            with urlopen(url, timeout=5):
                return True
        except HTTPError as error:
            error.close()
            return True
        except (URLError, OSError):
            return False

    return ask


def accepts(port: int) -> Callable[[], bool]:
    """Whether something listens on *port*."""

    def ask() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return ask


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """An empty folder that is gone afterwards; its parents may be entered by other users."""
    with tempfile.TemporaryDirectory(prefix=f"raccroche-{name}-") as path:
        os.chmod(path, 0o755)
        yield Path(path)


@contextmanager
def process(
    command: Sequence[str],
    *,
    ready: Callable[[], bool],
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 60,
    stop: Callable[[], object] | None = None,
) -> Iterator[int]:
    """*command* in a group of its own, ended with all its children; yields its pid."""
    with log.open("ab") as out:
        running = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + seconds
        while not ready():
            if running.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield running.pid
    finally:
        if stop is not None:
            stop()
        _end(running)


def _end(running: "subprocess.Popen[bytes]") -> None:
    for which in (signal.SIGTERM, signal.SIGKILL):
        if running.poll() is None:
            os.killpg(running.pid, which)
            try:
                running.wait(15)
            except subprocess.TimeoutExpired:
                continue
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)  # children that outlived it


def run(*command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        command, env={**os.environ, **(env or {})}, cwd=cwd, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-1500:]} {done.stderr[-1500:]}")
    return done.stdout

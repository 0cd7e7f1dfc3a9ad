"""Debian's chromium driven by Playwright, and the dashboard served on loopback for it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
APP = ROOT / "dashboard" / "app.py"
PATIENCE = 60.0  # seconds for a server to answer, on a busy machine


def chromium() -> str | None:
    """Where Debian's chromium is; None where it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dashboard(
    config: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[str]:
    """The address of a dashboard on that config.toml, with *options* of Streamlit; then stopped."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port),
         "--server.headless", "true", "--server.address", "127.0.0.1", *options],
        cwd=ROOT,
        env={**os.environ, "RACCROCHE_CONFIG": str(config), **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the dashboard stopped with status {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the dashboard did not answer")


@contextmanager
def browser() -> Iterator["Browser"]:
    """A chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def new_page(
    opened: "Browser", *, width: int = 1440, height: int = 1000, dark: bool = False, **more: Any
) -> "Page":
    """A page of its own session, French, in Paris."""
    context = opened.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale="fr-FR",
        timezone_id="Europe/Paris",
        **more,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    return page


def settle(page: "Page") -> None:
    """Wait until the script has run and nothing is drawn any more."""
    page.wait_for_selector("h1")
    page.wait_for_function(
        "() => !document.querySelector('[data-test-script-state=\"running\"]')"
        " && !document.querySelector('[data-testid=\"stSkeleton\"]')"
    )
    page.wait_for_timeout(700)


def outside_requests(page: "Page") -> list[str]:
    """A list that fills with every address the page asks for beyond this machine."""
    found: list[str] = []

    def note(url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            found.append(url)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket_: note(socket_.url))
    return found

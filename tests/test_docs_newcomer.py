"""docs/add-a-source.md is followed to the letter, by somebody who has nothing but that page."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/add-a-source.md").read_text("utf-8")
SITE = "https://panneau.example"
COPIED = ("collectors", "nlp", "raccroche", "dashboard", "tests", "config.toml", "pyproject.toml",
          "README.md", "Makefile", "requirements.txt")  # fmt: skip
NOT_RUN = {"make lint": "it prepares an environment of its own; ruff is run instead"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the repository, as a newcomer has it."""
    root = tmp_path / "raccroche"
    root.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "samples", "*.pyc")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=left_out)
        else:
            shutil.copy2(ROOT / name, root / name)
    return root


@contextmanager
def board(sample: str) -> Iterator[str]:
    """A message board on loopback: the page's answer, then nothing older."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = json.loads(sample.replace(SITE, here))
            if self.path == "/robots.txt":
                return self._give(404, b"")
            if self.path == "/api/messages?before=1":
                answer |= {"messages": [], "older": None}
            elif self.path != "/api/messages":
                return self._give(404, b"")
            return self._give(200, json.dumps(answer).encode())

        def _give(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


def named_blocks() -> dict[str, str]:
    """The files that the page has one write: each block, by the last file named before it."""
    pieces = re.split(r"```(\w+)\n(.*?)```", PAGE, flags=re.DOTALL)
    found = {}
    for before, language, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=False):
        if language in ("python", "json"):
            found[re.findall(r"`((?:tests|collectors)/[\w./]+)`", before)[-1]] = text
    return found


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def run(clone: Path, line: str) -> str:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    left_out = {"RACCROCHE_CONFIG", "RACCROCHE_STORE_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        ["bash", "-c", line], cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=kept | {"PATH": programs, "PYTHONPATH": str(clone), "COLUMNS": "200"}, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}"
    return done.stdout


def write(clone: Path, path: str, text: str) -> None:
    (clone / path).parent.mkdir(parents=True, exist_ok=True)
    (clone / path).write_text(text, encoding="utf-8")


def test_a_newcomer_who_has_only_the_page_adds_a_source(clone: Path) -> None:
    files = named_blocks()
    assert sorted(files) == [
        "collectors/panneau.py",
        "tests/samples/panneau/page.expected.json",
        "tests/samples/panneau/page.json",
        "tests/samples/panneau/page.meta.json",
    ]
    for path, text in files.items():
        write(clone, path, text)
    table = clone / "collectors/table.py"
    names = re.findall(r'^    "(\w+)",$', table.read_text("utf-8"), re.MULTILINE)
    after = next(name for name in names if name > "panneau")
    write(clone, "collectors/table.py", table.read_text("utf-8").replace(
        f'    "{after}",\n', f'    "panneau",\n    "{after}",\n'))  # fmt: skip
    said = {}
    with board(files["tests/samples/panneau/page.json"]) as here:
        (source,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
        text = (clone / "config.toml").read_text("utf-8")
        text = text.replace('contact = ""', 'contact = "me@observatoire.example"')
        text = text.replace("allow_hosts = []", f'allow_hosts = ["{here.removeprefix("http://")}"]')
        write(clone, "config.toml", text + source.replace(SITE, here))
        for line in commands():
            if line not in NOT_RUN:
                said[line] = run(clone, line)
        run(clone, "ruff check collectors && ruff format --check collectors")
        again = run(clone, "raccroche collect mon-panneau")
    (parsed,) = [text for line, text in said.items() if line.startswith("raccroche parse")]
    posts = [json.loads(line) for line in parsed.splitlines() if line.startswith('{"id"')]
    expected = json.loads(files["tests/samples/panneau/page.expected.json"])
    assert posts == expected["posts"]
    (tested,) = [text for line, text in said.items() if "pytest" in line]
    assert re.search(r"\d+ passed", tested)
    assert re.search(r"mon-panneau +new +2 ", said["raccroche collect mon-panneau"])
    assert re.search(r"mon-panneau +nothing_new +0 ", again)
    assert "panneau" in said["raccroche status"]

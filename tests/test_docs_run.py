"""Every command line in a block of README.md and docs/ is run, as a reader would type it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from raccroche.demo import Site, demo_config, serving
from tests.servers import postgres

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
POSTS = 300
PATIENCE = 240.0  # seconds for one command, on a busy machine

# What is not run, and why.
NOT_RUN = {
    r"make (test|setup|lint|lock|sbom|audit)\b.*": "what runs these tests, or needs the registry",
    r"make demo\b.*": "`raccroche demo` is run; .ci/run runs it from a fresh clone",
    r"pip install .*": "tests/test_deploy.py runs these in an environment of its own",
    r"(python|python3|\.venv/bin/python) benchmarks/.*": "a benchmark: minutes to hours",
}
# Run elsewhere: the page tells a newcomer to write a module first.
ELSEWHERE = {"add-a-source.md": "tests/test_docs_newcomer.py"}
# Placeholders of the pages, and what stands for them here.
PLACEHOLDERS = {"/somewhere": "somewhere"}
POSTGRES = "postgresql+psycopg://raccroche@localhost/raccroche"
STAYS = re.compile(r"raccroche (schedule|dashboard|demo(?!.*--no-serve))")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which commands are typed, as if Raccroche were installed."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        left_out = {"RACCROCHE_CONFIG", "RACCROCHE_STORE_URL"}
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        return kept | {"PATH": programs, "EDITOR": "true", "BROWSER": "true", "COLUMNS": "200"}

    def run(self, line: str) -> str:
        """The output of a line that must end well."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], cwd=self.folder, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}"
        assert "Traceback" not in done.stdout, f"{line}\n{done.stdout[-3000:]}"
        return done.stdout

    def start_and_stop(self, line: str) -> str:
        """A line that runs until it is told to stop: it must say it is ready, then end well."""
        log = self.folder / "out.log"
        with log.open("wb") as out:
            running = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], cwd=self.folder, env=self.environment,
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            until = time.monotonic() + PATIENCE
            while not ready(log.read_text("utf-8", "replace")):
                assert running.poll() is None, f"{line}\n{log.read_text('utf-8')[-3000:]}"
                assert time.monotonic() < until, f"{line}: not ready\n{log.read_text('utf-8')}"
                time.sleep(0.3)
            running.send_signal(signal.SIGTERM)
            assert running.wait(60) == 0, f"{line}\n{log.read_text('utf-8')[-3000:]}"
        finally:
            if running.poll() is None:
                running.kill()
                running.wait(10)
        return log.read_text("utf-8")


def ready(said: str) -> bool:
    """Whether a dashboard that was announced answers, or a timetable was printed."""
    found = re.search(r"dashboard: (http://\S+)", said)
    if found is None:
        return bool(re.search(r"^\S+ \S+ \S+ \S+ \S+: .+", said, re.MULTILINE))
    try:
        with urlopen(f"{found.group(1)}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def lines(page: Path) -> list[str]:
    """The command lines of a page's shell blocks, comments taken off."""
    blocks = re.findall(r"```(\w*)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    found = [line for language, text in blocks if language in ("", "sh") for line in
             text.replace("\\\n", " ").splitlines()]  # fmt: skip
    return [bare for line in found if (bare := re.sub(r"(^|\s)#.*", "", line).strip())]


def why_not(line: str) -> str | None:
    return next((why for form, why in NOT_RUN.items() if re.fullmatch(form, line)), None)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(POSTS) as running:
        yield running


@pytest.fixture(scope="module")
def filled(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's configuration and database, and the files that pages name."""
    folder = tmp_path_factory.mktemp("filled")
    demo_config(site, folder)
    Place(folder).run("raccroche collect && raccroche label")
    with urlopen(f"{site.url}/wp-json/wp/v2/comments?per_page=5", timeout=10) as answer:
        (folder / "page.html").write_bytes(answer.read())
    (folder / "avis.csv").write_text(
        "Avis,Date\nMandarine appelle tous les jours,2026-11-02\n", encoding="utf-8"
    )
    gold = '{{"id": "{0}", "text": "Orange m’appelle {0} fois par jour", "sentiment": "negative",'
    gold += ' "phone_harassment": true, "testimony": true, "topics": [], "signals": [],'
    gold += ' "brands": {{"Orange": {{"sentiment": "negative", "harassment": true}}}}}}'
    (folder / "gold.jsonl").write_text(
        "\n".join(gold.format(number) for number in range(2, 9)), encoding="utf-8"
    )
    return folder


@pytest.fixture
def place(filled: Path, tmp_path: Path) -> Place:
    folder = tmp_path / "place"
    shutil.copytree(filled, folder)
    return Place(folder)


@pytest.fixture(scope="module")
def server() -> Iterator[str | None]:
    """Where a real PostgreSQL is; None where none is installed."""
    if postgres.binaries() is None:
        yield None
        return
    with postgres.server() as url:
        yield url


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if lines(page) and page.name not in ELSEWHERE],
    ids=lambda page: page.name,
)
def test_the_command_lines_of_a_page_run(page: Path, place: Place, server: str | None) -> None:
    for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        with (place.folder / "config.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{block}")  # a page that gives configuration has it written first
    for line in lines(page):
        if why_not(line):
            continue
        for theirs, ours in PLACEHOLDERS.items():
            line = line.replace(theirs, ours)
        if POSTGRES in line:
            if server is None:
                continue
            with postgres.database(server) as url:
                place.run(line.replace(POSTGRES, url))
        elif STAYS.match(line):
            place.start_and_stop(line)
        else:
            place.run(line)


def test_nothing_but_what_is_named_is_left_out() -> None:
    every = [line for page in PAGES if page.name not in ELSEWHERE for line in lines(page)]
    left_out = [line for line in every if why_not(line)]
    assert len(every) - len(left_out) > 25
    assert {line.split()[0] for line in left_out} <= {"make", "pip", "python"}
    assert all((ROOT / place).exists() for place in ELSEWHERE.values())

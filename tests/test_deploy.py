"""What deploy/ holds is sound as far as it can be known without an installation."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer.main
import yaml
from cronsim import CronSim

from raccroche.cli import app
from tests.servers.running import run

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = ("raccroche.service", "raccroche.timer", "raccroche-schedule.service")
SERVICES = ("raccroche.service", "raccroche-schedule.service")
PROGRAM = "/opt/raccroche/.venv/bin/raccroche"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
PARIS = ZoneInfo("Europe/Paris")
MOST_EXPOSED = 25  # a tenth each; systemd calls 0 to 20 safe, 20 to 50 OK


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("no systemd here")
    return found


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a program that is installed where the tests run."""
    for name in UNITS:
        text = (DEPLOY / name).read_text("utf-8")
        assert PROGRAM in text or name.endswith(".timer")
        (tmp_path / name).write_text(text.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    return tmp_path


def test_the_units_of_systemd_are_sound(analyze: str, units: Path) -> None:
    run(analyze, "verify", *(str(units / name) for name in UNITS))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_shut_in(analyze: str, units: Path, name: str) -> None:
    run(analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(units / name))


def test_a_service_that_is_stopped_ends_its_batch_and_has_not_failed() -> None:
    units = {name: (DEPLOY / name).read_text("utf-8") for name in SERVICES}
    assert all("KillMode=mixed\n" in text for text in units.values())  # not the workers first
    assert "SuccessExitStatus=3 143\n" in units["raccroche.service"]


def commands_started() -> list[str]:
    texts = [(DEPLOY / name).read_text("utf-8") for name in (*SERVICES, "raccroche.cron")]
    return [word for text in texts for word in re.findall(rf"{PROGRAM} (\w+)", text)]


def test_what_the_files_start_are_commands() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    started = [
        *commands_started(),
        *(one["command"][0] for one in compose["services"].values() if "command" in one),
    ]
    assert len(started) == 5
    assert set(started) <= set(COMMANDS)


def cron_line() -> str:
    lines = (DEPLOY / "raccroche.cron").read_text("utf-8").splitlines()
    (line,) = [one for one in lines if one[:1].isdigit() or one[:1] == "*"]
    return line


def test_the_cron_line_and_the_timer_mean_the_same_moments(analyze: str) -> None:
    """Both are read by programs of their own, over a change of clocks too."""
    moments = CronSim(" ".join(cron_line().split()[:5]), datetime(2026, 10, 24, 2, tzinfo=PARIS))
    calendar = re.search(r"OnCalendar=(.*)", (DEPLOY / "raccroche.timer").read_text("utf-8"))
    assert calendar is not None
    said = run(
        analyze, "calendar", "--base-time=2026-10-24 00:00:00 UTC", "--iterations=9",
        calendar.group(1), env={"TZ": "UTC", "LC_ALL": "C"},
    )  # fmt: skip
    theirs = [
        datetime.fromisoformat(found).replace(tzinfo=UTC)
        for found in re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", said)
    ]
    ours = [next(moments).astimezone(UTC) for _ in theirs]
    assert len(theirs) == 9
    assert theirs == ours


def test_compose_keeps_the_password_out_and_the_ports_on_this_machine() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    services = yaml.safe_load(text)["services"]
    assert services["db"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD")
    published = [port for one in services.values() for port in one.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert services["schedule"]["environment"].keys() == services["dashboard"]["environment"].keys()


def test_the_image_copies_files_that_are_there() -> None:
    assert len(copied()) > 7
    assert all((ROOT / name).exists() for name in copied())


def dockerfile() -> list[str]:
    return (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()


def copied() -> list[str]:
    return [name for line in dockerfile() if line.startswith("COPY") for name in line.split()[1:-1]]


@pytest.mark.slow
def test_the_image_s_pip_lines_install_a_program_that_runs(tmp_path: Path) -> None:
    """As the image does: its files alone, a fresh environment, nothing without its hash."""
    root = tmp_path / "image"
    root.mkdir()
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        else:
            shutil.copy2(ROOT / name, root / name)
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    place = {"PATH": f"{tmp_path / 'venv/bin'}{os.pathsep}{os.environ['PATH']}"}
    lines = [line.removeprefix("RUN ") for line in dockerfile() if line.startswith("RUN pip ")]
    assert len(lines) == 2
    for line in lines:
        run("/bin/sh", "-c", line, env=place, cwd=root)
    program = str(tmp_path / "venv/bin/raccroche")
    (tmp_path / "config.toml").write_text("[collect]\n", encoding="utf-8")
    text = '{"id": "1", "text": "Orange m’appelle 5 fois par jour depuis un mois"}'
    done = subprocess.run(
        [program, "predict"], input=text, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Orange" in done.stdout

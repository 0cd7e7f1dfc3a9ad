"""The doctor: every state an installation may be in is found, explained, and given a remedy."""

import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from raccroche import config as configuration
from raccroche import doctor
from raccroche.doctor import Finding, examine
from raccroche.post import Run, Verdict
from raccroche.store import Store
from tests.raccroche.store.samples import crowd
from tests.servers import postgres

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CONFIG = """
[store]
url = "{url}"
[collect]
contact = "test@example.org"
archive = ""
[nlp]
labeller = "rules"
[privacy]
key_file = "key"
[sources.forum]
platform = "mastodon"
enabled = true
purpose = "test"
instance = "https://mastodon.example"
tags = ["demarchage"]
cron = "0 */6 * * *"
"""


def installation(folder: Path, url: str = "db.sqlite3") -> Path:
    """All well: posts, labels, a key, and a run an hour before NOW. Returns config.toml."""
    path = folder / "config.toml"
    path.write_text(CONFIG.format(url=url), encoding="utf-8")
    (folder / "key").write_bytes(b"k" * 32)
    (folder / "key").chmod(0o600)
    posts, labels = crowd(60)
    newest = max(one.published_at for one in posts if one.published_at)
    posts = [
        replace(one, published_at=one.published_at and one.published_at + (NOW - newest))
        for one in posts
    ]
    with Store.open(configuration.load(path).store_url) as store:
        store.add_page("forum", posts)
        store.add_labels(labels)
        store.record_run(run(NOW - timedelta(hours=1)))
    return path


def run(at: datetime, verdict: Verdict = Verdict.NEW, new: int = 3) -> Run:
    return Run("forum", "mastodon", at, at, verdict, new=new, got=new, message="")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return installation(tmp_path)


def findings(config: Path, at: datetime = NOW) -> list[Finding]:
    return examine(lambda: configuration.load(config), clock=lambda: at)


def troubles(config: Path, at: datetime = NOW) -> list[Finding]:
    """What is not ok; each must say what to do."""
    found = [one for one in findings(config, at) if one.level != "ok"]
    assert all(one.remedy for one in found), found
    return found


def only(config: Path, what: str, at: datetime = NOW) -> Finding:
    """The one trouble there is."""
    (found,) = troubles(config, at)
    assert found.what == what, found
    return found


def test_nothing_is_wrong_with_a_sound_installation(home: Path) -> None:
    assert troubles(home) == []
    assert {one.what for one in findings(home)} >= {"database", "disk", "pseudonym key", "sources"}


def test_looking_changes_nothing(home: Path) -> None:
    def content() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in home.parent.iterdir() if "-shm" not in p.name}

    before = content()
    findings(home)
    assert content() == before


def test_a_broken_configuration(home: Path) -> None:
    home.write_text("[collect]\ncontct = 1\n", encoding="utf-8")
    assert "contct" in only(home, "configuration").detail


def test_a_source_that_cannot_run(home: Path) -> None:
    home.write_text(home.read_text("utf-8").replace('purpose = "test"', 'purpose = ""'), "utf-8")
    found = troubles(home)
    assert [(one.level, one.what) for one in found] == [("bad", "sources")]
    assert "purpose is missing" in found[0].detail


@pytest.mark.parametrize(
    ("written", "instead", "words"),
    [
        ('cron = "0 */6 * * *"', 'cron = "99 * * * *"', "cron '99 * * * *'"),
        ('cron = "0 */6 * * *"', 'cron = "hourly"', "five fields are needed"),
        ("[nlp]", '[schedule]\ntimezone = "Europe/Nowhere"\n[nlp]', "'Europe/Nowhere' is not a"),
    ],
)
def test_a_timetable_that_the_schedule_refuses(
    home: Path, written: str, instead: str, words: str
) -> None:
    home.write_text(home.read_text("utf-8").replace(written, instead), "utf-8")
    found = only(home, "timetable")
    assert found.level == "bad"
    assert words in found.detail


def test_a_timetable_of_no_source_is_looked_at_too(home: Path) -> None:
    text = home.read_text("utf-8").replace("enabled = true", "enabled = false")
    home.write_text(text.replace("[nlp]", '[schedule]\ncron = "99 * * * *"\n[nlp]'), "utf-8")
    assert ("bad", "timetable") in {(one.level, one.what) for one in troubles(home)}


@pytest.mark.parametrize(("enabled", "level"), [("true", "bad"), ("false", "note")])
def test_an_empty_contact_is_a_fault_once_a_source_is_enabled(
    home: Path, enabled: str, level: str
) -> None:
    text = home.read_text("utf-8").replace("enabled = true", f"enabled = {enabled}")
    home.write_text(text.replace('"test@example.org"', '""'), "utf-8")
    assert (level, "contact") in {(one.level, one.what) for one in troubles(home)}


def test_a_database_that_is_not_made_yet(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(url="db.sqlite3"), encoding="utf-8")
    assert {(one.level, one.what) for one in troubles(path)} == {
        ("note", "database"),
        ("note", "pseudonym key"),
    }


# The database -------------------------------------------------------------------------------------


def test_a_database_locked_by_another_program(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.1)
    with closing(sqlite3.connect(home.parent / "db.sqlite3", isolation_level=None)) as other:
        other.execute("begin exclusive")
        found = only(home, "database")
        other.execute("rollback")
    assert "locked by another program" in found.detail
    assert "close the program" in found.remedy
    assert troubles(home) == []


def test_a_damaged_database(home: Path) -> None:
    file = home.parent / "db.sqlite3"
    data = bytearray(file.read_bytes())
    for at in range(8192, len(data) - 4096, 8192):
        data[at : at + 4096] = b"\xa5" * 4096
    file.write_bytes(bytes(data))
    found = troubles(home)
    assert found
    assert {one.level for one in found} == {"bad"}
    assert all("damaged" in one.detail for one in found), found
    assert "raccroche restore" in found[0].remedy


def test_a_file_that_is_no_database(home: Path) -> None:
    (home.parent / "db.sqlite3").write_bytes(b"this is a letter, no database " * 200)
    assert "is not a database" in only(home, "database").detail


def test_the_database_of_another_program(home: Path) -> None:
    file = home.parent / "db.sqlite3"
    for one in home.parent.glob("db.sqlite3*"):
        one.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("create table recipes (name text)")
    file.chmod(0o600)
    found = only(home, "database")
    assert "not a Raccroche database" in found.detail
    assert "another place" in found.remedy


def change(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home.parent / "db.sqlite3", isolation_level=None)) as conn:
        conn.execute(statement)


def test_a_schema_from_the_future(home: Path) -> None:
    change(home, "insert into schema_version values (999, 0)")
    found = only(home, "database")
    assert "schema 999" in found.detail
    assert "later release" in found.remedy


def test_counts_that_are_wrong(home: Path) -> None:
    change(home, "update counts set negative_harassment = negative_harassment + 1")
    found = only(home, "database")
    assert "counts differ" in found.detail
    assert "rebuild-counts" in found.remedy


def test_a_database_that_others_can_read(home: Path) -> None:
    (home.parent / "db.sqlite3").chmod(0o644)
    found = only(home, "database")
    assert "readable by others" in found.detail
    assert found.remedy.startswith("chmod 600")


def test_a_database_that_is_not_ours_to_read(home: Path) -> None:
    """Asked as another user, since root may read everything."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can ask as another user")
    shutil.chown(home.parent / "db.sqlite3", "root", "root")
    for place in (home.parent, *home.parent.parents):
        if place.stat().st_uid == 0 and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o055)
    code = (
        "from pathlib import Path\nfrom raccroche import config\nfrom raccroche.doctor import *\n"
        f"for one in examine(lambda: config.load(Path({str(home)!r}))):\n"
        "    print(one.level, one.what, one.detail, '|', one.remedy)\n"
    )
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable]
    done = subprocess.run([*command, "-c", code], capture_output=True, text=True)
    if "Permission denied" in done.stderr and "python" in done.stderr:
        pytest.skip("the interpreter is not for other users")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("bad database")]
    assert lines
    assert "cannot be opened" in lines[0]
    assert "readable by this user" in lines[0]


@pytest.mark.parametrize("url", ["postgresql://nobody:hunter2@127.0.0.1:1/none"])
def test_a_postgresql_server_that_does_not_answer(home: Path, url: str) -> None:
    home.write_text(CONFIG.format(url=url), encoding="utf-8")
    found = only(home, "database")
    assert "does not answer" in found.detail
    assert "start the server" in found.remedy
    assert "hunter2" not in str(found)


@pytest.mark.server
def test_a_postgresql_database_sound_read_only_and_at_work(tmp_path: Path) -> None:
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres.server() as server, postgres.database(server) as url:
        home = installation(tmp_path, url)
        assert troubles(home) == []
        with Store.open(url) as store, store.lock("run"):
            (under_way,) = [one for one in findings(home) if one.what == "rounds"]
            assert under_way.detail.startswith("one is under way (process ")
        assert [one for one in findings(home) if one.what == "rounds"] == []
        with psycopg.connect(url, autocommit=True) as conn:
            name = url.rsplit("/", 1)[1]
            conn.execute(f'alter database "{name}" set default_transaction_read_only = on')
        found = only(home, "database")
        assert "read-only" in found.detail


# The disk -----------------------------------------------------------------------------------------


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a small disk")
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(["mount", *options], capture_output=True)
    if done.returncode:
        pytest.skip(f"no small disk here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 65_536):
            pass
    assert shutil.disk_usage(folder).free < 65_536


def test_a_disk_that_is_nearly_full_and_full(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "40m") as small:
        home = installation(small)
        low = only(home, "disk")
        assert (low.level, low.detail.startswith("nearly full")) == ("bad", True)
        assert "raccroche purge" in low.remedy
        fill(small)
        full, *others = troubles(home)
        assert (full.what, full.detail.startswith("full")) == ("disk", True)
        assert all("full" in one.detail or "full" in one.remedy for one in others), others
        assert "what was stored is whole" in full.remedy


def test_a_read_only_disk(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "900m") as small:
        home = installation(small)
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        found = troubles(home)
    assert {one.what for one in found} == {"disk", "database"}
    assert all("ead-only" in one.detail for one in found), found


# The key ------------------------------------------------------------------------------------------


def test_a_key_that_is_gone_while_posts_were_stored_with_it(home: Path) -> None:
    (home.parent / "key").unlink()
    found = only(home, "pseudonym key")
    assert found.level == "bad"
    assert "60 posts were stored with it" in found.detail
    assert "restore it" in found.remedy


def test_a_key_that_was_cut_short(home: Path) -> None:
    (home.parent / "key").write_bytes(b"k" * 7)
    assert "must be 32 bytes, not 7" in only(home, "pseudonym key").detail


def test_a_key_that_others_can_read(home: Path) -> None:
    (home.parent / "key").chmod(0o640)
    assert only(home, "pseudonym key").remedy.startswith("chmod 600")


# The clock, the rounds, the sources ---------------------------------------------------------------


def test_a_clock_that_was_set_back(home: Path) -> None:
    found = only(home, "clock", NOW - timedelta(days=300))
    assert found.level == "bad"
    assert "a run ended at 2026-11-24 11:00 UTC" in found.detail
    assert "timedatectl" in found.remedy


def test_a_lock_that_is_held_and_one_that_a_killed_process_left(home: Path) -> None:
    url = configuration.load(home).store_url
    code = (
        "import sys, time\nfrom raccroche.store import Store\n"
        f"with Store.open({url!r}) as s, s.lock('run'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        (held,) = [one for one in findings(home) if one.what == "rounds"]
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    assert (held.level, held.detail) == ("ok", f"one is under way (process {holder.pid})")
    assert troubles(home) == [], "a killed process holds nothing"


def test_a_round_that_hangs(home: Path) -> None:
    with Store.open(configuration.load(home).store_url) as store, store.lock("run"):
        (file,) = home.parent.glob("*.run-*.lock")
        began = (NOW - timedelta(days=2)).timestamp()
        os.utime(file, (began, began))
        found = only(home, "rounds")
    assert f"process {os.getpid()} has been at one round since 2026-11-22" in found.detail
    assert f"kill {os.getpid()}" in found.remedy


def test_a_lock_file_that_is_free_is_no_trouble(home: Path) -> None:
    with Store.open(configuration.load(home).store_url) as store:
        with store.lock("run"):
            pass
        assert store.lock_holder("run") is None
    (file,) = home.parent.glob("*.run-*.lock")
    with file.open() as opened:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)  # looking left it free


def test_rounds_that_no_longer_run(home: Path) -> None:
    late = NOW + timedelta(days=2)
    found = only(home, "rounds", late)
    assert "forum: not asked since 2026-11-24 11:00 UTC" in found.detail
    assert "raccroche schedule" in found.remedy
    assert troubles(home, NOW + timedelta(hours=7)) == [], "one round late may be a slow one"


def test_a_source_that_is_blocked(home: Path) -> None:
    with Store.open(configuration.load(home).store_url) as store:
        for minutes in (30, 10):
            store.record_run(run(NOW - timedelta(minutes=minutes), Verdict.BLOCKED, 0))
    found = only(home, "source")
    assert found.detail.startswith("forum: blocked")


def test_a_source_that_fell_silent(home: Path) -> None:
    with Store.open(configuration.load(home).store_url) as store:
        for days in range(40, 20, -1):
            store.record_run(run(NOW - timedelta(days=days)))
        for days in range(20, -1, -1):
            store.record_run(run(NOW - timedelta(days=days), Verdict.NOTHING_NEW, 0))
    assert "forum: silent, nothing new for 2" in only(home, "source").detail


def test_the_command_ends_with_one_when_something_needs_a_hand(home: Path) -> None:
    def ask() -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "raccroche", "-c", str(home), "doctor"]
        return subprocess.run(command, capture_output=True, text=True)

    with Store.open(configuration.load(home).store_url) as store:
        store.record_run(run(datetime.now(UTC)))
    well = ask()
    assert (well.returncode, well.stderr) == (0, "")
    (home.parent / "key").unlink()
    ill = ask()
    assert ill.returncode == 1
    assert "bad  pseudonym key" in ill.stdout

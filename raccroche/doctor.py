"""What is wrong with an installation, and what to do about it."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from raccroche import pipeline
from raccroche.config import Config
from raccroche.errors import ConfigError, RaccrocheError, StoreError
from raccroche.labelling import load_labeller
from raccroche.privacy import Pseudonyms
from raccroche.store import Store
from raccroche.timetable import timetable, trigger

LITTLE_SPACE = 500_000_000  # bytes
NO_SPACE = 5_000_000  # bytes
LONGEST_ROUND = timedelta(hours=12)
AHEAD = timedelta(minutes=5)  # two clocks may differ by so much
PATIENCE = 2.0  # seconds to wait for another writer


@dataclass(frozen=True, slots=True)
class Finding:
    """*level*: ok, note or bad. *remedy* says what to do."""

    level: str
    what: str
    detail: str
    remedy: str = ""


def now() -> datetime:
    return datetime.now(UTC)


def examine(load: Callable[[], Config], *, clock: Callable[[], datetime] = now) -> list[Finding]:
    """Every check in turn; one that fails does not hide the others."""
    try:
        config = load()
    except RaccrocheError as error:
        return [Finding("bad", "configuration", str(error), "mend config.toml")]
    return [
        Finding("ok", "configuration", str(config.path)),
        *_sources(config),
        *_contact(config),
        *_times(config),
        *_disks(config),
        *_labeller(config),
        *_store(config, clock()),
    ]


def _sources(config: Config) -> Iterator[Finding]:
    try:
        jobs = pipeline.jobs(config)
    except RaccrocheError as error:
        yield Finding("bad", "sources", str(error), "mend config.toml; nothing is asked until then")
        return
    if jobs:
        yield Finding("ok", "sources", f"{len(jobs)} enabled of {len(config.sources)}")
    else:
        yield Finding(
            "note", "sources", "none is enabled", "enable one in config.toml and state its purpose"
        )


def _contact(config: Config) -> Iterator[Finding]:
    """A fault where a source is enabled: no round begins without it."""
    if not config.collect.contact.strip():
        enabled = any(source.enabled for source in config.sources)
        yield Finding(
            "bad" if enabled else "note",
            "contact",
            "[collect] contact is empty",
            "give an address or a page: site owners must be able to reach you",
        )


def _times(config: Config) -> Iterator[Finding]:
    """What `raccroche schedule` refuses: a cron expression, a time zone."""
    try:
        if any(source.enabled for source in config.sources):
            timetable(config)
        else:
            trigger(config, config.schedule.cron)
    except ConfigError as error:
        if not _is_of_a_source(config):
            yield Finding("bad", "timetable", str(error), "mend [schedule] or cron in config.toml")


def _is_of_a_source(config: Config) -> bool:
    """Whether the sources themselves are refused, which is said apart."""
    try:
        pipeline.jobs(config)
    except RaccrocheError:
        return True
    return False


# The disks ---------------------------------------------------------------------------------------


def _disks(config: Config) -> Iterator[Finding]:
    """One finding a disk that holds anything of ours, read-only ones apart."""
    seen: set[int] = set()
    for folder in (config.folder, *_folders(config)):
        place = _existing(folder)
        device = place.stat().st_dev
        if device not in seen:
            seen.add(device)
            yield _space(place)
        if not os.access(place, os.W_OK):
            yield Finding(
                "bad", "disk", f"{place} is read-only", "make it writable, or point config.toml at"
                " another place",
            )  # fmt: skip


def _folders(config: Config) -> Iterator[Path]:
    database = _database(config)
    if database is not None:
        yield database.parent
    for setting in (config.collect.archive, config.schedule.publish):
        if setting:
            yield config.resolve(setting)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _space(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free at {place}"
    if free > LITTLE_SPACE:
        return Finding("ok", "disk", detail)
    if free > NO_SPACE:
        remedy = "free some space: `raccroche purge`, fewer archive_days, old exports"
        return Finding("bad", "disk", f"nearly full: {detail}", remedy)
    return Finding(
        "bad",
        "disk",
        f"full: {detail}",
        "free some space; what was stored is whole, and the next round goes on from there",
    )


# The labeller, the key ---------------------------------------------------------------------------


def _labeller(config: Config) -> Iterator[Finding]:
    try:
        labeller = load_labeller(config)
    except RaccrocheError as error:
        yield Finding("bad", "labeller", str(error), "see [nlp] in config.toml")
    else:
        yield Finding("ok", "labeller", pipeline.labeller_id(labeller))


def _key(config: Config, posts: int) -> Iterator[Finding]:
    """*posts*: how many are stored; their authors are pseudonyms of this key."""
    path = config.resolve(config.privacy.key_file)
    if not path.exists():
        if posts:
            yield Finding(
                "bad",
                "pseudonym key",
                f"{path} is missing, and {posts} posts were stored with it",
                "restore it from its backup: with a new key every author looks like a new one, "
                "and erased or objecting authors are no longer recognised",
            )
        else:
            yield Finding(
                "note", "pseudonym key", "not made yet", "it is made at the first collection"
            )
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("bad", "pseudonym key", f"{path} is readable by others", f"chmod 600 {path}")
        return
    try:
        Pseudonyms.from_file(path)
    except ConfigError as error:
        yield Finding("bad", "pseudonym key", str(error), "restore it from its backup")
    else:
        yield Finding("ok", "pseudonym key", str(path))


# The database ------------------------------------------------------------------------------------

# Words of a StoreError, and what to do then.
_REMEDIES = (
    ("locked by another program", "close the program that holds it; nothing is lost meanwhile"),
    ("older schema", "any command that writes brings it up to date: `raccroche label`"),
    ("upgrade Raccroche", "a later release wrote it: install that release, or restore a backup"),
    ("does not answer", "start the server, or mend [store] url; is the password set?"),
    ("read-only", "make the file and its folder writable by this user, or mount the disk so"),
    ("cannot be written", "make the file and its folder writable by this user"),
    ("cannot be opened", "make the file and its folder readable by this user"),
    ("ermission denied", "give this user the right to read and write it"),
    ("not a Raccroche database", "point [store] url at another place: this one is somebody else's"),
    ("full", "free some space; what was stored is whole"),
)
_DAMAGED = "stop the other programs and `raccroche restore` the last backup"


def _remedy(error: StoreError) -> str:
    return next((remedy for words, remedy in _REMEDIES if words in str(error)), _DAMAGED)


def _database(config: Config) -> Path | None:
    """The file of a SQLite store."""
    if "://" in config.store_url and not config.store_url.startswith("sqlite:///"):
        return None
    return Path(config.store_url.removeprefix("sqlite:///"))


def _store(config: Config, present: datetime) -> Iterator[Finding]:
    path = _database(config)
    if path is not None and not path.exists():
        yield Finding("note", "database", "not made yet", "`raccroche collect` makes it")
        yield from _key(config, 0)
        return
    try:
        with Store.open(config.store_url, read_only=True) as store:
            yield from _key(config, store.status().posts)
            yield from _integrity(store)
            yield from _clock(store, present)
            yield from _rounds(config, store, present)
            yield from _silence(config, store, present)
    except StoreError as error:
        yield Finding("bad", "database", str(error), _remedy(error))
        return
    yield from _writing(config)
    if path is not None and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("bad", "database", f"{path} is readable by others", f"chmod 600 {path}")


def _integrity(store: Store) -> Iterator[Finding]:
    problems = store.check()
    if not problems:
        yield Finding("ok", "database", "sound: integrity and counts are right")
    for problem in problems:
        remedy = "`raccroche rebuild-counts`" if "counts differ" in problem else _DAMAGED
        yield Finding("bad", "database", problem, remedy)


def _writing(config: Config) -> Iterator[Finding]:
    try:
        Store.try_writing(config.store_url, timeout=PATIENCE)
    except StoreError as error:
        yield Finding("bad", "database", str(error), _remedy(error))


def _clock(store: Store, present: datetime) -> Iterator[Finding]:
    """A run that ended in the future: the clock was ahead then, or is behind now."""
    ended = max((run.finished_at for run in store.runs(1000)), default=present)
    if ended > present + AHEAD:
        yield Finding(
            "bad",
            "clock",
            f"a run ended at {ended:%Y-%m-%d %H:%M} UTC, and it is {present:%Y-%m-%d %H:%M}",
            "set this machine's clock (timedatectl); rounds go on by the clock as it is, and "
            "nothing is collected twice or left out",
        )


def _rounds(config: Config, store: Store, present: datetime) -> Iterator[Finding]:
    """A round at work for too long, or none for too long."""
    held = store.lock_holder("run")
    if held is not None and held.since is not None and present - held.since > LONGEST_ROUND:
        yield Finding(
            "bad",
            "rounds",
            f"process {held.process} has been at one round since {held.since:%Y-%m-%d %H:%M} UTC",
            f"see whether it hangs; ending it loses nothing (kill {held.process})",
        )
    elif held is not None:
        yield Finding("ok", "rounds", f"one is under way (process {held.process or 'unknown'})")
    yield from _late(config, store, present)


def _late(config: Config, store: Store, present: datetime) -> Iterator[Finding]:
    runs = store.last_runs()
    try:
        lines = timetable(config)
    except ConfigError:
        return  # said above
    for cron, names in lines.items():
        moments = trigger(config, cron)
        asked = [runs[name].started_at for name in names if name in runs]
        if asked and moments.after(moments.after(min(asked))) < present - timedelta(hours=1):
            yield Finding(
                "note",
                "rounds",
                f"{', '.join(names)}: not asked since {min(asked):%Y-%m-%d %H:%M} UTC, due {cron}",
                "start `raccroche schedule` or the timer; the next round makes up what was missed",
            )


def _silence(config: Config, store: Store, present: datetime) -> Iterator[Finding]:
    from raccroche.alerts.silence import silent_sources

    enabled = {source.name for source in config.sources if source.enabled}
    for alert in silent_sources(store, present.date()):
        _, what, source = alert.signal.split(":", 2)
        if source in enabled:
            detail = f"{source}: {what}" + (f", {alert.note}" if alert.note else "")
            yield Finding(
                "note", "source", detail, "look at the site; `raccroche status` has its last runs"
            )

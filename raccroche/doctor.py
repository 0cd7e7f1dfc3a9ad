"""What is wrong with an installation, and what to do about it."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from raccroche import pipeline
from raccroche.config import Config
from raccroche.errors import RaccrocheError
from raccroche.labelling import load_labeller
from raccroche.store import Store

LITTLE_SPACE = 500_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """*level*: ok, note or bad. *remedy* says what to do."""

    level: str
    what: str
    detail: str
    remedy: str = ""


def examine(load: Callable[[], Config]) -> list[Finding]:
    """Every check in turn; one that fails does not hide the others."""
    try:
        config = load()
    except RaccrocheError as error:
        return [Finding("bad", "configuration", str(error))]
    return [
        Finding("ok", "configuration", str(config.path)),
        *_sources(config),
        *_contact(config),
        *_disk(config),
        *_key(config),
        *_labeller(config),
        *_store(config),
    ]


def _sources(config: Config) -> Iterator[Finding]:
    try:
        jobs = pipeline.jobs(config)
    except RaccrocheError as error:
        yield Finding("bad", "sources", str(error))
        return
    if jobs:
        yield Finding("ok", "sources", f"{len(jobs)} enabled of {len(config.sources)}")
    else:
        yield Finding(
            "note", "sources", "none is enabled", "enable one in config.toml and state its purpose"
        )


def _contact(config: Config) -> Iterator[Finding]:
    if not config.collect.contact:
        yield Finding(
            "note",
            "contact",
            "[collect] contact is empty",
            "give an address or a page: site owners must be able to reach you",
        )


def _disk(config: Config) -> Iterator[Finding]:
    free = shutil.disk_usage(config.folder).free
    level = "ok" if free > LITTLE_SPACE else "bad"
    remedy = "" if level == "ok" else "free some space, or point [store] url elsewhere"
    yield Finding(level, "disk", f"{free / 1e9:.1f} GB free at {config.folder}", remedy)
    if not os.access(config.folder, os.W_OK):
        yield Finding("bad", "disk", f"{config.folder} is read-only", "make it writable")


def _key(config: Config) -> Iterator[Finding]:
    path = config.resolve(config.privacy.key_file)
    if not path.exists():
        yield Finding("note", "pseudonym key", "not made yet", "it is made at the first collection")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding("bad", "pseudonym key", f"{path} is readable by others", f"chmod 600 {path}")
    else:
        yield Finding("ok", "pseudonym key", str(path))


def _labeller(config: Config) -> Iterator[Finding]:
    try:
        labeller = load_labeller(config)
    except RaccrocheError as error:
        yield Finding("bad", "labeller", str(error))
    else:
        yield Finding("ok", "labeller", pipeline.labeller_id(labeller))


def _store(config: Config) -> Iterator[Finding]:
    if config.store_url.startswith("sqlite:///"):
        path = Path(config.store_url.removeprefix("sqlite:///"))
        if not path.exists():
            yield Finding("note", "database", "not made yet", "`raccroche collect` makes it")
            return
    try:
        store = Store.open(config.store_url, read_only=True)
    except RaccrocheError as error:
        yield Finding("bad", "database", str(error))
        return
    with store:
        problems = store.check()
        if problems:
            for problem in problems:
                yield Finding(
                    "bad", "database", problem, "restore a backup, or `raccroche rebuild-counts`"
                )
        else:
            yield Finding("ok", "database", "sound: integrity and counts are right")

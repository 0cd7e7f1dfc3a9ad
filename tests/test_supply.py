"""The lock file holds what requirements.txt asks for, hashed, and says nothing of who made it."""

import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PYTHONS = ("3.11.0", "3.12.0", "3.13.0")


def requirements(text: str) -> Iterator[Requirement]:
    """The requirements of a file, its comments and options aside."""
    for line in text.replace("\\\n", " ").splitlines():
        bare = re.split(r"\s--hash|(?:^|\s)#", line)[0].strip()
        if bare and not bare.startswith("-"):
            yield Requirement(bare)


LOCKED = list(requirements(LOCK))
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
ASKED = [
    *requirements((ROOT / "requirements.txt").read_text("utf-8")),
    *(Requirement(one) for one in BUILD),
]


def pinned(name: str, python: str) -> list[str]:
    """The versions that the lock gives *name* on Linux under that Python."""
    place = {"python_full_version": python, "python_version": python[:4], "sys_platform": "linux"}
    found = []
    for one in LOCKED:
        if canonicalize_name(one.name) == name and (not one.marker or one.marker.evaluate(place)):
            (version,) = one.specifier
            assert version.operator == "=="
            found.append(version.version)
    return found


@pytest.mark.parametrize("asked", ASKED, ids=lambda one: one.name)
@pytest.mark.parametrize("python", PYTHONS)
def test_what_requirements_ask_for_is_locked_once_inside_its_range(
    asked: Requirement, python: str
) -> None:
    versions = pinned(canonicalize_name(asked.name), python)
    assert len(versions) == 1, f"`make lock` was forgotten: {asked.name}"
    assert versions[0] in asked.specifier, f"`make lock` was forgotten: {asked}, not {versions}"


def test_every_locked_package_has_the_hashes_of_its_files() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)[1:]
    assert len(entries) == len(LOCKED) > 100
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


def test_the_lock_names_no_registry_address_or_path() -> None:
    for word in ("://", "/", "index", "--find-links", "@ "):
        assert word not in LOCK


@pytest.fixture(scope="module")
def supply() -> ModuleType:
    spec = importlib.util.spec_from_file_location("supply", ROOT / "deploy/supply.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CLEAN = {"name": "a", "version": "1", "vulns": []}
HOLED = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "status", "said", "unsaid"),
    [
        ([CLEAN], 0, "1 packages asked about, 0 holes", "COULD NOT"),
        ([CLEAN, HOLED], 1, "b 2: PYSEC-1, mended in ['3']", "COULD NOT"),
        ([CLEAN, UNKNOWN], 0, "COULD NOT ASK about 1 of 2", "2 packages asked"),
        ([UNKNOWN], 0, "COULD NOT ASK about 1 of 1", "0 holes"),
    ],
)
def test_an_audit_that_could_not_ask_is_never_said_to_be_clean(
    supply: ModuleType, packages: list[object], status: int, said: str, unsaid: str
) -> None:
    lines, ended = supply.verdict(json.dumps({"dependencies": packages}), "")
    assert ended == status
    assert said in "\n".join(lines)
    assert unsaid not in "\n".join(lines)


def test_an_audit_that_fell_over_says_why(supply: ModuleType) -> None:
    lines, ended = supply.verdict("", "Traceback\nConnectionError: no such host")
    assert ended == 0
    assert lines == [
        "pip-audit: COULD NOT ASK, nothing is known of any package (ConnectionError: no such host)"
    ]

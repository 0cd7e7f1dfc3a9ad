"""What the documentation names is there: commands, options, links, keys; its code runs."""

import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
import typer.main

from raccroche import config as configuration
from raccroche.cli import app
from raccroche.post import Answer, State

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS: Mapping[str, object] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def commands(page: Path) -> Iterator[str]:
    """Every `raccroche ...` in a block or between backquotes."""
    text = page.read_text("utf-8")
    for line in "\n".join(re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL)).splitlines():
        for part in line.split("#")[0].split("|"):
            if part.strip().startswith("raccroche "):
                yield part.strip()
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    yield from re.findall(r"`(raccroche [^`]+)`", outside)


NAMED = sorted({(page.name, command) for page in PAGES for command in commands(page)})


@pytest.mark.parametrize(("page", "command"), NAMED)
def test_a_command_that_a_page_names_exists_with_its_options(page: str, command: str) -> None:
    words = shlex.split(command.replace("’", ""))[1:]
    if words[0] in ("--config", "-c"):
        words = words[2:]
    if words[0].startswith("--"):
        return
    assert words[0] in COMMANDS, f"{page}: {command}"
    parameters = COMMANDS[words[0]].params  # type: ignore[attr-defined]
    known = {name for one in parameters for name in (*one.opts, *one.secondary_opts)}
    for word in words[1:]:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{page}: {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_section_and_key_that_a_page_names_exist(page: Path) -> None:
    known = tomllib.loads((ROOT / "config.toml").read_text("utf-8"))
    for section, key in re.findall(r"`\[(\w+)\] (\w+)`", page.read_text("utf-8")):
        assert key in known[section], f"{page.name}: [{section}] {key}"


@pytest.mark.parametrize("name", ["add-a-source.md", "add-a-brand.md"])
def test_configuration_in_a_page_is_accepted(tmp_path: Path, name: str) -> None:
    for number, block in enumerate(blocks(ROOT / "docs" / name, "toml")):
        path = tmp_path / f"{number}.toml"
        path.write_text(block, encoding="utf-8")
        loaded = configuration.load(path)
        assert loaded.sources or loaded.brands


@pytest.fixture
def panneau(tmp_path: Path) -> ModuleType:
    """The module that docs/add-a-source.md has a newcomer write."""
    path = tmp_path / "panneau.py"
    path.write_text(blocks(ROOT / "docs/add-a-source.md", "python")[0], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("panneau", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_source_of_the_page_reads_its_sample(panneau: ModuleType) -> None:
    sample = blocks(ROOT / "docs/add-a-source.md", "json")[0]
    (request,) = panneau.requests(panneau.Settings(site="panneau.example"), State())
    answer = Answer(request.url, sample.encode(), request=request)

    page = panneau.parse(answer)

    assert [(post.id, post.author) for post in page.posts] == [
        ("panneau/panneau.example:1", "zoe"),
        ("panneau/panneau.example:2", "max"),
    ]
    assert page.declared == len(json.loads(sample)["messages"])
    assert page.next[0].only_while_new
    assert panneau.recognises(answer) > 50

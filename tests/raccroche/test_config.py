"""Reading config.toml: what is refused, in which words, and where secrets come from."""

from pathlib import Path

import pytest

from raccroche import config
from raccroche.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_is_valid_and_enables_no_source() -> None:
    loaded = config.load(REPOSITORY / "config.toml")
    assert loaded.sources
    assert not any(source.enabled for source in loaded.sources)


def test_the_shipped_file_says_every_key_with_its_default() -> None:
    """A key that is missing in the file is a setting that nobody finds."""
    import dataclasses
    import tomllib

    table = tomllib.loads((REPOSITORY / "config.toml").read_text("utf-8"))
    for section in ("store", "collect", "nlp", "privacy", "schedule", "alerts", "dashboard"):
        kind = type(getattr(config.Config(Path("x")), section))
        assert set(table[section]) == {f.name for f in dataclasses.fields(kind)}
        defaults = dataclasses.asdict(kind())
        written = {k: tuple(v) if isinstance(v, list) else v for k, v in table[section].items()}
        assert written == defaults


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[collect]\nratee = 1.0", "[collect] unknown key 'ratee'; did you mean 'rate'"),
        ("[colect]\nrate = 1.0", "unknown section [colect]; did you mean 'collect'"),
        ("[collect]\nrate = 'fast'", "[collect] rate must be a number"),
        ("[collect]\nrate = 0", "[collect] rate must be above 0"),
        ("[collect]\nrate = nan", "[collect] rate must be above 0 and finite"),
        ("[collect]\nrate = inf", "[collect] rate must be above 0 and finite"),
        ("[collect]\nrate = -1", "[collect] rate must be above 0"),
        ("[collect]\narchive_days = 36501", "[collect] archive_days must be from 1 to 36500"),
        ("[privacy]\ntext_days = 999999999", "[privacy] text_days must be from 1 to 36500"),
        ("[privacy]\ntext_days = 0", "[privacy] text_days must be from 1 to 36500"),
        ("[schedule]\njitter_seconds = -1", "[schedule] jitter_seconds must be from 0"),
        ("[collect]\ncontact = 'us'", "[collect] contact must hold an e-mail address or an http"),
        ('[collect]\ncontact = "a@b.example\\nX: y"', "[collect] contact must be one line"),
        ("[collect]\nuser_agent = 'Ré'", "[collect] user_agent must be one line of ASCII"),
        ("[nlp]\nworkers = true", "[nlp] workers must be a whole number"),
        ("[collect]\nallow_hosts = 'a'", "[collect] allow_hosts must be a list of texts"),
        ("collect = 3", "[collect] must be a table"),
        ("[sources.a]\nenabled = true", "[sources.a] platform is missing"),
        ("[[brands]]\nname = 'A'", "[[brands]] number 1 id is missing"),
        ("[[brands]]\nid='a'\nname='A'\n[[brands]]\nid='a'\nname='B'", "'a' is there twice"),
        ("[collect", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_naming_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        config.load(path)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "contact",
    ["", "ana@observatoire.example", "https://observatoire.example/contact", "Ana <ana@b.example>"],
)
def test_a_contact_that_is_empty_or_can_be_written_to_is_read(tmp_path: Path, contact: str) -> None:
    path = write(tmp_path, f"[collect]\ncontact = '{contact}'\n[privacy]\ntext_days = 36500")
    assert config.load(path).collect.contact == contact


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        config.load(tmp_path / "config.toml")


def test_a_file_that_is_not_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(path)


def test_a_secret_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "[sources.x]\nplatform = 'x'\ntoken_env = 'RACCROCHE_TEST_TOKEN'")
    loaded = config.load(path)
    monkeypatch.setenv("RACCROCHE_TEST_TOKEN", "abc")
    assert config.with_secrets(loaded.sources[0], path).settings == {"token": "abc"}


def test_a_missing_secret_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RACCROCHE_TEST_TOKEN", raising=False)
    path = write(tmp_path, "[sources.x]\nplatform = 'x'\ntoken_env = 'RACCROCHE_TEST_TOKEN'")
    loaded = config.load(path)
    with pytest.raises(ConfigError, match="token_env: the environment variable RACCROCHE_TEST"):
        config.with_secrets(loaded.sources[0], path)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    loaded = config.load(write(tmp_path, "[store]\nurl = 'a/b.sqlite3'"))
    assert loaded.store_url == f"sqlite:///{tmp_path.resolve()}/a/b.sqlite3"


def test_the_environment_names_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RACCROCHE_STORE_URL", "postgresql+psycopg://h/d")
    loaded = config.load(write(tmp_path, "[store]\nurl = 'a/b.sqlite3'"))
    assert loaded.store_url == "postgresql+psycopg://h/d"

"""A new key for the pseudonyms: whoever was refused or is to be erased is still found."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raccroche import privacy, rights
from raccroche.config import Config, PrivacyConfig
from raccroche.errors import ConfigError, StoreError
from raccroche.post import Post
from raccroche.privacy import Pseudonyms, protect, pseudonyms
from raccroche.store import Store

ZOE = "zoe@serveur.example"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "config.toml", privacy=PrivacyConfig(key_file="key"))


def collect(config: Config, store: Store, number: int, author: str = ZOE) -> int:
    """How many new posts one post of *author*, protected as collection does, makes."""
    post = Post(
        source="mastodon/serveur.example",
        platform="mastodon",
        native_id=str(number),
        text=f"Appel numéro {number} de la société Mandarine ce matin",
        author=author,
        url=f"https://serveur.example/@x/{number}",
        published_at=datetime(2026, 11, number, tzinfo=UTC),
    )
    return store.add_posts([protect(post, pseudonyms(config, store))]).new


def author_of(store: Store, number: int) -> str | None:
    detail = store.post(f"mastodon/serveur.example:{number}")
    return detail.post.author if detail else None


def erase(config: Config, store: Store, author: str) -> int:
    return rights.erase(config, store, None, author=author, platforms=["mastodon"]).posts


def test_an_author_is_another_person_after_the_rotation(config: Config, store: Store) -> None:
    collect(config, store, 1)
    assert privacy.rotate(config, store) == 1
    collect(config, store, 2)
    before, after = author_of(store, 1), author_of(store, 2)
    assert before != after
    assert None not in (before, after)
    assert len(store.setting(privacy.ROTATIONS)) == 1


def test_a_known_post_read_again_keeps_its_author(config: Config, store: Store) -> None:
    collect(config, store, 1)
    before = author_of(store, 1)
    privacy.rotate(config, store)
    assert collect(config, store, 1) == 0
    assert author_of(store, 1) == before
    assert store.status().posts == 1


def test_an_author_is_erased_with_the_posts_of_before_and_after(
    config: Config, store: Store
) -> None:
    collect(config, store, 1)
    privacy.rotate(config, store)
    collect(config, store, 2)
    privacy.rotate(config, store)
    collect(config, store, 3)
    collect(config, store, 4, author="max@serveur.example")
    assert erase(config, store, f"@{ZOE}") == 3
    assert collect(config, store, 5) == 0
    assert store.status().posts == 1


@pytest.mark.parametrize("rotations", [1, 3])
def test_an_objection_of_before_holds_after(config: Config, store: Store, rotations: int) -> None:
    rights.object_to(config, store, author=ZOE, platforms=["mastodon"])
    for _ in range(rotations):
        privacy.rotate(config, store)
    assert collect(config, store, 1) == 0
    assert collect(config, store, 2, author="max@serveur.example") == 1


def test_a_pseudonym_of_before_is_refused_though_given_after(config: Config, store: Store) -> None:
    collect(config, store, 1)
    old = author_of(store, 1)
    assert old is not None
    privacy.rotate(config, store)
    assert erase(config, store, old) == 1
    assert collect(config, store, 2) == 0


def test_keys_that_are_forgotten_recognise_nobody(config: Config, store: Store) -> None:
    collect(config, store, 1)
    rights.object_to(config, store, author=ZOE, platforms=["mastodon"])
    privacy.rotate(config, store)
    assert privacy.forget(config, store) == 1
    assert erase(config, store, ZOE) == 0
    assert store.status().posts == 1
    assert not privacy.retired_path(config.resolve("key")).exists()
    assert privacy.forget(config, store) == 0


def test_no_key_is_made_new_while_a_round_runs(config: Config, store: Store) -> None:
    collect(config, store, 1)
    before = privacy.read_key(config)
    with store.lock("run"), pytest.raises(StoreError):
        privacy.rotate(config, store)
    assert privacy.read_key(config) == before


def test_a_rotation_killed_between_its_files_is_as_if_not_begun(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(config, store, 1)
    place, kept = config.resolve("key"), Pseudonyms.from_file(config.resolve("key"))
    replaced = privacy.os.replace  # type: ignore[attr-defined]

    def killed(old: Path, new: Path) -> None:
        if new == place:
            raise KeyboardInterrupt
        replaced(old, new)

    with monkeypatch.context() as patch:
        patch.setattr("raccroche.privacy.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            privacy.rotate(config, store)
    assert Pseudonyms.from_file(place) == kept
    assert privacy.rotate(config, store) == 1
    assert erase(config, store, ZOE) == 1


def test_the_keys_are_for_their_owner_alone_and_in_no_database(
    config: Config, store: Store
) -> None:
    keys = [privacy.read_key(config)]
    privacy.rotate(config, store)
    keys.append(privacy.read_key(config))
    assert len(set(keys)) == 2
    files = sorted(path for path in config.folder.iterdir() if "key" in path.name)
    assert [path.name for path in files] == ["key", "key.retired"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    if store.path is not None:
        held = b"".join(path.read_bytes() for path in store.path.parent.glob("raccroche.db*"))
        assert held
        assert not any(key in held or key.hex().encode() in held for key in keys)


def test_retired_keys_that_are_damaged_are_told_in_one_sentence(
    config: Config, store: Store
) -> None:
    privacy.rotate(config, store)
    place = privacy.retired_path(config.resolve("key"))
    for content in ("", "[1]", "{", '["zz"]', "\x00"):
        place.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"key\.retired"):
            pseudonyms(config, store)


def test_another_account_of_the_same_name_is_not_refused(config: Config, store: Store) -> None:
    rights.object_to(config, store, author=ZOE, platforms=["lemmy"])
    privacy.rotate(config, store)
    assert collect(config, store, 1) == 1

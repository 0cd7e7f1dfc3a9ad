"""Pseudonyms and masks: what becomes of names and numbers before they enter the database."""

import hmac
import json
import os
import secrets
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from nlp.numbers import mask
from raccroche.accounts import with_brand_accounts
from raccroche.config import Config
from raccroche.errors import ConfigError
from raccroche.post import MAX_TEXT, Post
from raccroche.store import Store

KEY_BYTES = 32
ROTATIONS = "pseudonym_rotations"  # the store's setting that says when the key was changed


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """
    Keyed, stable pseudonyms (HMAC-SHA-256, one key an installation).

    The key lies in its own file, mode 0600, never in the database: destroying it makes the
    pseudonyms anonymous. One platform account has one pseudonym, through whatever source or format
    it came. *retired* are keys of before a rotation: an author whom *refused* holds under one of
    them keeps that pseudonym, so that the store goes on refusing their posts.
    """

    key: bytes
    retired: tuple[bytes, ...] = ()
    refused: Container[str] = ()

    @classmethod
    def from_file(cls, path: Path) -> "Pseudonyms":
        """
        Read the key of *path*; make one at first start. Raises ConfigError when it is unusable.
        """
        try:
            key = path.read_bytes() if path.exists() else _new_key(path)
        except OSError as error:
            raise ConfigError(
                f"{path}: the pseudonym key cannot be read or made: {error}"
            ) from error
        if len(key) != KEY_BYTES:
            raise ConfigError(
                f"{path}: the pseudonym key must be {KEY_BYTES} bytes, not {len(key)}; "
                "restore it from a backup: with another key, known authors look like new ones"
            )
        return cls(key, tuple(one for one in _retired(path) if one != key))

    def of(self, platform: str, author: str | None) -> str | None:
        """`p_` and 20 hexadecimal digits; None for a post without an author."""
        if not author:
            return None
        mine, *before = self.every(platform, author)
        return next((name for name in before if name in self.refused), mine)

    def every(self, platform: str, author: str) -> list[str]:
        """The pseudonyms of an account under the key of today and under the retired ones."""
        name = f"{platform}\0{author.strip().casefold()}".encode()
        return [
            "p_" + hmac.new(key, name, sha256).hexdigest()[:20] for key in (self.key, *self.retired)
        ]


def pseudonyms(config: Config, store: Store) -> Pseudonyms:
    """The pseudonyms of this installation, mindful of those whom its store refuses."""
    found = Pseudonyms.from_file(key_path(config))
    return replace(found, refused=store.refused_authors()) if found.retired else found


def key_path(config: Config) -> Path:
    return config.resolve(config.privacy.key_file)


def retired_path(path: Path) -> Path:
    """Where the keys of before a rotation are, beside the key."""
    return path.with_name(path.name + ".retired")


def rotate(config: Config, store: Store) -> int:
    """
    Give the installation a new key and keep the old one beside it; how many are kept.

    Authors of before and after are different persons in every count. A kill at any moment leaves
    either key in force, and the old one kept. Raises StoreError while a round is running.
    """
    path = key_path(config)
    with store.lock("run"):
        old = Pseudonyms.from_file(path)
        kept = (old.key, *old.retired)
        _write(retired_path(path), json.dumps([key.hex() for key in kept]).encode())
        _write(path, secrets.token_bytes(KEY_BYTES))
        days = [*store.setting(ROTATIONS, []), datetime.now(UTC).isoformat(timespec="seconds")]
        store.set_setting(ROTATIONS, days)
    return len(kept)


def forget(config: Config, store: Store) -> int:
    """
    Destroy the retired keys: their pseudonyms are anonymous from then on; how many keys went.

    Authors refused under one of them are no longer recognised.
    """
    path = retired_path(key_path(config))
    with store.lock("run"):
        many = len(_retired(key_path(config)))
        path.unlink(missing_ok=True)
    return many


def admitted(config: Config, posts: Sequence[Post], names: Pseudonyms) -> list[Post]:
    """
    *posts* of one page as they may be stored: which are of brands' accounts, or answer them, is
    told while names are there; then each is protected.
    """
    told = with_brand_accounts(config, posts)
    return [protect(post, names, mask_text=config.privacy.mask) for post in told]


def protect(post: Post, names: Pseudonyms, *, mask_text: bool = True) -> Post:
    """*post* as it may be stored: author replaced, personal numbers, e-mails and IBAN masked."""
    text = post.text[:MAX_TEXT]
    title = post.title
    if mask_text:
        text = mask(text)
        title = mask(title) if title else title
    return replace(
        post,
        author=names.of(post.platform, post.author),
        text=text,
        title=title,
        thread_title=mask(post.thread_title)
        if post.thread_title and mask_text
        else post.thread_title,
        quoted=tuple(mask(q) for q in post.quoted) if mask_text else post.quoted,
    )


def read_key(config: Config) -> bytes:
    """The installation's secret, made at first use; the base of every pseudonym."""
    return Pseudonyms.from_file(key_path(config)).key


def _retired(path: Path) -> list[bytes]:
    """The keys of before; ConfigError when their file is unusable."""
    place = retired_path(path)
    if not place.exists():
        return []
    try:
        return [bytes.fromhex(one) for one in json.loads(place.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{place}: the retired keys cannot be read ({error}); restore the file from a backup, "
            "or remove it: refusals of before the rotation are then forgotten"
        ) from error


def _new_key(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    _create(path, key)
    return key


def _write(path: Path, content: bytes) -> None:
    """*content* for its owner alone, whole or not at all."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _create(beside, content)
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _create(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

"""Pseudonyms and masks: what happens to a person's name and numbers before the first write."""

import hmac
import os
import secrets
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from nlp.numbers import mask
from raccroche.config import Config
from raccroche.errors import ConfigError
from raccroche.post import MAX_TEXT, Post

KEY_BYTES = 32


class Pseudonyms:
    """
    Keyed, stable pseudonyms (HMAC-SHA-256, one key an installation).

    The key lies in its own file, mode 0600, never in the database: destroying it makes the
    pseudonyms
    anonymous. One platform account has one pseudonym, through whatever source or format it came.
    """

    def __init__(self, key: bytes) -> None:
        self.key = key

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
        return cls(key)

    def of(self, platform: str, author: str | None) -> str | None:
        """`p_` and 20 hexadecimal digits; None for a post without an author."""
        if not author:
            return None
        name = f"{platform}\0{author.strip().casefold()}".encode()
        return "p_" + hmac.new(self.key, name, sha256).hexdigest()[:20]


def protect(post: Post, pseudonyms: Pseudonyms, *, mask_text: bool = True) -> Post:
    """*post* as it may be stored: author replaced, personal numbers, e-mails and IBAN masked."""
    text = post.text[:MAX_TEXT]
    title = post.title
    if mask_text:
        text = mask(text)
        title = mask(title) if title else title
    return replace(
        post,
        author=pseudonyms.of(post.platform, post.author),
        text=text,
        title=title,
        thread_title=mask(post.thread_title)
        if post.thread_title and mask_text
        else post.thread_title,
        quoted=tuple(mask(q) for q in post.quoted) if mask_text else post.quoted,
    )


def read_key(config: Config) -> bytes:
    """The installation's secret, made at first use; the base of every pseudonym."""
    return Pseudonyms.from_file(config.resolve(config.privacy.key_file)).key


def _new_key(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key

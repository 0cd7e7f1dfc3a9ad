"""Runs one configured source through the real client, pipeline and store, as `collect` does."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from raccroche import config as configuration
from raccroche import pipeline, routine
from raccroche.config import Config
from raccroche.http import Client
from raccroche.post import Run
from raccroche.store import Store, StoredPost

_CONFIG = """
[store]
url = "db.sqlite3"
[privacy]
key_file = "{key_file}"
[collect]
{collect}
{more}
"""


def source_table(name: str, platform: str, **settings: Any) -> str:
    """The table of an enabled source, for *more* of `configured`."""
    told = {"platform": platform, "enabled": True, "purpose": "test"} | settings
    return f"\n[sources.{name}]\n{_lines(told)}\n"


def configured(
    folder: Path, urls: Iterable[str], more: str, *, key_file: str = "key", **collect: Any
) -> Config:
    """
    A configuration in *folder*, made if need be, which may ask the hosts of *urls*; *more* are its
    further tables, *collect* its settings of collection.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hosts = [urlsplit(url).netloc for url in urls]
    settings: dict[str, Any] = {"contact": "test@example.org", "allow_hosts": hosts}
    settings |= {"rate": 10000.0, "archive": "", "cache": ""} | collect
    path = folder / "config.toml"
    written = _CONFIG.format(key_file=key_file, collect=_lines(settings), more=more)
    path.write_text(written, encoding="utf-8")
    return configuration.load(path)


def source(folder: Path, platform: str, url: str, settings: Mapping[str, object]) -> Config:
    """A configuration in *folder* with one source, which may ask the host of *url*."""
    return configured(folder, [url], source_table("one", platform, **settings))


def _lines(settings: Mapping[str, object]) -> str:
    return "\n".join(f"{name} = {_toml(value)}" for name, value in settings.items())


def _toml(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else f'"{value}"'


def collect(loaded: Config) -> Run:
    """One run, without the waits and robots.txt that our own servers do not need."""

    async def run() -> Run:
        with Store.open(loaded.store_url) as store:
            options = loaded.collect
            async with Client(
                options.contact, options.user_agent, allow_hosts=options.allow_hosts, polite=False
            ) as client:
                return (await pipeline.collect(loaded, store, client))[0]

    return asyncio.run(run())


def collect_politely(loaded: Config) -> Run:
    """One run as the command does it: with the waits, the cache and the archive of *loaded*."""

    async def run() -> Run:
        with Store.open(loaded.store_url) as store:
            return (await routine.collect(loaded, store))[0]

    return asyncio.run(run())


def stored(loaded: Config) -> dict[str, StoredPost]:
    """Everything the source brought, by native id."""
    with Store.open(loaded.store_url) as store:
        return {post.native_id: post for post in store.unlabelled("nobody@1", 100_000)}

"""The table of sources: every platform Raccroche can read, by its name in config.toml."""

from functools import cache
from importlib import import_module
from typing import cast

from collectors.contract import Source
from raccroche.post import Answer

_MODULES: tuple[str, ...] = (
    # one line a platform, in alphabetical order; imported on first use
    "activitypub",
    "appstore",
    "askbot",
    "bluesky",
    "comments",
    "discourse",
    "drupal",
    "feeds",
    "files",
    "forum",
    "googleplay",
    "hackernews",
    "hfr",
    "isso",
    "jetstream",
    "lemmy",
    "mastodon",
    "mediawiki",
    "misago",
    "nntp",
    "nodebb",
    "opendatasoft",
    "peertube",
    "petition",
    "phpbb",
    "reddit",
    "smf",
    "spip",
    "stackexchange",
    "telegram",
    "trustpilot",
    "vbulletin",
    "wordpress",
    "x",
    "xenforo",
    "youtube",
)


@cache
def sources() -> dict[str, Source]:
    """All platforms, by name."""
    modules = [cast(Source, import_module(f"collectors.{name}")) for name in _MODULES]
    return {module.PLATFORM: module for module in modules}


def recognise(answer: Answer) -> Source | None:
    """The platform that *answer* is most likely of, or None when nobody knows it."""
    scores = [(source.recognises(answer), name) for name, source in sources().items()]
    best, name = max(scores, default=(0, ""))
    return sources()[name] if best > 0 else None

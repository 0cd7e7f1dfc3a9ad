"""Google Play and Trustpilot: off until a right is stated, and then still refused by robots.txt."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors import reddit, trustpilot, x, youtube
from collectors.contract import Source, obeys_robots
from raccroche import config as configuration
from raccroche import pipeline
from raccroche.errors import ConfigError
from raccroche.http import Client
from raccroche.http.cache import Cache, SavedRobots
from raccroche.post import Run, Verdict
from raccroche.store import Store
from tests.servers.collecting import source

FORBIDDEN = {
    "googleplay": ("https://play.google.com:443", {"apps": ["com.shop.example"]}),
    "trustpilot": ("https://www.trustpilot.com:443", {"units": ["shop.example"]}),
}


def collect(loaded: configuration.Config, origin: str) -> Run:
    """One run of a client that has met this origin's robots.txt today: nothing is asked of it."""

    async def run() -> Run:
        known = loaded.resolve("cache")
        cache = Cache(known)
        disallow = b"User-agent: *\nDisallow: /\n"
        cache.keep_robots(origin, SavedRobots(200, disallow, "[]", datetime.now(UTC).timestamp()))
        cache.close()
        with Store.open(loaded.store_url) as store:
            async with Client("test@example.org", "Raccroche/0.1", cache=known) as client:
                return (await pipeline.collect(loaded, store, client))[0]

    return asyncio.run(run())


@pytest.mark.parametrize("platform", FORBIDDEN)
def test_without_a_right_nothing_is_asked(tmp_path: Path, platform: str) -> None:
    origin, settings = FORBIDDEN[platform]
    loaded = source(tmp_path, platform, origin, settings)

    with pytest.raises(ConfigError, match=r"\[sources\.one\] right"):
        collect(loaded, origin)


@pytest.mark.parametrize("platform", FORBIDDEN)
def test_a_right_in_words_does_not_overrule_robots_txt(tmp_path: Path, platform: str) -> None:
    origin, settings = FORBIDDEN[platform]
    loaded = source(tmp_path, platform, origin, {**settings, "right": "a written permission"})

    run = collect(loaded, origin)

    assert (run.verdict, run.got, run.requests) == (Verdict.REFUSED_BY_ROBOTS, 0, 0)
    assert "robots.txt does not allow it" in run.message


@pytest.mark.parametrize(
    ("platform", "settings"),
    [
        (x, x.Settings(search=("mobiloux",), token="t")),
        (youtube, youtube.Settings(search=("mobiloux",), api_key="k")),
        (reddit, reddit.Settings(search=("mobiloux",), client_id="i", client_secret="s")),
        (trustpilot, trustpilot.Settings(units=("1",), right="our key", api_key="k")),
    ],
)
def test_an_official_api_with_a_key_of_ones_own_is_asked_under_its_own_terms(
    platform: Source, settings: object
) -> None:
    assert not obeys_robots(platform, settings)


def test_pages_obey_robots_txt() -> None:
    settings = trustpilot.Settings(units=("shop.example",), right="a written permission")
    assert obeys_robots(trustpilot, settings)

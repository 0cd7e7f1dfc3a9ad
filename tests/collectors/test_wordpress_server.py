"""WordPress: a real blog with 5,000 comments gives one set by REST, by page and by feed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raccroche.config import Config
from raccroche.demo.content import Message, Thread
from raccroche.post import Verdict
from tests.servers import wordpress as real
from tests.servers.collecting import collect, source, stored

pytestmark = pytest.mark.server
START = datetime(2026, 8, 3, 6, 0, tzinfo=UTC)
ARTICLES, EACH, FIRST = 20, 250, 20_000
NAMES = ("Élodie M.", "Jean-Luc d’Arras", "Maëlle", "Œdipe")


def blog() -> list[Thread]:
    """Articles with as many comments each, a third of them answers, no thread deeper than four."""
    return [
        Thread(
            number=1_000 + n,
            title=f"Panne {n} : un été à Évry",
            at=START + timedelta(hours=n),
            text="<p>Encore une coupure.</p>",
            messages=tuple(_comment(n, place) for place in range(EACH)),
        )
        for n in range(ARTICLES)
    ]


def _comment(article: int, place: int) -> Message:
    number = FIRST + article * EACH + place
    return Message(
        number=number,
        at=START + timedelta(days=2, minutes=place * ARTICLES + article),  # pages tell no seconds
        author=NAMES[number % len(NAMES)],
        text=f"Toujours rien, « incident » & silence (n° {number})",
        parent=number - 1 if place % 12 in (4, 5, 6, 9) else None,
    )


@pytest.fixture(scope="module")
def site() -> Iterator[real.WordPress]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.wordpress() as running:
        running.fill(blog())
        running.options(comments_per_page=50, thread_comments_depth=5, posts_per_rss=EACH)
        yield running


def config(folder: Path, site: real.WordPress, via: str, **more: object) -> Config:
    loaded = source(folder / via, "wordpress", site.url, {"site": site.url, "via": via, **more})
    (folder / via / "key").write_bytes(bytes(32))  # the same author, the same pseudonym
    return loaded


def told(loaded: Config) -> dict[str, tuple[object, ...]]:
    """What must be the same whichever way a comment came."""
    return {
        number: (post.text, post.author, post.published_at)
        for number, post in stored(loaded).items()
    }


def test_five_thousand_comments_are_the_same_by_rest_page_and_feed(
    tmp_path: Path, site: real.WordPress
) -> None:
    rest, html, feed = (config(tmp_path, site, via) for via in ("rest", "html", "feed"))
    for loaded in (rest, html, feed):
        first, second = collect(loaded), collect(loaded)
        assert (first.verdict, first.new) == (Verdict.NEW, ARTICLES * EACH)
        assert (second.verdict, second.new) == (Verdict.NOTHING_NEW, 0)

    written = {str(m.number): (m.text, m.at) for thread in blog() for m in thread.messages}
    assert {number: (text, at) for number, (text, _, at) in told(rest).items()} == written
    assert told(html) == told(feed) == told(rest)
    by_page, by_api = stored(html), stored(rest)
    assert {n: post.parent for n, post in by_page.items()} == {
        n: post.parent for n, post in by_api.items()
    }


def test_a_block_theme_gives_the_same_comments_as_a_classic_one(
    tmp_path: Path, site: real.WordPress
) -> None:
    article = blog()[3]
    site.theme("twentytwentythree")
    try:
        url = f"{site.url}/{article.at:%Y/%m}/{article.slug}/"
        loaded = config(tmp_path, site, "html", post=url)
        assert collect(loaded).new == EACH
    finally:
        site.theme("plain")
    assert {
        number: (post.text, post.published_at, post.parent)
        for number, post in stored(loaded).items()
    } == {
        str(m.number): (m.text, m.at, str(m.parent) if m.parent else None)
        for m in article.messages
    }  # fmt: skip


@pytest.mark.parametrize("via", ["rest", "html", "feed"])
def test_a_blog_for_members_is_a_login_wall(tmp_path: Path, site: real.WordPress, via: str) -> None:
    site.shut(True)
    try:
        run = collect(config(tmp_path, site, via))
    finally:
        site.shut(False)
    assert (run.verdict, run.got) == (Verdict.LOGIN_WALL, 0)

"""MediaWiki: a real wiki's talk pages by its API and as pages, its changes, and its locked door."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from collectors import mediawiki
from raccroche.errors import SourceError
from raccroche.post import Answer, State, Verdict
from tests.servers import mediawiki as real
from tests.servers.collecting import collect, source, stored
from tests.servers.mediawiki import Said

START = datetime(2024, 2, 1, tzinfo=UTC)
NAMES = ("Élodie M.", "Noémie", "Jean-Luc d’Arras")


def talk(page: int, count: int, start: datetime = START) -> list[Said]:
    return [
        Said(
            NAMES[number % 3],
            f"Toujours rien, « honteux » (n° {number})",
            start + timedelta(minutes=10 * number + page),
            number % 5,
            f"Sujet {number}" if number % 5 == 0 else "",
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def wiki() -> Iterator[real.Wiki]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.mediawiki() as running:
        for page in range(3):
            running.write(f"Discussion:Panne {page}", talk(page, 40))
        yield running


def test_the_first_run_lists_all_pages_and_later_runs_what_changed() -> None:
    settings = mediawiki.Settings("https://wiki.example/w/api.php", namespaces=(1, 5))
    first = list(mediawiki.requests(settings, State()))
    later = list(mediawiki.requests(settings, State(since=START)))

    assert [request.params["list"] for request in first] == ["allpages"] * 2
    assert [request.params["list"] for request in later] == ["recentchanges"] * 2
    assert later[0].params["rcend"] == "2024-02-01T00:00:00Z"


def test_an_error_of_the_api_that_nobody_knows_is_heard() -> None:
    body = b'{"error": {"code": "internal_api_error", "info": "Oops"}}'
    with pytest.raises(SourceError, match="internal_api_error"):
        mediawiki.parse(Answer("https://wiki.example/w/api.php", body))


@pytest.mark.server
def test_signed_comments_come_with_their_time_author_and_parent(
    tmp_path: Path, wiki: real.Wiki
) -> None:
    loaded = source(tmp_path, "mediawiki", wiki.url, {"api": f"{wiki.url}/api.php"})
    first, second = collect(loaded), collect(loaded)
    posts = stored(loaded).values()

    assert (first.verdict, first.new) == (Verdict.NEW, 120)
    assert (second.verdict, second.new) == (Verdict.NOTHING_NEW, 0)
    assert {post.published_at for post in posts} == {
        said.at for page in range(3) for said in talk(page, 40)
    }
    assert sum(post.parent is None for post in posts) == 24  # the first of each section of five
    assert {post.text for post in posts} == {said.text for said in talk(0, 40)}


@pytest.mark.server
def test_the_page_and_the_api_give_the_same_comments(tmp_path: Path, wiki: real.Wiki) -> None:
    title = "Discussion:Panne 1"
    settings = {"api": f"{wiki.url}/api.php", "pages": [title]}
    loaded = source(tmp_path, "mediawiki", wiki.url, settings)
    collect(loaded)
    url = f"{wiki.url}/index.php?title={quote(title)}"
    with urlopen(url) as answer:
        page = mediawiki.parse(Answer(url, answer.read()))

    by_api = stored(loaded)
    assert {post.native_id: post.text for post in page.posts} == {
        number: post.text for number, post in by_api.items()
    }


@pytest.mark.server
def test_a_new_comment_is_found_by_the_recent_changes(tmp_path: Path, wiki: real.Wiki) -> None:
    loaded = source(tmp_path, "mediawiki", wiki.url, {"api": f"{wiki.url}/api.php"})
    collect(loaded)
    wiki.write("Discussion:Nouvelle", talk(0, 2, datetime.now(UTC) - timedelta(hours=1)))

    run = collect(loaded)
    assert (run.verdict, run.new) == (Verdict.NEW, 2)


@pytest.mark.server
def test_a_wiki_for_members_is_a_login_wall(tmp_path: Path, wiki: real.Wiki) -> None:
    loaded = source(tmp_path, "mediawiki", wiki.url, {"api": f"{wiki.url}/api.php"})
    wiki.shut(True)
    try:
        run = collect(loaded)
        url = f"{wiki.url}/index.php?title={quote('Discussion:Panne 1')}"
        with urlopen(url) as answer:
            page = mediawiki.parse(Answer(url, answer.read()))
    finally:
        wiki.shut(False)
    assert run.verdict == page.verdict == Verdict.LOGIN_WALL

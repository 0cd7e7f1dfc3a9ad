"""A page cut with a length that fits still parses: it is noticed, and gives no half of a post."""

import json
from pathlib import Path

import pytest

from collectors.table import sources
from collectors.whole import is_cut, parsed
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, Verdict
from tests.servers.collecting import collect, source, stored
from tests.servers.replaying import replaying

SAMPLES = Path(__file__).parents[1] / "samples"
SHARED = Path(__file__).parents[2] / ".." / "shared" / "samples"
PAGES = sorted(path for path in SAMPLES.glob("*/*.html") if path.parent.name in sources())
CUTS = 24  # places at which each page is cut
CLOSING = (b"</body>", b"</BODY>", b"</html>", b"</HTML>")


def collected(path: Path, body: bytes) -> Answer:
    """As a client brings it; a file without a request is one that somebody saved."""
    meta = path.with_suffix(".meta.json")
    told = json.loads(meta.read_text("utf-8")) if meta.exists() else {}
    url = told.get("url", "https://site.example/page")
    return Answer(url, body, status=told.get("status", 200), request=Request(url))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def cuts(body: bytes) -> list[int]:
    end = min(body.index(mark) for mark in CLOSING if mark in body)
    return [end * number // CUTS for number in range(1, CUTS + 1)]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_cut_anywhere_is_noticed_and_gives_no_half_of_a_post(path: Path) -> None:
    platform, body = sources()[path.parent.name], path.read_bytes()
    try:
        whole = parsed(platform, collected(path, body))
    except SourceError:
        whole = Page()
    said = {(post.author, post.text) for post in whole.posts}

    for end in cuts(body):
        try:
            page = parsed(platform, collected(path, body[:end]))
        except SourceError:
            continue
        assert page.verdict is not None, f"cut at {end}"
        assert not page.verdict.ok
        assert {(post.author, post.text) for post in page.posts} <= said, f"cut at {end}"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_no_whole_page_is_called_cut(path: Path) -> None:
    assert not is_cut(collected(path, path.read_bytes()))


def test_no_whole_page_of_the_field_is_called_cut() -> None:
    recorded = [path for path in SHARED.rglob("*") if path.suffix in (".html", ".htm", ".xml")]
    if not recorded:
        pytest.skip("../shared/samples is not here")
    assert [path.name for path in recorded if is_cut(collected(path, path.read_bytes()))] == []


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><html lang=fr><title>Avis</title><p>Un<p>Deux",  # what HTML may leave out
        b"<div class=comment>Un</div><div class=comment>Deux",  # a part of a page
        b'<?xml version="1.0"?><rss><item><description>&lt;html></description></item></rss>',
        b'{"html": "<html><head></head><p>Un"}',
        b"<!doctype html><html><head></head><body><p>Un</body>",
        b"",
    ],
)
def test_what_need_not_end_so_is_not_called_cut(body: bytes) -> None:
    assert not is_cut(Answer("https://a.example/", body, request=Request("https://a.example/")))


def test_a_page_that_somebody_saved_may_be_a_part() -> None:
    assert not is_cut(Answer("page.html", b"<html><head></head><body><p>Un"))


@pytest.mark.parametrize("body", [b"Service indisponible", b"\x00\xff<html>panne</html>"])
@pytest.mark.parametrize("platform", ["drupal", "petition", "phpbb", "spip", "xenforo"])
def test_the_word_of_an_outage_is_no_page_without_posts(platform: str, body: bytes) -> None:
    url = "https://site.example/page"
    asked = Request(url, context={"zone": "Europe/Paris"})
    page = parsed(sources()[platform], Answer(url, body, request=asked))
    assert page.verdict == Verdict.LAYOUT_CHANGED


def test_a_plain_word_after_the_last_page_of_a_feed_is_its_end() -> None:
    url = "https://blog.example/feed/?paged=2"
    asked = Request(url, phase="feed", context={"accept_status": "404"})
    answer = Answer(url, b"no page after the last", status=404, request=asked)
    assert parsed(sources()["wordpress"], answer).verdict is None


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_feed_without_posts_is_no_outage_whatever_its_code(code: str) -> None:
    url, said = "https://a.example/feed", code.removesuffix("-sig")
    feed = f'<?xml version="1.0" encoding="{said}"?><rss><channel></channel></rss>'
    answer = Answer(url, feed.encode(code), request=Request(url))
    assert parsed(sources()["feeds"], answer).verdict is None


def test_a_page_that_was_cut_is_asked_again_until_it_is_whole(tmp_path: Path) -> None:
    body = (SAMPLES / "spip" / "dist3.html").read_bytes()
    served = [body[: body.index(b"Merci pour") + 5], body]

    with replaying(lambda path, query, form: (200, served[0])) as server:
        loaded = source(tmp_path, "spip", server.url, {"urls": [f"{server.url}/appels"]})
        first = collect(loaded)
        came = set(stored(loaded))
        del served[0]
        second = collect(loaded)

    assert (first.verdict, came) == (Verdict.LAYOUT_CHANGED, {"21", "22"})
    assert "cut short" in first.message
    assert (second.verdict, second.new) == (Verdict.NEW, 1)
    assert set(stored(loaded)) == {"21", "22", "30"}

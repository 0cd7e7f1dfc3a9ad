"""Every recorded answer of ../shared/samples gives what expected.json says of it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Source
from collectors.dates import parse_date
from collectors.html import clean_author
from collectors.table import recognise, sources
from raccroche.post import Answer, Page, Post

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples"
if not (SAMPLES / "expected.json").exists():
    pytest.skip("../shared/samples is not here", allow_module_level=True)

EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text("utf-8"))
ONE = sorted(name for name in EXPECTED if " " not in name and "*" not in name)
SEVERAL = sorted(name for name in EXPECTED if "*" in name)
GENERAL = "comments"  # the extractor for unknown pages; takes what no platform claims


def _read(path: Path) -> tuple[Source, Page]:
    answer = Answer(path.name, path.read_bytes())
    source = recognise(answer)
    folder = path.parent.name
    if source is None or (source.PLATFORM == GENERAL and not folder.startswith("comments")):
        pytest.skip(f"not registered yet: the platform of {folder}")
    return source, source.parse(answer)


@pytest.mark.parametrize("name", ONE)
def test_a_recorded_answer_holds_what_its_oracle_says(name: str) -> None:
    expected = EXPECTED[name]
    _, page = _read(SAMPLES / name)

    assert _count(page, expected) == expected["items"]
    if expected.get("declared_total") is not None:
        assert page.declared == expected["declared_total"]
    if expected.get("next") or expected.get("next_cursor"):
        assert _leads_to(page, expected.get("next") or expected["next_cursor"])
    if expected.get("kind") != "topics":
        for which, post in (("first", page.posts[:1]), ("last", page.posts[-1:])):
            if expected.get(which):
                _check(post[0], expected[which])


@pytest.mark.parametrize("name", SEVERAL)
def test_several_recorded_answers_together(name: str) -> None:
    expected = EXPECTED[name]
    files = [p for p in sorted(SAMPLES.glob(name)) if p.suffix in (".json", ".xml", ".html")]
    pages = [_read(path)[1] for path in (files[:1] if name.startswith("feeds/") else files)]
    ids = [post.native_id for page in pages for post in page.posts]

    if name.startswith("feeds/"):
        assert len(ids) == expected["items"]
    else:  # the key counts two of its four files
        assert len(ids) == len(set(ids)) == 40 * len(files)


def _overlapping(*names: str) -> list[str]:
    return [post.id for name in names for post in _read(SAMPLES / name)[1].posts]


def test_the_same_threads_on_two_pages_are_the_same_posts() -> None:
    name = "youtube/comment_threads_by_video_paged_{}.json"

    assert len(set(_overlapping(name.format(1), name.format(2)))) == 5


def test_a_post_repeated_at_the_top_of_the_next_page_is_one_post() -> None:
    name = "forum_hfr/redface2_topic_khakha_page_{}.html"

    assert len(set(_overlapping(name.format(1), name.format(2)))) == 80


@pytest.mark.parametrize("path", sorted((SAMPLES / "feeds" / "feedparser").glob("*.xml")), ids=str)
def test_feeds_well_and_ill_formed_give_every_entry(path: Path) -> None:
    import feedparser

    entries = feedparser.parse(path.read_bytes()).entries
    if "feeds" not in sources():
        pytest.skip("not registered yet: feeds")

    page = sources()["feeds"].parse(Answer("https://feed.example/f.xml", path.read_bytes()))

    with_content = [e for e in entries if e.get("title") or e.get("summary") or e.get("content")]
    assert len(page.posts) >= len(with_content)


# How an expectation is compared ----------------------------------------------------------------


def _count(page: Page, expected: dict[str, Any]) -> int:
    return len(page.threads) if expected.get("kind") == "topics" else len(page.posts)


def _leads_to(page: Page, where: str | list[str]) -> bool:
    wanted = where[0] if isinstance(where, list) else where
    wanted = re.sub(r"[?&]s=[0-9a-f]{32}", "", wanted).partition("#")[0]
    asked = [f"{r.url} {r.params} {r.json}" for r in page.next]
    return any(wanted in text or wanted.lstrip("?").replace("=", "': '") in text for text in asked)


def _check(post: Post, expected: dict[str, Any]) -> None:
    if expected.get("id") is not None:
        assert re.sub(r"^post[-_]", "", str(expected["id"])) == post.native_id.removeprefix("post-")
    if expected.get("author"):
        assert post.author
        assert _same_author(post.author, str(expected["author"]))
    if expected.get("date"):
        assert post.published_at
        off = abs(post.published_at - _moment(expected["date"]))
        # a page that names its own zone ("All times are UTC") may differ by hours from Paris
        assert off == timedelta() or (_zoneless(expected["date"]) and _whole_hours(off))
    if expected.get("text"):
        said = _squeezed(f"{post.title or ''} {post.text}")
        wanted = _squeezed(expected["text"]).removeprefix("Reprisedumessageprécédent:")
        wanted = wanted.partition("-----")[0]  # a signature is not the post
        assert wanted[:40] in said or wanted[:40] in _SMILEY.sub("", said)
    if expected.get("rating") is not None:
        assert post.rating == expected["rating"]


def _same_author(author: str, raw: str) -> bool:
    """
    Raw DOM text may go on after the name ("Ben 19. Juni ..."); a clean name is where it starts.
    """
    clean = clean_author(raw) or ""
    return author == clean or author.partition("@")[0] == clean or raw.startswith(f"{author} ")


def _moment(written: str | int) -> datetime:
    text = re.sub(r"\s*\(date_gmt\)", "", str(written))
    moment = parse_date(text, now=datetime.now(UTC))
    assert moment is not None
    return moment.at


_SMILEY = re.compile(r":[\w()]|\[:[^\]]+\]")  # kept in our text, pictures in the oracle's


def _zoneless(written: str | int) -> bool:
    return isinstance(written, str) and bool(re.search(r"\d [ap]m$", written, re.IGNORECASE))


def _whole_hours(off: timedelta) -> bool:
    return off < timedelta(hours=15) and not off % timedelta(minutes=30)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)

"""Files that people have: which platform a row says it is of."""

import json
from pathlib import Path

import pytest

from collectors import files
from collectors.files import BadRow
from raccroche.post import Answer, Post


def read(folder: Path, *platforms: object, given: str = files.PLATFORM) -> list[Post | BadRow]:
    path = folder / "avis.jsonl"
    rows = [{"id": n, "text": f"avis {n}", "platform": name} for n, name in enumerate(platforms)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return list(files.read(path, platform=given))


@pytest.mark.parametrize(
    ("written", "platform"),
    [
        ("reddit", "reddit"),
        (" Mastodon ", "mastodon"),
        ("Twitter", "x"),
        ("Google Play", "googleplay"),
        ("App Store", "appstore"),
        ("hacker-news", "hackernews"),
        ("files", "files"),
        ("", "files"),
        (None, "files"),
    ],
)
def test_a_row_s_platform_is_one_of_the_table(
    tmp_path: Path, written: object, platform: str
) -> None:
    (row,) = read(tmp_path, written)
    assert isinstance(row, Post)
    assert row.platform == platform
    assert row.source.startswith(f"{platform}/")


@pytest.mark.parametrize("written", ["tiktok", "../../etc", "reddit/x:1", "a" * 10_000, 7])
def test_a_row_of_an_unknown_platform_is_refused_with_its_reason(
    tmp_path: Path, written: object
) -> None:
    good, bad = read(tmp_path, "x", written)
    assert isinstance(good, Post)
    assert isinstance(bad, BadRow)
    assert bad.number == 2
    assert "is none of ours" in bad.reason
    assert len(bad.reason) < 100


def test_what_the_user_says_of_the_whole_file_may_stand_in_its_rows(tmp_path: Path) -> None:
    first, second = read(tmp_path, None, "my_forum", given="my_forum")
    assert isinstance(first, Post)
    assert isinstance(second, Post)
    assert (first.platform, second.platform) == ("my_forum", "my_forum")


def test_a_file_that_is_collected_counts_the_rows_it_refuses() -> None:
    body = b"text;platform\nTrop d'appels;x\nTrop d'appels aussi;tiktok\n"
    page = files.parse(Answer("file:///avis.csv", body))
    assert [post.platform for post in page.posts] == ["x"]
    assert page.note == "1 bad rows, the first is row 2: platform 'tiktok' is none of ours"
    assert page.declared == 2

"""What the model learns from: rows, annotations, examples, stars."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nlp.brands import BrandSpec, BrandTable
from nlp.corpus import (
    CorpusError,
    Filler,
    annotated,
    elided,
    example_rows,
    grouped,
    labelled,
    read_annotations,
    read_jsonl,
    starred,
    text_key,
    text_of,
    written_examples,
)
from nlp.lexicon import french
from nlp.types import ROLES, SENTIMENTS, SIGNALS, TOPICS

TABLE = BrandTable(
    [
        BrandSpec("Zorbatel", ("zorbatel", "@zorba"), sector="telecom"),
        BrandSpec("Ombrelia", ("ombrelia",), sector="insurance"),
        BrandSpec("Voltargan", ("voltargan",), sector="energy"),
        BrandSpec("Kredomax", ("kredomax",), sector="credit"),
    ],
    french(),
)


def test_a_row_may_leave_labels_unknown() -> None:
    (post,) = labelled([{"id": "1", "text": "bonjour", "sentiment": None, "topics": ["other"]}])
    assert post.sentiment is None
    assert post.phone_harassment is None
    assert post.topics == {"other"}
    assert post.signals is None
    assert post.brands is None


def test_disputed_items_are_marked_unsure() -> None:
    (post,) = labelled([{"text": "x", "topics": [], "topics_disputed": ["billing"]}])
    assert post.unsure == {"billing"}


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-09-09 12:09:24 +02:00", "2024-09-09"),
        ("03/07/2021", "2021-07-03"),
        ("2022-09-21T16:30:45.000Z", "2022-09-21"),
        ("hier", None),
        (None, None),
    ],
)
def test_the_day_of_a_row_is_read_in_each_form(written: str | None, day: str | None) -> None:
    found = text_of({"text": "x", "published_at": written}).published_at
    assert (found.isoformat() if found else None) == day


def test_posts_of_one_author_or_thread_share_a_group() -> None:
    posts = labelled(
        [
            {"text": "a", "author": "u1", "thread": "t1"},
            {"text": "b", "author": "u2", "thread": "t1"},
            {"text": "c", "author": "u2", "thread": "t2"},
            {"text": "d", "author": "u3"},
            {"text": "e"},
        ]
    )
    groups = grouped(posts)
    assert groups[0] == groups[1] == groups[2]
    assert len({groups[2], groups[3], groups[4]}) == 3


def test_stars_give_a_sentiment_and_three_stars_none() -> None:
    posts = starred([{"text": str(s), "stars": s} for s in (1, 2, 3, 4, 5, None)])
    assert [p.sentiment for p in posts] == ["negative", "negative", "positive", "positive"]


def test_annotations_hold_labels_under_a_hash_and_no_text() -> None:
    lines = (Path(__file__).parents[2] / "nlp/data/annotations.tsv").read_text().splitlines()
    notes = read_annotations("\n".join(lines))
    assert len(notes) == len(lines) - 1 > 1000
    for note in notes.values():
        assert len(note["key"]) == 12
        assert int(note["key"], 16) >= 0
        assert note["sentiment"] in SENTIMENTS
        assert set(note["topics"].split()) <= set(TOPICS)
        assert set(note["signals"].split()) <= set(SIGNALS)
        assert ("phone_harassment" in note["topics"].split()) == (note["phone_harassment"] == "1")
    assert max(map(len, lines)) < 250


def test_a_text_that_nobody_annotated_is_left_out() -> None:
    assert annotated([{"text": "un texte que personne n'a jamais annoté"}]) == []
    assert text_key("a") != text_key("b")


def test_an_annotation_says_which_brand_calls_and_what_nobody_can_tell() -> None:
    header = "key\tsentiment\tphone_harassment\ttestimony\ttopics\tsignals\tbrands"
    told = (
        f"{text_key('a')}\tnegative\t1\t1\tphone_harassment\trobocall\tZorb=negative+;Ombre=neutral"
    )
    doubt = f"{text_key('b')}\tneutral\t?\t0\tother\t\tZorb=neutral"
    notes = read_annotations("\n".join([header, told, doubt]))
    first, second = annotated([{"text": "a"}, {"text": "b"}, {"text": "b"}], notes=notes)
    assert first.brands == {
        "Zorb": {"sentiment": "negative", "harassment": True},
        "Ombre": {"sentiment": "neutral", "harassment": False},
    }
    assert first.default_brand == {"sentiment": "negative", "harassment": False}
    assert second.phone_harassment is None
    assert {"phone_harassment", "robocall"} <= second.unsure
    assert second.brands == {"Zorb": {"sentiment": "neutral", "harassment": None}}


def test_every_example_keeps_the_rules_of_the_labels() -> None:
    seen: Counter[str] = Counter()
    rows = list(example_rows())
    assert len(rows) >= 3000
    for row in rows:
        seen[row["id"]] += 1
        assert row["sentiment"] in SENTIMENTS
        assert set(row["topics"]) <= set(TOPICS)
        assert row["topics"]
        assert set(row["signals"]) <= set(SIGNALS)
        assert ("phone_harassment" in row["topics"]) == row["phone_harassment"], row["id"]
        if not row["phone_harassment"]:
            assert set(row["signals"]) <= {"sms_messaging"}, row["id"]
        for said in row["brands"].values():
            assert said["role"] in ROLES
            assert said["sentiment"] in SENTIMENTS
            accused = said["role"] in ("caller", "suspected_principal")
            assert said["harassment"] == (accused and row["phone_harassment"]), row["id"]
    assert max(seen.values()) == 1


def example(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": "x", "kind": "tweet", "context_brand": None, "sentiment": "negative",
        "text": "@{marque1:telecom} et {marque2:assurance} m'appellent, {marque1} surtout",
        "brands": {"{marque1}": {"harassment": True}, "{marque2}": {"harassment": False}},
    }  # fmt: skip
    return row | changes


def test_placeholders_become_brands_of_their_sector_everywhere_the_same() -> None:
    row = Filler(TABLE).filled(example(), random.Random(1))
    assert row["text"] == "@zorba et Ombrelia m'appellent, Zorbatel surtout"
    assert row["brands"] == {"Zorbatel": {"harassment": True}, "Ombrelia": {"harassment": False}}


def test_two_placeholders_are_two_brands() -> None:
    filler = Filler(TABLE)
    for seed in range(30):
        row = filler.filled(example(text="{marque1} puis {marque2}"), random.Random(seed))
        assert len(row["brands"]) == 2


def test_a_sector_without_brands_falls_back_on_any_other() -> None:
    row = Filler(TABLE).filled(
        example(text="{marque1:travaux}", brands={"{marque1}": {}}), random.Random(0)
    )
    assert set(row["brands"]) <= {spec.name for spec in TABLE.specs}


def test_elision_follows_the_drawn_name() -> None:
    assert elided("de Ombrelia et que Ombrelia", ["Ombrelia"]) == "d'Ombrelia et qu'Ombrelia"
    assert elided("de Zorbatel", ["Zorbatel"]) == "de Zorbatel"


def test_no_placeholder_is_left_in_any_example() -> None:
    for post in written_examples(TABLE, seed=0):
        assert "{" not in post.text.text
        assert post.origin == "written"


def test_one_seed_fills_alike_and_another_differently() -> None:
    one, same, other = (
        [post.text.text for post in written_examples(TABLE, seed=seed)[:200]] for seed in (0, 0, 1)
    )
    assert one == same
    assert one != other


def test_a_file_is_read_packed_or_not_and_a_broken_line_is_named(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_text(json.dumps({"a": "é"}) + "\n\n", encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_jsonl(plain) == read_jsonl(packed) == [{"a": "é"}]
    plain.write_text("{}\n{oops\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="line 2"):
        read_jsonl(plain)
    with pytest.raises(CorpusError, match="no such file"):
        read_jsonl(tmp_path / "absent")

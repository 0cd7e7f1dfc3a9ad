"""Labels that stand together: counted once a post, out of the posts that carry the first."""

import pandas as pd

from dashboard import together


def test_pairs_are_counted_out_of_the_posts_that_carry_the_first() -> None:
    posts = [["a", "b"]] * 10 + [["a"]] * 20 + [["b", "b", "c"]]
    found = together.pairs(posts, str.upper).set_index(["brand", "term"])
    assert found.loc[("a", "b"), "n"] == 10
    assert found.loc[("a", "b"), "total"] == 30
    assert found.loc[("a", "b"), "share"] == 10 / 30
    assert found.loc[("b", "a"), "total"] == 11
    assert pd.isna(found.loc[("b", "a"), "share"])  # under 20 posts with b
    assert found.loc[("a", "c"), "n"] == 0
    assert found.loc[("a", "b"), "title"] == "B"


def test_the_strongest_pair_is_named_once() -> None:
    table = together.pairs([["a", "b"], ["a", "b"], ["b", "c"]], str)
    strongest = together.strongest(table)
    assert list(zip(strongest["brand"], strongest["term"], strongest["n"], strict=True)) == [
        ("a", "b", 2),
        ("b", "c", 1),
    ]


def test_posts_without_labels_have_no_pairs() -> None:
    assert together.pairs([[], []], str).empty

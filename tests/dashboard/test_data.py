"""What the pages read: the same answers as the store's, however few readings they take."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard import data
from raccroche.errors import StoreError
from raccroche.post import Mention
from raccroche.store import Filters, Store
from tests.dashboard import samples

Configured = Callable[[Path], Path]


@pytest.fixture
def year(configured: Configured, filled: Path) -> Filters:
    configured(filled)
    known = data.known()
    assert known.first_day
    return Filters(samples.MODEL, start=known.first_day, end=known.last_day)


@pytest.mark.parametrize("by", [(), ("brand",), ("week",), ("week", "brand"), ("month", "brand")])
@pytest.mark.parametrize("brands", [(), samples.BRANDS[:1], samples.BRANDS[:3]], ids=len)
@pytest.mark.parametrize(
    "crossed",
    [
        {"signals": ("robocall", "silent_call", "excessive_frequency")},
        {"topics": ("phone_harassment",), "signals": ("excessive_frequency", "robocall")},
    ],
    ids=lambda one: "+".join(one),
)
def test_questions_of_one_reading_are_answered_as_by_the_store(
    year: Filters, crossed: dict[str, Any], brands: tuple[str, ...], by: tuple[str, ...]
) -> None:
    asked = replace(year, brands=brands, **crossed)
    expected = data.store().daily_counts(asked, by)
    assert expected["mentions"].sum()
    pd.testing.assert_frame_equal(data.daily_counts(asked, by), expected, check_dtype=False)


def test_totals_of_several_brands_count_pairs_on_both_sides(year: Filters) -> None:
    asked = replace(year, brands=samples.BRANDS[:2])
    found = data.totals(asked)
    each = [data.totals(replace(year, brands=(name,))) for name in samples.BRANDS[:2]]
    assert found.posts == sum(one.posts for one in each)
    assert found.harassment == sum(one.harassment for one in each)


def test_totals_without_brands_count_each_post_once(year: Filters) -> None:
    own = data.store().totals(year)
    found = data.totals(year)
    assert (found.posts, found.harassment) == (own.posts, own.harassment)
    assert data.posts_and_harassment(year) == (own.posts, own.harassment)


def test_a_store_of_an_older_release_that_another_program_is_writing_to_is_busy(
    configured: Configured, database: Path
) -> None:
    """Perhaps that program is bringing it up to date."""
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("delete from schema_version where version > 2")
        writer.execute("begin immediate")
        configured(database)
        with pytest.raises(StoreError, match="is locked by another program"):
            data.store()
        writer.execute("rollback")
    assert data.known().posts


def test_what_authors_declare_is_told_of_the_brand_they_accuse(
    configured: Configured, database: Path
) -> None:
    """Five calls a day by Mandarine, to somebody who praises MUTIF, are no calls by MUTIF."""
    with Store.open(database) as store:
        post_id = samples.add_post(database, "deux", "Mandarine appelle, MUTIF jamais.")
        (said,) = store.labels_of(post_id)
        store.drop_labels(samples.MODEL)
        praised = Mention("MUTIF", "positive", False, role="cited")
        store.add_labels([replace(said, mentions=(*said.mentions, praised))])
    configured(database)
    asked = Filters(samples.MODEL)
    told = {
        brand: [one.post_id for one in data.facts(replace(asked, brands=(brand,)))]
        for brand in ("Mandarine", "MUTIF")
    }
    assert told == {"Mandarine": [post_id], "MUTIF": []}

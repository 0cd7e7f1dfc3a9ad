"""The database of the speed benchmarks is one that the store itself could have made."""

import datetime as dt
from pathlib import Path

from benchmarks import many_posts
from raccroche.store import Filters, Store


def test_a_database_written_as_rows_is_sound(tmp_path: Path) -> None:
    many_posts.build(tmp_path / "many.db", 3_000, end=dt.date(2026, 11, 23))
    with Store.open(tmp_path / "many.db", read_only=False) as store:
        assert store.check() == []
        status = store.status()
        counted = store.totals(Filters(many_posts.MODEL))
        found = store.search("démarchage", Filters(many_posts.MODEL))
    assert status.posts == 3_000
    assert 2_500 < counted.posts + counted.undated < 3_000  # copies and foreign posts left out
    assert found.total

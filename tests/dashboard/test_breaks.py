"""Breaks: which sources and labellers cut a series, where, and in which words."""

import datetime as dt

import pandas as pd

from dashboard import breaks, words
from dashboard.breaks import Break
from raccroche.store import Labeller, SourceChange

START, END = dt.date(2026, 1, 1), dt.date(2026, 6, 30)


def coverage(source: str, first: dt.date, last: dt.date, posts: int = 10) -> pd.DataFrame:
    days = pd.date_range(START, END)
    covered = [first <= day.date() <= last for day in days]
    return pd.DataFrame(
        {
            "day": days,
            "source": source,
            "runs": 1,
            "ok": 1,
            "posts": [posts if one else 0 for one in covered],
            "covered": covered,
        }
    )


def found(*tables: pd.DataFrame, changes: tuple[SourceChange, ...] = ()) -> list[Break]:
    return breaks.of_sources(pd.concat(tables), changes, START, END)


def test_sources_that_begin_or_stop_are_breaks() -> None:
    late = coverage("b", dt.date(2026, 3, 3), END)
    gone = coverage("c", START, dt.date(2026, 4, 9))
    assert found(coverage("a", START, END), late, gone) == [
        Break(dt.date(2026, 3, 3), "begins", ("b",)),
        Break(dt.date(2026, 4, 10), "ends", ("c",)),
    ]


def test_sources_that_begin_in_one_month_are_one_break() -> None:
    tables = [coverage(name, dt.date(2026, 3, day), END) for name, day in (("b", 9), ("c", 3))]
    assert found(coverage("a", START, END), *tables) == [
        Break(dt.date(2026, 3, 3), "begins", ("c", "b"))
    ]


def test_a_source_that_brings_little_breaks_nothing() -> None:
    small = coverage("b", dt.date(2026, 3, 3), END, posts=1)
    assert found(coverage("a", START, END, posts=100), small) == []


def test_the_first_source_of_all_breaks_no_series() -> None:
    assert found(coverage("a", dt.date(2026, 3, 3), END)) == []


def test_a_source_silent_for_some_days_has_not_stopped() -> None:
    assert found(coverage("a", START, END - dt.timedelta(20))) == []


def test_a_collector_that_changes_is_a_break_of_its_source() -> None:
    change = SourceChange("a", dt.date(2026, 5, 5))
    elsewhere = SourceChange("z", dt.date(2026, 5, 5))
    assert found(coverage("a", START, END), changes=(change, elsewhere)) == [
        Break(dt.date(2026, 5, 5), "changes", ("a",))
    ]


WEEKS = pd.date_range("2026-01-05", periods=4, freq="W-MON")


def test_periods_that_only_another_model_labelled_are_told() -> None:
    counts = pd.DataFrame(
        {
            "period": [*WEEKS, *WEEKS[2:]],
            "labeller": ["old@1"] * 4 + ["new@2"] * 2,
            "posts": [10, 10, 10, 10, 5, 10],
        }
    )
    share = breaks.labelled(counts, "new@2", WEEKS)
    assert list(share) == [0, 0, 0.5, 1]
    assert breaks.of_labels(share, "new@2") == [Break(WEEKS[2].date(), "labels", ("new@2",))]
    whole = breaks.labelled(counts, "old@1", WEEKS)
    assert breaks.of_labels(whole, "old@1") == []


def test_a_new_model_is_marked_and_does_not_cut_the_line() -> None:
    def model(name: str, month: int) -> Labeller:
        return Labeller(name, False, 9, dt.datetime(2026, month, 3, tzinfo=dt.UTC), None)

    both = [model("new@2", 4), model("old@1", 1)]
    assert breaks.of_models(both, "new@2", START, END) == [
        Break(dt.date(2026, 4, 3), "model", ("new@2",))
    ]
    assert not breaks.of_models(both, "new@2", START, END)[0].cuts
    assert breaks.of_models(both, "old@1", START, END) == []
    assert breaks.of_models(both[:1], "new@2", START, END) == []


def test_the_line_is_cut_before_the_period_of_a_break_and_the_table_says_why() -> None:
    table = pd.DataFrame({"period": WEEKS})
    cut = breaks.cut(table, [Break(dt.date(2026, 1, 21), "begins", ("b",))], "week")
    assert list(cut["segment"]) == [0, 0, 1, 1]
    assert list(cut["note"]) == ["", "", words.tr("Nouvelle source : b", ""), ""]


def test_breaks_are_told_in_one_sentence() -> None:
    said = breaks.told([Break(dt.date(2026, 3, 3), "ends", ("b", "c"))])
    assert "3 mars 2026, sources arrêtées" in said
    assert breaks.told([]) == ""

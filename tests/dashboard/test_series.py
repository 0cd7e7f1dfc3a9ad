"""Time series: gaps are gaps, the end is provisional, few mentions give no rate."""

import datetime as dt

import pandas as pd
import pytest

from dashboard import series

MONDAY = dt.date(2026, 3, 2)
MEASURES = ["mentions", "harassment", "testimonies", "harassment_testimonies"]


def coverage(*uncovered: dt.date, days: int = 28, source: str = "a") -> pd.DataFrame:
    every = pd.date_range(MONDAY, periods=days)
    return pd.DataFrame(
        {
            "day": every,
            "source": source,
            "runs": 1,
            "ok": 1,
            "posts": 0,
            "covered": [day.date() not in uncovered for day in every],
        }
    )


def counts(*rows: tuple[str, dt.date, int, int]) -> pd.DataFrame:
    values = [(brand, pd.Timestamp(day), mentions, bad, 0, 0) for brand, day, mentions, bad in rows]
    return pd.DataFrame(values, columns=["brand", "period", *MEASURES])


def week(days: int) -> list[dt.date]:
    return [MONDAY + dt.timedelta(7 * days + each) for each in range(7)]


def made(table: pd.DataFrame, today: dt.date, *gap: dt.date) -> pd.DataFrame:
    end = MONDAY + dt.timedelta(27)
    covered = series.coverage_by_period(coverage(*gap), MONDAY, end, "week")
    return series.by_period(table, covered, ["A"], step="week", today=today)


def test_a_week_without_collection_is_missing_and_never_zero() -> None:
    rows = made(counts(("A", MONDAY, 30, 3)), dt.date(2027, 1, 1), *week(1))
    assert list(rows["state"]) == ["settled", "missing", "settled", "settled"]
    assert pd.isna(rows.loc[1, "harassment"])
    assert pd.isna(rows.loc[1, "high"])
    assert rows.loc[2, "harassment"] == 0
    assert series.gaps(rows) == [(week(1)[0], week(1)[0])]


def test_a_week_partly_collected_says_how_much() -> None:
    rows = made(counts(("A", MONDAY, 30, 3)), dt.date(2027, 1, 1), *week(2)[:3])
    assert rows.loc[2, "coverage"] == pytest.approx(4 / 7)


def test_the_last_48_hours_are_provisional() -> None:
    last = MONDAY + dt.timedelta(27)
    assert list(made(counts(), last)["state"])[-1] == "provisional"
    assert list(made(counts(), last + dt.timedelta(1))["state"])[-1] == "provisional"
    assert list(made(counts(), last + dt.timedelta(2))["state"])[-1] == "settled"


def test_under_twenty_mentions_there_is_no_rate() -> None:
    rows = made(counts(("A", MONDAY, 19, 9), ("A", week(1)[0], 20, 9)), dt.date(2027, 1, 1))
    assert pd.isna(rows.loc[0, "share"])
    assert rows.loc[1, "share"] == pytest.approx(0.45)


def test_a_source_that_begins_is_a_break_and_not_a_gap_before() -> None:
    late = coverage(*[day for at in range(2) for day in week(at)], source="b")
    both = pd.concat([coverage(), late])
    end = MONDAY + dt.timedelta(27)
    assert list(series.coverage_by_period(both, MONDAY, end, "week")) == [1.0] * 4
    assert series.breaks(both, MONDAY) == [(week(2)[0], "b")]


@pytest.mark.parametrize(
    ("step", "first", "last"),
    [
        ("day", dt.date(2024, 2, 29), dt.date(2024, 2, 29)),
        ("week", dt.date(2024, 2, 26), dt.date(2024, 3, 3)),
        ("month", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
    ],
)
def test_a_day_has_its_period(step: str, first: dt.date, last: dt.date) -> None:
    assert series.first_of(dt.date(2024, 2, 29), step) == first
    assert series.last_of(first, step) == last


def test_the_strip_tells_days_without_collection_and_with_failures() -> None:
    rows = coverage(MONDAY + dt.timedelta(3))
    rows.loc[5, "runs"] = 2
    strip = series.strip(rows)
    state = dict(zip(strip["day"].dt.day, strip["state"], strict=True))
    assert state == {2: "full", 5: "none", 6: "full", 7: "part", 8: "full"}

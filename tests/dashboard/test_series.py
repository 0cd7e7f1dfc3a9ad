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


def averaged(counted: list[float], segment: list[int] | None = None) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "brand": "A",
            "period": pd.date_range("2026-03-02", periods=len(counted), freq="W-MON"),
            "harassment": counted,
            "mentions": [10.0 if one == one else one for one in counted],
            "state": ["missing" if one != one else "settled" for one in counted],
            "coverage": 1.0,
        }
    )
    rows["segment"] = segment or 0
    return rows


def test_a_moving_average_is_centred_and_keeps_the_interval_of_its_sum() -> None:
    found = series.smoothed(averaged([0, 1, 2, 1, 1, 0]))
    assert found.loc[2, "trend"] == pytest.approx(1.0)
    assert found.loc[2, "trend_low"] == pytest.approx(1.623 / 5, abs=0.001)
    assert found.loc[2, "trend_high"] == pytest.approx(11.668 / 5, abs=0.001)
    assert found.loc[0, "trend"] == pytest.approx(1.0)  # three weeks: itself and the next two
    assert found.loc[2, "trend_share"] == pytest.approx(5 / 50)


def test_a_moving_average_stops_at_gaps_and_does_not_cross_breaks() -> None:
    nan = float("nan")
    found = series.smoothed(averaged([1, 1, 1, nan, 9, 9, 9], [0, 0, 0, 0, 1, 1, 1]))
    assert list(found["trend"].fillna(-1)) == [1, 1, 1, -1, 9, 9, 9]


def test_provisional_counts_do_not_pull_settled_weeks_down() -> None:
    rows = averaged([4, 4, 4, 4, 0])
    rows.loc[4, "state"] = "provisional"
    found = series.smoothed(rows)
    assert list(found["trend"][:4]) == [4, 4, 4, 4]
    assert found.loc[4, "trend"] == pytest.approx(8 / 3)


def test_weeks_that_the_model_did_not_label_are_no_zero() -> None:
    rows = made(counts(("A", MONDAY, 30, 3)), dt.date(2027, 1, 1))
    share = pd.Series([0.0, 0.8, 1.0, 1.0], index=rows["period"])
    found = series.without_labels(rows, share, 0.5)
    assert list(found["state"]) == ["unlabelled", "settled", "settled", "settled"]
    assert pd.isna(found.loc[0, "harassment"])
    assert found.loc[1, "coverage"] == pytest.approx(0.8)


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


def test_a_first_week_that_began_before_the_period_is_not_drawn() -> None:
    rows = made(counts(("A", MONDAY, 30, 3)), dt.date(2027, 1, 1))
    assert list(series.whole(rows, MONDAY)["period"]) == list(rows["period"])
    later = series.whole(rows, MONDAY + dt.timedelta(2))
    assert list(later["period"]) == list(rows["period"][1:])
    few = rows[:2]
    assert len(series.whole(few, MONDAY + dt.timedelta(2))) == 2, "two points are better than one"

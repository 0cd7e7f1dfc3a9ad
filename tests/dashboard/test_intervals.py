"""Intervals against published values, and the rules for small counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from dashboard import intervals


@pytest.mark.parametrize(("n", "low", "high"), [(5, 1.6, 11.7), (12, 6.2, 21.0), (30, 20.2, 42.8)])
def test_poisson_intervals_are_the_exact_ones(n: int, low: float, high: float) -> None:
    found = intervals.count(n)
    assert found.low == pytest.approx(low, abs=0.05)
    assert found.high == pytest.approx(high, abs=0.05)


def test_no_case_has_an_interval_from_zero() -> None:
    assert intervals.count(0).low == 0
    assert intervals.count(0).high == pytest.approx(3.69, abs=0.01)


def test_a_column_has_the_bounds_of_its_counts_and_gaps_stay_gaps() -> None:
    bounds = intervals.count_bounds(pd.Series([0, 12, np.nan]))
    assert bounds.loc[1, "low"] == pytest.approx(intervals.count(12).low)
    assert bounds.loc[1, "high"] == pytest.approx(intervals.count(12).high)
    assert bounds.loc[2].isna().all()


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_statsmodels(pair: tuple[int, int]) -> None:
    hits, total = pair
    found = intervals.share(hits, total)
    assert found is not None
    low, high = proportion_confint(hits, total, method="wilson")
    assert found.low == pytest.approx(max(low, 0), abs=1e-9)
    assert found.high == pytest.approx(min(high, 1), abs=1e-9)
    column = intervals.share_bounds(pd.Series([hits]), pd.Series([total])).iloc[0]
    assert column["low"] == pytest.approx(low, abs=1e-9)


def test_a_share_of_nothing_is_none() -> None:
    assert intervals.share(0, 0) is None
    assert intervals.clustered_share(_clusters([])) is None


def _clusters(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["mentions", "harassment", "authors"])


def test_authors_who_write_often_widen_the_interval() -> None:
    once = intervals.clustered_share(_clusters([(1, 0, 300), (1, 1, 100)]))
    often = intervals.clustered_share(_clusters([(10, 0, 30), (10, 10, 10)]))
    assert once is not None
    assert often is not None
    assert once.value == often.value == 0.25
    assert often.high - often.low > 2 * (once.high - once.low)


def test_the_bootstrap_says_the_same_twice() -> None:
    clusters = _clusters([(1, 0, 50), (3, 2, 20), (8, 8, 4)])
    assert intervals.clustered_share(clusters) == intervals.clustered_share(clusters)


def test_the_ratio_of_equal_rates_holds_one() -> None:
    found = intervals.rate_ratio((50, 1000.0), (25, 500.0))
    assert found is not None
    assert found.value == pytest.approx(1)
    assert found.low < 1 < found.high


def test_a_ratio_needs_cases_before() -> None:
    assert intervals.rate_ratio((0, 100.0), (5, 100.0)) is None
    assert intervals.rate_ratio((5, 0.0), (5, 100.0)) is None


def test_only_real_differences_are_called_so() -> None:
    names = ["A", "B", "C"]
    found = intervals.differences(
        names,
        [
            intervals.Interval(0.50, 0.47, 0.53),
            intervals.Interval(0.20, 0.17, 0.23),
            intervals.Interval(0.21, 0.18, 0.24),
        ],
    )
    assert {(one.first, one.second) for one in found if one.differs} == {("A", "B"), ("A", "C")}


def test_pairs_of_the_same_rate_are_rarely_told_apart() -> None:
    draw = np.random.default_rng(5)
    wrong = 0
    for _ in range(60):
        hits = draw.binomial(400, 0.3, size=6)
        shares = [intervals.share(int(one), 400) for one in hits]
        found = intervals.differences(list("ABCDEF"), [one for one in shares if one])
        wrong += any(one.differs for one in found)
    assert wrong <= 8  # about 5 % of 60 families, with room for chance


def test_a_plain_interval_is_widened_as_its_sample_asks() -> None:
    plain = intervals.share(1000, 4000)
    assert plain is not None
    same = intervals.inflated(plain, _clusters([(1, 0, 300), (1, 1, 100)]))
    wider = intervals.inflated(plain, _clusters([(10, 0, 30), (10, 10, 10)]))
    assert same.high - same.low == pytest.approx(plain.high - plain.low, rel=0.1)
    assert wider.high - wider.low > 2 * (plain.high - plain.low)
    assert wider.value == plain.value

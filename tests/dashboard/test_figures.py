"""Comparisons, denominators, declared calls, events: what may be said, and no more."""

import datetime as dt

import pandas as pd
import pytest

from dashboard import bases, comparison, declared, happenings, intervals, sentences, words
from dashboard.bases import Customers
from dashboard.intervals import Interval
from dashboard.views import numbers
from raccroche.store import Fact, Totals

YEAR = (dt.date(2025, 1, 1), dt.date(2025, 12, 31))


@pytest.fixture(autouse=True)
def french() -> None:
    words.speak("fr")


def counted(*rows: tuple[str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["name", "harassment", "mentions"])


def test_fewer_than_five_cases_are_grey_and_have_no_rate() -> None:
    table = comparison.shares(
        counted(("A", 4, 50), ("B", 30, 100)),
        {"A": Interval(0.08, 0.03, 0.19), "B": Interval(0.3, 0.2, 0.4)},
    )
    assert list(table["few"]) == [True, False]
    assert "pas de taux" in table.loc[0, "short"]
    assert table.loc[1, "short"] == "30,0\u202f% (20,0 à 40,0\u202f%)"


def test_fewer_than_ten_cases_have_no_rank() -> None:
    table = comparison.plain_counts(counted(("A", 9, 50), ("B", 12, 50), ("C", 40, 50)))
    assert comparison.ordered(table, by_value=True) == ["C", "B", "A"]
    assert comparison.ordered(table, by_value=False) == ["A", "B", "C"]


def test_without_a_published_base_there_is_no_rate_per_customer() -> None:
    base = {"A": Customers("A", 10.0, dt.date(2025, 6, 30), "mobile", "presse")}
    table = comparison.per_million(counted(("A", 100, 200), ("B", 100, 200)), 365, base)
    assert table.loc[0, "value"] == pytest.approx(10, rel=0.01)
    assert table.loc[1, "short"] == "pas de base clients publiée"
    assert comparison.comparable(table)[0] == ["A"]


def test_a_base_is_the_one_of_the_date() -> None:
    old = bases.customers("orange", dt.date(2015, 12, 31), "mobile")
    new = bases.customers("orange", dt.date(2025, 12, 31), "mobile")
    assert old is not None
    assert new is not None
    assert old.date < dt.date(2016, 1, 1)
    assert new.date > dt.date(2024, 1, 1)


def test_lines_need_both_figures_and_sofinco_has_none() -> None:
    found = bases.customers("altice", dt.date(2025, 9, 1), "lines")
    assert found is not None
    assert found.millions == pytest.approx(19.3 + 6.1)
    assert bases.customers("sofinco", dt.date(2025, 9, 1), "mobile") is None


def test_differences_are_told_with_their_direction() -> None:
    found = intervals.differences(
        ["Indigo", "MUTIF"], [Interval(0.5, 0.47, 0.53), Interval(0.2, 0.17, 0.23)]
    )
    assert "Indigo au-dessus de MUTIF" in sentences.differences(found, 2)
    same = intervals.differences(["A", "B"], [Interval(0.2, 0.1, 0.3)] * 2)
    assert "Aucune différence n’est établie" in sentences.differences(same, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Interval(1.5, 1.2, 1.9), "augmente"),
        (Interval(0.6, 0.4, 0.8), "recule"),
        (Interval(1.1, 0.8, 1.5), "pas établi"),
        (None, "ne permet pas de comparaison"),
    ],
)
def test_the_lead_says_no_more_than_the_interval(change: Interval | None, said: str) -> None:
    now = Totals(posts=1000, harassment=200)
    assert said in sentences.overview(now, change, None, *YEAR)


def test_beyond_a_year_the_period_is_told_by_its_dates() -> None:
    now = Totals(posts=1000, harassment=200)
    said = sentences.overview(now, None, None, dt.date(2014, 1, 7), dt.date(2026, 11, 19))
    assert said.startswith("Du 7 janvier 2014 au 19 novembre 2026, **200 publications")
    assert sentences.overview(now, None, None, *YEAR).startswith("En 365 jours, ")


def test_no_accusation_is_said_so() -> None:
    said = sentences.overview(Totals(posts=10), None, None, *YEAR)
    assert said.startswith("En 365 jours, aucune des 10 publications lues ne rapporte")


def fact(**facts: object) -> Fact:
    return Fact("a", dt.date(2026, 1, 1), ("A",), facts)


def test_declared_calls_are_put_on_a_day() -> None:
    table = declared.calls_a_day(
        [
            fact(calls={"min": 3, "max": 5, "per": "day"}),
            fact(calls={"min": 1, "max": 1, "per": "hour"}),
            fact(calls={"min": 2, "max": 2, "per": "week"}),
            fact(calls={"min": 80, "max": 80, "per": "total"}),
            fact(),
        ]
    ).set_index("bin")
    assert table.loc["3", "n"] == 1
    assert table.loc["10+", "n"] == 1
    assert table.loc["< 1", "n"] == 1
    assert table["n"].sum() == 3


def test_hours_outside_those_of_the_decree_are_told() -> None:
    table = declared.hours([fact(hours=["09:30", "13:00", "14:00", "19:59", "20:00"]), fact()])
    outside = table.loc[~table["allowed"] & (table["n"] > 0), "bin"]
    assert list(outside) == ["9 h", "13 h", "20 h"]


def test_the_consent_regime_is_an_event_of_all_brands() -> None:
    found = happenings.between(dt.date(2026, 8, 1), dt.date(2026, 8, 31), [])
    assert [event.date for event in found] == [happenings.CONSENT]


def test_events_of_other_families_are_left_out() -> None:
    found = happenings.between(dt.date(2024, 1, 1), dt.date(2024, 12, 31), ["iliad"])
    assert {event.scope for event in found} <= {"*", "iliad"}


def test_an_alert_has_the_days_of_its_week() -> None:
    first, last, name = happenings.alert_days("2026-W21")
    assert (first, last) == (dt.date(2026, 5, 18), dt.date(2026, 5, 24))
    assert name == "semaine du 18 mai 2026"
    assert happenings.alert_days("??") == (None, None, "??")


@pytest.mark.parametrize(
    ("harassment", "mentions", "said"),
    [
        (131, 466, "131 sur 466 mentions · 28,1 % (24,2 à 32,4 %)"),
        (4, 466, "4 sur 466 mentions"),
        (6, 19, "6 sur 19 mentions"),
        (1, 1, "1 sur 1 mention"),
    ],
)
def test_a_panel_gives_no_rate_of_few_cases(harassment: int, mentions: int, said: str) -> None:
    told = sentences.panel("Indigo", harassment, mentions, intervals.share(harassment, mentions))
    assert told.replace(words.NARROW, " ") == said


def test_changing_numbers_are_told_without_a_claim_on_none() -> None:
    said = [numbers.rotation_told(n, of).replace(words.NARROW, " ") for n, of in ((0, 2), (9, 90))]
    assert said[0] == "Sur 2 accusations, aucune ne dit que le numéro change à chaque appel."
    assert "9 disent que le numéro change à chaque appel (5,4 à 17,9 %) : bloquer" in said[1]
    assert "%" not in numbers.rotation_told(3, 90)

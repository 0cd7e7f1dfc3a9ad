"""Numbers, dates and lists as French and English write them."""

import datetime as dt
from collections.abc import Iterator

import pytest

from dashboard import words


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    words.speak("fr")
    yield
    words.speak("fr")


def test_french_numbers_have_narrow_spaces_and_a_comma() -> None:
    assert words.number(1234.5, 1) == "1\u202f234,5"
    assert words.number(-3) == "−3"
    assert words.number(None) == "–"
    assert words.number(float("nan")) == "–"


def test_percentages_have_a_narrow_space_in_french_and_none_in_english() -> None:
    assert words.percent(0.123) == "12,3\u202f%"
    words.speak("en")
    assert words.percent(0.123) == "12.3%"


def test_french_punctuation_is_kept_on_its_line() -> None:
    assert words.tr("Vrai ? Oui : « non » ; 5 %", "") == (
        "Vrai\u202f? Oui\u202f: «\u202fnon\u202f»\u202f; 5\u202f%"
    )


def test_days_are_written_in_full() -> None:
    assert words.day(dt.date(2025, 3, 3)) == "lundi 3 mars 2025"
    assert words.day(dt.date(2026, 8, 1), weekday=False) == "1er août 2026"
    words.speak("en")
    assert words.day(dt.date(2025, 3, 3)) == "Monday 3 March 2025"


def test_periods_are_named_by_their_step() -> None:
    first = dt.date(2025, 3, 3)
    assert words.period(first, "week") == "semaine du 3 mars 2025"
    assert words.period(first, "month") == "mars 2025"
    assert words.period(first, "day") == "lundi 3 mars 2025"


def test_zero_and_one_are_singular_in_french() -> None:
    assert words.plural(0, "copie", "copies") == "0 copie"
    assert words.plural(1, "copie", "copies") == "1 copie"
    assert words.plural(2, "copie", "copies") == "2 copies"
    words.speak("en")
    assert words.plural(0, "copy", "copies") == "0 copies"


def test_names_are_joined_and_elided() -> None:
    assert words.listing(["A", "B", "C"]) == "A, B et C"
    assert words.listing([]) == ""
    assert words.of_brand("Indigo") == "d’Indigo"
    assert words.of_brand("Mandarine") == "de Mandarine"


def test_chart_weeks_begin_on_sunday_as_d3_wants() -> None:
    locale = words.chart_locale()["timeFormatLocale"]
    assert locale["days"][0] == "dimanche"
    assert len(locale["days"]) == 7
    assert locale["months"][7] == "août"


def test_names_stand_in_the_alphabet_whatever_their_accents() -> None:
    assert sorted(["Zoé", "Écorine", "azur"], key=words.sort_key) == ["azur", "Écorine", "Zoé"]


def test_there_is_no_minus_before_a_zero() -> None:
    assert words.number(-1e-17) == "0"
    assert words.number(-0.04, 1) == "0,0"


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (999, "999"), (1_234, "1k"), (12_345, "12k"), (999_600, "1M")]
)
def test_a_count_in_few_signs(value: float, said: str) -> None:
    assert words.brief(value) == said


def test_a_name_is_cut_at_the_space_nearest_to_its_middle() -> None:
    assert words.in_two("Jamais client, sans accord") == ["Jamais client,", "sans accord"]
    assert words.in_two("Télémarketing") == ["Télémarketing"]

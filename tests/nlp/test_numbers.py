"""Numbers are classed by the plan of their day, and personal ones never shown whole."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.numbers import NumberingPlan, find_numbers, mask, personal_spans

DAY = date(2024, 5, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("le 01 99 00 12 34 insiste", [("fiction", "01 99 00 .. ..")]),
        ("0199001234", [("fiction", "01 99 00 .. ..")]),
        ("+33 6 39 98 12 34", [("fiction", "06 39 98 .. ..")]),
        ("06.12.34.56.78", [("mobile", "06 .. .. .. ..")]),
        ("un 0162 hier", [("telemarketing_range", "01 62 .. .. ..")]),
        ("tous en 0948...", [("telemarketing_range", "09 48 .. .. ..")]),
        ("un 0937 de livreur", [("platform", "09 37 .. .. ..")]),
        ("des 06 et un 07", [("mobile", "06 .. .. .. .."), ("mobile", "07 .. .. .. ..")]),
        ("02 xx xx xx xx", [("geographic", "02 .. .. .. ..")]),
        ("0 825 123 456", [("special_rate", "08 25 .. .. ..")]),
        ("+32 475 12 34 56", [("foreign", "+32 \u2026")]),
        ("appeler le 3900", [("short", "3900")]),
        ("01 99 00 .. ..", [("fiction", "01 99 00 .. ..")]),
    ],
)
def test_numbers_are_found_classed_and_shortened(
    plan: NumberingPlan, text: str, expected: list[tuple[str, str]]
) -> None:
    found = [(number.number_class, number.shown) for number in find_numbers(text, DAY, plan)]
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "le 06 septembre 2018",
        "à 07h30",
        "2023-05-06 12:30",
        "12 000 000 euros",
        "réf 20240506",
        "24/7",
    ],
)
def test_dates_prices_and_references_are_no_numbers(plan: NumberingPlan, text: str) -> None:
    assert find_numbers(text, DAY, plan) == []


def test_dedicated_ranges_mean_nothing_before_2023(plan: NumberingPlan) -> None:
    assert plan.classify("0162", date(2015, 7, 21)) == "geographic"
    assert plan.classify("0162", date(2023, 1, 1)) == "telemarketing_range"
    assert plan.classify("0162") == "telemarketing_range"


def test_personal_data_is_masked_and_the_rest_left_alone() -> None:
    text = (
        "Jeanne, 12 rue des Tilleuls, jeanne.d@exemple.fr, 06 39 98 12 34, "
        "FR76 3000 6000 0112 3456 7890 189. Merci"
    )
    masked = mask(text)
    for secret in ("Tilleuls", "exemple.fr", "39 98 12", "3456"):
        assert secret not in masked
    assert masked.startswith("Jeanne")
    assert masked.endswith("Merci")


def test_masking_twice_changes_nothing() -> None:
    once = mask("appel du 01 99 00 12 34 et de moi@exemple.fr")
    assert mask(once) == once


def test_spans_name_what_they_hide() -> None:
    assert personal_spans("moi@exemple.fr") == [(0, 14, "[e-mail]")]


@given(st.text(alphabet="0123456789 .+-/xh@ab", max_size=60))
def test_ten_digits_in_a_row_never_survive(text: str) -> None:
    masked = mask(text)
    assert not any(
        number.digits in masked and len(number.digits) == 10 for number in find_numbers(text)
    )

"""The reference tables load, agree with each other and keep what a source says of them."""

from datetime import date

import pytest

from raccroche import reference


def test_every_brand_has_an_id_of_its_own_and_a_way_to_be_found() -> None:
    brands = reference.brands()
    assert len({brand.id for brand in brands}) == len(brands)
    assert len({brand.name for brand in brands}) == len(brands)
    named = [brand for brand in brands if brand.id != "unknown"]
    assert all(brand.aliases or brand.weak for brand in named)


def test_a_family_is_the_one_of_the_day() -> None:
    brand = reference.brand("La Poste Mobile")
    assert brand is not None
    assert brand.family_on(date(2024, 11, 14)) == "la_poste"
    assert brand.family_on(date(2024, 11, 15)) == "bouygues"
    assert brand.family_on(None) == "bouygues"


def test_a_brand_that_nobody_wrote_down_is_none() -> None:
    assert reference.brand("Marque Fictive") is None


def test_there_are_fifteen_topics_and_twenty_one_signals_named_in_two_languages() -> None:
    assert len(reference.topics()) == 15
    assert len(reference.signals()) == 21
    for term in (*reference.topics(), *reference.signals(), *reference.roles()):
        assert term.fr
        assert term.en


def test_labels_of_the_classifier_all_have_a_title() -> None:
    types = pytest.importorskip("nlp.types")
    for label in (*types.TOPICS, *types.SIGNALS, *types.ROLES, *types.SENTIMENTS):
        assert reference.title(label, "fr")
        assert reference.title(label, "en")
    assert {term.id for term in reference.number_classes()} == set(types.NUMBER_CLASSES)


def test_an_unknown_label_has_no_title() -> None:
    with pytest.raises(KeyError):
        reference.title("not_a_label")


def test_a_rule_applies_only_while_it_is_in_force() -> None:
    signals = {term.id: term for term in reference.signals()}
    bloctel = signals["do_not_call_list_useless"]
    assert bloctel.rule_applies(date(2020, 1, 1))
    assert not bloctel.rule_applies(date(2026, 8, 11))
    assert not signals["forbidden_hours"].rule_applies(date(2015, 7, 21))
    assert not signals["silent_call"].rule_applies(date(2024, 1, 1))


def test_dedicated_ranges_start_in_2023_and_ordinary_ones_have_no_start() -> None:
    by_prefix = {row.prefix: row for row in reference.numbering()}
    assert by_prefix["0162"].since == date(2023, 1, 1)
    assert by_prefix["0162"].number_class == "telemarketing_range"
    assert by_prefix["06"].since is None
    assert by_prefix["0937"].number_class == "platform"


def test_events_are_in_order_and_carry_their_source() -> None:
    events = reference.events()
    assert [event.date for event in events] == sorted(event.date for event in events)
    assert all(event.source and event.title_fr and event.title_en for event in events)
    assert events[-1].date == date(2026, 8, 11)


def test_no_rate_is_possible_where_no_customer_count_was_found() -> None:
    sofinco = [row for row in reference.subscribers() if row.family == "sofinco"]
    assert [row.mobile_millions for row in sofinco] == [None]


def test_coherent_sets_hold_the_four_operators() -> None:
    for name in ("J2015", "J2021", "J2025"):
        families = {row.family for row in reference.subscribers() if row.coherent_set == name}
        assert {"orange", "altice", "iliad", "bouygues"} <= families


def test_fines_that_are_not_about_calls_say_so() -> None:
    fines = {(row.company, row.date): row for row in reference.sanctions()}
    assert fines["Orange", "2024-12"].about_calls == "no"
    assert fines["Canal+", "2023-10-12"].amount_eur == 600_000
    assert fines["Free", "2024-12"].amount_eur is None


def test_official_series_tell_a_missing_value_from_zero() -> None:
    values = [point.value for point in reference.official_series()]
    assert None in values
    assert all(value is None or value > 0 for value in values)


def test_each_style_belongs_to_a_brand_and_differs_by_more_than_its_colour() -> None:
    ids = {brand.id for brand in reference.brands()}
    styles = reference.palette()
    assert all(style.brand in ids for style in styles)
    assert len({(style.dash, style.marker) for style in styles}) == len(styles)

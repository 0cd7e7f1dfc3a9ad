"""What an author declares: how often, for how long, at what hour."""

from datetime import date

import pytest

from nlp.facts import (
    Moments,
    call_frequency,
    hours_rule_in_force,
    moments,
    outside_legal_hours,
    plain_forms,
)
from nlp.text import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("entre 2 et 5 appels par jour depuis 6 mois", (2, 5, "day", 180)),
        ("deux, trois, quatre, cinq appels par jour, pendant des semaines", (2, 5, "day", 28)),
        ("une 12 aine de fois dans la semaine", (12, 12, "week", None)),
        ("une 12aine de fois dans la semaine", (12, 12, "week", None)),
        ("2 à 3 fois par jour depuis 6 mois", (2, 3, "day", 180)),
        ("30 fois par mois", (30, 30, "month", None)),
        ("une dizaine d'appels par semaine", (10, 10, "week", None)),
        ("3x par jour", (3, 3, "day", None)),
        ("cinq à six fois par jour", (5, 6, "day", None)),
        ("trois ou quatre fois/jour", (3, 4, "day", None)),
        ("matin, midi et soir", (3, 3, "day", None)),
        ("tous les jours depuis plus d'un an", (1, 1, "day", 365)),
        ("toutes les 10 minutes", (6, 6, "hour", None)),
        ("un appel tous les deux jours", (0.5, 0.5, "day", None)),
        ("6 appels en 24h", (6, 6, "day", None)),
        ("12 appels en 3 jours", (12, 12, "total", 3)),
        ("sept appels aujourd'hui", (7, 7, "day", None)),
        ("8 fois après un devis", (8, 8, "total", None)),
        ("plusieurs fois par jour", (2, 2, "day", None)),
    ],
)
def test_declared_frequency(text: str, expected: tuple[float, float, str, float | None]) -> None:
    found = call_frequency(plain_forms(words(text)))
    assert found is not None
    assert (found.min, found.max, found.per, found.duration_days) == expected


@pytest.mark.parametrize(
    "text", ["Ma mère a 84 ans", "24 euros par mois", "un appel hier", "le 3 mai", "en 2024"]
)
def test_other_numbers_are_no_frequency(text: str) -> None:
    assert call_frequency(plain_forms(words(text))) is None


def test_a_frequency_is_brought_to_one_day() -> None:
    weekly = call_frequency(plain_forms(words("14 appels par semaine")))
    assert weekly is not None
    assert weekly.per_day() == 2


def read_moments(text: str) -> Moments:
    read = words(text)
    return moments(plain_forms(read), [(0, len(read))])


@pytest.mark.parametrize(
    ("text", "hours", "days", "outside"),
    [
        ("à 20h45 un dimanche", ("20:45",), ("sunday",), True),
        ("dès 8 heures du matin", ("08:00",), (), True),
        ("à 13 h 15 pendant le repas", ("13:15",), (), True),
        ("à 15h en réunion", ("15:00",), (), False),
        ("le 14 juillet", (), ("public_holiday",), True),
        ("attente de 2 heures, réponse sous 48h", (), (), False),
        ("le mardi à 11h", ("11:00",), ("tuesday",), False),
    ],
)
def test_hours_and_days(
    text: str, hours: tuple[str, ...], days: tuple[str, ...], outside: bool
) -> None:
    found = read_moments(text)
    assert found == Moments(hours, days)
    assert outside_legal_hours(found) is outside


def test_hours_are_a_rule_only_since_march_2023() -> None:
    assert hours_rule_in_force(date(2023, 3, 1))
    assert not hours_rule_in_force(date(2015, 7, 21))
    assert not hours_rule_in_force(None)

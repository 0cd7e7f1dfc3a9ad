"""The language of a post, with a probability, or none when there is nothing to read."""

import pytest

from nlp.language import NO_LANGUAGE, Language, detect
from nlp.text import words


def language(text: str) -> Language:
    return detect(text, words(text).forms)


@pytest.mark.parametrize(
    "text",
    [
        "On m'appelle tous les jours pour me vendre la fibre",
        "ils ont encore appele ce matin cest penible",
        "JE NE VEUX PLUS DE VOS APPELS",
        "ras le bol des appels",
        "panne",
    ],
)
def test_french_is_recognised_without_accents_in_capitals_or_short(text: str) -> None:
    assert language(text).code == "fr"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("They keep calling me every single day, please stop", "en"),
        ("Me llaman todos los días y no quiero nada con ellos", "es"),
        ("Ich werde jeden Tag angerufen und das nervt mich sehr", "de"),
        ("كل يوم نفس الاتصال", "ar"),
    ],
)
def test_other_languages_are_told_apart(text: str, code: str) -> None:
    found = language(text)
    assert found.code == code
    assert found.probability is not None
    assert found.probability > 0.6


@pytest.mark.parametrize("text", ["", "   ", "😡😡", "!!! ???", "12 34"])
def test_a_text_without_words_has_no_language(text: str) -> None:
    assert language(text) == NO_LANGUAGE


def test_a_doubtful_text_has_a_low_probability() -> None:
    found = language("ok super")
    assert found.probability is not None
    assert found.probability < 0.9

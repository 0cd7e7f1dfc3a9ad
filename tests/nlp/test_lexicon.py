"""The little pattern language over words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.lexicon import BOUNDARY, UNKNOWN, Lexicon, french, read_lists, read_rules
from nlp.text import words

LISTS = {"ME": ("me", "m", "nous"), "CALLS": ("appel*", "sonne")}


def found(rules: dict[str, list[str]], text: str) -> list[str]:
    lexicon = Lexicon(LISTS, rules)
    read = words(text)
    hits = lexicon.find("".join(lexicon.encode(read.forms)))
    return sorted(text[slice(*read.span(hit.first, hit.last))] for hit in hits)


def test_a_list_matches_its_words_and_beginnings_whatever_case_and_accents() -> None:
    assert found({"r": ["ME CALLS"]}, "Ça M'APPELLE") == ["M'APPELLE"]


def test_a_word_is_matched_whole() -> None:
    assert found({"r": ["top"]}, "stop, au top") == ["top"]


def test_an_accent_in_a_rule_is_asked_for() -> None:
    assert found({"r": ["démarché"]}, "une démarche, un démarché") == ["démarché"]


def test_matches_come_by_rule_and_place_whatever_order_the_rules_are_kept_in() -> None:
    rules = {name: ["ME CALLS"] for name in "zyxwvutsrqpo"}
    read = words("il m'appelle, elle m'appelle, on m'appelle")
    hits = Lexicon(LISTS, rules).find("".join(Lexicon(LISTS, rules).encode(read.forms)))
    assert len(hits) == 36
    assert hits == sorted(hits)


def test_a_gap_stays_inside_the_sentence() -> None:
    rules = {"r": ["ME ~3 jour"]}
    assert found(rules, "il m'appelle chaque jour") == ["m'appelle chaque jour"]
    assert found(rules, "il m'appelle. Un jour") == []


def test_a_double_gap_crosses_sentences() -> None:
    assert found({"r": ["bloctel ~~3 rien"]}, "Bloctel ! Ça fait rien") == [
        "Bloctel ! Ça fait rien"
    ]


def test_alternatives_options_and_looks() -> None:
    rules = {"r": ["<!( pas ) ( trop | bien ) fort? [ , ]"]}
    assert found(rules, "trop fort, pas trop, bien,") == ["bien", "trop fort"]


def test_numbers_have_shapes() -> None:
    rules = {"n": ["NUM appels"], "t": ["TIMES"], "d": ["DOZEN"], "h": ["HOUR"]}
    assert found(rules, "trois appels, 12 appels, 3x, 12aine, 20h45") == [
        "12 appels", "12aine", "20h45", "3x", "trois appels",
    ]  # fmt: skip


def test_sentence_ends_and_unknown_words_have_their_own_characters() -> None:
    lexicon = Lexicon(LISTS, {"r": ["ME"]})
    assert lexicon.encode(["zut", ".", "zut"]) == [UNKNOWN, BOUNDARY, UNKNOWN]


@pytest.mark.parametrize("pattern", ["(me", "me )", "NOWHERE", "~3", "x?"])
def test_a_wrong_pattern_is_refused_when_the_lexicon_is_built(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Lexicon(LISTS, {"r": [pattern]})


def test_a_list_may_hold_another_but_not_itself() -> None:
    assert read_lists('[lists]\nA = "un B"\nB = "deux"') == {"A": ("un", "deux"), "B": ("deux",)}
    with pytest.raises(ValueError, match="contains itself"):
        read_lists('[lists]\nA = "B"\nB = "A"')


def test_comments_and_blank_lines_are_no_rules() -> None:
    assert read_rules('[rules]\nr = """\n# rien\n\nme # ici\n"""') == {"r": ("me",)}


@given(st.lists(st.text(max_size=12), max_size=30))
def test_any_words_are_encoded_by_one_known_character_each(forms: list[str]) -> None:
    lexicon = french()
    read = words(" ".join(forms))
    codes = lexicon.encode(read.forms)
    assert len(codes) == len(read.forms)
    assert all(len(code) == 1 for code in codes)
    lexicon.find("".join(codes))


def test_the_shipped_lexicon_names_each_of_the_signals() -> None:
    from nlp.types import SIGNALS

    rules = french().rules
    assert {f"sig.{signal}" for signal in SIGNALS} <= set(rules)

"""French text is cleaned without being damaged, and quotes are not their quoter's words."""

import pytest

from nlp.text import MAX_CHARS, clean, fold, lower, normalise, plain_form, quoted_spans, words


def quoted(text: str, others: tuple[str, ...] = ()) -> list[str]:
    return [text[start:end] for start, end in quoted_spans(text, others)]


def test_one_apostrophe_and_one_kind_of_space_make_texts_comparable() -> None:
    assert normalise("l\u2019appel\u00a0:\t déjà ") == "l'appel : déjà"


def test_accents_case_negation_and_emoji_are_kept() -> None:
    assert clean("Je n'ai PAS été déçue 😡").text == "Je n'ai PAS été déçue 😡"


def test_letters_and_their_accents_are_composed_and_still_point_at_the_original() -> None:
    published = "de\u0301c\u0327u hier"
    cleaned = clean(published)
    assert cleaned.text == "déçu hier"
    start, end = cleaned.origin(5, 9)
    assert published[start:end] == "hier"


def test_folding_keeps_every_offset() -> None:
    text = "Été, cœur, İstanbul, ﬁn"
    assert len(fold(text)) == len(text)
    assert len(lower(text)) == len(text)


@pytest.mark.parametrize("broken", ["a\x00b", "a\ud800b", "a\u200bb", "\ufeffab"])
def test_broken_characters_do_no_harm(broken: str) -> None:
    cleaned = clean(broken)
    cleaned.text.encode()
    assert "a" in cleaned.text
    assert "b" in cleaned.text


def test_markup_left_in_is_taken_out_and_entities_are_read() -> None:
    published = "<p>Appel &agrave; 8h<br/>R&amp;D &lt;3</p>"
    cleaned = clean(published)
    assert cleaned.text.split() == ["Appel", "à", "8h", "R&D", "<3"]
    start = cleaned.text.index("8h")
    assert published[slice(*cleaned.origin(start, start + 2))] == "8h"


def test_a_comparison_is_not_markup() -> None:
    assert clean("2 < 3 et 5 > 4").text == "2 < 3 et 5 > 4"


def test_a_megabyte_is_cut_and_says_so() -> None:
    cleaned = clean("appel " * 200_000)
    assert cleaned.truncated
    assert len(cleaned.text) == MAX_CHARS


def test_words_keep_handles_whole_and_elisions_apart() -> None:
    read = words("@Marque_SAV m'appelle aujourd'hui... 3x, c'est call-center !")
    assert read.forms == [
        "@marque_sav", "m'", "appelle", "aujourd'", "hui", "...", "3x", ",", "c'", "est", "call",
        "center", "!",
    ]  # fmt: skip


def test_a_span_of_words_is_the_text_that_was_read() -> None:
    text = "Ils m'appellent tous les jours."
    read = words(text)
    assert text[slice(*read.span(2, 6))] == "appellent tous les jours"


def test_a_plain_form_has_no_accent_mark_or_elision() -> None:
    assert [plain_form(form) for form in ("@Été", "qu'", "#déçu", "'")] == [
        "ete", "qu", "decu", "'",
    ]  # fmt: skip


def test_lines_behind_a_chevron_are_somebody_else() -> None:
    assert quoted("> ils appellent\n> sans arrêt\nChez moi aussi.") == [
        "> ils appellent\n> sans arrêt"
    ]


def test_a_long_quote_that_opens_a_post_is_a_quotation() -> None:
    text = "« Il faudrait connaître le métier avant d'écrire de telles choses. » Tu plaisantes ?"
    assert quoted(text) == [text.split(" Tu")[0]]


def test_what_the_caller_said_stays_in_the_post() -> None:
    assert quoted("On me dit « vous êtes éligible madame » et ça raccroche.") == []


def test_a_retweet_is_quoted_from_its_mark_on() -> None:
    assert quoted("Pareil. RT @quelquun: encore un appel") == ["RT @quelquun: encore un appel"]


def test_a_forum_quote_ends_at_the_blank_line() -> None:
    text = "Paulo a écrit :\nIls appellent le dimanche.\n\nJamais vu ça chez moi."
    assert "Jamais" not in "".join(quoted(text))
    assert "dimanche" in "".join(quoted(text))


def test_a_sentence_copied_from_another_post_is_quoted() -> None:
    other = "Leurs pratiques sont-elles différentes de celles des autres vendeurs ? Non."
    text = (
        "Leurs pratiques sont-elles différentes de celles des autres vendeurs ? "
        "Se faire réveiller par un robot, quelle blague."
    )
    assert quoted(text, (other,)) == [
        "Leurs pratiques sont-elles différentes de celles des autres vendeurs ?"
    ]


def test_the_original_of_a_copy_keeps_its_own_words() -> None:
    text = "Leurs pratiques sont-elles différentes de celles des autres vendeurs ?"
    assert quoted(text, (text + " Bien dit.",)) == []

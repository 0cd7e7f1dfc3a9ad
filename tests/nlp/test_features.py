"""N-grams: what counts as the same word, and that a batch is its texts."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nlp.features import BITS, Vocabulary, alphabet, counted, ngrams


def shared(one: str, other: str) -> float:
    """Return the share of n-grams that two texts have in common."""
    owner, hashes = ngrams([one, other])
    first, second = set(hashes[owner == 0]), set(hashes[owner == 1])
    return len(first & second) / max(1, len(first | second))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Harcelée", "harcelee"),
        ("HARCELÉE", "harcelée"),
        ("harcelééééééée", "harceléée"),
        ("12 appels", "37 appels"),
        ("c’est", "c'est"),
        ("je  suis\nlà", "je suis là"),
    ],
)
def test_case_accents_digits_and_lengthened_letters_make_no_difference(
    one: str, other: str
) -> None:
    assert shared(one, other) == 1.0


@pytest.mark.parametrize(
    ("one", "other"), [("content", "mécontent"), ("appel", "rappel"), ("non", "oui"), ("😡", "🎉")]
)
def test_different_words_differ(one: str, other: str) -> None:
    assert shared(one, other) < 0.6


def test_a_batch_gives_each_text_what_it_gets_alone() -> None:
    texts = ["Ils m'appellent tous les jours !", "", "😡😡", "merci", "a", "x" * 50]
    owner, hashes = ngrams(texts)
    for i, text in enumerate(texts):
        assert sorted(hashes[owner == i]) == sorted(ngrams([text])[1])


def test_word_order_is_seen() -> None:
    assert shared("je vous appelle", "vous je appelle") < 1.0


def test_no_text_no_gram() -> None:
    owner, hashes = ngrams(["", "   ", "\n"])
    assert len(owner) == len(hashes) == 0


def test_broken_unicode_and_nul_are_read_as_something() -> None:
    owner, hashes = ngrams(["\ud800 a\x00b \udfff", "\U0010ffff"])
    assert len(owner) == len(hashes)
    assert (hashes < 1 << BITS).all()


def test_counts_are_by_text_and_column() -> None:
    pairs = (np.array([0, 0, 1, 0]), np.array([2, 2, 0, 1]))
    assert counted(pairs, 2, 3).toarray().tolist() == [[0, 1, 2], [1, 0, 0]]


def test_a_vocabulary_keeps_frequent_grams_and_makes_rows_of_unit_length() -> None:
    texts = ["appel du soir", "appel du matin", "zzz"]
    pairs = ngrams(texts)
    vocabulary = Vocabulary.of(pairs, len(texts), least=2, most=1000)
    rows = vocabulary.rows(pairs, len(texts))
    assert rows.shape == (3, len(vocabulary))
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)))
    assert lengths[:2] == pytest.approx(1.0)
    assert lengths[2] == 0.0  # nothing of it is known


def test_a_vocabulary_holds_no_more_than_asked() -> None:
    pairs = ngrams(["un deux trois quatre cinq six sept huit"] * 3)
    assert len(Vocabulary.of(pairs, 3, least=1, most=10)) == 10


def test_letters_fold_and_symbols_stand_alone() -> None:
    tables = alphabet()
    assert chr(tables.folded[ord("É")]) == "e"
    assert chr(tables.folded[ord("7")]) == "0"
    assert tables.word[ord("é")]
    assert tables.symbol[ord("😡")]
    assert not tables.word[ord(" ")]


def test_time_grows_with_length_not_faster() -> None:
    def seconds(length: int) -> float:
        text = "Ils appellent encore ! " * (length // 23)
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            ngrams([text])
            best = min(best, time.process_time() - start)
        return best

    seconds(10_000)
    assert seconds(320_000) < 20 * seconds(40_000) + 0.05

"""Turns a batch of texts into hashed word and character n-grams, vectorised over the batch."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Integers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Pairs = tuple[Integers, Integers]

BITS = 22  # hashes are kept on 22 bits: 4 million places for about a million distinct n-grams
WORD_ORDERS = (1, 2, 3)
CHAR_ORDERS = (3, 4, 5)
TABLE_SIZE = 0x20000  # code points above it (private planes) are read as spaces
FOLDED = 0x3000  # code points below it lose case and accents; above are CJK, kana, emoji
SPACE = 32
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2^64
INVERSE = np.uint64(pow(int(BASE), -1, 1 << 64))
MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True)
class Alphabet:
    """What each code point becomes, and whether it belongs to a word or counts alone."""

    folded: npt.NDArray[np.uint32]
    word: Bools
    symbol: Bools


@functools.cache
def alphabet() -> Alphabet:
    """Return the tables: letters without case or accents, every digit as 0, the rest as it is."""
    folded = np.arange(TABLE_SIZE, dtype=np.uint32)
    word = np.zeros(TABLE_SIZE, dtype=bool)
    symbol = np.zeros(TABLE_SIZE, dtype=bool)
    for code in range(FOLDED):
        character = chr(code)
        plain = unicodedata.normalize("NFKD", character.lower())[:1] or character
        folded[code] = ord("0") if plain.isdigit() else ord(plain)
        word[code] = character.isalnum()
        symbol[code] = not word[code] and not character.isspace() and character.isprintable()
    folded[[ord("œ"), ord("Œ")]] = ord("o")  # "coeur" and "cœur" then differ by one letter only
    symbol[ord("'")] = symbol[ord("’")] = False  # an apostrophe only parts two words
    symbol[0x1F000:0x1FB00] = True
    word[FOLDED:0x10000] = True
    return Alphabet(folded, word, symbol)


@dataclass(frozen=True, slots=True)
class Letters:
    """The folded code points of a batch, a space after each text, and whose they are."""

    codes: npt.NDArray[np.uint32]
    word: Bools
    symbol: Bools
    owner: Integers


def letters(texts: Sequence[str]) -> Letters:
    """Fold a batch of texts; a letter written three times or more ("harceleeer") is kept twice."""
    joined = " ".join(texts) + " "
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)
    tables = alphabet()
    codes = np.where(codes < TABLE_SIZE, codes, SPACE)
    owner = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    word, symbol, folded = tables.word[codes], tables.symbol[codes], tables.folded[codes]
    kept = np.ones(len(folded), dtype=bool)
    kept[2:] = ~(
        (folded[2:] == folded[1:-1]) & (folded[2:] == folded[:-2]) & (word[2:] | symbol[2:])
    )
    return Letters(folded[kept], word[kept], symbol[kept], owner[kept])


def prefix_hashes(codes: npt.NDArray[np.uint32]) -> tuple[Hashes, Hashes]:
    """Return the rolling hash before each position, and what brings a slice to position 0."""
    n = len(codes)
    powers: Hashes = np.cumprod(np.full(n, BASE), dtype=np.uint64)
    inverses: Hashes = np.cumprod(np.full(n, INVERSE), dtype=np.uint64)
    sums = np.zeros(n + 1, dtype=np.uint64)
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers, out=sums[1:])
    return sums, inverses


def mixed(hashes: Hashes, salt: int) -> Integers:
    """Return hashes spread over `BITS` bits; different salts keep the kinds of n-grams apart."""
    spread = (hashes ^ np.uint64(salt * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF)) * MIX
    spread = (spread ^ (spread >> np.uint64(29))) * BASE
    return (spread >> np.uint64(64 - BITS)).astype(np.int64)


def word_grams(batch: Letters) -> list[tuple[Integers, Integers]]:
    """Return (owner, hash) of the word n-grams; a word is a run of letters or one symbol."""
    starts = batch.word.copy()
    starts[1:] &= ~batch.word[:-1]
    ends = batch.word.copy()
    ends[:-1] &= ~batch.word[1:]
    begin = np.flatnonzero(starts | batch.symbol)
    end = np.flatnonzero(ends | batch.symbol) + 1
    if not len(begin):
        return []
    sums, inverses = prefix_hashes(batch.codes)
    hashes = (sums[end] - sums[begin]) * inverses[begin]
    owner = batch.owner[begin]
    grams, chain = [(owner, mixed(hashes, 1))], hashes
    for order in WORD_ORDERS[1:]:
        chain = (chain[:-1] ^ (chain[:-1] >> np.uint64(31))) * MIX + hashes[order - 1 :]
        inside = owner[order - 1 :] == owner[: len(owner) - order + 1]
        grams.append((owner[order - 1 :][inside], mixed(chain[inside], order)))
    return grams


def char_grams(batch: Letters) -> list[tuple[Integers, Integers]]:
    """Return (owner, hash) of the character n-grams inside words, the word's edges included."""
    kept = batch.word.copy()
    kept[1:] |= batch.word[:-1]  # one space after each run of letters
    codes = np.where(batch.word, batch.codes, SPACE)[kept].astype(np.uint32)
    codes = np.concatenate([np.array([SPACE], dtype=np.uint32), codes])
    owner = np.concatenate([batch.owner[:1], batch.owner[kept]])
    sums, inverses = prefix_hashes(codes)
    spaces = np.concatenate([[0], np.cumsum(codes == SPACE)])
    grams = []
    for order in CHAR_ORDERS:
        n = len(codes) - order + 1
        if n <= 0:
            continue
        inner = spaces[order - 1 : order - 1 + n] - spaces[1 : 1 + n]  # spaces strictly inside
        begin = np.flatnonzero(inner == 0)
        hashes = (sums[begin + order] - sums[begin]) * inverses[begin]
        grams.append((owner[begin + 1], mixed(hashes, 16 + order)))
    return grams


def ngrams(texts: Sequence[str], *, characters: bool = True) -> Pairs:
    """Return (owner, hash) of all n-grams of a batch, in no order."""
    batch = letters(texts)
    grams = word_grams(batch) + (char_grams(batch) if characters else [])
    if not grams:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    owners, hashes = zip(*grams, strict=True)
    return np.concatenate(owners), np.concatenate(hashes)


def counted(pairs: Pairs, rows: int, columns: int) -> csr_array:
    """Return (owner, column) pairs as a matrix of counts, columns of a row in order."""
    keys = pairs[0] * columns + pairs[1]
    if rows * columns < 1 << 31:
        keys = keys.astype(np.int32)  # sorted twice as fast
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    places = np.flatnonzero(first)
    times = np.diff(np.append(places, len(keys))).astype(np.float32)
    owner, column = np.divmod(keys[places], columns)
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=rows))])
    return csr_array(
        (times, column.astype(np.int32), starts.astype(np.int32)), shape=(rows, columns)
    )


class Vocabulary:
    """The n-grams that a model knows, by their hashes, with what each weighs in a text."""

    def __init__(self, hashes: npt.NDArray[np.uint32], rarity: npt.NDArray[np.float32]) -> None:
        """`hashes` are distinct and sorted; `rarity` is the inverse document frequency of each."""
        self.hashes = hashes
        self.rarity = rarity
        small = len(hashes) < 65535
        self._place: npt.NDArray[Any] = np.full(
            1 << BITS, len(hashes), dtype=np.uint16 if small else np.int32
        )
        self._place[hashes] = np.arange(len(hashes))

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def of(cls, pairs: Pairs, rows: int, *, least: int, most: int) -> Vocabulary:
        """Return the `most` frequent n-grams among those in at least `least` of `rows` texts."""
        hashes = np.unique(pairs[0] * (1 << BITS) + pairs[1]) & ((1 << BITS) - 1)
        frequency = np.bincount(hashes, minlength=1 << BITS)
        known = np.flatnonzero(frequency >= least)
        if len(known) > most:
            known = np.sort(known[np.argsort(-frequency[known], kind="stable")[:most]])
        return cls(
            known.astype(np.uint32), (np.log(rows / frequency[known]) + 1).astype(np.float32)
        )

    def rows(self, pairs: Pairs, rows: int) -> csr_array:
        """Return the texts as rows of unit length: (1 + log count) times rarity."""
        owner, place = pairs[0], self._place[pairs[1]]
        known = place < len(self.hashes)
        matrix = counted((owner[known], place[known].astype(np.int64)), rows, len(self.hashes))
        matrix.data = (1 + np.log(matrix.data)) * self.rarity[matrix.indices]
        squares = np.add.reduceat(
            np.append(matrix.data**2, 0), np.minimum(matrix.indptr[:-1], matrix.nnz)
        )
        lengths = np.sqrt(np.where(np.diff(matrix.indptr) > 0, squares, 1))
        matrix.data = (matrix.data / np.repeat(lengths, np.diff(matrix.indptr))).astype(np.float32)
        return matrix

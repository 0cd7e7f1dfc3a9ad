"""What the embedded model sees of a post: a masked text, rule counts, and a view of each brand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log1p

import numpy as np
from scipy.sparse import csr_array

from nlp.calls import HARASSMENT_THRESHOLD, Part, holds
from nlp.lexicon import QUOTED
from nlp.rules import Analysis, brand_features, is_testimony, rule_features, sentiment_of
from nlp.text import SENTENCE_END

BRAND_WORD = "xmarque"
THIS_WORD = "xcette"
OTHER_WORD = "xautre"
QUOTE_WORD = "xcite"
NEAR = 6  # words each side of a brand that are marked as near it
RULES_EVIDENCE = "rules.evidence"
SCORE_STEPS = (0.5, 1.0, HARASSMENT_THRESHOLD, 2.5, 3.5, 5.0)
EVIDENCE_STEPS = (0.5, 1.0, 1.5, 2.5)
NEAR_RULES = ("call.", "h.", "sent.", "attr.", "no.", "sig.", "own.")


@dataclass(frozen=True, slots=True)
class BrandView:
    """One brand in one post: its part by the rules, and the text as seen from it."""

    name: str
    part: Part
    document: str
    extras: Mapping[str, float]


def document(analysis: Analysis) -> str:
    """Return the author's words, brands masked, and first what the source says of the post."""
    words = masked(analysis, {})
    return " ".join([*context_words(analysis), *words])


def context_words(analysis: Analysis) -> list[str]:
    """Return made-up words that stand for the context: reviewed, answered, how many brands."""
    brands = len(analysis.parts)
    return [
        "xavis" if analysis.reviewed else "xsansavis",
        "xreponse" if analysis.answered else "xsansreponse",
        f"xmarques{min(brands, 2)}",
    ]


def masked(analysis: Analysis, names: Mapping[str, str]) -> list[str]:
    """Return the words with each brand replaced by its word in `names`, quotes left out."""
    words = list(analysis.read.forms)
    for mention in analysis.mentions:
        words[mention.first] = names.get(mention.brand, BRAND_WORD)
        words[mention.first + 1 : mention.last] = [""] * (mention.last - mention.first - 1)
    if QUOTED in analysis.encoded:
        words = [w if c != QUOTED else "" for w, c in zip(words, analysis.encoded, strict=True)]
        words.append(QUOTE_WORD)
    return words


def post_extras(analysis: Analysis) -> dict[str, float]:
    """Return the numbers that the post's heads see beside its words: the rules' and its shape."""
    text = analysis.clean.text
    extras = rule_features(analysis)
    extras["long"] = log1p(len(analysis.read)) / 4
    extras["capitals"] = float(len(text) > 20 and text.upper() == text)
    extras["shout"] = log1p(text.count("!"))
    harassment = analysis.score >= HARASSMENT_THRESHOLD
    extras[f"rules.{sentiment_of(analysis, harassment)}"] = 1.0
    extras[RULES_EVIDENCE] = min(max(analysis.score - HARASSMENT_THRESHOLD, -2.0), 2.0)
    extras["rules.testimony"] = float(is_testimony(analysis))
    for step in SCORE_STEPS:
        if analysis.score >= step:
            extras[f"score>={step}"] = 1.0
    return extras


def brand_views(analysis: Analysis) -> Iterator[BrandView]:
    """Yield each brand of the post as the brand heads see it."""
    parts = analysis.parts
    sentences = list(sentence_spans(analysis.read.forms)) if len(parts) > 1 else []
    for brand, part in parts.items():
        own = sorted(m.first for m in analysis.mentions if m.brand == brand)
        seen = [(first, last) for first, last in sentences if holds(first, last, own)]
        extras = pair_extras(analysis, brand, seen)
        yield BrandView(brand, part, pair_document(analysis, brand, seen), extras)


def sentence_spans(forms: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the word spans of sentences."""
    start = 0
    for i, form in enumerate(forms):
        if form[0] in SENTENCE_END:
            if i > start:
                yield start, i + 1
            start = i + 1
    if start < len(forms):
        yield start, len(forms)


def pair_document(analysis: Analysis, brand: str, seen: Sequence[tuple[int, int]]) -> str:
    """Return the sentences that name the brand (all when none does, or when it is alone there).

    The brand is one word, the other brands another; words near the brand come again, marked.
    """
    names = {m.brand: OTHER_WORD for m in analysis.mentions} | {brand: THIS_WORD}
    words = masked(analysis, names)
    kept = [w for first, last in seen for w in words[first:last]] if seen else words
    near: list[str] = []
    if seen:
        for i, word in enumerate(kept):
            if word == THIS_WORD:
                near += ["w" + w for w in kept[max(0, i - NEAR) : i] if w]
                near += ["z" + w for w in kept[i + 1 : i + 1 + NEAR] if w]
    return " ".join([*kept, *near])


def pair_extras(
    analysis: Analysis, brand: str, seen: Sequence[tuple[int, int]]
) -> dict[str, float]:
    """Return the numbers that the brand's heads see: the rules' on it, and the rules near it."""
    extras = brand_features(analysis, brand)
    extras["brands"] = log1p(len(analysis.parts))
    extras["post.score"] = min(max(analysis.score, -2.0), 4.0)
    for step in EVIDENCE_STEPS:
        if analysis.parts[brand].evidence >= step:
            extras[f"evidence>={step}"] = 1.0
    spans = seen or [(0, len(analysis.read))]
    for name, found in analysis.hits.items():
        if name.startswith(NEAR_RULES):
            count = within(spans, [hit.first for hit in found])
            if count:
                extras[f"near.{name}"] = log1p(count)
    return extras


def within(spans: Sequence[tuple[int, int]], marks: Iterable[int]) -> int:
    """Return how many of the marks stand in one of the spans, which are in order and apart."""
    starts = [first for first, _ in spans]
    places = ((mark, bisect_right(starts, mark) - 1) for mark in marks)
    return sum(place >= 0 and mark < spans[place][1] for mark, place in places)


def table(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> csr_array:
    """Return extras as a matrix, shape (rows, names); names that are not there are left out."""
    place = {name: i for i, name in enumerate(names)}
    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for extras in rows:
        for name, value in extras.items():
            column = place.get(name)
            if column is not None and value:
                columns.append(column)
                values.append(value)
        starts.append(len(columns))
    parts = np.array(values, np.float32), np.array(columns, np.int32), np.array(starts, np.int32)
    return csr_array(parts, shape=(len(rows), len(names)))

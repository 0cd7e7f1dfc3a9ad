"""French text made readable by machine without being damaged: cleaning, words, quotes, clauses."""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARS = 100_000
"""Longer posts are read up to here, and `Clean.truncated` says so."""

_APOSTROPHES = dict.fromkeys(map(ord, "\u2019\u02bc\u2018\u00b4\u0060\uff07"), "'")
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u2007\u2002\u2003\u3000\t\r\v\f"), " ")
_DROPPED = dict.fromkeys(
    [*range(0x09), *range(0x0E, 0x20), 0x7F, 0x200B, 0x200C, 0x200E, 0x200F, 0x2060, 0xFEFF], " "
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_PLAIN = str.maketrans({**_APOSTROPHES, **_SPACES, **_DROPPED, 0x2028: "\n", 0x2029: "\n"})

_ODD = re.compile("[" + "".join(map(re.escape, map(chr, _PLAIN))) + "\ud800-\udfff]")

_MARKUP = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9]{0,14})(?:\s[^<>]{0,500})?/?>|<!--|-->|&#?\w{1,10};")
_BLOCKS = frozenset(
    ("p", "br", "div", "li", "ul", "ol", "tr", "blockquote",
     "h1", "h2", "h3", "h4", "td", "article", "section")
)  # fmt: skip

WORD = re.compile(
    "[@#]?\\w+'?|[.!?\u2026]+|\n+|[^\\w\\s'\"@#(){}\\[\\]*/\\\\|~^=<>_\u00ab\u00bb\u201c\u201d\u201e\u2013\u2014-]"
)
SENTENCE_END = frozenset(".!?\u2026\n;")

_QUOTE_MARKS = re.compile('[\u00ab\u201c\u201e"]')
_CLOSING = {"\u00ab": "\u00bb", "\u201c": "\u201d", "\u201e": "\u201d", '"': '"'}
_WROTE = re.compile(
    r"(?:^|\n)[^\n]{0,60}?\b"
    r"(?:a [ée]crit|[ée]crivait|wrote|a dit|citation(?: de)?[^\n:]{0,40})\s*:\s*",
    re.IGNORECASE,
)
_RETWEET = re.compile(r"(?:^|(?<=\s))RT\s?:?\s?@\w{1,30}\s?:?")
_QUOTE_LINE = re.compile(r"(?:^|\n)[ ]{0,3}(?:>|&gt;)[^\n]*")
_LONG_QUOTE_WORDS = 8
_COPIED_CHARS = 40


@dataclass(frozen=True, slots=True)
class Clean:
    """A post ready to be read.

    `offsets[i]` is where character i of `text` stands in the post as published, with the end of the
    post last; None when nothing moved. `quoted` are (start, end) of passages that are not the
    author's own words.
    """

    text: str
    offsets: tuple[int, ...] | None
    truncated: bool
    quoted: tuple[tuple[int, int], ...] = ()

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the published text that this span of the clean text comes from."""
        if self.offsets is None or start >= end:
            return start, end
        return self.offsets[start], self.offsets[end]


class Words:
    """The words of a post, lower case with accents, and where each starts in the clean text."""

    __slots__ = ("_starts", "_text", "forms")

    def __init__(self, lowered: str) -> None:
        """`lowered` is the clean text in lower case, as long as it was (see `lower`)."""
        self.forms: list[str] = WORD.findall(lowered)
        self._text = lowered
        self._starts: list[int] | None = None

    def __len__(self) -> int:
        return len(self.forms)

    @property
    def starts(self) -> list[int]:
        """Where each word begins; worked out when first asked, which most posts never do."""
        if self._starts is None:
            self._starts = [match.start() for match in WORD.finditer(self._text)]
        return self._starts

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Characters covered by words `first` to `last` excluded."""
        return self.starts[first], self.starts[last - 1] + len(self.forms[last - 1])


def word_set(text: str) -> frozenset[str]:
    """The words of a string, as a set: how the small word lists of the code are written."""
    return frozenset(text.split())


def normalise(text: str) -> str:
    """One form for texts that read the same: NFC, one apostrophe, one kind of space, trimmed."""
    return " ".join(clean(text).text.split())


def fold(text: str) -> str:
    """Lower case without accents, one character for one: offsets stay good."""
    lowered = lower(text)
    return lowered if lowered.isascii() else "".join(map(_base_letter, lowered))


@lru_cache(maxsize=65_536)
def plain_form(form: str) -> str:
    """A word without accents, without its @ or #, without the apostrophe of an elision."""
    return fold(form).strip("'@#") or form


def lower(text: str) -> str:
    """Lower case, one character for one (some capitals lower to two)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


@lru_cache(maxsize=4096)
def _base_letter(char: str) -> str:
    if char in "\u0153\u00e6":  # œ, æ: no single plain letter; the second one reads best
        return "e"
    return unicodedata.normalize("NFD", char)[0]


def clean(raw: str, others: Sequence[str] = ()) -> Clean:
    """Repair, strip markup, bound the length, set quotes apart; linear in the length of `raw`."""
    truncated = len(raw) > MAX_CHARS
    text, offsets = _composed(raw[:MAX_CHARS] if truncated else raw)
    if "<" in text or "&" in text:
        text, offsets = _without_markup(text, offsets)
    return Clean(text, offsets, truncated, quoted_spans(text, others))


def _composed(raw: str) -> tuple[str, tuple[int, ...] | None]:
    text = raw
    if _ODD.search(raw) is not None:
        text = _SURROGATES.sub("\ufffd", raw).translate(_PLAIN)
    if text.isascii():
        return text, None
    if unicodedata.is_normalized("NFC", text):
        return text, None
    return _composed_by_cluster(text)


def _composed_by_cluster(text: str) -> tuple[str, tuple[int, ...]]:
    """NFC letter by letter, so that each composed letter knows where it came from."""
    letters: list[str] = []
    offsets: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and end - start < 8 and unicodedata.combining(text[end]):
            end += 1
        composed = unicodedata.normalize("NFC", text[start:end])
        letters.append(composed)
        offsets.extend([start] * len(composed))
        start = end
    return "".join(letters), (*offsets, len(text))


def _without_markup(
    text: str, offsets: tuple[int, ...] | None
) -> tuple[str, tuple[int, ...] | None]:
    pieces: list[str] = []
    origins: list[int] = []
    last = 0
    for match in _MARKUP.finditer(text):
        start, end = match.span()
        put = _replacement(match)
        pieces += (text[last:start], put)
        origins += range(last, start)
        origins += [start] * len(put)
        last = end
    if not pieces:
        return text, offsets
    pieces.append(text[last:])
    origins += range(last, len(text) + 1)
    if offsets is not None:
        origins = [offsets[i] for i in origins]
    return "".join(pieces), tuple(origins)


def _replacement(match: re.Match[str]) -> str:
    name = match.group(1)
    if name is not None:
        tag = name.lstrip("/").lower()
        if tag == "blockquote":
            return "\n\n" if name.startswith("/") else "\n> "
        return "\n" if tag in _BLOCKS else " "
    if match.group().startswith("&"):
        return html.unescape(match.group()).translate(_PLAIN)
    return " "


def words(text: str) -> Words:
    """Words (an elision keeps its apostrophe: m', appelle), handles and hashtags whole, runs of
    sentence ends, commas, emoji; quotes, brackets and dashes are passed over.
    """
    return Words(lower(text))


def quoted_spans(text: str, others: Sequence[str] = ()) -> tuple[tuple[int, int], ...]:
    """Passages that the author repeats from somebody else, merged and in order.

    Quote lines (>), retweets, "X a écrit :", long « … » that open the post or fill a paragraph,
    and sentences copied from `others`. Short quotes inside a sentence stay: they are mostly what
    the caller said. A post that is wholly a copy of another keeps its words: it is the original.
    """
    spans: list[tuple[int, int]] = []
    if ">" in text or "&gt;" in text:
        spans += [match.span() for match in _QUOTE_LINE.finditer(text)]
    if "RT" in text and (retweet := _RETWEET.search(text)):
        spans.append((retweet.start(), len(text)))
    if ":" in text:
        spans += _after_wrote(text)
    if _QUOTE_MARKS.search(text):
        spans += _long_quotes(text)
    if others:
        spans += _copied(text, others)
    return _merged(spans)


def _after_wrote(text: str) -> list[tuple[int, int]]:
    """After "X a écrit :" the quote runs to the blank line, else to the end of the line."""
    mark = "\n\n" if "\n\n" in text else "\n"
    spans = []
    last = len(text) if text.endswith(mark) else text.rfind(mark)
    for match in _WROTE.finditer(text):
        if match.end() < last:
            spans.append((match.start(), text.find(mark, match.end() + 1)))
    return [(start, end if end >= 0 else last) for start, end in spans]


def _long_quotes(text: str) -> list[tuple[int, int]]:
    spans = []
    position = 0
    while (opening := _QUOTE_MARKS.search(text, position)) is not None:
        start = opening.start()
        end = text.find(_CLOSING[opening.group()], start + 1)
        if end < 0:
            break
        if _is_block(text, start, end + 1):
            spans.append((start, end + 1))
        position = end + 1
    return spans


def _is_block(text: str, start: int, end: int) -> bool:
    """A long quote that opens the post, or that fills its own paragraph."""
    if text.count(" ", start, end) < _LONG_QUOTE_WORDS:
        return False
    before = text[max(0, start - 3) : start].strip(" ")
    after = text[end : end + 3].strip(" ")
    opens_line = not before or before.endswith("\n")
    closes_line = after.startswith("\n")
    return opens_line and (closes_line or not text[:start].strip())


def _copied(text: str, others: Sequence[str]) -> list[tuple[int, int]]:
    known = [fold(normalise(other)) for other in others]
    spans = []
    for match in re.finditer(r"[^.!?\n\u2026]+[.!?\u2026]*", text):
        sentence = " ".join(fold(match.group()).split())
        if len(sentence) >= _COPIED_CHARS and any(sentence in other for other in known):
            spans.append(match.span())
    left = len(text) - sum(end - start for start, end in spans)
    return spans if left >= _COPIED_CHARS // 2 else []


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)

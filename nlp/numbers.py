"""Telephone numbers in French text: where, of what class at that date, and masked for display."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

_SEPARATOR = r"[ .\-/]?"
_FRENCH = re.compile(
    r"(?<![\w+])(?:(?:\+|00)33" + _SEPARATOR + r"(?:\(0\)" + _SEPARATOR + r")?|\(?0)"
    r"(?P<first>[1-9])\)?(?P<rest>(?:" + _SEPARATOR + r"[\dxX*]{2}){4})(?![\dxX*])"
)
_EIGHT_HUNDRED = re.compile(
    r"(?<![\w+])0" + _SEPARATOR + r"8\d{2}" + _SEPARATOR + r"\d{3}" + _SEPARATOR + r"\d{3}(?!\d)"
)
_FOREIGN = re.compile(r"(?<![\w+])(?:\+|00)(?!33)[1-9]\d{0,2}(?:[ .\-/]?\d{1,4}){2,6}(?!\d)")
_PARTIAL = re.compile(
    r"(?<![\w+.,/:-])0[1-9](?:(?:" + _SEPARATOR + r"\d{2}){1,3}|\d{0,2})"
    r"(?:[ .]?(?:\.{2,}|\u2026|[xX*]{2,}))*(?![\w/:])"
)
_SHORT = re.compile(
    r"(?P<cue>\b(?:au|le|num[ée]ro|appeler|appelez|composer|sms)\s+)"
    r"(?P<number>3\d{3}|10\d{2}|118\d{3}|33 ?700|[5-7]\d{4})(?![\d/:h])"
)
_DATE_AFTER = re.compile(
    r"\s*(?:er|janv|f[ée]vr|mars|avril|mai|juin|juil|ao[uû]t|sept|oct|nov|d[ée]c|h\b|heures?|%|€|euros?|ans?\b"
    r"|jours?|mois|semaines?|fois|minutes?|km)",
    re.IGNORECASE,
)
_NUMBER_BEFORE = re.compile(
    r"(?:\b(?:un|en|par|du|les?|des|num[ée]ros?|n[°o]|d'un|depuis|ou|et|avec|avant)|[,:(])\s*$",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")  # which every number, account and address has
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_CARD = re.compile(r"(?<![\d+])\d{4}(?:[ -]?\d{4}){3}(?!\d)")
_STREET = re.compile(
    r"(?<![\w])\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|av\.?|boulevard|bd|impasse|all[ée]e|"
    r"chemin|"
    r"place|route|quai|cours|square|r[ée]sidence)\b"
    r"(?: (?:(?:du|des|de|la|les|le|saint)\b|[dl]'|[A-Z\u00c0-\u00dc][\w'-]{0,30})){1,6}"
    r"(?:,? \d{5}(?: [A-Z\u00c0-\u00dc][\w'-]{0,30}){0,3})?"
)

_SHOWN_DIGITS = {"mobile": 2, "geographic": 6, "non_geographic": 6, "fiction": 6}
_DEFAULT_SHOWN = 4
_FRENCH_LENGTH = 10


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number at characters `start` to `end`: its class, and how it may be shown."""

    start: int
    end: int
    digits: str
    number_class: str
    shown: str


class NumberingPlan:
    """Prefixes and their classes by date; the longest prefix in force wins."""

    def __init__(self, ranges: Iterable[tuple[str, str, date | None]]) -> None:
        """`ranges` are (prefix, class, since), `since` None for prefixes that were always there."""
        self._by_prefix: dict[str, tuple[str, date | None]] = {
            prefix: (number_class, since) for prefix, number_class, since in ranges
        }
        self._longest = max(map(len, self._by_prefix), default=0)

    def classify(self, digits: str, day: date | None = None) -> str:
        """The class of a national number ("0162…"), whole or its beginning, at that date."""
        for size in range(min(self._longest, len(digits)), 0, -1):
            found = self._by_prefix.get(digits[:size])
            if found is None:
                continue
            number_class, since = found
            if since is None or day is None or day >= since:
                return number_class
        return "unknown"


COARSE_PLAN = NumberingPlan(
    [
        *((f"0{n}", "geographic", None) for n in range(1, 6)),
        ("06", "mobile", None),
        ("07", "mobile", None),
        ("08", "special_rate", None),
        ("09", "non_geographic", None),
    ]
)
"""What the first two digits say, for use without the reference table."""


def find_numbers(
    text: str, day: date | None = None, plan: NumberingPlan = COARSE_PLAN
) -> list[PhoneNumber]:
    """Every number of a text, in order; partial ones ("un 0162…", "en 06") included."""
    found: list[PhoneNumber] = []
    taken: list[tuple[int, int]] = []

    def add(start: int, end: int, digits: str, number_class: str) -> None:
        place = bisect_left(taken, (start, end))  # in order and apart: only neighbours can overlap
        if place and start < taken[place - 1][1] or place < len(taken) and taken[place][0] < end:
            return
        taken.insert(place, (start, end))
        found.append(PhoneNumber(start, end, digits, number_class, _shown(digits, number_class)))

    for match in _EIGHT_HUNDRED.finditer(text):
        digits = _digits(match.group())
        add(*match.span(), digits, plan.classify(digits, day))
    for match in _FRENCH.finditer(text):
        digits = "0" + match["first"] + re.sub(r"[^\dxX*]", "", match["rest"])
        known = re.split(r"[xX*]", digits)[0]
        add(*match.span(), known, plan.classify(known, day))
    for match in _FOREIGN.finditer(text):
        add(*match.span(), _digits(match.group()), "foreign")
    for match in _PARTIAL.finditer(text):
        if _is_partial_number(match, text):
            digits = _digits(match.group())
            add(*match.span(), digits, plan.classify(digits, day))
    for match in _SHORT.finditer(text):
        add(*match.span("number"), _digits(match["number"]), "short")
    found.sort(key=lambda number: number.start)
    return found


def _is_partial_number(match: re.Match[str], text: str) -> bool:
    """Four digits and more speak for themselves; "06" alone needs "un", "en", "par" before it."""
    if _DATE_AFTER.match(text, match.end()):
        return False
    if len(_digits(match.group())) >= 4 or match.group()[-1] in ".\u2026xX*":
        return True
    return _NUMBER_BEFORE.search(text[max(0, match.start() - 12) : match.start()]) is not None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _shown(digits: str, number_class: str) -> str:
    """The beginning in pairs, the rest as dots: "01 71 25 .. .."; short numbers are public."""
    if number_class == "short":
        return digits
    if number_class == "foreign":
        return f"+{digits.lstrip('0')[:2]} \u2026"
    kept = digits[: _SHOWN_DIGITS.get(number_class, _DEFAULT_SHOWN)]
    pairs = [kept[i : i + 2] for i in range(0, len(kept), 2)]
    return " ".join([*pairs, *[".."] * (_FRENCH_LENGTH // 2 - len(pairs))])


def personal_spans(text: str) -> list[tuple[int, int, str]]:
    """(start, end, replacement) of e-mails, account and card numbers, addresses, phone numbers."""
    spans: list[tuple[int, int, str]] = []
    if "@" in text:
        spans += [(*m.span(), "[e-mail]") for m in _EMAIL.finditer(text)]
    if _DIGIT.search(text):
        spans += [(*m.span(), "[IBAN]") for m in _IBAN.finditer(text)]
        spans += [(*m.span(), "[carte]") for m in _CARD.finditer(text)]
        spans += [(*m.span(), "[adresse]") for m in _STREET.finditer(text)]
        spans += [
            (number.start, number.end, number.shown)
            for number in find_numbers(text)
            if len(number.digits) > 6 or number.number_class == "foreign"
        ]
    return _without_overlaps(spans)


def _without_overlaps(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def mask(text: str) -> str:
    """The text with personal numbers, e-mails, accounts and addresses hidden."""
    pieces = []
    last = 0
    for start, end, replacement in personal_spans(text):
        pieces += [text[last:start], replacement]
        last = end
    return "".join([*pieces, text[last:]])

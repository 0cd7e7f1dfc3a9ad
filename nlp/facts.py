"""What an author declares about the calls: how many, how often, for how long, when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from nlp.lexicon import NUMBER_WORDS
from nlp.text import SENTENCE_END, Words, plain_form, word_set
from nlp.types import CallFrequency

_DOZENS = {
    "dizaine": 10, "dizaines": 10, "douzaine": 12, "douzaines": 12, "quinzaine": 15,
    "vingtaine": 20, "vingtaines": 20, "trentaine": 30, "quarantaine": 40,
    "cinquantaine": 50, "soixantaine": 60,
    "centaine": 100, "centaines": 100, "aine": 12,
}  # fmt: skip
_UNITS = word_set(
    """appel appels apels fois foi x coup coups relance relances rappel rappels reprises
    sollicitations demarchages message messages sms harcelements"""
)
_PERIODS = {
    **dict.fromkeys(("jour", "jours", "journee", "j", "jr", "jrs", "journees"), "day"),
    **dict.fromkeys(("semaine", "semaines", "sem"), "week"),
    **dict.fromkeys(("mois",), "month"),
    **dict.fromkeys(("heure", "heures", "h"), "hour"),
    **dict.fromkeys(("minute", "minutes", "mn", "min"), "minute"),
    **dict.fromkeys(("an", "ans", "annee", "annees"), "year"),
    **dict.fromkeys(("matinee", "matin", "soir", "soiree", "24h", "24", "aprem"), "day"),
}
_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}
_VAGUE = {"day": 7.0, "week": 28.0, "month": 90.0, "year": 730.0}
"""Days meant by "des jours", "des semaines", "des mois", "des années"."""

_SEVERAL = word_set("plusieurs multiples moult maintes")
_JOINERS = word_set(", a ou et voire / jusqu jusque")
_WEEKDAYS = {
    "lundi": "monday", "mardi": "tuesday", "mercredi": "wednesday", "jeudi": "thursday",
    "vendredi": "friday", "samedi": "saturday", "dimanche": "sunday",
}  # fmt: skip
_FIXED_HOLIDAYS = frozenset(
    [("1er", "janvier"), ("1er", "mai"), ("8", "mai"), ("14", "juillet"), ("15", "aout"),
     ("1er", "novembre"), ("11", "novembre"), ("25", "decembre")]
)  # fmt: skip
_TODAY = "today"
_MAX_COUNT = 500
_REACH = 9


@dataclass(frozen=True, slots=True)
class _Quantity:
    low: float
    high: float
    after: int
    has_unit: bool


@dataclass(frozen=True, slots=True)
class Moments:
    """Hours as "HH:MM" and days as English names, in the order said."""

    hours: tuple[str, ...] = ()
    days: tuple[str, ...] = ()


def plain_forms(read: Words) -> list[str]:
    """The words without accents, handles' marks or final apostrophes."""
    return [plain_form(form) for form in read.forms]


def call_frequency(
    forms: Sequence[str], spans: Sequence[tuple[int, int]] | None = None
) -> CallFrequency | None:
    """The calls declared in these sentences, the most intense first.

    `forms` come from `plain_forms`; `spans` are the (first, last) word ranges where calls come in
    to people, None for everywhere. "Several" is written 2 to 2: at least two is all that is said.
    """
    best: CallFrequency | None = None
    for first, last in spans if spans is not None else [(0, len(forms))]:
        for found in _frequencies(forms, first, last):
            if best is None or _rank(found) > _rank(best):
                best = found
    if best is not None and best.duration_days is None:
        duration = _duration(forms, spans)
        if duration is not None and best.per != "total":
            best = CallFrequency(best.min, best.max, best.per, duration)
    return best


def _rank(found: CallFrequency) -> tuple[float, float]:
    rate = found.per_day()
    return (rate if rate is not None else 0.5, found.max)


def _frequencies(forms: Sequence[str], first: int, last: int) -> list[CallFrequency]:
    found = []
    position = first
    while position < last:
        quantity = _quantity(forms, position, last)
        if quantity is None:
            every = _every(forms, position, last)
            if every is not None:
                found.append(every)
            position += 1
            continue
        frequency = _with_period(forms, position, quantity, first, last)
        if frequency is not None:
            found.append(frequency)
        position = quantity.after
    return found


def _quantity(forms: Sequence[str], at: int, last: int) -> _Quantity | None:
    """A number or a range of numbers, and whether "appels", "fois" or the like follows."""
    read = _count(forms, at, last)
    if read is None:
        return None
    low, after, unit = read
    high = low
    while after < last:
        step = after + 1 if forms[after] in _JOINERS else after
        following = _count(forms, step, last) if step < last else None
        if following is None or (step == after and following[0] <= high and not unit):
            break
        if not (high <= following[0] <= high * 4 + 3):
            break
        high, after, unit = following
    if not unit:
        for step in range(after, min(after + 2, last)):
            if forms[step] in _UNITS:
                return _Quantity(low, high, step + 1, True)
            if forms[step] not in ("d", "de", "petits", "bons", "grosses", "UNWANTED"):
                break
    return _Quantity(low, high, after, unit)


def _count(forms: Sequence[str], at: int, last: int) -> tuple[float, int, bool] | None:
    """A single count at a word: (value, next word, whether the word itself says "times")."""
    form = forms[at]
    if form.isdigit():
        value = int(form)
        if value > _MAX_COUNT or (form[0] == "0" and form != "0"):
            return None
        if at + 1 < last and forms[at + 1] in ("aine", "aines"):
            return float(value), at + 2, False
        return float(value), at + 1, False
    if form in ("un", "une") and at + 1 < last and forms[at + 1] in _DOZENS:
        return float(_DOZENS[forms[at + 1]]), at + 2, False
    if form in ("un", "une") and at + 2 < last and forms[at + 2] in ("aine", "aines"):
        return _count(forms, at + 1, last)
    if form in _DOZENS and form != "aine":
        return float(_DOZENS[form]), at + 1, False
    if form in NUMBER_WORDS and form not in ("un", "une"):
        return float(NUMBER_WORDS[form]), at + 1, False
    if form in ("un", "une") and at + 1 < last and forms[at + 1] in ("a", "ou", *_UNITS):
        return 1.0, at + 1, False
    if form in _SEVERAL:
        return 2.0, at + 1, False
    return _glued_count(form, at)


def _glued_count(form: str, at: int) -> tuple[float, int, bool] | None:
    """ "3x", "3fois", "12aine": the number and its unit in one word."""
    digits = form.rstrip("abcdefghijklmnopqrstuvwxyz")
    tail = form[len(digits) :]
    if not digits.isdigit() or len(digits) > 3 or not tail:
        return None
    if tail in ("x", "fois"):
        return float(digits), at + 1, True
    if tail in ("aine", "aines"):
        return float(digits), at + 1, False
    return None


def _with_period(
    forms: Sequence[str], start: int, quantity: _Quantity, first: int, last: int
) -> CallFrequency | None:
    """The quantity with the period said after it, or before it in the same sentence."""
    if not quantity.has_unit:
        return _bare_rate(forms, quantity, last)
    period = _period_after(forms, quantity.after, last)
    if period is None:
        period = _period_before(forms, start, first)
    low, high = quantity.low, quantity.high
    if period is None:
        return CallFrequency(low, high, "total") if high >= 2 else None
    per, duration = period
    if per == _TODAY:
        return CallFrequency(low, high, "day") if high >= 2 else None
    if per == "minute":
        return CallFrequency(low, high, "total")
    if per == "year":
        return CallFrequency(low, high, "total", duration or 365.0)
    return CallFrequency(low, high, per, duration)


def _bare_rate(forms: Sequence[str], quantity: _Quantity, last: int) -> CallFrequency | None:
    """ "4 par jour", "5/jour": a number straight before its period."""
    at = quantity.after
    if (
        at + 1 < last
        and forms[at] == "par"
        and _PERIODS.get(forms[at + 1]) in ("day", "week", "month")
    ):
        return CallFrequency(quantity.low, quantity.high, _PERIODS[forms[at + 1]])
    return None


def _period_after(forms: Sequence[str], at: int, last: int) -> tuple[str, float | None] | None:
    for step in range(at, min(at + _REACH, last)):
        form = forms[step]
        if form[0] in SENTENCE_END:
            return None
        if form in ("aujourd", "aujourdhui", "hier", "today"):
            return _TODAY, None
        before = forms[step - 1]
        if step == at and _PERIODS.get(form) in ("day", "week", "month"):
            return _PERIODS[form], None
        if form in ("depuis", "pendant") and step + 1 < last:
            return _since(forms, step, last)
        if form in _PERIODS and before in (
            "par",
            "la",
            "cette",
            "ce",
            "meme",
            "chaque",
            "dans",
            "le",
            "l",
            "une",
            "un",
            "d",
            "de",
            "en",
            "x",
        ):
            return _PERIODS[form], None
        if before == "en" and (number := _count(forms, step, last)) and step + 1 < last:
            period = _PERIODS.get(forms[number[1]]) if number[1] < last else None
            if period in _DAYS:
                return "total", number[0] * _DAYS[period]
        if form in ("24h", "24h00"):
            return "day", None
    return None


def _since(forms: Sequence[str], at: int, last: int) -> tuple[str, float | None] | None:
    """ "6 fois depuis hier" is a total; "depuis ce matin" is within a day."""
    following = forms[at + 1 : min(at + 4, last)]
    if following[:2] == ["ce", "matin"] or following[:1] == ["matin"]:
        return "day", None
    if following[:1] == ["hier"]:
        return "total", 2.0
    return "total", _duration(forms, [(at, min(at + 6, last))])


def _period_before(forms: Sequence[str], start: int, first: int) -> tuple[str, float | None] | None:
    for step in range(start - 1, max(first, start - 5) - 1, -1):
        if forms[step][0] in SENTENCE_END:
            return None
        if forms[step] in ("aujourd", "aujourdhui"):
            return _TODAY, None
        if forms[step] in _PERIODS and step > first and forms[step - 1] in (
            "par", "les", "chaque", "cette", "une",
        ):  # fmt: skip
            period = _PERIODS[forms[step]]
            return (period, None) if period in ("day", "week", "month", "hour") else None
    return None


def _every(forms: Sequence[str], at: int, last: int) -> CallFrequency | None:
    """ "tous les jours", "chaque semaine", "toutes les 10 minutes", "matin, midi et soir"."""
    form = forms[at]
    if form in ("tous", "toutes", "ts", "chaque") and at + 1 < last:
        step = at + 1
        while step < last and forms[step] in ("les", "le", "l"):
            step += 1
        if step >= last:
            return None
        period = _PERIODS.get(forms[step])
        if period in ("day", "week", "month", "hour"):
            return CallFrequency(1.0, 1.0, period)
        number = _count(forms, step, last)
        if number and number[1] < last:
            return _every_so_many(number[0], _PERIODS.get(forms[number[1]]))
    if form == "matin" and at + 1 < last:
        parts = [
            word for word in forms[at : min(at + 5, last)] if word in ("matin", "midi", "soir")
        ]
        if len(parts) >= 2 and forms[at + 1] in (",", "midi", "et", "soir"):
            return CallFrequency(float(len(parts)), float(len(parts)), "day")
    return None


def _every_so_many(count: float, period: str | None) -> CallFrequency | None:
    if count <= 0 or period is None:
        return None
    if period == "minute":
        rate = 60 / count
        return CallFrequency(rate, rate, "hour")
    if period in ("hour", "day", "week"):
        return CallFrequency(1 / count, 1 / count, period)
    return None


def _duration(forms: Sequence[str], spans: Sequence[tuple[int, int]] | None) -> float | None:
    """Days meant by "depuis 6 mois", "pendant des semaines", "ça fait 3 semaines"."""
    for first, last in spans if spans is not None else [(0, len(forms))]:
        for at in range(first, last):
            if forms[at] not in ("depuis", "pendant", "fait", "durant", "duree"):
                continue
            for step in range(at + 1, min(at + 6, last)):
                period = _PERIODS.get(forms[step])
                if period not in _DAYS or period == "hour":
                    continue
                count = _last_count(forms, at + 1, step)
                if count is not None:
                    return count * _DAYS[period]
                if forms[step - 1] in ("des", "plusieurs", "quelques", "longs"):
                    return _VAGUE[period]
    return None


def _last_count(forms: Sequence[str], first: int, last: int) -> float | None:
    for step in range(last - 1, first - 1, -1):
        if forms[step] in ("un", "une"):
            return 1.0
        if forms[step] in _SEVERAL:
            return None
        read = _count(forms, step, last)
        if read is not None:
            return read[0]
    return None


def moments(forms: Sequence[str], spans: Sequence[tuple[int, int]]) -> Moments:
    """Hours and days named in these word ranges."""
    hours: list[str] = []
    days: list[str] = []
    for first, last in spans:
        for at in range(first, last):
            hour = _hour(forms, at, last)
            if hour is not None and hour not in hours:
                hours.append(hour)
            day = _day(forms, at, last)
            if day is not None and day not in days:
                days.append(day)
    return Moments(tuple(hours), tuple(days))


def _hour(forms: Sequence[str], at: int, last: int) -> str | None:
    """ "20h45", "9h", "13 h 15", "8 heures", not a duration ("48h", "2 heures d'attente")."""
    form = forms[at]
    hour, minute = -1, 0
    if "h" in form and form[0].isdigit():
        left, _, right = form.partition("h")
        if left.isdigit() and (not right or right.isdigit()):
            hour, minute = int(left), int(right or 0)
    elif form.isdigit() and at + 1 < last and forms[at + 1] in ("h", "heures", "heure"):
        hour = int(form)
        if at + 2 < last and forms[at + 1] == "h" and forms[at + 2].isdigit():
            minute = int(forms[at + 2])
        if forms[at + 1] != "h" and not (at and forms[at - 1] in _BEFORE_HOURS):
            return None
    if not 0 <= hour < 24 or not 0 <= minute < 60:
        return None
    if at and forms[at - 1] in ("depuis", "pendant", "en", "sous", "apres", "fait", "de", "durant"):
        return None
    return f"{hour:02d}:{minute:02d}"


_BEFORE_HOURS = word_set("a des vers avant jusqu apres est entre et")


def _day(forms: Sequence[str], at: int, last: int) -> str | None:
    form = forms[at]
    following = forms[at + 1] if at + 1 < last else ""
    singular = form.removesuffix("s")
    if singular in _WEEKDAYS:
        return _WEEKDAYS[singular]
    if form in ("weekend", "weekends", "we") or (form == "week" and following.startswith("end")):
        return "weekend"
    if form in ("ferie", "feries", "noel") or (form, following) in _FIXED_HOLIDAYS:
        return "public_holiday"
    return None


def outside_legal_hours(found: Moments) -> bool:
    """Whether an hour or a day lies outside Monday to Friday, 10-13h and 14-20h."""
    if any(day in ("saturday", "sunday", "weekend", "public_holiday") for day in found.days):
        return True
    return any(not ("10:00" <= hour < "13:00" or "14:00" <= hour < "20:00") for hour in found.hours)


def hours_rule_in_force(day: date | None) -> bool:
    """The hours are a legal rule from 1 March 2023 on (decree 2022-1313)."""
    return day is not None and day >= date(2023, 3, 1)

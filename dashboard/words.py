"""French first, English by a switch: which text is shown, how numbers and dates are written."""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any, Literal

Language = Literal["fr", "en"]

NARROW = "\u202f"  # narrow no-break space: thousands, and before ; : ! ? %
_BEFORE = re.compile(r" (?=[;:!?%»€](?:\s|$|[.,)*]))")
_SPOKEN: ContextVar[Language] = ContextVar("language", default="fr")

_DAYS = {
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
_MONTHS = {
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_SHORT_MONTHS = {
    "fr": [
        "janv.",
        "févr.",
        "mars",
        "avr.",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}


def speak(language: Language) -> None:
    """Choose the language of the run that begins."""
    _SPOKEN.set(language)


def language() -> Language:
    return _SPOKEN.get()


def tr(fr: str, en: str) -> str:
    """The text in the language of the reader; French punctuation gets its narrow spaces."""
    return _spaced(fr) if language() == "fr" else en


@cache
def _spaced(text: str) -> str:
    return _BEFORE.sub(NARROW, text).replace("« ", f"«{NARROW}")


def number(value: float | None, digits: int = 0) -> str:
    """`1 234,5` in French, `1,234.5` in English; a dash for None and NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    written = f"{round(value, digits) + 0.0:,.{digits}f}"  # no minus before a zero
    if language() == "en":
        return written.replace("-", "−")
    return written.translate({ord(","): NARROW, ord("."): ",", ord("-"): "−"})


def brief(value: float) -> str:
    """A count in as few signs as say it: `999`, `12k`, `3M`."""
    for size, sign in ((1_000_000, "M"), (1_000, "k")):
        if value >= size * 0.9995:  # 999,600 is a million, not a thousand thousands
            return f"{value / size:.0f}{sign}"
    return f"{value:.0f}"


def in_two(name: str) -> list[str]:
    """A name on two lines, cut at the space nearest to its middle; on one where it has none."""
    spaces = [at for at, one in enumerate(name) if one == " "]
    if not spaces:
        return [name]
    cut = min(spaces, key=lambda at: abs(at - len(name) / 2))
    return [name[:cut], name[cut + 1 :]]


def percent(share: float | None, digits: int = 1) -> str:
    """A share in [0, 1] as `12,3 %`."""
    if share is None or math.isnan(share):
        return "–"
    return number(share * 100, digits) + (f"{NARROW}%" if language() == "fr" else "%")


def signed(value: float, digits: int = 0) -> str:
    """With its sign: `+12` or `−3`."""
    return ("+" if value > 0 else "") + number(value, digits)


def span(low: float, high: float, digits: int = 0, *, share: bool = False) -> str:
    """An interval: `12 à 21`, or `9,1 à 12,4 %` for shares."""
    factor = 100 if share else 1
    end = percent(high, digits) if share else number(high, digits)
    return f"{number(low * factor, digits)} {tr('à', 'to')} {end}"


def day(value: dt.date, *, weekday: bool = True) -> str:
    """`lundi 3 mars 2025`, `1er mars 2025`; `Monday 3 March 2025`."""
    name = f"{_DAYS[language()][value.weekday()]} " if weekday else ""
    first = "er" if value.day == 1 and language() == "fr" else ""
    return f"{name}{value.day}{first} {_MONTHS[language()][value.month - 1]} {value.year}"


def short_day(value: dt.date) -> str:
    """`3 mars 2025`, with the month cut short: for tables and axes."""
    return f"{value.day} {_SHORT_MONTHS[language()][value.month - 1]} {value.year}"


def clock(written: str) -> str:
    """`20:40` as it is said: `20 h 40`, `21 h`; `20:40`."""
    hour, _, minute = written.partition(":")
    if language() == "en" or not hour.isdigit():
        return written
    return f"{int(hour)}\u00a0h" + (f"\u00a0{minute}" if minute.strip("0") else "")


def month(value: dt.date) -> str:
    return f"{_MONTHS[language()][value.month - 1]} {value.year}"


def period(value: dt.date, step: str) -> str:
    """A cell of a time axis in words: a day, `semaine du 3 mars 2025`, `mars 2025`."""
    if step == "month":
        return month(value)
    if step == "week":
        return tr("semaine du ", "week of ") + day(value, weekday=False)
    return day(value)


def sort_key(name: str) -> str:
    """Where a name stands in the alphabet: accents and case aside."""
    plain = unicodedata.normalize("NFD", name.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one))


def listing(names: Sequence[str]) -> str:
    """`A, B et C`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {tr('et', 'and')} {names[-1]}"


def plural(count: float, one: str, many: str, zero: str | None = None) -> str:
    """The count with its noun: in French 0 and 1 take the singular, in English only 1 does."""
    if count == 0 and zero is not None:
        return zero
    alone = abs(count) < 2 if language() == "fr" else count == 1
    return f"{number(count)} {one if alone else many}"


_FAMILIES = {
    "canal_plus": "Canal+",
    "credit_agricole": "Crédit agricole",
    "credit_mutuel": "Crédit mutuel",
    "la_poste": "La Poste",
    "maif": "MAIF",
    "ovh": "OVH",
}


def family(key: str) -> str:
    """The name of a group of brands, from its key."""
    return _FAMILIES.get(key, key.replace("_", " ").capitalize())


def of_brand(name: str) -> str:
    """`de SFR`, `d'Orange`."""
    if language() == "en":
        return f"of {name}"
    return f"d’{name}" if name[:1].lower() in "aeiouyéèêh" else f"de {name}"


def chart_locale() -> dict[str, Any]:
    """Number and date locales of d3, for the embed options of a chart."""
    french = language() == "fr"
    months, short = _MONTHS[language()], _SHORT_MONTHS[language()]
    days = [_DAYS[language()][-1], *_DAYS[language()][:-1]]  # d3 weeks begin on Sunday
    return {
        "formatLocale": {
            "decimal": "," if french else ".",
            "thousands": NARROW if french else ",",
            "grouping": [3],
            "currency": ["", f"{NARROW}€"] if french else ["€", ""],
            "percent": f"{NARROW}%" if french else "%",
            "minus": "−",
        },
        "timeFormatLocale": {
            "dateTime": "%A %e %B %Y à %X" if french else "%A, %e %B %Y, %X",
            "date": "%d/%m/%Y",
            "time": "%H:%M:%S",
            "periods": ["", ""],
            "days": days,
            "shortDays": [name[:3] for name in days],
            "months": months,
            "shortMonths": short,
        },
    }

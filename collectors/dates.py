"""
Reads the dates that sites write for people: French forms first, then English and German, then
dateparser.

Times are in Europe/Paris unless the text or the caller says otherwise, and come out in UTC. Where
only the day is known
the moment is midnight UTC of that day, so that it is the same day in UTC and in Paris.
"""

import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

MAX_LENGTH = 200  # characters; a date is shorter, and a text this long is not one


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time in UTC; *day_only* says that the hour is not known."""

    at: datetime
    day_only: bool = False


def parse_date(text: str | None, *, now: datetime, tz: str = "Europe/Paris") -> Moment | None:
    """The moment that *text* tells, read at *now* (for "hier", "il y a 3 jours"), or None."""
    if not text or len(text) > MAX_LENGTH * 4:
        return None
    if _FULL_ISO.fullmatch(text):
        try:
            return Moment(datetime.fromisoformat(text).astimezone(UTC))
        except (ValueError, OverflowError):
            pass  # an hour or a day that is none: the readers say so too
    folded = _fold(text)[:MAX_LENGTH]
    if not folded:
        return None
    zone = _zone(tz)
    for read in _READERS:
        try:
            moment = read(folded, now, zone)
        except (ValueError, OverflowError):  # 31 février, year 0: not a date
            continue
        if moment is not None:
            return moment
    return _by_dateparser(folded, now, tz)


def of_epoch(seconds: float) -> Moment | None:
    """The moment of a Unix time in seconds or milliseconds, None when out of range."""
    try:
        if abs(seconds) > 1e11:
            seconds /= 1000
        return Moment(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def day_of(text: str, *, now: datetime) -> date | None:
    """The day that *text* names, in Paris."""
    moment = parse_date(text, now=now)
    if moment is None:
        return None
    return (
        moment.at.date() if moment.day_only else moment.at.astimezone(_zone("Europe/Paris")).date()
    )


# Words -----------------------------------------------------------------------------------------


def _months(*names: str) -> dict[str, int]:
    return {name: number for number, row in enumerate(names, 1) for name in row.split()}


_MONTHS = _months(
    "janvier january januar januari enero gennaio janeiro jan janv jaen janner jänner genn ene gen",
    "fevrier february februar februari febrero febbraio fevereiro fev fevr feb",
    "mars march marz maerz maart marzo marco mar mrz mrt mär",
    "avril april aprile abril avr apr abr",
    "mai may mei mayo maggio maio mag",
    "juin june juni junio giugno junho jun giu",
    "juillet july juli julio luglio julho juil jul juill lug jui",
    "aout august augustus agosto aou aug ago",
    "septembre september septiembre settembre setembro sept sep set",
    "octobre october oktober octubre ottobre outubro oct okt ott",
    "novembre november noviembre novembro nov",
    "decembre december dezember diciembre dicembre dezembro dec dez dic",
)
_WEEKDAYS = {
    name: number
    for number, row in enumerate(
        (
            "lundi monday montag lun mon",
            "mardi tuesday dienstag tue",
            "mercredi wednesday mittwoch mer wed",
            "jeudi thursday donnerstag jeu thu",
            "vendredi friday freitag ven fri",
            "samedi saturday samstag sonnabend sam sat",
            "dimanche sunday sonntag dim sun",
        )
    )
    for name in row.split()
}
_NUMBERS = {
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7,
    "huit": 8, "neuf": 9, "dix": 10, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "ein": 1,
    "eine": 1, "einem": 1, "einer": 1, "einen": 1, "zwei": 2, "drei": 3, "quelques": 1,
    "quelque": 1,
}  # fmt: skip
_UNITS = {
    name: unit
    for unit, row in {
        "second": "seconde secondes sec secs s second seconds sekunde sekunden",
        "minute": "minute minutes min mins mn m minuten",
        "hour": "heure heures h hr hrs hour hours stunde stunden std",
        "day": "jour jours j day days d tag tage tagen",
        "week": "semaine semaines sem week weeks w woche wochen",
        "month": "mois month months mo monat monate monaten",
        "year": "an ans annee annees year years yr y jahr jahre jahren",
    }.items()
    for name in row.split()
}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_DAYS_BACK = {
    "aujourd'hui": 0, "aujourdhui": 0, "ce jour": 0, "today": 0, "heute": 0, "hier": 1,
    "yesterday": 1, "gestern": 1, "avant-hier": 2, "avant hier": 2, "vorgestern": 2,
}  # fmt: skip
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "wet": 0, "bst": 1, "cet": 1, "mez": 1, "cest": 2,
    "mesz": 2, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7,
}  # fmt: skip


def _alternatives(words: dict[str, int] | dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_MONTH = _alternatives(_MONTHS)
_WEEKDAY = _alternatives(_WEEKDAYS)
_ISO = re.compile(
    r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?:(?:t|\s+(?:a\s+)?)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s*(z\b|utc\b|gmt\b|[+-]\d\d:?\d\d)?)?"
)
# What pages write for programs: read tenfold faster, and as `_ISO` reads it.
_FULL_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH = re.compile(r"(\d{9,10}|\d{13})(?:\.\d+)?")
_DAY_MONTH = re.compile(
    rf"(?<![\d.,])(\d{{1,2}})\s*(?:er|e|st|nd|rd|th|\.)?[\s-]*(?:de\s+|of\s+)?({_MONTH})\b\.?,?"
    r"(?:[\s-]*(?:de\s+|del\s+)?'?(\d{4})(?!\d)|\s*'(\d\d)\b|-(\d\d)\b|\s+(\d\d)(?=\s+\d{1,2}:))?"
)
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\b\.?,?\s*(\d{{1,2}})(?:st|nd|rd|th"
    rf"|er)?\b(?!\s*[:h]\s*\d)(?:,?\s*(\d{{4}})(?!\d))?"
)
_NUMERIC = re.compile(
    r"(?<!\d)(\d{1,2})\s?([/.-])\s?(\d{1,2})(?:\2\s?|,\s+|\.,?\s+)(\d{4}|\d\d)(?!\d)"
)
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?!\d)")
_DAY_SLASH = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?![\d/])")
_TIME = re.compile(
    r"(?<![\d:])(\d{1,2})\s*(?:(?:[:h]|heures?)\s*([0-5]\d)(?:\s*(?::|min|mn"
    r"|m)\s*([0-5]\d)(?:[.,]\d+)?)?"
    r"(?:\s*([ap])\.?\s?m\b)?|\s*([ap])\.?\s?m\b|\.([0-5]\d)\s*uhr|\s*(?:h|heures?"
    r"|uhr)(?![a-z0-9]))"
)
_OFFSET = re.compile(
    r"\s*(?:min|s|m|uhr)?\s*\(?(?:(?:utc|gmt)?\s*([+-])(\d\d?):?([0-5]\d)?(?!\d)|"
    + "(" + "|".join(sorted(_ZONES, key=len, reverse=True)) + r")\b)"
)  # fmt: skip
_AGO = re.compile(
    r"(?:il y a|depuis|vor|ya|posted|there is)?\s*(?:environ|about|etwa|ca\.?|moins d'|moins de"
    r"|less than|plus de|plus d'"
    r"|over|almost|presque|pres de|pres d')?\s*(\d{1,6}|" + _alternatives(_NUMBERS) + r")\s*("
    + _alternatives(_UNITS) + r")(?![a-z])\.?"
)  # fmt: skip
_AGO_SIGN = re.compile(r"\b(?:il y a|depuis|vor|ago|her|ya)\b")
_SHORT_AGO = re.compile(r"(\d{1,4})\s*(s|sec|min|mn|m|h|j|d|w|sem|mo|mois|an|ans|y)\.?")
_NOW = re.compile(
    r"\b(?:a l'instant|just now|maintenant|gerade eben|gerade|now|il y a un instant"
    r"|il y a quelques instants"
    r"|il y a quelques secondes|moments? ago|just posted|jetzt)\b"
)
_DAYS_AGO = re.compile(r"(?<!\w)(" + _alternatives(_DAYS_BACK) + r")(?!\w)")
_WEEKDAY_AGO = re.compile(rf"\b(?:last\s+|letzten\s+|am\s+)?({_WEEKDAY})\b\.?(?:\s+dernier)?")


def _fold(text: str) -> str:
    """Lower case without accents, one kind of space and apostrophe, no invisible characters."""
    if not text.isascii():
        text = text.replace("’", "'").replace("ʼ", "'").replace("\u200b", "")
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(text.lower().split())


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return UTC if name.upper() == "UTC" else ZoneInfo(name)


# Readers, in the order they are tried ----------------------------------------------------------


def _read_iso(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    found = _ISO.search(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    if hour is None:
        rest = text[: found.start()] + " " + text[found.end() :]
        return _moment(date(int(year), int(month), int(day)), rest, zone)
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro)
    own = _offset_zone(offset) if offset else zone
    return Moment(at.replace(tzinfo=own).astimezone(UTC))


def _offset_zone(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(delta if text[0] == "+" else -delta)


def _read_epoch(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    return of_epoch(float(text)) if _EPOCH.fullmatch(text) else None


def _read_named(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    """ "mercredi 15 mai 2019 à 15h24", "1er août", "September 19, 2007, 01:08:14 PM"."""
    found = _DAY_MONTH.search(text)
    reverse = _MONTH_DAY.search(text)
    if found and (any(found.groups()[2:]) or not (reverse and reverse.group(3))):
        day, month = int(found.group(1)), _MONTHS[found.group(2)]
        year = next((_year(y) for y in found.groups()[2:] if y), None)
    else:
        found = reverse
        if not found:
            return None
        month, day = _MONTHS[found.group(1)], int(found.group(2))
        year = int(found.group(3)) if found.group(3) else None
    rest = text[: found.start()] + " " + text[found.end() :]
    if year is None:
        year = _year_elsewhere(rest) or _latest_year(day, month, now)
    return _moment(date(year, month, day), rest, zone)


def _read_full_numeric(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    """A numeric date with its century comes before words: "mar, 03/06/2014" is a Tuesday."""
    found = _NUMERIC.search(text)
    return _read_numeric(text, now, zone) if found and len(found.group(4)) == 4 else None


def _read_numeric(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    """ "22/01/2020 à 12:01:03", "17.07, 2011 @ 13:04", "03-11-2008": the day comes first."""
    found = _NUMERIC.search(text)
    if found:
        day, month, year = int(found.group(1)), int(found.group(3)), _year(found.group(4))
    elif found := _YEAR_FIRST.search(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _DAY_SLASH.search(text):
        day, month = int(found.group(1)), int(found.group(2))
        year = _latest_year(day, month, now)
    else:
        return None
    rest = text[: found.start()] + " " + text[found.end() :]
    if month > 12 or (day <= 12 and found.re is _NUMERIC and _twelve_hours(rest, found)):
        day, month = month, day
    return _moment(date(year, month, day), rest, zone)


def _twelve_hours(rest: str, found: re.Match[str]) -> bool:
    """Slashes with a.m. or p.m. are American: the month comes first."""
    clock = _TIME.search(rest)
    return found.group(2) == "/" and bool(clock and (clock.group(4) or clock.group(5)))


def _read_now(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    return Moment(now.astimezone(UTC)) if _NOW.search(text) else None


def _read_ago(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    """ "il y a 3 jours", "3 days ago", "vor 2 Stunden", "1 Monat her", "5 min"."""
    found = _AGO.search(text) if _AGO_SIGN.search(text) else _SHORT_AGO.fullmatch(text)
    if not found:
        return None
    amount = _NUMBERS.get(found.group(1)) or int(found.group(1))
    return _back(amount, _UNITS[found.group(2)], text, now, zone)


def _back(amount: int, unit: str, text: str, now: datetime, zone: tzinfo) -> Moment:
    if unit in _SECONDS:
        at = now - timedelta(seconds=amount * _SECONDS[unit])
    else:
        at = _months_back(now, amount * (12 if unit == "year" else 1))
    if unit in ("second", "minute", "hour"):
        return Moment(at.astimezone(UTC))
    return _moment(at.astimezone(zone).date(), "", zone)


def _months_back(now: datetime, months: int) -> datetime:
    index = now.year * 12 + now.month - 1 - months
    for day in (now.day, 30, 29, 28):
        try:
            return now.replace(year=index // 12, month=index % 12 + 1, day=day)
        except ValueError:
            continue
    raise ValueError("before the calendar")


def _read_day_word(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    """ "hier à 14:05", "aujourd'hui, 9h"."""
    found = _DAYS_AGO.search(text)
    if not found:
        return None
    day = now.astimezone(zone).date() - timedelta(days=_DAYS_BACK[found.group(1)])
    return _moment(day, text[: found.start()] + " " + text[found.end() :], zone)


def _read_weekday(text: str, now: datetime, zone: tzinfo) -> Moment | None:
    """
    "lundi dernier", "Monday at 14:05": the last such day before today, today only with a past
    hour.
    """
    found = _WEEKDAY_AGO.search(text)
    if not found:
        return None
    today = now.astimezone(zone).date()
    back = (today.weekday() - _WEEKDAYS[found.group(1)]) % 7
    return _moment(today - timedelta(days=back or 7), text[found.end() :], zone)


_READERS: tuple[Callable[[str, datetime, tzinfo], Moment | None], ...] = (
    _read_iso,
    _read_epoch,
    _read_full_numeric,
    _read_named,
    _read_numeric,
    _read_now,
    _read_ago,
    _read_day_word,
    _read_weekday,
)


# Parts -----------------------------------------------------------------------------------------


def _moment(day: date, rest: str, zone: tzinfo) -> Moment:
    """*day* with the hour found in *rest*, if any."""
    found = _TIME.search(rest)
    if not found:
        return Moment(datetime.combine(day, time(), UTC), day_only=True)
    hour = int(found.group(1))
    minute = int(found.group(2) or found.group(6) or 0)
    half = found.group(4) or found.group(5)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    day += timedelta(days=hour // 24) if hour == 24 else timedelta()
    clock = time(hour % 24 if hour == 24 else hour, minute, int(found.group(3) or 0))
    own = _named_offset(rest[found.end() :]) or zone
    return Moment(datetime.combine(day, clock, own).astimezone(UTC))


def _named_offset(rest: str) -> tzinfo | None:
    found = _OFFSET.match(rest)
    if not found:
        return None
    sign, hours, minutes, name = found.groups()
    if name:
        return timezone(timedelta(hours=_ZONES[name]))
    if (
        len(hours) < 2
        and minutes is None
        and "utc" not in found.group()
        and "gmt" not in found.group()
    ):
        return None
    delta = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(delta if sign == "+" else -delta)


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return 2000 + int(text) if int(text) < 70 else 1900 + int(text)


def _year_elsewhere(rest: str) -> int | None:
    """ "Jan 2 10:00:00 2013": the year after the hour."""
    found = re.search(r"(?<![\d:])((?:19|20)\d\d)(?![\d:])", rest)
    return int(found.group(1)) if found else None


def _latest_year(day: int, month: int, now: datetime) -> int:
    """The year that makes it the last such day before *now* (a day of grace for time zones)."""
    for year in range(now.year, now.year - 5, -1):
        try:
            if date(year, month, day) <= now.date() + timedelta(days=1):
                return year
        except ValueError:
            continue
    raise ValueError("no such day")


# The library behind ----------------------------------------------------------------------------


def _by_dateparser(text: str, now: datetime, tz: str) -> Moment | None:
    if len(text) < 6 or not re.search(r"[a-z]{2}", text) or not re.search(r"\d", text):
        return None
    if len(text) > 60:
        return None
    import dateparser

    settings = {
        "RELATIVE_BASE": now.astimezone(_zone(tz)).replace(tzinfo=None),
        "TIMEZONE": tz,
        "TO_TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "PREFER_DATES_FROM": "past",
        "DATE_ORDER": "DMY",
        "REQUIRE_PARTS": ["day", "month"],
    }
    with _quiet():
        try:
            found = dateparser.parse(
                text, languages=["fr", "en", "de", "es", "it"], settings=settings
            )
        except (ValueError, OverflowError, TypeError, AttributeError, IndexError, KeyError):
            return None
    if found is None or found.tzinfo is None:
        return None
    if _TIME.search(text) is None:
        local = found.astimezone(_zone(tz)).date()
        return Moment(datetime.combine(local, time(), UTC), day_only=True)
    return Moment(found.astimezone(UTC))


@contextmanager
def _quiet() -> Iterator[None]:
    """dateparser warns of its own regular expressions and of days without a year."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

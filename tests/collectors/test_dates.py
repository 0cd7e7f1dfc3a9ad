"""Dates as sites write them for people."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.dates import MAX_LENGTH, day_of, of_epoch, parse_date

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # a Tuesday, 16:00 in Paris

WITH_HOUR = [
    ("le mercredi 15 mai 2019 à 15h24", "2019-05-15T13:24"),
    ("22 juin 2018 @11h13", "2018-06-22T09:13"),
    ("(22 juin 2018 @11h13)", "2018-06-22T09:13"),
    ("Posté le 03-11-2008 à 16:47:21", "2008-11-03T15:47:21"),
    ("22/01/2020 à 12:01:03", "2020-01-22T11:01:03"),
    ("Le 11 septembre 2018 à 12:57", "2018-09-11T10:57"),
    ("1er août 2015, 9 h 05", "2015-08-01T07:05"),
    ("Publié le 21 juillet 2015 à 8h", "2015-07-21T06:00"),
    ("hier à 14:05", "2026-11-23T13:05"),
    ("Aujourd’hui, 09h30", "2026-11-24T08:30"),
    ("avant-hier à 23h59", "2026-11-22T22:59"),
    ("il y a 2 heures", "2026-11-24T13:00"),
    ("Il y a environ une heure", "2026-11-24T14:00"),
    ("il y a 5 min", "2026-11-24T14:55"),
    ("à l'instant", "2026-11-24T15:00"),
    ("Just now", "2026-11-24T15:00"),
    ("lundi à 10:00", "2026-11-23T09:00"),
    ("19. Juni 2018 um 15:28 Uhr", "2018-06-19T13:28"),
    ("Ben 19. Juni 2018 um 15:28 Uhr - Antworten", "2018-06-19T13:28"),
    ("17.07, 2011 @ 13:04", "2011-07-17T11:04"),
    ("10.03.2011, 14:17", "2011-03-10T13:17"),
    ("1. März 2019 um 9.15 Uhr", "2019-03-01T08:15"),
    ("Wed Jun 02, 2010 11:01 pm", "2010-06-02T21:01"),
    ("Mon Jun 07, 2010 12:42 pm", "2010-06-07T10:42"),
    ("September 19, 2007, 01:08:14 PM", "2007-09-19T11:08:14"),
    ("October 08, 2007, 12:00:16 PM", "2007-10-08T10:00:16"),
    ("June 28, 2015 at 10:25 pm", "2015-06-28T20:25"),
    ("August 3, 2019 at 4:11 am", "2019-08-03T02:11"),
    ("3 May 2018 at 7pm", "2018-05-03T17:00"),
    ("07/04/2016 8:15 PM", "2016-07-04T18:15"),
    ("2019-08-03T04:11:57+00:00", "2019-08-03T04:11:57"),
    ("2025-07-17T19:07:48.000Z", "2025-07-17T19:07:48"),
    ("2018-09-27T14:51:09+0200", "2018-09-27T12:51:09"),
    ("2020-02-25 13:02:01", "2020-02-25T12:02:01"),
    ("Tue, 21 Jul 2015 10:15:00 +0000", "2015-07-21T10:15"),
    ("21 Jul 15 10:15:00 GMT", "2015-07-21T10:15"),
    ("Sat, 01 Aug 2015 10:15:00 EST", "2015-08-01T15:15"),
    ("Wed Jan 02 2013 19:14:00 GMT+0100 (CET)", "2013-01-02T18:14"),
    ("Jan 2 10:00:00 2013", "2013-01-02T09:00"),
    ("1372894082", "2013-07-03T23:28:02"),
    ("1372894082000", "2013-07-03T23:28:02"),
    ("31 déc. 2020 à 23:30", "2020-12-31T22:30"),
    ("24 nov. à 10h15", "2026-11-24T09:15"),
    ("mar, 03/06/2014 - 10:12", "2014-06-03T08:12"),
    ("mar 3 juin à 10h", "2026-06-03T08:00"),
    ("mer. 3 juin 2015 10:12", "2015-06-03T08:12"),
]
DAY_ONLY = [
    ("il y a 3 jours", "2026-11-21"),
    ("il y a 2 semaines", "2026-11-10"),
    ("il y a 1 an", "2025-11-24"),
    ("il y a un mois", "2026-10-24"),
    ("1 Monat her", "2026-10-24"),
    ("vor 2 Tagen", "2026-11-22"),
    ("3 days ago", "2026-11-21"),
    ("lundi dernier", "2026-11-23"),
    ("mardi dernier", "2026-11-17"),
    ("Publié le 12 mars 2017", "2017-03-12"),
    ("1er août", "2026-08-01"),
    ("25 décembre", "2025-12-25"),
    ("29 février", "2024-02-29"),
    ("März 7, 2018", "2018-03-07"),
    ("12/03/17", "2017-03-12"),
    ("2021/05/04", "2021-05-04"),
    ("2015-07-21", "2015-07-21"),
    ("hier", "2026-11-23"),
    ("le 5 juin 2020", "2020-06-05"),
    ("May 31st, 2011", "2011-05-31"),
]
NOT_DATES = [
    "",
    "   ",
    "Répondre",
    "31 février 2019",
    "99/99/2020",
    "bonjour à tous",
    "x" * 5000,
    "12",
    "abc 12",
]


@pytest.mark.parametrize(("text", "expected"), WITH_HOUR)
def test_a_date_with_an_hour_comes_out_in_utc(text: str, expected: str) -> None:
    moment = parse_date(text, now=NOW)

    assert moment is not None
    assert moment.at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert not moment.day_only


@pytest.mark.parametrize(("text", "expected"), DAY_ONLY)
def test_a_day_without_an_hour_is_flagged(text: str, expected: str) -> None:
    moment = parse_date(text, now=NOW)

    assert moment is not None
    assert moment.day_only
    assert moment.at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", NOT_DATES)
def test_what_is_not_a_date_is_none(text: str) -> None:
    assert parse_date(text, now=NOW) is None


def test_the_time_zone_of_the_caller_is_used_when_the_text_has_none() -> None:
    moment = parse_date("15 mai 2019 à 15h24", now=NOW, tz="America/New_York")

    assert moment is not None
    assert moment.at.hour == 19


def test_summer_and_winter_time_are_told_apart() -> None:
    summer, winter = (parse_date(f"1 {m} 2020 à 12h", now=NOW) for m in ("juillet", "janvier"))

    assert (summer and summer.at.hour, winter and winter.at.hour) == (10, 11)


def test_the_day_is_that_of_paris() -> None:
    assert str(day_of("2020-01-01T23:30:00Z", now=NOW)) == "2020-01-02"
    assert str(day_of("1er janvier 2020", now=NOW)) == "2020-01-01"
    assert day_of("rien", now=NOW) is None


def test_an_epoch_out_of_range_is_none() -> None:
    assert of_epoch(1e30) is None
    assert of_epoch(float("nan")) is None


def test_own_forms_are_twenty_times_faster_than_dateparser() -> None:
    import dateparser

    texts = [text for text, _ in WITH_HOUR[:12]]
    dateparser.parse("15 mai 2019 à 15h24", languages=["fr"])  # loads its data

    start = time.perf_counter()
    for text in texts:
        dateparser.parse(text, languages=["fr", "en", "de"])
    theirs = (time.perf_counter() - start) / len(texts)
    start = time.perf_counter()
    for _ in range(20):
        for text in texts:
            parse_date(text, now=NOW)
    ours = (time.perf_counter() - start) / len(texts) / 20

    assert theirs > 20 * ours


@given(st.text(max_size=MAX_LENGTH * 5))
def test_any_text_gives_a_date_in_utc_or_none(text: str) -> None:
    moment = parse_date(text, now=NOW)

    assert moment is None or moment.at.tzinfo is UTC


@given(
    st.from_regex(
        r"(il y a|vor)? ?\d{1,7} [a-z]{1,6} ?(ago)? \d{1,4}[/:.h-]\d{1,3}", fullmatch=True
    )
)
def test_near_dates_never_crash(text: str) -> None:
    moment = parse_date(text, now=NOW)

    assert moment is None or moment.at.tzinfo is UTC

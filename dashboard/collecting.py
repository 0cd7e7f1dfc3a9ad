"""How collection went: verdicts of runs, gaps, delays and copies, as tables in words."""

import datetime as dt
from collections.abc import Mapping, Sequence
from statistics import median

import pandas as pd

from dashboard import words
from dashboard.words import tr
from raccroche.post import Run, Verdict
from raccroche.store import StoredPost


def verdict(value: Verdict) -> str:
    return {
        Verdict.NEW: tr("du nouveau", "something new"),
        Verdict.NOTHING_NEW: tr("rien de nouveau", "nothing new"),
        Verdict.BLOCKED: tr("bloquée", "blocked"),
        Verdict.LOGIN_WALL: tr("connexion exigée", "login wall"),
        Verdict.RATE_LIMITED: tr("débit limité", "rate limited"),
        Verdict.LAYOUT_CHANGED: tr("présentation changée", "layout changed"),
        Verdict.REFUSED_BY_ROBOTS: tr("refusée par robots.txt", "refused by robots.txt"),
        Verdict.UNREACHABLE: tr("injoignable", "unreachable"),
    }[value]


def robots(value: str) -> str:
    """What robots.txt said, in words; notes on delays and opt-outs are kept as they are."""
    first, _, rest = value.partition(" ")
    name = {
        "allowed": tr("permis", "allowed"),
        "refused": tr("refusé", "refused"),
        "none": tr("absent", "none"),
        "unreachable": tr("illisible", "unreachable"),
        "": "–",
    }.get(first, first)
    return f"{name} {rest}".strip()


def _robots(run: Run, zone: dt.tzinfo) -> str:
    """What robots.txt said and the day it was read: it is asked at each run."""
    said = robots(run.robots)
    if not run.robots:
        return said
    return f"{said} · {words.short_day(run.finished_at.astimezone(zone).date())}"


def runs(found: Sequence[Run], zone: dt.tzinfo) -> pd.DataFrame:
    """One row a run, the latest first; *zone*: of the reader."""
    return pd.DataFrame(
        {
            tr("Fin", "End"): [_moment(one.finished_at, zone) for one in found],
            tr("Source", "Source"): [one.source for one in found],
            tr("Verdict", "Verdict"): [verdict(one.verdict) for one in found],
            tr("Nouvelles", "New"): [words.number(one.new) for one in found],
            tr("Connues", "Known"): [words.number(one.known) for one in found],
            tr("Lues / annoncées", "Read / declared"): [_declared(one) for one in found],
            tr("Requêtes", "Requests"): [words.number(one.requests) for one in found],
            tr("Durée (s)", "Time (s)"): [words.number(one.seconds, 1) for one in found],
            tr("robots.txt, lu le", "robots.txt, read on"): [_robots(one, zone) for one in found],
            tr("Message", "Message"): [one.message for one in found],
        }
    )


def last_runs(found: Mapping[str, Run], zone: dt.tzinfo) -> pd.DataFrame:
    """One row a source: troubled ones first, then by name."""
    ordered = sorted(found.values(), key=lambda one: (one.verdict.ok, one.source))
    return runs(ordered, zone)


def _declared(run: Run) -> str:
    declared = "–" if run.declared is None else words.number(run.declared)
    return f"{words.number(run.got)} / {declared}"


def _moment(moment: dt.datetime, zone: dt.tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{words.short_day(local.date())}, {local:%H:%M}"


def delay(posts: Sequence[StoredPost]) -> dt.timedelta | None:
    """The median time from publication to the database; None without dated posts."""
    waits = [
        (one.added_at - one.published_at).total_seconds()
        for one in posts
        if one.added_at and one.published_at and not one.day_only
    ]
    return dt.timedelta(seconds=median(waits)) if waits else None


def duration(value: dt.timedelta) -> str:
    """In the largest unit that fits: `3 jours`, `5 heures`, `12 minutes`."""
    minutes = value.total_seconds() / 60
    if minutes >= 2 * 24 * 60:
        return words.plural(round(minutes / 1440), tr("jour", "day"), tr("jours", "days"))
    if minutes >= 120:
        return words.plural(round(minutes / 60), tr("heure", "hour"), tr("heures", "hours"))
    return words.plural(round(minutes), "minute", "minutes")


def strip_table(strip: pd.DataFrame) -> pd.DataFrame:
    """Days of each source collected, partly collected and missed, of the rows of `series.strip`."""
    long = strip.assign(days=(strip["end"] - strip["day"]).dt.days)
    wide = long.pivot_table(index="source", columns="state", values="days", aggfunc="sum")
    days = wide.reindex(columns=["full", "part", "none"]).fillna(0).astype(int)
    days.columns = pd.Index(
        [tr("Jours collectés", "Days collected"), tr("En partie", "Partly"), tr("Rien", "Nothing")]
    )
    return days.rename_axis(tr("Source", "Source")).reset_index()


def gaps(coverage: pd.DataFrame) -> pd.DataFrame:
    """Stretches of days that a source should have covered and did not: source, from, to, days."""
    started = coverage[coverage["covered"]].groupby("source")["day"].min()
    own = coverage[coverage["day"] >= coverage["source"].map(started)].sort_values("day")
    rows = []
    for source, days in own.groupby("source"):
        missing = days[~days["covered"]]
        stretch = (missing["day"].diff() != pd.Timedelta(days=1)).cumsum()
        for _, part in missing.groupby(stretch):
            first, last = part["day"].iloc[0].date(), part["day"].iloc[-1].date()
            rows.append((str(source), first, last, len(part)))
    rows.sort(key=lambda row: row[2], reverse=True)
    return pd.DataFrame(
        {
            tr("Source", "Source"): [row[0] for row in rows],
            tr("Du", "From"): [words.short_day(row[1]) for row in rows],
            tr("Au", "To"): [words.short_day(row[2]) for row in rows],
            tr("Jours", "Days"): [row[3] for row in rows],
        }
    )

"""
The alerts replayed on simulated series: false alarms a month, delay, misses.

    python benchmarks/alerts_replay.py [--pairs 60] [--seed 1]
    python benchmarks/alerts_replay.py --demo data/demo/raccroche.sqlite3 [--since 2024-01-01]

The second replays the data of `raccroche demo` through `raccroche.alerts` itself, at the end of
each week, and every day of its two waves of calls: those are to be found, all else is false.

Each of *pairs* series (brand, signal) is a negative binomial count a day with a trend, a weekly and
a yearly course, over two years; the alerts look at the running ISO week once a day, as
`raccroche run` does, for the last half year. Quiet series give the false alarms; in the others the
daily mean is multiplied for three weeks. Pairs are tested together each day, with the same control
of false discoveries, bound and smallest number of posts as `raccroche.alerts`. Prints JSON.
"""

import argparse
import json
import statistics
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from scipy.stats import false_discovery_control

from raccroche.alerts import find_spikes
from raccroche.alerts.forecast import Series, forecast
from raccroche.config import AlertsConfig
from raccroche.demo.calendar import PARIS, Era, Wave
from raccroche.labelling import shown_labeller
from raccroche.store import Store

FIRST = date(2024, 1, 1)
DAYS = 730
WATCHED = 182  # days of the end on which the alerts look
OUTBREAK = 21  # days
RULES = AlertsConfig()


@dataclass(frozen=True, slots=True)
class Replay:
    """One series, and the day (of the series) on which its outbreak begins, if it has one."""

    series: Series
    begins: int | None


def simulate(draw: np.random.Generator, mean: float, times: float) -> Replay:
    """A series of DAYS days; *times* > 1 multiplies the mean for OUTBREAK days of the watched."""
    day = np.arange(DAYS)
    weekday = np.where((FIRST.weekday() + day) % 7 >= 5, 0.6, 1.15)
    yearly = 1 + 0.2 * np.sin(2 * np.pi * day / 365.25)
    level = mean * weekday * yearly * np.exp(0.3 * day / 365.25)
    begins = None
    if times > 1:
        begins = int(draw.integers(DAYS - WATCHED + 14, DAYS - OUTBREAK - 14))
        level[begins : begins + OUTBREAK] *= times
    size = np.maximum(level / 0.5, 1e-9)  # variance 1.5 times the mean
    counts = draw.negative_binomial(size, size / (size + level)).astype(float)
    return Replay(Series(FIRST, counts, np.ones(DAYS)), begins)


def alarms(replays: list[Replay]) -> list[list[int]]:
    """For each series the days on which its alert stands."""
    found: list[list[int]] = [[] for _ in replays]
    for day in range(DAYS - WATCHED, DAYS):
        end = FIRST + timedelta(days=day)
        start = end - timedelta(days=end.weekday())
        seen = []
        for number, replay in enumerate(replays):
            known = replay.series.cut(FIRST, end)
            posts = float(known.cut(start, end).counts.sum())
            outlook = forecast(known, start, end) if posts else None
            if outlook is not None:
                seen.append((number, posts, outlook))
        if not seen:
            continue
        adjusted = false_discovery_control([outlook.p_value for _, _, outlook in seen])
        for (number, posts, outlook), p_value in zip(seen, adjusted, strict=True):
            if (
                p_value <= RULES.false_discovery_rate
                and posts > outlook.bound
                and posts >= RULES.min_posts
            ):
                found[number].append(day)
    return found


def week_of(day: int) -> tuple[int, int]:
    return (FIRST + timedelta(days=day)).isocalendar()[:2]


def measure(pairs: int, mean: float, times: float, seed: int) -> dict[str, object]:
    """Nine of ten series are quiet, one has an outbreak (*times* 1: all are quiet)."""
    draw = np.random.default_rng(seed)
    replays = [simulate(draw, mean, times if n % 10 == 0 else 1.0) for n in range(pairs)]
    false, delays, missed = 0, [], 0
    for replay, days in zip(replays, alarms(replays), strict=True):
        begins = replay.begins
        if begins is None:
            false += len({week_of(day) for day in days})
            continue
        inside = [day for day in days if begins <= day < begins + OUTBREAK]
        outside = [day for day in days if not begins <= day < begins + OUTBREAK + 7]
        false += len({week_of(day) for day in outside})
        if inside:
            delays.append(inside[0] - begins)
        else:
            missed += 1
    return {
        "posts_a_day": mean,
        "times": times,
        "pairs": pairs,
        "outbreaks": len(delays) + missed,
        "missed": missed,
        "median_delay_days": statistics.median(delays) if delays else None,
        "false_alarms_a_month": round(false / (WATCHED / 30.44), 2),
    }


def replay_demo(place: Path, since: date) -> dict[str, object]:
    """Every week of the demonstration's years, with only what was known by then."""
    with Store.open(place, read_only=True) as store:
        newest = store.status().newest
        assert newest is not None  # a demonstration has posts
        era = Era(newest.astimezone(PARIS).date())
        labeller = shown_labeller(store)
        false: list[str] = []
        weeks = 0
        end = since - timedelta(days=since.weekday() + 1)  # a Sunday
        while end <= era.last:
            found = find_spikes(store, labeller, RULES, end + timedelta(days=1))
            weeks += 1
            false += [
                f"{alert.period} {alert.brand} {alert.signal or 'any'}: {alert.posts} posts, "
                f"{alert.expected} expected"
                for alert in found
                if not any(one.firm == alert.brand and wave_of(one, end) for one in era.waves)
            ]
            end += timedelta(days=7)
        waves = {one.firm: wave_found(store, labeller, one) for one in era.waves}
    pairs = {(line.split(" ")[0], line.split(" ")[1]) for line in false}
    return {
        "weeks": weeks,
        "false_alarms": false,
        "brand_weeks_of_false_alarms_a_month": round(len(pairs) / (weeks * 7 / 30.44), 2),
        "waves": waves,
    }


def wave_of(wave: Wave, sunday: date) -> bool:
    """Whether a week holds a day of *wave*."""
    return wave.first <= sunday and wave.last >= sunday - timedelta(days=6)


def wave_found(store: Store, labeller: str, wave: Wave) -> dict[str, object]:
    """On which day of *wave* its alert stood first; None if it never did."""
    for delay in range((wave.last - wave.first).days + 1):
        today = wave.first + timedelta(days=delay + 1)  # yesterday is looked at
        found = find_spikes(store, labeller, RULES, today)
        mine = [alert for alert in found if alert.brand == wave.firm]
        if mine:
            best = max(mine, key=lambda alert: alert.posts)
            return {
                "first_day": str(wave.first),
                "delay_days": delay,
                "posts": best.posts,
                "expected": best.expected,
            }
    return {"first_day": str(wave.first), "delay_days": None}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.strip().split("\n")[0])
    options.add_argument("--pairs", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--demo", type=Path, help="database of `raccroche demo`")
    options.add_argument("--since", type=date.fromisoformat, default=date(2014, 6, 29))
    chosen = options.parse_args()
    if chosen.demo:
        print(json.dumps(replay_demo(chosen.demo, chosen.since), indent=1, ensure_ascii=False))
        return
    for mean in (0.3, 1.0, 5.0):
        for times in (1.0, 2.0, 3.0, 5.0):
            print(json.dumps(measure(chosen.pairs, mean, times, chosen.seed)), flush=True)


if __name__ == "__main__":
    main()

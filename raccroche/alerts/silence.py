"""Sources that have been silent, blocked or changed for longer than usual."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from statistics import median, quantiles

from raccroche.post import Run
from raccroche.store import Alert, Store

FAILED_RUNS = 2  # in a row
USUAL_TIMES = 5  # a gap this many times the usual one is a silence
SHORTEST_SILENCE = timedelta(days=3)
# A source of which few runs are known is judged by the days on which its posts were published.
FEWEST_DAYS = 10
SHORTEST_UNPUBLISHED = timedelta(days=28)
DAY = timedelta(days=1)
PREFIX = "source:"


def silent_sources(store: Store, today: date) -> list[Alert]:
    """
    An alert for each source whose last runs failed, or that gave nothing new for too long.

    Its period is the week in which the trouble began: one alert each, however long it lasts.
    """
    return [
        alert
        for source in store.last_runs()
        for alert in _of_source(store, source, store.runs(limit=200, source=source), today)
    ]


def _of_source(store: Store, source: str, runs: Sequence[Run], today: date) -> Iterator[Alert]:
    """*runs* newest first."""
    failed = next((n for n, run in enumerate(runs) if run.verdict.ok), len(runs))
    if failed >= FAILED_RUNS:
        began = store.run_seen(source) or runs[-1].started_at
        what = str(runs[0].verdict)
        yield _alert(source, what, failed, FAILED_RUNS - 1, began.date(), runs[0].message)
        return
    fruitful = [run.started_at for run in runs if run.new > 0]
    usual = _usual_gap(fruitful)
    if usual is None:
        asked = min(today, runs[0].started_at.date())
        yield from _unpublished(source, store.days_with_posts(source), asked)
        return
    quiet = runs[0].started_at - fruitful[0]
    limit = max(USUAL_TIMES * usual, SHORTEST_SILENCE)
    if quiet > limit:
        note = f"nothing new for {quiet / DAY:.1f} days"
        yield _alert(source, "silent", quiet / DAY, limit / DAY, fruitful[0].date(), note)


def _unpublished(source: str, days: Sequence[date], asked: date) -> Iterator[Alert]:
    """A source that was lively once, and whose newest post is old: it may be dead, or moved."""
    if len(days) < FEWEST_DAYS:
        return
    gaps = [(later - earlier).days for earlier, later in zip(days, days[1:], strict=False)]
    usual = timedelta(days=quantiles(gaps, n=10)[-1])  # nine gaps of ten are shorter
    limit = max(USUAL_TIMES * usual, SHORTEST_UNPUBLISHED)
    quiet = asked - days[-1]
    if quiet > limit:
        note = f"nothing published since {days[-1]}"
        yield _alert(source, "silent", quiet / DAY, limit / DAY, days[-1], note)


def _usual_gap(moments: Sequence[datetime]) -> timedelta | None:
    """The median time between two runs that brought something; None for fewer than four of them."""
    if len(moments) < 4:
        return None
    pairs = zip(moments, moments[1:], strict=False)
    return timedelta(seconds=median((later - earlier).total_seconds() for later, earlier in pairs))


def _alert(source: str, what: str, observed: float, bound: float, began: date, note: str) -> Alert:
    year, week, _ = began.isocalendar()
    return Alert(
        brand="",
        signal=f"{PREFIX}{what}:{source}",
        period=f"{year}-W{week:02d}",
        observed=round(observed, 1),
        expected=0.0,
        bound=round(bound, 1),
        posts=0,
        authors=0,
        repost_share=0.0,
        note=note[:500],
    )

"""Sources that have been silent, blocked or changed for longer than usual."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from statistics import median

from raccroche.post import Run
from raccroche.store import Alert, Store

FAILED_RUNS = 2  # in a row
USUAL_TIMES = 5  # a gap this many times the usual one is a silence
SHORTEST_SILENCE = timedelta(days=3)
PREFIX = "source:"


def silent_sources(store: Store, today: date) -> list[Alert]:
    """An alert for each source whose last runs failed, or that gave nothing new for too long."""
    return [
        alert
        for source in store.last_runs()
        for alert in _of_source(source, store.runs(limit=200, source=source), today)
    ]


def _of_source(source: str, runs: Sequence[Run], today: date) -> Iterator[Alert]:
    """*runs* newest first."""
    failed = next((n for n, run in enumerate(runs) if run.verdict.ok), len(runs))
    if failed >= FAILED_RUNS:
        yield _alert(source, str(runs[0].verdict), failed, FAILED_RUNS - 1, today, runs[0].message)
        return
    fruitful = [run.started_at for run in runs if run.new > 0]
    usual = _usual_gap(fruitful)
    if usual is None:
        return
    quiet = runs[0].started_at - fruitful[0]
    limit = max(USUAL_TIMES * usual, SHORTEST_SILENCE)
    if quiet > limit:
        days, most = quiet / timedelta(days=1), limit / timedelta(days=1)
        yield _alert(source, "silent", days, most, today, f"nothing new for {days:.1f} days")


def _usual_gap(moments: Sequence[datetime]) -> timedelta | None:
    """The median time between two runs that brought something; None for fewer than four of them."""
    if len(moments) < 4:
        return None
    pairs = zip(moments, moments[1:], strict=False)
    return timedelta(seconds=median((later - earlier).total_seconds() for later, earlier in pairs))


def _alert(source: str, what: str, observed: float, bound: float, today: date, note: str) -> Alert:
    year, week, _ = today.isocalendar()
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

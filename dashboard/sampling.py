"""Which posts people should read: drawn at random, or those a model is least sure of."""

import datetime as dt
import random
from collections import Counter
from heapq import nsmallest

from raccroche.store import Filters, PostRow, Store

LOOKED_AT = 20_000  # the newest posts among which uncertain ones are sought
RECENT = dt.timedelta(days=180)


def random_posts(
    store: Store, filters: Filters, many: int, *, seed: int | None = None
) -> list[str]:
    """
    Ids of *many* dated posts, each as likely as any other; copies left out.

    Days are drawn with the number of their posts, then posts within their day, so that the cost
    follows the days drawn and not the posts of the store.
    """
    draw = random.Random(seed)
    counts = store.daily_counts(filters, by=("day",))
    days = [day.date() for day in counts["period"]]
    weights = [int(n) for n in counts["mentions"]]
    many = min(many, sum(weights))
    if not many:
        return []
    wanted = Counter(draw.sample(days, many, counts=weights))
    chosen: list[str] = []
    for day, n in sorted(wanted.items()):
        ids = [row.post.id for row in store.iterate(_on(filters, day))]
        chosen += draw.sample(ids, min(n, len(ids)))
    draw.shuffle(chosen)
    return chosen


def uncertain_posts(store: Store, filters: Filters, many: int) -> list[str]:
    """Ids of the *many* recent posts whose probability of harassment is nearest to one half."""
    last = max((one.last_day for one in store.sources_seen() if one.last_day), default=None)
    if last is None:
        return []
    rows: list[tuple[float, str]] = []
    recent = Filters(labeller=filters.labeller, start=last - RECENT, end=last)
    for row in store.iterate(recent):
        doubt = _doubt(row)
        if doubt is not None:
            rows.append((doubt, row.post.id))
        if len(rows) >= LOOKED_AT:
            break
    return [post_id for _, post_id in nsmallest(many, rows)]


def _doubt(row: PostRow) -> float | None:
    probability = row.labels.probabilities.get("phone_harassment") if row.labels else None
    return None if probability is None else abs(probability - 0.5)


def _on(filters: Filters, day: dt.date) -> Filters:
    return Filters(labeller=filters.labeller, start=day, end=day)

"""Which labels stand together in one post: pairs, counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations

import pandas as pd

from dashboard import intervals, words
from dashboard.words import tr

MOST = 12  # labels in the map, the most frequent ones
COLUMNS = ["brand", "name", "term", "title", "n", "total", "share", "said"]


def pairs(found: Iterable[Sequence[str]], title: Callable[[str], str]) -> pd.DataFrame:
    """
    Rows as `charts.heat_map` reads them: of the posts with the label *name*, how many have *title*.

    *found*: the labels of each post. No share under 20 posts with the label.
    """
    posts = [sorted(set(one)) for one in found]
    totals = Counter(label for labels in posts for label in labels)
    both = Counter(pair for labels in posts for pair in permutations(labels, 2))
    shown = [label for label, _ in totals.most_common(MOST)]
    rows = [
        (first, title(first), second, title(second), both[first, second], totals[first])
        for first, second in permutations(shown, 2)
    ]
    return _with_shares(pd.DataFrame(rows, columns=COLUMNS[:6]))


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    enough = table["total"] >= intervals.FEW_FOR_PERCENT
    table["share"] = (table["n"] / table["total"]).where(enough)
    table["said"] = [
        f"{words.number(n)} {tr('sur', 'of')} {words.number(total)}"
        + ("" if pd.isna(share) else f" ({words.percent(share, 0)})")
        for n, total, share in table[["n", "total", "share"]].itertuples(index=False, name=None)
    ]
    return table


def strongest(table: pd.DataFrame, many: int = 3) -> pd.DataFrame:
    """The pairs met most often, each once."""
    once = table[table["brand"] < table["term"]]
    return once[once["n"] > 0].sort_values("n", ascending=False).head(many)

"""Which classes of numbers posts declare, by brand and over time: from the store’s counts."""

from collections.abc import Sequence

import pandas as pd

from dashboard import intervals, words
from raccroche import reference

NOT_SHOWN = "unknown"  # a number is told of, without its class


def title(name: str) -> str:
    """The name of a class of numbers; the id itself for one that the reference lacks."""
    try:
        return reference.title(name, words.language())
    except KeyError:
        return name


def by_period(counts: pd.DataFrame, periods: pd.DatetimeIndex, step: str) -> pd.DataFrame:
    """
    Rows (period, term, title, n, words): accusations that name a number of the class.

    *counts* are those of the store by (step, number_class).
    """
    order = classes(counts)
    grid = pd.MultiIndex.from_product([periods, order], names=["period", "term"])
    own = counts[counts["number_class"].isin(order)]
    summed = own.groupby(["period", "number_class"])["harassment"].sum()
    summed.index = summed.index.set_names(["period", "term"])
    table = summed.reindex(grid, fill_value=0).rename("n").reset_index()
    table["title"] = table["term"].map(title)
    table["words"] = [words.period(day.date(), step) for day in table["period"]]
    return table


def classes(counts: pd.DataFrame) -> list[str]:
    """The classes that occur in accusations, the most frequent first."""
    totals = counts.groupby("number_class")["harassment"].sum().sort_values(ascending=False)
    return [str(name) for name, n in totals.items() if n > 0]


def by_brand(
    counts: pd.DataFrame, totals: pd.DataFrame, brands: Sequence[str], names: dict[str, str]
) -> pd.DataFrame:
    """
    Rows as `charts.heat_map` reads them: each class within the accusations of each brand.

    *counts* by (brand, number_class), *totals* by brand. No share under 20 accusations.
    """
    total = totals.set_index("brand")["harassment"].reindex(list(brands), fill_value=0)
    order = classes(counts[counts["brand"].isin(brands)])
    n = counts.set_index(["brand", "number_class"])["harassment"]
    rows = []
    for brand in brands:
        for term in order:
            many = int(n.get((brand, term), 0))
            of = int(total[brand])
            enough = of >= intervals.FEW_FOR_PERCENT
            share = many / of if enough else float("nan")
            rows.append(
                {
                    "brand": brand,
                    "name": names[brand],
                    "term": term,
                    "title": title(term),
                    "n": many,
                    "total": of,
                    "share": share,
                    "said": f"{words.number(many)} / {words.number(of)}"
                    + (f" ({words.percent(share, 0)})" if enough else ""),
                }
            )
    columns = ["brand", "name", "term", "title", "n", "total", "share", "said"]
    return pd.DataFrame(rows, columns=columns)


def rotation(counts: pd.DataFrame, totals: pd.DataFrame, brands: Sequence[str]) -> pd.DataFrame:
    """
    Rows (name, n, total, share, low, high, few) a brand: accusations that tell of changing numbers.

    *counts*: of the signal, by brand; *totals*: of all accusations, by brand.
    """
    hits = counts.set_index("brand")["harassment"].reindex(list(brands), fill_value=0)
    total = totals.set_index("brand")["harassment"].reindex(list(brands), fill_value=0)
    table = pd.DataFrame({"name": list(brands), "n": hits.to_numpy(), "total": total.to_numpy()})
    bounds = intervals.share_bounds(table["n"], table["total"])
    table["few"] = table["total"] < intervals.FEW_FOR_PERCENT
    table[["value", "low", "high"]] = bounds.mask(table["few"])
    return table


def plan() -> pd.DataFrame:
    """The numbering plan by class: class, prefixes (a few), since, meaning."""
    rows = pd.DataFrame(
        [
            {
                "class": one.number_class,
                "prefix": one.prefix,
                "meaning": one.meaning_fr if words.language() == "fr" else one.meaning_en,
            }
            for one in reference.numbering()
        ]
    )
    grouped = rows.groupby(["class", "meaning"], sort=False)["prefix"].agg(_prefixes)
    table = grouped.reset_index()
    table["class"] = table["class"].map(title)
    return table


def _prefixes(found: pd.Series) -> str:
    shown = sorted({str(one) for one in found})
    return ", ".join(shown[:14]) + (", …" if len(shown) > 14 else "")

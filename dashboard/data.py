"""What the views may read: the only place that caches, keyed on the version of the data."""

import datetime as dt
import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard import intervals, series, words
from dashboard.intervals import Interval
from dashboard.kept import kept
from dashboard.selection import Selection, step_of
from raccroche import config as configuration
from raccroche import reference
from raccroche.config import Config
from raccroche.errors import StoreError
from raccroche.post import Run
from raccroche.store import (
    UNKNOWN_BRAND,
    Alert,
    ExportRecord,
    Fact,
    Filters,
    Labeller,
    PostDetail,
    PostsPage,
    Store,
    StoreStatus,
    Totals,
    counts,
)
from raccroche.store.tables import ANY_BRAND

PARIS = ZoneInfo("Europe/Paris")
FACTS = 2_000  # newest accusations whose declared facts are read
MEASURED = 15_000  # mentions from which the effect of repeated authors is measured
KEPT = 64  # answers of each kind that stay in memory
PATIENCE = 1.0  # seconds to find out that another process keeps the database to itself


@dataclass(frozen=True, slots=True)
class Known:
    """What the database can be asked about; days are None without dated posts."""

    labellers: tuple[str, ...]
    brands: tuple[str, ...]
    families: tuple[str, ...]
    sources: tuple[str, ...]
    platforms: tuple[str, ...]
    first_day: dt.date | None
    last_day: dt.date | None
    posts: int


def today() -> dt.date:
    """The day in Paris."""
    return dt.datetime.now(PARIS).date()


# configuration and store


def settings() -> Config:
    """config.toml, read again when it changes. Raises ConfigError."""
    path = configuration.default_path()
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return _settings(str(path), stamp)


@kept(4)
def _settings(path: str, stamp: int) -> Config:
    return configuration.load(Path(path))


def exists() -> bool:
    """Whether there is a database to open: a look must not create one."""
    url = settings().store_url
    if not url.startswith("sqlite"):
        return "://" in url or Path(url).exists()
    return Path(url.removeprefix("sqlite:///")).exists()


def store() -> Store:
    """The store of this installation, opened once for all sessions. Raises StoreError."""
    return _store(settings().store_url)


@kept(2)
def _store(url: str) -> Store:
    # what was loaded so far stays loaded: looking it through for garbage takes a quarter of a
    # second, in the middle of a page
    gc.collect()
    gc.freeze()
    try:
        Store.open(url, timeout=PATIENCE).close()  # a lock is told in seconds; writes wait longer
        return Store.open(url)
    except StoreError as why:  # locked or not ours to write: still worth reading
        try:
            return Store.open(url, read_only=True, timeout=PATIENCE)
        except StoreError:  # of an older release: what keeps it from being brought up to date
            raise why from None


def _key() -> tuple[str, int]:
    """What every cached answer depends on."""
    return store().url, store().data_version()


# what there is


def known() -> Known:
    return _known(*_key())


@kept(KEPT)
def _known(url: str, version: int) -> Known:
    found = labellers()
    sources = store().sources_seen()
    names: dict[str, str | None] = {}
    for labeller in found:
        names |= {seen.brand: seen.family for seen in store().brands_seen(labeller.name)}
    days = [day for source in sources for day in (source.first_day, source.last_day) if day]
    return Known(
        labellers=tuple(one.name for one in found),
        brands=tuple(sorted(names, key=str.casefold)),
        families=tuple(sorted({family for family in names.values() if family})),
        sources=tuple(one.source for one in sources),
        platforms=tuple(sorted({one.platform for one in sources})),
        first_day=min(days, default=None),
        last_day=min(max(days), today()) if days else None,
        posts=sum(one.posts for one in sources),
    )


def labellers() -> list[Labeller]:
    """Models before people, newest first: the first is shown unless another is asked for."""
    return sorted(store().labellers(), key=lambda one: one.human)


def watched() -> tuple[str, ...]:
    """The brands of the daily page: those of [watch] that were met, else the most mentioned."""
    present = known().brands
    chosen = tuple(name for name in settings().watch.brands if name in present)
    return chosen or most_mentioned(known().labellers[0])


def is_company(brand: str) -> bool:
    """Not a public service or a watchdog, which posts name and seldom accuse."""
    known_brand = reference.brand(brand)
    return known_brand is None or known_brand.sector != "public"


@kept(KEPT)
def _most_mentioned(url: str, version: int, labeller: str) -> tuple[str, ...]:
    return tuple(seen.brand for seen in store().brands_seen(labeller))


def most_mentioned(labeller: str, many: int = 7) -> tuple[str, ...]:
    return _most_mentioned(*_key(), labeller)[:many]


def family_of(brand: str) -> str | None:
    """The family that a brand belongs to today, from our table or the user's."""
    mine = {one.name: one.family for one in settings().brands}
    known_brand = reference.brand(brand)
    return mine.get(brand) or (known_brand.family if known_brand else None)


def display(brand: str) -> str:
    """The name of a brand on screen."""
    known_brand = reference.brand(brand)
    return known_brand.display if known_brand else brand


# counts


def daily_counts(filters: Filters, by: Sequence[str] = ("week", "brand")) -> pd.DataFrame:
    step = _shared_step(filters, by)
    if step is None:
        return _daily_counts(*_key(), filters, tuple(by))
    return _part(_crossed_counts(*_key(), replace(filters, brands=()), step), filters, by)


def _shared_step(filters: Filters, by: Sequence[str]) -> str | None:
    """
    The step by which all of a page’s questions about these filters are answered at once.

    Filters that the count tables do not hold are counted from the posts: one reading, not four.
    None: the question is answered by itself.
    """
    if filters.families or not counts.crossed(filters):
        return None
    if filters.start is None or filters.end is None or set(by) - {"brand", *counts.PERIODS}:
        return None
    usual = step_of((filters.end - filters.start).days + 1)
    return next((key for key in by if key in counts.PERIODS), usual)


@kept(KEPT)
def _crossed_counts(url: str, version: int, filters: Filters, step: str) -> pd.DataFrame:
    return store().daily_counts(filters, (step, "brand"), whole=True)


def _part(every: pd.DataFrame, filters: Filters, by: Sequence[str]) -> pd.DataFrame:
    """What `Store.daily_counts` answers, of a table by period and brand with rows of ANY_BRAND."""
    if filters.brands:
        own = every[every["brand"].isin(filters.brands)]
    else:
        own = every[(every["brand"] == ANY_BRAND) != ("brand" in by)]
    keys = ["period" if key in counts.PERIODS else key for key in by]
    measures = list(counts.MEASURES)
    if not keys:
        return own[measures].sum().to_frame().T
    return own.groupby(keys, as_index=False, sort=True)[measures].sum()


@kept(KEPT)
def _daily_counts(url: str, version: int, filters: Filters, by: tuple[str, ...]) -> pd.DataFrame:
    return store().daily_counts(filters, by)


def totals(filters: Filters) -> Totals:
    """
    The selection in a few numbers, from the count tables.

    Where several brands are chosen, all of them count pairs (post, brand): a post that names two of
    them counts for each, in the numerator and in the denominator.
    """
    row = daily_counts(filters, by=())
    found = {name: int(row[name].sum()) for name in row.columns}
    return Totals(posts=found["mentions"], **found)


def posts_and_harassment(filters: Filters) -> tuple[int, int]:
    """The first two numbers of `totals`, for a period of which nothing else is asked."""
    row = _daily_counts(*_key(), filters, ())
    return int(row["mentions"].sum()), int(row["harassment"].sum())


def cluster_counts(filters: Filters) -> pd.DataFrame:
    return _cluster_counts(*_key(), filters)


@kept(KEPT)
def _cluster_counts(url: str, version: int, filters: Filters) -> pd.DataFrame:
    return store().cluster_counts(filters)


def author_counts(filters: Filters, by: Sequence[str] = ("week", "brand")) -> pd.DataFrame:
    return _author_counts(*_key(), filters, tuple(by))


@kept(KEPT)
def _author_counts(url: str, version: int, filters: Filters, by: tuple[str, ...]) -> pd.DataFrame:
    return store().author_counts(filters, by)


def coverage(start: dt.date, end: dt.date) -> pd.DataFrame:
    return _coverage(*_key(), start, end)


@kept(KEPT)
def _coverage(url: str, version: int, start: dt.date, end: dt.date) -> pd.DataFrame:
    return store().coverage(start, end)


def strip(start: dt.date, end: dt.date) -> pd.DataFrame:
    """What was collected of each source, as stretches: rows of `series.strip`."""
    return _strip(*_key(), start, end, words.language())


@kept(KEPT)
def _strip(url: str, version: int, start: dt.date, end: dt.date, language: str) -> pd.DataFrame:
    return series.strip(coverage(start, end))


def facts(filters: Filters, limit: int = FACTS) -> list[Fact]:
    """
    What authors who accuse the brands chosen, or anybody, declare: numbers, hours, how often.
    """
    return _facts(*_key(), replace(filters, harassment_only=True), limit)


@kept(KEPT)
def _facts(url: str, version: int, filters: Filters, limit: int) -> list[Fact]:
    return store().facts(filters, limit, accused=False)


# posts


def posts(
    filters: Filters, *, words: str = "", size: int = 25, after: str | None = None
) -> PostsPage:
    """A page of posts, newest first; of those that hold *words* where there are any."""
    return _posts(*_key(), filters, words, size, after)


@kept(KEPT)
def _posts(
    url: str, version: int, filters: Filters, words: str, size: int, after: str | None
) -> PostsPage:
    if words:
        return store().search(words, filters, size=size, after=after)
    return store().posts(filters, size=size, after=after)


def post(post_id: str) -> PostDetail | None:
    return store().post(post_id)


# the rest is small, and must be fresh


def alerts(*, state: str | None = None, limit: int = 200) -> list[Alert]:
    return store().alerts(state=state, limit=limit)


def runs(limit: int = 100, *, source: str | None = None) -> list[Run]:
    return store().runs(limit, source=source)


def last_runs() -> dict[str, Run]:
    return store().last_runs()


def exports(limit: int = 100) -> list[ExportRecord]:
    return store().exports(limit)


def status() -> StoreStatus:
    return store().status()


# figures of a selection


def rates(chosen: Selection, brands: Sequence[str] = ()) -> dict[str, Interval]:
    """
    Each brand's share of harassment in its own mentions; brands with too few are left out.

    Intervals know that authors write several posts. How much that widens them is measured on the
    newest MEASURED mentions: the cost does not grow with the number of posts.
    """
    return _rates(*_key(), chosen, tuple(brands))


@kept(KEPT)
def _rates(
    url: str, version: int, chosen: Selection, brands: tuple[str, ...]
) -> dict[str, Interval]:
    plain = quick_rates(chosen, brands)
    if not plain:
        return plain
    # testimonies are told from other mentions only after reading them: all mentions are reckoned
    read = chosen.filters(brands=tuple(plain), testimony_only=False)
    counts = daily_counts(read, by=("brand",))
    part = min(MEASURED / max(int(counts["mentions"].sum()), 1), 1.0)
    start = chosen.end - dt.timedelta(max(round(chosen.days * part), 1) - 1)
    clusters = cluster_counts(chosen.filters(brands=tuple(plain), start=start))
    samples = {str(brand): rows for brand, rows in clusters.groupby("brand")}
    return {
        brand: intervals.inflated(rate, samples[brand]) if brand in samples else rate
        for brand, rate in plain.items()
    }


def quick_rates(chosen: Selection, brands: Sequence[str] = ()) -> dict[str, Interval]:
    """The same from the count tables, with Wilson's intervals: at once, for any number."""
    counts = daily_counts(chosen.filters(brands=tuple(brands) or chosen.brands), by=("brand",))
    enough = (counts["brand"] != UNKNOWN_BRAND) & (counts["mentions"] >= intervals.FEW_FOR_PERCENT)
    own = counts[enough]
    bounds = intervals.share_bounds(own["harassment"], own["mentions"])
    return {
        str(brand): Interval(float(value), float(low), float(high))
        for brand, value, low, high in zip(
            own["brand"], bounds["value"], bounds["low"], bounds["high"], strict=True
        )
    }


def covered(chosen: Selection) -> pd.Series:
    """The share of what was to be collected that was, by period of the selection."""
    return _covered(*_key(), chosen.start, chosen.end, chosen.step)


@kept(KEPT)
def _covered(url: str, version: int, start: dt.date, end: dt.date, step: str) -> pd.Series:
    return series.coverage_by_period(coverage(start, end), start, end, step)


def series_of(chosen: Selection, brands: Sequence[str]) -> pd.DataFrame:
    """Each brand over the selection's time: rows of `series.by_period`."""
    return _series_of(*_key(), chosen, tuple(brands), today())


@kept(KEPT)
def _series_of(
    url: str, version: int, chosen: Selection, brands: tuple[str, ...], now: dt.date
) -> pd.DataFrame:
    counts = daily_counts(chosen.filters(brands=brands), by=(chosen.step, "brand"))
    return series.by_period(counts, covered(chosen), brands, step=chosen.step, today=now)

"""The numbers behind every chart, from the count tables wherever they can answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, union_all

from raccroche.errors import StoreError
from raccroche.store.records import BrandSeen, Filters, SourceSeen, Totals
from raccroche.store.rows import LAST_ARRIVAL, date_of, day_number, labeller_number
from raccroche.store.selection import (
    LABELLED,
    NO_MATTER,
    Scope,
    accuses,
    brand_numbers,
    conditions,
    leading,
    marked_again,
    marked_posts,
    mention_conditions,
    own_conditions,
    rare,
    scope_of,
    source_numbers,
    term_numbers_of,
)
from raccroche.store.tables import (
    ALL,
    CELLS,
    SENTIMENTS,
    UNDATED,
    UNKNOWN_BRAND_N,
    brands,
    counts,
    labels,
    marks,
    mentions,
    pair,
    posts,
    sources,
    terms,
)
from raccroche.store.tally import testimony

if TYPE_CHECKING:
    import pandas as pd

PERIODS = ("day", "week", "month")
TERM_KINDS = ("topic", "signal", "relation", "number_class")
MEASURES = (
    "mentions",
    "harassment",
    "testimonies",
    "harassment_testimonies",
    *SENTIMENTS,
)
_KEYS = (*PERIODS, "brand", "family", "source", "platform", *TERM_KINDS)
_THURSDAY = 3  # 1970-01-01 was one: weeks begin on the Monday before


def daily_counts(
    conn: Connection, filters: Filters, by: Sequence[str], *, whole: bool = False
) -> "pd.DataFrame":
    """
    See the package docstring: one row a cell that is not zero.

    *whole*, where *by* has `brand` and no brand is asked for: rows of ANY_BRAND count each post
    once, in the same reading.
    """
    _check(by)
    scope = scope_of(conn, filters)
    if scope is None:
        return _shape(_Cells((), [], None), by, {}, filters)
    names = _names(conn, by, scope)
    if not crossed(filters, by):
        return _shape(_from_counts(conn, filters, by, whole=whole), by, names, filters)
    several = _several(filters, by)
    if filters.with_copies or len(several) != 1 or _depth(filters, by) > _held(filters, by):
        return _shape(_from_rows(conn, filters, scope, by, whole=whole), by, names, filters)
    added = _from_counts(conn, filters, by, whole=whole, once=False)
    again = _from_rows(conn, filters, scope, by, again=several[0], whole=whole).negative()
    if "month" not in by:  # months are named otherwise in the count tables
        return _shape(_joined([added, again]), by, names, filters)
    return _summed((_shape(one, by, names, filters) for one in (added, again)), by)


def _summed(parts: Iterable["pd.DataFrame"], by: Sequence[str]) -> "pd.DataFrame":
    """The cells of several tables added up."""
    import pandas as pd

    columns = ["period" if key in PERIODS else key for key in by]
    grouped = pd.concat(parts, ignore_index=True).groupby(
        columns, as_index=False, sort=True, dropna=False
    )
    found = grouped[list(MEASURES)].sum()
    return found[found["mentions"] != 0].reset_index(drop=True)


def _check(by: Sequence[str]) -> None:
    unknown = [key for key in by if key not in _KEYS]
    if unknown:
        raise StoreError(f"counts go by {', '.join(_KEYS)}; not by {unknown[0]!r}")
    for kinds in (PERIODS, TERM_KINDS):
        if len([key for key in by if key in kinds]) > 1:
            raise StoreError(f"counts go by one of {', '.join(kinds)} at a time")


def crossed(filters: Filters, by: Sequence[str] = ()) -> bool:
    """
    Whether the question crosses more terms than the count tables hold: then posts are read.
    """
    depth, held = _depth(filters, by), _held(filters, by)
    if filters.with_copies or depth > held:
        return True
    several = _several(filters, by)
    if not several:
        return False
    # of two terms, the posts that hold both are in the tables, and taken from the sum of the two
    return depth > 1 or held < 2 or len(filters.terms[several[0]]) > 2


def _held(filters: Filters, by: Sequence[str]) -> int:
    """How many terms at once the count tables tell apart: two, but one in each place."""
    placed = filters.sources or filters.platforms or "source" in by or "platform" in by
    return 1 if placed else 2


def _depth(filters: Filters, by: Sequence[str]) -> int:
    """How many terms of a post the question looks at together."""
    return len(_kinds(filters, by))


def _kinds(filters: Filters, by: Sequence[str]) -> set[str]:
    return filters.terms.keys() | {key for key in by if key in TERM_KINDS}


def _several(filters: Filters, by: Sequence[str]) -> list[str]:
    """The kinds of which a post may hold several terms asked for, and counts once all the same."""
    return [
        kind
        for kind, names in filters.terms.items()
        if len(names) > 1 and kind != "relation" and kind not in by
    ]


def _from_counts(
    conn: Connection,
    filters: Filters,
    by: Sequence[str],
    *,
    undated: bool = False,
    whole: bool = False,
    once: bool = True,
) -> "_Cells":
    """*once* False: posts that hold several terms asked for are counted for each."""
    added, taken = _term_rows(conn, filters, by)
    more = _sums(conn, filters, by, added, undated=undated, whole=whole)
    if not taken or not once:
        return more
    less = _sums(conn, filters, by, taken, undated=undated, whole=whole)
    return _joined([more, less.negative()])


def _sums(
    conn: Connection,
    filters: Filters,
    by: Sequence[str],
    term_rows: list[int],
    *,
    undated: bool,
    whole: bool,
) -> "_Cells":
    labeller_n = labeller_number(conn, filters.labeller)
    keys = _count_keys(
        by, counts.c.day, counts.c.month, counts.c.brand_n, counts.c.source_n, counts.c.term_n
    )
    query = select(
        *keys, *(func.coalesce(func.sum(counts.c[cell]), 0).label(cell) for cell in CELLS)
    )
    query = query.where(
        counts.c.labeller_n == labeller_n,
        counts.c.term_n.in_(term_rows),
        counts.c.source_n.in_(_source_rows(conn, filters, by)),
        counts.c.brand_n.in_(_brand_rows(conn, filters, by, whole=whole)),
        *([counts.c.day == UNDATED] if undated else _days(filters, counts.c.day)),
    )
    return _whole(conn.execute(query.group_by(*keys)).all(), len(keys))


def _term_rows(
    conn: Connection, filters: Filters, by: Sequence[str]
) -> tuple[list[int], list[int]]:
    """The terms, or pairs of them, whose rows add up to the answer, and those to take from it."""
    found = [
        term_numbers_of(conn, kind, filters.terms.get(kind, ())) for kind in _kinds(filters, by)
    ]
    if not found:
        return [ALL], []
    if len(found) == 1:
        again = combinations(found[0], 2) if _several(filters, by) else ()
        return found[0], [pair(*both) for both in again]
    return [pair(*both) for both in product(*found)], []


def _source_rows(conn: Connection, filters: Filters, by: Sequence[str]) -> list[int]:
    found = source_numbers(conn, filters)
    if found is not None:
        return found
    if "source" in by or "platform" in by:
        return list(conn.execute(select(sources.c.n)).scalars())
    return [ALL]


def _brand_rows(
    conn: Connection, filters: Filters, by: Sequence[str], *, whole: bool = False
) -> Any:
    found = brand_numbers(conn, filters)
    if found is not None:
        return found
    if "brand" in by or "family" in by:
        return select(brands.c.n) if whole else select(brands.c.n).where(brands.c.n != ALL)
    return [ALL]


def _days(filters: Filters, day: ColumnElement[int]) -> list[ColumnElement[bool]]:
    low = UNDATED + 1 if filters.start is None else day_number(filters.start)
    found = [day >= low]
    if filters.end is not None:
        found.append(day <= day_number(filters.end))
    return found


def _count_keys(
    by: Sequence[str],
    day: ColumnElement[int],
    month: ColumnElement[int] | None,
    brand_n: ColumnElement[int],
    source_n: ColumnElement[int],
    term_n: ColumnElement[int],
) -> list[Any]:
    """The columns to group by, each labelled as `_shape` expects it."""
    keys: list[Any] = []
    for key in by:
        if key == "week":
            keys.append((day - (day + _THURSDAY) % 7).label("period"))
        elif key in PERIODS:
            coarse = key == "month" and month is not None
            keys.append(
                (month if coarse and month is not None else day).label(
                    "month" if coarse else "period"
                )
            )
        elif key in TERM_KINDS:
            keys.append(term_n.label("term_n"))
        else:
            column = brand_n if key in ("brand", "family") else source_n
            label = "brand_n" if key in ("brand", "family") else "source_n"
            if all(found.name != label for found in keys):
                keys.append(column.label(label))
    return keys


def _from_rows(
    conn: Connection,
    filters: Filters,
    scope: Scope,
    by: Sequence[str],
    *,
    again: str | None = None,
    whole: bool = False,
) -> "_Cells":
    """
    The same rows counted from the posts themselves: exact for any filter, and as slow as there are
    posts.

    *again*: only what sums over the terms of this kind count more than once. The index of marks
    tells which posts hold several of them; no others are read.
    """
    kind = next((key for key in by if key in TERM_KINDS), None)
    led = _led(scope, again)
    units = func.count() if again is None else func.sum(led.c.times)
    few = rare(conn, scope) if led is None else NO_MATTER
    queries: list[Select[Any]] = []
    units_of = _row_units(scope, by, led=led, whole=whole)
    for unit, brand_n, sentiment, harassment, extra in units_of:
        term_n: ColumnElement[int] = marks.c.term_n if kind else literal(ALL)
        keys = _count_keys(by, posts.c.day, None, brand_n, posts.c.source_n, term_n)
        cell = sentiment + 3 * _as_int(harassment) + 6 * _as_int(testimony())
        start = _with_marks(unit, scope) if kind else unit
        query = select(*keys, cell.label("cell"), units.label("units")).select_from(start)
        query = query.where(*extra, few, posts.c.day != UNDATED)
        if kind:
            query = query.where(
                marks.c.term_n.in_(term_numbers_of(conn, kind, filters.terms.get(kind, ())))
            )
        queries.append(query.group_by(*keys, cell))
    return _spread(conn.execute(_one(queries)).all())


def _led(scope: Scope, again: str | None) -> Any:
    """The numbers of the posts that hold the terms asked for; None where none are."""
    if again is not None:
        return marked_again(scope, again).cte("led")
    return marked_posts(scope).cte("led") if scope.terms else None


def _one(queries: Sequence[Select[Any]]) -> Any:
    """Several readings as one: what they start from is then found once."""
    return queries[0] if len(queries) == 1 else union_all(*queries)


def _with_marks(unit: Any, scope: Scope) -> Any:
    # + 0: SQLite shall look up the marks of a post, not go through all marks of the period for it
    own = (marks.c.post_n == posts.c.n + 0) & (marks.c.labeller_n == scope.labeller_n)
    return unit.join(marks, own)


def _as_int(flag: Any) -> Any:
    from sqlalchemy import case

    return case((flag, 1), else_=0)


def _row_units(
    scope: Scope, by: Sequence[str], *, led: Any = None, whole: bool = False
) -> list[tuple[Any, Any, Any, Any, list[ColumnElement[bool]]]]:
    """
    The units to count: (from, brand number, sentiment, harassment, conditions).

    *led*: numbers of posts from which the query starts, which already know the period and terms.
    """
    if led is not None:  # asked again, SQLite would walk all posts of the period
        scope = replace(scope, terms={}, low=None, high=None)
    common = conditions(scope, own=False)
    of_post = [*common, *own_conditions(scope)]
    posts_of = LABELLED if led is None else led.join(LABELLED, posts.c.n == led.c.post_n)
    each = (posts_of, literal(ALL), labels.c.sentiment, labels.c.harassment, of_post)
    if not ("brand" in by or "family" in by or scope.brands is not None):
        return [each]
    # whose mentions is asked once, by `mention_conditions`: here it would send SQLite through all
    own = [*common, *mention_conditions(scope, led=led is not None)]
    joined = LABELLED.join(mentions, mentions.c.post_n == posts.c.n)
    if led is not None:  # + 0: only posts whose mention is wanted are read
        joined = led.join(mentions, mentions.c.post_n == led.c.post_n).join(
            LABELLED, posts.c.n == mentions.c.post_n + 0
        )
    named = (joined, mentions.c.brand_n, mentions.c.sentiment, mentions.c.harassment, own)
    if scope.brands is not None and not scope.unknown_brand:
        return [named]
    nobody = [*of_post, labels.c.harassment, ~accuses(scope)]
    unknown = (
        posts_of,
        literal(UNKNOWN_BRAND_N),
        labels.c.sentiment,
        labels.c.harassment,
        nobody,
    )
    return [named, unknown, *([each] if whole else [])]


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows of counts: the names of their keys, the keys, and units in an array (rows, cells)."""

    names: tuple[str, ...]
    keys: list[tuple[Any, ...]]
    units: Any

    def negative(self) -> "_Cells":
        return _Cells(self.names, self.keys, -self.units)


def _whole(found: Sequence[Any], width: int) -> _Cells:
    """Rows of (keys, twelve cells)."""
    import numpy as np

    names = tuple(found[0]._fields[:width]) if found else ()
    units = np.array([row[width:] for row in found], dtype="int64").reshape(-1, len(CELLS))
    return _Cells(names, [row[:width] for row in found], units)


def _spread(found: Sequence[Any]) -> _Cells:
    """Rows of (keys, cell, units): one unit a row is in its cell, the others are 0."""
    import numpy as np

    width = len(found[0]) - 2 if found else 0
    names = tuple(found[0]._fields[:width]) if found else ()
    units = np.zeros((len(found), len(CELLS)), dtype="int64")
    units[np.arange(len(found)), [row[width] for row in found]] = [row[width + 1] for row in found]
    return _Cells(names, [row[:width] for row in found], units)


def _joined(found: Sequence[_Cells]) -> _Cells:
    import numpy as np

    keys = [key for one in found for key in one.keys]
    return _Cells(
        next((one.names for one in found if one.keys), ()),
        keys,
        np.concatenate([one.units for one in found]),
    )


def _names(conn: Connection, by: Sequence[str], scope: Scope) -> dict[str, dict[int, Any]]:
    """What the numbers in the rows are called; a pair of terms by the one that is not asked for."""
    found: dict[str, dict[int, Any]] = {}
    if "brand" in by or "family" in by:
        rows = conn.execute(select(brands.c.n, brands.c.name, brands.c.family)).all()
        found["brand"] = {row.n: row.name for row in rows}
        found["family"] = {row.n: row.family for row in rows}
    if "source" in by or "platform" in by:
        rows = conn.execute(select(sources.c.n, sources.c.source, sources.c.platform)).all()
        found["source"] = {row.n: row.source for row in rows}
        found["platform"] = {row.n: row.platform for row in rows}
    for kind in TERM_KINDS:
        if kind in by:
            query = select(terms.c.n, terms.c.name).where(terms.c.kind == kind)
            own = {n: name for n, name in conn.execute(query)}
            asked = [n for other in scope.terms if other != kind for n in scope.terms[other]]
            found[kind] = own | {pair(n, m): name for n, name in own.items() for m in asked}
    return found


def _shape(
    cells: "_Cells", by: Sequence[str], names: dict[str, dict[int, Any]], filters: Filters
) -> "pd.DataFrame":
    """Keys and cells as a table of keys and measures."""
    import pandas as pd

    period = next((key for key in by if key in PERIODS), None)
    columns = ["period" if key in PERIODS else key for key in by]
    if not cells.keys:
        empty = pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
        if period:
            empty["period"] = pd.Series(dtype="datetime64[s]")
        return empty.assign(**{measure: pd.Series(dtype="int64") for measure in MEASURES})
    measured = pd.DataFrame(cells.units @ _measures(filters), columns=list(MEASURES))
    if not columns:
        return measured.sum().to_frame().T
    table = pd.DataFrame(cells.keys, columns=list(cells.names))
    if period:
        measured["period"] = _dates(table, period)
    for key in by:
        if key not in PERIODS:
            number = {
                "brand": "brand_n",
                "family": "brand_n",
                "source": "source_n",
                "platform": "source_n",
            }
            measured[key] = table[number.get(key, "term_n")].map(names[key])
    grouped = measured.groupby(columns, as_index=False, sort=True, dropna=False)
    found = grouped[list(MEASURES)].sum()
    return found[found["mentions"] != 0].reset_index(drop=True)


def _dates(table: "pd.DataFrame", period: str) -> Any:
    import numpy as np
    import pandas as pd

    if "month" in table:
        months = table["month"].to_numpy(dtype="int64") - 1970 * 12
        return months.astype("datetime64[M]").astype("datetime64[s]")
    days = table["period"].to_numpy(dtype="int64").astype("datetime64[D]")
    if period == "month":
        days = days.astype("datetime64[M]")
    return pd.Series(np.asarray(days, dtype="datetime64[s]"), index=table.index)


def _measures(filters: Filters) -> Any:
    """Which cells each measure adds up, less those that the filters exclude: (cells, measures)."""
    import numpy as np

    words = {
        "harassment": ("_harassment",),
        "testimonies": ("_testimony",),
        "harassment_testimonies": ("_harassment", "_testimony"),
        **{sentiment: (sentiment,) for sentiment in SENTIMENTS},
    }
    return np.array(
        [
            [
                _wanted(cell, filters) and all(word in cell for word in words.get(measure, ()))
                for measure in MEASURES
            ]
            for cell in CELLS
        ],
        dtype="int64",
    )


def _wanted(cell: str, filters: Filters) -> bool:
    if filters.sentiments and not cell.startswith(filters.sentiments):
        return False
    if filters.harassment_only and "_harassment" not in cell:
        return False
    return not filters.testimony_only or "_testimony" in cell


def totals(conn: Connection, filters: Filters) -> Totals:
    """The selection in a few numbers."""
    units = daily_counts(conn, filters, ())
    own = {measure: int(units[measure].sum()) for measure in MEASURES}
    named = bool(filters.brands or filters.families)  # else the unit is the post already
    exact = post_total(conn, filters, pairs=own["mentions"]) if named else own["mentions"]
    if not named:
        own["mentions"] = int(daily_counts(conn, filters, ("brand",))["mentions"].sum())
    return Totals(posts=exact, undated=undated_posts(conn, Filters(filters.labeller)), **own)


def post_total(conn: Connection, filters: Filters, *, pairs: int | None = None) -> int:
    """How many posts the selection has, each once; *pairs* with a brand of it, if known already."""
    if quick_total(filters):
        return int(daily_counts(conn, filters, ())["mentions"].sum()) if pairs is None else pairs
    scope = scope_of(conn, filters)
    if scope is None:
        return 0
    if scope.brands is not None and not scope.unknown_brand and not crossed(filters):
        if pairs is None:
            pairs = int(daily_counts(conn, filters, ())["mentions"].sum())
        return pairs - _named_again(conn, scope)
    if scope.terms:
        return _marked_total(conn, scope)
    query = select(func.count()).select_from(LABELLED).where(*conditions(scope), rare(conn, scope))
    return int(conn.execute(query.where(posts.c.day != UNDATED)).scalar_one())


def _marked_total(conn: Connection, scope: Scope) -> int:
    led = marked_posts(scope).subquery("led")
    rest = replace(scope, terms={}, low=None, high=None)
    query = select(func.count()).select_from(led.join(LABELLED, posts.c.n == led.c.post_n))
    return int(conn.execute(query.where(*conditions(rest), posts.c.day != UNDATED)).scalar_one())


def _named_again(conn: Connection, scope: Scope) -> int:
    """
    How many (post, brand) pairs of the brands asked for are of a post that another pair counted.

    Posts that name one of them are never read: the index of mentions tells them.
    """
    again = (
        select(mentions.c.post_n, (func.count() - 1).label("times"))
        .where(*mention_conditions(scope))
        .group_by(mentions.c.post_n)
        .having(func.count() > 1)
        .subquery()
    )
    query = (
        select(func.coalesce(func.sum(again.c.times), 0))
        .select_from(again.join(LABELLED, posts.c.n == again.c.post_n))
        .where(*conditions(scope, own=False), posts.c.day != UNDATED)
    )
    return int(conn.execute(query).scalar_one())


def quick_total(filters: Filters) -> bool:
    """Whether the count tables know how many posts these filters leave."""
    one_brand = not filters.families and len(filters.brands) <= 1
    return one_brand and not crossed(filters)


def undated_posts(conn: Connection, filters: Filters) -> int:
    """How many posts without a date `quick_total` filters leave, their dates aside."""
    found = _from_counts(conn, replace(filters, start=None, end=None), (), undated=True)
    return int(_shape(found, (), {}, filters)["mentions"].sum())


def cluster_counts(conn: Connection, filters: Filters) -> "pd.DataFrame":
    """
    How many authors have a pair of counts: *brand*, *mentions*, *harassment*, *authors*.

    A post without an author is an author of its own. Drawing authors with replacement is drawing
    these rows by weight.
    """
    import pandas as pd

    columns = ["brand", "mentions", "harassment", "authors"]
    scope = scope_of(conn, filters)
    if scope is None:
        return pd.DataFrame(columns=columns)
    author = func.coalesce(posts.c.author_n, -posts.c.n)
    per_author = []
    led = leading(conn, scope)
    for unit, brand_n, _, harassment, extra in _row_units(scope, ("brand",), led=led):
        query = select(
            brand_n.label("brand_n"),
            author.label("author"),
            _as_int(harassment).label("harassment"),
        ).select_from(unit)
        per_author.append(query.where(*extra))
    units = per_author[0].union_all(*per_author[1:]).subquery()
    each = (
        select(
            units.c.brand_n,
            func.count().label("mentions"),
            func.sum(units.c.harassment).label("harassment"),
        )
        .group_by(units.c.brand_n, units.c.author)
        .subquery()
    )
    query = (
        select(brands.c.name, each.c.mentions, each.c.harassment, func.count())
        .join(brands, brands.c.n == each.c.brand_n)
        .group_by(brands.c.name, each.c.mentions, each.c.harassment)
        .order_by(brands.c.name, each.c.mentions, each.c.harassment)
    )
    return pd.DataFrame([tuple(row) for row in conn.execute(query)], columns=columns)


def author_counts(conn: Connection, filters: Filters, by: Sequence[str]) -> "pd.DataFrame":
    """Distinct authors, posts, and copies left out, of the harassment in each cell of *by*."""
    import pandas as pd

    _check(by)
    columns = ["period" if key in PERIODS else key for key in by]
    own = replace(filters, harassment_only=True, with_copies=True)
    scope = scope_of(conn, own)
    kind = next((key for key in by if key in TERM_KINDS), None)
    rows = [] if scope is None else _author_rows(conn, own, scope, by, kind)
    if scope is None or not rows:
        return pd.DataFrame(columns=[*columns, "authors", "posts", "copies"])
    table = pd.DataFrame.from_records([row._mapping for row in rows])
    names = _names(conn, by, scope)
    period = next((key for key in by if key in PERIODS), None)
    if period:
        table["period"] = _dates(table, period)
    number = {"brand": "brand_n", "family": "brand_n", "source": "source_n", "platform": "source_n"}
    for key in by:
        if key not in PERIODS:
            table[key] = table[number.get(key, "term_n")].map(names[key])
    if not columns:  # one cell: everything
        many, copies = len(table), int(table["copy"].sum())
        whole = {"authors": table["author"].nunique(), "posts": many - copies, "copies": copies}
        return pd.DataFrame([whole])
    grouped = table.groupby(columns, dropna=False)
    found = grouped.agg(
        authors=("author", "nunique"), units=("author", "size"), copies=("copy", "sum")
    )
    found["posts"] = found["units"] - found["copies"]
    return found.reset_index()[[*columns, "authors", "posts", "copies"]]


def _author_rows(
    conn: Connection, filters: Filters, scope: Scope, by: Sequence[str], kind: str | None
) -> list[Any]:
    author = func.coalesce(posts.c.author_n, -posts.c.n).label("author")
    copy = _as_int(posts.c.group_n != posts.c.n).label("copy")
    rows: list[Any] = []
    led = leading(conn, scope)
    for unit, brand_n, _, harassment, extra in _row_units(scope, by, led=led):
        term_n: ColumnElement[int] = marks.c.term_n if kind else literal(ALL)
        keys = _count_keys(by, posts.c.day, None, brand_n, posts.c.source_n, term_n)
        start = unit
        if kind:
            start = _with_marks(unit, scope)
            extra = [
                *extra,
                marks.c.term_n.in_(term_numbers_of(conn, kind, filters.terms.get(kind, ()))),
            ]
        query: Select[Any] = select(*keys, author, copy).select_from(start)
        rows += conn.execute(query.where(*extra, harassment, posts.c.day != UNDATED)).all()
    return rows


def brands_seen(conn: Connection, labeller: str) -> list[BrandSeen]:
    """The brands of a labeller, the most mentioned first."""
    labeller_n = labeller_number(conn, labeller)
    everything = sum((counts.c[cell] for cell in CELLS[1:]), counts.c[CELLS[0]])
    accusing = [counts.c[cell] for cell in CELLS if "_harassment" in cell]
    mentioned = func.sum(everything)
    query = (
        select(brands.c.name, brands.c.family, mentioned, func.sum(sum(accusing[1:], accusing[0])))
        .join(counts, counts.c.brand_n == brands.c.n)
        .where(
            counts.c.labeller_n == labeller_n,
            counts.c.term_n == ALL,
            counts.c.source_n == ALL,
            counts.c.brand_n > UNKNOWN_BRAND_N,
        )
        .group_by(brands.c.name, brands.c.family)
        .having(mentioned > 0)
        .order_by(mentioned.desc(), brands.c.name)
    )
    return [
        BrandSeen(name, family, int(many), int(bad))
        for name, family, many, bad in conn.execute(query)
    ]


def sources_seen(conn: Connection) -> list[SourceSeen]:
    """The places that posts came from, with their first and last day."""
    return [
        SourceSeen(row.source, row.platform, many, *_day_span(conn, row.n))
        for row in conn.execute(select(sources).order_by(sources.c.source)).all()
        if (many := _posts_of(conn, row.n))
    ]


def _posts_of(conn: Connection, source_n: int) -> int:
    return int(conn.execute(select(func.count()).where(posts.c.source_n == source_n)).scalar_one())


def _day_span(conn: Connection, source_n: int) -> tuple[Any, Any]:
    mine = (posts.c.source_n == source_n) & (posts.c.n > LAST_ARRIVAL)
    ends = []
    for order in (posts.c.n.asc(), posts.c.n.desc()):
        day = conn.execute(
            select(posts.c.day).where(mine).order_by(order).limit(1)
        ).scalar_one_or_none()
        ends.append(None if day is None else date_of(day))
    return ends[0], ends[1]

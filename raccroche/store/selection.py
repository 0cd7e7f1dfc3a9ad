"""Filters as SQL conditions on posts, labels and mentions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    exists,
    func,
    or_,
    select,
    true,
)

from raccroche.store.records import Filters
from raccroche.store.rows import clean, labeller_number, numbers_between
from raccroche.store.tables import (
    SENTIMENTS,
    UNKNOWN_BRAND,
    brands,
    labels,
    marks,
    mentions,
    posts,
    sources,
    terms,
)
from raccroche.store.tally import countable, first_of_group, testimony

# with fewer posts under a filter they are sorted; with more, posts are walked newest first
RARE = 50_000


@dataclass(frozen=True, slots=True)
class Scope:
    """
    Filters with their names looked up; None filters nothing, an empty list excludes everything.
    """

    labeller_n: int
    low: int | None
    high: int | None
    brands: list[int] | None
    unknown_brand: bool
    sources: list[int] | None
    sentiments: list[int] | None
    terms: dict[str, list[int]]
    harassment_only: bool
    testimony_only: bool
    with_copies: bool


NO_MATTER = true()  # no filter is narrow enough to begin with


def scope_of(conn: Connection, filters: Filters) -> Scope | None:
    """The scope of filters; None for a labeller that said nothing."""
    labeller_n = labeller_number(conn, filters.labeller)
    if labeller_n is None:
        return None
    low, high = numbers_between(filters.start, filters.end)
    return Scope(
        labeller_n=labeller_n,
        low=low,
        high=high,
        brands=brand_numbers(conn, filters),
        unknown_brand=UNKNOWN_BRAND in filters.brands,
        sources=source_numbers(conn, filters),
        sentiments=_positions(filters.sentiments),
        terms={kind: term_numbers_of(conn, kind, names) for kind, names in filters.terms.items()},
        harassment_only=filters.harassment_only,
        testimony_only=filters.testimony_only,
        with_copies=filters.with_copies,
    )


def _positions(sentiments: Sequence[str]) -> list[int] | None:
    return (
        [SENTIMENTS.index(name) for name in sentiments if name in SENTIMENTS]
        if sentiments
        else None
    )


def brand_numbers(conn: Connection, filters: Filters) -> list[int] | None:
    """The numbers of the brands asked for by name and family."""
    if not filters.brands and not filters.families:
        return None
    query = select(brands.c.n)
    if filters.brands:
        query = query.where(brands.c.name.in_(map(clean, filters.brands)))
    if filters.families:
        query = query.where(brands.c.family.in_(map(clean, filters.families)))
    return list(conn.execute(query).scalars())


def source_numbers(conn: Connection, filters: Filters) -> list[int] | None:
    if not filters.sources and not filters.platforms:
        return None
    query = select(sources.c.n)
    if filters.sources:
        query = query.where(sources.c.source.in_(map(clean, filters.sources)))
    if filters.platforms:
        query = query.where(sources.c.platform.in_(map(clean, filters.platforms)))
    return list(conn.execute(query).scalars())


def term_numbers_of(conn: Connection, kind: str, names: Sequence[str] = ()) -> list[int]:
    """The numbers of terms of a kind: those named, or all."""
    query = select(terms.c.n).where(terms.c.kind == kind)
    if names:
        query = query.where(terms.c.name.in_(map(clean, names)))
    return list(conn.execute(query).scalars())


def conditions(scope: Scope, *, own: bool = True) -> list[ColumnElement[bool]]:
    """
    What a post, joined with the labeller's labels, must meet.

    *own* False leaves out brand, sentiment and harassment: the caller asks them of each mention.
    """
    found = [*places(scope), countable()]
    if not scope.with_copies:
        found.append(first_of_group())
    if scope.testimony_only:
        found.append(testimony())
    if own:
        found += own_conditions(scope) if scope.brands is None else [_brand(scope)]
    return found + [_marked(scope, numbers) for numbers in scope.terms.values()]


def places(scope: Scope) -> list[ColumnElement[bool]]:
    """Labelled by the labeller, of the days and sources asked for, whatever was found in them."""
    found = [labels.c.labeller_n == scope.labeller_n, *_range(scope, posts.c.n)]
    return found if scope.sources is None else [*found, _lives_in(scope.sources)]


def _lives_in(sources: list[int]) -> ColumnElement[bool]:
    """
    Posts of these sources. The index of one source gives them in order; through that of several
    SQLite would sort them all to show twenty, where + 0 lets it walk the newest.
    """
    return (posts.c.source_n if len(sources) == 1 else posts.c.source_n + 0).in_(sources)


def _range(scope: Scope, column: ColumnElement[int]) -> list[ColumnElement[bool]]:
    found = []
    if scope.low is not None:
        found.append(column >= scope.low)
    if scope.high is not None:
        found.append(column < scope.high)
    return found


def own_conditions(scope: Scope) -> list[ColumnElement[bool]]:
    """Sentiment and harassment of the post as a whole."""
    found: list[ColumnElement[bool]] = []
    if scope.sentiments is not None:
        found.append(labels.c.sentiment.in_(scope.sentiments))
    if scope.harassment_only:
        found.append(labels.c.harassment)
    return found


def mention_conditions(
    scope: Scope, table: FromClause = mentions, *, led: bool = False
) -> list[ColumnElement[bool]]:
    """
    What a mention must meet: brand, sentiment toward it, harassment by it.

    *led*: another part of the query knows few posts, and mentions are looked up for each.
    """
    if scope.brands is None:  # + 0: SQLite shall go by the posts of the period, not by all mentions
        found = [table.c.labeller_n + 0 == scope.labeller_n]
    elif led:
        found = [
            table.c.labeller_n + 0 == scope.labeller_n,
            (table.c.brand_n + 0).in_(scope.brands),
        ]
    else:
        found = [table.c.labeller_n == scope.labeller_n, table.c.brand_n.in_(scope.brands)]
    found += _range(scope, table.c.post_n)
    if scope.sentiments is not None:
        found.append(table.c.sentiment.in_(scope.sentiments))
    if scope.harassment_only:
        found.append(table.c.harassment)
    return found


# in subqueries under their own names: a query around them may read the same tables
_mentioned = mentions.alias("mentioned")
_accusing = mentions.alias("accusing")
_told = marks.alias("told")
_also = marks.alias("also")
_living = posts.alias("living")


def _brand(scope: Scope) -> ColumnElement[bool]:
    named = exists().where(_mentioned.c.post_n == posts.c.n, *mention_conditions(scope, _mentioned))
    if not scope.unknown_brand:
        return named
    return or_(named, and_(labels.c.harassment, ~accuses(scope), *own_conditions(scope)))


def accuses(scope: Scope) -> ColumnElement[bool]:
    """Whether a post accuses a brand by name."""
    return exists().where(
        _accusing.c.post_n == posts.c.n,
        _accusing.c.labeller_n == scope.labeller_n,
        _accusing.c.harassment,
    )


def _marked(scope: Scope, numbers: list[int]) -> ColumnElement[bool]:
    return exists().where(
        _told.c.labeller_n == scope.labeller_n,
        _told.c.term_n.in_(numbers),
        _told.c.post_n == posts.c.n,
    )


def rare(conn: Connection, scope: Scope) -> ColumnElement[bool]:
    """The narrowest filter as a set of numbers if it is small: the database then starts from it."""
    few = rare_numbers(conn, scope)
    return NO_MATTER if few is None else posts.c.n.in_(few)


def rare_numbers(conn: Connection, scope: Scope) -> Any:
    """The query for the numbers of posts under the narrowest filter; None if none is small."""
    best: tuple[int, Any] | None = None
    for query in _narrowing(scope):
        size = _size(conn, query)
        if size < RARE and (best is None or size < best[0]):
            best = (size, query)
    return None if best is None else best[1]


def _narrowing(scope: Scope) -> list[Any]:
    found: list[Any] = []
    if scope.terms:
        found.append(marked_posts(scope))
    if scope.sources is not None and len(scope.sources) != 1:
        found.append(_living_in(scope, scope.sources))
    if scope.brands is not None and not scope.unknown_brand:
        found.append(_naming(scope))
    return found


def _living_in(scope: Scope, wanted: list[int]) -> Any:
    own = [_living.c.source_n.in_(wanted), *_range(scope, _living.c.n)]
    return select(_living.c.n.label("post_n")).where(*own)


def _naming(scope: Scope) -> Any:
    """Numbers of posts that name the brands asked for; one that names several comes as often."""
    own = mention_conditions(scope, _mentioned)
    return select(_mentioned.c.post_n).where(*own, *_range(scope, _mentioned.c.post_n))


def narrowest(conn: Connection, scope: Scope) -> Any:
    """The smallest set of numbers that terms, places and brands leave, each once; None: no set."""
    found = _narrowing(scope)
    if scope.sources is not None and len(scope.sources) == 1:
        found.append(_living_in(scope, scope.sources))
    if not found:
        return None
    best = found[0] if len(found) == 1 else min(found, key=lambda query: _size(conn, query))
    return best.distinct().subquery("led")


def leading(conn: Connection, scope: Scope) -> Any:
    """
    The numbers of the posts from which a count of mentions should start; None: from the mentions.

    Terms and places lead unless fewer mentions are of the brands asked for.
    """
    if scope.terms:
        query = marked_posts(scope)
    elif scope.sources is not None and len(scope.sources) != 1:
        query = _living_in(scope, scope.sources)
    else:
        return None
    fewer = scope.brands is not None and not scope.unknown_brand and len(scope.terms) < 2
    if fewer and _size(conn, _naming(scope)) < _size(conn, query):
        return None
    return query.cte("led")


def _size(conn: Connection, query: Any) -> int:
    """How many rows a query gives, counted up to RARE."""
    counted = select(func.count()).select_from(query.limit(RARE).subquery())
    return int(conn.execute(counted).scalar_one())


# the rarest kinds of terms first: the others are looked up for each post of the first
_RAREST = ("signal", "number_class", "topic", "relation")


def marked_posts(scope: Scope) -> Any:
    """
    The numbers of the posts of the period that hold a term of each kind asked for.

    What several kinds have in common is found in the index of marks alone, before any post is read.
    """
    first, *others = (kind for kind in _RAREST if kind in scope.terms)
    query = select(_told.c.post_n).where(*_told_of(scope, first, others))
    return query if len(scope.terms[first]) == 1 else query.distinct()


def marked_again(scope: Scope, kind: str) -> Any:
    """
    The same of posts that hold several terms of one kind, and how many *times* beyond the first.
    """
    own = _told_of(scope, kind, [other for other in scope.terms if other != kind])
    query = select(_told.c.post_n, (func.count() - 1).label("times")).where(*own)
    return query.group_by(_told.c.post_n).having(func.count() > 1)


def _told_of(scope: Scope, kind: str, others: Sequence[str]) -> list[ColumnElement[bool]]:
    """Marks of one kind in the period, of posts that hold a term of each of the others."""
    own = [_told.c.labeller_n == scope.labeller_n, _told.c.term_n.in_(scope.terms[kind])]
    both = [
        exists().where(
            _also.c.labeller_n == scope.labeller_n,
            _also.c.term_n.in_(scope.terms[other]),
            _also.c.post_n == _told.c.post_n,
        )
        for other in others
    ]
    return [*own, *_range(scope, _told.c.post_n), *both]


LABELLED = posts.join(labels, labels.c.post_n == posts.c.n)

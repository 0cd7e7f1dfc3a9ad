"""
Posts out: pages of a selection, one post with all that is known of it, and streams for export.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, false, func, select

from raccroche.errors import StoreError
from raccroche.store.counts import post_total, quick_total, undated_posts
from raccroche.store.labelling import labels_of, read_labels
from raccroche.store.records import Fact, Filters, PostDetail, PostRow, PostsPage, StoredPost
from raccroche.store.rows import (
    POST_COLUMNS,
    POSTS_FROM,
    chunks,
    date_of,
    labeller_number,
    span,
    stored_post,
    unpack,
)
from raccroche.store.selection import (
    LABELLED,
    Scope,
    conditions,
    narrowest,
    places,
    rare,
    scope_of,
)
from raccroche.store.tables import brands, counters, labels, mentions, posts
from raccroche.store.tally import countable, first_of_group

COUNTED = 1_000  # a total that the count tables cannot give is counted up to here


def page_of(
    conn: Connection, filters: Filters, size: int, after: str | None, order: str
) -> PostsPage:
    """The posts of a selection after a cursor, newest or oldest first."""
    if order not in ("newest", "oldest"):
        raise StoreError(f"posts are ordered newest or oldest first, not {order!r}")
    scope = scope_of(conn, filters)
    if scope is None:
        return PostsPage()
    which = [*conditions(scope), rare(conn, scope)]
    total, exact = _total(conn, filters, which)
    numbers = _numbers(conn, [*which, *after_cursor(after, order)], size + 1, order)
    rows = rows_of(conn, numbers[:size], filters.labeller)
    return PostsPage(rows, str(numbers[size - 1]) if len(numbers) > size else None, total, exact)


def _numbers(
    conn: Connection, which: Sequence[ColumnElement[bool]], limit: int, order: str
) -> list[int]:
    column = posts.c.n.desc() if order == "newest" else posts.c.n.asc()
    query = select(posts.c.n).select_from(LABELLED).where(*which).order_by(column).limit(limit)
    return list(conn.execute(query).scalars())


def after_cursor(after: str | None, order: str) -> list[ColumnElement[bool]]:
    """The condition of a cursor; one that is not ours gives nothing rather than an error."""
    if after is None:
        return []
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        return [false()]
    return [posts.c.n < int(after) if order == "newest" else posts.c.n > int(after)]


def _total(
    conn: Connection, filters: Filters, which: Sequence[ColumnElement[bool]]
) -> tuple[int, bool]:
    """How many posts in all, from the count tables if they know, else counted up to a thousand."""
    if quick_total(filters):
        dated = filters.start is not None or filters.end is not None
        return post_total(conn, filters) + (0 if dated else undated_posts(conn, filters)), True
    found = len(_numbers(conn, which, COUNTED + 1, "newest"))
    return min(found, COUNTED), found <= COUNTED


def rows_of(conn: Connection, numbers: Sequence[int], labeller: str) -> tuple[PostRow, ...]:
    """These posts in this order, with what *labeller* says."""
    found = posts_of(conn, numbers)
    own = labels.c.labeller_n == labeller_number(conn, labeller)
    said = {one.post_id: one for one in read_labels(conn, own, numbers)}
    return tuple(PostRow(found[n], said.get(found[n].id)) for n in numbers if n in found)


def posts_of(conn: Connection, numbers: Sequence[int]) -> dict[int, StoredPost]:
    found: dict[int, StoredPost] = {}
    for part in chunks(numbers, 500):
        query = select(*POST_COLUMNS).select_from(POSTS_FROM).where(posts.c.n.in_(part))
        found |= {row.n: stored_post(row) for row in conn.execute(query)}
    return found


def detail(conn: Connection, post_id: str, labeller: str | None) -> PostDetail | None:
    """
    One post, what everybody says of it (or *labeller* alone), and the other members of its group.
    """
    query = select(*POST_COLUMNS).select_from(POSTS_FROM)
    row = conn.execute(query.where(posts.c.id == post_id)).one_or_none()
    if row is None:
        return None
    post = stored_post(row)
    others = (
        query.where(posts.c.group_n == row.group_n, posts.c.n != row.n)
        .order_by(posts.c.n)
        .limit(200)
    )
    said = [one for one in labels_of(conn, post_id) if labeller in (None, one.labeller)]
    return PostDetail(
        post, tuple(said), tuple(stored_post(other) for other in conn.execute(others))
    )


def chunk_after(conn: Connection, filters: Filters, after: int, size: int) -> tuple[PostRow, ...]:
    """The next rows of a stream, oldest first; copies are left out unless the filters keep them."""
    scope = scope_of(conn, filters)
    if scope is None:
        return ()
    numbers = _numbers(conn, [*conditions(scope), posts.c.n > after], size, "oldest")
    return rows_of(conn, numbers, filters.labeller)


def left_out(conn: Connection, filters: Filters) -> dict[str, int]:
    """How many labelled posts of the sources and days of *filters* no reading gives, by reason."""
    scope = scope_of(conn, filters)
    if scope is None:
        return {}
    refused = labels.c.refused.is_not(None)
    reasons = {
        "refused": refused,
        "not_french": ~refused & ~countable(),
        "copies": countable() & ~first_of_group() & (not scope.with_copies),
    }
    query = select(*(func.count(case((which, 1))).label(name) for name, which in reasons.items()))
    found = conn.execute(query.select_from(LABELLED).where(*places(scope))).one()
    dated = filters.start is not None or filters.end is not None
    undated = undated_posts(conn, Filters(filters.labeller)) if dated else 0
    return {**{name: int(many) for name, many in found._mapping.items()}, "undated": undated}


def facts(conn: Connection, filters: Filters, limit: int, *, accused: bool = True) -> list[Fact]:
    """
    What harassment posts say of calls, numbers and hours; the newest first.

    *accused* False: whom they accuse is not looked up.
    """
    scope = scope_of(conn, filters)
    if scope is None:
        return []
    rows = _newest_facts(conn, scope, limit)
    named = _accused(conn, scope, [row.n for row in rows]) if accused else {}
    return [
        Fact(row.id, date_of(row.day), named.get(row.n, ()), unpack(row.facts, {})) for row in rows
    ]


def _newest_facts(conn: Connection, scope: Scope, limit: int) -> list[Any]:
    """
    Rows n, id, day, facts, newest first: a stretch of time after another, until there are enough.

    A stretch is as long as the one before lets expect; never is all of a long period read.
    """
    low = scope.low or 0
    high = scope.high or 1 + (conn.execute(select(func.max(posts.c.n))).scalar_one() or 0)
    found: list[Any] = []
    _, width = span(0, days=7)
    while len(found) < limit and high > low:
        start = max(high - width, low)
        new = _facts_between(conn, replace(scope, low=start, high=high), limit - len(found))
        found += new
        width = int(width * _longer(len(new), limit - len(found)))
        high = start
    return found


def _longer(found: int, wanted: int) -> float:
    """How many times longer the next stretch should be: as much as is wanted, eight at most."""
    return min(max(1.2 * wanted / found, 1 / 8), 8.0) if found else 8.0


def _facts_between(conn: Connection, scope: Scope, limit: int) -> list[Any]:
    led = narrowest(conn, scope)
    # + 0: only posts whose labels are wanted are read
    start = labels.join(posts, posts.c.n == labels.c.post_n + 0)
    within = [labels.c.post_n >= scope.low, labels.c.post_n < scope.high]
    if led is not None:
        start = led.join(labels, labels.c.post_n == led.c.post_n).join(
            posts, posts.c.n == labels.c.post_n + 0
        )
        within = []
    rest = replace(scope, terms={}, low=None, high=None)
    query = select(posts.c.n, posts.c.id, posts.c.day, labels.c.facts).select_from(start)
    query = query.where(*within, labels.c.harassment, labels.c.facts.is_not(None))
    query = query.where(*conditions(rest)).order_by(labels.c.post_n.desc()).limit(limit)
    return list(conn.execute(query))


def _accused(conn: Connection, scope: Scope, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for part in chunks(numbers, 500):
        query = (
            select(mentions.c.post_n, brands.c.name)
            .join(brands, brands.c.n == mentions.c.brand_n)
            .where(
                mentions.c.labeller_n == scope.labeller_n,
                mentions.c.post_n.in_(part),
                mentions.c.harassment,
            )
            .order_by(mentions.c.position)
        )
        for n, name in conn.execute(query):
            found[n] = (*found.get(n, ()), name)
    return found


def data_version(conn: Connection) -> int:
    return int(
        conn.execute(select(counters.c.value).where(counters.c.name == "version")).scalar_one()
    )

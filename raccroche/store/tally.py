"""
What each labelled post adds to the count tables: one code path for writing, correcting and
rebuilding.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from raccroche.post import Kind
from raccroche.store.rows import chunks, month_of, unpack
from raccroche.store.tables import (
    ALL,
    CELLS,
    UNKNOWN_BRAND_N,
    labels,
    mentions,
    pair,
    posts,
    terms,
)

Key = tuple[int, int, int, int, int]  # labeller, term, source, brand, day
_KEYS = ("labeller_n", "term_n", "source_n", "brand_n", "day")


class Tally:
    """Changes of count rows, added up before they are written."""

    def __init__(self) -> None:
        self.cells: dict[Key, list[int]] = {}

    def add(self, key: Key, cell: int, by: int) -> None:
        found = self.cells.get(key)
        if found is None:
            found = self.cells[key] = [0] * len(CELLS)
        found[cell] += by

    def write(self, conn: Connection) -> None:
        """Add the changes, in the order of the keys: two writers then never wait for each other."""
        rows = [
            (*key, month_of(key[-1]), *self.cells[key])
            for key in sorted(self.cells)
            if any(self.cells[key])
        ]
        if rows:
            conn.exec_driver_sql(_upsert("?" if conn.dialect.name == "sqlite" else "%s"), rows)


def _upsert(mark: str) -> str:
    """
    The statement in the driver's own words: there are a dozen count rows a post, and SQLAlchemy's
    take twice as long.
    """
    columns = (*_KEYS, "month", *CELLS)
    added = ", ".join(f"{cell} = counts.{cell} + excluded.{cell}" for cell in CELLS)
    return (
        f"insert into counts ({', '.join(columns)}) values ({', '.join([mark] * len(columns))}) "
        f"on conflict ({', '.join(_KEYS)}) do update set {added}"
    )


def countable() -> ColumnElement[bool]:
    """Labels that count: not refused, and of a French post as far as its labeller can tell."""
    return labels.c.refused.is_(None) & or_(labels.c.language.is_(None), labels.c.language == "fr")


def first_of_group() -> ColumnElement[bool]:
    # + 0 keeps SQLite from looking posts up by group, which it takes for the narrower key
    return posts.c.group_n + 0 == posts.c.n


def testimony() -> ColumnElement[bool]:
    """Labelled a testimony, and neither a brand's own word nor an article."""
    return labels.c.testimony & ~posts.c.by_brand & (posts.c.kind != str(Kind.ARTICLE))


def tally(
    conn: Connection,
    tallied: Tally,
    numbers: Iterable[int],
    *,
    sign: int,
    labeller_n: int | None = None,
) -> None:
    """Add (*sign* 1) or take away (-1) what the stored labels of these posts count for."""
    known = term_numbers(conn)
    for part in chunks(sorted(set(numbers)), 500):
        _tally_part(
            conn,
            tallied,
            labels.c.post_n.in_(part),
            mentions.c.post_n.in_(part),
            labeller_n,
            known,
            sign,
        )


def tally_range(conn: Connection, tallied: Tally, low: int, high: int) -> None:
    """Add what the labels of the posts numbered low <= n < high count for, whoever labelled."""
    known = term_numbers(conn)
    of_labels = (labels.c.post_n >= low) & (labels.c.post_n < high)
    of_mentions = (mentions.c.post_n >= low) & (mentions.c.post_n < high)
    _tally_part(conn, tallied, of_labels, of_mentions, None, known, 1)


def _tally_part(
    conn: Connection,
    tallied: Tally,
    of_labels: ColumnElement[bool],
    of_mentions: ColumnElement[bool],
    labeller_n: int | None,
    known: dict[tuple[str, str], int],
    sign: int,
) -> None:
    if labeller_n is not None:
        of_labels &= labels.c.labeller_n == labeller_n
        of_mentions &= mentions.c.labeller_n == labeller_n
    query = (
        select(
            *labels.c[
                "post_n",
                "labeller_n",
                "sentiment",
                "harassment",
                "relation",
                "topics",
                "signals",
                "facts",
            ],
            testimony().label("testimony"),
            posts.c.source_n,
            posts.c.day,
        )
        .select_from(labels.join(posts, posts.c.n == labels.c.post_n))
        .where(of_labels, countable(), first_of_group())
    )
    found = conn.execute(query).all()
    if not found:
        return
    named = _mentions(conn, of_mentions)
    for row in found:
        for key, cell in _units(row, named.get((row.post_n, row.labeller_n), ()), known):
            tallied.add(key, cell, sign)


def _mentions(conn: Connection, which: ColumnElement[bool]) -> dict[tuple[int, int], list[Any]]:
    query = select(*mentions.c["post_n", "labeller_n", "brand_n", "sentiment", "harassment"]).where(
        which
    )
    found: dict[tuple[int, int], list[Any]] = {}
    for row in conn.execute(query):
        found.setdefault((row.post_n, row.labeller_n), []).append(row)
    return found


def _units(
    row: Any, named: Sequence[Any], known: dict[tuple[str, str], int]
) -> Iterator[tuple[Key, int]]:
    """
    The count rows a post touches: itself, each brand, and nobody where harassment accuses no brand;
    of each, all terms together, every term, and every two.
    """
    told = [known[term] for term in terms_of(row)]
    places = [(term_n, source_n) for term_n in (ALL, *told) for source_n in (ALL, row.source_n)]
    places += [(pair(*both), ALL) for both in combinations(told, 2)]
    units = [(ALL, row.sentiment, row.harassment)]
    units += [(mention.brand_n, mention.sentiment, mention.harassment) for mention in named]
    if row.harassment and not any(mention.harassment for mention in named):
        units.append((UNKNOWN_BRAND_N, row.sentiment, True))
    for brand_n, sentiment, harassment in units:
        cell = sentiment + 3 * bool(harassment) + 6 * bool(row.testimony)
        for term_n, source_n in places:
            yield (row.labeller_n, term_n, source_n, brand_n, row.day), cell


def terms_of(row: Any) -> list[tuple[str, str]]:
    """
    The (kind, name) pairs under which a post is also counted, each once: a row of the labels table,
    or its like.
    """
    facts = unpack(row.facts, {})
    classes = [found["class"] for found in facts.get("numbers", ()) if found.get("class")]
    pairs = [("relation", row.relation)]
    pairs += [("topic", name) for name in unpack(row.topics, ())]
    pairs += [("signal", name) for name in unpack(row.signals, ())]
    pairs += [("number_class", name) for name in classes]
    return list(dict.fromkeys(pairs))


def term_numbers(conn: Connection) -> dict[tuple[str, str], int]:
    return {
        (kind, name): n for n, kind, name in conn.execute(select(*terms.c["n", "kind", "name"]))
    }

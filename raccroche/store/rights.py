"""
What persons may ask for: erasure that leaves no byte, and that what is gone does not come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, false, func, insert, or_, select, update

from raccroche.errors import StoreError
from raccroche.store.engine import Database
from raccroche.store.labelling import touch
from raccroche.store.records import Erased, Takedown
from raccroche.store.rows import chunks, clean, day_number, hashed, insert_into, moment, now
from raccroche.store.tables import UNDATED, authors, posts, suppressions, takedowns
from raccroche.store.tally import Tally
from raccroche.store.writes import remove_posts

_PURGED = 500  # posts of one transaction: a reader or collector never waits long


def erase(
    conn: Connection,
    *,
    post_ids: Sequence[str],
    authors: Sequence[str],
    urls: Sequence[str],
    reason: str,
    keep_out: bool,
) -> Erased:
    """
    Remove the posts that any of the keys names, with all that hangs on them; log it by hash only.
    """
    found = named(conn, post_ids, authors, urls)
    tallied = Tally()
    removed, labels = remove_posts(conn, list(found), tallied)
    tallied.write(conn)
    if keep_out:
        suppress(
            conn, post_ids=post_ids, authors=authors, urls=urls, reason=reason, removed=removed
        )
    else:
        _log(conn, keys(post_ids, authors, urls), reason, removed)
    touch(conn)
    return Erased(removed, labels, tuple(found.values()))


def named(
    conn: Connection, post_ids: Sequence[str], names: Sequence[str], urls: Sequence[str]
) -> dict[int, str]:
    """Number and id of the posts that any of the keys names."""
    wanted: list[ColumnElement[bool]] = [false()]
    if post_ids:
        wanted.append(posts.c.id.in_([clean(one) for one in post_ids]))
    if names:
        mine = select(authors.c.n).where(authors.c.name.in_([clean(one) for one in names]))
        wanted.append(posts.c.author_n.in_(mine))
    if urls:
        places = [clean(one) for one in urls]
        wanted.append(or_(posts.c.url.in_(places), posts.c.uri.in_(places)))
    return {
        n: post_id for n, post_id in conn.execute(select(posts.c.n, posts.c.id).where(or_(*wanted)))
    }


def keys(
    post_ids: Sequence[str], names: Sequence[str], urls: Sequence[str]
) -> list[tuple[str, str]]:
    """The (kind, hash) pairs of what a request names."""
    named = (
        [("post", one) for one in post_ids]
        + [("author", one) for one in names]
        + [("url", one) for one in urls]
    )
    return sorted({(kind, hashed(clean(value))) for kind, value in named})


def suppress(
    conn: Connection,
    *,
    post_ids: Sequence[str],
    authors: Sequence[str],
    urls: Sequence[str],
    reason: str,
    removed: int = 0,
) -> int:
    """
    Refuse these posts, authors and addresses from now on; how many of them were not refused before.
    """
    wanted = keys(post_ids, authors, urls)
    if not wanted:
        return 0
    rows = [{"kind": kind, "hash": digest} for kind, digest in wanted]
    statement = (
        insert_into(conn, suppressions).on_conflict_do_nothing().returning(suppressions.c.hash)
    )
    added = len(conn.execute(statement, rows).all())
    _log(conn, wanted, reason, removed)
    return added


def _log(conn: Connection, wanted: Sequence[tuple[str, str]], reason: str, removed: int) -> None:
    """One entry a request, however many keys it has: their kinds, and one hash of all of them."""
    if not wanted:
        return
    digests = [digest for _, digest in wanted]
    entry = {
        "at": now(),
        "kind": ", ".join(dict.fromkeys(kind for kind, _ in wanted)),
        "hash": digests[0] if len(digests) == 1 else hashed(" ".join(digests)),
        "reason": reason,
        "posts": removed,
    }
    conn.execute(insert(takedowns), entry)


@dataclass(frozen=True, slots=True)
class Refused:
    """The names of authors that are refused, known by their hashes alone."""

    hashes: frozenset[str]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and hashed(clean(name)) in self.hashes


def refused_authors(conn: Connection) -> Refused:
    found = conn.execute(select(suppressions.c.hash).where(suppressions.c.kind == "author"))
    return Refused(frozenset(found.scalars()))


def read_takedowns(conn: Connection, limit: int) -> list[Takedown]:
    """
    The latest first, one a request.

    Databases of before hold a row a key: the rows of one microsecond are one request.
    """
    first = select(func.min(takedowns.c.n)).group_by(takedowns.c.at)
    query = select(takedowns).where(takedowns.c.n.in_(first)).order_by(takedowns.c.n.desc())
    found = []
    for row in conn.execute(query.limit(limit)):
        at = moment(row.at)
        assert at is not None
        found.append(Takedown(at, row.kind, row.hash, row.reason, row.posts))
    return found


def is_refused(conn: Connection, wanted: Sequence[tuple[str, str]]) -> bool:
    for part in chunks([digest for _, digest in wanted], 1000):
        query = select(suppressions.c.kind, suppressions.c.hash).where(
            suppressions.c.hash.in_(part)
        )
        if any((kind, digest) in wanted for kind, digest in conn.execute(query)):
            return True
    return False


def purge_part(conn: Connection, before: date) -> int:
    """Remove some of the posts published before a day; 0 when none is left."""
    old = (posts.c.day < day_number(before)) & (posts.c.day != UNDATED)
    numbers = (
        conn.execute(select(posts.c.n).where(old).order_by(posts.c.n).limit(_PURGED))
        .scalars()
        .all()
    )
    if not numbers:
        return 0
    tallied = Tally()
    removed, _ = remove_posts(conn, numbers, tallied)
    tallied.write(conn)
    touch(conn)
    return removed


def forget_part(conn: Connection, before: date) -> int:
    """Blank the texts of some of the posts published before a day; 0 when none is left."""
    old = (
        (posts.c.day < day_number(before))
        & (posts.c.day != UNDATED)
        & or_(posts.c.text != "", posts.c.title.is_not(None))
    )
    numbers = (
        conn.execute(select(posts.c.n).where(old).order_by(posts.c.n).limit(_PURGED))
        .scalars()
        .all()
    )
    if numbers:
        blank = {"title": None, "text": "", "thread_title": None, "quoted": None, "url": None}
        conn.execute(update(posts).where(posts.c.n.in_(numbers)).values(blank))
        touch(conn)
    return len(numbers)


def shrink(db: Database) -> None:
    """
    Rewrite the files so that what was removed is in none of their bytes; StoreError if a reader
    prevents it.
    """
    with db.outside() as conn:
        if not db.sqlite:
            for table in ("posts", "labels", "mentions", "marks", "authors", "edits", "bands"):
                conn.exec_driver_sql(f"vacuum full {table}")
            return
        # the index keeps the words of removed posts until its segments are merged
        conn.exec_driver_sql("insert into posts_fts (posts_fts) values ('optimize')")
        conn.exec_driver_sql("vacuum")
        busy, _, _ = conn.exec_driver_sql("pragma wal_checkpoint(truncate)").one()
    if busy:
        raise StoreError(
            f"{db.name}: the posts are gone, but a reader keeps their bytes in the log: erase again"
        )

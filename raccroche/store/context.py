"""What stands around a post in its discussion: the post it answers, others that came with it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, select

from raccroche.store.records import StoredPost
from raccroche.store.rows import chunks, clean, moment
from raccroche.store.tables import posts, sources

# How far from a post, in posts as they arrived, its thread is looked for: a page or two of any
# platform. A thread of ten thousand posts then costs no more than one of a hundred.
_REACH = 300
_MOST = 100  # texts of a thread given with one post


@dataclass(frozen=True, slots=True)
class Answered:
    """A post that others answer: its text, and the brand whose account wrote it."""

    text: str
    brand: str | None = None


@dataclass(frozen=True, slots=True)
class _Other:
    id: str
    seq: int
    text: str
    published_at: datetime | None


def answered_posts(conn: Connection, ids: Iterable[str]) -> dict[str, Answered]:
    """Those of the posts with these ids that are stored; forgotten texts are empty."""
    found: dict[str, Answered] = {}
    columns = (posts.c.id, posts.c.text, posts.c.author_brand)
    for part in chunks([clean(one) for one in ids], 1000):
        for row in conn.execute(select(*columns).where(posts.c.id.in_(part))):
            found[row.id] = Answered(row.text, row.author_brand)
    return found


def thread_texts(conn: Connection, batch: Sequence[StoredPost]) -> dict[str, tuple[str, ...]]:
    """
    By id of a post of *batch*: texts of its thread that stood there before it, newest first.

    Looked for among the posts that arrived around it.
    """
    threaded = [post for post in batch if post.thread]
    if not threaded:
        return {}
    others = _around(conn, threaded)
    return {
        post.id: found
        for post in threaded
        if (found := _before(post, others[post.source, post.thread or ""]))
    }


def _around(
    conn: Connection, threaded: Sequence[StoredPost]
) -> defaultdict[tuple[str, str], list[_Other]]:
    """By thread, newest first."""
    wanted = {(post.source, post.thread or "") for post in threaded}
    columns = (posts.c.id, posts.c.seq, posts.c.text, posts.c.published, posts.c.thread)
    query = (
        select(sources.c.source, *columns)
        .join_from(posts, sources, sources.c.n == posts.c.source_n)
        .where(posts.c.thread.is_not(None), posts.c.text != "")
    )
    found: defaultdict[tuple[str, str], list[_Other]] = defaultdict(list)
    for first, last in _stretches(post.seq for post in threaded):
        for row in conn.execute(query.where(posts.c.seq.between(first, last))):
            if (row.source, row.thread) in wanted:
                one = _Other(row.id, row.seq, row.text, moment(row.published))
                found[row.source, row.thread].append(one)
    for others in found.values():
        others.sort(key=_age, reverse=True)
    return found


def _stretches(arrived: Iterable[int]) -> list[tuple[int, int]]:
    """What is within reach of some places in the order of arrival, each place once."""
    found: list[tuple[int, int]] = []
    for seq in sorted(arrived):
        first, last = seq - _REACH, seq + _REACH
        if found and first <= found[-1][1]:
            first = found.pop()[0]
        found.append((first, last))
    return found


def _age(one: _Other) -> tuple[bool, datetime | None, int]:
    return (one.published_at is not None, one.published_at, one.seq)


def _before(post: StoredPost, others: Sequence[_Other]) -> tuple[str, ...]:
    earlier = (
        one.text
        for one in others
        if one.id != post.id and abs(one.seq - post.seq) <= _REACH and _is_earlier(one, post)
    )
    return tuple(islice(earlier, _MOST))


def _is_earlier(one: _Other, post: StoredPost) -> bool:
    """By date where both have one, else by arrival."""
    if one.published_at is None or post.published_at is None:
        return one.seq < post.seq
    return (one.published_at, one.seq) < (post.published_at, post.seq)

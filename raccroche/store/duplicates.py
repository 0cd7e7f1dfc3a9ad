"""Copies: posts that say the same thing form a group, of which only the first counts."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rensa import RMinHash
from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from raccroche.store.rows import (
    LAST_ARRIVAL,
    among,
    chunks,
    is_dated,
    key64,
    rows_among,
    span,
    unpack,
)
from raccroche.store.tables import bands, posts

WINDOW = 90  # days between two copies, unless they are in one thread
_SHORTEST = 40  # characters of a text that can be a copy: "Merci beaucoup !" is said by many
_SHORTEST_NEAR = 80
_SIMILAR = 0.75  # Jaccard of five-letter pieces
_BANDS, _ROWS = (
    8,
    6,
)  # finds 99 % of pairs at 0.9, 91 % at 0.8; the true similarity is then measured
# members of a group that a post is compared with: a text sent a million times stays cheap
_ASKED = 20
_MANY = 100  # new posts sharing a key, of which not all pairs are compared
_LONGEST_KEPT = 2_000  # characters of a text that is remembered
_LINKS = re.compile(r"https?://\S+|^rt @\S+:?|\bvia @\S+")
_MARKS = re.compile("[\u0300-\u036f]+")
_NOT_WORDS = re.compile(r"[\W_]+")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What decides whether a post is a copy of another."""

    n: int
    group_n: int
    text: str
    quoted: tuple[str, ...]
    thread: tuple[int, str] | None
    about: Set[str]
    text_key: int | None
    uri_key: int | None


def own_text(text: str, quoted: Iterable[str]) -> str:
    """The words of the author: the text less the passages that are somebody else's."""
    for passage in quoted:
        text = text.replace(passage, " ")
    return text


def plain(text: str) -> str:
    """Folded for comparison: no case, accents, links, punctuation or spacing."""
    return _plain(text) if len(text) <= _LONGEST_KEPT else _plain.__wrapped__(text)


@lru_cache(maxsize=256)  # a text is folded for its key, its bands and each comparison
def _plain(text: str) -> str:
    folded = text.casefold().strip()
    if "http" in folded or "@" in folded:
        folded = _LINKS.sub(" ", folded)
    if not folded.isascii():
        folded = _MARKS.sub("", unicodedata.normalize("NFKD", folded))
    return _NOT_WORDS.sub(" ", folded).strip()


def text_key(text: str, quoted: Iterable[str] = ()) -> int | None:
    """The key that exact copies share; None for texts too short to be one."""
    folded = plain(own_text(text, quoted))
    return key64(folded) if len(folded) >= _SHORTEST else None


def band_keys(text: str, quoted: Iterable[str] = ()) -> list[int]:
    """The keys of which near copies share at least one; none for short texts."""
    folded = plain(own_text(text, quoted))
    if len(folded) < _SHORTEST_NEAR:
        return []
    sketch = RMinHash(num_perm=_BANDS * _ROWS, seed=20)
    sketch.update(list(_pieces(folded)))
    values = sketch.digest()
    return [
        key64(f"{RMinHash.ALGORITHM_VERSION}:{band}:{values[band * _ROWS : (band + 1) * _ROWS]}")
        for band in range(_BANDS)
    ]


def about(own: str, *brands: str | None) -> Set[str]:
    """
    Of the *brands* that a post's place gives - the company reviewed, the account answered - those
    that its *own* words do not name. The same words about another brand are another testimony;
    words that name both are one, wherever they stand.
    """
    given = {brand for brand in brands if brand}
    if not given:
        return given
    words = f" {plain(own)} "
    return {brand for brand in given if f" {plain(brand)} " not in words}


def is_near(one: Candidate, other: Candidate) -> bool:
    """
    Whether two texts are one text, edited.

    A letter sent around with another firm or another number put in is another testimony: two texts
    of which each has a
    name or number that the other lacks are apart, however alike.
    """
    if one.about != other.about:
        return False
    mine, theirs = own_text(one.text, one.quoted), own_text(other.text, other.quoted)
    if not _are_alike(plain(mine), plain(theirs)):
        return False
    return not (_only_in(mine, theirs) and _only_in(theirs, mine))


def _are_alike(one: str, other: str) -> bool:
    """Whether two folded texts share enough of their pieces."""
    left = _pieces(one)
    if max(1, len(other) - 4) < _SIMILAR * len(left):
        return False  # the other has no more pieces than places
    right = _pieces(other)
    if min(len(left), len(right)) < _SIMILAR * max(len(left), len(right)):
        return False
    shared = len(left & right)
    return shared >= _SIMILAR * (len(left) + len(right) - shared)


def _only_in(text: str, other: str) -> bool:
    """Whether a name (a word with a capital) or number of *text* is nowhere in *other*."""
    there = {word.casefold() for word in _WORDS.findall(other)}
    named = (word for word in _WORDS.findall(text) if word[0].isupper() or word[0].isdigit())
    return any(word.casefold() not in there for word in named)


def _pieces(folded: str) -> Set[str]:
    return _pieces_in(folded) if len(folded) <= _LONGEST_KEPT else _pieces_in.__wrapped__(folded)


@lru_cache(maxsize=256)  # one text is compared with many
def _pieces_in(folded: str) -> Set[str]:
    return {folded[at : at + 5] for at in range(max(1, len(folded) - 4))}


def candidate(row: Any, quoted: tuple[str, ...]) -> Candidate:
    """From a row of the posts table (or its dict)."""
    return Candidate(
        n=row["n"],
        group_n=row["group_n"],
        text=row["text"],
        quoted=quoted,
        thread=(row["source_n"], row["thread"]) if row["thread"] else None,
        about=about(own_text(row["text"], quoted), row["context_brand"], row["reply_to_brand"]),
        text_key=row["text_key"],
        uri_key=row["uri_key"],
    )


def keep_bands(conn: Connection, keys: Mapping[int, Sequence[int]]) -> None:
    """Store the band keys of new posts, by post number."""
    rows = sorted((band, n) for n, own in keys.items() for band in own)
    if rows:
        # in the driver's own words: there are eight rows a post, and SQLAlchemy's take longer
        mark = "?" if conn.dialect.name == "sqlite" else "%s"
        values = f"values ({mark}, {mark}) on conflict do nothing"
        conn.exec_driver_sql(f"insert into bands (band, post_n) {values}", rows)


def drop_bands(conn: Connection, found: Sequence[Candidate]) -> None:
    for post in found:
        if keys := band_keys(post.text, post.quoted):
            conn.execute(bands.delete().where(bands.c.post_n == post.n, bands.c.band.in_(keys)))


def merges(conn: Connection, found: Sequence[Candidate], *, near: bool) -> dict[int, set[int]]:
    """
    Which groups become one: the old group numbers by the number of one of them. Band keys are
    stored on the way.
    """
    union = _Union()
    for post in found:
        union.add(post.group_n)
    for post, twin in _exact(conn, found):
        union.join(post.group_n, twin)
    if near:
        for post, twin in _near(conn, found, union):
            union.join(post.group_n, twin)
    return {root: members for root, members in union.sets().items() if len(members) > 1}


def _exact(conn: Connection, found: Sequence[Candidate]) -> Iterable[tuple[Candidate, int]]:
    by_text = _by([p for p in found if p.text_key is not None], "text_key")
    by_uri = _by([p for p in found if p.uri_key is not None], "uri_key")
    for keys in chunks(list(by_uri), 500):
        query = (
            select(posts.c.uri_key, posts.c.group_n)
            .where(among(conn, posts.c.uri_key, keys))
            .distinct()
        )
        for key, group in conn.execute(query):
            yield from ((post, group) for post in by_uri[key])
    for keys in chunks(list(by_text), 500):
        query = select(*_TOLD).where(among(conn, posts.c.text_key, keys), _around(found))
        for row in conn.execute(query):
            alike = by_text[row.text_key]
            own = own_text(alike[0].text, alike[0].quoted)  # of all of them the same, folded
            theirs = about(own, row.context_brand, row.reply_to_brand)
            yield from (
                (post, row.group_n)
                for post in alike
                if post.about == theirs and _together(post, row)
            )


_TOLD = (
    posts.c.text_key, posts.c.n, posts.c.group_n, posts.c.source_n, posts.c.thread,
    posts.c.context_brand, posts.c.reply_to_brand,
)  # fmt: skip


def _near(
    conn: Connection, found: Sequence[Candidate], union: "_Union"
) -> Iterable[tuple[Candidate, int]]:
    """Pairs of a new post and a group with a near copy of it, that *union* has apart so far."""
    keys = {post.n: band_keys(post.text, post.quoted) for post in found}
    pairs = _sharing(conn, keys)
    keep_bands(conn, keys)
    group_of = _groups(conn, {other for _, other in pairs})
    alike: dict[tuple[int, int], list[int]] = {}
    for n, other in sorted(pairs):
        if other in group_of:
            alike.setdefault((n, group_of[other]), []).append(other)
    by_n = {post.n: post for post in found}
    asked = {
        key: others[:_ASKED] for key, others in alike.items() if by_n[key[0]].group_n != key[1]
    }
    texts = _candidates(conn, {other for others in asked.values() for other in others})
    for (n, group), others in asked.items():
        if union.root(by_n[n].group_n) == union.root(group):
            continue
        if any(is_near(by_n[n], texts[other]) for other in others):
            yield by_n[n], group


def _sharing(conn: Connection, own: dict[int, list[int]]) -> set[tuple[int, int]]:
    """
    Pairs of numbers, near in time, that share a band key: the first is one of *own*, and where both
    are, the later. Of many that share one, the first are asked.
    """
    by_band: dict[int, list[int]] = {}
    for n, keys in own.items():
        for key in keys:
            by_band.setdefault(key, []).append(n)
    pairs: set[tuple[int, int]] = set()
    for together in by_band.values():
        asked = together if len(together) <= _MANY else sorted(together)[:_ASKED]
        for other in asked if len(together) > 1 else ():
            pairs.update((n, other) for n in together if other < n and _close(n, other))
    for part in chunks(sorted(by_band), 5000):
        for band, other in rows_among(conn, "band, post_n", "bands", "band", part):
            pairs.update((n, other) for n in by_band[band] if n != other and _close(n, other))
    return pairs


def _groups(conn: Connection, wanted: set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in chunks(sorted(wanted), 1000):
        found |= {n: group for n, group in rows_among(conn, "n, group_n", "posts", "n", part)}
    return found


def _candidates(conn: Connection, wanted: set[int]) -> dict[int, Candidate]:
    found = {}
    for part in chunks(sorted(wanted), 500):
        for read in rows_among(conn, ", ".join(_NEEDED), "posts", "n", part):
            row = read._mapping
            found[read.n] = candidate(row, tuple(unpack(read.quoted, ())))
    return found


_NEEDED = (
    "n",
    "group_n",
    "text",
    "quoted",
    "source_n",
    "thread",
    "context_brand",
    "reply_to_brand",
    "text_key",
    "uri_key",
)


def _by(found: Sequence[Candidate], key: str) -> dict[int, list[Candidate]]:
    table: dict[int, list[Candidate]] = {}
    for post in found:
        table.setdefault(getattr(post, key), []).append(post)
    return table


def _around(found: Sequence[Candidate]) -> ColumnElement[bool]:
    """Posts near enough in time to some of *found*, in one of their threads, or without a date."""
    dated = [post.n for post in found if is_dated(post.n)]
    threads = [post.thread[1] for post in found if post.thread]
    if len(dated) < len(found):  # an undated post may be a copy of any
        return and_(True)
    low, high = span(min(dated), WINDOW)[0], span(max(dated), WINDOW)[1]
    return or_(posts.c.n.between(low, high), posts.c.n <= LAST_ARRIVAL, posts.c.thread.in_(threads))


def _together(post: Candidate, row: Any) -> bool:
    return _close(post.n, row.n) or (bool(row.thread) and post.thread == (row.source_n, row.thread))


def _close(one: int, other: int) -> bool:
    if not (is_dated(one) and is_dated(other)):
        return True
    low, high = span(one, WINDOW)
    return low <= other <= high


class _Union:
    """Disjoint sets of numbers."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def add(self, n: int) -> None:
        self.parent.setdefault(n, n)

    def root(self, n: int) -> int:
        self.add(n)
        while self.parent[n] != n:
            self.parent[n] = self.parent[self.parent[n]]
            n = self.parent[n]
        return n

    def join(self, one: int, other: int) -> None:
        self.parent[self.root(one)] = self.root(other)

    def sets(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for n in list(self.parent):
            found.setdefault(self.root(n), set()).add(n)
        return found


def regroup(conn: Connection, groups: Iterable[set[int]]) -> set[int]:
    """Make one group of each set of groups; the first of each is given back."""
    firsts = set()
    for members in groups:
        inside = posts.c.group_n.in_(members)
        first = _first(conn, inside)
        assert first is not None
        conn.execute(update(posts).where(inside, posts.c.group_n != first).values(group_n=first))
        firsts.add(first)
    return firsts


def leave(conn: Connection, leaving: Sequence[int]) -> set[int]:
    """
    Take posts out of their groups, each alone; the groups they left get a new first, which are
    given back.
    """
    mine = posts.c.n.in_(leaving)
    groups = conn.execute(select(posts.c.group_n).where(mine).distinct()).scalars().all()
    firsts = set()
    for group in sorted(groups):
        staying = (posts.c.group_n == group) & ~mine
        if (first := _first(conn, staying)) is not None:
            conn.execute(update(posts).where(staying).values(group_n=first))
            firsts.add(first)
    conn.execute(update(posts).where(mine).values(group_n=posts.c.n))
    return firsts


def _first(conn: Connection, which: ColumnElement[bool]) -> int | None:
    """
    The post that was published first, then the lowest id: the order of arrival changes nothing.
    """
    undated = posts.c.published.is_(None)
    query = select(posts.c.n).where(which).order_by(undated, posts.c.published, posts.c.id).limit(1)
    return conn.execute(query).scalar_one_or_none()

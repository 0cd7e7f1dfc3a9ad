"""Posts and mentions as the rows of a dataset: columns, pseudonyms, splits."""

import hmac
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Protocol

import pyarrow as pa

from raccroche.post import iso
from raccroche.store import PostRow

UNDATED = "undated"
Row = dict[str, Any]

POSTS = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("platform", pa.string()),
        ("kind", pa.string()),
        ("published_at", pa.string()),
        ("day_only", pa.bool_()),
        ("author", pa.string()),
        ("thread", pa.string()),
        ("parent", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("rating", pa.float64()),
        ("context_brand", pa.string()),
        ("by_brand", pa.bool_()),
        ("reply_to_brand", pa.string()),
        ("group", pa.string()),
        ("is_copy", pa.bool_()),
        ("language", pa.string()),
        ("sentiment", pa.string()),
        ("phone_harassment", pa.bool_()),
        ("phone_harassment_probability", pa.float64()),
        ("testimony", pa.bool_()),
        ("topics", pa.list_(pa.string())),
        ("signals", pa.list_(pa.string())),
        ("calls_min", pa.float64()),
        ("calls_max", pa.float64()),
        ("calls_per", pa.string()),
        ("labeller", pa.string()),
        ("split", pa.string()),
    ]
)
MENTIONS = pa.schema(
    [
        ("post_id", pa.string()),
        ("published_at", pa.string()),
        ("brand", pa.string()),
        ("family", pa.string()),
        ("sentiment", pa.string()),
        ("harassment", pa.bool_()),
        ("harassment_probability", pa.float64()),
        ("role", pa.string()),
        ("inherited", pa.bool_()),
        ("is_copy", pa.bool_()),
        ("labeller", pa.string()),
        ("split", pa.string()),
    ]
)
SCHEMAS: Mapping[str, pa.Schema] = {"posts": POSTS, "mentions": MENTIONS}


class Author(Protocol):
    def __call__(self, pseudonym: str | None) -> str | None: ...


def same_pseudonym(pseudonym: str | None) -> str | None:
    return pseudonym


class Salted:
    """Pseudonyms that are stable inside one dataset and tell nothing across two."""

    def __init__(self, key: bytes, dataset: str) -> None:
        self._key = hmac.new(key, f"export\0{dataset}".encode(), sha256).digest()

    def __call__(self, pseudonym: str | None) -> str | None:
        if pseudonym is None:
            return None
        return "a_" + hmac.new(self._key, pseudonym.encode(), sha256).hexdigest()[:16]


class Splits:
    """
    train, dev or test (80/10/10) such that no author and no thread is in two of them.

    Authors and threads that share a post are one component (union-find over their hashes);
    a component goes where its smallest hash says.
    """

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    @classmethod
    def of(cls, rows: Iterable[PostRow]) -> "Splits":
        splits = cls()
        for row in rows:
            keys = splits._keys(row)
            for key in keys[1:]:
                splits._join(keys[0], key)
        return splits

    def __call__(self, row: PostRow) -> str:
        bucket = self._root(self._keys(row)[0]) % 10
        return "test" if bucket == 0 else "dev" if bucket == 1 else "train"

    @staticmethod
    def _keys(row: PostRow) -> list[int]:
        post = row.post
        names = [f"author {post.author}"] if post.author else []
        if post.thread:
            names.append(f"thread {post.source} {post.thread}")
        names.append(f"group {post.group}" if post.group else f"post {post.id}")
        return [int.from_bytes(sha256(name.encode()).digest()[:7], "big") for name in names]

    def _root(self, key: int) -> int:
        while (above := self._parent.setdefault(key, key)) != key:
            self._parent[key] = self._parent[above]
            key = above
        return key

    def _join(self, one: int, other: int) -> None:
        a, b = sorted((self._root(one), self._root(other)))
        self._parent[b] = a


def tables(
    rows: Iterable[PostRow], author: Author, splits: Splits | None
) -> Iterator[tuple[str, str, Row]]:
    """(table, month, row) for every post and every mention; month is YYYY-MM or `undated`."""
    for row in rows:
        month = row.post.published_at.strftime("%Y-%m") if row.post.published_at else UNDATED
        part = splits(row) if splits else None
        yield "posts", month, post_row(row, author, part)
        for mention in mention_rows(row, part):
            yield "mentions", month, mention


def post_row(row: PostRow, author: Author = same_pseudonym, split: str | None = None) -> Row:
    """A post as the `posts` table has it; label columns are empty where nobody labelled it."""
    post, labels = row.post, row.labels
    calls = (labels.facts.get("calls") or {}) if labels else {}
    return {
        "id": post.id,
        "source": post.source,
        "platform": post.platform,
        "kind": str(post.kind),
        "published_at": iso(post.published_at),
        "day_only": post.day_only,
        "author": author(post.author),
        "thread": post.thread,
        "parent": post.parent,
        "title": post.title,
        "text": post.text,
        "rating": post.rating,
        "context_brand": post.context_brand,
        "by_brand": post.by_brand,
        "reply_to_brand": post.reply_to_brand,
        "group": post.group,
        "is_copy": post.is_copy,
        "language": labels.language if labels else post.language,
        "sentiment": labels.sentiment if labels else None,
        "phone_harassment": labels.phone_harassment if labels else None,
        "phone_harassment_probability": (
            labels.probabilities.get("phone_harassment") if labels else None
        ),
        "testimony": labels.testimony if labels else None,
        "topics": list(labels.topics) if labels else [],
        "signals": list(labels.signals) if labels else [],
        "calls_min": calls.get("min"),
        "calls_max": calls.get("max"),
        "calls_per": calls.get("per"),
        "labeller": labels.labeller if labels else None,
        "split": split,
    }


def mention_rows(row: PostRow, split: str | None = None) -> Iterator[Row]:
    """The (post, brand) pairs of a post, as the `mentions` table has them."""
    if row.labels is None:
        return
    for mention in row.labels.mentions:
        yield {
            "post_id": row.post.id,
            "published_at": iso(row.post.published_at),
            "brand": mention.brand,
            "family": mention.family,
            "sentiment": mention.sentiment,
            "harassment": mention.harassment,
            "harassment_probability": mention.probability,
            "role": mention.role,
            "inherited": mention.inherited,
            "is_copy": row.post.is_copy,
            "labeller": row.labels.labeller,
            "split": split,
        }

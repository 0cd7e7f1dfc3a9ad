"""Posts and labels as rows, and back: numbers, days and texts as the tables hold them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, ColumnElement, Connection, Row, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from raccroche.errors import StoreError
from raccroche.post import Kind, Labels, Mention, Post
from raccroche.store.records import StoredPost
from raccroche.store.tables import SENTIMENTS, UNDATED, authors, labellers, posts, sources

_T = TypeVar("_T")

PARIS = ZoneInfo("Europe/Paris")
_EPOCH = date(1970, 1, 1)
_FIRST_MINUTE = datetime(1990, 1, 1, tzinfo=UTC)
# A post's number is its minute since 1990 and its order of arrival: numbers sort by time, in every
# index, and stay
# exact in JavaScript (53 bits). 134 million posts, until the year 2117.
_ARRIVALS = 27
_FIRST_DATED = 1 << _ARRIVALS
LAST_ARRIVAL = _FIRST_DATED - 1


def number(published: datetime | None, seq: int) -> int:
    """The number of a post that arrived as the *seq*-th."""
    if seq > LAST_ARRIVAL:
        raise StoreError(f"the store holds {LAST_ARRIVAL:,} posts at most")
    return (_minute(published) << _ARRIVALS) | seq


def numbers_between(start: date | None, end: date | None) -> tuple[int | None, int | None]:
    """The half-open range of numbers of the posts of these days; None leaves an end open.

    With either end, posts without a date are out.
    """
    if start is None and end is None:
        return None, None
    low = _FIRST_DATED if start is None else _minute(_midnight(start)) << _ARRIVALS
    if end is None or end == date.max:
        return low, None
    return low, _minute(_midnight(end + timedelta(days=1))) << _ARRIVALS


def span(post_n: int, days: int) -> tuple[int, int]:
    """The numbers within *days* of a post, before and after."""
    width = (days * 24 * 60) << _ARRIVALS
    return post_n - width, post_n + width


def is_dated(post_n: int) -> bool:
    return post_n >= _FIRST_DATED


def _minute(moment: datetime | None) -> int:
    if moment is None:
        return 0
    return max(1, int((moment - _FIRST_MINUTE).total_seconds() // 60))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)


def day_of(moment: datetime | None) -> int:
    """Days since 1970 in Europe/Paris; as written at the very ends of the calendar."""
    if moment is None:
        return UNDATED
    try:
        return day_number(moment.astimezone(PARIS).date())
    except OverflowError:
        return day_number(moment.date())


def day_number(day: date) -> int:
    return (day - _EPOCH).days


def date_of(day: int) -> date | None:
    return None if day == UNDATED else _EPOCH + timedelta(days=day)


@lru_cache(100_000)
def month_of(day: int) -> int:
    """Months since year 0; 0 for undated posts."""
    if day == UNDATED:
        return 0
    found = _EPOCH + timedelta(days=day)
    return found.year * 12 + found.month - 1


def micros(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds


def moment(value: int | None) -> datetime | None:
    return (
        None if value is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
    )


def now() -> int:
    found = micros(datetime.now(UTC))
    assert found is not None
    return found


def clean(text: str) -> str:
    """
    Text that both databases can hold: NUL and lone surrogates become U+FFFD; nothing else changes.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)


def pack(value: Mapping[str, Any] | Sequence[Any]) -> str | None:
    """JSON; None for what is empty."""
    return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) if value else None


def unpack(value: str | None, empty: Any) -> Any:
    return empty if value is None else json.loads(value)


def hashed(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def key64(value: str) -> int:
    """A signed 64-bit key of a text."""
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def insert_into(conn: Connection, table: Table) -> Any:
    """
    An INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`, in the dialect of *conn*.
    """
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def among(conn: Connection, column: ColumnElement[_T], values: Sequence[_T]) -> ColumnElement[bool]:
    """
    `column in values`, the values as one parameter: SQLAlchemy writes a list anew at each call,
    and the database reads it anew.
    """
    if conn.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == func.any(bindparam(None, list(values), ARRAY(column.type)))


def rows_among(
    conn: Connection, columns: str, table: str, column: str, values: Sequence[int] | Sequence[str]
) -> Sequence[Any]:
    """
    *columns* of the rows of *table* whose *column* is one of *values*, in the driver's own words:
    what every page asks, at a tenth of the cost of a statement built anew. Names are ours.
    """
    if conn.dialect.name == "sqlite":
        which, listed = f"{column} in (select value from json_each(?))", json.dumps(list(values))
        return conn.exec_driver_sql(f"select {columns} from {table} where {which}", (listed,)).all()
    which = f"{column} = any(%s)"
    found = conn.exec_driver_sql(f"select {columns} from {table} where {which}", (list(values),))
    return found.all()


def numbered(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> dict[Any, int]:
    """
    The surrogate keys of small rows, made where absent, by their *keys* (a value, or a tuple of
    values).
    """
    wanted = sorted({tuple(row[key] for key in keys) for row in rows})
    found = _numbers(conn, table, wanted, keys)
    full = {tuple(row[key] for key in keys): row for row in rows}
    missing = [dict(full[key]) for key in wanted if key not in found]
    if missing:
        conn.execute(insert_into(conn, table).on_conflict_do_nothing(), missing)
        found |= _numbers(conn, table, [tuple(row[key] for key in keys) for row in missing], keys)
    return {key[0] if len(keys) == 1 else key: n for key, n in found.items()}


def _numbers(
    conn: Connection, table: Table, wanted: list[Any], keys: Sequence[str]
) -> dict[Any, int]:
    columns = ", ".join(("n", *keys))
    found: dict[Any, int] = {}
    for chunk in chunks(sorted({key[0] for key in wanted}), 1000):
        listed = rows_among(conn, columns, table.name, keys[0], chunk)
        found |= {tuple(row[1:]): row[0] for row in listed}
    return {key: found[key] for key in wanted if key in found}


def chunks(values: Sequence[_T], size: int) -> list[Sequence[_T]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def post_row(post: Post) -> dict[str, Any]:
    """The columns of a post that depend on nothing else in the store."""
    return {
        "id": clean(post.id),
        "via": post.via,
        "kind": str(post.kind),
        "published": micros(post.published_at),
        "edited": micros(post.edited_at),
        "day": day_of(post.published_at),
        "day_only": post.day_only,
        "title": _clean(post.title),
        "text": clean(post.text),
        "url": _clean(post.url),
        "uri": _clean(post.uri),
        "parent": _clean(post.parent),
        "thread": _clean(post.thread),
        "thread_title": _clean(post.thread_title),
        "rating": post.rating,
        "engagement": pack(post.engagement),
        "language": post.language,
        "context_brand": _clean(post.context_brand),
        "by_brand": post.by_brand,
        "author_brand": _clean(post.author_brand),
        "reply_to_brand": _clean(post.reply_to_brand),
        "quoted": pack(post.quoted),
        "uri_key": key64(post.uri) if post.uri else None,
    }


_first = posts.alias("first")
_members = posts.alias("members")
_copies = (
    select(func.count() - 1)
    .where(_members.c.group_n == posts.c.group_n)
    .correlate(posts)
    .scalar_subquery()
)
POST_COLUMNS = (
    *posts.c,
    sources.c.source,
    sources.c.platform,
    authors.c.name.label("author"),
    select(_first.c.id)
    .where(_first.c.n == posts.c.group_n)
    .correlate(posts)
    .scalar_subquery()
    .label("group_id"),
    _copies.label("copies"),
)
POSTS_FROM = posts.join(sources, sources.c.n == posts.c.source_n).outerjoin(
    authors, authors.c.n == posts.c.author_n
)


def stored_post(row: Row[Any]) -> StoredPost:
    """A row of `POST_COLUMNS` as a post."""
    return StoredPost(
        source=row.source,
        platform=row.platform,
        native_id=row.id[len(row.source) + 1 :],
        text=row.text,
        kind=Kind(row.kind),
        author=row.author,
        published_at=moment(row.published),
        day_only=row.day_only,
        title=row.title,
        url=row.url,
        uri=row.uri,
        parent=row.parent,
        thread=row.thread,
        thread_title=row.thread_title,
        rating=row.rating,
        engagement=unpack(row.engagement, {}),
        language=row.language,
        edited_at=moment(row.edited),
        context_brand=row.context_brand,
        by_brand=row.by_brand,
        author_brand=row.author_brand,
        reply_to_brand=row.reply_to_brand,
        quoted=tuple(unpack(row.quoted, ())),
        via=row.via,
        n=row.n,
        seq=row.seq,
        group=row.group_id,
        copies=row.copies,
        added_at=moment(row.added),
    )


def label_row(labels: Labels) -> dict[str, Any]:
    return {
        "sentiment": SENTIMENTS.index(labels.sentiment),
        "harassment": labels.phone_harassment,
        "testimony": labels.testimony,
        "relation": labels.relation,
        "topics": pack(labels.topics),
        "signals": pack(labels.signals),
        "facts": pack(labels.facts),
        "probabilities": pack(labels.probabilities),
        "spans": pack(labels.spans),
        "language": labels.language,
        "language_probability": labels.language_probability,
        "refused": labels.refused,
        "at": now(),
    }


def stored_labels(row: Row[Any], post_id: str, labeller: str, found: Sequence[Mention]) -> Labels:
    """A row of the labels table, with its mentions, as labels."""
    return Labels(
        post_id=post_id,
        labeller=labeller,
        sentiment=SENTIMENTS[row.sentiment],
        phone_harassment=row.harassment,
        testimony=row.testimony,
        topics=tuple(unpack(row.topics, ())),
        signals=tuple(unpack(row.signals, ())),
        mentions=tuple(found),
        facts=unpack(row.facts, {}),
        probabilities=unpack(row.probabilities, {}),
        spans=tuple((start, end, why) for start, end, why in unpack(row.spans, ())),
        language=row.language,
        language_probability=row.language_probability,
        relation=row.relation,
        refused=row.refused,
    )


def labeller_number(conn: Connection, name: str) -> int | None:
    """The number of a labeller; None for one that has labelled nothing."""
    return conn.execute(
        select(labellers.c.n).where(labellers.c.name == clean(name))
    ).scalar_one_or_none()

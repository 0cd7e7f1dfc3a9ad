"""
What people add beside labels: the review queue, alerts, exports, official figures and settings.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, select, update

from raccroche.errors import StoreError
from raccroche.store.labelling import post_numbers
from raccroche.store.records import Alert, ExportRecord, ReviewItem, SeriesValue, StoredPost
from raccroche.store.rows import (
    POST_COLUMNS,
    POSTS_FROM,
    clean,
    insert_into,
    micros,
    moment,
    now,
    stored_post,
)
from raccroche.store.tables import (
    alerts,
    assignments,
    exports,
    labellers,
    labels,
    posts,
    review,
    series,
    settings,
)

QUEUES = ("random", "uncertain", "reported")  # only the random one estimates accuracy
ALERT_STATES = ("nouvelle", "vue", "expliquee", "fausse")
ADJUDICATED = "human:adjudicated"
_EACH = 2  # people a post
_KEPT = 24 * 3600 * 1_000_000  # microseconds that a post is kept for the person who was shown it


def add_review(conn: Connection, queue: str, post_ids: Sequence[str], reason: str) -> int:
    """Put posts in a queue; how many were not in it."""
    if queue not in QUEUES:
        raise StoreError(f"a review queue is one of {', '.join(QUEUES)}, not {queue!r}")
    numbers = post_numbers(conn, [clean(one) for one in post_ids])
    rows = [
        {"queue": queue, "post_n": n, "reason": reason, "added": now()} for n in numbers.values()
    ]
    if not rows:
        return 0
    statement = insert_into(conn, review).on_conflict_do_nothing().returning(review.c.post_n)
    return len(conn.execute(statement, rows).all())


def next_review(conn: Connection, annotator: str, queue: str | None) -> StoredPost | None:
    """
    The next post for a person: the one they were shown and left, else one that fewer than two
    others have.
    """
    name = annotator.removeprefix("human:")
    since = now() - _KEPT
    query = (
        select(*POST_COLUMNS)
        .select_from(POSTS_FROM.join(review, review.c.post_n == posts.c.n))
        .where(~_labelled_by(f"human:{name}"), _taken(name, since) < _EACH)
        .order_by(_shown_to(name).desc(), review.c.added, review.c.post_n)
        .limit(1)
    )
    if queue is not None:
        query = query.where(review.c.queue == queue)
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    statement = insert_into(conn, assignments).values(post_n=row.n, annotator=name, at=now())
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["post_n", "annotator"], set_={"at": statement.excluded.at}
        )
    )
    return stored_post(row)


def _labelled_by(name: str) -> ColumnElement[bool]:
    return exists().where(
        labels.c.post_n == review.c.post_n,
        labels.c.labeller_n == labellers.c.n,
        labellers.c.name == name,
    )


def _shown_to(name: str) -> Any:
    mine = exists().where(assignments.c.post_n == review.c.post_n, assignments.c.annotator == name)
    return func.coalesce(select(1).where(mine).scalar_subquery(), 0)


def _taken(name: str, since: int) -> Any:
    """How many others have labelled a post of the queue, or are looking at it."""
    done = (
        select(func.count())
        .select_from(labels.join(labellers, labellers.c.n == labels.c.labeller_n))
        .where(
            labels.c.post_n == review.c.post_n, labellers.c.human, labellers.c.name != ADJUDICATED
        )
        .scalar_subquery()
    )
    labelled = exists().where(
        labels.c.post_n == assignments.c.post_n,
        labels.c.labeller_n == labellers.c.n,
        labellers.c.name == "human:" + assignments.c.annotator,
    )
    looking = (
        select(func.count())
        .where(
            assignments.c.post_n == review.c.post_n,
            assignments.c.annotator != name,
            assignments.c.at > since,
            ~labelled,
        )
        .scalar_subquery()
    )
    return done + looking


def review_items(conn: Connection, queue: str | None) -> list[ReviewItem]:
    """The queue in the order it was filled."""
    query = (
        select(review, posts.c.id)
        .join(posts, posts.c.n == review.c.post_n)
        .order_by(review.c.added, review.c.post_n, review.c.queue)
    )
    if queue is not None:
        query = query.where(review.c.queue == queue)
    who = _annotators(conn)
    return [
        ReviewItem(
            post_id=row.id,
            queue=row.queue,
            reason=row.reason,
            annotators=tuple(name for name in who.get(row.post_n, ()) if name != ADJUDICATED),
            adjudicated=ADJUDICATED in who.get(row.post_n, ()),
        )
        for row in conn.execute(query)
    ]


def _annotators(conn: Connection) -> dict[int, list[str]]:
    query = (
        select(labels.c.post_n, labellers.c.name)
        .join(labellers, labellers.c.n == labels.c.labeller_n)
        .where(labellers.c.human, labels.c.post_n.in_(select(review.c.post_n)))
        .order_by(labellers.c.name)
    )
    found: dict[int, list[str]] = {}
    for n, name in conn.execute(query):
        found.setdefault(n, []).append(name)
    return found


def add_alerts(conn: Connection, given: Sequence[Alert]) -> int:
    """
    Store alerts; a known (brand, signal, period) gets the new figures and keeps its state and what
    was sent.
    """
    new = 0
    for alert in given:
        key = and_(
            alerts.c.brand == alert.brand,
            alerts.c.signal == alert.signal,
            alerts.c.period == alert.period,
        )
        row = asdict(alert) | {"sent": json.dumps(alert.sent), "at": now()}
        del row["n"]
        figures = ("observed", "expected", "bound", "posts", "authors", "repost_share")
        changed = conn.execute(
            update(alerts).where(key).values({name: row[name] for name in figures})
        )
        if changed.rowcount == 0:
            conn.execute(insert(alerts).values(row))
            new += 1
    return new


def read_alerts(conn: Connection, state: str | None, limit: int) -> list[Alert]:
    """The latest first."""
    query = select(alerts).order_by(alerts.c.at.desc(), alerts.c.n.desc()).limit(limit)
    if state is not None:
        query = query.where(alerts.c.state == state)
    return [_alert(row) for row in conn.execute(query)]


def _alert(row: Row[Any]) -> Alert:
    values = dict(row._mapping)
    return Alert(**values | {"sent": tuple(json.loads(row.sent)), "at": moment(row.at)})


def set_alert(
    conn: Connection, n: int, *, state: str | None, sent: Sequence[str] | None, note: str | None
) -> None:
    """Change the state, the note, or the channels an alert went out by (added to those before)."""
    if state is not None and state not in ALERT_STATES:
        raise StoreError(f"an alert is {', '.join(ALERT_STATES)}, not {state!r}")
    row = conn.execute(select(alerts).where(alerts.c.n == n).with_for_update()).one_or_none()
    if row is None:
        raise StoreError(f"there is no alert {n}")
    channels = [*dict.fromkeys([*json.loads(row.sent), *(sent or ())])]
    values = {
        "state": state or row.state,
        "sent": json.dumps(channels),
        "note": row.note if note is None else note,
    }
    conn.execute(update(alerts).where(alerts.c.n == n).values(values))


def add_export(conn: Connection, export: ExportRecord) -> int:
    """Keep what was exported, as made at *export.at*, or now where that is not told."""
    record = asdict(export)
    del record["at"], record["n"]
    record["query"] = dict(export.query)
    packed = json.dumps(record, ensure_ascii=False, default=str)
    made = micros(export.at) or now()
    row = insert(exports).values(at=made, record=packed).returning(exports.c.n)
    return int(conn.execute(row).scalar_one())


def read_exports(conn: Connection, limit: int) -> list[ExportRecord]:
    """The latest first."""
    query = select(exports).order_by(exports.c.n.desc()).limit(limit)
    return [
        ExportRecord(**json.loads(row.record), at=moment(row.at), n=row.n)
        for row in conn.execute(query)
    ]


def put_series(conn: Connection, rows: Iterable[SeriesValue]) -> int:
    """Store official figures; a corrected figure replaces the old one."""
    given = [asdict(row) for row in rows]
    if not given:
        return 0
    statement = insert_into(conn, series)
    corrected = {"value": statement.excluded.value, "unit": statement.excluded.unit}
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["series", "period", "source"], set_=corrected
        ),
        given,
    )
    return len(given)


def read_series(conn: Connection, name: str | None) -> list[SeriesValue]:
    query = select(series).order_by(series.c.series, series.c.period, series.c.source)
    if name is not None:
        query = query.where(series.c.series == name)
    return [
        SeriesValue(row.series, row.period, row.value, row.unit, row.source)
        for row in conn.execute(query)
    ]


def setting(conn: Connection, key: str, default: Any) -> Any:
    value = conn.execute(select(settings.c.value).where(settings.c.key == key)).scalar_one_or_none()
    return default if value is None else json.loads(value)


def set_setting(conn: Connection, key: str, value: Any) -> None:
    statement = insert_into(conn, settings).values(
        key=key, value=json.dumps(value, ensure_ascii=False)
    )
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["key"], set_={"value": statement.excluded.value}
        )
    )

"""Labels in, and the queue of posts that still lack them."""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, select, update

from raccroche.post import Labels, Mention
from raccroche.store.locks import hold
from raccroche.store.records import Labeller, StoredPost
from raccroche.store.rows import (
    POST_COLUMNS,
    POSTS_FROM,
    chunks,
    clean,
    insert_into,
    label_row,
    labeller_number,
    moment,
    now,
    numbered,
    stored_labels,
    stored_post,
)
from raccroche.store.tables import (
    SENTIMENTS,
    brands,
    claims,
    counters,
    counts,
    labellers,
    labels,
    marks,
    mentions,
    posts,
    terms,
)
from raccroche.store.tally import Tally, tally, term_numbers, terms_of


def add_labels(conn: Connection, given: Sequence[Labels]) -> int:
    """Store the labels of posts that exist; how many are new (or, for a person, changed)."""
    if not given:
        return 0
    hold(conn, shared=True)
    by_labeller: dict[str, dict[str, Labels]] = {}
    for one in given:
        by_labeller.setdefault(one.labeller, {})[clean(one.post_id)] = one
    tallied = Tally()
    added = sum(_add(conn, name, by_labeller[name], tallied) for name in sorted(by_labeller))
    tallied.write(conn)
    return added


def is_human(labeller: str) -> bool:
    return labeller.startswith("human:")


def _add(conn: Connection, labeller: str, given: dict[str, Labels], tallied: Tally) -> int:
    labeller_n = known_labeller(conn, labeller)
    numbers = post_numbers(conn, list(given))
    by_n = {numbers[post_id]: one for post_id, one in given.items() if post_id in numbers}
    if is_human(labeller):
        by_n = _changed(conn, labeller_n, by_n)
        remove_labels(conn, list(by_n), tallied, labeller_n=labeller_n)
    new = _insert(conn, labeller_n, by_n)
    _count_labelled(conn, labeller_n, len(new))
    _add_mentions(conn, labeller_n, new)
    _add_marks(conn, labeller_n, new)
    tally(conn, tallied, new, sign=1, labeller_n=labeller_n)
    if not is_human(labeller):
        _advance(conn, labeller_n)
        conn.execute(
            claims.delete().where(
                claims.c.labeller_n == labeller_n, claims.c.post_n.in_(list(by_n))
            )
        )
    return len(new)


def known_labeller(conn: Connection, name: str) -> int:
    """The number of a labeller, made if it is new."""
    row = {"name": name, "human": is_human(name), "done_seq": 0, "posts": 0}
    return (
        numbered(conn, labellers, [row], ("name",))[name]
        if not labeller_number(conn, name)
        else _number(conn, name)
    )


def _number(conn: Connection, name: str) -> int:
    found = labeller_number(conn, name)
    assert found is not None
    return found


def post_numbers(conn: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The numbers of the posts with these ids; absent ids are left out."""
    found: dict[str, int] = {}
    for part in chunks(ids, 1000):
        found |= {
            row.id: row.n
            for row in conn.execute(select(posts.c.id, posts.c.n).where(posts.c.id.in_(part)))
        }
    return found


def _changed(conn: Connection, labeller_n: int, by_n: dict[int, Labels]) -> dict[int, Labels]:
    """Those that differ from what is stored."""
    stored = {
        found.post_id: found
        for found in read_labels(conn, labels.c.labeller_n == labeller_n, list(by_n))
    }
    return {n: one for n, one in by_n.items() if stored.get(one.post_id) != one}


def _insert(conn: Connection, labeller_n: int, by_n: dict[int, Labels]) -> dict[int, Labels]:
    rows = [
        {"post_n": n, "labeller_n": labeller_n, **label_row(one)} for n, one in sorted(by_n.items())
    ]
    if not rows:
        return {}
    statement = insert_into(conn, labels).on_conflict_do_nothing().returning(labels.c.post_n)
    return {n: by_n[n] for n in conn.execute(statement, rows).scalars()}


def _add_mentions(conn: Connection, labeller_n: int, new: dict[int, Labels]) -> None:
    found = [(n, one_each(one.mentions)) for n, one in new.items()]
    named = [mention for _, each in found for mention in each]
    if not named:
        return
    rows = [{"name": clean(mention.brand), "family": mention.family} for mention in named]
    number = numbered(conn, brands, rows, ("name",))
    _keep_families(conn, named)
    conn.execute(
        insert(mentions),
        [
            {
                "post_n": n,
                "labeller_n": labeller_n,
                "brand_n": number[clean(mention.brand)],
                **_mention_row(mention, at),
            }
            for n, each in found
            for at, mention in enumerate(each)
        ],
    )


def one_each(given: Iterable[Mention]) -> list[Mention]:
    """One mention a brand: the one that accuses, else the first."""
    kept: dict[str, Mention] = {}
    for mention in given:
        if mention.brand not in kept or (mention.harassment and not kept[mention.brand].harassment):
            kept[mention.brand] = mention
    return list(kept.values())


def _mention_row(mention: Mention, position: int) -> dict[str, Any]:
    return {
        "position": position,
        "sentiment": SENTIMENTS.index(mention.sentiment),
        "harassment": mention.harassment,
        "role": mention.role,
        "inherited": mention.inherited,
        "probability": mention.probability,
    }


def _keep_families(conn: Connection, named: Sequence[Mention]) -> None:
    families = {clean(mention.brand): mention.family for mention in named if mention.family}
    if not families:
        return
    query = select(brands.c.name, brands.c.family).where(brands.c.name.in_(list(families)))
    for name, family in conn.execute(query).all():
        if family != families[name]:
            conn.execute(update(brands).where(brands.c.name == name).values(family=families[name]))


def _add_marks(conn: Connection, labeller_n: int, new: dict[int, Labels]) -> None:
    told = {n: terms_of(SimpleNamespace(**label_row(one))) for n, one in new.items()}
    rows = [{"kind": kind, "name": name} for pairs in told.values() for kind, name in pairs]
    if not rows:
        return
    known = term_numbers(conn)
    if any((row["kind"], row["name"]) not in known for row in rows):
        known = numbered(conn, terms, rows, ("kind", "name"))
    keys = sorted((known[pair], n) for n, pairs in told.items() for pair in pairs)
    conn.execute(
        insert(marks),
        [{"labeller_n": labeller_n, "term_n": term_n, "post_n": n} for term_n, n in keys],
    )


def _advance(conn: Connection, labeller_n: int) -> None:
    """Remember up to which arrival everything is labelled: the queue starts there."""
    done = conn.execute(
        select(labellers.c.done_seq).where(labellers.c.n == labeller_n)
    ).scalar_one()
    query = (
        select(posts.c.seq)
        .where(posts.c.seq > done, ~_labelled(labeller_n))
        .order_by(posts.c.seq)
        .limit(1)
    )
    first = conn.execute(query).scalar_one_or_none()
    if first is None:
        first = conn.execute(select(func.coalesce(func.max(posts.c.seq), 0))).scalar_one() + 1
    if first - 1 > done:
        conn.execute(
            update(labellers).where(labellers.c.n == labeller_n).values(done_seq=first - 1)
        )


def _labelled(labeller_n: int) -> ColumnElement[bool]:
    return exists().where(labels.c.post_n == posts.c.n, labels.c.labeller_n == labeller_n)


def remove_labels(
    conn: Connection,
    numbers: Sequence[int],
    tallied: Tally,
    *,
    labeller_n: int | None = None,
    models_only: bool = False,
) -> int:
    """
    Remove labels of posts, with their mentions and marks; what they counted for is taken from
    *tallied*.
    """
    removed = 0
    known = term_numbers(conn)
    for part in chunks(numbers, 500):
        which: ColumnElement[bool] = labels.c.post_n.in_(part)
        if labeller_n is not None:
            which &= labels.c.labeller_n == labeller_n
        if models_only:
            which &= labels.c.labeller_n.in_(select(labellers.c.n).where(~labellers.c.human))
        rows = conn.execute(select(labels).where(which)).all()
        for one in sorted({row.labeller_n for row in rows}):
            own = [row for row in rows if row.labeller_n == one]
            tally(conn, tallied, [row.post_n for row in own], sign=-1, labeller_n=one)
            _remove(conn, one, own, known)
        removed += len(rows)
    return removed


def _remove(
    conn: Connection, labeller_n: int, rows: Sequence[Any], known: dict[tuple[str, str], int]
) -> None:
    numbers = [row.post_n for row in rows]
    by_term: dict[int, list[int]] = {}
    for row in rows:
        for term in terms_of(row):
            by_term.setdefault(known[term], []).append(row.post_n)
    for term_n, own in by_term.items():
        conn.execute(
            marks.delete().where(
                marks.c.labeller_n == labeller_n, marks.c.term_n == term_n, marks.c.post_n.in_(own)
            )
        )
    for table in (mentions, labels):
        conn.execute(
            table.delete().where(table.c.labeller_n == labeller_n, table.c.post_n.in_(numbers))
        )
    _count_labelled(conn, labeller_n, -len(numbers))


def drop_labels(conn: Connection, labeller: str) -> int:
    """Forget everything one labeller said."""
    hold(conn)
    labeller_n = labeller_number(conn, labeller)
    if labeller_n is None:
        return 0
    removed = conn.execute(labels.delete().where(labels.c.labeller_n == labeller_n)).rowcount
    for table in (mentions, marks, counts, claims):
        conn.execute(table.delete().where(table.c.labeller_n == labeller_n))
    conn.execute(update(labellers).where(labellers.c.n == labeller_n).values(done_seq=0, posts=0))
    return removed


def unlabelled(
    conn: Connection,
    labeller: str,
    limit: int,
    *,
    after: int | None = None,
    unclaimed_at: int | None = None,
) -> list[StoredPost]:
    """Posts on which *labeller* has not spoken, in the order of arrival."""
    row = conn.execute(
        select(labellers.c.n, labellers.c.done_seq).where(labellers.c.name == labeller)
    ).one_or_none()
    start = max(row.done_seq if row else 0, after or 0)
    waiting: ColumnElement[bool] = posts.c.seq > start
    if row:
        waiting &= ~_labelled(row.n)
    if row and unclaimed_at is not None:
        waiting &= ~exists().where(
            claims.c.labeller_n == row.n,
            claims.c.post_n == posts.c.n,
            claims.c.until > unclaimed_at,
        )
    query = (
        select(*POST_COLUMNS)
        .select_from(POSTS_FROM)
        .where(waiting)
        .order_by(posts.c.seq)
        .limit(limit)
    )
    return [stored_post(found) for found in conn.execute(query)]


def claim(
    conn: Connection, labeller: str, limit: int, *, after: int | None, seconds: float
) -> list[StoredPost]:
    """`unlabelled`, kept from every other process that claims, for *seconds*."""
    labeller_n = known_labeller(conn, labeller)
    conn.execute(select(labellers.c.n).where(labellers.c.n == labeller_n).with_for_update())
    at = now()
    conn.execute(claims.delete().where(claims.c.labeller_n == labeller_n, claims.c.until <= at))
    found = unlabelled(conn, labeller, limit, after=after, unclaimed_at=at)
    if found:
        until = at + int(seconds * 1_000_000)
        conn.execute(
            insert(claims),
            [{"labeller_n": labeller_n, "post_n": post.n, "until": until} for post in found],
        )
    return found


def drop_claims(conn: Connection, labeller: str, numbers: Sequence[int] | None = None) -> None:
    """Free what *labeller* claimed: all of it, or these posts."""
    own = claims.c.labeller_n == labeller_number(conn, labeller)
    if numbers is None:
        conn.execute(claims.delete().where(own))
        return
    for part in chunks(numbers, 500):
        conn.execute(claims.delete().where(own, claims.c.post_n.in_(part)))


def read_labels(
    conn: Connection, which: ColumnElement[bool], numbers: Sequence[int]
) -> list[Labels]:
    """
    The labels of these posts that match *which* (a condition on the labels table), with their
    mentions.
    """
    found: list[Labels] = []
    for part in chunks(numbers, 500):
        found += _read_part(conn, and_(which, labels.c.post_n.in_(part)))
    return found


def _read_part(conn: Connection, which: ColumnElement[bool]) -> list[Labels]:
    query = (
        select(labels, posts.c.id.label("post_id"), labellers.c.name.label("labeller"))
        .join(posts, posts.c.n == labels.c.post_n)
        .join(labellers, labellers.c.n == labels.c.labeller_n)
        .where(which)
        .order_by(labels.c.post_n, labels.c.labeller_n)
    )
    rows = conn.execute(query).all()
    named = _named(conn, sorted({row.post_n for row in rows}))
    return [
        stored_labels(row, row.post_id, row.labeller, named.get((row.post_n, row.labeller_n), ()))
        for row in rows
    ]


def _named(conn: Connection, numbers: Sequence[int]) -> dict[tuple[int, int], list[Mention]]:
    query = (
        select(mentions, brands.c.name, brands.c.family)
        .join(brands, brands.c.n == mentions.c.brand_n)
        .where(mentions.c.post_n.in_(numbers))
        .order_by(mentions.c.position)
    )
    found: dict[tuple[int, int], list[Mention]] = {}
    for row in conn.execute(query):
        mention = Mention(
            brand=row.name,
            sentiment=SENTIMENTS[row.sentiment],
            harassment=row.harassment,
            role=row.role,
            inherited=row.inherited,
            probability=row.probability,
            family=row.family,
        )
        found.setdefault((row.post_n, row.labeller_n), []).append(mention)
    return found


def labels_of(conn: Connection, post_id: str) -> list[Labels]:
    numbers = post_numbers(conn, [post_id])
    return read_labels(conn, and_(True), list(numbers.values()))


def labels_by(conn: Connection, labeller: str, limit: int | None) -> list[Labels]:
    """What a labeller said, by time of the post; `human:` stands for all people."""
    own = labellers.c.human if labeller == "human:" else labellers.c.name == labeller
    chosen = select(labellers.c.n).where(own)
    # each labelled post has a mark, at least of its relation, and marks are in order of labellers
    query = (
        select(marks.c.post_n)
        .where(marks.c.labeller_n.in_(chosen))
        .distinct()
        .order_by(marks.c.post_n)
    )
    numbers = conn.execute(query.limit(limit)).scalars().all()
    return read_labels(conn, labels.c.labeller_n.in_(chosen), numbers)


def known_labellers(conn: Connection) -> list[Labeller]:
    """Who labelled, the latest first."""
    query = select(labellers).where(labellers.c.posts > 0).order_by(labellers.c.last_at.desc())
    return [
        Labeller(row.name, row.human, row.posts, moment(row.first_at), moment(row.last_at))
        for row in conn.execute(query)
    ]


def _count_labelled(conn: Connection, labeller_n: int, more: int) -> None:
    """Keep how many posts a labeller has spoken on, and when it first and last did."""
    values: dict[str, Any] = {"posts": labellers.c.posts + more}
    if more > 0:
        values |= {"first_at": func.coalesce(labellers.c.first_at, now()), "last_at": now()}
    conn.execute(update(labellers).where(labellers.c.n == labeller_n).values(values))


def touch(conn: Connection) -> None:
    """Say that the data changed; the last statement of a write."""
    conn.execute(
        update(counters).where(counters.c.name == "version").values(value=counters.c.value + 1)
    )

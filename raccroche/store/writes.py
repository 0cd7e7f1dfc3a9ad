"""Posts in: one page, its cursor and its queue in one transaction; and posts out."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from raccroche.post import Added, Post, Request
from raccroche.store import duplicates
from raccroche.store.labelling import post_numbers, remove_labels
from raccroche.store.locks import hold
from raccroche.store.rows import (
    among,
    chunks,
    clean,
    hashed,
    insert_into,
    key64,
    now,
    number,
    numbered,
    post_row,
    unpack,
)
from raccroche.store.tables import (
    arrivals,
    assignments,
    authors,
    brands,
    claims,
    counters,
    cursors,
    edits,
    labellers,
    mentions,
    pending,
    posts,
    review,
    sources,
    suppressions,
)
from raccroche.store.tally import Tally, tally


@dataclass(frozen=True, slots=True)
class Page:
    """What one write brings."""

    via: str
    posts: Sequence[Post] = ()
    cursor: Mapping[str, str] | None = None
    done: Request | None = None
    pending: Sequence[Request] = ()
    deleted: Sequence[str] = ()


def add_page(conn: Connection, page: Page, *, near: bool) -> Added:
    """
    Store what is new, note what was edited, remove what is gone, move the cursor: all of it or
    nothing.
    """
    hold(conn)
    given = {
        clean(post.id): post if post.via == page.via else replace(post, via=page.via)
        for post in page.posts
    }
    given = _allowed(conn, given)
    stored = _stored(conn, list(given))
    new = {post_id: post for post_id, post in given.items() if post_id not in stored}
    edited = {
        post_id: post for post_id, post in given.items() if _differs(post, stored.get(post_id))
    }
    tallied = Tally()
    leaving = post_numbers(conn, [clean(post_id) for post_id in page.deleted])
    gone, _ = remove_posts(conn, list(leaving.values()), tallied)
    fresh = _insert(conn, new) + _edit(conn, edited, stored, tallied)
    _group(conn, fresh, tallied, near=near)
    tallied.write(conn)
    set_cursor(conn, page.via, page.cursor or {})
    _queue(conn, page)
    return Added(
        new=len(new),
        known=len(stored) - len(edited),
        edited=len(edited),
        deleted=gone,
        new_ids=tuple(new),
    )


def _allowed(conn: Connection, given: dict[str, Post]) -> dict[str, Post]:
    """Less what may not come back: erased posts, addresses and authors."""
    if conn.execute(select(suppressions.c.kind).limit(1)).first() is None:
        return given  # nothing was ever erased or objected to: nothing to hash
    keys = {post_id: suppression_keys(post) for post_id, post in given.items()}
    wanted = sorted({digest for found in keys.values() for _, digest in found})
    refused: set[tuple[str, str]] = set()
    for part in chunks(wanted, 1000):
        query = select(suppressions.c.kind, suppressions.c.hash).where(
            among(conn, suppressions.c.hash, part)
        )
        refused |= {(row.kind, row.hash) for row in conn.execute(query)}
    if not refused:
        return given
    return {
        post_id: post for post_id, post in given.items() if not refused.intersection(keys[post_id])
    }


def suppression_keys(post: Post) -> list[tuple[str, str]]:
    """The (kind, hash) pairs any of which keeps a post out."""
    keys = [("post", hashed(clean(post.id)))]
    if post.author:
        keys.append(("author", hashed(clean(post.author))))
    keys += [("url", hashed(clean(url))) for url in (post.url, post.uri) if url]
    return keys


def _stored(conn: Connection, ids: list[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for part in chunks(ids, 500):
        found |= {
            row["id"]: row
            for row in conn.execute(select(posts).where(among(conn, posts.c.id, part))).mappings()
        }
    return found


def _differs(post: Post, row: Mapping[str, Any] | None) -> bool:
    if row is None or (not row["text"] and row["title"] is None):
        return False  # unknown, or blanked by retention: what is gone does not come back
    title = None if post.title is None else clean(post.title)
    return bool(row["text"] != clean(post.text) or row["title"] != title)


def _arrive(conn: Connection, many: int) -> int:
    """The first of *many* places in the order of arrival."""
    bump = update(counters).where(counters.c.name == "seq").values(value=counters.c.value + many)
    return int(conn.execute(bump.returning(counters.c.value)).scalar_one()) - many + 1


def _insert(conn: Connection, new: Mapping[str, Post]) -> list[duplicates.Candidate]:
    if not new:
        return []
    first = _arrive(conn, len(new))
    found = list(new.values())
    source_n = numbered(
        conn,
        sources,
        [{"source": clean(p.source), "platform": p.platform} for p in found],
        ("source", "platform"),
    )
    author_n = numbered(
        conn, authors, [{"name": clean(p.author)} for p in found if p.author], ("name",)
    )
    at = now()
    rows = []
    for seq, post in enumerate(found, start=first):
        n = number(post.published_at, seq)
        row = post_row(post) | {"n": n, "seq": seq, "added": at, "group_n": n}
        row["source_n"] = source_n[clean(post.source), post.platform]
        row["author_n"] = author_n[clean(post.author)] if post.author else None
        row["text_key"] = duplicates.text_key(post.text, post.quoted)
        rows.append(row)
    # a search index that gets its rows in order writes one segment a page, not one a post
    conn.execute(insert(posts), sorted(rows, key=lambda row: row["n"]))
    count_arrivals(conn, Counter((row["via"], row["day"]) for row in rows))
    return [duplicates.candidate(row, post.quoted) for row, post in zip(rows, found, strict=True)]


def count_arrivals(conn: Connection, found: Mapping[tuple[str, int], int]) -> None:
    """Add to how many posts each configured source brought of each day."""
    if not found:
        return
    statement = insert_into(conn, arrivals)
    added = {"posts": arrivals.c.posts + statement.excluded.posts}
    conn.execute(
        statement.on_conflict_do_update(index_elements=["via", "day"], set_=added),
        [{"via": via, "day": day, "posts": many} for (via, day), many in sorted(found.items())],
    )


def _edit(
    conn: Connection,
    edited: Mapping[str, Post],
    stored: Mapping[str, Mapping[str, Any]],
    tallied: Tally,
) -> list[duplicates.Candidate]:
    """
    New text for known posts: models must label them again, people's labels stay, the old text
    leaves its hash.
    """
    if not edited:
        return []
    numbers = [stored[post_id]["n"] for post_id in edited]
    _part(conn, numbers, [stored[post_id] for post_id in edited], tallied)
    remove_labels(conn, numbers, tallied, models_only=True)
    first = _arrive(conn, len(edited))
    fresh = []
    for seq, (post_id, post) in enumerate(edited.items(), start=first):
        old = stored[post_id]
        fresh.append(_replace(conn, old, post, seq))
    return fresh


def _replace(
    conn: Connection, old: Mapping[str, Any], post: Post, seq: int
) -> duplicates.Candidate:
    row = post_row(post)
    kept = ("title", "text", "quoted", "edited", "rating", "engagement", "url", "uri_key")
    changed = {name: row[name] for name in kept} | {"seq": seq}
    changed["text_key"] = duplicates.text_key(post.text, post.quoted)
    before = hashed(f"{old['title'] or ''}\n{old['text']}")
    conn.execute(insert(edits).values(post_n=old["n"], at=now(), old_hash=before))
    conn.execute(update(posts).where(posts.c.n == old["n"]).values(**changed))
    return duplicates.candidate({**old, **changed, "group_n": old["n"]}, post.quoted)


def _part(
    conn: Connection, numbers: Sequence[int], rows: Sequence[Mapping[str, Any]], tallied: Tally
) -> None:
    """Take posts out of their groups, with what the groups count for."""
    groups = {row["group_n"] for row in rows} | set(numbers)
    tally(conn, tallied, groups, sign=-1)
    duplicates.drop_bands(
        conn, [duplicates.candidate(row, tuple(unpack(row["quoted"], ()))) for row in rows]
    )
    firsts = duplicates.leave(conn, numbers)
    tally(conn, tallied, firsts | set(numbers), sign=1)


def _group(
    conn: Connection, fresh: Sequence[duplicates.Candidate], tallied: Tally, *, near: bool
) -> None:
    """
    Put new posts with their copies; where the first of a group changes, so does what is counted.
    """
    if not fresh:
        return
    merged = duplicates.merges(conn, fresh, near=near).values()
    before = set().union(*merged)
    tally(conn, tallied, before, sign=-1)
    firsts = duplicates.regroup(conn, merged)
    tally(conn, tallied, firsts, sign=1)


def remove_posts(conn: Connection, numbers: Sequence[int], tallied: Tally) -> tuple[int, int]:
    """
    Remove posts with all that hangs on them: how many posts, how many labels. What they counted for
    goes to *tallied*.
    """
    hold(conn)
    removed = labels = 0
    for part in chunks(numbers, 500):
        found = conn.execute(select(posts).where(posts.c.n.in_(part)))
        rows = [dict(row) for row in found.mappings()]
        _part(conn, part, rows, tallied)
        named = conn.execute(
            select(mentions.c.brand_n).where(mentions.c.post_n.in_(part)).distinct()
        )
        brand_numbers = set(named.scalars())
        labels += remove_labels(conn, part, tallied)
        _forget_brands(conn, brand_numbers)
        for table in (edits, claims, review, assignments):
            conn.execute(delete(table).where(table.c.post_n.in_(part)))
        conn.execute(delete(posts).where(posts.c.n.in_(part)))
        _forget_authors(conn, {row["author_n"] for row in rows if row["author_n"] is not None})
        gone = Counter((row["via"], row["day"]) for row in rows)
        count_arrivals(conn, {key: -many for key, many in gone.items()})
        removed += len(rows)
    return removed, labels


def _forget_brands(conn: Connection, numbers: set[int]) -> None:
    """Remove the names of brands that no post names any more: they were words of a post."""
    for n in sorted(numbers):
        named = [
            select(mentions.c.post_n)
            .where(mentions.c.labeller_n == labeller_n, mentions.c.brand_n == n)
            .limit(1)
            for labeller_n in conn.execute(select(labellers.c.n)).scalars()
        ]
        if all(conn.execute(query).one_or_none() is None for query in named):
            conn.execute(delete(brands).where(brands.c.n == n))


def _forget_authors(conn: Connection, numbers: set[int]) -> None:
    """Remove the names of authors who have no post left."""
    for part in chunks(sorted(numbers), 500):
        left = select(posts.c.author_n).where(posts.c.author_n == authors.c.n).exists()
        conn.execute(delete(authors).where(authors.c.n.in_(part), ~left))


def set_cursor(conn: Connection, via: str, cursor: Mapping[str, str]) -> None:
    if not cursor:
        return
    statement = insert_into(conn, cursors)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["via", "key"], set_={"value": statement.excluded.value}
        ),
        [{"via": via, "key": key, "value": value} for key, value in sorted(cursor.items())],
    )


def cursor(conn: Connection, via: str) -> dict[str, str]:
    query = select(cursors.c.key, cursors.c.value).where(cursors.c.via == via)
    return {key: value for key, value in conn.execute(query)}


def _queue(conn: Connection, page: Page) -> None:
    if page.done is not None:
        drop_pending(conn, page.via, [page.done])
    rows = [
        {"via": page.via, "key": request_key(request), "request": _request_json(request)}
        for request in page.pending
        if not request.transient
    ]
    if rows:
        conn.execute(insert_into(conn, pending).on_conflict_do_nothing(), rows)


def request_key(request: Request) -> str:
    """What makes two requests one."""
    return f"{key64(_request_json(request)) & (2**64 - 1):016x}"


def _request_json(request: Request) -> str:
    return json.dumps(asdict(request), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def pending_requests(conn: Connection, via: str) -> list[Request]:
    """The queue of a source, first in first out."""
    query = select(pending.c.request).where(pending.c.via == via).order_by(pending.c.n)
    return [Request(**json.loads(text)) for text in conn.execute(query).scalars()]


def drop_pending(conn: Connection, via: str, requests: Sequence[Request] | None) -> int:
    which = pending.c.via == via
    if requests is not None:
        which &= pending.c.key.in_([request_key(request) for request in requests])
    return conn.execute(delete(pending).where(which)).rowcount

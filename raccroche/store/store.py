"""The Store: opens a database, and gives every read and write a transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import func, select

from raccroche.errors import StoreError
from raccroche.post import Added, Labels, Post, Request, Run
from raccroche.store import (
    counts,
    journal,
    keep,
    labelling,
    locks,
    migrations,
    people,
    reads,
    restoring,
    rights,
    writes,
)
from raccroche.store.context import Answered, answered_posts, thread_texts
from raccroche.store.engine import Database
from raccroche.store.locks import Holder
from raccroche.store.queue import Queue, shared_queue
from raccroche.store.records import (
    Alert,
    BrandSeen,
    Erased,
    ExportRecord,
    Fact,
    Filters,
    Labeller,
    PostDetail,
    PostRow,
    PostsPage,
    ReviewItem,
    SeriesValue,
    SourceChange,
    SourceSeen,
    StoredPost,
    StoreStatus,
    Takedown,
    Totals,
)
from raccroche.store.rows import clean, moment
from raccroche.store.search import search
from raccroche.store.tables import arrivals, labellers, pending, posts, runs

if TYPE_CHECKING:
    import pandas as pd


class Store:
    """A database of posts. Use it from any thread; one process may open it many times."""

    def __init__(self, db: Database, *, near_duplicates: bool = True) -> None:
        self._db = db
        self._near = near_duplicates

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        read_only: bool = False,
        near_duplicates: bool = True,
        timeout: float = 10.0,
    ) -> Self:
        """
        Open a database and bring its schema up to date. *timeout*: seconds to wait for another
        writer.
        """
        db = Database(url, read_only=read_only, timeout=timeout)
        try:
            _prepare(db)
        except BaseException:
            db.engine.dispose()
            raise
        return cls(db, near_duplicates=near_duplicates)

    def close(self) -> None:
        self._db.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """As a message may show it: without a password."""
        return self._db.name

    @property
    def dialect(self) -> str:
        return "sqlite" if self._db.sqlite else "postgresql"

    @property
    def path(self) -> Path | None:
        return self._db.path

    # collecting

    def add_page(
        self,
        via: str,
        posts: Sequence[Post],
        *,
        cursor: Mapping[str, str] | None = None,
        done: Request | None = None,
        pending: Sequence[Request] = (),
        deleted: Sequence[str] = (),
    ) -> Added:
        """Store a page with its cursor and queue, whole or not at all. Safe to repeat."""
        page = writes.Page(via, posts, cursor, done, pending, deleted)
        with self._db.write() as conn:
            added = writes.add_page(conn, page, near=self._near)
            if added.new or added.edited or added.deleted:
                labelling.touch(conn)
        return added

    def add_posts(self, posts: Sequence[Post], via: str = "import") -> Added:
        return self.add_page(via, posts)

    def known_ids(self, ids: Iterable[str]) -> set[str]:
        """Which of these post ids are stored."""
        with self._db.read() as conn:
            return set(labelling.post_numbers(conn, [clean(one) for one in ids]))

    def answered(self, ids: Iterable[str]) -> dict[str, Answered]:
        """Those of these posts that are stored, by id, as the posts that answer them need them."""
        with self._db.read() as conn:
            return answered_posts(conn, ids)

    def thread_texts(self, batch: Sequence[StoredPost]) -> dict[str, tuple[str, ...]]:
        """
        By id: texts that stood in the post's thread before it and arrived near it, newest first.
        """
        with self._db.read() as conn:
            return thread_texts(conn, batch)

    def cursor(self, via: str) -> dict[str, str]:
        with self._db.read() as conn:
            return writes.cursor(conn, via)

    def set_cursor(self, via: str, cursor: Mapping[str, str]) -> None:
        with self._db.write() as conn:
            writes.set_cursor(conn, via, cursor)

    def pending(self, via: str) -> list[Request]:
        with self._db.read() as conn:
            return writes.pending_requests(conn, via)

    def drop_pending(self, via: str, requests: Sequence[Request] | None = None) -> int:
        with self._db.write() as conn:
            return writes.drop_pending(conn, via, requests)

    def latest(self, via: str) -> datetime | None:
        """When the newest post that *via* brought was published."""
        with self._db.read() as conn:
            newest = select(func.max(posts.c.published)).where(posts.c.via == via)
            return moment(conn.execute(newest).scalar_one())

    def record_run(self, run: Run) -> int:
        with self._db.write() as conn:
            number = journal.record_run(conn, run)
            labelling.touch(conn)
            return number

    def runs(self, limit: int = 100, *, source: str | None = None) -> list[Run]:
        with self._db.read() as conn:
            return journal.read_runs(conn, limit, source)

    def last_runs(self) -> dict[str, Run]:
        with self._db.read() as conn:
            return journal.last_runs(conn)

    def source_changes(self) -> list[SourceChange]:
        with self._db.read() as conn:
            return journal.source_changes(conn)

    def run_seen(self, source: str) -> datetime | None:
        with self._db.read() as conn:
            return journal.run_seen(conn, source)

    def days_with_posts(self, via: str) -> list[date]:
        with self._db.read() as conn:
            return journal.days_with_posts(conn, via)

    def lock(self, name: str) -> AbstractContextManager[None]:
        return locks.lock(self._db, name)

    def lock_holder(self, name: str) -> Holder | None:
        return locks.holder(self._db, name)

    # labelling

    def unlabelled(
        self, labeller: str, limit: int, *, after: int | None = None, claim_seconds: float = 0
    ) -> list[StoredPost]:
        if claim_seconds > 0:
            with self._db.write() as conn:
                return labelling.claim(conn, labeller, limit, after=after, seconds=claim_seconds)
        with self._db.read() as conn:
            return labelling.unlabelled(conn, labeller, limit, after=after)

    def queue(self, labeller: str) -> AbstractContextManager[Queue]:
        return shared_queue(self._db, labeller)

    def add_labels(self, labels: Sequence[Labels]) -> int:
        with self._db.write() as conn:
            added = labelling.add_labels(conn, labels)
            if added:
                labelling.touch(conn)
        return added

    def labels_of(self, post_id: str) -> list[Labels]:
        with self._db.read() as conn:
            return labelling.labels_of(conn, clean(post_id))

    def labels_by(self, labeller: str, *, limit: int | None = None) -> list[Labels]:
        with self._db.read() as conn:
            return labelling.labels_by(conn, labeller, limit)

    def labellers(self) -> list[Labeller]:
        with self._db.read() as conn:
            return labelling.known_labellers(conn)

    def drop_labels(self, labeller: str) -> int:
        with self._db.write() as conn:
            removed = labelling.drop_labels(conn, labeller)
            labelling.touch(conn)
        return removed

    # reading

    def daily_counts(
        self, filters: Filters, by: Sequence[str] = ("week", "brand"), *, whole: bool = False
    ) -> "pd.DataFrame":
        with self._db.read() as conn:
            return counts.daily_counts(conn, filters, by, whole=whole)

    def totals(self, filters: Filters) -> Totals:
        with self._db.read() as conn:
            return counts.totals(conn, filters)

    def cluster_counts(self, filters: Filters) -> "pd.DataFrame":
        with self._db.read() as conn:
            return counts.cluster_counts(conn, filters)

    def author_counts(
        self, filters: Filters, by: Sequence[str] = ("week", "brand")
    ) -> "pd.DataFrame":
        with self._db.read() as conn:
            return counts.author_counts(conn, filters, by)

    def coverage(self, start: date, end: date) -> "pd.DataFrame":
        with self._db.read() as conn:
            return journal.coverage(conn, start, end)

    def posts(
        self, filters: Filters, *, size: int = 50, after: str | None = None, order: str = "newest"
    ) -> PostsPage:
        with self._db.read() as conn:
            return reads.page_of(conn, filters, size, after, order)

    def search(
        self, words: str, filters: Filters, *, size: int = 50, after: str | None = None
    ) -> PostsPage:
        with self._db.read() as conn:
            return search(conn, words, filters, size, after)

    def post(self, post_id: str, labeller: str | None = None) -> PostDetail | None:
        with self._db.read() as conn:
            return reads.detail(conn, clean(post_id), labeller)

    def facts(self, filters: Filters, limit: int = 100_000, *, accused: bool = True) -> list[Fact]:
        with self._db.read() as conn:
            return reads.facts(conn, filters, limit, accused=accused)

    def left_out(self, filters: Filters) -> dict[str, int]:
        with self._db.read() as conn:
            return reads.left_out(conn, filters)

    def iterate(self, filters: Filters, *, chunk: int = 1000) -> Iterator[PostRow]:
        """
        All rows of a selection, oldest first, a chunk a transaction: writers are never held back.
        """
        after = -1
        while True:
            with self._db.read() as conn:
                rows = reads.chunk_after(conn, filters, after, chunk)
            yield from rows
            if len(rows) < chunk:
                return
            after = rows[-1].post.n

    def brands_seen(self, labeller: str) -> list[BrandSeen]:
        with self._db.read() as conn:
            return counts.brands_seen(conn, labeller)

    def sources_seen(self) -> list[SourceSeen]:
        with self._db.read() as conn:
            return counts.sources_seen(conn)

    def data_version(self) -> int:
        with self._db.read() as conn:
            return reads.data_version(conn)

    # people

    def add_review(self, queue: str, post_ids: Sequence[str], *, reason: str = "") -> int:
        with self._db.write() as conn:
            return people.add_review(conn, queue, post_ids, reason)

    def next_review(self, annotator: str, *, queue: str | None = None) -> StoredPost | None:
        with self._db.write() as conn:
            return people.next_review(conn, annotator, queue)

    def review_items(self, queue: str | None = None) -> list[ReviewItem]:
        with self._db.read() as conn:
            return people.review_items(conn, queue)

    def add_alerts(self, alerts: Sequence[Alert]) -> int:
        with self._db.write() as conn:
            return people.add_alerts(conn, alerts)

    def alerts(self, *, state: str | None = None, limit: int = 200) -> list[Alert]:
        with self._db.read() as conn:
            return people.read_alerts(conn, state, limit)

    def set_alert(
        self,
        n: int,
        *,
        state: str | None = None,
        sent: Sequence[str] | None = None,
        note: str | None = None,
    ) -> None:
        with self._db.write() as conn:
            people.set_alert(conn, n, state=state, sent=sent, note=note)

    def add_export(self, export: ExportRecord) -> int:
        with self._db.write() as conn:
            return people.add_export(conn, export)

    def exports(self, limit: int = 100) -> list[ExportRecord]:
        with self._db.read() as conn:
            return people.read_exports(conn, limit)

    def put_series(self, rows: Iterable[SeriesValue]) -> int:
        with self._db.write() as conn:
            stored = people.put_series(conn, rows)
            labelling.touch(conn)
            return stored

    def series(self, name: str | None = None) -> list[SeriesValue]:
        with self._db.read() as conn:
            return people.read_series(conn, name)

    def setting(self, key: str, default: Any = None) -> Any:
        with self._db.read() as conn:
            return people.setting(conn, key, default)

    def set_setting(self, key: str, value: Any) -> None:
        with self._db.write() as conn:
            people.set_setting(conn, key, value)

    # rights

    def erase(
        self,
        *,
        post_ids: Sequence[str] = (),
        authors: Sequence[str] = (),
        urls: Sequence[str] = (),
        reason: str = "",
        suppress: bool = True,
        shrink: bool = True,
    ) -> Erased:
        """
        Remove every post that a key names, and (*suppress*) never take it again.

        *shrink* rewrites the file, so that no byte of them is left; on a large store it takes
        minutes: with several
        requests, shrink on the last.
        """
        with self._db.write() as conn:
            erased = rights.erase(
                conn,
                post_ids=post_ids,
                authors=authors,
                urls=urls,
                reason=reason,
                keep_out=suppress,
            )
        if shrink:
            rights.shrink(self._db)
        return erased

    def suppress(
        self,
        *,
        post_ids: Sequence[str] = (),
        authors: Sequence[str] = (),
        urls: Sequence[str] = (),
        reason: str = "",
    ) -> int:
        with self._db.write() as conn:
            return rights.suppress(
                conn, post_ids=post_ids, authors=authors, urls=urls, reason=reason
            )

    def suppressed(self, post: Post) -> bool:
        with self._db.read() as conn:
            return rights.is_refused(conn, writes.suppression_keys(post))

    def named(
        self,
        *,
        post_ids: Sequence[str] = (),
        authors: Sequence[str] = (),
        urls: Sequence[str] = (),
    ) -> list[str]:
        with self._db.read() as conn:
            return list(rights.named(conn, post_ids, authors, urls).values())

    def refused_authors(self) -> rights.Refused:
        with self._db.read() as conn:
            return rights.refused_authors(conn)

    def takedowns(self, limit: int = 100) -> list[Takedown]:
        with self._db.read() as conn:
            return rights.read_takedowns(conn, limit)

    def purge(self, before: date) -> int:
        """Remove the posts published before a day, a part a transaction."""
        removed = 0
        while True:
            with self._db.write() as conn:
                part = rights.purge_part(conn, before)
            removed += part
            if not part:
                break
        if removed:
            rights.shrink(self._db)
        return removed

    def forget_texts(self, before: date) -> int:
        """
        Blank title, text and address of the posts published before a day; labels and counts stay.

        How many were blanked. A post read again afterwards stays blank.
        """
        blanked = 0
        while True:
            with self._db.write() as conn:
                part = rights.forget_part(conn, before)
            blanked += part
            if not part:
                break
        if blanked:
            rights.shrink(self._db)
        return blanked

    # keeping

    def rebuild_counts(self) -> int:
        return keep.rebuild_counts(self._db)

    def check(self) -> list[str]:
        return keep.check(self._db)

    def copy_to(self, other: "Store", progress: keep.Progress | None = None) -> int:
        return keep.copy(self._db, other._db, progress)

    @staticmethod
    def try_writing(url: str | Path, *, timeout: float = 10.0) -> None:
        """StoreError saying why a database that exists cannot be written. Nothing is written."""
        db = Database(url, read_only=False, timeout=timeout)
        try:
            keep.try_writing(db)
        finally:
            db.engine.dispose()

    def backup(self, path: str | Path) -> Path:
        return keep.backup(self._db, Path(path))

    @staticmethod
    def restore(backup: str | Path, path: str | Path) -> None:
        """
        Put a checked backup in the place of a closed SQLite store, with the erasures made since.
        """
        restoring.restore(Path(backup), Path(path))

    def status(self) -> StoreStatus:
        last = self.runs(1)
        with self._db.read() as conn:
            return StoreStatus(
                url=self.url,
                dialect=self.dialect,
                schema=migrations.version(conn) or 0,
                bytes=keep.size(self._db, conn),
                posts=int(
                    conn.execute(select(func.coalesce(func.sum(arrivals.c.posts), 0))).scalar_one()
                ),
                labels=int(
                    conn.execute(select(func.coalesce(func.sum(labellers.c.posts), 0))).scalar_one()
                ),
                pending=conn.execute(select(func.count()).select_from(pending)).scalar_one(),
                runs=conn.execute(select(func.count()).select_from(runs)).scalar_one(),
                last_run=last[0] if last else None,
                newest=moment(
                    conn.execute(
                        select(posts.c.published).order_by(posts.c.n.desc()).limit(1)
                    ).scalar()
                ),
                data_version=reads.data_version(conn),
            )


def _prepare(db: Database) -> None:
    if not db.read_only:
        migrations.foreign(db.tables(), db.name)
        with db.write() as conn:
            migrations.migrate(conn)
        return
    with db.read() as conn:
        found = migrations.version(conn)
    if found is None:
        raise StoreError(f"{db.name} is not a Raccroche database")
    if found > migrations.CURRENT:
        raise StoreError(migrations.newer(found))
    if found < migrations.CURRENT:
        raise StoreError(
            f"{db.name} has the older schema {found}: a command that writes brings it up to date, "
            "in minutes where there are millions of posts"
        )

"""
All the SQL of the house: posts, labels, counts, search, runs and review, on SQLite or PostgreSQL.

Every failure is a `raccroche.errors.StoreError` of one sentence. Days are days of Europe/Paris.
Labeller names are `name@version` or `human:NAME`. The schema is told in docs/data-model.md.

    Store.open(url: str | Path, *, read_only=False, near_duplicates=True, timeout=10.0) -> Store
        a path, sqlite:///... or postgresql://...; *timeout*: seconds to wait for another writer
    store.close(); with Store.open(...) as store: ...
    store.url, without a password; store.dialect ("sqlite" | "postgresql"); store.path (Path | None)

Collecting
    add_page(via, posts, *, cursor=None, done=None, pending=(), deleted=()) -> Added
        One transaction. *done*: the pending Request this page answered, removed from the queue;
        *pending*: Requests to keep for later (a transient one never is); *deleted*: post ids
        (`source:native_id`) that are gone.
    add_posts(posts, via="import") -> Added
    known_ids(ids) -> set[str]
    answered(ids) -> dict[str, Answered]        (text, brand): the posts that others answer
    thread_texts(batch) -> dict[str, tuple[str, ...]]     what stood in a post's thread before it
    cursor(via) -> dict[str, str];  set_cursor(via, mapping)
    pending(via) -> list[Request];  drop_pending(via, requests=None) -> int       None: all
    latest(via) -> datetime | None              newest published_at that *via* brought
    record_run(run: Run) -> int;  runs(limit=100, *, source=None) -> list[Run], the latest first
    source_changes() -> list[SourceChange]      (source, day): another collector, or a new layout
    last_runs() -> dict[str, Run];  run_seen(source) -> datetime | None    end of its last good run
    days_with_posts(via) -> list[date]          when what it brought was published, in order
    lock(name) -> context manager               StoreError when it is held; freed by kill -9
    lock_holder(name) -> Holder | None          (process, since)

Labelling
    unlabelled(labeller, limit, *, after=None, claim_seconds=0) -> list[StoredPost]
        In the order of arrival. *after*: `StoredPost.seq` of the last one you hold;
        *claim_seconds* > 0 keeps other processes that claim off these posts for that long.
    queue(labeller) -> context manager of a Queue
        queue.take(limit) -> list[StoredPost]: `unlabelled` shared out among processes at work at
        once; what a killed one held goes to the last that is left.
    add_labels(labels: Sequence[Labels]) -> int
        Labels, mentions and counts in one transaction; how many were new. A model's labels are
        never overwritten; a person's second answer replaces the first.
    labels_of(post_id) -> list[Labels]
    labels_by(labeller, *, limit=None) -> list[Labels]              "human:" stands for all people
    labellers() -> list[Labeller]    (name, human, posts, first_at, last_at), the latest use first
    drop_labels(labeller) -> int

Reading, by Filters(labeller, start=None, end=None, brands=(), families=(), sources=(),
platforms=(), sentiments=(), topics=(), signals=(), relations=(), number_classes=(),
harassment_only=False, testimony_only=False, with_copies=False)
    Dates are `datetime.date`, both ends included; `sources` are `Post.source` values.
    daily_counts(filters, by=("week", "brand")) -> pandas.DataFrame
        *by*: at most one of day | week | month and one of topic | signal | relation | number_class;
        brand, family, source, platform. Columns: period (datetime64: the day, Monday or first of
        the month) where asked, the other keys, and mentions, harassment, testimonies,
        harassment_testimonies, negative, neutral, positive. Cells that are zero have no row.
        The unit is the pair (post, brand); with no brand or family in *by* or in the filters, the
        post. Brand "inconnue" (UNKNOWN_BRAND): harassment posts that accuse no brand. Only the
        first post of a group of copies counts; refused and non-French posts count nowhere; brand
        accounts and articles are never testimony. Cost follows days x brands, except where three
        terms are looked at together (a topic, a signal and a relation; three topics), or two in one
        platform or source: those read posts.
    totals(filters) -> Totals       posts, mentions, harassment, testimonies, sentiments, undated
    cluster_counts(filters) -> DataFrame        brand, mentions, harassment, authors
        How many authors have this pair of counts: the author-clustered bootstrap draws these rows.
    author_counts(filters, by=("week", "brand")) -> DataFrame     the keys, authors, posts, copies
        Of harassment: distinct authors, posts counted, copies left out.
    coverage(start, end) -> DataFrame           day, source (the `via`), runs, ok, posts, covered
    posts(filters, *, size=50, after=None, order="newest") -> PostsPage        newest | oldest
        PostsPage(rows, next: str | None, total: int | None, exact: bool)
        PostRow(post: StoredPost, labels: Labels | None, highlights, title_highlights)
    search(words, filters, *, size=50, after=None) -> PostsPage               newest first
        Any text is safe; "words in quotes" are a phrase, -word excludes, word* is a beginning.
        SQLite finds whole words (accents and case aside), PostgreSQL French word stems too.
    post(post_id, labeller=None) -> PostDetail | None     (post, labels of all labellers, group)
    facts(filters, limit=100_000) -> list[Fact]           (post_id, day, brands, facts), harassment
    iterate(filters, *, chunk=1000) -> Iterator[PostRow]  all, oldest first, in flat memory
    left_out(filters) -> dict[str, int]
        Labelled posts of the filters' days and sources that no reading gives: refused, not_french,
        copies, undated.
    brands_seen(labeller) -> list[BrandSeen]    (brand, family, mentions, harassment)
    sources_seen() -> list[SourceSeen]          (source, platform, posts, first_day, last_day)
    data_version() -> int                       changes with every change of data: a cache key

People
    add_review(queue, post_ids, *, reason="") -> int      queue: random | uncertain | reported
    next_review(annotator, *, queue=None) -> StoredPost | None
        Blind: at most two people a post, never twice the same; a post left is shown again first.
    review_items(queue=None) -> list[ReviewItem]  (post_id, queue, reason, annotators, adjudicated)
        Adjudication is labelling as "human:adjudicated".
    add_alerts(alerts) -> int       key (brand, signal, period): a known one keeps its state
    alerts(*, state=None, limit=200) -> list[Alert];  set_alert(n, *, state, sent, note)
    add_export(export: ExportRecord) -> int;  exports(limit=100) -> list[ExportRecord]
    put_series(rows: Iterable[SeriesValue]) -> int;  series(name=None) -> list[SeriesValue]
    setting(key, default=None) -> Any;  set_setting(key, value)      JSON values

Rights
    erase(*, post_ids=(), authors=(), urls=(), reason="", suppress=True, shrink=True) -> Erased
        With *shrink* no byte of the posts is left in the file; minutes on a large one.
    named(*, post_ids=(), authors=(), urls=()) -> list[str]       ids of what `erase` would remove
    suppress(*, post_ids=(), authors=(), urls=(), reason="") -> int;  suppressed(post) -> bool
    refused_authors() -> container of author names;  takedowns(limit=100) -> list[Takedown]
    purge(before: date) -> int                  posts published before a day

Keeping
    rebuild_counts() -> int
    Store.try_writing(url, *, timeout)          StoreError says why it cannot; writes nothing
    check() -> list[str]                        what is wrong; empty: all well
    copy_to(other: Store, progress=None) -> int     exact, resumable; progress(table, done, total)
    backup(path) -> Path;  Store.restore(backup, path)      SQLite; the old file stays, `.before`
    status() -> StoreStatus
"""

from raccroche.store.context import Answered
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
from raccroche.store.store import Store
from raccroche.store.tables import UNKNOWN_BRAND

__all__ = [
    "UNKNOWN_BRAND",
    "Alert",
    "Answered",
    "BrandSeen",
    "Erased",
    "ExportRecord",
    "Fact",
    "Filters",
    "Labeller",
    "PostDetail",
    "PostRow",
    "PostsPage",
    "ReviewItem",
    "SeriesValue",
    "SourceChange",
    "SourceSeen",
    "Store",
    "StoreStatus",
    "StoredPost",
    "Takedown",
    "Totals",
]

"""
All the SQL of the house: posts, labels, counts, search, runs and review, on SQLite or PostgreSQL.

Every failure is a `raccroche.errors.StoreError` of one sentence. Days are days of Europe/Paris. Labeller names are
`name@version` or `human:NAME`.

    Store.open(url: str | Path, *, read_only=False, near_duplicates=True) -> Store      (a path, sqlite:///..., postgresql://...)
    store.close(); with Store.open(...) as store: ...
    store.url; store.dialect ("sqlite" | "postgresql"); store.path (Path | None)

Collecting
    add_page(via, posts, *, cursor={}, done=None, pending=(), deleted=(), run_id=None) -> Added      one transaction
        *done*: the pending Request this page answered (removed from the queue); *pending*: Requests to keep for later;
        *deleted*: post ids (`source:native_id`). A transient Request is never stored.
    add_posts(posts, via="import") -> Added
    known_ids(ids) -> set[str]
    cursor(via) -> dict[str, str];  set_cursor(via, mapping);  pending(via) -> list[Request]
    drop_pending(via, requests=None) -> int          (None: all of them)
    latest(via) -> datetime | None                   newest published_at that *via* brought
    record_run(run: Run) -> int;  runs(limit=100, *, source=None) -> list[Run];  last_runs() -> dict[str, Run]
    run_seen(source) -> datetime | None              when the last successful run of a source ended
    lock(name) -> context manager                    StoreError when somebody else holds it; freed by kill -9

Labelling
    unlabelled(labeller, limit, *, after=None, claim_seconds=0) -> list[StoredPost]
        in the order of collection (oldest arrival first); *after*: `StoredPost.seq` of the last one you hold;
        *claim_seconds* > 0 keeps other processes off these posts for that long
    add_labels(labels: Sequence[Labels]) -> int      labels, mentions and counts in one transaction; how many were new.
        A model's labels are never overwritten; a person's second answer replaces the first.
    labels_of(post_id) -> list[Labels];  labels_by(labeller, *, limit=None) -> list[Labels]   ("human:" = all people)
    labellers() -> list[Labeller]                    (name, human, posts, first_at, last_at), newest use first
    drop_labels(labeller) -> int

Reading: all take a Filters(labeller, start=None, end=None, brands=(), families=(), sources=(), platforms=(),
    sentiments=(), topics=(), signals=(), relations=(), number_classes=(), harassment_only=False, testimony_only=False,
    with_copies=False); dates are `datetime.date`, both ends included; `sources` are Post.source values.
    daily_counts(filters, by=("week", "brand")) -> pandas.DataFrame
        *by*: at most one of day|week|month, then brand, family, source, platform, topic, signal, relation, number_class.
        Columns: period (datetime64, the day / Monday / first of the month) where asked, the other keys, and the measures
        mentions, harassment, testimonies, harassment_testimonies, negative, neutral, positive.
        The unit is the pair (post, brand). With neither "brand"/"family" in *by* nor brands/families in the filters, the
        unit is the post. Brand "inconnue": harassment posts in which no brand is accused. Only the first post of a group
        of copies counts; refused and non-French posts count nowhere; brand accounts and articles are never testimony.
        Cells that are zero have no row.
    totals(filters) -> Totals                        posts, mentions, harassment, testimonies, sentiments, undated (all dates)
    cluster_counts(filters) -> pandas.DataFrame      brand, mentions, harassment, authors: how many authors have this pair of
                                                     counts (the author-clustered bootstrap draws from these rows)
    author_counts(filters, by=("week", "brand")) -> DataFrame        the keys, authors (distinct, of harassment), posts, copies
    coverage(start, end) -> DataFrame                day, source (the `via`), runs, ok, posts, covered
    posts(filters, *, size=50, after=None, order="newest") -> PostsPage      order: newest | oldest
        PostsPage(rows: tuple[PostRow, ...], next: str | None, total: int | None, exact: bool)
        PostRow(post: StoredPost, labels: Labels | None, highlights, title_highlights)   highlights: (start, end) pairs
    search(words, filters, *, size=50, after=None) -> PostsPage      newest first; any text is safe as *words*;
        "several words" in quotes are a phrase, -word excludes, word* is a prefix
    post(post_id, labeller=None) -> PostDetail | None    PostDetail(post, labels: tuple[Labels, ...], group: tuple[StoredPost, ...])
    facts(filters, limit=100_000) -> list[Fact]      Fact(post_id, day, brands, facts) of harassment posts
    iterate(filters, *, chunk=1000) -> Iterator[PostRow]     all of them, oldest first, in flat memory
    brands_seen(labeller) -> list[BrandSeen]         (brand, family, mentions, harassment), most mentioned first
    sources_seen() -> list[SourceSeen]               (source, platform, posts, first_day, last_day)
    data_version() -> int                            changes with every committed change of data; cheap: a cache key

People
    add_review(queue, post_ids, *, reason="") -> int     queue: random | uncertain | reported
    next_review(annotator, *, queue=None) -> StoredPost | None      blind: at most two people a post, never twice the same
    review_items(queue=None) -> list[ReviewItem]     (post_id, queue, reason, annotators, adjudicated)
    add_alerts(alerts: Sequence[Alert]) -> int       key (brand, signal, period): a known one is refreshed, its state kept
    alerts(*, state=None, limit=200) -> list[Alert];  set_alert(n, *, state=None, sent=None, note=None)
    add_export(export: ExportRecord) -> int;  exports(limit=100) -> list[ExportRecord]
    put_series(rows: Iterable[SeriesValue]) -> int;  series(name=None) -> list[SeriesValue];  (series, period, value, unit, source)
    setting(key, default=None) -> Any;  set_setting(key, value)      JSON values

Rights
    erase(*, post_ids=(), authors=(), urls=(), reason="", suppress=True, shrink=True) -> Erased    bytes gone from the file
    suppress(*, post_ids=(), authors=(), urls=(), reason="") -> int;  suppressed(post) -> bool
    takedowns(limit=100) -> list[Takedown]
    purge(before: date) -> int                       posts published before a day (retention)

Keeping
    rebuild_counts() -> int;  check() -> list[str]   (empty: all well: integrity, and counts equal to a fresh rebuild)
    copy_to(other: Store, progress=None) -> int      exact and resumable;  progress(table, done, total)
    backup(path) -> Path;  Store.restore(backup, path)     SQLite: a whole file, checked; the old file stays as `.before`
    status() -> StoreStatus                          (url, dialect, schema, bytes, posts, labels, pending, last_run, ...)

Constants: UNKNOWN_BRAND = "inconnue".
"""

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
    "SourceSeen",
    "Store",
    "StoreStatus",
    "StoredPost",
    "Takedown",
    "Totals",
]

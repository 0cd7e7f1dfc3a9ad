"""What the store gives back: frozen records, and the filters that ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from raccroche.post import Labels, Post, Run


@dataclass(frozen=True, slots=True)
class StoredPost(Post):
    """
    A post with its place in the store: *n* orders by time, *seq* by arrival, *group* is the id of
    the first copy.
    """

    n: int = 0
    seq: int = 0
    group: str = ""
    copies: int = 0  # other posts of the group
    added_at: datetime | None = None

    @property
    def is_copy(self) -> bool:
        return self.group != self.id


@dataclass(frozen=True, slots=True)
class Filters:
    """
    What the analyst asks for. Days are days of Europe/Paris, both ends included; an empty tuple
    filters nothing.

    Values of one field are alternatives, fields narrow each other. *sources* are `Post.source`
    values.
    """

    labeller: str
    start: date | None = None
    end: date | None = None
    brands: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    sentiments: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    number_classes: tuple[str, ...] = ()
    harassment_only: bool = False
    testimony_only: bool = False
    with_copies: bool = False

    @property
    def terms(self) -> dict[str, tuple[str, ...]]:
        """The filters that are terms, by kind; only those that filter."""
        kinds = {
            "topic": self.topics,
            "signal": self.signals,
            "relation": self.relations,
            "number_class": self.number_classes,
        }
        return {kind: values for kind, values in kinds.items() if values}


@dataclass(frozen=True, slots=True)
class PostRow:
    """
    A post, what one labeller says of it, and where the searched words are: (start, end) in
    characters.
    """

    post: StoredPost
    labels: Labels | None
    highlights: tuple[tuple[int, int], ...] = ()
    title_highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PostsPage:
    """
    Some rows, the cursor of the next page, and how many there are in all (*exact*, or "at least").
    """

    rows: tuple[PostRow, ...] = ()
    next: str | None = None
    total: int | None = 0
    exact: bool = True


@dataclass(frozen=True, slots=True)
class PostDetail:
    """One post with everybody's labels and the other members of its group of copies."""

    post: StoredPost
    labels: tuple[Labels, ...]
    group: tuple[StoredPost, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """
    The selection in a few numbers.

    *posts* counts each post once, *mentions* the pairs (post, brand); the other measures are of
    posts, or of pairs where
    the filters name brands. *undated*: countable posts of the labeller that have no date, and so
    are in no chart.
    """

    posts: int = 0
    mentions: int = 0
    harassment: int = 0
    testimonies: int = 0
    harassment_testimonies: int = 0
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    undated: int = 0


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A day on which what a configured source brings changed."""

    source: str
    day: date


@dataclass(frozen=True, slots=True)
class Labeller:
    """Somebody who labelled: how many posts, and when they first and last did."""

    name: str
    human: bool
    posts: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class BrandSeen:
    """A brand as one labeller met it."""

    brand: str
    family: str | None
    mentions: int
    harassment: int


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """A place that posts came from."""

    source: str
    platform: str
    posts: int
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Fact:
    """The facts of one harassment post (`Labels.facts`) and the brands it accuses."""

    post_id: str
    day: date | None
    brands: tuple[str, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A post in a review queue, and who has labelled it."""

    post_id: str
    queue: str
    reason: str
    annotators: tuple[str, ...]
    adjudicated: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """
    A spike. *period* is an ISO week or day; *state* is nouvelle, vue, expliquee or fausse; *sent*
    are channels.
    """

    brand: str
    signal: str
    period: str
    observed: float
    expected: float
    bound: float
    posts: int
    authors: int
    repost_share: float
    state: str = "nouvelle"
    sent: tuple[str, ...] = ()
    note: str = ""
    at: datetime | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """One export that was made: the query and what came out."""

    path: str
    format: str
    rows: int
    query: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    by: str = ""
    at: datetime | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class SeriesValue:
    """One official figure; never added to ours."""

    series: str
    period: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Takedown:
    """One erasure or objection: what kind of key, its hash, why, how many posts went."""

    at: datetime
    kind: str
    hash: str
    reason: str
    posts: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed."""

    posts: int
    labels: int
    post_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """
    The database at a glance; *bytes* counts the file with its log, or the PostgreSQL database.
    """

    url: str
    dialect: str
    schema: int
    bytes: int
    posts: int
    labels: int
    pending: int
    runs: int
    last_run: Run | None
    newest: datetime | None
    data_version: int

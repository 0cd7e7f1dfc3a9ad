"""The vocabulary of the house: posts, labels, mentions, requests, answers, pages and runs."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from raccroche import json_text
from raccroche.errors import SourceError

MOST_DECLARED = 10**12  # a source that declares more, or less than none, declares nothing
MAX_TEXT = 100_000  # characters of one post; longer is cut at ingest and flagged


class Verdict(StrEnum):
    """What one run of one source came to. A silent zero does not exist."""

    NEW = "new"
    NOTHING_NEW = "nothing_new"
    BLOCKED = "blocked"
    LOGIN_WALL = "login_wall"
    RATE_LIMITED = "rate_limited"
    LAYOUT_CHANGED = "layout_changed"
    REFUSED_BY_ROBOTS = "refused_by_robots"
    UNREACHABLE = "unreachable"

    @property
    def ok(self) -> bool:
        return self in (Verdict.NEW, Verdict.NOTHING_NEW)


class Kind(StrEnum):
    """What a post is on its platform."""

    POST = "post"
    COMMENT = "comment"
    REVIEW = "review"
    ARTICLE = "article"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Post:
    """
    One public message, as published.

    *source* is the place it lives in, `platform/host` (`wordpress/blog.example`): the same post met
    through two
    configured sources has one id. *via* is the name of the configured source that brought it, set
    by the pipeline.
    *author* is the name as published when parsed, and a pseudonym from the pipeline on; None when
    the platform gives none.
    *published_at* is aware, in UTC; *day_only* says that only the day is known; None when the page
    does not say.
    *uri* is the global id where the platform has one (ActivityPub `uri`), for copies that came over
    a bridge.
    *reply_to* is the account that the post answers, as published: dropped before the first write,
    which keeps only *reply_to_brand*, the brand whose account that is; *author_brand* is the brand
    whose account wrote the post (*by_brand* is true then).
    *parent* and *thread* are native ids (or URLs where a thread has no id). *quoted* are passages
    of *text* that the
    platform's markup sets apart as somebody else's words.
    """

    source: str
    platform: str
    native_id: str
    text: str
    kind: Kind = Kind.POST
    author: str | None = None
    published_at: datetime | None = None
    day_only: bool = False
    title: str | None = None
    url: str | None = None
    uri: str | None = None
    parent: str | None = None
    thread: str | None = None
    thread_title: str | None = None
    rating: float | None = None
    engagement: Mapping[str, int] = field(default_factory=dict)
    language: str | None = None  # as declared by the platform; ours is measured
    edited_at: datetime | None = None
    context_brand: str | None = None
    by_brand: bool = False
    author_brand: str | None = None
    reply_to: str | None = None
    reply_to_brand: str | None = None
    quoted: tuple[str, ...] = ()
    via: str = ""

    def __post_init__(self) -> None:
        if not self.native_id:
            raise ValueError(f"{self.source}: a post has no id")
        for moment in (self.published_at, self.edited_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{self.id}: a date has no time zone")

    @property
    def id(self) -> str:
        """Stable across runs and sources: collecting a post twice stores it once."""
        return f"{self.source}:{self.native_id}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that `raccroche parse` prints."""
        return {
            "id": self.native_id,
            "platform": self.platform,
            "kind": str(self.kind),
            "author": self.author,
            "published_at": iso(self.published_at),
            "title": self.title,
            "text": self.text,
            "url": self.url,
            "parent": self.parent,
            "thread": self.thread,
            "rating": self.rating,
            "engagement": dict(self.engagement),
        }


@dataclass(frozen=True, slots=True)
class Mention:
    """What one labeller says of one brand in one post: the unit of counting."""

    brand: str  # id of the brand table, or the name as written where the table lacks it
    sentiment: str
    harassment: bool
    role: str = "cited"
    inherited: bool = False
    probability: float | None = None  # of harassment by this brand
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """
    What one labeller alleges of one post. *labeller* is `name@version` of a model, or `human:NAME`.

    *probabilities* maps flag names (`phone_harassment`, `topic:billing`, `signal:robocall`, ...) to
    [0, 1].
    *spans* are (start, end, reason) in characters of the stored text.
    """

    post_id: str
    labeller: str
    sentiment: str
    phone_harassment: bool
    testimony: bool
    topics: tuple[str, ...] = ("other",)
    signals: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    spans: tuple[tuple[int, int, str], ...] = ()
    language: str | None = None
    language_probability: float | None = None
    # customer, former_customer, prospect, relative, professional, unknown
    relation: str = "unknown"
    # why this labeller gives no labels for this post; then it counts nowhere
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """
    What to ask next. Never holds a secret: those travel in the session headers of a source
    (`Page.session`, `headers()`).

    *context* goes with the answer (tag, thread title, context brand). *only_while_new*: drop this
    request when the page
    that led to it brought nothing that was not stored already. Schemes: http(s), wss (a stream,
    read for
    `context["seconds"]`), nntp, file.
    """

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    phase: str = ""
    only_while_new: bool = False
    transient: bool = False  # a login or the like: not kept for the next run when it fails


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a server (or a saved file). *headers* have lower-case names."""

    url: str
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    request: Request | None = None
    fetched_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def context(self) -> Mapping[str, str]:
        return self.request.context if self.request else {}

    @property
    def phase(self) -> str:
        return self.request.phase if self.request else ""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """
        The body decoded: byte order mark, UTF-8 where it is that, header, `<meta>` or XML
        declaration, then Windows-1252.
        """
        return _decode(self.body, self.headers.get("content-type", ""))

    def json(self) -> Any:
        """The body as JSON, or `SourceError` saying what came instead."""
        try:
            return json_text.read(self.body)
        except (ValueError, RecursionError) as error:
            start = self.body[:200].lstrip()
            what = "HTML" if start.startswith(b"<") else "something that is not JSON"
            if start[:1] in (b"{", b"["):
                what = "truncated or broken JSON"
            raise SourceError(f"expected JSON, got {what}", url=self.url) from error


@dataclass(frozen=True, slots=True)
class Thread:
    """A discussion listed by a page: where it is and what it is called."""

    native_id: str
    title: str
    url: str | None = None
    posts: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """
    What one answer holds.

    *declared* is how many posts the source says there are in all. *verdict* is set only when the
    page itself tells
    (a login wall, a block, a changed layout). *cursor* is saved in the transaction of these posts.
    *deleted* are
    ids (`Post.id`) that the platform says are gone. *session* are headers for the later requests of
    this run: never stored, never logged.
    """

    posts: tuple[Post, ...] = ()
    next: tuple[Request, ...] = ()
    threads: tuple[Thread, ...] = ()
    declared: int | None = None
    verdict: Verdict | None = None
    note: str | None = None
    cursor: Mapping[str, str] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    session: Mapping[str, str] = field(default_factory=dict)
    # (series, period, value, unit): official figures, not posts
    series: tuple[tuple[str, str, float, str], ...] = ()

    def __post_init__(self) -> None:
        if self.declared is not None and not 0 <= self.declared < MOST_DECLARED:
            object.__setattr__(self, "declared", None)  # said, but no count of posts


@dataclass(frozen=True, slots=True)
class State:
    """What a source remembers: its cursor, how far back to read again, and the time of this run."""

    cursor: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Run:
    """What one configured source gave in one run."""

    source: str
    platform: str
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    new: int = 0
    known: int = 0
    edited: int = 0
    deleted: int = 0
    got: int = 0
    declared: int | None = None
    requests: int = 0
    bytes: int = 0
    not_modified: int = 0
    # "allowed", "refused", "none", "unreachable"; crawl delay and TDM opt-outs noted
    robots: str = ""
    message: str = ""

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Added:
    """What a write changed."""

    new: int = 0
    known: int = 0
    edited: int = 0
    deleted: int = 0
    new_ids: tuple[str, ...] = ()

    def __add__(self, other: "Added") -> "Added":
        return Added(
            self.new + other.new,
            self.known + other.known,
            self.edited + other.edited,
            self.deleted + other.deleted,
            self.new_ids + other.new_ids,
        )


def iso(moment: datetime | None) -> str | None:
    """UTC ISO 8601 with a Z, the one written form of a moment."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_META_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w:.-]{2,40})"""
    rb"""|^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w:.-]{2,40})""",
    re.IGNORECASE,
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# On the web ISO-8859-1 means Windows-1252 (WHATWG Encoding Standard).
_LATIN_1 = frozenset({"iso-8859-1", "iso8859-1", "latin-1", "latin1", "us-ascii", "ascii"})


def _decode(body: bytes, content_type: str) -> str:
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace")
    declared = re.search(r"charset=\s*[\"']?([\w:.-]+)", content_type, re.IGNORECASE)
    found = _META_CHARSET.search(body[:4096])
    names = [declared.group(1)] if declared else []
    names += [group.decode("ascii") for group in found.groups() if group] if found else []
    if b"\0" not in body[:4096]:  # markup in UTF-16 has zeros
        names = [name for name in names if not name.lower().startswith(("utf-16", "utf-32"))]
    # UTF-8 beyond ASCII is what it is, whatever a server was set to say: nothing else looks so
    first = [] if body.isascii() else ["utf-8"]
    for name in [*first, *names, "utf-8"]:
        try:
            return body.decode("cp1252" if name.lower() in _LATIN_1 else name)
        except (UnicodeDecodeError, LookupError):
            continue
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    ascii_only = len(text.encode("ascii", "ignore"))
    # more bytes that cannot be UTF-8 than characters that can: it is not UTF-8 with a few bad bytes
    return body.decode("cp1252", "replace") if 2 * broken > len(text) - ascii_only else text

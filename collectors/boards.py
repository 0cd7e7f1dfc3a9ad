"""
What the classic forums share: their settings, the way from a listing to its changed topics, and
posts from what a page holds.

A first visit of a topic starts at its last page and walks back while pages bring something new, so
the next run reads only the end of what changed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from collectors.dates import Moment, parse_date
from collectors.fields import counts
from collectors.html import (
    Node,
    Skip,
    Text,
    Tree,
    absolute,
    ancestors,
    attribute_of,
    clean_author,
    count_of,
    host,
    one_line,
    page_language,
    page_title,
    page_url,
    same_page,
    text_of,
    tree,
    without_session,
)
from collectors.settings import several, utc_text, web_address
from collectors.walls import wall
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Post, Request, State, Thread, Verdict

LEGAL = "Public messages; the forum's robots.txt and terms apply, and are read before any page."
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *forums*: addresses of lists of topics. *topics*: addresses of single topics. *zone*: the time
    zone of the dates where the pages do not say one.
    """

    forums: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    zone: str = "Europe/Paris"
    context_brand: str | None = None

    def __post_init__(self) -> None:
        for name in ("forums", "topics"):
            urls = several(getattr(self, name), name, least=0)
            object.__setattr__(self, name, tuple(web_address(url, name) for url in urls))
        if not self.forums and not self.topics:
            raise ValueError("forums: name at least one list of topics, or topics to read")
        try:
            parse_date("2024-01-01 10:00", now=datetime.now().astimezone(), tz=self.zone)
        except (KeyError, ValueError, TypeError, OSError) as error:
            raise ValueError(f"zone: {self.zone!r} is no time zone such as Europe/Paris") from error


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """
    Each list of topics, newest first; each single topic from the page where the last run ended.
    """
    context = {"zone": settings.zone, "accept_status": "401,403"}
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    since = {"since": utc_text(state.since)} if state.since else {}
    for url in settings.forums:
        yield Request(url, context=context | since)
    for url in settings.topics:
        key = f"topic:{url}"
        yield Request(state.cursor.get(key, url), context=context | {"cursor": key})


# A page ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Board:
    """
    One page of a forum: its tree, where it lives ("" when unknown), the zone of its dates and the
    address that its links start from.
    """

    platform: str
    answer: Answer
    page: Tree
    url: str
    zone: str
    base: str = ""

    @classmethod
    def of(cls, answer: Answer, platform: str) -> "Board":
        page = tree(answer.text)
        given = answer.context.get("zone", "Europe/Paris")
        zone = stated_zone(answer.text) or given
        url = page_url(answer, page)
        base = absolute(attribute_of(page.css_first("base[href]"), "href"), url)
        return cls(platform, answer, page, url, zone, base or url)

    @classmethod
    def of_json(cls, answer: Answer, platform: str) -> "Board":
        """The same for an answer of an API, which has no tree."""
        return cls(platform, answer, tree(""), answer.url, "UTC", answer.url)

    @property
    def source(self) -> str:
        return f"{self.platform}/{host(self.url) or 'unknown'}"

    def date(self, *written: str | None) -> Moment | None:
        """The first of *written* that is a date with an hour; else the first that is a day."""
        day = None
        for words in written:
            moment = parse_date(one_line(words)[:200], now=self.answer.fetched_at, tz=self.zone)
            if moment and not moment.day_only:
                return moment
            day = day or moment
        return day

    def link(self, href: str | None) -> str | None:
        """*href* as a full address; None where the page's own address is not known."""
        return absolute(href, self.base)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a topic page. *anchor* is the address that leads to it."""

    number: str
    author: str | None
    moment: Moment | None
    text: Text
    anchor: str | None = None
    title: str | None = None
    parent: str | None = None
    likes: int | None = None
    edited: Moment | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic page says of its topic: id, title, the messages it declares in all."""

    native_id: str | None
    title: str | None = None
    declared: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One topic of a list. *last* is the address of its last page, *at* when it changed last."""

    native_id: str
    title: str
    url: str | None
    last: str | None = None
    posts: int | None = None
    at: Moment | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """The neighbours of a page among the pages of its topic or list."""

    previous: str | None = None
    next: str | None = None
    last: str | None = None


def topic_page(board: Board, messages: list[Message], topic: Topic, pages: Pages) -> Page:
    """The messages of one page, and the way to the rest of their topic."""
    thread = topic.native_id or board.url or None
    title = topic.title or page_title(board.page)
    language = page_language(board.page)
    posts = tuple(
        _post(board, message, thread, title, language) for message in _once(messages, board)
    )
    key = board.answer.context.get("cursor")
    cursor = {key: board.url} if key and board.url and posts else {}
    return Page(
        posts=posts,
        next=tuple(_further(board.answer, pages, thread)),
        declared=topic.declared,
        cursor=cursor,
    )


def _once(messages: list[Message], board: Board) -> Iterator[Message]:
    """The first message of each number; an empty one has nothing to say."""
    seen = set()
    for message in messages:
        if message.number not in seen:
            seen.add(message.number)
            yield message


def _post(
    board: Board, message: Message, thread: str | None, title: str | None, language: str | None
) -> Post:
    moment, edited = message.moment, message.edited
    return Post(
        source=board.source,
        platform=board.platform,
        native_id=message.number,
        text=message.text.text,
        author=clean_author(message.author),
        published_at=moment.at if moment else None,
        day_only=bool(moment and moment.day_only),
        title=message.title,
        url=message.anchor,
        parent=message.parent,
        thread=thread,
        thread_title=title,
        engagement=counts(likes=message.likes),
        language=language,
        edited_at=edited.at if edited else None,
        context_brand=board.answer.context.get("context_brand"),
        quoted=message.text.quoted,
    )


def json_object(answer: Answer) -> Mapping[str, Any]:
    """The body as a JSON object, or SourceError."""
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError(f"expected an object, got {type(data).__name__}", url=answer.url)
    return data


# From page to page -----------------------------------------------------------------------------


def _further(answer: Answer, pages: Pages, thread: str | None) -> Iterator[Request]:
    """
    Forward from a page that was asked for as such; back from the end of a topic met in a list.
    """
    context = dict(answer.context) | ({"thread": thread} if thread else {})
    if answer.phase == "enter" and pages.last:
        entered = context | {"entered": without_session(answer.url)}
        yield Request(pages.last, context=entered, phase="tail")
        return
    if answer.phase in ("tail", "back"):
        if pages.previous and pages.previous != context.get("entered"):
            yield Request(pages.previous, context=context, phase="back", only_while_new=True)
        if pages.next and answer.phase == "tail":
            yield Request(pages.next, context=context, phase="page")
    elif pages.next:
        yield Request(pages.next, context=context, phase="page")


def listing_page(board: Board, rows: list[Row], pages: Pages) -> Page:
    """The topics of a list, and requests for those that changed since the last good run."""
    rows = list({row.native_id: row for row in reversed(rows)}.values())[::-1]
    since = _since(board.answer.context)
    changed = [row for row in rows if _changed(row, since)]
    context = {k: v for k, v in board.answer.context.items() if k != "since"}
    into = [
        Request(
            row.last or row.url,
            context=context | {"thread": row.native_id},
            phase="tail" if row.last and row.last != row.url else "enter",
        )
        for row in changed
        if row.url
    ]
    older = since is not None and all(not _changed(row, since) for row in rows if not row.pinned)
    more = [] if older or not pages.next else [replace_url(board.answer, pages.next)]
    threads = tuple(Thread(row.native_id, row.title, row.url, row.posts) for row in rows)
    newest = max((row.at.at for row in rows if row.at), default=board.answer.fetched_at)
    return Page(
        threads=threads,
        next=(*into, *more),
        cursor={f"list:{board.url}": utc_text(newest)} if board.answer.request else {},
    )


def replace_url(answer: Answer, url: str) -> Request:
    """The request that brought *answer*, for another page of the same list."""
    if answer.request is None:
        return Request(url, context=answer.context)
    return replace(answer.request, url=url, params={})


def _since(context: Mapping[str, str]) -> datetime | None:
    text = context.get("since")
    return datetime.fromisoformat(text) if text else None


def _changed(row: Row, since: datetime | None) -> bool:
    if since is None or row.at is None:
        return True
    return row.at.at >= since - (_DAY if row.at.day_only else timedelta())


def pages_of(
    board: Board,
    place: Callable[[str], int | None],
    *,
    here: int | None = None,
    selector: str = "a[href], link[rel=next], link[rel=prev]",
) -> Pages:
    """
    The pages before, after and last, from the links of the page.

    *place* gives the number (or offset) that an address has within this topic, None for any other
    address. *here* is this page's own.
    """
    places: dict[int, str] = {}
    for node in board.page.css(selector)[:5000]:
        href = (node.attributes.get("href") or "").strip()
        number = place(href) if href else None
        target = board.link(href) if number is not None else None
        if number is not None and target is not None:
            places.setdefault(number, same_page(target))
    if here is None:
        here = place(board.url) if board.url else None
    at = min(places, default=0) if here is None else here
    before, after = [n for n in places if n < at], [n for n in places if n > at]
    return Pages(
        previous=places[max(before)] if before else None,
        next=places[min(after)] if after else None,
        last=places[max(after)] if after else None,
    )


def nothing_here(board: Board, declared: int | None = None) -> Page:
    """Why a page holds neither messages nor topics: a wall, a refusal, or a changed layout."""
    blocked = forum_wall(board.answer, board.page)
    if blocked is not None:
        return blocked
    if declared:
        return Page(
            declared=declared,
            verdict=Verdict.LAYOUT_CHANGED,
            note=f"the page declares {declared} messages and none was found",
        )
    if board.answer.context and board.page.css_first("body *") is not None:
        return Page(
            verdict=Verdict.LAYOUT_CHANGED,
            note=f"{board.platform}: neither messages nor topics at {board.answer.url}",
        )
    return Page()


_MEMBERS_ONLY = re.compile(
    r"(?:you (?:must|need to|have to) (?:be )?(?:registered|log(?:ged)?[ -]?in)"
    r"|you (?:are not logged in|do not have permission to access|are not authori[sz]ed to read)"
    r"|(?:you|only registered (?:users|members)) [^.<]{0,60}(?:log ?in|registered) [^.<]{0,40}"
    r"(?:view|read|see)"
    r"|the board requires you to be registered"
    r"|(?:exige|nécessite)[^.<]{0,60}(?:connecté|inscrit|enregistré|identifié)"
    r"|réservée?s? aux (?:membres|utilisateurs)"
    r"|musst du [^.<]{0,30}(?:angemeldet|registriert)"
    r"|vous (?:devez|n[’']êtes pas|n[’']avez pas)[^.<]{0,60}"
    r"(?:connect|inscrit|enregistr|identifi|autoris|permission)"
    r"|sie (?:müssen|sind nicht|haben keine)[^.<]{0,60}"
    r"(?:angemeldet|registriert|berechtig|rechte|einloggen)"
    r"|du (?:musst|bist nicht|hast keine)[^.<]{0,60}"
    r"(?:angemeldet|registriert|berechtig|rechte|einloggen))",
    re.IGNORECASE,
)


def forum_wall(answer: Answer, page: Tree) -> Page | None:
    """A login, a challenge or a refusal, in the words of forums."""
    body = page.css_first("body")
    words = one_line(body.text(separator=" "))[:20_000] if body is not None else ""
    asks = page.css_first("input[type=password]") is not None or answer.status in (401, 403)
    if asks and _MEMBERS_ONLY.search(words):
        return Page(verdict=Verdict.LOGIN_WALL, note="the forum shows this to members only")
    return wall(answer, page)


# What pages say --------------------------------------------------------------------------------

_OF = re.compile(
    r"(?:résultats?|ergebnis(?:se)?|results?|messages?|beiträge?|posts?|affichage)\s[^\d]{0,30}"
    r"\d[\d\s.,]{0,9}\s?(?:to|à|a|bis|-|–)\s?\d[\d\s.,]{0,9}\s?(?:of|sur|von|de)\s"
    r"(\d[\d.,\s]{0,9}\d|\d)",
    re.IGNORECASE,
)
_IN_ALL = re.compile(
    r"(?<![\d.,/#])(\d{1,3}(?:[ .,\u202f\u00a0]\d{3})+|\d{1,7})\s(?:messages?|posts?|beiträge?|"
    r"réponses?\strouvées|mensajes|messaggi|contributions?)\b",
    re.IGNORECASE,
)


def declared_in(text: str) -> int | None:
    """795 of "Ergebnis 661 bis 680 von 795", 22 of "22 messages • Page 1 sur 2"."""
    words = one_line(text)
    found = _OF.search(words) or _IN_ALL.search(words)
    return count_of(re.sub(r"(?<=\d)\s(?=\d)", "", found.group(1))) if found else None


def declared_by(board: Board, selector: str) -> int | None:
    """The first total that one of the elements tells, or None."""
    for node in board.page.css(selector)[:20]:
        total = declared_in(node.text(separator=" ")[:500])
        if total is not None:
            return total
    return None


_FOOTER = re.compile(
    r"(?:all times are|times are|heures? (?:sont )?au format|heures? sont|fuseau horaire"
    r"|alle zeiten sind|alle zeitangaben in|zeitzone|time ?zone)\b[^<\d+-]{0,20}?"
    r"(?:<span title=\"(?P<name>[\w/+-]{1,40})\">\s*)?(?:UTC|GMT|WEZ)\s*"
    r"(?:(?P<sign>[+-])\s*(?P<hours>\d{1,2})(?P<minutes>:\d\d)?)?"
    r"[^<\[]{0,12}(?P<summer>\[\s*(?:DST|heure d.été|sommerzeit)\s*\])?",
    re.IGNORECASE,
)


def stated_zone(html: str) -> str | None:
    """The zone that a forum's footer states ("Toutes les heures sont au format UTC + 1 heure")."""
    tail = re.sub(r"&nbsp;|\s+", " ", html[-60_000:])
    for found in _FOOTER.finditer(tail):
        name = found["name"]
        if name and "/" in name and _is_zone(name):
            return str(name)
        hours = int(f"{found['sign'] or '+'}{found['hours'] or 0}") + bool(found["summer"])
        if (
            found["minutes"]
            and hours in (1, 2)
            and re.search(r"heure|fuseau|alle zeit", tail, re.IGNORECASE)
        ):
            return None  # the offset of today: Paris and Berlin change theirs twice a year
        if -12 <= hours <= 14:
            return f"Etc/GMT{-hours:+d}" if hours else "UTC"
    return None


def _is_zone(name: str) -> bool:
    try:
        parse_date("2024-01-01 10:00", now=datetime.now().astimezone(), tz=name)
    except (KeyError, ValueError, TypeError, OSError):
        return False
    return True


# Parts of messages -----------------------------------------------------------------------------


def words_in(node: Node | None, *, skip: Skip | None = None) -> Text:
    """The text inside *node*, which is not a quotation even where forums use `<blockquote>`."""
    return text_of(node.inner_html or "", skip=skip) if node is not None else Text("")


def first_text(node: Node, *selectors: str) -> str | None:
    """The words of the first element within *node* that has any."""
    for selector in selectors:
        for found in node.css(selector)[:3]:
            words = one_line(found.text(separator=" "))
            if words:
                return words
    return None


def holder(node: Node, *tags: str) -> Node | None:
    """The nearest element around *node* with one of these tags."""
    return next((above for above in ancestors(node, limit=12) if above.tag in tags), None)


def signs(body: bytes, patterns: Iterable[bytes], *, own: bytes = b"") -> int:
    """
    How many of *patterns* the page shows; none without a sign of its *own*, which only the software
    writes: members talk of other forums, and link to them.
    """
    if not re.search(own, body, re.IGNORECASE):
        return 0
    return sum(1 for pattern in patterns if re.search(pattern, body, re.IGNORECASE))

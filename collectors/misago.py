"""Topics of Misago forums, by their JSON API or their pages; both give the same posts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collectors import boards
from collectors.boards import Board, Message, Pages, Row, Topic, first_text, words_in
from collectors.dates import Moment
from collectors.fields import identifier, moment, need, optional
from collectors.html import Node, absolute, attribute_of, count_of, one_line, text_of
from collectors.settings import one_of, several, utc_text, web_address
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

PLATFORM = "misago"
TITLE = "Misago"
NEEDS = ""
LEGAL = boards.LEGAL


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *site*: address of the forum. *via*: html or json (its API, which the robots.txt that Misago
    brings along forbids). *topics*: addresses of single topics; without any, all that guests see.
    """

    site: str
    via: str = "html"
    topics: tuple[str, ...] = ()
    context_brand: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "site", web_address(self.site, "site"))
        one_of(self.via, "via", ("json", "html"))
        topics = tuple(
            web_address(url, "topics") for url in several(self.topics, "topics", least=0)
        )
        for url in topics:
            if not _TOPIC.search(f"{url}/"):
                raise ValueError(f"topics: {url!r} is no address of a topic (/t/title/12/)")
        object.__setattr__(self, "topics", topics)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The list of topics, newest first; each single topic from where the last run ended."""
    context = {"accept_status": "401,403"}
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    for url in settings.topics:
        key = f"topic:{url}"
        first = _api_of(settings.site, url) if settings.via == "json" else f"{url}/"
        yield Request(state.cursor.get(key, first), context=context | {"cursor": key})
    if not settings.topics:
        if state.since:
            context["since"] = utc_text(state.since)
        path = "/api/threads/" if settings.via == "json" else "/"
        yield Request(f"{settings.site}{path}", context=context)


def parse(answer: Answer) -> Page:
    """The posts of a topic, or the topics of a list."""
    if answer.body.lstrip()[:1] == b"{":
        return _json(answer)
    board = Board.of(answer, PLATFORM)
    nodes = board.page.css("li.post[id^=post-]")[:500]
    messages = [message for node in nodes if (message := _message(board, node))]
    if messages:
        return _topic(board, messages)
    items = board.page.css("[id^=threads-item-]")[:500]
    rows = [row for node in items if (row := _row(board, node))]
    if rows:
        return _list(board, rows)
    if b"threads-list" in answer.body and board.page.css_first('a[href^="/c/"]') is None:
        return _shut()
    return boards.nothing_here(board)


def recognises(answer: Answer) -> int:
    body = answer.body
    if body.lstrip()[:1] == b"{":
        return 95 if b'"post_set"' in body or _lists_threads(body) else 0
    found = boards.signs(
        body,
        (rb"/static/misago/|MISAGO_|misago", rb"thread-paginator|threads-list"),
        own=rb"/static/misago/|MISAGO_|class=[\"'][^\"'>]*\b(?:thread-paginator|threads-list)\b",
    )
    return (0, 30, 94)[found]


def _lists_threads(body: bytes) -> bool:
    return b'"subcategories"' in body and b'"results"' in body


def _shut() -> Page:
    return Page(verdict=Verdict.LOGIN_WALL, note="the forum shows its categories to members only")


# JSON ------------------------------------------------------------------------------------------


def _json(answer: Answer) -> Page:
    data = boards.json_object(answer)
    board = Board.of_json(answer, PLATFORM)
    if "post_set" in data:
        return _json_topic(board, data)
    if "results" in data:
        return _json_list(board, data)
    if "detail" in data and answer.status in (401, 403):
        return _shut()
    raise SourceError("misago: neither posts nor topics", url=answer.url)


def _json_topic(board: Board, data: Mapping[str, Any]) -> Page:
    url = board.answer.url
    rows = need(data, "post_set.results", list, url)
    messages = [message for row in rows if (message := _json_message(board, row))]
    base = board.answer.url.partition("?")[0]

    def page(name: str) -> str | None:
        number = optional(data, f"post_set.{name}", int)
        return f"{base}?page={number}" if number else None

    pages = Pages(previous=page("previous"), next=page("next"), last=page("last"))
    topic = Topic(
        identifier(data, "id", url),
        one_line(need(data, "title", str, url))[:500],
        optional(data, "post_set.count", int),
    )
    return boards.topic_page(board, messages, topic, pages)


def _json_message(board: Board, row: Any) -> Message | None:
    """One post; None for what a moderator hid and for notes such as "moved to ..."."""
    url = board.answer.url
    if optional(row, "is_event", bool) or optional(row, "is_hidden", bool):
        return None
    written = moment(need(row, "posted_on", str, url), "posted_on", url)
    updated = optional(row, "updated_on", str)
    edited = moment(updated, "updated_on", url) if updated and optional(row, "edits", int) else None
    return Message(
        number=identifier(row, "id", url),
        author=need(row, "poster_name", str, url),
        moment=Moment(written),
        text=text_of(need(row, "content", str, url)),
        anchor=absolute(optional(row, "url.index", str), url),
        likes=optional(row, "likes", int),
        edited=Moment(edited) if edited else None,
    )


def _json_list(board: Board, data: Mapping[str, Any]) -> Page:
    url = board.answer.url
    listed = need(data, "results", list, url)
    if not listed and data.get("subcategories") == [] and "start=" not in url:
        return _shut()
    following = optional(data, "next", int)
    base = url.partition("?")[0]
    rows = [_json_row(row, url) for row in listed]
    pages = Pages(next=f"{base}?start={following}" if following else None)
    return boards.listing_page(board, rows, pages)


def _json_row(row: Any, url: str) -> Row:
    posts = absolute(need(row, "api.posts.index", str, url), url)
    pages = optional(row, "pages", int) or 1
    changed = moment(need(row, "last_post_on", str, url), "last_post_on", url)
    return Row(
        native_id=identifier(row, "id", url),
        title=one_line(need(row, "title", str, url))[:500],
        url=f"{posts}?page=1" if posts else None,
        last=f"{posts}?page={pages}" if posts and pages > 1 else None,
        posts=need(row, "replies", int, url) + 1,
        at=Moment(changed),
        pinned=bool(optional(row, "weight", int)),
    )


# Pages -----------------------------------------------------------------------------------------

_TOPIC = re.compile(r"/t/[^/?#]+/(\d+)/(?:(\d+)/)?(?:[?#]|$)")


def _api_of(site: str, url: str) -> str:
    found = _TOPIC.search(f"{url}/")
    return f"{site}/api/threads/{found.group(1)}/posts/?page=1" if found else url


def _message(board: Board, node: Node) -> Message | None:
    number = re.fullmatch(r"post-(\d{1,18})", node.id or "")
    content = node.css_first("[itemprop=articleBody], .post-body")
    if not number or content is None:
        return None
    stamp = node.css_first("time[itemprop=datePublished], time[datetime]")
    anchor = node.css_first('a[href*="/post/"]')
    return Message(
        number=number.group(1),
        author=first_text(node, "[itemprop=author]", ".item-title"),
        moment=board.date(attribute_of(stamp, "datetime")),
        text=words_in(content),
        anchor=board.link(attribute_of(anchor, "href")),
    )


def _topic(board: Board, messages: list[Message]) -> Page:
    own = _TOPIC.search(board.url)

    def place(href: str) -> int | None:
        found = _TOPIC.search(href)
        if not found or (own and found.group(1) != own.group(1)):
            return None
        return int(found.group(2) or 1)

    pages = boards.pages_of(board, place, selector=".thread-paginator a, link[rel=next]")
    heading = board.page.css_first("h1")
    title = one_line(heading.text())[:500] if heading is not None else None
    return boards.topic_page(board, messages, Topic(own.group(1) if own else None, title), pages)


def _row(board: Board, node: Node) -> Row | None:
    link = node.css_first("a.threads-list-item-title")
    found = _TOPIC.search(attribute_of(link, "href") or "")
    if link is None or not found:
        return None
    replies = attribute_of(node.css_first(".threads-replies"), "title")
    activity = attribute_of(node.css_first(".threads-list-item-last-activity"), "title")
    stamp = attribute_of(node.css_first("time[datetime]"), "datetime")
    number = count_of(replies or "")
    return Row(
        native_id=found.group(1),
        title=one_line(link.text())[:500],
        url=board.link(found.string),
        posts=number + 1 if number is not None else None,
        at=board.date(stamp, activity),
    )


def _list(board: Board, rows: list[Row]) -> Page:
    link = board.page.css_first("link[rel=next], a[rel=next]")
    return boards.listing_page(board, rows, Pages(next=board.link(attribute_of(link, "href"))))

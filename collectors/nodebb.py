"""Topics of NodeBB forums, by the read API or by the pages, which carry the same JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collectors import boards
from collectors.boards import Board, Message, Pages, Row, Topic
from collectors.dates import Moment, of_epoch
from collectors.fields import identifier, need, optional
from collectors.html import absolute, one_line, text_of, tree
from collectors.settings import one_of, several, utc_text, web_address
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

PLATFORM = "nodebb"
TITLE = "NodeBB"
NEEDS = ""
LEGAL = boards.LEGAL


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *site*: address of the forum. *via*: json or html. *categories*: `2` or `2/operateurs`; without
    any, the recent topics of the whole forum. *topics*: single ones, `12/title` or their address.
    """

    site: str
    via: str = "json"
    categories: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    context_brand: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "site", web_address(self.site, "site"))
        one_of(self.via, "via", ("json", "html"))
        for name, kind in (("categories", "category"), ("topics", "topic")):
            given = several(getattr(self, name), name, least=0)
            object.__setattr__(self, name, tuple(_slug(value, kind, name) for value in given))


def _slug(value: str, kind: str, name: str) -> str:
    found = re.search(rf"(?:/{kind}/|^)(\d+(?:/[^/?#\s]+)?)/?(?:[?#]|$)", value)
    if not found:
        raise ValueError(f"{name}: {value!r} is not like 12/title")
    return found.group(1)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The lists of topics, newest first; each single topic from where the last run ended."""
    root = f"{settings.site}/api" if settings.via == "json" else settings.site
    context = {"accept_status": "401,403"}
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    for slug in settings.topics:
        key = f"topic:{slug}"
        url = state.cursor.get(key, f"{root}/topic/{slug}")
        yield Request(url, context=context | {"cursor": key})
    if state.since:
        context["since"] = utc_text(state.since)
    for slug in settings.categories:
        yield Request(f"{root}/category/{slug}", context=context)
    if not settings.categories and not settings.topics:
        yield Request(f"{root}/recent", context=context)


def parse(answer: Answer) -> Page:
    """The posts of a topic, or the topics of a category."""
    data = _data(answer)
    if isinstance(data, Page):
        return data
    board = Board.of_json(answer, PLATFORM)
    if "posts" in data and "tid" in data:
        return _topic(board, data)
    if "topics" in data:
        return _list(board, data)
    if _template(data) == "login" or re.search(r"/login(?:[?#]|$)", answer.url):
        return _members_only()
    raise SourceError("nodebb: neither posts nor topics", url=answer.url)


def recognises(answer: Answer) -> int:
    body = answer.body
    if body.lstrip()[:1] == b"{":
        own = b'"tid"' in body and (b'"mainPid"' in body or b'"pid"' in body)
        return 93 if own and b'"cid"' in body else 0
    found = boards.signs(
        body,
        (
            rb"NodeBB|nodebb",
            rb"id=[\"']ajaxify-data[\"']",
            rb"component=[\"'](?:post|category/topic|topic)",
        ),
        own=rb"id=[\"']ajaxify-data[\"']|\bcomponent=[\"']|/assets/nodebb",
    )
    return (0, 20, 80, 95)[found]


def _data(answer: Answer) -> Mapping[str, Any] | Page:
    """The JSON of the API, or of the page's own script; a wall where there is none."""
    if answer.status in (401, 403) or answer.body.strip() == b'"not-authorized"':
        return _members_only()
    if answer.body.lstrip()[:1] == b"{":
        return boards.json_object(answer)
    page = tree(answer.text)
    script = page.css_first("script#ajaxify-data")
    if script is None:
        return boards.forum_wall(answer, page) or _without_script(answer)
    try:
        data = json.loads(script.text() or "")
    except (ValueError, RecursionError) as error:
        raise SourceError("nodebb: the page's JSON is broken", url=answer.url) from error
    if not isinstance(data, Mapping):
        raise SourceError("nodebb: the page's JSON is no object", url=answer.url)
    return data


def _without_script(answer: Answer) -> Page:
    raise SourceError("nodebb: the page carries no JSON", url=answer.url)


def _template(data: Mapping[str, Any]) -> str | None:
    return optional(data, "template.name", str)


def _members_only() -> Page:
    return Page(verdict=Verdict.LOGIN_WALL, note="the forum shows this to members only")


# Topics ----------------------------------------------------------------------------------------


def _topic(board: Board, data: Mapping[str, Any]) -> Page:
    url = board.answer.url
    rows = need(data, "posts", list, url)
    base = _base(board, f"/topic/{one_line(optional(data, 'slug', str))}")
    messages = [message for row in rows if (message := _message(board, row, base))]
    topic = Topic(
        identifier(data, "tid", url),
        one_line(text_of(need(data, "title", str, url)).text)[:500],
        _whole(data.get("postcount")),
    )
    return boards.topic_page(board, messages, topic, _pages(data, url))


def _base(board: Board, path: str) -> str | None:
    """The address of the topic for people, of which `/api/topic/...` is the twin."""
    return absolute(path, re.sub(r"/api/.*$", "/", board.answer.url))


def _pages(data: Mapping[str, Any], url: str) -> Pages:
    here = optional(data, "pagination.currentPage", int) or 1
    last = optional(data, "pagination.pageCount", int) or 1
    plain = re.sub(r"[?&]page=\d+", "", url)

    def page(number: int) -> str | None:
        wanted = 1 <= number <= last and number != here
        return f"{plain}{'&' if '?' in plain else '?'}page={number}" if wanted else None

    return Pages(previous=page(here - 1), next=page(here + 1), last=page(last))


def _message(board: Board, row: Any, base: str | None) -> Message | None:
    """One post; None for what was taken back and for the notes between posts."""
    url = board.answer.url
    if not isinstance(row, Mapping) or "pid" not in row:
        return None
    if row.get("deleted") in (True, 1, "1"):
        return None
    number = identifier(row, "pid", url)
    parent = row.get("toPid")
    index = optional(row, "index", int)
    return Message(
        number=number,
        author=optional(row, "user.username", str) or optional(row, "handle", str),
        moment=_moment(row, "timestamp", url),
        text=text_of(need(row, "content", str, url)),
        anchor=f"{base}/{index + 1}" if base and index is not None else None,
        parent=str(parent) if isinstance(parent, (int, str)) and parent else None,
        likes=_whole(row.get("upvotes")),
        edited=_moment(row, "edited", url),
    )


def _moment(row: Mapping[str, Any], name: str, url: str) -> Moment | None:
    """A Unix time in milliseconds, as a number or as text; 0 and nothing are none."""
    value = row.get(name)
    if value in (None, "", 0, "0"):
        return None
    number = _whole(value)
    if number is None:
        raise SourceError(f"field {name} is no time", url=url)
    return of_epoch(number)


def _whole(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# Lists -----------------------------------------------------------------------------------------


def _list(board: Board, data: Mapping[str, Any]) -> Page:
    url = board.answer.url
    listed = need(data, "topics", list, url)
    rows = [row for one in listed if (row := _row(board, one)) is not None]
    return boards.listing_page(board, rows, _pages(data, url))


def _row(board: Board, row: Any) -> Row | None:
    url = board.answer.url
    if not isinstance(row, Mapping) or row.get("deleted") in (True, 1, "1"):
        return None
    slug = need(row, "slug", str, url)
    root = re.sub(r"/(?:category|recent|popular|unread|tags)\b.*$", "/", url)
    return Row(
        native_id=identifier(row, "tid", url),
        title=one_line(text_of(need(row, "title", str, url)).text)[:500],
        url=absolute(f"topic/{slug}", root),
        posts=_whole(row.get("postcount")),
        at=_moment(row, "lastposttime", url),
        pinned=row.get("pinned") in (True, 1, "1"),
    )

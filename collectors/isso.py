"""
Comments kept by an Isso server for the pages of a site.

API: https://isso-comments.de/docs/reference/server-api/ . An old comment may be answered at any
time, so a page whose count changed is read again as a whole.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from collectors.dates import Moment, of_epoch, parse_date
from collectors.feeds import feed_of
from collectors.fields import counts, identifier, need, optional, rows
from collectors.html import absolute, host, one_line, text_of, tree
from collectors.settings import several, web_address, whole
from collectors.walls import wall
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State

PLATFORM = "isso"
TITLE = "Isso"
NEEDS = ""
LEGAL = "Public comments by the server's documented API; its robots.txt is read before."

_ACCEPTED, _DELETED = 1, 4  # modes; 2 waits for a moderator and is not shown


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *server*: address of the Isso server. *pages*: paths of pages as Isso knows them
    (`/actu/panne/`); without any, all comments of the server, where it allows `/latest`. *website*:
    address of the site that shows the comments, for links.
    """

    server: str
    pages: tuple[str, ...] = ()
    website: str | None = None
    context_brand: str | None = None
    page_size: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "server", web_address(self.server, "server"))
        object.__setattr__(self, "pages", several(self.pages, "pages", least=0))
        if self.website is not None:
            object.__setattr__(self, "website", web_address(self.website, "website"))
        whole(self.page_size, "page_size", low=1, high=1000)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Each page from its oldest comment on; with none named, everything the server shows."""
    context = {"accept_status": "401,403,404"}
    if settings.website:
        context["website"] = settings.website
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    if not settings.pages:
        params = {"limit": "1000000"}
        yield Request(f"{settings.server}/latest", params=params, context=context)
    for uri in settings.pages:
        own = context | {"thread": uri}
        if uri in state.cursor:
            own["known"] = state.cursor[uri]
        params = {"uri": uri, "limit": str(settings.page_size), "sort": "oldest"}
        yield Request(f"{settings.server}/", params=params, context=own)


def parse(answer: Answer) -> Page:
    """The comments of one page, of the whole server, or of an Atom feed."""
    if answer.status in (401, 403, 404):
        return wall(answer, tree(answer.text)) or Page()
    if re.match(rb"\s*<\?xml|\s*<feed", answer.body):
        return _feed(answer)
    data = answer.json()
    if isinstance(data, list):
        listed = rows(data, answer.url, "comments")
        return _page(answer, listed, uri=None)
    replies = need(data, "replies", list, answer.url)
    return _thread(answer, data, replies)


def recognises(answer: Answer) -> int:
    body = answer.body
    if body.lstrip()[:1] == b"{" and b'"total_replies"' in body and b'"hidden_replies"' in body:
        return 95
    if body.lstrip()[:1] == b"[" and all(
        name in body[:3000] for name in (b'"uri"', b'"mode"', b'"dislikes"', b'"created"')
    ):
        return 90
    return 92 if b"<feed" in body[:2000] and re.search(rb"<id>tag:[^<]{1,200}/isso/", body) else 0


# Comments --------------------------------------------------------------------------------------


def _thread(answer: Answer, data: Mapping[str, Any], replies: list[Any]) -> Page:
    """The comments of a page with their answers, which are nested one level deep."""
    uri = answer.context.get("thread") or _uri_of(answer)
    nested = [
        answered
        for reply in replies
        for answered in rows(reply.get("replies") or [] if isinstance(reply, Mapping) else [], "")
    ]
    page = _page(answer, [*replies, *nested], uri)
    total = need(data, "total_replies", int, answer.url)
    following = _next(answer, replies, total)
    cursor = {uri: str(total)} if uri and answer.request and not following else {}
    return replace(page, declared=max(total, 0), next=following, cursor=cursor)


def _uri_of(answer: Answer) -> str | None:
    params = answer.request.params if answer.request else {}
    return params.get("uri") or dict(parse_qsl(urlsplit(answer.url).query)).get("uri")


def _page(answer: Answer, listed: list[Any], uri: str | None) -> Page:
    posts, deleted = [], []
    for row in listed:
        mode = need(row, "mode", int, answer.url)
        if mode == _DELETED:
            deleted.append(f"{_source(answer)}:{identifier(row, 'id', answer.url)}")
        elif mode == _ACCEPTED:
            posts.append(_post(row, answer, uri))
    return Page(posts=tuple(posts), deleted=tuple(deleted))


def _source(answer: Answer) -> str:
    return f"{PLATFORM}/{host(answer.url) or 'unknown'}"


def _post(row: Mapping[str, Any], answer: Answer, uri: str | None) -> Post:
    number = identifier(row, "id", answer.url)
    text = text_of(need(row, "text", str, answer.url))
    where = uri or optional(row, "uri", str)
    parent = optional(row, "parent", int)
    written = _moment(row, "created")
    if written is None:
        raise SourceError("field created is no moment", url=answer.url)
    edited = _moment(row, "modified")
    return Post(
        source=_source(answer),
        platform=PLATFORM,
        native_id=number,
        text=text.text,
        kind=Kind.COMMENT,
        author=one_line(optional(row, "author", str)) or None,
        published_at=written.at,
        url=_link(answer, where, number),
        parent=str(parent) if parent else None,
        thread=where,
        engagement=counts(likes=row.get("likes"), dislikes=row.get("dislikes")),
        edited_at=edited.at if edited else None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _moment(row: Mapping[str, Any], name: str) -> Moment | None:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return of_epoch(value)


def _link(answer: Answer, uri: str | None, number: str) -> str | None:
    website = answer.context.get("website")
    if not website or not uri:
        return None
    return absolute(f"{uri}#isso-{number}", website)


def _next(answer: Answer, replies: list[Any], total: int) -> tuple[Request, ...]:
    """What follows the last comment of this page, unless the count is as it was."""
    asked = answer.request
    if asked is None or "limit" not in asked.params or len(replies) < int(asked.params["limit"]):
        return ()
    if asked.context.get("known") == str(total) and "after" not in asked.params:
        return ()
    after = str(need(replies[-1], "created", float, answer.url))
    if after == asked.params.get("after"):
        return ()
    return (replace(asked, params={**asked.params, "after": after}),)


def _feed(answer: Answer) -> Page:
    """The Atom feed of a page: the newest comments, without their parents."""
    posts = []
    for entry in feed_of(answer).entries:
        found = re.search(r"/isso/(\d+)/(\d+)$", str(entry.get("id", "")))
        if not found:
            continue
        content = entry.get("content") or [{"value": entry.get("summary", "")}]
        text = text_of(str(content[0].get("value", "")))
        link = absolute(str(entry.get("link", "")), answer.url)
        at = parse_date(str(entry.get("updated", "")), now=answer.fetched_at)
        posts.append(
            Post(
                source=f"{PLATFORM}/{host(answer.url) or host(link) or 'unknown'}",
                platform=PLATFORM,
                native_id=found.group(2),
                text=text.text,
                kind=Kind.COMMENT,
                author=one_line(str(entry.get("author", ""))) or None,
                published_at=at.at if at else None,
                url=link,
                thread=urlsplit(link).path if link else None,
                context_brand=answer.context.get("context_brand"),
                quoted=text.quoted,
            )
        )
    return Page(posts=tuple(posts))

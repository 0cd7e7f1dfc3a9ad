"""
Comments, and articles if asked, of any WordPress site: by its REST API, its feeds or its pages.

API: https://developer.wordpress.org/rest-api/reference/comments/ ; wordpress.com:
https://developer.wordpress.com/docs/api/1.1/get/sites/%24site/comments/ . The three ways give the
same native ids (the
number of the comment) and the same text, so a comment met in two ways is one post.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from collectors import comment_lists as pages
from collectors.dates import parse_date
from collectors.fields import counts, identifier, moment, need, optional
from collectors.html import (
    Node,
    Text,
    Tree,
    absolute,
    attribute_of,
    clean_author,
    count_of,
    host,
    one_line,
    page_language,
    page_title,
    page_url,
    text_of,
    tree,
    with_params,
)
from collectors.settings import one_of, utc_text, web_address, whole, words, yes_or_no
from collectors.walls import wall
from collectors.xml_tree import xml_root
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "wordpress"
TITLE = "WordPress"
NEEDS = ""
LEGAL = "Public comments; each site's robots.txt and terms apply, and are read before any page."

_WAYS = ("rest", "feed", "html", "wordpress.com")
_PATIENCE = timedelta(days=90)  # articles older than this are not read again for new comments


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *site*: address of the blog. *via*: rest, feed, html or wordpress.com. *post*: one article, by
    number or address.
    *search*: only comments with these words (rest). *articles*: the articles too.
    """

    site: str
    via: str = "rest"
    post: str | None = None
    search: str | None = None
    context_brand: str | None = None
    articles: bool = False
    page_size: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "site", web_address(self.site, "site"))
        one_of(self.via, "via", _WAYS)
        yes_or_no(self.articles, "articles")
        whole(self.page_size, "page_size", low=1, high=100)
        if self.post is not None:
            _check_post(str(self.post), self.via)
        if self.search is not None:
            words(self.search, "search")
            if self.via != "rest":
                raise ValueError("search: only the REST API can search, set via = 'rest'")

    @property
    def source(self) -> str:
        return f"wordpress/{host(self.site)}"

    @property
    def context(self) -> dict[str, str]:
        pairs = {
            "site": self.site,
            "context_brand": self.context_brand or "",
            "articles": "1" if self.articles else "",
            "collected": "1",
        }
        return {name: value for name, value in pairs.items() if value}


def _check_post(post: str, via: str) -> None:
    if post.isdigit():
        if via == "html":
            raise ValueError("post: the html way needs the address of the article, not its number")
    else:
        web_address(post, "post")


def requests(settings: Settings, state: State) -> Iterable[Request]:
    """
    By REST or feed: what is new since *state*; by html: the articles, and their comment pages.
    """
    ways = {"rest": _by_rest, "feed": _by_feed, "html": _by_html, "wordpress.com": _by_dotcom}
    return ways[settings.via](settings, state)


def _by_rest(settings: Settings, state: State) -> Iterator[Request]:
    context = {**settings.context, "accept_status": "400,401,403,404"}
    root = f"{settings.site}/wp-json/wp/v2"
    if settings.post and not str(settings.post).isdigit():
        slug = urlsplit(settings.post).path.rstrip("/").rpartition("/")[2]
        since = {"since": utc_text(state.since)} if state.since else {}
        yield Request(
            f"{root}/posts", params={"slug": slug}, context={**context, **since}, phase="article"
        )
        return
    params = {
        "per_page": str(settings.page_size),
        "page": "1",
        "order": "asc",
        "orderby": "date_gmt",
        "_embed": "up",
    }
    if state.since:
        params["after"] = utc_text(state.since)
    comments = params | ({"post": str(settings.post)} if settings.post else {})
    if settings.search:
        comments["search"] = settings.search
    yield Request(f"{root}/comments", params=comments, context=context, phase="rest")
    if settings.articles:
        articles = {**params, "orderby": "date"}
        articles.pop("_embed")
        where = f"{root}/posts/{settings.post}" if settings.post else f"{root}/posts"
        yield Request(
            where, params={} if settings.post else articles, context=context, phase="rest"
        )


def _by_feed(settings: Settings, state: State) -> Iterator[Request]:
    context = settings.context
    if settings.post:
        base = (
            f"{settings.site}/?p={settings.post}" if str(settings.post).isdigit() else settings.post
        )
        yield _feed_of(base, context)
        return
    yield Request(f"{settings.site}/comments/feed/", context=context, phase="feed")
    yield _article_list(settings, state, "feed")


def _by_html(settings: Settings, state: State) -> Iterator[Request]:
    if settings.post:
        yield Request(settings.post, context=settings.context, phase="html")
        return
    yield _article_list(settings, state, "html")


def _article_list(settings: Settings, state: State, way: str) -> Request:
    context = {**settings.context, "way": way, "accept_status": "404"}
    if state.since:
        context["until"] = utc_text(state.since - _PATIENCE)
    # transient: its ETag tells of articles, not of new comments under them, so it is always read
    return Request(f"{settings.site}/feed/", context=context, phase="articles", transient=True)


def _by_dotcom(settings: Settings, state: State) -> Iterator[Request]:
    site = host(settings.site)
    params = {
        "number": str(settings.page_size),
        "page": "1",
        "order": "ASC",
        "type": "comment",
    }
    if state.since:
        params["after"] = utc_text(state.since)
    part = f"posts/{settings.post}/replies" if settings.post else "comments"
    yield Request(
        f"https://public-api.wordpress.com/rest/v1.1/sites/{site}/{part}/",
        params=params,
        context={**settings.context, "accept_status": "400,401,403,404"},
        phase="rest",
    )


# Reading ---------------------------------------------------------------------------------------


def parse(answer: Answer) -> Page:
    """The comments of a REST answer, a feed or a page."""
    page = _parse_any(answer)
    if page.posts and answer.context.get("collected"):
        return replace(page, cursor={"read": "yes"})  # from now on a run without posts is normal
    return page


def _parse_any(answer: Answer) -> Page:
    start = answer.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"[", b"{")):
        return _parse_json(answer)
    if re.match(rb"<\?xml(?![^>]*xhtml)|<rss|<feed", start) and b"<html" not in answer.body[:2000]:
        return _parse_feed(answer)
    if answer.phase in ("rest", "article"):
        return _not_json(answer)
    if answer.phase in ("feed", "articles"):
        return Page() if answer.status == 404 else _not_xml(answer)
    return _parse_page(answer)


def recognises(answer: Answer) -> int:
    body = answer.body[:300_000]
    start = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"[", b"{")):
        return _recognises_json(answer, body)
    if start.startswith((b"<?xml", b"<rss")) and b"<html" not in start:
        return 85 if re.search(rb"<guid[^>]*>[^<]*#comment-\d", body) else 0
    known = len(re.findall(rb"wp-content/|wp-includes/|content=\"WordPress|wp-json", answer.body))
    numbered = re.search(rb"id=[\"'](?:li-|div-)?comment-\d|[\"'](?:wpd|wc)-comm-\d", answer.body)
    if numbered:
        return 90 if known else 60
    form = re.search(rb"wp-comments-post\.php|id=[\"'](?:respond|comments)[\"']", answer.body)
    return 50 if known > 3 and form else 0


def _recognises_json(answer: Answer, body: bytes) -> int:
    if b'"author_name"' in body and b'"rendered"' in body:
        return 95
    if b'"comments"' in body and b'"short_URL"' in body and b'"status"' in body:
        return 85
    if b'"rendered"' in body and b'"comment_status"' in body:
        return 85
    if re.search(rb'"code"\s*:\s*"rest_', body[:500]):
        return 90
    return 70 if "/wp/v2/" in answer.url else 0


# REST ------------------------------------------------------------------------------------------


def _parse_json(answer: Answer) -> Page:
    data = answer.json()
    if isinstance(data, Mapping):
        if "comments" in data:
            return _parse_dotcom(answer, data)
        if "code" in data or "error" in data:
            return _refusal(answer, data)
        data = [data]
    if not isinstance(data, list):
        raise SourceError("wordpress: expected a list of comments", url=answer.url)
    if answer.phase == "article":
        return _comments_of(answer, data)
    made = [_rest_post(row, answer) for row in data]
    return Page(
        posts=tuple(post for post in made if post),
        declared=_header(answer, "x-wp-total"),
        next=_next_rest(answer, len(data)),
    )


def _rest_post(row: Any, answer: Answer) -> Post | None:
    if isinstance(row, Mapping) and "title" in row and "author_name" not in row:
        return _rest_article(row, answer)
    return _rest_comment(row, answer)


def _rest_comment(row: Any, answer: Answer) -> Post | None:
    url = answer.url
    number = identifier(row, "id", url)
    author = need(row, "author_name", str, url)
    written = need(row, "date_gmt", str, url)
    text = text_of(need(row, "content.rendered", str, url))
    link = absolute(need(row, "link", str, url), url)
    kind = optional(row, "type", str) or "comment"
    if kind not in ("comment", "review", "pingback", "trackback"):
        return None
    return _comment(
        answer,
        number=number,
        author=author,
        text=text,
        at=_gmt(written, url),
        link=link,
        parent=optional(row, "parent", int),
        thread=optional(row, "post", int),
        pingback=kind in ("pingback", "trackback"),
        kind=Kind.REVIEW if kind == "review" else Kind.COMMENT,
        thread_title=_embedded_title(row),
    )


def _gmt(written: str, url: str) -> datetime | None:
    """WordPress writes UTC without saying so; a date that never was is none."""
    if written.startswith(("-", "0000")):
        return None
    return moment(written, "date_gmt", url)


def _embedded_title(row: Mapping[str, Any]) -> str | None:
    up = optional(row, "_embedded.up", list)
    title = optional(up[0], "title.rendered", str) if up else None
    return _title_in(title) if title else None


@lru_cache(maxsize=256)
def _title_in(markup: str) -> str | None:
    """The title that *markup* is: all comments of an article name it."""
    return one_line(text_of(markup).text)[:500] or None


def _rest_article(row: Mapping[str, Any], answer: Answer) -> Post:
    url = answer.url
    link = absolute(need(row, "link", str, url), url)
    title = one_line(text_of(need(row, "title.rendered", str, url)).text)
    text = text_of(need(row, "content.rendered", str, url))
    edited = optional(row, "modified_gmt", str)
    at = _gmt(need(row, "date_gmt", str, url), url)
    changed = _gmt(edited, url) if edited else None
    number = f"post-{identifier(row, 'id', url)}"
    return Post(
        source=_source(answer, link),
        platform=PLATFORM,
        native_id=number,
        text=text.text,
        kind=Kind.ARTICLE,
        published_at=at,
        title=title or None,
        url=link,
        thread=number,
        thread_title=title or None,
        edited_at=changed if at and changed and changed > at else None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _comments_of(answer: Answer, data: list[Any]) -> Page:
    """The article was looked up by its address: now its comments, and itself if asked."""
    if not data:
        return Page(verdict=Verdict.UNREACHABLE, note="no article has this address")
    number = identifier(data[0], "id", answer.url)
    params = {"per_page": "100", "page": "1", "order": "asc", "orderby": "date_gmt", "post": number}
    if "since" in answer.context:
        params["after"] = answer.context["since"]
    where = _rest_address(answer, "comments")
    article = (_rest_article(data[0], answer),) if answer.context.get("articles") else ()
    return Page(
        posts=article,
        next=(Request(where, params=params, context=answer.context, phase="rest"),),
    )


def _rest_address(answer: Answer, what: str) -> str:
    site = answer.context.get("site", "")
    if "rest_route=" in answer.url:
        return f"{site}/?rest_route=/wp/v2/{what}"
    return f"{site}/wp-json/wp/v2/{what}"


def _next_rest(answer: Answer, rows: int) -> tuple[Request, ...]:
    """
    The following page. Totals are counted before rows are withheld (Trac 57223): a page may be
    short, the last ones
    empty, so declared pages are asked for, and without a declaration an empty page is the end.
    """
    asked = answer.request
    if asked is None or "page" not in asked.params:
        return ()
    number = int(asked.params["page"])
    in_all = _header(answer, "x-wp-totalpages")
    more = number < in_all if in_all is not None else rows > 0
    if not more:
        return ()
    following = {**asked.params, "page": str(number + 1)}
    return (replace(asked, params=following, transient=False),)


def _header(answer: Answer, name: str) -> int | None:
    value = answer.headers.get(name, "")
    return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None


_CLOSED = re.compile(
    r"rest_(?:not_logged_in|cannot_access|login_required|forbidden|user_cannot|cannot_read"
    r"|unauthorized|disabled|api_disabled)"
    r"|jwt_auth|unauthorized|authorization_required|user_cannot|incorrect_password"
)


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    """A REST error says by its code whether it is the end, a wall, or a site without this API."""
    code = one_line(str(data.get("code") or data.get("error") or ""))[:100]
    said = one_line(str(data.get("message") or ""))[:200]
    if code.endswith("invalid_page_number"):
        return Page()
    if answer.status in (401, 403) or _CLOSED.search(code):
        return Page(
            verdict=Verdict.LOGIN_WALL,
            note=f"the REST API asks for a login ({code}): try via = 'feed' or 'html'",
        )
    if code == "rest_no_route":
        return _not_json(answer)
    if code == "rest_invalid_param" and answer.request and "_embed" in answer.request.params:
        params = {k: v for k, v in answer.request.params.items() if k != "_embed"}
        return Page(next=(replace(answer.request, params=params, transient=False),))
    raise SourceError(f"wordpress: the API answered {code}: {said}", url=answer.url)


def _not_json(answer: Answer) -> Page:
    """
    No API at /wp-json/: sites without pretty links have it at ?rest_route=. Where a first page was
    JSON, a later one that is not is a fault.
    """
    asked = answer.request
    first = asked is not None and asked.params.get("page", "1") == "1"
    if asked is not None and first and "/wp-json/" in asked.url:
        route = asked.url.partition("/wp-json")[2]
        site = asked.url.partition("/wp-json")[0]
        params = {"rest_route": route, **asked.params}
        # transient: where it is not there either, the next run begins at /wp-json/ again
        plain = replace(asked, url=f"{site}/", params=params, transient=True)
        return Page(next=(plain,), note="no REST API at /wp-json/, trying ?rest_route=")
    blocked = wall(answer, tree(answer.text))
    if blocked is not None and answer.status not in (404, 410):
        return blocked
    if not first:
        raise SourceError("wordpress: expected JSON, got a page", url=answer.url)
    raise SourceError("wordpress: no REST API here: try via = 'feed' or 'html'", url=answer.url)


def _parse_dotcom(answer: Answer, data: Mapping[str, Any]) -> Page:
    listed = need(data, "comments", list, answer.url)
    made = [_dotcom_comment(row, answer) for row in listed]
    declared = optional(data, "found", int)
    asked = answer.request
    following: tuple[Request, ...] = ()
    if listed and asked is not None and "page" in asked.params:
        number = int(asked.params["page"])
        if declared is None or number * int(asked.params.get("number", "20")) < declared:
            following = (replace(asked, params={**asked.params, "page": str(number + 1)}),)
    return Page(posts=tuple(p for p in made if p), declared=declared, next=following)


def _dotcom_comment(row: Any, answer: Answer) -> Post | None:
    url = answer.url
    written = need(row, "date", str, url)
    link = absolute(optional(row, "URL", str), url)
    title = one_line(text_of(optional(row, "post.title", str) or "").text)
    return _comment(
        answer,
        number=identifier(row, "ID", url),
        author=optional(row, "author.name", str) or "",
        text=text_of(need(row, "content", str, url)),
        at=moment(written, "date", url),
        link=link,
        parent=optional(row, "parent.ID", int),
        thread=optional(row, "post.ID", int),
        pingback=(optional(row, "type", str) or "comment") != "comment",
        thread_title=title or None,
        engagement=counts(likes=optional(row, "like_count", int)),
    )


def _comment(
    answer: Answer,
    *,
    number: str,
    author: str,
    text: Text,
    at: datetime | None,
    link: str | None,
    parent: int | str | None,
    thread: int | str | None,
    pingback: bool,
    kind: Kind = Kind.COMMENT,
    thread_title: str | None = None,
    engagement: Mapping[str, int] | None = None,
) -> Post | None:
    """
    One comment; None for the pingback of a collected page. A saved page shows them, as articles.
    """
    if pingback and answer.context.get("collected"):
        return None
    return Post(
        source=_source(answer, link),
        platform=PLATFORM,
        native_id=number,
        text=text.text,
        kind=Kind.ARTICLE if pingback else kind,
        author=clean_author(text_of(author).text),
        published_at=at,
        url=link,
        parent=str(parent) if parent else None,
        thread=(f"post-{thread}" if str(thread).isdigit() else str(thread)) if thread else None,
        thread_title=thread_title,
        engagement=engagement or {},
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _source(answer: Answer, link: str | None) -> str:
    """`wordpress/<host>`: the site of the settings, else where the answer or its links live."""
    site = answer.context.get("site")
    place = host(site) if site else ""
    if not place and "public-api.wordpress.com" not in answer.url:
        place = host(answer.url)
    return f"wordpress/{place or host(link) or 'unknown'}"


# Feeds -----------------------------------------------------------------------------------------

_NAMES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "atom": "http://www.w3.org/2005/Atom",
    "thr": "http://purl.org/syndication/thread/1.0",
}
_COMMENT_LINK = re.compile(r"#(?:li-|div-)?comment-(\d{1,18})")
_IN_REPLY = re.compile(
    r"^\s*(?:<p>)?\s*[^<>]{1,40}<a "
    r"[^>]{0,300}#comment-(\d{1,18})[\"'][^>]*>[^<]{0,200}</a>\s*\.?\s*(?:</p>)?\s*(?:<br\s*/?>)?"
)


_END_OF_FEED = re.compile(r"</(?:rss|feed|rdf:RDF)\s*>\s*(?:<!--.{0,2000}?-->\s*)*$", re.DOTALL)


def _not_xml(answer: Answer) -> Page:
    blocked = wall(answer, tree(answer.text))
    if blocked is not None:
        return blocked
    raise SourceError("wordpress: expected a feed, got a page: try via = 'rest'", url=answer.url)


def _parse_feed(answer: Answer) -> Page:
    if answer.request is not None and not _END_OF_FEED.search(answer.text[-10_000:]):
        raise SourceError("wordpress: the feed is cut short", url=answer.url)
    root = xml_root(answer, what="wordpress: the feed")
    if answer.phase == "articles":
        return _article_links(answer, root)
    entries = [*root.iter("item"), *root.iter("{http://www.w3.org/2005/Atom}entry")]
    title = _thread_title(root)
    made = [_feed_comment(entry, title, answer) for entry in entries]
    posts = tuple(post for post in made if post)
    if entries and not any(_comment_number(entry) for entry in entries):
        raise SourceError("wordpress: this feed holds articles, not comments", url=answer.url)
    return Page(posts=posts)


def _feed_text(entry: Any, *paths: str) -> str:
    for path in paths:
        found = entry.findtext(path, namespaces=_NAMES)
        if found:
            return str(found)
    return ""


def _comment_link(entry: Any) -> str:
    link = _feed_text(entry, "link", "guid", "atom:id")
    href = entry.find("atom:link", namespaces=_NAMES)
    guid = _feed_text(entry, "guid", "atom:id")
    for one in (link, href.get("href") if href is not None else "", guid):
        if one and _COMMENT_LINK.search(one):
            return str(one)
    return link


def _comment_number(entry: Any) -> str | None:
    found = _COMMENT_LINK.search(_comment_link(entry))
    return found.group(1) if found else None


def _feed_comment(entry: Any, thread_title: str | None, answer: Answer) -> Post | None:
    number = _comment_number(entry)
    if number is None:
        return None
    markup = _feed_text(entry, "content:encoded", "atom:content", "description", "atom:summary")
    parent, markup = _reply(entry, markup)
    written = _feed_text(entry, "pubDate", "atom:published", "atom:updated")
    read = parse_date(written, now=answer.fetched_at, tz="UTC")
    if read is None:
        raise SourceError(f"wordpress: field pubDate is no date: {written[:40]!r}", url=answer.url)
    link = absolute(_comment_link(entry), answer.url)
    return _comment(
        answer,
        number=number,
        author=_feed_text(entry, "dc:creator", "atom:author/atom:name"),
        text=text_of(markup),
        at=read.at,
        link=link,
        parent=parent,
        thread=_feed_thread(entry, link),
        pingback=bool(re.match(r"\s*(?:<p>)?\s*\[(?:…|\.\.\.|&#8230;|&hellip;)\]", markup)),
        thread_title=thread_title or _title_of_entry(entry),
    )


def _feed_thread(entry: Any, link: str | None) -> str | None:
    """The number of the article, which the guid names; else its address."""
    numbered = re.search(r"[?&]p=(\d+)#", _feed_text(entry, "guid", "atom:id"))
    if numbered:
        return numbered.group(1)
    return _thread_url(link.partition("#")[0]) if link else None


def _reply(entry: Any, markup: str) -> tuple[str | None, str]:
    """
    Feeds put "In reply to <a>Name</a>." before an answer: the parent, and the text without it.
    """
    reference = entry.find("thr:in-reply-to", namespaces=_NAMES)
    named = _COMMENT_LINK.search(reference.get("ref") or "") if reference is not None else None
    prefix = _IN_REPLY.match(markup)
    if prefix:
        return prefix.group(1), markup[prefix.end() :]
    return (named.group(1) if named else None), markup


_FEED_OF = re.compile(
    r"^(?:commentaires sur\s*:?|comments on\s*:?|kommentare zu\s*:?|comentarios en\s*:?)\s*(.+)$",
    re.I,
)
_ENTRY_OF = re.compile(
    r"^(?:commentaires? sur|comment on|kommentar zu|comentario en)\s+(.+?)\s+(?:par|by|von|por)\s",
    re.I,
)


def _thread_title(root: Any) -> str | None:
    title = one_line(_feed_text(root, "channel/title", "atom:title"))
    found = _FEED_OF.match(title)
    return (
        found.group(1)[:500]
        if found and root.find(".//item") is not None and _one_thread(root)
        else None
    )


def _one_thread(root: Any) -> bool:
    pages_seen = {(_comment_link(entry)).partition("#")[0] for entry in root.iter("item")}
    return len(pages_seen) == 1


def _title_of_entry(entry: Any) -> str | None:
    found = _ENTRY_OF.match(one_line(_feed_text(entry, "title", "atom:title")))
    return found.group(1)[:500] if found else None


def _article_links(answer: Answer, root: Any) -> Page:
    """
    The articles of a site's feed: each is asked for its comments, then the next page of the feed.
    """
    context = {
        k: v for k, v in answer.context.items() if k not in ("way", "until", "accept_status")
    }
    entries = list(root.iter("item"))
    asked: list[Request] = []
    for entry in entries:
        link = absolute(_feed_text(entry, "link"), answer.url)
        if link is None or count_of(_feed_text(entry, "slash:comments") or "1") == 0:
            continue
        if answer.context.get("way") == "html":
            told = {"comments": _feed_text(entry, "slash:comments")}
            asked.append(Request(link, context={**context, **told}, phase="html"))
        else:
            own = absolute(_feed_text(entry, "wfw:commentRss"), answer.url)
            asked.append(
                Request(own, context=context, phase="feed") if own else _feed_of(link, context)
            )
    return Page(next=(*asked, *_next_articles(answer, entries)))


def _next_articles(answer: Answer, entries: list[Any]) -> tuple[Request, ...]:
    asked = answer.request
    if asked is None or not entries:
        return ()
    oldest = parse_date(_feed_text(entries[-1], "pubDate"), now=answer.fetched_at, tz="UTC")
    until = answer.context.get("until")
    if until and oldest and utc_text(oldest.at) < until:
        return ()
    first = _feed_text(entries[0], "guid", "link")
    if first == answer.context.get("first"):
        return ()  # a site that does not page its feed gives the same one again
    number = int(asked.params.get("paged", "1")) + 1
    context = {**asked.context, "first": first}
    return (replace(asked, params={"paged": str(number)}, context=context),)


def _feed_of(link: str, context: Mapping[str, str]) -> Request:
    base, _, query = link.partition("?")
    if query:
        return Request(with_params(link, feed="rss2"), context=context, phase="feed")
    return Request(f"{base.rstrip('/')}/feed/", context=context, phase="feed")


# Pages -----------------------------------------------------------------------------------------


def _parse_page(answer: Answer) -> Page:
    html = answer.text
    page = tree(html)
    url = page_url(answer, page)
    found = pages.comments(page, now=answer.fetched_at)
    place = _place(page, url, answer)
    dropped = bool(answer.context.get("collected"))  # pingbacks; a saved page shows them
    posts = tuple(_page_comment(one, place) for one in found if not (one.pingback and dropped))
    declared = pages.declared(page, url)
    if declared is None and not found:
        declared = count_of(answer.context.get("comments", ""))  # as the feed of articles says
    if not found:
        return _no_comments(answer, page, html, declared)
    if answer.context.get("articles") and pages.page_number(url) is None:
        posts = (*_page_article(page, url, answer), *posts)
    return Page(posts=posts, declared=declared, next=_comment_pages(page, url, answer))


@dataclass(frozen=True, slots=True)
class _Place:
    """What all comments of a page share."""

    source: str
    url: str
    thread: str | None
    title: str | None
    language: str | None
    brand: str | None


def _place(page: Tree, url: str, answer: Answer) -> _Place:
    number = _post_number(page)
    return _Place(
        source=_source(answer, url),
        url=url,
        thread=f"post-{number}" if number else url or None,
        title=page_title(page),
        language=page_language(page),
        brand=answer.context.get("context_brand"),
    )


def _page_comment(one: pages.Found, place: _Place) -> Post:
    return Post(
        source=place.source,
        platform=PLATFORM,
        native_id=one.number,
        text=one.text.text,
        kind=Kind.ARTICLE if one.pingback else Kind.COMMENT,
        author=one.author,
        published_at=one.moment.at if one.moment else None,
        day_only=bool(one.moment and one.moment.day_only),
        url=f"{place.url}#comment-{one.number}" if place.url else None,
        parent=one.parent,
        thread=place.thread,
        thread_title=place.title,
        engagement=counts(likes=one.likes),
        language=place.language,
        context_brand=place.brand,
        quoted=one.text.quoted,
    )


def _post_number(page: Tree) -> str | None:
    field = attribute_of(page.css_first("#comment_post_ID, [name=comment_post_ID]"), "value")
    if field and field.isdigit():
        return field
    body = attribute_of(page.css_first("body"), "class") or ""
    named = re.search(r"\bpostid-(\d+)\b", body)
    if named:
        return named.group(1)
    short = attribute_of(page.css_first("link[rel=shortlink]"), "href") or ""
    numbered = re.search(r"[?&]p=(\d+)$", short)
    return numbered.group(1) if numbered else None


def _no_comments(answer: Answer, page: Tree, html: str, declared: int | None) -> Page:
    blocked = wall(answer, page)
    if blocked is not None:
        return blocked
    if page.css_first("form.post-password-form, #loginform") is not None:
        return Page(verdict=Verdict.LOGIN_WALL, note="the page asks for a password")
    if not declared:
        articles = _page_article(page, page_url(answer, page), answer)
        return Page(posts=articles if answer.context.get("articles") else (), declared=declared)
    if pages.loaded_by_script(html):
        return Page(declared=declared, note=f"{declared} comments, loaded by script: none here")
    return Page(
        declared=declared,
        verdict=Verdict.LAYOUT_CHANGED,
        note=f"the page declares {declared} comments and none was found",
    )


def _comment_pages(page: Tree, url: str, answer: Answer) -> tuple[Request, ...]:
    """
    The neighbouring pages of comments, away from where this one was come from.

    Older pages are left alone once one brought nothing new.
    """
    here = pages.page_number(url)
    came = answer.context.get("direction")
    asked: list[Request] = []
    for number, href, older in pages.comment_pages(page):
        target = absolute(href, url)
        if target is None or number == here:
            continue
        back = number < here if here is not None else older
        if came and (came == "older") != back:
            continue
        direction = "older" if back else "newer"
        asked.append(
            Request(
                target,
                context={**answer.context, "direction": direction, "thread": _thread_url(url)},
                phase="html",
                only_while_new=back,
            )
        )
    return tuple(asked)


def _thread_url(url: str) -> str:
    """The address of the article itself, whichever of its comment pages *url* is."""
    return re.sub(r"comment-page-\d+/?$", "", url.partition("?")[0])


_ARTICLE_TEXTS = (
    ".wp-block-post-content",
    ".entry-content",
    "[itemprop=articleBody]",
    ".post-content, .post-entry, .article-content, .td-post-content",
    ".entry",
    "article",
)


def _is_no_article(node: Node) -> bool:
    """Parts of `<article>` that are not its words: title, date, comments."""
    if node.tag in ("h1", "h2", "header", "footer", "time"):
        return True
    classes = node.attributes.get("class") or ""
    return (node.attributes.get("id") or "") in ("comments", "respond") or "comment" in classes


def _page_article(page: Tree, url: str, answer: Answer) -> tuple[Post, ...]:
    number = _post_number(page)
    node = next((n for s in _ARTICLE_TEXTS if (n := page.css_first(s)) is not None), None)
    if node is None or number is None:
        return ()
    text = text_of(node, skip=_is_no_article if node.tag == "article" else None)
    title = page_title(page)
    at = None
    for selector, name in (
        ('meta[property="article:published_time"]', "content"),
        ("time.entry-date[datetime], time.published[datetime], article time[datetime]", "datetime"),
        ("time[datetime]", "datetime"),
    ):
        at = at or parse_date(attribute_of(page.css_first(selector), name), now=answer.fetched_at)
    return (
        Post(
            source=_source(answer, url),
            platform=PLATFORM,
            native_id=f"post-{number}",
            text=text.text,
            kind=Kind.ARTICLE,
            published_at=at.at if at else None,
            day_only=bool(at and at.day_only),
            title=title,
            url=url or None,
            thread=f"post-{number}",
            thread_title=title,
            context_brand=answer.context.get("context_brand"),
            language=page_language(page),
            quoted=text.quoted,
        ),
    )

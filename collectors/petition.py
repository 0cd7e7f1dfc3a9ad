"""
Signatories' comments of petitions on mesopinions.com: three in the page, all at `?commentaires-
list=true`.
"""

import hashlib
import re
from collections.abc import Iterator

from collectors.comments_page import nothing_found
from collectors.dates import Moment, parse_date
from collectors.fields import counts
from collectors.html import (
    Node,
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
from collectors.settings import Addresses
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State

PLATFORM = "petition"
TITLE = "Petitions (mesopinions)"
NEEDS = ""
LEGAL = "Comments that signatories chose to publish; the site's robots.txt and terms apply."
Settings = Addresses


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The list of all comments of each petition."""
    for url in settings.urls:
        yield Request(with_params(url, **{"commentaires-list": "true"}), context=settings.context)


_CARDS = ".mo-comment-card, .mo-comments-list > .comment, .comment-card"
_LIKE = re.compile(r"petition-like-(\d{1,18})")
_NAME_AND_DATE = re.compile(
    r"^(.*?)\s*[-–—,]?\s*\b[Ll]e\s+(\d{1,2}[/.]\d{1,2}[/.]\d{4}.*)$", re.DOTALL
)


def parse(answer: Answer) -> Page:
    """The comment cards of one page."""
    page = tree(answer.text)
    url = page_url(answer, page)
    title = page.css_first(".mo-comments-title, .comments-title")
    declared = count_of(one_line(title.text())) if title is not None else None
    cards = page.css(_CARDS)
    if not cards:
        return nothing_found(page, answer, declared)
    thread = re.sub(r"[?#].*$", "", url)
    posts = tuple(
        _post(card, thread, page_title(page), page_language(page), answer) for card in cards
    )
    return Page(posts=posts, declared=declared, next=_next(page, url, answer, len(posts), declared))


def _post(card: Node, thread: str, title: str | None, language: str | None, answer: Answer) -> Post:
    content = card.css_first(".mo-comment-content, .comment-content")
    infos = card.css_first(".mo-comment-infos, .comment-infos")
    if content is None or infos is None:
        raise SourceError("field mo-comment-content or mo-comment-infos is missing", url=answer.url)
    author, moment = _who_and_when(one_line(infos.text()), answer)
    text = text_of(content)
    likes = card.css_first(".mo-comment-nblike")
    return Post(
        source=f"petition/{host(thread) or 'unknown'}",
        platform=PLATFORM,
        native_id=_number(card) or _digest(thread, author, infos.text(), text.text),
        text=text.text,
        kind=Kind.COMMENT,
        author=author,
        published_at=moment.at if moment else None,
        day_only=bool(moment and moment.day_only),
        url=thread or None,
        thread=thread or None,
        thread_title=title,
        language=language,
        engagement=counts(likes=count_of(one_line(likes.text())) if likes is not None else None),
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _who_and_when(words: str, answer: Answer) -> tuple[str | None, Moment | None]:
    """ "Muriel - Le 22/01/2020 à 12:01:03"."""
    found = _NAME_AND_DATE.match(words)
    if not found:
        return clean_author(words), None
    return clean_author(found.group(1)), parse_date(found.group(2), now=answer.fetched_at)


def _number(card: Node) -> str | None:
    """The signature's number, which the like button carries."""
    for node in card.css('[id^="petition-like-"]')[:3]:
        found = _LIKE.match(node.attributes.get("id") or "")
        if found:
            return found.group(1)
    return None


def _digest(*parts: str | None) -> str:
    written = "\n".join(part or "" for part in parts)
    return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()[:24]


def _next(
    page: Tree, url: str, answer: Answer, got: int, declared: int | None
) -> tuple[Request, ...]:
    """From the petition to its list of comments; in the list, the pager's next page."""
    if "commentaires-list" not in answer.url:
        if declared is not None and got >= declared:
            return ()
        target = with_params(url, **{"commentaires-list": "true"}) if url else None
        return (Request(target or "?commentaires-list=true", context=answer.context),)
    link = page.css_first('a[rel=next], .pagination .next a, a.next, [aria-label*="uivant"]')
    target = absolute(attribute_of(link, "href"), url)
    return (Request(target, context=answer.context),) if target else ()


def recognises(answer: Answer) -> int:
    if b"mo-comment-card" in answer.body or b"mo-comments-title" in answer.body:
        return 95
    return 80 if "mesopinions.com" in host(answer.url) else 0

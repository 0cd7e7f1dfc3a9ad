"""
Comments of pages nobody described: by what the page says to machines, else by numbers, else by
repeated structure.

Meant for French sites with a comment system of their own. A page is asked three questions in
turn, and the first that
is answered counts: JSON-LD or microdata of schema.org; elements numbered `comment-123`; the
largest set of like-named
elements that each hold an author, a date and words.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from collectors import comment_lists as lists
from collectors.comments_page import nothing_found
from collectors.fields import counts
from collectors.html import (
    Node,
    Tree,
    absolute,
    attribute_of,
    classes_of,
    clean_author,
    count_of,
    host,
    one_line,
    page_language,
    page_title,
    page_url,
    tree,
)
from collectors.settings import Addresses, each_address
from collectors.structured import Thing, json_ld, microdata
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request

PLATFORM = "comments"
TITLE = "Comments of any page"
NEEDS = ""
LEGAL = "Public comments; each site's robots.txt and terms apply, and are read before any page."
Settings = Addresses
requests = each_address


def parse(answer: Answer) -> Page:
    """The comments of one page, whatever its layout."""
    if not _is_html(answer):
        raise SourceError("expected a page, got something else", url=answer.url)
    page = tree(answer.text)
    url = page_url(answer, page)
    described, counted = json_ld(page, now=answer.fetched_at)
    marked = microdata(page, now=answer.fetched_at)
    things = marked if len(marked) >= len(described) else described
    declared = _declared(page, url, counted)
    posts = _posts_of_things(things, page, url, answer)
    if len(posts) < 3:  # a page may describe its first post only
        found = (
            lists.comments(page, now=answer.fetched_at)
            or lists.comments(page, now=answer.fetched_at, carriers=_SHORT, number_of=_short_number)
            or _repeated(page, answer)
        )
        if len(found) > 2 * len(posts):
            posts = _posts_of_found(found, page, url, answer)
    if not posts:
        return nothing_found(page, answer, declared)
    return Page(posts=posts, declared=declared, next=_next(page, url, answer))


def _is_html(answer: Answer) -> bool:
    start = answer.body[:4000].lower()
    return b"<html" in start or b"<!doctype html" in start or b"<body" in start or b"<div" in start


def recognises(answer: Answer) -> int:
    """The last resort for any page; surer where the page marks comments up."""
    if not _is_html(answer):
        return 0
    if re.search(rb"schema\.org/(?:User)?Comment|\"@type\"\s*:\s*\"Comment\"", answer.body):
        return 30
    return 20 if re.search(rb"(?:class|id)=[\"'][^\"']{0,80}comment", answer.body) else 5


# From descriptions -----------------------------------------------------------------------------


def _posts_of_things(
    things: Sequence[Thing], page: Tree, url: str, answer: Answer
) -> tuple[Post, ...]:
    title, language = page_title(page), page_language(page)
    names = [_name_of(thing, url) for thing in things]
    return tuple(
        Post(
            source=_source(url),
            platform=PLATFORM,
            native_id=names[place],
            text=thing.text.text,
            kind=Kind.REVIEW if thing.is_review else _kind_of(thing),
            author=thing.author,
            published_at=thing.moment.at if thing.moment else None,
            day_only=bool(thing.moment and thing.moment.day_only),
            title=thing.title,
            url=absolute(thing.url, url) or _with_fragment(thing, url),
            parent=names[thing.parent] if thing.parent is not None else None,
            thread=url or None,
            thread_title=title,
            rating=thing.rating,
            language=language,
            engagement=counts(likes=thing.likes),
            context_brand=answer.context.get("context_brand"),
            quoted=thing.text.quoted,
        )
        for place, thing in enumerate(things)
        if thing.author or thing.moment or thing.is_review
    )


def _kind_of(thing: Thing) -> Kind:
    return (
        Kind.POST
        if thing.kind in ("DiscussionForumPosting", "SocialMediaPosting")
        else Kind.COMMENT
    )


_NUMBERED = re.compile(r"^(?:[A-Za-z][\w]*[-_])*(\d{1,18})$")


def _name_of(thing: Thing, url: str) -> str:
    """The number in the element's id or the link's fragment; else the link; else a digest."""
    for name in (thing.name, (thing.url or "").rpartition("#")[2]):
        found = _NUMBERED.match(name or "")
        if found:
            return found.group(1)
    if thing.name and len(thing.name) <= 200:
        return thing.name
    link = thing.url or ""
    if link and link.rstrip("/") != url.rstrip("/") and len(link) <= 500:
        return link
    return _digest(url, thing.author, thing.text.text)


def _with_fragment(thing: Thing, url: str) -> str | None:
    if thing.node is not None and thing.name and url:
        return absolute(f"#{thing.name}", url)
    return url or None


def _digest(*parts: str | None) -> str:
    written = "\n".join(part or "" for part in parts)
    return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()[:24]


# From numbers and structure --------------------------------------------------------------------


def _posts_of_found(
    found: Sequence[lists.Found], page: Tree, url: str, answer: Answer
) -> tuple[Post, ...]:
    title, language = page_title(page), page_language(page)
    names = {one.number: _name_of_found(one, url) for one in found}
    return tuple(
        Post(
            source=_source(url),
            platform=PLATFORM,
            native_id=names[one.number],
            text=one.text.text,
            kind=Kind.COMMENT,
            author=clean_author(one.author),
            published_at=one.moment.at if one.moment else None,
            day_only=bool(one.moment and one.moment.day_only),
            title=one.title,
            url=url or None,
            parent=names.get(one.parent) if one.parent else None,
            thread=url or None,
            thread_title=title,
            language=language,
            engagement=counts(likes=one.likes),
            context_brand=answer.context.get("context_brand"),
            quoted=one.text.quoted,
        )
        for one in found
        if one.text.text and not one.pingback
    )


_SHORT = "dt[id^=c], li[id^=c], div[id^=c], article[id^=c]"
_SHORT_NUMBER = re.compile(r"c(\d{1,22})")


def _short_number(node: Node) -> tuple[str, str | None] | None:
    """Dotclear and Blogger number comments `c123`."""
    found = _SHORT_NUMBER.fullmatch(node.attributes.get("id") or "")
    return (found.group(1), None) if found else None


def _name_of_found(one: lists.Found, url: str) -> str:
    if not one.number.startswith("?"):
        return one.number
    return _digest(url, one.author, one.text.text)


_COMMENT_LIKE = re.compile(
    r"(?<![a-z])(?:comments?|commentaires?|commentary|reactions?|réactions?|avis|reviews?"
    r"|messages?|repl(?:y|ies)|responses?"
    r"|reponses?|temoignages?|kommentare?|beitrag|posts?|opinions?|contribution)(?![a-z])"
    r"|[a-z]Comment\b|^comment[A-Z]",
)
_NO_COMMENT = re.compile(
    r"form|input|button|count|link|title|header|footer|list|wrapper|container|area|section"
    r"|respond|recent|widget|nav|pag",
    re.IGNORECASE,
)
_ID_NUMBER = re.compile(r"(\d{2,18})$")


def _repeated(page: Tree, answer: Answer) -> list[lists.Found]:
    """The largest set of like-named elements that each hold an author, a date and words."""
    groups: dict[tuple[str, str], list[Node]] = {}
    for node in page.css(_CANDIDATES)[:20_000]:
        name = " ".join(c for c in classes_of(node) if _COMMENT_LIKE.search(c))
        if name and node.tag in _UNIT_TAGS:
            first = next(c for c in name.split() if _COMMENT_LIKE.search(c))
            groups.setdefault((node.tag or "", first), []).append(node)
    best: list[lists.Found] = []
    ordered = sorted(groups.items(), key=lambda item: _NO_COMMENT.search(item[0][1]) is not None)
    for _, nodes in ordered[:40]:
        named = [(_own_name(node, place), node) for place, node in enumerate(nodes)]
        read = lists.comments_at(named, now=answer.fetched_at)
        whole = _once(one for one in read if one.author and one.moment and one.text.text)
        if len(whole) > len(best) and len(whole) * 2 >= len(nodes):
            best = whole
    return best


def _once(found: Iterable[lists.Found]) -> list[lists.Found]:
    """Without those that say the same again: a box and the box within it."""
    kept = {(one.author, one.moment, one.text.text): one for one in reversed(list(found))}
    return list(reversed(kept.values()))


_UNIT_TAGS = frozenset(("li", "div", "article", "section", "tr", "dd", "td", "blockquote"))
_PARTS = (
    "omment eaction avis eview essage epl espons epons moignage post pinion"  # first letters vary
)
_CANDIDATES = ", ".join(f'[class*="{part}"]' for part in _PARTS.split())


def _own_name(node: Node, place: int) -> str:
    """A number that the element carries; `?n` where it has none and a digest must do."""
    for name in ("data-comment-id", "data-id", "data-commentid", "id"):
        value = attribute_of(node, name) or ""
        found = _ID_NUMBER.search(value)
        if found:
            return found.group(1)
    return f"?{place}"


# What the page declares ------------------------------------------------------------------------

_COUNTERS = (
    '[class*="ommentCount"], [class*="omment-count"], [class*="omments-count"], '
    '[class*="omment_count"], [class*="omments_count"], [class*="commentsCount"], '
    "[itemprop=commentCount], [data-comment-count], [data-comments-count], "
    '[class*="nb-comment"], [class*="nbComment"], [class*="nb_comment"]'
)


def _declared(page: Tree, url: str, counted: int | None) -> int | None:
    if counted is not None:
        return counted
    said = lists.declared(page, url)
    if said is not None:
        return said
    numbers = Counter(
        number for node in page.css(_COUNTERS)[:200] if (number := _counter(node)) is not None
    )
    if not numbers or len(numbers) > 3:
        return None  # a list of articles, each with its counter
    return numbers.most_common(1)[0][0]


def _counter(node: Node) -> int | None:
    for name in ("data-comment-count", "data-comments-count", "content"):
        value = attribute_of(node, name)
        if value and value.isdigit() and len(value) < 8:
            return int(value)
    words = one_line(node.text())
    return count_of(words) if len(words) < 40 else None


def _next(page: Tree, url: str, answer: Answer) -> tuple[Request, ...]:
    """The next page of comments, where the page names one."""
    for selector in (
        "#comments a[rel=next], .comments a[rel=next], [class*=comment] a[rel=next]",
        "link[rel=next], a[rel=next]",
    ):
        link = page.css_first(selector)
        target = absolute(attribute_of(link, "href"), url)
        if target and _same_path(target, url):
            return (Request(target, context=answer.context),)
    return ()


def _same_path(target: str, url: str) -> bool:
    """A page of the same article (`?page=2`, `/2`), not the next article."""
    base, other = url.partition("?")[0].rstrip("/"), target.partition("?")[0].rstrip("/")
    shorter = re.sub(r"(?:/(?:page[-/]?)?\d{1,4}|[-_]\d{1,4}(?:\.html?)?)$", "", other)
    return other == base or shorter == re.sub(r"(?:/(?:page[-/]?)?\d{1,4}|\.html?)$", "", base)


def _source(url: str) -> str:
    return f"comments/{host(url) or 'unknown'}"

"""
Entries of RSS, Atom, RDF and JSON feeds, well or ill formed.

XML by feedparser, which reads what no XML parser takes; JSON Feed
(https://www.jsonfeed.org/version/1.1/) by itself.
"""

import calendar
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax import SAXException

import feedparser
from charset_normalizer import from_bytes

from collectors.dates import Moment, parse_date
from collectors.fields import optional
from collectors.html import (
    Text,
    absolute,
    clean_author,
    host,
    one_line,
    plain,
    text_of,
    tree,
)
from collectors.settings import Addresses, each_address
from collectors.walls import wall
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, Verdict

PLATFORM = "feeds"
TITLE = "RSS, Atom and JSON feeds"
NEEDS = ""
LEGAL = "Feeds are published to be read by programs; their site's robots.txt applies all the same."
Settings = Addresses
requests = each_address

_FEED_TAG = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|channel|item|entry)\b", re.IGNORECASE)


def parse(answer: Answer) -> Page:
    """The entries of one feed."""
    body = _as_utf8(answer)
    start = body[:1000].lstrip()
    if start.startswith(b"{"):
        return _parse_json(answer)
    if re.match(rb"<!doctype html|<html", start, re.IGNORECASE):
        blocked = wall(answer, tree(answer.text))
        if blocked is not None:
            return blocked
        raise SourceError("expected a feed, got a page", url=answer.url)
    if not _FEED_TAG.search(body):
        raise SourceError("expected a feed, got something else", url=answer.url)
    return _parse_xml(answer, body)


def recognises(answer: Answer) -> int:
    start = answer.body[:3000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return 80 if b"jsonfeed.org/version" in answer.body[:5000] else 0
    if re.search(rb"<(?:rss|feed|rdf:RDF|channel)[\s>]", start) and b"<html" not in start.lower():
        return 60
    return 0


# XML -------------------------------------------------------------------------------------------


_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,100}?\sencoding\s*=", re.IGNORECASE)


def _as_utf8(answer: Answer) -> bytes:
    """
    The body in UTF-8. Where nobody declares an encoding it is guessed, and the guess believed only
    for other alphabets than ours: short Latin texts look alike in a dozen encodings.
    """
    said = answer.headers.get("content-type", "").lower().partition("charset=")[2].strip("\"' ")
    declared = said not in ("", "utf-8", "utf8")  # what is not UTF-8 is not, whatever was said
    marked = answer.body.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not (declared or marked or _DECLARED.match(answer.body[:200])):
        try:
            answer.body.decode()
        except UnicodeDecodeError:
            guess = from_bytes(answer.body[:_GUESSED_FROM]).best()
            if guess is not None and _OTHER_ALPHABETS.intersection(guess.alphabets):
                return answer.body.decode(guess.encoding, "replace").encode()
    return answer.text.encode()


_GUESSED_FROM = 50_000  # bytes
_OTHER_ALPHABETS = frozenset(
    ("Cyrillic", "Greek and Coptic", "Hebrew", "Arabic", "Thai", "Hangul Syllables")
)


def feed_of(answer: Answer) -> Any:
    """What feedparser reads in the body, decoded before; SourceError where it can read nothing."""
    return _read_feed(answer, _as_utf8(answer))


def _read_feed(answer: Answer, body: bytes) -> Any:
    sent = {"content-type": "application/xml; charset=utf-8"}
    if answer.url.startswith("http"):
        sent["content-location"] = answer.url
    try:
        feed = feedparser.parse(
            body, response_headers=sent, sanitize_html=False, resolve_relative_uris=False
        )
    except (SAXException, LookupError, ValueError, TypeError, AttributeError, AssertionError) as e:
        raise SourceError(f"the feed cannot be read ({e})"[:300], url=answer.url) from e
    if not feed.entries and not feed.get("version"):
        raise SourceError("expected a feed, got something else", url=answer.url)
    return feed


def _parse_xml(answer: Answer, body: bytes) -> Page:
    feed = _read_feed(answer, body)
    language = _language(feed.feed)
    place = _place(answer, [_plain_get(feed.feed, "link"), *map(_link_of, feed.entries)])
    posts = tuple(_entry(entry, place, language, answer) for entry in feed.entries)
    if answer.request is not None and not _END.search(body[-10_000:]):
        return Page(  # its last entry may be half of one
            posts=posts[:-1],
            verdict=Verdict.LAYOUT_CHANGED,
            note=f"the feed at {answer.url} is cut short",
        )
    return Page(posts=posts, next=_next_xml(feed.feed, answer))


_END = re.compile(rb"</(?:rss|feed|rdf:RDF)\s*>", re.IGNORECASE)


def _link_of(entry: Mapping[str, Any]) -> str:
    return _plain_get(entry, "link")


def _entry(entry: Mapping[str, Any], place: str, language: str | None, answer: Answer) -> Post:
    link = absolute(_plain_get(entry, "link"), answer.url)
    title = one_line(text_of(_plain_get(entry, "title")).text)
    text = _content(entry)
    published = _moment(entry, "published", answer) or _moment(entry, "updated", answer)
    changed = _moment(entry, "updated", answer)
    identifier = _plain_get(entry, "id") or link
    edited = changed if published and changed and changed.at > published.at else None
    return Post(
        source=f"feeds/{place}",
        platform=PLATFORM,
        native_id=_native_id(identifier, title, text.text),
        text=text.text,
        kind=_kind(title, link, identifier),
        author=_author(entry),
        published_at=published.at if published else None,
        day_only=bool(published and published.day_only),
        title=title or None,
        url=link,
        language=_entry_language(entry) or language,
        edited_at=edited.at if edited else None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _plain_get(entry: Mapping[str, Any], name: str) -> str:
    """The value as stored: feedparser's own look-ups substitute one field for another and warn."""
    value = dict.get(entry, name) if isinstance(entry, dict) else None
    return value if isinstance(value, str) else ""


def _content(entry: Mapping[str, Any]) -> Text:
    """The fullest text of the entry: its content, else its summary."""
    parts = dict.get(entry, "content") if isinstance(entry, dict) else None
    written = [part for part in parts or () if isinstance(part, Mapping) and part.get("value")]
    if written:
        best = max(written, key=lambda part: len(str(part["value"])))
        return _as_text(str(best["value"]), str(best.get("type") or ""))
    detail = dict.get(entry, "summary_detail") if isinstance(entry, dict) else None
    kind = str(detail.get("type") or "") if isinstance(detail, Mapping) else ""
    return _as_text(_plain_get(entry, "summary"), kind)


def _as_text(value: str, kind: str) -> Text:
    if kind == "text/plain" and "<" not in value:
        return Text(plain(value))
    return text_of(value)


def _author(entry: Mapping[str, Any]) -> str | None:
    detail = dict.get(entry, "author_detail") if isinstance(entry, dict) else None
    name = detail.get("name") if isinstance(detail, Mapping) else None
    return clean_author(name or _plain_get(entry, "author"))


def _moment(entry: Mapping[str, Any], name: str, answer: Answer) -> Moment | None:
    read = dict.get(entry, f"{name}_parsed") if isinstance(entry, dict) else None
    if read:
        try:
            return Moment(datetime.fromtimestamp(calendar.timegm(read), UTC))
        except (ValueError, OverflowError, OSError, TypeError):
            return None
    return parse_date(_plain_get(entry, name), now=answer.fetched_at)


def _language(feed: Mapping[str, Any]) -> str | None:
    value = _plain_get(feed, "language")
    return value[:2].lower() if re.match(r"[A-Za-z]{2}(?:-|$)", value) else None


def _entry_language(entry: Mapping[str, Any]) -> str | None:
    for name in ("content", "summary_detail", "title_detail"):
        value = dict.get(entry, name) if isinstance(entry, dict) else None
        detail = value[0] if isinstance(value, list) and value else value
        language = detail.get("language") if isinstance(detail, Mapping) else None
        if isinstance(language, str) and len(language) >= 2:
            return language[:2].lower()
    return None


def _next_xml(feed: Mapping[str, Any], answer: Answer) -> tuple[Request, ...]:
    links = dict.get(feed, "links") if isinstance(feed, dict) else None
    for link in links or ():
        if isinstance(link, Mapping) and link.get("rel") in ("next", "prev-archive"):
            return _follow(str(link.get("href") or ""), answer)
    return ()


def _follow(href: str, answer: Answer) -> tuple[Request, ...]:
    url = absolute(href, answer.url)
    if url is None or url == answer.url:
        return ()
    return (Request(url, context=answer.context, only_while_new=True),)


# JSON ------------------------------------------------------------------------------------------


def _parse_json(answer: Answer) -> Page:
    data = answer.json()
    items = optional(data, "items", list)
    if items is None:
        raise SourceError("field items is missing: this is no JSON Feed", url=answer.url)
    language = _language(data)
    listed = [item for item in items if isinstance(item, Mapping)]
    home = optional(data, "home_page_url", str) or ""
    place = _place(answer, [home, *(optional(item, "url", str) or "" for item in listed)])
    posts = tuple(_item(item, place, language, answer) for item in listed)
    return Page(posts=posts, next=_follow(optional(data, "next_url", str) or "", answer))


def _item(item: Mapping[str, Any], place: str, language: str | None, answer: Answer) -> Post:
    link = absolute(optional(item, "url", str) or optional(item, "external_url", str), answer.url)
    title = one_line(text_of(optional(item, "title", str)).text)
    markup = optional(item, "content_html", str)
    text = text_of(markup) if markup else Text(plain(_first_text(item)))
    published = _json_moment(item, ("date_published", "date_modified"), answer)
    changed = _json_moment(item, ("date_modified",), answer)
    number = item.get("id")
    identifier = str(number) if isinstance(number, (str, int, float)) and number != "" else link
    return Post(
        source=f"feeds/{place}",
        platform=PLATFORM,
        native_id=_native_id(identifier, title, text.text),
        text=text.text,
        kind=_kind(title, link, identifier),
        author=_json_author(item),
        published_at=published.at if published else None,
        day_only=bool(published and published.day_only),
        title=title or None,
        url=link,
        language=optional(item, "language", str) or language,
        edited_at=changed.at if published and changed and changed.at > published.at else None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _first_text(item: Mapping[str, Any]) -> str:
    return optional(item, "content_text", str) or optional(item, "summary", str) or ""


def _json_moment(item: Mapping[str, Any], names: tuple[str, ...], answer: Answer) -> Moment | None:
    for name in names:
        read = parse_date(optional(item, name, str), now=answer.fetched_at)
        if read:
            return read
    return None


def _json_author(item: Mapping[str, Any]) -> str | None:
    authors = optional(item, "authors", list) or [item.get("author")]
    names = (optional(author, "name", str) for author in authors)
    return next((clean_author(name) for name in names if name), None)


# Both ------------------------------------------------------------------------------------------


def _place(answer: Answer, links: Iterable[str]) -> str:
    """The host that the feed came from; for a saved feed, the first that it names."""
    return next((found for link in (answer.url, *links) if (found := host(link))), "unknown")


def _kind(title: str, link: str | None, identifier: str | None) -> Kind:
    if "#comment-" in f"{link or ''} {identifier or ''}":
        return Kind.COMMENT
    return Kind.ARTICLE if title else Kind.POST


def _native_id(identifier: str | None, title: str, text: str) -> str:
    """The entry's own id; where it has none, or an endless one, a digest."""
    name = one_line(identifier)
    if name and len(name) <= 500:
        return name
    return hashlib.sha256(f"{name}\n{title}\n{text}".encode("utf-8", "replace")).hexdigest()[:32]

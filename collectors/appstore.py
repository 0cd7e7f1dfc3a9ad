"""
Reviews of Apple's App Store, from its feeds (JSON, XML) or saved answers of its catalogue.

Feeds of customer reviews: about 500 of the newest, 50 a page, per country.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from collectors.fields import counts, identifier, moment, need, optional
from collectors.html import absolute, clean_author, host, one_line, plain, text_of
from collectors.settings import several, web_address, words
from collectors.xml_tree import xml_root
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State

PLATFORM = "appstore"
TITLE = "App Store reviews"
NEEDS = ""
LEGAL = "Apple's public feeds of reviews; robots.txt and the media services terms apply."

_HOST = "https://itunes.apple.com"
_LAST_PAGE = 10
# The same app may answer nothing at one address and fifty reviews at another.
_FORMS = (
    "{host}/{country}/rss/customerreviews/page={page}/id={app}/sortby=mostrecent/json",
    "{host}/{country}/rss/customerreviews/id={app}/page={page}/sortby=mostrecent/json",
    "{host}/rss/customerreviews/page={page}/id={app}/sortby=mostrecent/json?cc={country}",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *apps*: numbers of apps (`id123456789` in their addresses). *country*: of the store. *server*:
    where the feeds are, if not at Apple's.
    """

    apps: tuple[str, ...]
    country: str = "fr"
    context_brand: str | None = None
    server: str = _HOST

    def __post_init__(self) -> None:
        object.__setattr__(self, "server", web_address(self.server, "server"))
        given = self.apps
        listed = [str(app) for app in (given if isinstance(given, (list, tuple)) else [given])]
        apps = tuple(app.removeprefix("id") for app in several(listed, "apps"))
        for app in apps:
            if not re.fullmatch(r"\d{5,15}", app, re.ASCII):
                raise ValueError(f"apps: {app!r} is no number of an app (id123456789)")
        object.__setattr__(self, "apps", apps)
        country = words(self.country, "country").lower()
        if not re.fullmatch(r"[a-z]{2}", country):
            raise ValueError(f"country: {self.country!r} is no country of two letters")
        object.__setattr__(self, "country", country)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The newest page of each app; older ones while they bring anything new."""
    for app in settings.apps:
        context = {"app": app, "country": settings.country, "page": "1", "form": "0"}
        if settings.server != _HOST:
            context["server"] = settings.server
        if settings.context_brand:
            context["context_brand"] = settings.context_brand
        yield Request(_url(context), context=context)


def _url(context: Mapping[str, str]) -> str:
    form = _FORMS[int(context["form"])]
    known = {name: context[name] for name in ("app", "country", "page")}
    return form.format(host=context.get("server", _HOST), **known)


def parse(answer: Answer) -> Page:
    """The reviews of one page; the app itself, which some answers list first, is none."""
    if answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _parse_xml(answer)
    data = answer.json()
    if isinstance(optional(data, "data", list), list):
        return _parse_catalogue(data, answer)
    feed = need(data, "feed", dict, answer.url)
    entries = feed.get("entry", [])
    listed = entries if isinstance(entries, list) else [entries]  # a single one stands alone
    app = _app_of(feed, answer)
    posts = tuple(
        _review(entry, app, answer)
        for entry in listed
        if isinstance(entry, Mapping) and ("im:rating" in entry or "im:name" not in entry)
    )
    links = _links(feed)
    return Page(posts=posts, next=_next(answer, links, len(posts)))


def recognises(answer: Answer) -> int:
    start = answer.body[:3000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.search(r"//(?:itunes|apps)\.apple\.com/.*customerreviews", answer.url, re.IGNORECASE):
        return 90
    if re.search(rb'"type"\s*:\s*"user-reviews"', answer.body):
        return 90
    if start.startswith(b"{") and re.search(rb'"feed"\s*:\s*\{', start):
        sure = b'"im:rating"' in answer.body or b"customerreviews" in answer.body.lower()
        return 95 if sure or b"iTunes Store" in start else 0
    itunes = b"http://itunes.apple.com/rss" in start and b"customerreviews" in start.lower()
    return 90 if itunes or (b"im:rating" in answer.body and b"<feed" in start) else 0


# JSON ------------------------------------------------------------------------------------------


def _label(row: Any, name: str, url: str) -> str:
    """Every value of these feeds is in a `label`."""
    value = row.get(name) if isinstance(row, Mapping) else None
    label = value.get("label") if isinstance(value, Mapping) else value
    if isinstance(label, (str, int)) and not isinstance(label, bool):
        return str(label)
    raise SourceError(f"field {name}.label is missing", url=url)


def _maybe(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    label = value.get("label") if isinstance(value, Mapping) else None
    return label if isinstance(label, str) and label else None


def _review(entry: Mapping[str, Any], app: str | None, answer: Answer) -> Post:
    url = answer.url
    author = entry.get("author")
    return _post(
        answer,
        app,
        number=one_line(_label(entry, "id", url)),
        text=plain(_label(entry, "content", url)),
        title=_label(entry, "title", url),
        author=_maybe(author, "name") if isinstance(author, Mapping) else None,
        rating=_rating(_label(entry, "im:rating", url), url),
        updated=_maybe(entry, "updated"),
        votes=(_maybe(entry, "im:voteCount"), _maybe(entry, "im:voteSum")),
    )


def _post(
    answer: Answer,
    app: str | None,
    *,
    number: str,
    text: str,
    title: str | None,
    author: str | None,
    rating: float,
    updated: str | None,
    votes: tuple[str | None, str | None] = (None, None),
    edited: bool = False,
) -> Post:
    country = answer.context.get("country") or _country_of(answer)
    at: datetime | None = moment(updated, "updated", answer.url) if updated else None
    if not number:
        raise SourceError("field id is empty", url=answer.url)
    return Post(
        source=f"appstore/{host(answer.context.get('server')) or 'apps.apple.com'}",
        platform=PLATFORM,
        native_id=number,
        text=text,
        kind=Kind.REVIEW,
        author=clean_author(author),
        published_at=at,
        title=one_line(title) or None,
        url=f"https://apps.apple.com/{country}/app/id{app}?see-all=reviews" if app else None,
        thread=app,
        rating=rating,
        engagement=counts(votes=_whole(votes[0]), helpful=_whole(votes[1])),
        edited_at=at if edited else None,
        context_brand=answer.context.get("context_brand"),
    )


def _rating(text: str, url: str) -> float:
    if not re.fullmatch(r"[0-5](?:\.\d)?", text, re.ASCII):
        raise SourceError(f"field im:rating is no rating: {text[:20]!r}", url=url)
    return float(text)


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


# The catalogue of the store's web pages --------------------------------------------------------


def _parse_catalogue(data: Any, answer: Answer) -> Page:
    """`data[]` of type user-reviews, as the store's own pages ask for them."""
    found = (row for row in data["data"] if isinstance(row, Mapping))
    app = re.search(r"/apps/(\d{5,15})/", f"{optional(data, 'next', str) or ''} {answer.url}")
    posts = tuple(
        _post(
            answer,
            app.group(1) if app else None,
            number=identifier(row, "id", answer.url),
            text=plain(need(row, "attributes.review", str, answer.url)),
            title=optional(row, "attributes.title", str),
            author=optional(row, "attributes.userName", str),
            rating=_rating(str(need(row, "attributes.rating", int, answer.url)), answer.url),
            updated=need(row, "attributes.date", str, answer.url),
            edited=bool(optional(row, "attributes.isEdited", bool)),
        )
        for row in found
        if row.get("type") == "user-reviews"
    )
    if data["data"] and not posts:
        raise SourceError("appstore: no user-reviews in this list", url=answer.url)
    return Page(posts=posts)


# XML -------------------------------------------------------------------------------------------

_ATOM = "{http://www.w3.org/2005/Atom}"
_IM = "{http://itunes.apple.com/rss}"


def _parse_xml(answer: Answer) -> Page:
    root = xml_root(answer)
    if root.tag != f"{_ATOM}feed":
        raise SourceError("expected a feed of reviews, got something else", url=answer.url)
    links = {str(e.get("rel")): str(e.get("href")) for e in root.findall(f"{_ATOM}link")}
    app = _app_in(" ".join(links.values()), answer)
    entries = [e for e in root.findall(f"{_ATOM}entry") if e.find(f"{_IM}rating") is not None]
    posts = tuple(_xml_review(entry, app, answer) for entry in entries)
    return Page(posts=posts, next=_next(answer, links, len(posts)))


def _xml_review(entry: Any, app: str | None, answer: Answer) -> Post:
    contents = entry.findall(f"{_ATOM}content")
    written = next((c for c in contents if c.get("type") == "text"), None)
    if written is None and not contents:
        raise SourceError("field content is missing", url=answer.url)
    text = plain(written.text) if written is not None else text_of(contents[0].text or "").text
    return _post(
        answer,
        app,
        number=one_line(entry.findtext(f"{_ATOM}id")),
        text=text,
        title=entry.findtext(f"{_ATOM}title"),
        author=entry.findtext(f"{_ATOM}author/{_ATOM}name"),
        rating=_rating(one_line(entry.findtext(f"{_IM}rating")), answer.url),
        updated=one_line(entry.findtext(f"{_ATOM}updated")) or None,
        votes=(entry.findtext(f"{_IM}voteCount"), entry.findtext(f"{_IM}voteSum")),
    )


# Paging ----------------------------------------------------------------------------------------


def _links(feed: Mapping[str, Any]) -> dict[str, str]:
    """The addresses that the feed names, by what they are."""
    listed = feed.get("link")
    links: dict[str, str] = {}
    for link in listed if isinstance(listed, list) else [listed]:
        rel = optional(link, "attributes.rel", str)
        href = optional(link, "attributes.href", str)
        if rel and href:
            links[rel] = href
    return links


def _app_of(feed: Mapping[str, Any], answer: Answer) -> str | None:
    return _app_in(" ".join(_links(feed).values()), answer)


def _app_in(links: str, answer: Answer) -> str | None:
    found = re.search(r"/id=?(\d{5,15})\b", f"{answer.url} {links}")
    return answer.context.get("app") or (found.group(1) if found else None)


def _country_of(answer: Answer) -> str:
    found = re.search(
        r"(?:itunes\.apple\.com|/catalog)/([a-z]{2})/", f"{answer.url} {answer.text[-4000:]}"
    )
    return found.group(1) if found else "us"


def _next(answer: Answer, links: Mapping[str, str], got: int) -> tuple[Request, ...]:
    """The next page up to the last; an empty first page is asked for at the other addresses."""
    if answer.request is None:
        url = absolute(re.sub(r"/xml(?=\?|$)", "/json", links.get("next", "")), "")
        return (Request(url),) if url and got else ()
    context = answer.context
    page = int(context.get("page", "1"))
    if not got:
        form = int(context.get("form", "0")) + 1
        if page > 1 or form >= len(_FORMS):
            return ()
        other = {**context, "form": str(form)}
        return (replace(answer.request, url=_url(other), context=other),)
    last = re.search(r"/page=(\d{1,3})/", links.get("last", ""))
    if page >= min(_LAST_PAGE, int(last.group(1)) if last else _LAST_PAGE):
        return ()
    further = {**context, "page": str(page + 1)}
    return (replace(answer.request, url=_url(further), context=further, only_while_new=True),)

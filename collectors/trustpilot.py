"""
Reviews of Trustpilot: saved pages, or its API with the operator's own key. Off by default.

API: https://developers.trustpilot.com/business-units-api-(public)/
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import Tree, clean_author, one_line, plain, tree, with_params
from collectors.settings import several, words
from collectors.structured import Thing, json_ld
from collectors.walls import wall
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "trustpilot"
TITLE = "Trustpilot reviews"
NEEDS = "a right to read it: an API key of your own (businessapp.b2b.trustpilot.com), or permission"
LEGAL = "robots.txt forbids all; off unless you state your right. Saved pages can be parsed."

_API = "https://api.trustpilot.com/v1/business-units"
_HINT = "Trustpilot shows ten pages of a view, then asks for a login: narrow the view, or use a key"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *right*: in words, why you may collect this (kept in the register). *units*: business units,
    by id with an *api_key*, by domain (`shop.example`) without, which robots.txt refuses.
    """

    units: tuple[str, ...]
    right: str = ""
    api_key: str | None = None
    context_brand: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", several(self.units, "units"))
        if not self.right.strip():
            raise ValueError(
                "right: Trustpilot forbids collection; say by which right you collect "
                "(your own API key, a written permission)"
            )
        if self.api_key is not None:
            words(self.api_key, "api_key")
        for unit in self.units:
            if not re.fullmatch(r"[\w.-]{1,200}", unit):
                raise ValueError(f"units: {unit!r} is neither a domain nor an id")


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret headers of this source."""
    return {"apikey": settings.api_key} if settings.api_key else {}


def obeys_robots(settings: Settings) -> bool:
    """Not for the API, asked with a key of one's own; always for pages, which it forbids."""
    return not settings.api_key


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The newest reviews of each unit first, while they bring anything new."""
    context = {"accept_status": "401,403"}
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    for unit in settings.units:
        if settings.api_key:
            params = {"perPage": "100", "orderBy": "createdat.desc", "page": "1"}
            yield Request(f"{_API}/{unit}/reviews", params=params, context=context)
        else:
            params = {"sort": "recency", "languages": "all"}
            yield Request(
                f"https://www.trustpilot.com/review/{unit}", params=params, context=context
            )


def parse(answer: Answer) -> Page:
    """The reviews of a page, of its data (`_next/data`), or of the API."""
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return _parse_json(answer)
    page = tree(answer.text)
    data = _next_data(page, answer)
    if data is not None:
        return _parse_props(need(data, "props.pageProps", dict, answer.url), answer, page)
    found = _described(page, answer)
    if found.posts:
        return found
    blocked = wall(answer, page)
    if blocked is not None:
        return blocked
    raise SourceError("trustpilot: no __NEXT_DATA__ and no reviews in the page", url=answer.url)


def recognises(answer: Answer) -> int:
    start = answer.body[:4000]
    if re.search(r"//[\w.]*trustpilot\.com/(?:review/|v1/|_next/data/)", answer.url):
        return 95
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        if b'"pageProps"' in answer.body and b'"businessUnit"' in answer.body:
            return 90
        api = re.search(rb'"stars"\s*:\s*\d', answer.body) and b'"numberOfLikes"' in answer.body
        return 85 if api or b'"consumersReviewCountOnSameDomain"' in answer.body else 0
    if b"trustpilot.com" not in answer.body:
        return 0
    return 95 if b"trustpilot.com/#/schema/" in answer.body or _data_of(answer.body) else 0


def _data_of(body: bytes) -> bool:
    return b'id="__NEXT_DATA__"' in body and b'"businessUnit"' in body and b'"reviews"' in body


# Pages -----------------------------------------------------------------------------------------


def _next_data(page: Tree, answer: Answer) -> Any:
    """What the page's script starts from; None where the page has none."""
    script = page.css_first("script#__NEXT_DATA__")
    if script is None:
        return None
    try:
        return json.loads(script.text())
    except (ValueError, RecursionError) as error:
        raise SourceError("trustpilot: __NEXT_DATA__ is broken", url=answer.url) from error


def _parse_json(answer: Answer) -> Page:
    data = answer.json()
    if isinstance(optional(data, "pageProps", dict), dict):
        return _parse_props(data["pageProps"], answer, None)
    if isinstance(optional(data, "props.pageProps", dict), dict):
        return _parse_props(data["props"]["pageProps"], answer, None)
    if answer.status in (401, 403) or optional(data, "fault", dict) is not None:
        said = one_line(str(data))[:200]
        return Page(verdict=Verdict.LOGIN_WALL, note=f"Trustpilot refuses the API key: {said}")
    return _parse_api(data, answer)


def _parse_props(props: Mapping[str, Any], answer: Answer, page: Tree | None) -> Page:
    redirect = props.get("__N_REDIRECT")
    if isinstance(redirect, str):
        verdict = Verdict.LOGIN_WALL if "connect" in redirect or "login" in redirect else None
        if verdict is None:
            raise SourceError(f"trustpilot: sent on to {redirect[:100]!r}", url=answer.url)
        return Page(verdict=verdict, note=_HINT)
    listed = rows(need(props, "reviews", list, answer.url), answer.url, "reviews")
    unit = optional(props, "businessUnit.identifyingName", str)
    posts = tuple(_review(row, unit, answer) for row in listed)
    declared = optional(props, "filters.pagination.totalCount", int)
    return Page(posts=posts, declared=declared, next=_next_page(props, answer, unit))


def _review(row: Any, unit: str | None, answer: Answer) -> Post:
    url = answer.url
    published = moment(need(row, "dates.publishedDate", str, url), "dates.publishedDate", url)
    changed = optional(row, "dates.updatedDate", str)
    return Post(
        source="trustpilot/trustpilot.com",
        platform=PLATFORM,
        native_id=identifier(row, "id", url),
        text=plain(need(row, "text", str, url)),
        kind=Kind.REVIEW,
        author=clean_author(optional(row, "consumer.displayName", str)),
        published_at=published,
        title=one_line(optional(row, "title", str)) or None,
        url=f"https://www.trustpilot.com/reviews/{identifier(row, 'id', url)}",
        thread=unit,
        rating=_stars(need(row, "rating", int, url), url),
        engagement=counts(likes=row.get("likes")),
        language=optional(row, "language", str),
        edited_at=moment(changed, "dates.updatedDate", url) if changed else None,
        context_brand=answer.context.get("context_brand"),
    )


def _stars(rating: int, url: str) -> float:
    if not 0 <= rating <= 5:
        raise SourceError(f"field rating is no rating: {rating}", url=url)
    return float(rating)


def _next_page(props: Mapping[str, Any], answer: Answer, unit: str | None) -> tuple[Request, ...]:
    now = optional(props, "filters.pagination.currentPage", int)
    last = optional(props, "filters.pagination.totalPages", int)
    if now is None or last is None or not 0 < now < last:
        return ()
    page = str(now + 1)
    if answer.request is None:
        web = answer.url.startswith("http")
        url = answer.url if web else f"https://www.trustpilot.com/review/{unit}"
        return (Request(with_params(url, page=page), only_while_new=True),)
    params = {**answer.request.params, "page": page}
    return (replace(answer.request, params=params, only_while_new=True),)


# JSON-LD, where the page has no data of its script ---------------------------------------------


def _described(page: Tree, answer: Answer) -> Page:
    things, declared = json_ld(page, now=answer.fetched_at)
    reviews = [thing for thing in things if thing.is_review]
    posts = {post.native_id: post for thing in reviews if (post := _thing_post(thing, answer))}
    return Page(posts=tuple(posts.values()), declared=declared if posts else None)


def _thing_post(thing: Thing, answer: Answer) -> Post | None:
    found = re.search(r"/(?:Review/([\w.-]+)/|reviews/)([0-9a-f]{24})\b", thing.name or "")
    found = found or re.search(r"/(?:Review/([\w.-]+)/|reviews/)([0-9a-f]{24})\b", thing.url or "")
    if found is None:
        return None
    return Post(
        source="trustpilot/trustpilot.com",
        platform=PLATFORM,
        native_id=found.group(2),
        text=thing.text.text,
        kind=Kind.REVIEW,
        author=thing.author,
        published_at=thing.moment.at if thing.moment else None,
        day_only=bool(thing.moment and thing.moment.day_only),
        title=thing.title,
        url=f"https://www.trustpilot.com/reviews/{found.group(2)}",
        thread=found.group(1),
        rating=thing.rating,
        context_brand=answer.context.get("context_brand"),
    )


# API -------------------------------------------------------------------------------------------


def _parse_api(data: Any, answer: Answer) -> Page:
    listed = rows(need(data, "reviews", list, answer.url), answer.url, "reviews")
    posts = tuple(_api_review(row, answer) for row in listed)
    following: tuple[Request, ...] = ()
    links = optional(data, "links", list) or []
    more = any(isinstance(link, Mapping) and link.get("rel") == "next-page" for link in links)
    if answer.request is not None and posts and more:
        page = int(answer.request.params.get("page", "1")) + 1
        params = {**answer.request.params, "page": str(page)}
        following = (replace(answer.request, params=params, only_while_new=True),)
    return Page(posts=posts, next=following)


def _api_review(row: Any, answer: Answer) -> Post:
    url = answer.url
    changed = optional(row, "updatedAt", str)
    published: datetime = moment(need(row, "createdAt", str, url), "createdAt", url).astimezone(UTC)
    return Post(
        source="trustpilot/trustpilot.com",
        platform=PLATFORM,
        native_id=identifier(row, "id", url),
        text=plain(need(row, "text", str, url)),
        kind=Kind.REVIEW,
        author=clean_author(optional(row, "consumer.displayName", str)),
        published_at=published,
        title=one_line(optional(row, "title", str)) or None,
        url=f"https://www.trustpilot.com/reviews/{identifier(row, 'id', url)}",
        thread=optional(row, "businessUnit.identifyingName", str),
        rating=_stars(need(row, "stars", int, url), url),
        engagement=counts(likes=row.get("numberOfLikes")),
        language=optional(row, "language", str),
        edited_at=moment(changed, "updatedAt", url) if changed else None,
        context_brand=answer.context.get("context_brand"),
    )

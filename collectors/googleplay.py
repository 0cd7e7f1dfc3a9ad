"""
Reviews of Google Play, from saved answers of its store. Off by default: robots.txt forbids asking.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from collectors.dates import of_epoch
from collectors.fields import counts
from collectors.html import clean_author, one_line, plain, text_of
from collectors.settings import several, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "googleplay"
TITLE = "Google Play reviews"
NEEDS = "a right to read it; the developer of an app has the official Reply to Reviews API"
LEGAL = "robots.txt forbids the address; off unless you state your right. Saved answers are parsed."

_URL = "https://play.google.com/_/PlayStoreUi/data/batchexecute"
_RPCS = ("oCPfdb", "UsvDTd")
_PAGE = 150  # the most that a page holds since 2024


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *right*: in words, why you may collect this. *apps*: package names (`com.shop.example`).
    """

    apps: tuple[str, ...]
    right: str = ""
    language: str = "fr"
    country: str = "fr"
    context_brand: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "apps", several(self.apps, "apps"))
        for app in self.apps:
            if not re.fullmatch(r"\w+(?:\.\w+)+", app, re.ASCII):
                raise ValueError(f"apps: {app!r} is no name of a package")
        if not self.right.strip():
            raise ValueError("right: Google forbids collection; say by which right you collect")
        for name in ("language", "country"):
            if not re.fullmatch(r"[a-zA-Z-]{2,7}", words(getattr(self, name), name)):
                raise ValueError(f"{name}: {getattr(self, name)!r} is no code")


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The newest reviews of each app; robots.txt refuses them."""
    for app in settings.apps:
        context = {"app": app, "page": "0"}
        if settings.context_brand:
            context["context_brand"] = settings.context_brand
        params = {"rpcids": _RPCS[0], "hl": settings.language, "gl": settings.country}
        yield Request(
            _URL,
            method="POST",
            params={**params, "_reqid": "0"},
            form={"f.req": _asked(app, None)},
            context=context,
        )


def _asked(app: str, token: str | None) -> str:
    """The call as the store's page makes it: newest first."""
    inner = [None, [2, 2, [_PAGE, None, token], None, [None] * 9], [app, 7]]
    return json.dumps([[[_RPCS[0], json.dumps(inner), None, "generic"]]])


def parse(answer: Answer) -> Page:
    """The reviews of one answer: JSON in JSON, behind `)]}'`."""
    text = answer.text
    if "PlayGatewayError" in text:
        return Page(verdict=Verdict.RATE_LIMITED, note="Google Play says PlayGatewayError")
    body = _inner(text, answer)
    if not isinstance(body, list):
        raise SourceError("googleplay: expected a list of reviews", url=answer.url)
    listed = body[0] if body and isinstance(body[0], list) else []
    posts = tuple(_post(row, answer) for row in listed)
    return Page(posts=posts, next=_next(answer, body, len(posts)))


def recognises(answer: Answer) -> int:
    start = answer.body[:400]
    if re.search(rb'"wrb\.fr"\s*,\s*"(?:oCPfdb|UsvDTd)"', start):
        return 95
    return 80 if "PlayStoreUi/data/batchexecute" in answer.url else 0


# The envelope ----------------------------------------------------------------------------------


def _inner(text: str, answer: Answer) -> Any:
    """What the call gave; None (an empty list) where it gave nothing."""
    for line in _chunks(text):
        for call in line if isinstance(line, list) else []:
            if isinstance(call, list) and call[:1] == ["wrb.fr"] and len(call) > 2:
                if call[1] not in _RPCS:
                    continue
                return _decoded(call[2], answer) if isinstance(call[2], str) else []
    raise SourceError("googleplay: no answer to our call in the body", url=answer.url)


def _chunks(text: str) -> Iterator[Any]:
    """The JSON values of the body: one, or several each after its length."""
    decoder = json.JSONDecoder()
    at = text.find("[")
    for _ in range(100):
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value
        at = text.find("[", end)


def _decoded(inner: str, answer: Answer) -> Any:
    try:
        return json.loads(inner)
    except (ValueError, RecursionError) as error:
        raise SourceError("googleplay: the inner JSON is broken", url=answer.url) from error


# Reviews ---------------------------------------------------------------------------------------


def _at(row: Any, *path: int) -> Any:
    """The value at *path* of nested lists, or None."""
    for index in path:
        if not isinstance(row, list) or len(row) <= index:
            return None
        row = row[index]
    return row


def _post(row: Any, answer: Answer) -> Post:
    number, rating, text = _at(row, 0), _at(row, 2), _at(row, 4)
    seconds = _at(row, 5, 0)
    if not isinstance(number, str) or not one_line(number):
        raise SourceError("field [0] (id) is missing", url=answer.url)
    if not isinstance(rating, int) or not 0 <= rating <= 5:
        raise SourceError("field [2] (score) is missing", url=answer.url)
    at = of_epoch(seconds) if isinstance(seconds, int) else None
    if at is None:
        raise SourceError("field [5][0] (time) is missing", url=answer.url)
    app = answer.context.get("app")
    name = _at(row, 1, 0)
    return Post(
        source="googleplay/play.google.com",
        platform=PLATFORM,
        native_id=one_line(number),
        text=_text(text),
        kind=Kind.REVIEW,
        author=clean_author(name) if isinstance(name, str) else None,
        published_at=at.at,
        url=f"https://play.google.com/store/apps/details?id={app}&reviewId={number}"
        if app
        else None,
        thread=app,
        rating=float(rating),
        engagement=counts(likes=_at(row, 6)),
        context_brand=answer.context.get("context_brand"),
    )


def _text(text: Any) -> str:
    """A rating may come without words."""
    if not isinstance(text, str):
        return ""
    return text_of(text).text if re.search(r"<br|&#?\w+;", text) else plain(text)


def _next(answer: Answer, body: list[Any], got: int) -> tuple[Request, ...]:
    """By the token at the end of the answer; tokens may go in circles, so pages are numbered."""
    asked = answer.request
    token = next((t for row in reversed(body[1:]) if isinstance(t := _at(row, 1), str)), None)
    if asked is None or not token or not got:
        return ()
    page = str(int(answer.context.get("page", "0")) + 1)
    return (
        replace(
            asked,
            params={**asked.params, "_reqid": page},
            form={"f.req": _asked(answer.context.get("app", ""), token)},
            context={**answer.context, "page": page},
            only_while_new=True,
        ),
    )

"""A fictional app store: customer reviews as Apple's RSS gives them in JSON, 50 a page."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from raccroche.demo.content import Message
from raccroche.demo.reply import NOT_FOUND, Ask, Reply, as_json

_SIZE, _PAGES = 50, 10
_ADDRESS = re.compile(  # Apple answers at each of these
    r"(?:/fr)?/rss/customerreviews/(?:page=(?P<page>\d+)/)?id=(?P<app>\d+)/(?:page=(?P<later>\d+)/)?"
    r"sort[bB]y=most[rR]ecent/json"
)


class AppStore:
    """The reviews of several apps, by number of the app, at *url*."""

    def __init__(self, url: str, apps: Mapping[int, tuple[str, Sequence[Message]]]) -> None:
        self.url = url
        self.apps = apps

    def answer(self, ask: Ask) -> Reply:
        found = _ADDRESS.fullmatch(ask.path)
        if found is None or int(found["app"]) not in self.apps:
            return NOT_FOUND
        return as_json(
            {"feed": self._feed(int(found["app"]), int(found["page"] or found["later"] or 1))}
        )

    def _feed(self, app: int, page: int) -> dict[str, Any]:
        name, reviews = self.apps[app]
        newest = sorted(reviews, key=lambda m: (m.at, m.number), reverse=True)
        shown = newest[(page - 1) * _SIZE : page * _SIZE] if page <= _PAGES else []
        last = min(_PAGES, max(1, -(-len(newest) // _SIZE)))
        feed: dict[str, Any] = {
            "author": {"name": _label("iTunes Store")},
            "updated": _label("2026-11-23T00:00:00-07:00"),
            "rights": _label("Fictif"),
            "title": _label(f"iTunes Store : avis sur {name}"),
            "link": [
                self._link("self", app, page),
                self._link("first", app, 1),
                self._link("last", app, last),
                self._link("previous", app, max(1, page - 1)),
                self._link("next", app, min(last, page + 1)),
            ],
            "id": _label(self._address(app, page)),
        }
        if shown:  # Apple leaves the list out when it is empty, and gives one review without a list
            entries = [self._entry(message, app) for message in shown]
            feed["entry"] = entries if len(entries) > 1 else entries[0]
        return feed

    def _address(self, app: int, page: int) -> str:
        return f"{self.url}/fr/rss/customerreviews/page={page}/id={app}/sortby=mostrecent/json"

    def _link(self, relation: str, app: int, page: int) -> dict[str, Any]:
        return {"attributes": {"rel": relation, "href": self._address(app, page)}}

    def _entry(self, message: Message, app: int) -> dict[str, Any]:
        version = f"{message.at.year - 2010}.{message.at.month}.0"
        link = f"{self.url}/fr/review?id={app}&type=Purple%20Software"
        return {
            "author": {
                "uri": _label(f"{self.url}/fr/reviews/id{message.number}"),
                "name": _label(message.author),
                "label": "",
            },
            "updated": _label(message.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")),
            "im:rating": _label(str(message.rating)),
            "im:version": _label(version),
            "id": _label(str(10_000_000 + message.number)),
            "title": _label(message.title or ""),
            "content": {"label": message.text, "attributes": {"type": "text"}},
            "link": {"attributes": {"rel": "related", "href": link}},
            "im:voteSum": _label(str(message.number % 4)),
            "im:contentType": {"attributes": {"term": "Application", "label": "Application"}},
            "im:voteCount": _label(str(message.number % 4)),
        }


def _label(text: str) -> dict[str, str]:
    return {"label": text}

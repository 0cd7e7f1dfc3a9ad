"""A fictional Mastodon server: hashtag timelines with Link headers, `min_id` and `max_id`."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from raccroche.demo.content import Message
from raccroche.demo.reply import Ask, Reply, as_json

TAG = "teleconso"
_MENTION = re.compile(r"@(\w+)")
_HASHTAG = re.compile(r"#(\w+)")


class Mastodon:
    """
    The server called *name* at *url*. A copied message keeps the `uri` of the server it was written
    on, *homes* gives the address of each.
    """

    def __init__(
        self, name: str, url: str, messages: Sequence[Message], homes: Mapping[str, str]
    ) -> None:
        self.name = name
        self.url = url
        self.homes = {**homes, name: url}
        ordered = sorted(messages, key=lambda m: (m.at, m.number))
        self._ids = {m.number: _snowflake(m, later=3600 if m.copied else 0) for m in ordered}
        self._statuses = sorted(
            ((self._ids[m.number], m) for m in ordered), key=lambda pair: pair[0]
        )

    def answer(self, ask: Ask) -> Reply:
        start = "/api/v1/timelines/tag/"
        if not ask.path.startswith(start):
            return as_json({"error": "Record not found"}, 404)
        if ask.path.removeprefix(start).casefold() != TAG:
            return as_json([])
        page = self._page(ask)
        headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299"}
        if page:
            here = f"{self.url}{ask.path}?limit={self._size(ask)}"
            headers["Link"] = (
                f'<{here}&max_id={page[-1][0]}>; rel="next", '
                f'<{here}&min_id={page[0][0]}>; rel="prev"'
            )
        return as_json([self._status(number, message) for number, message in page], headers=headers)

    @staticmethod
    def _size(ask: Ask) -> int:
        return min(40, ask.whole("limit", 20))

    def _page(self, ask: Ask) -> list[tuple[int, Message]]:
        """Newest first; after `min_id` the oldest that follow it, below `max_id` the newest."""
        size = self._size(ask)
        if "min_id" in ask.query:
            above = ask.whole("min_id", 1)
            return [pair for pair in self._statuses if pair[0] > above][:size][::-1]
        below = ask.whole("max_id", 1 << 62)
        return [pair for pair in self._statuses if pair[0] < below][-size:][::-1]

    def _status(self, number: int, message: Message) -> dict[str, Any]:
        home = self.homes[message.home or self.name]
        user = account(message.author)
        uri = f"{home}/users/{user}/statuses/{message.number}"
        return {
            "id": str(number),
            "created_at": message.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "in_reply_to_id": str(self._ids[message.parent])
            if message.parent in self._ids
            else None,
            "in_reply_to_account_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public",
            "language": "fr",
            "uri": uri,
            "url": f"{home}/@{user}/{message.number}",
            "replies_count": 0,
            "reblogs_count": message.number % 7,
            "favourites_count": message.number % 23,
            "edited_at": None,
            "content": self._content(message.text),
            "reblog": None,
            "account": self._account(user, home),
            "media_attachments": [],
            "mentions": [],
            "tags": [{"name": TAG, "url": f"{self.url}/tags/{TAG}"}],
            "emojis": [],
            "card": None,
            "poll": None,
        }

    def _account(self, user: str, home: str) -> dict[str, Any]:
        here = home == self.url
        return {
            "id": str(sum(user.encode()) * 1009),
            "username": user,
            "acct": user if here else f"{user}@{home.removeprefix('http://')}",
            "display_name": user.replace("_", " ").title(),
            "bot": False,
            "url": f"{home}/@{user}",
        }

    def _content(self, text: str) -> str:
        """The text as Mastodon serves it: paragraphs, mentions and the tag as links."""
        marked = escape(text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br />")
        marked = _MENTION.sub(self._mention, marked)
        marked = _HASHTAG.sub(self._tag, marked)
        return f"<p>{marked} {self._tag(TAG)}</p>"

    def _mention(self, found: re.Match[str]) -> str:
        name = found[1]
        link = f'<a href="{self.url}/@{name}" class="u-url mention">@<span>{name}</span></a>'
        return f'<span class="h-card" translate="no">{link}</span>'

    def _tag(self, found: "re.Match[str] | str") -> str:
        name = found if isinstance(found, str) else found[1]
        where = f"{self.url}/tags/{name.casefold()}"
        return f'<a href="{where}" class="mention hashtag" rel="tag">#<span>{name}</span></a>'


def account(author: str) -> str:
    """A pen name as an account may be called: ASCII letters, digits and underscores."""
    plain = author.translate(str.maketrans("àâéèêëîïôùûüç", "aaeeeeiiouuuc"))
    return re.sub(r"\W", "_", plain, flags=re.ASCII)


def _snowflake(message: Message, *, later: int) -> int:
    """Mastodon's ids: milliseconds, then a number. A copy arrived *later* seconds after."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds = round((message.at - epoch).total_seconds() * 1000) + later * 1000
    return (milliseconds << 16) | (message.number & 0xFFFF)

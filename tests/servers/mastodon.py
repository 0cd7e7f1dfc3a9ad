"""A loopback server that answers a hashtag timeline as Mastodon does, with posts that tests add."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Mastodon(ThreadingHTTPServer):
    """
    *statuses* are kept oldest first; *fail* maps a request's number to the status it answers.
    Requests from number *held_from* on wait until *go_on* is set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[dict[str, object]] = []
        self.asked: list[str] = []
        self.fail: dict[int, int] = {}
        self.broken: bytes | None = None
        self.held_from: int | None = None
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, number: int, text: str, at: datetime, author: str = "zoe") -> None:
        link = f"{self.url}/@{author}/{number}"
        self.statuses.append(
            {
                "id": str(number),
                "created_at": at.isoformat().replace("+00:00", "Z"),
                "edited_at": None,
                "in_reply_to_id": None,
                "in_reply_to_account_id": None,
                "sensitive": False,
                "spoiler_text": "",
                "visibility": "public",
                "language": "fr",
                "uri": f"{self.url}/users/{author}/statuses/{number}",
                "url": link,
                "replies_count": 0,
                "reblogs_count": 1,
                "favourites_count": 2,
                "content": f"<p>{text}</p>",
                "reblog": None,
                "account": {"id": "1", "username": author, "acct": author, "bot": False,
                            "display_name": author, "url": f"{self.url}/@{author}"},
                "media_attachments": [],
                "mentions": [],
                "tags": [],
                "emojis": [],
                "card": None,
                "poll": None,
            }
        )  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    server: Mastodon
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/robots.txt" or not self.path.startswith("/api/v1/timelines/tag/"):
            return self._send(404, b"{}")
        self.server.asked.append(self.path)
        if self.server.held_from and len(self.server.asked) >= self.server.held_from:
            self.server.go_on.wait(60)
        if status := self.server.fail.get(len(self.server.asked)):
            return self._send(status, b'{"error": "no"}')
        if self.server.broken is not None:
            return self._send(200, self.server.broken)
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        page, link = self._page(query)
        return self._send(200, json.dumps(page).encode(), {"Link": link} if link else {})

    def _page(self, query: dict[str, str]) -> tuple[list[dict[str, object]], str]:
        limit = int(query.get("limit", "20"))
        found = list(self.server.statuses)
        if "min_id" in query:
            page = [s for s in found if int(str(s["id"])) > int(query["min_id"])][:limit][::-1]
        else:
            below = int(query.get("max_id", 10**18))
            page = [s for s in found if int(str(s["id"])) < below][-limit:][::-1]
        if not page:
            return [], ""
        here = f"{self.server.url}{urlsplit(self.path).path}?limit={limit}"
        return page, (
            f'<{here}&max_id={page[-1]["id"]}>; rel="next", '
            f'<{here}&min_id={page[0]["id"]}>; rel="prev"'
        )

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def mastodon() -> Iterator[Mastodon]:
    with Mastodon() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()

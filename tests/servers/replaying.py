"""
A loopback server that answers as an API does, from a function that tests give; asked whether an
answer has changed since (ETag), it says so.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Replies = Callable[[str, Mapping[str, str], Mapping[str, str]], tuple[int, Any]]
"""(path, query, form) -> status, and JSON or ready bytes."""


class Replaying(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, replies: Replies) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = replies

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Replaying

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        form = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        status, answer = self.server.replies(
            parts.path, dict(parse_qsl(parts.query)), dict(parse_qsl(form))
        )
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        tag = f'"{sha256(body).hexdigest()}"'
        if status == 200 and self.headers.get("if-none-match") == tag:
            status, body = 304, b""
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("etag", tag)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def replaying(replies: Replies) -> Iterator[Replaying]:
    with Replaying(replies) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

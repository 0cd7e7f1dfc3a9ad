"""The loopback servers of the demonstration: one port a site, so that each has its own ids."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from raccroche.demo.appstore import AppStore
from raccroche.demo.content import APP_NUMBERS, World, world
from raccroche.demo.forum import Forum
from raccroche.demo.mastodon import Mastodon
from raccroche.demo.reply import Application, Ask, Reply
from raccroche.demo.wordpress import WordPress

_FEWEST = 60
_ROBOTS = Reply(200, "text/plain; charset=utf-8", b"User-agent: *\nCrawl-delay: 0\nAllow: /\n")


@dataclass(frozen=True, slots=True)
class Site:
    """The running servers: *url* of the first, all *addresses* by name, how many *posts*."""

    url: str
    posts: int
    addresses: dict[str, str] = field(default_factory=dict)
    world: World | None = None


class Server(ThreadingHTTPServer):
    """One application on a free port of 127.0.0.1. Asks *busy* times for patience (429) first."""

    daemon_threads = True

    def __init__(self, *, busy: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.application: Application | None = None
        self.busy = busy
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def reply(self, ask: Ask) -> Reply:
        if ask.path == "/robots.txt":
            return _ROBOTS
        if self.busy:
            self.busy -= 1
            return Reply(429, "text/plain", b"Un instant.\n", {"Retry-After": "1"})
        assert self.application is not None  # set before the first request
        return self.application.answer(ask)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.reply(Ask.of(self.path, headers))
        tag = f'"{hashlib.sha256(reply.body).hexdigest()[:20]}"'
        if reply.status == 200 and headers.get("if-none-match") == tag:
            reply = Reply(304, reply.type, b"", reply.headers)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.status in (200, 304):
            self.send_header("ETag", tag)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(posts: int = 2000, *, day: date | None = None) -> Iterator[Site]:
    """The fictional sites as of *day* (today) until the block ends, with *posts* posts, from 60."""
    fiction = world(max(posts, _FEWEST), day=day)
    names = ("blog", "gazette", "kiosk", "forum", "pouet", "relay", "apps")
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(running(Server(busy=name == "relay"))) for name in names
        }
        addresses = {name: server.url for name, server in servers.items()}
        for name, build in _applications(fiction, addresses).items():
            servers[name].application = build()
        yield Site(addresses["blog"], fiction.posts, addresses, fiction)


def _applications(fiction: World, at: dict[str, str]) -> dict[str, Callable[[], Application]]:
    homes = {name: at[name] for name in ("pouet", "relay")}
    return {
        "blog": lambda: WordPress(at["blog"], "Le blog des abonnés", fiction.blog),
        "gazette": lambda: WordPress(at["gazette"], "La gazette du combiné", fiction.gazette),
        "kiosk": lambda: WordPress(at["kiosk"], "Le kiosque", fiction.kiosk, theme="block"),
        "forum": lambda: Forum(at["forum"], "Le forum du combiné", fiction.forum),
        "pouet": lambda: Mastodon("pouet", at["pouet"], fiction.pouet, homes),
        "apps": lambda: AppStore(
            at["apps"], {APP_NUMBERS[firm]: (firm, reviews) for firm, reviews in fiction.apps}
        ),
        "relay": lambda: Mastodon("relay", at["relay"], fiction.relay, homes),
    }


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """*server*, answering until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

"""
A fictional WordPress blog on loopback for benchmarks/collect_speed.py: classic pages and REST.

    python benchmarks/collect_site.py PAGES COMMENTS

Prints its port on the first line of standard output and serves until its standard input closes. All
answers are made before the first request, so that a request costs the server next to nothing.
"""

import asyncio
import json
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
FEED_SIZE = 50  # articles of one page of the feed
START = datetime(2024, 1, 8, 7, 0, tzinfo=UTC)
NAMES = ("Aline", "Bastien", "Chloé", "Driss", "Émilie", "Fanny", "Gaël", "Hélène", "Inès", "Jo")
WORDS = (
    "encore", "un", "appel", "ce", "matin", "à", "l’heure", "du", "café", "malgré",
    "l’opposition", "que", "j’avais", "demandée", "par", "écrit", "le", "conseiller", "insiste",
    "raccroche", "puis", "rappelle", "depuis", "un", "autre", "numéro", "personne", "ne",
    "répond", "quand", "on", "demande", "le", "nom", "de", "la", "société", "facture",
    "remboursement", "fibre", "boîtier", "contrat", "résiliation", "promesse", "délai", "geste",
    "commercial", "courtois", "efficace", "patient", "enfin", "résolu", "merci",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, as both ways of the site tell it."""

    number: int
    article: int
    parent: int  # 0 for none
    author: str
    at: datetime
    markup: str


def make_comments(pages: int, each: int) -> list[list[Comment]]:
    """*each* comments under each of *pages* articles; every third answers the one before."""
    chance = random.Random(2024)
    articles = []
    for page in range(pages):
        listed: list[Comment] = []
        for index in range(each):
            number = page * each + index + 1
            answered = listed[-1].number if index % 3 == 2 else 0
            at = START + timedelta(hours=page, seconds=31 * index)
            author = f"{chance.choice(NAMES)} {chance.randrange(1000)}"
            listed.append(Comment(number, page + 1, answered, author, at, _markup(chance)))
        articles.append(listed)
    return articles


def _markup(chance: random.Random) -> str:
    paragraphs = [
        " ".join(chance.choice(WORDS) for _ in range(chance.randint(12, 45)))
        for _ in range(chance.randint(1, 3))
    ]
    first = paragraphs[0].split(" ")
    if chance.random() < 0.2:
        first[3] = f"<strong>{first[3]}</strong>"
    return "\n".join(f"<p>{text}.</p>" for text in (" ".join(first), *paragraphs[1:]))


# Pages, as WordPress' own walker writes them in HTML5 themes -------------------------------------


def article_page(base: str, article: int, listed: list[Comment]) -> str:
    address = f"{base}/article-{article}/"
    answers = {one.parent: one for one in listed if one.parent}
    items = [_item(address, one, answers) for one in listed if not one.parent]
    return f"""<!DOCTYPE html>
<html lang="fr-FR"><head><meta charset="UTF-8"><title>Article {article} – Le carnet</title>
<link rel="stylesheet" href="{base}/wp-content/themes/carnet/style.css">
<link rel="canonical" href="{address}"><link rel="shortlink" href="{base}/?p={article}">
<script>window.carnet = {{"ajax": "{base}/wp-admin/admin-ajax.php"}};</script></head>
<body class="single single-post postid-{article}"><header><nav><ul>{_menu(base)}</ul></nav></header>
<main><article id="post-{article}"><h1 class="entry-title">Article {article}</h1>
<div class="entry-content"><p>{" ".join(WORDS)}</p></div></article>
<div id="comments" class="comments-area">
<h2 class="comments-title">{len(listed)} réponses à « Article {article} »</h2>
<ol class="comment-list">{"".join(items)}</ol>
<div id="respond" class="comment-respond"><form action="{base}/wp-comments-post.php" method="post">
<input type="hidden" name="comment_post_ID" value="{article}" id="comment_post_ID"></form></div>
</div></main></body></html>"""


def _menu(base: str) -> str:
    return "".join(f'<li><a href="{base}/rubrique-{n}/">Rubrique {n}</a></li>' for n in range(30))


def _item(address: str, one: Comment, answers: dict[int, Comment], depth: int = 1) -> str:
    link = f"{address}#comment-{one.number}"
    under = answers.get(one.number)
    inner = _item(address, under, answers, depth + 1) if under else ""
    children = f'<ol class="children">{inner}</ol>' if inner else ""
    return f"""
<li id="comment-{one.number}" class="comment even thread-even depth-{depth} parent">
<article id="div-comment-{one.number}" class="comment-body">
<footer class="comment-meta"><div class="comment-author vcard">
<img alt="" src="{address}avatar.png" class="avatar avatar-42 photo" height="42" width="42">
<b class="fn"><a href="{address}qui" class="url" rel="ugc external nofollow">{one.author}</a></b>
<span class="says">dit :</span></div>
<div class="comment-metadata"><a href="{link}"><time datetime="{one.at.isoformat()}">le
{one.at:%d/%m/%Y} à {one.at:%H:%M}</time></a></div></footer>
<div class="comment-content">{one.markup}</div>
<div class="reply"><a rel="nofollow" class="comment-reply-link" href="{link}"
 aria-label="Répondre à {one.author}">Répondre</a></div></article>{children}</li>"""


def feed_page(base: str, number: int, articles: list[list[Comment]]) -> str:
    first = (number - 1) * FEED_SIZE
    items = "".join(_feed_item(base, listed) for listed in articles[first : first + FEED_SIZE])
    names = 'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {names}><channel>'
        f"<title>Le carnet</title><link>{base}</link>{items}</channel></rss>"
    )


def _feed_item(base: str, listed: list[Comment]) -> str:
    article = listed[0].article
    return (
        f"<item><title>Article {article}</title><link>{base}/article-{article}/</link>"
        f"<guid>{base}/?p={article}</guid><pubDate>{format_datetime(listed[0].at)}</pubDate>"
        f"<slash:comments>{len(listed)}</slash:comments></item>"
    )


# REST ------------------------------------------------------------------------------------------


def rest_page(base: str, listed: list[Comment]) -> str:
    return json.dumps([_row(base, one) for one in listed])


def _row(base: str, one: Comment) -> dict[str, object]:
    title = {"rendered": f"Article {one.article}"}
    written = one.at.isoformat().removesuffix("+00:00")
    return {
        "id": one.number,
        "post": one.article,
        "parent": one.parent,
        "author": 0,
        "author_name": one.author,
        "author_url": "",
        "date": written,
        "date_gmt": written,
        "content": {"rendered": f"{one.markup}\n"},
        "link": f"{base}/article-{one.article}/#comment-{one.number}",
        "status": "approved",
        "type": "comment",
        "author_avatar_urls": {str(n): f"{base}/avatar-{n}.png" for n in (24, 48, 96)},
        "meta": [],
        "_links": {
            "self": [{"href": f"{base}/wp-json/wp/v2/comments/{one.number}"}],
            "collection": [{"href": f"{base}/wp-json/wp/v2/comments"}],
            "up": [{"embeddable": True, "href": f"{base}/wp-json/wp/v2/posts/{one.article}"}],
        },
        "_embedded": {"up": [{"id": one.article, "title": title}]},
    }


# Serving ---------------------------------------------------------------------------------------


class Site:
    """Every answer of the blog, ready to be written."""

    def __init__(self, base: str, pages: int, each: int) -> None:
        articles = make_comments(pages, each)
        self.pages = {
            f"/article-{listed[0].article}/": _html(article_page(base, number, listed))
            for number, listed in enumerate(articles, 1)
        }
        feeds = range(1, -(-pages // FEED_SIZE) + 1)
        self.feeds = {
            n: _answer("application/rss+xml", feed_page(base, n, articles)) for n in feeds
        }
        totals = f"X-WP-Total: {pages * each}\r\nX-WP-TotalPages: {pages}\r\n"
        self.rest = {
            number: _answer("application/json", rest_page(base, listed), totals)
            for number, listed in enumerate(articles, 1)
        }
        self.absent = _answer("text/plain", "absent", status="404 Not Found")

    def answer(self, target: str) -> bytes:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        if parts.path == "/feed/":
            return self.feeds.get(int(query.get("paged", ["1"])[0]), self.absent)
        if parts.path == "/wp-json/wp/v2/comments":
            return self.rest.get(int(query.get("page", ["1"])[0]), self.absent)
        return self.pages.get(parts.path, self.absent)


def _html(body: str) -> bytes:
    return _answer("text/html; charset=UTF-8", body)


def _answer(kind: str, body: str, headers: str = "", status: str = "200 OK") -> bytes:
    data = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{headers}"
    return f"{head}\r\n".encode() + data


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, for requests without a body."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.transport.write(self.site.answer(head.split(b" ", 2)[1].decode()))


async def serve(pages: int, each: int) -> None:
    loop = asyncio.get_running_loop()
    sites: list[Site] = []
    server = await loop.create_server(lambda: Connection(sites[0]), HOST, 0)
    port = server.sockets[0].getsockname()[1]
    sites.append(Site(f"http://{HOST}:{port}", pages, each))
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))

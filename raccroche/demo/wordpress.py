"""A fictional WordPress site: REST API, feeds, and pages of a classic or of a block theme."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from raccroche.demo.calendar import PARIS
from raccroche.demo.content import Message, Thread
from raccroche.demo.reply import NOT_FOUND, Ask, Reply, as_json, html, paragraphs, xml

_FEED_SIZE = 50
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip


def markup(message: Message) -> str:
    """A comment's text, the quoted passage in a `<blockquote>`."""
    if not message.quoted:
        return paragraphs(message.text)
    return f"<blockquote>{paragraphs(message.quoted)}</blockquote>\n{paragraphs(message.text)}"


class WordPress:
    """
    One blog at *url*. *theme*: classic (`ol.commentlist`) or block (`wp-block-comment-template`).

    *comments_per_page* top-level comments stand on a page, the newest page first, as most sites
    have it.
    """

    def __init__(
        self,
        url: str,
        name: str,
        threads: Sequence[Thread],
        *,
        theme: str = "classic",
        comments_per_page: int = 8,
    ) -> None:
        self.url = url
        self.name = name
        self.threads = sorted(threads, key=lambda t: t.at)
        self.theme = theme
        self.comments_per_page = comments_per_page
        self._comments = sorted(
            ((message, thread) for thread in threads for message in thread.messages),
            key=lambda pair: (pair[0].at, pair[0].number),
        )
        self._by_slug = {thread.slug: thread for thread in self.threads}

    def answer(self, ask: Ask) -> Reply:
        if ask.path.startswith("/wp-json/wp/v2/"):
            return self._rest(ask)
        if ask.path == "/comments/feed/":
            return xml(self._comment_feed(self._comments[::-1][:_FEED_SIZE], self.name))
        if ask.path == "/feed/":
            return self._article_feed(ask)
        slug, _, rest = ask.path.strip("/").partition("/")
        thread = self._by_slug.get(slug)
        if thread is None:
            return NOT_FOUND
        if rest == "feed":
            pairs = [(message, thread) for message in thread.messages[::-1][:_FEED_SIZE]]
            return xml(self._comment_feed(pairs, f"Commentaires sur : {thread.title}"))
        number = rest.removeprefix("comment-page-") if rest else ""
        return html(self._page(thread, int(number) if number.isdigit() else None))

    # REST -------------------------------------------------------------------------------------

    def _rest(self, ask: Ask) -> Reply:
        what = ask.path.removeprefix("/wp-json/wp/v2/").strip("/")
        if what == "comments":
            return self._listed(ask, self._asked_comments(ask))
        if what == "posts":
            found = [t for t in self.threads if ask.query.get("slug", t.slug) == t.slug]
            return self._listed(ask, [self._article(t) for t in found if _after(ask, t.at)])
        return as_json({"code": "rest_no_route", "message": "Aucune route", "data": {}}, 404)

    def _asked_comments(self, ask: Ask) -> list[dict[str, Any]]:
        post, words = ask.query.get("post"), ask.query.get("search", "").casefold()
        return [
            self._comment(message, thread, embed="_embed" in ask.query)
            for message, thread in self._comments
            if _after(ask, message.at)
            and post in (None, str(thread.number))
            and words in message.text.casefold()
        ]

    def _listed(self, ask: Ask, found: list[dict[str, Any]]) -> Reply:
        """A page of *found*; a comments page past the end is empty, a posts page an error."""
        if ask.query.get("order") != "asc":
            found = found[::-1]
        size, page = ask.whole("per_page", 10), ask.whole("page", 1)
        if size > 100:
            return as_json({"code": "rest_invalid_param", "message": "per_page"}, 400)
        pages = -(-len(found) // size)
        if page > max(1, pages) and ask.path.endswith("/posts"):
            return as_json({"code": "rest_post_invalid_page_number", "message": "page"}, 400)
        totals = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return as_json(found[(page - 1) * size : page * size], headers=totals)

    def _comment(self, message: Message, thread: Thread, *, embed: bool) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": message.number,
            "post": thread.number,
            "parent": message.parent or 0,
            "author": 0,
            "author_name": message.author,
            "author_url": "",
            "date": _local(message.at),
            "date_gmt": _gmt(message.at),
            "content": {"rendered": f"{markup(message)}\n"},
            "link": self._link(message, thread),
            "status": "approved",
            "type": "comment",
            "author_avatar_urls": {},
            "meta": [],
        }
        if embed:
            title = {"rendered": escape(thread.title, quote=False)}
            row["_embedded"] = {"up": [{"id": thread.number, "title": title}]}
        return row

    def _article(self, thread: Thread) -> dict[str, Any]:
        return {
            "id": thread.number,
            "date": _local(thread.at),
            "date_gmt": _gmt(thread.at),
            "modified": _local(thread.at),
            "modified_gmt": _gmt(thread.at),
            "slug": thread.slug,
            "status": "publish",
            "type": "post",
            "link": self._address(thread),
            "title": {"rendered": escape(thread.title, quote=False)},
            "content": {"rendered": f"{paragraphs(thread.text)}\n", "protected": False},
            "author": 1,
            "comment_status": "open",
            "ping_status": "closed",
        }

    def _address(self, thread: Thread) -> str:
        return f"{self.url}/{thread.slug}/"

    def _link(self, message: Message, thread: Thread) -> str:
        return f"{self._address(thread)}#comment-{message.number}"

    # Feeds ------------------------------------------------------------------------------------

    def _comment_feed(self, pairs: Sequence[tuple[Message, Thread]], title: str) -> str:
        return _rss(title, self.url, "".join(self._comment_item(m, t) for m, t in pairs))

    def _comment_item(self, message: Message, thread: Thread) -> str:
        reply = ""
        if message.parent:
            link = f"{self._address(thread)}#comment-{message.parent}"
            reply = f'En réponse à <a href="{link}">{_author_of(thread, message.parent)}</a>.\n\n'
        return (
            f"<item><title>Commentaires sur {escape(thread.title)} par {message.author}</title>"
            f"<link>{self._link(message, thread)}</link>"
            f"<dc:creator><![CDATA[{message.author}]]></dc:creator>"
            f"<pubDate>{format_datetime(message.at)}</pubDate>"
            f'<guid isPermaLink="false">{self.url}/?p={thread.number}#comment-{message.number}'
            "</guid>"
            f"<content:encoded><![CDATA[{reply}{markup(message)}]]></content:encoded></item>"
        )

    def _article_feed(self, ask: Ask) -> Reply:
        page = ask.whole("paged", 1)
        latest = self.threads[::-1][(page - 1) * _FEED_SIZE : page * _FEED_SIZE]
        if not latest:
            return NOT_FOUND
        items = "".join(
            f"<item><title>{escape(t.title)}</title><link>{self._address(t)}</link>"
            f"<pubDate>{format_datetime(t.at)}</pubDate>"
            f'<guid isPermaLink="false">{self.url}/?p={t.number}</guid>'
            f"<description><![CDATA[{paragraphs(t.text)}]]></description>"
            f"<wfw:commentRss>{self._address(t)}feed/</wfw:commentRss>"
            f"<slash:comments>{len(t.messages)}</slash:comments></item>"
            for t in latest
        )
        return xml(_rss(self.name, self.url, items))

    # Pages ------------------------------------------------------------------------------------

    def _page(self, thread: Thread, number: int | None) -> str:
        roots, answers = _nested(thread.messages)
        pages = max(1, -(-len(roots) // self.comments_per_page))
        page = min(number or pages, pages)
        shown = roots[(page - 1) * self.comments_per_page : page * self.comments_per_page]
        comment = self._block_comment if self.theme == "block" else self._classic_comment
        listed = "".join(comment(m, thread, page, answers, 1) for m in shown)
        canonical = self._address(thread) + (f"comment-page-{number}/" if number else "")
        body = self._block_list if self.theme == "block" else self._classic_list
        return (
            '<!DOCTYPE html><html lang="fr-FR"><head><meta charset="UTF-8">'
            f"<title>{escape(thread.title)} – {escape(self.name)}</title>"
            f'<link rel="canonical" href="{canonical}">'
            f'<meta property="og:title" content="{escape(thread.title)}">'
            f'<link rel="shortlink" href="{self.url}/?p={thread.number}">'
            f'<link rel="stylesheet" href="{self.url}/wp-content/themes/{self.theme}/style.css">'
            f'<link rel="stylesheet" href="{self.url}/wp-includes/css/dist/style.css">'
            f'</head><body class="single single-post postid-{thread.number}">'
            f'<article id="post-{thread.number}">'
            f'<h1 class="entry-title">{escape(thread.title)}</h1>'
            f'<time class="entry-date published" datetime="{_zoned(thread.at)}">'
            f"{_day(thread.at)}</time>"
            f'<div class="entry-content">{paragraphs(thread.text)}</div></article>'
            f"{body(thread, listed, self._neighbours(thread, page, pages))}</body></html>"
        )

    def _neighbours(self, thread: Thread, page: int, pages: int) -> str:
        links = []
        for number, name, words in (
            (page - 1, "nav-previous", "Commentaires plus anciens"),
            (page + 1, "nav-next", "Commentaires plus récents"),
        ):
            if 1 <= number <= pages:
                where = f"{self._address(thread)}comment-page-{number}/#comments"
                links.append(f'<div class="{name}"><a href="{where}">{words}</a></div>')
        return "".join(links)

    def _classic_list(self, thread: Thread, listed: str, around: str) -> str:
        return (
            '<div id="comments" class="comments-area"><h2 class="comments-title">'
            f"{_counted(thread)} sur « {escape(thread.title)} »</h2>"
            f'<nav class="navigation comment-navigation">{around}</nav>'
            f'<ol class="comment-list">{listed}</ol></div>'
        )

    def _classic_comment(
        self,
        message: Message,
        thread: Thread,
        page: int,
        answers: dict[int, list[Message]],
        depth: int,
    ) -> str:
        own = answers.get(message.number, [])
        children = "".join(self._classic_comment(m, thread, page, answers, depth + 1) for m in own)
        where = f"{self._address(thread)}comment-page-{page}/#comment-{message.number}"
        return (
            f'<li id="comment-{message.number}" class="comment depth-{depth}">'
            f'<article id="div-comment-{message.number}" class="comment-body">'
            '<footer class="comment-meta"><div class="comment-author vcard">'
            f'<b class="fn">{escape(message.author)}</b> <span class="says">dit :</span></div>'
            f'<div class="comment-metadata"><a href="{where}">'
            f'<time datetime="{_zoned(message.at)}">{_day(message.at)}</time></a></div></footer>'
            f'<div class="comment-content">{markup(message)}</div>'
            f'<div class="reply"><a class="comment-reply-link" href="?replytocom={message.number}'
            '#respond">Répondre</a></div></article>'
            f"{_listing(children)}</li>"
        )

    def _block_list(self, thread: Thread, listed: str, around: str) -> str:
        return (
            f'<div class="wp-block-comments"><h2 id="comments" class="wp-block-comments-title">'
            f"{_counted(thread)} à « {escape(thread.title)} »</h2>"
            f'<ol class="wp-block-comment-template">{listed}</ol>'
            f'<nav class="wp-block-comments-pagination">{around}</nav></div>'
        )

    def _block_comment(
        self,
        message: Message,
        thread: Thread,
        page: int,
        answers: dict[int, list[Message]],
        depth: int,
    ) -> str:
        own = answers.get(message.number, [])
        children = "".join(self._block_comment(m, thread, page, answers, depth + 1) for m in own)
        where = f"{self._address(thread)}comment-page-{page}/#comment-{message.number}"
        return (
            f'<li id="comment-{message.number}" class="comment depth-{depth}">'
            '<div class="wp-block-columns"><div class="wp-block-column">'
            f'<div class="wp-block-comment-author-name">{escape(message.author)}</div>'
            f'<div class="wp-block-comment-date"><time datetime="{_zoned(message.at)}">'
            f'<a href="{where}">{_day(message.at)}</a></time></div>'
            f'<div class="wp-block-comment-content">{markup(message)}</div>'
            '<div class="wp-block-comment-reply-link"><a class="comment-reply-link" '
            f'href="?replytocom={message.number}#respond">Répondre</a></div></div></div>'
            f"{_listing(children)}</li>"
        )


def _nested(messages: Sequence[Message]) -> tuple[list[Message], dict[int, list[Message]]]:
    """The comments that answer none, and the answers by the number they answer."""
    known = {message.number for message in messages}
    answers: dict[int, list[Message]] = {}
    roots = []
    for message in messages:
        if message.parent in known and message.parent is not None:
            answers.setdefault(message.parent, []).append(message)
        else:
            roots.append(message)
    return roots, answers


def _listing(children: str) -> str:
    return f'<ol class="children">{children}</ol>' if children else ""


def _author_of(thread: Thread, number: int) -> str:
    return next((m.author for m in thread.messages if m.number == number), "")


def _after(ask: Ask, at: datetime) -> bool:
    return "after" not in ask.query or at > datetime.fromisoformat(ask.query["after"])


def _counted(thread: Thread) -> str:
    many = len(thread.messages)
    return "Une réponse" if many == 1 else f"{many} réponses"


def _rss(title: str, link: str, items: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:wfw="http://wellformedweb.org/CommentAPI/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel>'
        f"<title>{escape(title)}</title><link>{link}</link>{items}</channel></rss>"
    )


def _local(at: datetime) -> str:
    return at.astimezone(PARIS).strftime("%Y-%m-%dT%H:%M:%S")


def _gmt(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _zoned(at: datetime) -> str:
    return at.astimezone(PARIS).isoformat()


def _day(at: datetime) -> str:
    local = at.astimezone(PARIS)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year} à {local.hour}h{local.minute:02}"

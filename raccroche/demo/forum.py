"""A fictional phpBB 3 forum in French: a list of topics and their pages, quotes, a session id."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from raccroche.demo.calendar import PARIS
from raccroche.demo.content import Message, Thread
from raccroche.demo.reply import NOT_FOUND, Ask, Reply, html

FORUM = 4
_TOPICS_A_PAGE, _MESSAGES_A_PAGE = 30, 10
_DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
_MONTHS = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
    "déc.",
)  # fmt: skip


class Forum:
    """One phpBB board at *url* with one forum in it, the topic with the newest message first."""

    def __init__(self, url: str, name: str, topics: Sequence[Thread]) -> None:
        self.url = url
        self.name = name
        filled = [topic for topic in topics if topic.messages]
        self.topics = sorted(filled, key=lambda t: t.messages[-1].at, reverse=True)
        self._by_number = {str(topic.number): topic for topic in filled}

    def answer(self, ask: Ask) -> Reply:
        start = int(ask.query.get("start", "0")) if ask.query.get("start", "0").isdigit() else 0
        if ask.path == "/viewforum.php" and ask.query.get("f") == str(FORUM):
            return html(self._list(start))
        topic = self._by_number.get(ask.query.get("t", ""))
        if ask.path == "/viewtopic.php" and topic is not None:
            return html(self._topic(topic, start))
        return NOT_FOUND

    def _frame(self, title: str, body: str) -> str:
        return (
            '<!DOCTYPE html><html dir="ltr" lang="fr"><head><meta charset="utf-8">'
            f"<title>{escape(title)} - {escape(self.name)}</title></head>"
            '<body id="phpbb" class="nojs section-viewtopic ltr">'
            f'<a href="./index.php?sid={"0" * 32}">{escape(self.name)}</a>'
            f'<div id="page-body" role="main">{body}</div>'
            '<div class="copyright">Développé par <a href="#">phpBB</a>® Forum Software</div>'
            "</body></html>"
        )

    # The list ---------------------------------------------------------------------------------

    def _list(self, start: int) -> str:
        shown = self.topics[start : start + _TOPICS_A_PAGE]
        rows = "".join(self._row(topic) for topic in shown)
        links = _pages(f"./viewforum.php?f={FORUM}", start, len(self.topics), _TOPICS_A_PAGE)
        body = (
            f'<h2 class="forum-title"><a href="./viewforum.php?f={FORUM}">Vos opérateurs</a></h2>'
            f'<div class="pagination">{len(self.topics)} sujets {links}</div>'
            f'<div class="forumbg"><ul class="topiclist topics">{rows}</ul></div>'
        )
        return self._frame("Vos opérateurs", body)

    def _row(self, topic: Thread) -> str:
        where = f"./viewtopic.php?f={FORUM}&amp;t={topic.number}"
        last = topic.messages[-1]
        many = len(topic.messages)
        pages = _pages(where, None, many, _MESSAGES_A_PAGE) if many > _MESSAGES_A_PAGE else ""
        return (
            '<li class="row bg1"><dl class="row-item topic_read"><dt><div class="list-inner">'
            f'<a href="{where}&amp;sid={"0" * 32}" class="topictitle">{escape(topic.title)}</a>'
            f'<div class="pagination">{pages}</div></div></dt>'
            f'<dd class="posts">{many - 1} <dfn>Réponses</dfn></dd>'
            f'<dd class="views">{many * 37} <dfn>Vues</dfn></dd>'
            '<dd class="lastpost"><span><dfn>Dernier message</dfn> par '
            f'<a href="./memberlist.php?mode=viewprofile" class="username">{last.author}</a><br>'
            f'<time datetime="{last.at.isoformat()}">{_written(last.at)}</time></span></dd></dl>'
            "</li>"
        )

    # A topic ----------------------------------------------------------------------------------

    def _topic(self, topic: Thread, start: int) -> str:
        where = f"./viewtopic.php?f={FORUM}&amp;t={topic.number}"
        many = len(topic.messages)
        page, pages = start // _MESSAGES_A_PAGE + 1, -(-many // _MESSAGES_A_PAGE)
        shown = topic.messages[start : start + _MESSAGES_A_PAGE]
        messages = "".join(self._message(message, topic) for message in shown)
        body = (
            f'<h2 class="topic-title"><a href="{where}">{escape(topic.title)}</a></h2>'
            f'<div class="action-bar bar-top"><div class="pagination">{many} messages'
            f" • Page {page} sur {pages} {_pages(where, start, many, _MESSAGES_A_PAGE)}</div></div>"
            f"{messages}"
        )
        return self._frame(topic.title, body)

    def _message(self, message: Message, topic: Thread) -> str:
        number, author = message.number, escape(message.author)
        subject = topic.title if message is topic.messages[0] else f"Re: {topic.title}"
        profile = f'<a href="./memberlist.php?mode=viewprofile" class="username">{author}</a>'
        return (
            f'<div id="p{number}" class="post has-profile bg2"><div class="inner">'
            f'<dl class="postprofile" id="profile{number}"><dt>{profile}</dt></dl>'
            f'<div class="postbody"><div id="post_content{number}">'
            f'<h3><a href="#p{number}">{escape(subject)}</a></h3>'
            f'<p class="author"><a class="unread" href="./viewtopic.php?p={number}#p{number}">'
            f'<span class="sr-only">Message</span></a><span class="responsive-hide">par <strong>'
            f'{profile}</strong> » </span><time datetime="{message.at.isoformat()}">'
            f"{_written(message.at)}</time></p>"
            f'<div class="content">{_markup(message)}</div>'
            '</div><div id="sig" class="signature">Un combiné raccroché est un combiné heureux'
            "</div></div></div></div>"
        )


def _markup(message: Message) -> str:
    text = _lines(message.text)
    if not message.quoted:
        return text
    cite = f"<cite>{escape(message.quoted_author or '')} a écrit :</cite>"
    return f"<blockquote><div>{cite}{_lines(message.quoted)}</div></blockquote>{text}"


def _lines(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>\n")


def _pages(where: str, start: int | None, many: int, size: int) -> str:
    """Links to the other pages; the first has no `start`."""
    links = []
    for number in range(-(-many // size)):
        offset = number * size
        href = f"{where}&amp;start={offset}" if offset else where
        if offset == start:
            links.append(f'<li class="active"><span>{number + 1}</span></li>')
        else:
            links.append(f'<li><a class="button" href="{href}">{number + 1}</a></li>')
    return f"<ul>{''.join(links)}</ul>"


def _written(at: datetime) -> str:
    local = at.astimezone(PARIS)
    day = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
    return f"{day} {local.hour:02}:{local.minute:02}"

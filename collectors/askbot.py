"""
Questions and answers of Askbot sites: questions by the API, answers and comments by the page.

API: https://askbot.com/doc/api.html . The question stands on every page of its answers, so it is
read once, where it is listed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors import boards
from collectors.boards import Board, Message, Topic, first_text
from collectors.dates import of_epoch
from collectors.fields import identifier, need, optional
from collectors.html import Node, attribute_of, classes_of, count_of, host, one_line, text_of
from collectors.settings import several, utc_text, web_address
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State

PLATFORM = "askbot"
TITLE = "Askbot"
NEEDS = ""
LEGAL = boards.LEGAL


@dataclass(frozen=True, slots=True)
class Settings:
    """*site*: address of the site. *questions*: addresses of single ones; without any, all."""

    site: str
    questions: tuple[str, ...] = ()
    context_brand: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "site", web_address(self.site, "site"))
        urls = several(self.questions, "questions", least=0)
        object.__setattr__(self, "questions", tuple(web_address(url, "questions") for url in urls))
        for url in self.questions:
            if not _QUESTION.search(f"{url}/"):
                raise ValueError(f"questions: {url!r} is no address of a question")


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The questions by their last activity; or each question and the pages of its answers."""
    context = {"accept_status": "401,403"}
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    for url in settings.questions:
        found = _QUESTION.search(f"{url}/")
        number = found.group(1) if found else ""
        yield Request(
            f"{settings.site}/api/v1/questions/{number}/", context=context, phase="question"
        )
        yield Request(f"{url}/", params={"sort": "latest"}, context=context)
    if not settings.questions:
        if state.since:
            context["since"] = utc_text(state.since)
        params = {"sort": "activity-desc", "page": "1"}
        yield Request(f"{settings.site}/api/v1/questions/", params=params, context=context)


def parse(answer: Answer) -> Page:
    """The answers and comments of a page, or the questions of the API."""
    if answer.body.lstrip()[:1] == b"{":
        return _questions(answer)
    board = Board.of(answer, PLATFORM)
    messages = _answers(board)
    if not messages:
        return Page() if _is_question(answer.body) else boards.nothing_here(board)
    native_id = _question_id(board)
    heading = board.page.css_first("h1 a, h1")
    title = one_line(heading.text())[:500] if heading is not None else None
    pages = boards.pages_of(board, _page_number, here=_here(board), selector=".paginator a")
    topic = Topic(native_id, title, _declared(board))
    page = boards.topic_page(board, messages, topic, pages)
    following = tuple(replace(request, only_while_new=True) for request in page.next)
    return replace(page, next=following)


def recognises(answer: Answer) -> int:
    body = answer.body
    if body.lstrip()[:1] == b"{":
        return 90 if all(n in body for n in (b'"questions"', b'"answer_count"')) else 0
    found = boards.signs(
        body,
        (
            rb"askbot",
            rb"class=[\"'][^\"']*\bpost answer\b|js-question",
            rb"post-update-info|user-card",
        ),
    )
    return (0, 30, 75, 94)[found]


# Pages -----------------------------------------------------------------------------------------

_QUESTION = re.compile(r"/question/(\d+)/")


def _is_question(body: bytes) -> bool:
    return b"js-question" in body or b"question-page" in body


def _question_id(board: Board) -> str | None:
    found = _QUESTION.search(board.url)
    if found:
        return found.group(1)
    return attribute_of(board.page.css_first(".js-question[data-post-id]"), "data-post-id")


def _page_number(href: str) -> int | None:
    found = re.search(r"[?&;]page=(\d+)", href)
    return int(found.group(1)) if found else None


def _here(board: Board) -> int:
    current = attribute_of(board.page.css_first(".paginator .curr"), "data-page") or "1"
    return int(current) if current.isdigit() and len(current) < 7 else 1


def _declared(board: Board) -> int | None:
    heading = board.page.css_first("#questionCount, .answer-count")
    return count_of(one_line(heading.text())) if heading is not None else None


def _answers(board: Board) -> list[Message]:
    """The answers, each followed by its comments; comments on the question come first."""
    found = []
    selector = ".answer[data-post-id], .comment[data-comment-id], .js-comment[data-comment-id]"
    for node in board.page.css(selector)[:1000]:
        number = node.attributes.get("data-post-id") or node.attributes.get("data-comment-id") or ""
        if not number.isdigit() or number == "0":  # 0 is the form for a new one
            continue
        is_comment = "data-comment-id" in node.attributes
        found.append(_comment(board, node, number) if is_comment else _answer(board, node, number))
    return found


_ASIDE = frozenset(
    ("post-update-info-container", "post-update-info", "comments", "post-controls", "vote-buttons")
)


def _skip(node: Node) -> bool:
    return bool(_ASIDE.intersection(classes_of(node)))


def _answer(board: Board, node: Node, number: str) -> Message:
    stamp = node.css_first(".post-update-info abbr[title], abbr.timeago[title]")
    anchor = node.css_first("a.permant-link")
    return Message(
        number=number,
        author=first_text(node, ".user-info a[href*='/users/']", ".user-card a[href*='/users/']"),
        moment=board.date(attribute_of(stamp, "title")),
        text=text_of(node.css_first(".post-body"), skip=_skip),
        anchor=board.link(attribute_of(anchor, "href")),
        parent=_question_id(board),
        likes=count_of(first_text(node, ".vote-number") or ""),
    )


def _comment(board: Board, node: Node, number: str) -> Message:
    stamp = node.css_first("abbr.timeago[title], abbr[title]")
    holder = boards.holder(node, "div")
    while holder is not None and "data-parent-post-id" not in holder.attributes:
        holder = boards.holder(holder, "div")
    return Message(
        number=number,
        author=first_text(node, "a.author", "a[href*='/users/']"),
        moment=board.date(attribute_of(stamp, "title")),
        text=text_of(node.css_first(".comment-body"), skip=_skip_byline),
        anchor=f"{board.url}#comment-{number}" if board.url else None,
        parent=attribute_of(holder, "data-parent-post-id"),
    )


def _skip_byline(node: Node) -> bool:
    names = classes_of(node)
    return "author" in names or "timeago" in names or "comment-meta" in names


# API -------------------------------------------------------------------------------------------


def _questions(answer: Answer) -> Page:
    data = boards.json_object(answer)
    if "questions" not in data:
        return Page(posts=(_question(answer, data),))
    listed = need(data, "questions", list, answer.url)
    since = answer.context.get("since", "")
    changed = [row for row in listed if not since or _active(row) >= since]
    posts = tuple(_question(answer, row) for row in changed)
    context = {k: v for k, v in answer.context.items() if k != "since"}
    into = [
        Request(post.url, params={"sort": "latest"}, context=context | {"thread": post.native_id},
                phase="page")
        for post, row in zip(posts, changed, strict=True)
        if post.url and optional(row, "answer_count", int) != 0
    ]  # fmt: skip
    asked = answer.request
    pages, page = optional(data, "pages", int) or 1, 1
    if asked is not None and asked.params.get("page", "").isdigit():
        page = int(asked.params["page"])
        if page < pages and changed:
            into.append(replace(asked, params={**asked.params, "page": str(page + 1)}))
    return Page(posts=posts, next=tuple(into), cursor={"questions": "read"} if asked else {})


def _active(row: Mapping[str, Any]) -> str:
    """The last activity as our own written moments, which sort as texts."""
    at = of_epoch(_seconds(row, "last_activity_at", ""))
    return utc_text(at.at) if at else ""


def _seconds(row: Any, name: str, url: str) -> float:
    """A Unix time, which Askbot writes as text."""
    value = identifier(row, name, url)
    if not re.fullmatch(r"\d{1,12}", value):
        raise SourceError(f"field {name} is no Unix time", url=url)
    return float(value)


def _question(answer: Answer, row: Any) -> Post:
    url = answer.url
    number = identifier(row, "id", url)
    title = one_line(need(row, "title", str, url))[:500]
    text = text_of(optional(row, "text", str) or optional(row, "summary", str) or "")
    at = of_epoch(_seconds(row, "added_at", url))
    link = need(row, "url", str, url)
    score, answers = optional(row, "score", int), optional(row, "answer_count", int)
    numbers = {"score": score, "answers": answers, "views": optional(row, "view_count", int)}
    return Post(
        source=f"{PLATFORM}/{host(link) or host(url) or 'unknown'}",
        platform=PLATFORM,
        native_id=number,
        text=text.text,
        kind=Kind.TOPIC,
        author=one_line(need(row, "author.username", str, url)) or None,
        published_at=at.at if at else None,
        title=title or None,
        url=link,
        thread=number,
        thread_title=title or None,
        engagement={name: value for name, value in numbers.items() if value is not None},
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )

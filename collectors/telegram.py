"""
Messages of public Telegram channels, from their previews on the web (`t.me/s/NAME`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from collectors.dates import Moment, parse_date
from collectors.fields import counts
from collectors.html import (
    Node,
    Tree,
    absolute,
    attribute_of,
    classes_of,
    clean_author,
    count_of,
    one_line,
    text_of,
    texts_of,
    tree,
)
from collectors.settings import several
from collectors.walls import wall
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Post, Request, State, Verdict

PLATFORM = "telegram"
TITLE = "Telegram channels"
NEEDS = ""
LEGAL = "Web previews of public channels; groups and closed channels have none and are not read."


@dataclass(frozen=True, slots=True)
class Settings:
    """*channels*: names or addresses. *search*: only messages with these words."""

    channels: tuple[str, ...]
    search: str | None = None
    context_brand: str | None = None

    def __post_init__(self) -> None:
        given = several(self.channels, "channels")
        names = tuple(_name(channel) for channel in given)
        object.__setattr__(self, "channels", names)
        if self.search is not None and not self.search.strip():
            raise ValueError("search: words to search for, or leave it out")


def _name(channel: str) -> str:
    short = re.sub(r"^(?:https?://)?(?:t\.me|telegram\.me)/(?:s/)?|^@", "", channel.strip())
    short = short.strip("/")
    if not re.fullmatch(r"[A-Za-z]\w{3,40}", short, re.ASCII):
        raise ValueError(f"channels: {channel!r} is no name of a public channel")
    return short


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The newest messages of each channel; older ones while they bring anything new."""
    params = {"q": settings.search} if settings.search else {}
    context = {"context_brand": settings.context_brand} if settings.context_brand else {}
    for name in settings.channels:
        yield Request(f"https://t.me/s/{name}", params=params, context={**context, "channel": name})


def parse(answer: Answer) -> Page:
    """The messages of one page, oldest first as shown; notices of the service are left out."""
    page = tree(answer.text)
    messages = page.css(".tgme_widget_message[data-post]")
    if not messages:
        return _nothing(page, answer)
    kept = [node for node in messages if "service_message" not in classes_of(node)]
    channel = _text(page.css_first(".tgme_channel_info_header_title, .tgme_header_title"))
    posts = {post.native_id: post for node in kept if (post := _post(node, channel, answer))}
    return Page(posts=tuple(posts.values()), next=_next(page, answer))


def recognises(answer: Answer) -> int:
    if b"tgme_widget_message" in answer.body or b"tgme_channel_" in answer.body:
        return 95
    if re.match(r"https?://(?:t|telegram)\.me/", answer.url):
        return 85
    return 80 if b"tgme_page" in answer.body else 0


def _nothing(page: Tree, answer: Answer) -> Page:
    """A channel without messages, what has no preview, or a page that we do not know."""
    if page.css_first(".tgme_channel_history, .tgme_channel_info") is not None:
        return Page()
    if page.css_first(".tgme_page") is not None:
        return Page(
            verdict=Verdict.LOGIN_WALL,
            note=f"{answer.url} has no preview on the web: a group, a closed channel or no channel",
        )
    blocked = wall(answer, page)
    if blocked is not None:
        return blocked
    raise SourceError("telegram: no messages in the page", url=answer.url)


# Messages --------------------------------------------------------------------------------------


def _post(node: Node, channel: str, answer: Answer) -> Post | None:
    native_id = one_line(attribute_of(node, "data-post"))
    if not native_id:
        return None
    dated = _moment(node, answer)
    if dated is None:
        raise SourceError(f"telegram: message {native_id[:60]} has no date", url=answer.url)
    parts = [part for part in node.css(_PARTS) if not _inside_reply(part)]
    text = texts_of(parts) if parts else text_of("")
    name, _, number = native_id.rpartition("/")
    author = _text(node.css_first(".tgme_widget_message_from_author"))
    owner = _text(node.css_first(".tgme_widget_message_owner_name"))
    return Post(
        source="telegram/t.me",
        platform=PLATFORM,
        native_id=native_id,
        text=text.text,
        author=clean_author(author or owner or channel or name),
        published_at=dated.at,
        day_only=dated.day_only,
        title=_title(node),
        url=f"https://t.me/{native_id}" if name and number else None,
        parent=_parent(node),
        thread=name or None,
        engagement=counts(views=_views(node)),
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


_PARTS = (
    ".tgme_widget_message_text, .tgme_widget_message_poll_question, "
    ".tgme_widget_message_poll_option_text"
)


def _inside_reply(node: Node) -> bool:
    """The message answered is shown above the answer; and some nest a text in a text."""
    if "js-message_reply_text" in classes_of(node):
        return True
    above = node.parent
    while above is not None:
        names = classes_of(above)
        if "tgme_widget_message_reply" in names or "tgme_widget_message_text" in names:
            return True
        if "tgme_widget_message" in names:
            return False
        above = above.parent
    return False


def _text(node: Node | None) -> str:
    return one_line(node.text()) if node is not None else ""


def _moment(node: Node, answer: Answer) -> Moment | None:
    """The date in the footer; a video's duration is a `time` too, without `datetime`."""
    for place in (".tgme_widget_message_date time[datetime]", "time[datetime]"):
        written = attribute_of(node.css_first(place), "datetime")
        if written:
            return parse_date(written, now=answer.fetched_at, tz="UTC")
    return None


def _views(node: Node) -> int | None:
    views = node.css_first(".tgme_widget_message_views")
    return count_of(one_line(views.text())) if views is not None else None


def _title(node: Node) -> str | None:
    """Whose message it was, if it was passed on."""
    name = _text(node.css_first(".tgme_widget_message_forwarded_from_name"))
    return f"Forwarded from {name}" if name else None


def _parent(node: Node) -> str | None:
    link = absolute(attribute_of(node.css_first("a.tgme_widget_message_reply"), "href"), "")
    found = re.search(r"t\.me/(?:s/)?(\w+/\d+)", link or "")
    return found.group(1) if found else None


# Paging ----------------------------------------------------------------------------------------


def _next(page: Tree, answer: Answer) -> tuple[Request, ...]:
    """Older messages: `before` of the link at the top."""
    more = page.css_first("a.tme_messages_more[data-before]")
    before = one_line(attribute_of(more, "data-before"))
    if not before.isdecimal():
        link = attribute_of(page.css_first("link[rel=prev]"), "href") or ""
        found = re.search(r"[?&]before=(\d{1,12})\b", link)
        before = found.group(1) if found else ""
    if not before.isascii() or not before:
        return ()
    if answer.request is not None:
        if answer.request.params.get("before") == before:
            return ()
        params = {**answer.request.params, "before": before}
        return (replace(answer.request, params=params, only_while_new=True),)
    href = attribute_of(more, "href") or f"?before={before}"
    url = absolute(href, answer.url) or absolute(href, "https://t.me/")
    return (Request(url, only_while_new=True),) if url else ()

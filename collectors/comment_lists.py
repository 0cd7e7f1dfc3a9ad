"""
Reads numbered comment lists, whatever the theme: WordPress (classic, HTML5, block, wpDiscuz),
SPIP, Drupal.

Themes share the numbers (`comment-123`, `forum-texte-123`), not the layout. So every element that
carries a number is
found first, and each comment is then read from the nodes that are its own and no other comment's.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from collectors.dates import Moment, parse_date
from collectors.html import (
    Node,
    Text,
    Tree,
    ancestors,
    classes_of,
    clean_author,
    count_of,
    one_line,
    same_page,
    text_of,
    texts_of,
)


@dataclass(frozen=True, slots=True)
class Found:
    """One comment of a page. *number* is its id in the site; *parent* the number it answers."""

    number: str
    author: str | None
    moment: Moment | None
    text: Text
    parent: str | None = None
    likes: int | None = None
    pingback: bool = False
    title: str | None = None


@dataclass(slots=True)
class _Unit:
    """The elements that carry one comment's number, the outermost first."""

    number: str
    parts: list[Node]
    parent: str | None = None

    @property
    def root(self) -> Node:
        return self.parts[0]


@dataclass(slots=True)
class _Own:
    """What was seen among a comment's own nodes."""

    names: dict[int, Node] = field(default_factory=dict)  # by rank, the lowest wins
    dates: list[tuple[int, Node]] = field(default_factory=list)
    content: Node | None = None
    content_depth: int = 0
    blocks: list[Node] = field(default_factory=list)
    reply_label: str | None = None
    likes: int | None = None
    title: Node | None = None
    loose_content: Node | None = None


NumberOf = Callable[[Node], "tuple[str, str | None] | None"]  # (number, number of the parent)


def comments(
    page: Tree, *, now: datetime, carriers: str = "", number_of: NumberOf | None = None
) -> list[Found]:
    """
    The comments of *page* in its order, pingbacks included and marked.

    *carriers* is a CSS selector of elements that may carry a number, *number_of* reads it.
    """
    return _read_all(_units(page.css(carriers or _CARRIERS), number_of or numbered), now)


def comments_at(nodes: Iterable[tuple[str, Node]], *, now: datetime) -> list[Found]:
    """The comments whose outermost elements are known: (number or name, element)."""
    units: dict[str, _Unit] = {}
    for number, node in nodes:
        units.setdefault(number, _Unit(number, [node]))
    return _read_all(units, now)


def _read_all(units: dict[str, _Unit], now: datetime) -> list[Found]:
    owner = {part.mem_id: unit.number for unit in units.values() for part in unit.parts}
    found: list[Found] = []
    trail: list[tuple[int, str]] = []  # (depth, number) of the comments above, for flat lists
    for unit in units.values():
        depth = _depth(unit)
        while trail and trail[-1][0] >= depth:
            trail.pop()
        parent = unit.parent or _enclosing(unit, owner) or (trail[-1][1] if trail else None)
        comment = _read(unit, owner, now, parent if parent in units else unit.parent)
        if comment is None:
            continue
        if depth:
            trail.append((depth, unit.number))
        found.append(comment)
    named = sum(1 for one in found if one.author)
    return found if named * 2 >= len(found) else []  # a live ticker has no authors


# Which elements are comments -------------------------------------------------------------------

_CARRIERS = "[id*=comm], a[name^=comment]"
_NUMBER = re.compile(
    r"(?:(?:li|div|dd|dt|article|wp|single|post|blog|the)[-_])*(?:comments?|kommentar"
    r"|commentaire|comm)[-_]?"
    r"(?:(?:body|content|text|inner|wrap|wrapper|container|item|id|entry|box)[-_])?(\d{1,18})"
    r"|(?:wpd|wc)-comm-(\d{1,18})_(\d{1,18})"
)
_HOLDERS = frozenset(("li", "div", "article", "dd", "dt", "tr", "section"))


def numbered(node: Node) -> tuple[str, str | None] | None:
    """The number in an id or a name: `comment-12`; `wpd-comm-13_12` names its parent too."""
    found = _NUMBER.fullmatch(node.attributes.get("id") or node.attributes.get("name") or "")
    if not found:
        return None
    above = found.group(3)
    return found.group(1) or found.group(2), above if above and above != "0" else None


_MOST_PARTS = 12  # elements with the same number; more is no comment


def _units(carriers: Iterable[Node], number_of: NumberOf) -> dict[str, _Unit]:
    units: dict[str, _Unit] = {}
    for node in carriers:
        named = number_of(node)
        if named is None or named[0] == "0":
            continue
        number, parent = named
        part = _holder(node)
        if part is None:
            continue
        unit = units.setdefault(number, _Unit(number, []))
        if len(unit.parts) < _MOST_PARTS and all(part.mem_id != n.mem_id for n in unit.parts):
            around = unit.parts and any(n.mem_id == part.mem_id for n in ancestors(unit.root))
            unit.parts.insert(0 if around else len(unit.parts), part)
        unit.parent = unit.parent or parent
    return units


_OWN_HOLDERS = frozenset(("li", "div", "article", "dt", "section", "tr", "dd", "table"))


def _holder(node: Node) -> Node | None:
    """The element of a whole comment that *node*, an anchor or a part of it, stands in for."""
    classes = classes_of(node)
    if node.tag in _OWN_HOLDERS and "crayon" not in classes:
        return node
    if node.tag in ("a", "span") and not _holds_text(node):
        after = node.next
        while after is not None and not after.is_element_node:
            after = after.next
        if after is not None and after.tag in _OWN_HOLDERS and "comment" in classes_of(after):
            return after
    around = list(ancestors(node, limit=6))
    if "crayon" in classes:
        message = next((n for n in around if _is_message(n)), None)
        return next((n for n in around if n.tag in ("li", "article")), message)
    return next((n for n in around if n.tag in _HOLDERS), None)


def _is_message(node: Node) -> bool:
    """SPIP's own box around one message."""
    return bool(_names("forum-message comment-message comment").intersection(classes_of(node)))


_DEPTH = re.compile(r"(?:depth|comment_level|level)-(\d{1,2})$")


def _depth(unit: _Unit) -> int:
    for part in unit.parts:
        for name in classes_of(part):
            found = _DEPTH.search(name)
            if found:
                return int(found.group(1))
    return 0


def _enclosing(unit: _Unit, owner: dict[int, str]) -> str | None:
    """The comment that holds this one, or (Drupal) stands before the indented box that does."""
    for node in ancestors(unit.root):
        number = owner.get(node.mem_id)
        if number is not None and number != unit.number:
            return number
        if "indented" in classes_of(node) or "children" in classes_of(node):
            before = node.prev
            while before is not None and before.mem_id not in owner:
                before = before.prev
            if before is not None and owner[before.mem_id] != unit.number:
                return owner[before.mem_id]
    return None


# One comment -----------------------------------------------------------------------------------


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AUTHOR_RANKS = {
    **dict.fromkeys(("fn",), 0),
    **dict.fromkeys(
        _names(
            "comment-author-name comment_author commentauthor comment-author-link "
            "wc-comment-author "
            "wpd-comment-author wp-block-comment-author-name comment__author-name comment-name "
            "author-name "
            "author_name username user-name nickname comment-username commenter commenter-name "
            "cmt-author "
            "comment-user comment-by comment_name commentername authorname comment-auteur "
            "forum-qui forum-auteur"
        ),
        1,
    ),
    **dict.fromkeys(
        _names(
            "comment-author comment__author author comment-header-author vcard comment-head "
            "author-meta "
            "comment-author-info comment-info comment-by-author commentmeta user-info submitted "
            "forum-chapo comment-infos"
        ),
        4,
    ),
}
_DATE_CLASSES = _names(
    "comment-date comment_date comment-time comment_time comment-meta comment-metadata "
    "commentmetadata comment__date "
    "comment__meta wc-comment-date wpd-comment-date comment-meta-date wp-block-comment-date "
    "date time timestamp "
    "posted-on comment-published published datetime comment-timestamp comment-permalink "
    "comment-date-time commentdate "
    "comment-data comment-posted meta-date comment_meta submitted comment__time forum-chapo "
    "dtreviewed comment-infos"
)
_CONTENT_CLASSES = _names(
    "comment-content comment_content comment-text comment_text commenttext comment-entry "
    "comment_entry commententry "
    "wc-comment-text wpd-comment-text wp-block-comment-content comment__content comment__text "
    "comment-copy "
    "comment-body-text comment-message comment-txt comment-text-body comment-description "
    "format_text commentbody-text "
    "comment-main-content comment-body-content text-comment comment_txt comment-p "
    "commentcontent comment-content-text forum-texte "
    "comment-texte field-name-comment-body field--name-comment-body"
)
_META_CLASSES = _names(
    "reply comment-reply comment-reply-link comment-actions wc-comment-footer "
    "wpd-comment-footer comment-edit-link "
    "edit-link says comment-awaiting-moderation comment-author comment-meta comment-metadata "
    "commentmetadata vcard "
    "avatar comment-avatar comment-header comment-head comment-footer "
    "jetpack-comment-likes-widget-wrapper "
    "sharedaddy comment-tools comment-date comment-time comment-permalink comment-rating "
    "wpulike wc-comment-header "
    "wpd-comment-header wc-comment-left wpd-comment-left comment-like comment-vote "
    "comment-votes cld-like-dislike-wrap "
    "reply-link replylink comment_reply wpd-comment-subheader comment-form comment-respond "
    "translate-buttons edit "
    "comment_author comment_time comment-author-name trns-moderate-comments "
    "wpdiscuz-comment-message fn "
    "wp-block-comment-reply-link wp-block-comment-edit-link wp-block-comment-author-name "
    "wp-block-comment-date "
    "wp-block-avatar comment-replies wpd-tools wpd-reply-button comment-notes comment-report "
    "cmt-report children"
)
_NOT_NAME_CLASSES = _META_CLASSES - _names(
    "vcard comment-author comment-header comment-head fn comment_author comment-author-name "
    "wp-block-comment-author-name wc-comment-header wpd-comment-header submitted forum-chapo "
    "comment-infos "
    "comment__meta"
)
_TITLE_CLASSES = _names("forum-titre comment-titre comment__title comment-title comment-subject")
_BLOCKS = _names("p blockquote ul ol pre h1 h2 h3 h4 h5 h6 table dl")
_LIKES_CLASSES = _names(
    "wc-vote-result wpd-vote-result comment-like-count cld-count-wrap wpd-vote-result-like"
)


def _read(unit: _Unit, owner: dict[int, str], now: datetime, parent: str | None) -> Found | None:
    own = _Own()
    for start in _starts(unit, owner):
        _look(start, unit.number, owner, own)
    text = _text(unit, owner, own)
    beside: str | None = None  # the words around the text, read only where a theme marks no more
    author, moment = _author(own), _moment(own, now)
    if author is None or moment is None:
        beside = _words_beside(unit, own, owner)
        author = author or _author_beside(beside)
        moment = moment or parse_date(beside[:200], now=now)
    pingback = _is_pingback(unit, text.text, own)
    if not text.text and not author:
        return None
    title = one_line(own.title.text())[:500] if own.title is not None else ""
    return Found(unit.number, author, moment, text, parent, own.likes, pingback, title or None)


def _starts(unit: _Unit, owner: dict[int, str]) -> Iterator[Node]:
    """The root, and after a `<dt>` its `<dd>`s."""
    yield unit.root
    if unit.root.tag != "dt":
        return
    after = unit.root.next
    while after is not None and after.tag != "dt":
        if after.tag == "dd" and owner.get(after.mem_id, unit.number) == unit.number:
            yield after
        after = after.next


def _look(root: Node, number: str, owner: dict[int, str], own: _Own) -> None:
    """Visit the comment's own elements once and note what each may be."""
    meta_depth = block_depth = 0  # where the meta data or the block begins that we are in
    levels = [iter((root,))]
    while levels:
        depth = len(levels)
        node = next(levels[-1], None)
        if depth <= meta_depth:
            meta_depth = 0
        if depth <= block_depth:
            block_depth = 0
        if depth <= own.content_depth:
            own.content_depth = 0
        if node is None:
            levels.pop()
            continue
        tag = node.tag or ""
        if tag in _SILENT or (depth > 1 and owner.get(node.mem_id, number) != number):
            continue
        roles = _note(node, tag, depth, own)
        if roles.meta and depth > 1 and not meta_depth:
            meta_depth = depth
        if tag in _BLOCKS and not block_depth and not meta_depth:
            own.blocks.append(node)
            block_depth = depth
        levels.append(node.iter())


_SILENT = frozenset(("script", "style", "form", "noscript"))


class _Roles(NamedTuple):
    """What an element may be, by its tag, class and itemprop alone: few of them on a page."""

    idle: bool  # nothing of what follows, nor by its other attributes
    rank: int  # of an author's name; 9 for none
    loose_author: bool
    date: int  # rank of a date; 9 for none
    content: bool
    loose_content: bool
    title: bool
    likes: bool
    meta: bool
    reply: bool
    forum_body: bool


@lru_cache(maxsize=4096)
def _roles(tag: str, class_names: str, prop: str) -> _Roles:
    classes = class_names.split()
    known = frozenset(classes)
    roles = _Roles(
        idle=False,
        rank=_author_rank(tag, classes, prop),
        loose_author=bool(_LOOSE_AUTHOR.search(class_names)),
        date=_date_rank(tag, class_names, known, prop),
        content=bool(_CONTENT_CLASSES & known) or prop in ("text", "commentText"),
        loose_content=bool(_LOOSE_CONTENT.search(class_names)),
        title=bool(_TITLE_CLASSES & known),
        likes=bool(_LIKES_CLASSES & known),
        meta=bool(_META_CLASSES & known),
        reply="comment-reply-link" in known,
        forum_body="comment-body" in known,
    )
    none = roles.rank == roles.date == 9 and not any(roles[2:3] + roles[4:])
    return roles._replace(idle=none and tag not in ("a", "abbr"))


def _author_rank(tag: str, classes: list[str], prop: str) -> int:
    ranks = [_AUTHOR_RANKS[name] for name in classes if name in _AUTHOR_RANKS]
    if any(name.startswith("forum-qui-") for name in classes):
        ranks.append(1)
    if tag == "cite":
        ranks.append(2)
    if prop in ("author", "creator", "name"):
        ranks.append(3 if prop == "name" else 4)
    return min(ranks, default=9)


def _date_rank(tag: str, class_names: str, known: frozenset[str], prop: str) -> int:
    if tag == "time":
        return 0
    if _DATE_PROPERTIES.search(prop):
        return 1
    if _DATE_CLASSES & known:
        return 2
    return 4 if _LOOSE_DATE.search(class_names) else 9


def _note(node: Node, tag: str, depth: int, own: _Own) -> _Roles:
    """Keep *node* for what it may be."""
    attributes = node.attributes
    if not attributes:
        roles = _roles(tag, "", "")
        if roles.idle:
            return roles
    prop = attributes.get("itemprop") or attributes.get("property") or ""
    roles = _roles(tag, (attributes.get("class") or "")[:500], prop[:100])
    if roles.idle and "id" not in attributes and "data-comment-timestamp" not in attributes:
        return roles
    inner = depth > 1  # the class of the comment's own box says nothing of its parts
    rank = roles.rank
    if rank == 9 and inner and roles.loose_author and len(node.text()) < 80:
        rank = 6
    if rank < 9 and rank not in own.names and _holds_text(node):
        own.names[rank] = node
    _note_date(node, attributes, roles.date, inner, own)
    if inner and roles.loose_content and own.loose_content is None:
        own.loose_content = node
    if own.content is None or own.content_depth:
        numbered_text = not roles.forum_body and _CONTENT_ID.fullmatch(attributes.get("id") or "")
        if roles.content or numbered_text:
            own.content_depth = depth if own.content is None else own.content_depth
            own.content = node
    if roles.title and own.title is None:
        own.title = node
    if roles.reply and own.reply_label is None:
        own.reply_label = attributes.get("aria-label")
    if roles.likes and own.likes is None:
        own.likes = _likes(node)
    return roles


def _note_date(
    node: Node, attributes: Mapping[str, str | None], rank: int, inner: bool, own: _Own
) -> None:
    if "data-comment-timestamp" in attributes:
        rank = 0
    elif node.tag == "abbr" and attributes.get("title"):
        rank = min(rank, 1)
    elif rank > 3 and node.tag == "a" and "#comment" in (attributes.get("href") or ""):
        rank = 3
    if (rank < 4 or (rank == 4 and inner)) and len(own.dates) < 20:
        own.dates.append((rank, node))


_DATE_PROPERTIES = re.compile(r"datePublished|dateCreated|commentTime|dc:date|dc:created")


_LOOSE_AUTHOR = re.compile(
    r"(?<![a-z])(?:\w*author|auteur|pseudo\w*|user-?name|nick-?name|membre|commenter|posted-?by"
    r"|signataire|user)"
    r"(?![a-z]*(?:img|image|avatar|link|icon|photo|picture|badge))",
    re.IGNORECASE,
)
_LOOSE_DATE = re.compile(r"(?<![a-z])\w*(?:date|time|heure|publie|ago)(?![a-z])", re.IGNORECASE)
_LOOSE_CONTENT = re.compile(
    r"(?<![a-z])(?:text|texte|txt|content|contenu|message|corps)(?![a-z-])"
    r"|commentText|Contenu",
    re.IGNORECASE,
)


def _likes(node: Node) -> int | None:
    text = one_line(node.text())[:20]
    number = count_of(text)
    return -number if number and text.startswith(("-", "−")) else number


def _holds_text(node: Node) -> bool:
    return bool((node.text() or "").strip())


_CONTENT_ID = re.compile(r"(?:div-)?comment-?(?:body|content|text)-?\d+")


# Author ----------------------------------------------------------------------------------------

_NAME_INSIDE = "b, strong, cite, .fn, .url, a[rel*=external], h3, h4, h5, h6"
_DATE_AFTER_NAME = re.compile(
    r"\s*(?:[—–|•·,@-]|\b(?:on|le|am|posted|posté|publié|a écrit|dit)\b)?\s*[(\[]?"
    r"(?:(?:le|on|am)\s+)?(?:\w{2,9}\.?,?\s+)?(?:\d{1,2}[./ ]|\d{4}-\d|il y a ).*$",
    re.IGNORECASE,
)
_AFTER_DATE = re.compile(r"\d.{0,30}?[,\s](?:par|by|von|de)\s*:?\s+(\S.*)$", re.IGNORECASE)
_REPLY_TO = re.compile(
    r"^(?:répondre à|reply to|antworte(?:n)? auf|auf|responder a|rispondi a"
    r"|beantwoorden)\s+(.+?)(?:\s+antworten)?$",
    re.IGNORECASE,
)


def _author(own: _Own) -> str | None:
    for rank in sorted(own.names):
        name = _name(own.names[rank], rank)
        if name:
            return name
    label = _REPLY_TO.match(one_line(own.reply_label))
    return clean_author(label.group(1)) if label else None


def _name(node: Node, rank: int) -> str | None:
    inner = _first_inside(node, _NAME_INSIDE) if rank >= 2 else None
    node = inner or node
    words = one_line(text_of(node, limit=400, skip=_is_no_name).text.split("\n")[0])
    name = clean_author(words)
    if not name or rank < 2 or inner is not None:
        return name
    after = _AFTER_DATE.search(name)
    if after:
        return clean_author(after.group(1))
    return clean_author(_DATE_AFTER_NAME.sub("", name))


def _first_inside(node: Node, selector: str) -> Node | None:
    """The first element with words within *node*, which `css` counts as within itself."""
    inside = node.css(selector)[:5]
    usable = (n for n in inside if n.mem_id != node.mem_id and _holds_text(n))
    return next((n for n in usable if not _TITLE_CLASSES.intersection(classes_of(n))), None)


_BY_AND_DATE = re.compile(
    r"^(?:\W*\d{0,4}\W*)?(?:par|by|de|von|posté par|posted by)\s*:?\s+(.{1,60}?),?\s+"
    r"(?:le|on|am|il y a)\s.*\d",
    re.I,
)


def _author_beside(words: str) -> str | None:
    """ "Le mercredi 15 mai 2019, 15:24 par Zoé", "Par Zoé, le 15 mai 2019"."""
    found = _BY_AND_DATE.match(words) or _AFTER_DATE.search(words[:200])
    return clean_author(found.group(1)) if found else None


def _is_no_name(node: Node) -> bool:
    if node.tag == "time" or _TITLE_CLASSES.intersection(classes_of(node)):
        return True
    return bool(_NOT_NAME_CLASSES.intersection(classes_of(node)))


# Date ------------------------------------------------------------------------------------------


def _moment(own: _Own, now: datetime) -> Moment | None:
    day: Moment | None = None
    for _, node in sorted(own.dates, key=lambda pair: pair[0]):
        for words in _date_words(node):
            moment = parse_date(words, now=now)
            if moment and not moment.day_only:
                return moment
            day = day or moment
    apart = " ".join(one_line(node.text())[:60] for rank, node in own.dates if rank >= 2)
    together = parse_date(apart[:200], now=now) if day else None
    if together and not together.day_only:
        return together
    return day


def _date_words(node: Node) -> Iterator[str]:
    attributes = node.attributes
    for name in ("datetime", "pubdate", "content", "title", "data-comment-timestamp"):
        value = attributes.get(name)
        if value:
            yield value[:100]
    yield one_line(node.text())[:200]


def _words_beside(unit: _Unit, own: _Own, owner: dict[int, str]) -> str:
    """The words of a comment that are not its text, where a theme marks neither author nor date."""
    outside = {node.mem_id for node in ([own.content] if own.content else own.blocks)}
    cited = [node for node in own.blocks if node.css_first("cite, .fn, .author") is not None]
    outside -= {node.mem_id for node in cited}

    def skip(node: Node) -> bool:
        return node.mem_id in outside or owner.get(node.mem_id, unit.number) != unit.number

    return one_line(text_of(unit.root, limit=400, skip=skip).text)


# Text ------------------------------------------------------------------------------------------


def _text(unit: _Unit, owner: dict[int, str], own: _Own) -> Text:
    def skip(node: Node) -> bool:
        if owner.get(node.mem_id, unit.number) != unit.number:
            return True
        names = node.attributes.get("class")
        return bool(names and _roles("", names[:500], "").meta)

    if own.content is not None:
        text = text_of(own.content, skip=skip)
        if text.text:
            return text
    if own.loose_content is not None:
        text = text_of(own.loose_content, skip=lambda node: skip(node) or _is_meta(node))
        if text.text:
            return text
    blocks = [node for node in own.blocks if not _is_meta_block(node)]
    if blocks:
        return texts_of(blocks, skip=skip)
    return text_of(unit.root, skip=lambda node: skip(node) or node.tag in ("cite", "time", "small"))


def _is_meta(node: Node) -> bool:
    """An element that, by its class, names the author or the date."""
    name = (node.attributes.get("class") or "")[:500]
    return bool(name and (_LOOSE_AUTHOR.search(name) or _LOOSE_DATE.search(name)))


_META_INSIDE = "cite, .fn, .author, time, .comment-author, .date, .comment-date"


def _is_meta_block(node: Node) -> bool:
    """A paragraph that holds the author or the date, not words of the comment."""
    if node.css_first(_META_INSIDE) is not None:
        return not node.css_first("p, br") or len(node.text()) < 200
    return bool(_META_CLASSES.intersection(classes_of(node)))


_PINGBACK_TEXT = re.compile(r"^(?:pingback|trackback|rétrolien|ping)\s*(?::|von\b|de\b|by\b)", re.I)
_PINGBACK_CLASSES = _names("pingback trackback pings ping")


def _is_pingback(unit: _Unit, text: str, own: _Own) -> bool:
    if any(_PINGBACK_CLASSES.intersection(classes_of(part)) for part in unit.parts):
        return True
    if _PINGBACK_TEXT.match(text):
        return True
    return text.startswith(("[…]", "[...]")) and text.endswith(("[…]", "[...]")) and len(text) < 600


# What the page declares ------------------------------------------------------------------------

_AREA = (
    "#comments, .comments-area, .comments-section, #comment-area, .wp-block-comments, #wpdcom, "
    "#comments-wrapper, .comments, #forum, .comments-posts"
)
_HEADINGS = (
    "h1, h2, h3, h4, h5, h6, .comments-title, .comments-h, .comments_intro, .comment-count, "
    ".comments-count, "
    ".wc_header_text, .wpd-thread-info, .wp-block-comments-title, legend"
)
_ONE = r"(?:une?|one|ein|eine|un seul)"
_COUNTED = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[.,\s\u00a0\u202f]\d{3})+|\d{1,7}|" + _ONE + r")\s+"
    r"(?:réponses?|messages?|commentaires?|réflexions?|pensées?|avis|réactions?|idées?|réflections?"
    r"|comments?|responses?|repl(?:y|ies)"
    r"|thoughts?|reactions?|kommentare?n?|gedanken?|antwort(?:en)?|meinung(?:en)?"
    r"|reaktion(?:en)?|rückmeldungen|comentarios?"
    r"|respuestas?|commenti|commento|reacties?|hinterlasse\s+einen?\s+kommentar|diskussionen?)\b",
    re.IGNORECASE,
)
_COUNTED_AFTER = re.compile(
    r"(?:commentaires?|comments?|kommentare|réactions?|réponses?)"
    r"(?:\s*[:(\[]\s*(\d{1,6})|\s+(\d{1,6})$)",
    re.IGNORECASE,
)


def declared(page: Tree, url: str) -> int | None:
    """How many comments the page says there are, from its headings and its links to them."""
    for area in page.css(_AREA)[:20]:
        for heading in area.css(_HEADINGS)[:40]:
            number = counted(one_line(heading.text())[:200])
            if number is not None:
                return number
    for heading in page.css(_HEADINGS)[:200]:
        text = one_line(heading.text())[:200]
        if len(text) < 120 and (number := counted(text)) is not None:
            return number
    return _declared_by_links(page, url)


def counted(text: str) -> int | None:
    """
    The number in "35 réponses à ...", "Un commentaire sur ...", "Commentaires (3)"; None if there
    is none.
    """
    found = _COUNTED.search(text) or _COUNTED_AFTER.search(text)
    if not found:
        return None
    digits = re.sub(r"\D", "", next(filter(None, found.groups())))
    if digits:
        return int(digits)
    return 1 if found.start() == 0 else None  # not "Laisser un commentaire"


def _declared_by_links(page: Tree, url: str) -> int | None:
    """ "36 Kommentare" as a link to `#comments` of this very page."""
    numbers = set()
    for link in page.css('a[href$="#comments"]')[:100]:
        target = same_page(link.attributes.get("href") or "")
        if target and url and target.rstrip("/") != url.rstrip("/"):
            continue
        number = counted(one_line(link.text())[:60])
        if number is not None:
            numbers.add(number)
    return numbers.pop() if len(numbers) == 1 else None


_BY_SCRIPT = re.compile(
    r"disqus_thread|disqus\.com/embed|fb:comments|class=[\"']fb-comments|hyvor-talk|coral_talk"
    r"|commento|remark42|"
    r"graphcomment|viafoura|spot\.im|openweb|livefyre|intensedebate|id=[\"']isso-thread|giscus"
    r"|utterances|"
    r"jetpack_remote_comment[^>]{0,100}show|vuukle|wpd-load-more|commentcounter"
    r"|data-comments-?url|comments-loader",
    re.IGNORECASE,
)


def loaded_by_script(html: str) -> bool:
    """Whether the comments come from a widget, not with the page."""
    return bool(_BY_SCRIPT.search(html))


# Pages of comments -----------------------------------------------------------------------------

_PAGE_NUMBER = re.compile(r"/comment-page-(\d{1,6})(?:/|#|$|\?)|[?&]cpage=(\d{1,6})")
_OLDER = re.compile(
    r"précéd|ancien|older|previous|ältere|vorherige|frühere|anteriores|«|←|&larr;|nav-previous"
    r"|\bprevious\b|\bprev\b",
    re.IGNORECASE,
)


def page_number(url: str) -> int | None:
    """The comment page that *url* names: 39 for `/comment-page-39/`."""
    found = _PAGE_NUMBER.search(url)
    return int(found.group(1) or found.group(2)) if found else None


def comment_pages(page: Tree) -> list[tuple[int, str, bool]]:
    """The other pages of comments that *page* links to: (number, href, leads to older ones)."""
    found: dict[int, tuple[int, str, bool]] = {}
    for link in page.css('a[href*="comment-page-"], a[href*="cpage="]'):
        href = link.attributes.get("href") or ""
        number = page_number(href)
        if number is None or number in found or re.search(r"#(?:li-|div-)?comment-\d", href):
            continue
        if "replytocom=" in href or any(_in_widget(node) for node in ancestors(link, limit=12)):
            continue
        around = " ".join((one_line(link.text())[:60], link.attributes.get("class") or ""))
        above = link.parent
        around += f" {above.attributes.get('class') or ''}" if above is not None else ""
        found[number] = (number, href, bool(_OLDER.search(around)))
    return list(found.values())


_WIDGETS = _names("widget sidebar recentcomments widget_recent_comments")


def _in_widget(node: Node) -> bool:
    return bool(_WIDGETS.intersection(classes_of(node)))

"""
Reads numbered comment lists, whatever the theme: WordPress (classic, HTML5, block, wpDiscuz),
SPIP, Drupal.

Themes share the numbers (`comment-123`, `forum-texte-123`), not the layout. So every element that
carries a number is
found first, and each comment is then read from the nodes that are its own and no other comment's.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from collectors import comment_shapes
from collectors.comment_shapes import Marks, Shape, Source, own_markup, shape_of
from collectors.dates import Moment, parse_date
from collectors.html import (
    Node,
    Text,
    Tree,
    ancestors,
    blanks_as_one,
    classes_of,
    clean_author,
    count_of,
    is_left_out,
    one_line,
    same_page,
    simple_text,
    text_of,
    texts_of,
)
from raccroche.post import MAX_TEXT


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
    counted: bool = False  # an element that may tell likes was met
    title: Node | None = None
    loose_content: Node | None = None


NumberOf = Callable[[Node], "tuple[str, str | None] | None"]  # (number, number of the parent)


def comments(
    page: Tree,
    *,
    now: datetime,
    carriers: str = "",
    number_of: NumberOf | None = None,
    by_shape: bool = True,
) -> list[Found]:
    """
    The comments of *page* in its order, pingbacks included and marked.

    *carriers* is a CSS selector of elements that may carry a number, *number_of* reads it.
    *by_shape=False* walks every comment: the same answer, slower.
    """
    units = _units(page.css(carriers or _CARRIERS), number_of or numbered)
    return _read_all(units, now, by_shape=by_shape)


def comments_at(nodes: Iterable[tuple[str, Node]], *, now: datetime) -> list[Found]:
    """The comments whose outermost elements are known: (number or name, element)."""
    units: dict[str, _Unit] = {}
    for number, node in nodes:
        units.setdefault(number, _Unit(number, [node]))
    return _read_all(units, now)


def _read_all(units: dict[str, _Unit], now: datetime, *, by_shape: bool = True) -> list[Found]:
    owner = {part.mem_id: unit.number for unit in units.values() for part in unit.parts}
    above = _Above(units, owner)
    shapes = Shapes(units if by_shape else {}, owner, above, now, known=tuple(_RECENT))
    found: list[Found] = []
    trail: list[tuple[int, str]] = []  # (depth, number) of the comments above, for flat lists
    for unit in units.values():
        depth = _depth(unit)
        while trail and trail[-1][0] >= depth:
            trail.pop()
        parent = unit.parent or above.enclosing(unit) or (trail[-1][1] if trail else None)
        comment = shapes.read(unit, parent if parent in units else unit.parent)
        if comment is None:
            continue
        if depth:
            trail.append((depth, unit.number))
        found.append(comment)
    _RECENT.extend(shapes.fresh)
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
_USUAL_NUMBER = re.compile(r"(?:li-|div-)?comment-(\d{1,18})")
_HOLDERS = frozenset(("li", "div", "article", "dd", "dt", "tr", "section"))


def numbered(node: Node) -> tuple[str, str | None] | None:
    """The number in an id or a name: `comment-12`; `wpd-comm-13_12` names its parent too."""
    attributes = node.attributes
    name = attributes.get("id") or attributes.get("name") or ""
    usual = _USUAL_NUMBER.fullmatch(name)
    if usual:
        return usual.group(1), None
    found = _NUMBER.fullmatch(name)
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
        fresh = part.mem_id not in [n.mem_id for n in unit.parts]
        if fresh and len(unit.parts) < _MOST_PARTS:
            around = bool(unit.parts) and _is_around(part, unit.root)
            unit.parts.insert(0 if around else len(unit.parts), part)
        unit.parent = unit.parent or parent
    return units


def _is_around(part: Node, root: Node) -> bool:
    """Whether *root* is within *part*; most parts are within the root, and near it."""
    above = part.parent
    if above is not None and above.mem_id == root.mem_id:
        return False
    if any(node.mem_id == root.mem_id for node in ancestors(part, limit=4)):
        return False
    return any(node.mem_id == part.mem_id for node in ancestors(root))


_OWN_HOLDERS = frozenset(("li", "div", "article", "dt", "section", "tr", "dd", "table"))


def _holder(node: Node) -> Node | None:
    """The element of a whole comment that *node*, an anchor or a part of it, stands in for."""
    crayon = "crayon" in (node.attributes.get("class") or "") and "crayon" in classes_of(node)
    if node.tag in _OWN_HOLDERS and not crayon:
        return node
    if node.tag in ("a", "span") and not _holds_text(node):
        after = node.next
        while after is not None and not after.is_element_node:
            after = after.next
        if after is not None and after.tag in _OWN_HOLDERS and "comment" in classes_of(after):
            return after
    around = list(ancestors(node, limit=6))
    if crayon:
        message = next((n for n in around if _is_message(n)), None)
        return next((n for n in around if n.tag in ("li", "article")), message)
    return next((n for n in around if n.tag in _HOLDERS), None)


def _is_message(node: Node) -> bool:
    """SPIP's own box around one message."""
    return bool(_names("forum-message comment-message comment").intersection(classes_of(node)))


_DEPTH = re.compile(r"(?:depth|comment_level|level)-(\d{1,2})$")


def _depth(unit: _Unit) -> int:
    for part in unit.parts:
        depth = _depth_in(part.attributes.get("class") or "")
        if depth is not None:
            return depth
    return 0


@lru_cache(maxsize=1024)
def _depth_in(classes: str) -> int | None:
    found = (_DEPTH.search(name) for name in classes[:2000].split())
    return next((int(one.group(1)) for one in found if one), None)


class _Cell(NamedTuple):
    """What is around an element: the nearest outermost part, then all comments, nearest first."""

    root: str | None
    number: str | None
    rest: "_Cell | None"


class _Above:
    """Which comments hold which, asked once an element: long lists share what is around them."""

    def __init__(self, units: dict[str, _Unit], owner: dict[int, str]) -> None:
        self.roots = {unit.root.mem_id: unit.number for unit in units.values()}
        self._owner = owner
        self._known: dict[int, _Cell] = {}

    def enclosing(self, unit: _Unit) -> str | None:
        """The comment that holds this one, or (Drupal) stands before the indented box that does."""
        cell: _Cell | None = self.around(unit.root)
        while cell is not None:
            if cell.number is not None and cell.number != unit.number:
                return cell.number
            cell = cell.rest
        return None

    def around(self, node: Node) -> _Cell:
        """What is around *node*."""
        unknown: list[Node] = []
        up = node.parent
        while up is not None and up.mem_id not in self._known:
            unknown.append(up)
            up = up.parent
        cell = _Cell(None, None, None) if up is None else self._known[up.mem_id]
        for one in reversed(unknown):
            cell = self._known[one.mem_id] = self._cell(one, cell)
        return cell

    def _cell(self, node: Node, rest: _Cell) -> _Cell:
        root = self.roots.get(node.mem_id) or rest.root
        before = self._before(node)
        if before is not None:
            rest = _Cell(root, before, rest)
        number = self._owner.get(node.mem_id)
        if number is not None:
            return _Cell(root, number, rest)
        return rest if rest.root == root else _Cell(root, None, rest)

    def _before(self, node: Node) -> str | None:
        classes = classes_of(node)
        if "indented" not in classes and "children" not in classes:
            return None
        before = node.prev
        while before is not None and before.mem_id not in self._owner:
            before = before.prev
        return None if before is None else self._owner[before.mem_id]


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


def _read(
    unit: _Unit, owner: dict[int, str], now: datetime, parent: str | None
) -> tuple[Found | None, _Own]:
    """The comment of *unit*, and what its elements were taken for."""
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
    pingback = _is_pingback(unit, text.text)
    if not text.text and not author:
        return None, own
    title = one_line(own.title.text())[:500] if own.title is not None else ""
    found = Found(unit.number, author, moment, text, parent, own.likes, pingback, title or None)
    return found, own


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
    own.counted = own.counted or roles.likes
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
    return _name_in(words, alone=rank < 2 or inner is not None)


def _name_in(words: str, *, alone: bool) -> str | None:
    """The name that *words* are, or (not *alone*) hold beside a date."""
    name = clean_author(words)
    if not name or alone:
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
    for source in _date_sources(own):
        moment = parse_date(_date_words(source), now=now)
        if moment and not moment.day_only:
            return moment
        day = day or moment
    apart = " ".join(one_line(node.text())[:60] for rank, node in own.dates if rank >= 2)
    together = parse_date(apart[:200], now=now) if day else None
    if together and not together.day_only:
        return together
    return day


_TELLING = ("datetime", "pubdate", "content", "title", "data-comment-timestamp")


def _date_sources(own: _Own) -> Iterator[Source]:
    """Where a date may be told, the surest first: attributes, then the words of their element."""
    for _, node in sorted(own.dates, key=lambda pair: pair[0]):
        attributes = node.attributes
        yield from (Source(node, name) for name in _TELLING if attributes.get(name))
        yield Source(node, "")


def _date_words(source: Source) -> str:
    if source.attribute:
        return _cut_date(source.node.attributes.get(source.attribute) or "", attribute=True)
    return _cut_date(source.node.text(), attribute=False)


def _cut_date(words: str, *, attribute: bool) -> str:
    return words[:100] if attribute else one_line(words)[:200]


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


@lru_cache(maxsize=1024)
def _is_ping_class(classes: str) -> bool:
    return bool(_PINGBACK_CLASSES.intersection(classes[:2000].split()))


def _is_pingback(unit: _Unit, text: str) -> bool:
    for part in unit.parts:
        if _is_ping_class(part.attributes.get("class") or ""):
            return True
    if _PINGBACK_TEXT.match(text):
        return True
    return text.startswith(("[…]", "[...]")) and text.endswith(("[…]", "[...]")) and len(text) < 600


# Comments of one shape --------------------------------------------------------------------------

_RECENT: "deque[_Shaped]" = deque(maxlen=4)  # a site's pages share their shapes
_FEWEST = 4  # comments of a page for which making a shape pays
_MOST_SHAPES = 12
_MOST_MARKUP = 6  # times the outermost comments: nested ones are written out once a level


@dataclass(frozen=True, slots=True)
class _Shaped:
    """A shape, and what the walk decided of its elements by tag and class alone."""

    shape: Shape
    root: _Roles
    alone: bool  # nothing but the name in the name's element


class Shapes:
    """
    Reads comments by the shapes *known* and met on their page; the walk reads the others, and makes
    shapes.

    *read_by_shape* counts the former. Only comments whose parts are all within their outermost one,
    and no other's, have a shape.
    """

    def __init__(
        self,
        units: dict[str, _Unit],
        owner: dict[int, str],
        above: _Above,
        now: datetime,
        *,
        known: tuple[_Shaped, ...] = (),
    ) -> None:
        self.fresh: list[_Shaped] = []  # made of this page
        self._owner, self._now = owner, now
        self._roots = above.roots
        self._shapes: list[_Shaped] = [*known]
        self._made = 0
        self.read_by_shape = 0
        self._within: dict[str, list[str]] = {}
        self._markup: dict[str, str] = {}
        if len(units) >= _FEWEST and _are_apart(units, owner, above):
            self._write_out(units, above)

    def _write_out(self, units: dict[str, _Unit], above: _Above) -> None:
        """The markup of each comment, and which comments are right within it."""
        left = 0
        for unit in units.values():
            around = above.around(unit.root).root
            markup = unit.root.html or ""
            left += _MOST_MARKUP * len(markup) if around is None else 0
            left -= len(markup)
            if left < 0 or around == unit.number or not unit.number.isdigit():
                self._markup.clear()
                return
            self._markup[unit.number] = markup
            if around is not None:
                self._within.setdefault(around, []).append(unit.number)

    def read(self, unit: _Unit, parent: str | None) -> Found | None:
        markup = self._own(unit.number)
        if markup is None:
            return _read(unit, self._owner, self._now, parent)[0]
        for at, shaped in enumerate(self._shapes):
            found = self._by(shaped, markup, unit, parent)
            if found is not None:
                self.read_by_shape += 1
                if at:
                    self._shapes.insert(0, self._shapes.pop(at))
                return found
        found, own = _read(unit, self._owner, self._now, parent)
        if found is not None and self._made < min(_MOST_SHAPES, 2 + self.read_by_shape // 4):
            self._made += 1
            self._add(markup, unit, parent, found, own)
        return found

    def _own(self, number: str) -> str | None:
        markup = self._markup.get(number)
        if markup is None:
            return None
        inner = [self._markup[one] for one in self._within.get(number, ())]
        return own_markup(markup, inner) if inner or "<!--" in markup else markup

    def _by(self, shaped: _Shaped, markup: str, unit: _Unit, parent: str | None) -> Found | None:
        """The comment by that shape; None where the walk might read it otherwise."""
        told = shaped.shape.read(markup, unit.number)
        if told is None or len(told.markup) > MAX_TEXT:
            return None
        classes = told.root_classes
        if _root_roles(unit.root.tag or "", classes) != shaped.root:
            return None
        text = simple_text(told.markup)
        author = _name_in(one_line(blanks_as_one(told.name)), alone=shaped.alone)
        moment = self._moment(shaped.shape, told)
        if not text or author is None or moment is None:
            return None
        title = one_line(told.title)[:500] if told.title else None
        ping = _is_pingback(unit, text)
        return Found(unit.number, author, moment, Text(text), parent, None, ping, title or None)

    def _moment(self, shape: Shape, told: comment_shapes.Told) -> Moment | None:
        for words, attribute in zip(told.dates, shape.dates, strict=True):
            moment = parse_date(_cut_date(words, attribute=attribute), now=self._now)
            if moment and not moment.day_only:
                return moment
        return None

    def _add(self, markup: str, unit: _Unit, parent: str | None, found: Found, own: _Own) -> None:
        marked = _marks(unit, own, self._now)
        if marked is None:
            return
        marks, alone = marked
        shape = shape_of(markup, unit.number, unit.root, marks, self._roots, _is_shut)
        if shape is None:
            return
        classes = unit.root.attributes.get("class") or ""
        shaped = _Shaped(shape, _root_roles(unit.root.tag or "", classes), alone)
        if self._by(shaped, markup, unit, parent) == found:
            self._shapes.insert(0, shaped)
            self.fresh.append(shaped)


def _are_apart(units: dict[str, _Unit], owner: dict[int, str], above: _Above) -> bool:
    """Whether every part of every comment is its own, and right within its outermost one."""
    if len(owner) != sum(len(unit.parts) for unit in units.values()):
        return False
    for unit in units.values():
        if unit.root.tag == "dt":
            return False
        for part in unit.parts[1:]:
            if above.around(part).root != unit.number:
                return False
    return True


def _root_roles(tag: str, classes: str) -> _Roles:
    return _roles(tag, classes[:500], "")


def _marks(unit: _Unit, own: _Own, now: datetime) -> tuple[Marks, bool] | None:
    """What told the fields of a comment, and whether the name stood alone; None if not sure."""
    root = unit.root.attributes
    roles = _root_roles(unit.root.tag or "", root.get("class") or "")
    plain = roles.rank == 9 and roles.date > 3 and not (roles.content or roles.title)
    content = own.content
    if not plain or own.counted or content is None or "itemprop" in root or "property" in root:
        return None
    rank = min(own.names, default=9)
    if rank > 4:  # what is tried after them depends on how many words there are
        return None
    inner = _first_inside(own.names[rank], _NAME_INSIDE) if rank >= 2 else None
    name = _only_words(inner or own.names[rank])
    told = _telling(own, now)
    within = {node.mem_id for node in ancestors(content)}
    if name is None or told is None or own.names[rank].mem_id in within:
        return None
    return Marks(name, told, content, own.title), rank < 2 or inner is not None


def _telling(own: _Own, now: datetime) -> tuple[Source, ...] | None:
    """The places asked for the date, up to the one that told it."""
    asked: list[Source] = []
    for source in _date_sources(own):
        asked.append(source)
        moment = parse_date(_date_words(source), now=now)
        if moment and not moment.day_only:
            return tuple(asked)
    return None


def _only_words(node: Node) -> Node | None:
    """The one text that `text_of` finds in *node*; None where there are several, or pictures."""
    found: list[Node] = []
    levels = [node.iter(include_text=True)]
    while levels:
        child = next(levels[-1], None)
        if child is None:
            levels.pop()
            continue
        tag = child.tag or ""
        if tag == "-text":
            found += [child] if (child.text_content or "").strip() else []
        elif tag in ("img", "pre", "li"):
            return None
        elif not is_left_out(tag, child) and not _is_no_name(child):
            levels.append(child.iter(include_text=True))
    return found[0] if len(found) == 1 else None


def _is_shut(node: Node) -> bool:
    """An element whose words may tell a name, a date or a title: all but its text matters."""
    attributes = node.attributes
    prop = attributes.get("itemprop") or attributes.get("property") or ""
    roles = _roles(node.tag or "", (attributes.get("class") or "")[:500], prop[:100])
    told = roles.rank < 9 or roles.loose_author or roles.date < 9 or roles.title
    return told or roles.content or node.tag in ("a", "abbr")


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
    first = page.css_first(_AREA)  # most pages say it here, and the rest need not be searched
    heading = first.css_first(_HEADINGS) if first is not None else None
    number = _counted_in(heading) if heading is not None else None
    if number is not None:
        return number
    for area in page.css(_AREA)[:20]:
        for heading in area.css(_HEADINGS)[:40]:
            number = _counted_in(heading)
            if number is not None:
                return number
    for heading in page.css(_HEADINGS)[:200]:
        text = one_line(heading.text())[:200]
        if len(text) < 120 and (number := counted(text)) is not None:
            return number
    return _declared_by_links(page, url)


def _counted_in(heading: Node) -> int | None:
    return counted(one_line(heading.text())[:200])


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

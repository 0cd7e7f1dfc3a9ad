"""
Reads the comments of a list by the shape of one: markup that differs in its words and addresses
alone.

A shape is a regular expression made of one comment's own markup. What decides which element is
what (tags, classes, `itemprop`, `rel`, `style`, which texts are blank) stands in it letter for
letter; what decides nothing (words, addresses, pictures) may be anything. So markup that it matches
is read as the walk over its elements would read it, and what it does not match is walked.
"""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from typing import NamedTuple

from collectors.html import SIMPLE, SIMPLE_ROOT, Node

COMMENTS_HERE = "\0"  # stands where other comments were cut out; no tree holds it


class Source(NamedTuple):
    """Where a date is told: an attribute of an element, or (*attribute* "") its words."""

    node: Node
    attribute: str


@dataclass(frozen=True, slots=True)
class Marks:
    """
    Which of a comment's own elements told what, as the walk found it.

    *name* is the text node of the author's name, *dates* the places asked for the date up to the
    one that told it, in order; *content* holds the text.
    """

    name: Node
    dates: tuple[Source, ...]
    content: Node
    title: Node | None


class Told(NamedTuple):
    """What one comment's markup says: plain words, except *markup*, the text as simple HTML."""

    name: str
    dates: tuple[str, ...]
    markup: str
    title: str | None
    root_classes: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape; *dates* says of each whether it is an attribute (else words)."""

    pattern: re.Pattern[str]
    groups: tuple[str, ...]  # n, root, name, text, the dates, the title if any
    dates: tuple[bool, ...]
    titled: bool

    def read(self, markup: str, number: str) -> Told | None:
        """What *markup* says as the comment *number*; None where it is of another shape."""
        match = self.pattern.fullmatch(markup)
        if match is None:
            return None
        met, root, name, text, *told = match.group(*self.groups)
        if met != number or COMMENTS_HERE in text or "#comment" in text:
            return None  # a link to a comment may tell a date
        title = words_in(told.pop()) if self.titled else None
        dates = tuple(
            unescape(words) if whole else words_in(words)
            for words, whole in zip(told, self.dates, strict=True)
        )
        return Told(unescape(name) if "&" in name else name, dates, text, title, root)


_TAG = r"<[^<>\"]*+(?:\"[^\"<]*+\"[^<>\"]*+)*+>"
_TOKEN = re.compile(rf"{_TAG}|[^<]+")
_ATTRIBUTE = re.compile(r' ([^\s=">/]+)="([^"]*)"')
_ANY_TAG = re.compile(_TAG)
# What the serialiser writes without escapes, and what the walk does not enter.
_NOT_PLAIN = re.compile(
    r"<(?:script|style|iframe|xmp|noembed|noframes|noscript|plaintext|template|textarea|title|svg"
    r"|math|form|pre|select|object)[ >]"
)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source")
    + ("track", "wbr")
)
# Attributes whose values decide nothing, or are read out of the match.
_FREE = re.compile(
    r"href|src|srcset|sizes|alt|title|datetime|pubdate|content|width|height|onclick|on[a-z]+"
    r"|data-[\w-]+|aria-[\w-]+|loading|decoding|target|lang"
)
_LONGEST = 20_000  # characters of the markup that a shape is made of
_MOST_TOKENS = 400


def words_in(markup: str) -> str:
    """The text of *markup*, its tags gone."""
    words = _ANY_TAG.sub("", markup) if "<" in markup else markup
    return unescape(words) if "&" in words else words


_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_COMMENT_IN_VALUE = re.compile(r'="[^"]*<!--')


def own_markup(markup: str, within: list[str]) -> str | None:
    """
    *markup* of one comment with COMMENTS_HERE for those *within* it, and without HTML comments;
    None where one of them is not found in order.
    """
    kept = []
    at = 0
    for inner in within:
        start = _found(markup, inner, at)
        if start < 0:
            return None
        kept.append(markup[at:start])
        at = start + len(inner)
    own = COMMENTS_HERE.join((*kept, markup[at:])) if kept else markup
    if "<!--" in own:
        return None if _COMMENT_IN_VALUE.search(own) else _COMMENT.sub("", own)
    return own


_HEAD = 64  # characters; a search for a whole comment looks through all of it first


def _found(markup: str, inner: str, at: int) -> int:
    """`markup.find(inner, at)`, faster where *inner* is long and soon found."""
    start = markup.find(inner[:_HEAD], at)
    if start < 0 or markup.startswith(inner, start):
        return start
    return markup.find(inner, start)


# Making a shape ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Places:
    """Where the nodes of a comment stand among the tokens of its markup, by `mem_id`."""

    starts: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    texts: dict[int, int] = field(default_factory=dict)
    shut: set[int] = field(default_factory=set)  # tokens before which no comment may stand


def shape_of(
    markup: str,
    number: str,
    root: Node,
    marks: Marks,
    roots: Container[int],
    shut: Callable[[Node], bool],
) -> Shape | None:
    """
    The shape of the comment *number*, whose own *markup* is that of *root* less other comments.

    *roots* are the outermost elements of all comments, by `mem_id`. *shut* tells elements whose
    words matter, so that no other comment may stand in them. None where the markup is not plain
    enough to be sure.
    """
    if len(markup) > _LONGEST or not number.isdigit() or _NOT_PLAIN.search(markup):
        return None
    tokens = _TOKEN.findall(markup)
    if len(tokens) > _MOST_TOKENS or "".join(tokens) != markup or any(map(_is_doubtful, tokens)):
        return None
    places = _placed(tokens, root, roots, shut)
    tokens = _without_list(tokens)
    plan = _plan(places, marks) if places is not None else None
    made = _pattern(tokens, number, plan) if plan is not None else None
    if made is None:
        return None
    whole = tuple(bool(source.attribute) for source in marks.dates)
    groups = ("n", "root", "name", "text", *(f"d{at}" for at in range(len(whole))))
    titled = marks.title is not None
    return Shape(compiled(made), (*groups, "title") if titled else groups, whole, titled)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compiled once a site: its pages share their shapes."""
    return re.compile(pattern)


def _is_doubtful(token: str) -> bool:
    """A text that is blank once read, and not as written: `&nbsp;`."""
    return "&nbsp;" in token and not token.replace("&nbsp;", "").strip()


def _placed(
    tokens: list[str], root: Node, roots: Container[int], shut: Callable[[Node], bool]
) -> _Places | None:
    """Walks the tree and the tokens side by side; None where they are not the same."""
    places = _Places()
    at = 0
    above: list[Node] = []
    node: Node | None = root
    while node is not None:
        name = node.tag or ""
        if name == "-text":
            at = _place_text(tokens, at, node, places)
        elif name != "-comment" and (not above or node.mem_id not in roots):
            if at >= len(tokens) or not tokens[at].startswith((f"<{name} ", f"<{name}>")):
                return None
            places.starts[node.mem_id] = places.ends[node.mem_id] = at
            at += 1
            if name not in _VOID:
                above.append(node)
                if (child := node.first_child) is not None:
                    node = child
                    continue
                node = None
        following = node.next if node is not None and node is not root else None
        while following is None and above:
            closing = above.pop()
            if at >= len(tokens) or tokens[at] != f"</{closing.tag}>":
                return None
            places.ends[closing.mem_id] = at
            if above and shut(closing):
                places.shut.update(range(places.starts[closing.mem_id], at + 1))
            at += 1
            following = closing.next if above else None
        node = following
    return places if at == len(tokens) else None


def _place_text(tokens: list[str], at: int, node: Node, places: _Places) -> int:
    """The number of the token after the text *node*, which may share one with the text before."""
    fresh = at < len(tokens) and not tokens[at].startswith("<")
    places.texts[node.mem_id] = at if fresh else at - 1
    return at + 1 if fresh else at


@dataclass(frozen=True, slots=True)
class _Plan:
    """Numbers of tokens: where each group of the pattern begins and ends."""

    name: int
    content: tuple[int, int]
    attributes: dict[tuple[int, str], int]  # (token, attribute) -> which date
    spans: dict[str, tuple[int, int]]  # group -> tokens of an element
    shut: set[int]


def _plan(places: _Places, marks: Marks) -> _Plan | None:
    name = places.texts.get(marks.name.mem_id)
    content = _span(places, marks.content)
    if name is None or content is None or content[0] < name < content[1]:
        return None
    spans: dict[str, tuple[int, int]] = {}
    attributes: dict[tuple[int, str], int] = {}
    told = [(f"d{at}", source) for at, source in enumerate(marks.dates)]
    told += [("title", Source(marks.title, ""))] if marks.title is not None else []
    for group, source in told:
        span = _span(places, source.node)
        if span is None or content[0] <= span[0] <= content[1]:
            return None
        if source.attribute:
            attributes[span[0], source.attribute] = int(group[1:])
        elif span[0] < content[0] < span[1] or span[0] == span[1]:
            return None  # words that hold the text
        else:
            spans[group] = span
    return _Plan(name, content, attributes, spans, places.shut)


def _span(places: _Places, node: Node) -> tuple[int, int] | None:
    start = places.starts.get(node.mem_id)
    return None if start is None else (start, places.ends[node.mem_id])


_LIST = re.compile(r"<(ol|ul|div) class=\"children\">")
_LIST_PATTERN = r"(?:<(ol|ul|div) class=\"children\">[\s\0]*+</(?:ol|ul|div)>[\s\0]*+)?+"


def _without_list(tokens: list[str]) -> list[str]:
    """
    *tokens* without the list of answers at their end, which any comment may have or lack: by its
    class it tells nothing, and what is in it is other comments'.
    """
    filled = [at for at, token in enumerate(tokens) if token.strip(_BLANK)]
    if len(filled) < 4:
        return tokens
    start, end = filled[-3], filled[-2]
    if _LIST.fullmatch(tokens[start]) and tokens[end].startswith("</"):
        return [*tokens[:start], tokens[-1]]
    return tokens


def _pattern(tokens: list[str], number: str, plan: _Plan) -> str | None:
    begin: dict[int, str] = {}
    end: dict[int, str] = {}
    for group, (first, last) in plan.spans.items():
        begin[first] = begin.get(first, "") + f"(?P<{group}>"
        end[last] = end.get(last, "") + ")"
    parts: list[str] = []
    seen = False
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.startswith("<"):
            parts.append(_gap(at, plan) + end.get(at, ""))
            if at == len(tokens) - 1:
                parts.append(_LIST_PATTERN)
            piece, seen = _tag_pattern(token, at, number, plan, seen)
            parts.append(piece + begin.get(at, ""))
        elif token.strip(_BLANK):
            words = r"(?=\s*+[^\s<\0])[^<\0]*+"
            parts.append(f"(?P<name>{words})" if at == plan.name else words)
        if at == plan.content[0]:
            if SIMPLE_ROOT.fullmatch(token) is None:
                return None
            parts.append(f"(?P<text>{SIMPLE})")
            at = plan.content[1]
            parts.append(re.escape(tokens[at]))
        at += 1
    return "".join(parts) if seen and "class" in _attributes(tokens[0]) else None


_BLANK = " \t\n\r\f\v\0"


def _gap(at: int, plan: _Plan) -> str:
    """What may stand between two tags: blanks, and other comments where they may be."""
    if at == 0:
        return ""
    return r"\s*+" if at in plan.shut else r"[\s\0]*+"


def _tag_pattern(token: str, at: int, number: str, plan: _Plan, seen: bool) -> tuple[str, bool]:
    """The pattern of one tag, and whether the number of the comment was met so far."""
    if token.startswith("</"):
        return re.escape(token), seen
    attributes = _attributes(token)
    name = token[1:].partition(" ")[0].rstrip(">")
    parts = [f"<{name}"]
    for key, value in attributes.items():
        own = number if key in ("id", "name") else ""
        if at == 0 and key == "class":
            inner = r'(?P<root>[^"<]*+)'
        elif own and own in re.findall(r"\d+", value):
            before, _, after = value.partition(own)
            group = "(?P=n)" if seen else r"(?P<n>[0-9]{1,18}+)"
            inner, seen = re.escape(before) + group + re.escape(after), True
        elif _FREE.fullmatch(key):
            inner = _free(name, key, value)
            which = plan.attributes.get((at, key))
            inner = inner if which is None else f"(?P<d{which}>{inner})"
        else:
            inner = re.escape(value)
        parts.append(f' {re.escape(key)}="{inner}"')
    return "".join(parts) + ">", seen


def _free(tag: str, key: str, value: str) -> str:
    """Any value that decides what *value* does."""
    if key == "title":
        return r'[^"<]++' if value else ""
    if key == "href" and tag == "a":
        rest = r'[^"<#]*+(?:#(?!comment)[^"<#]*+)*+'
        return rest + (r'#comment[^"<]*+' if "#comment" in value else "")
    return r'[^"<]*+'


def _attributes(tag: str) -> dict[str, str]:
    return dict(_ATTRIBUTE.findall(tag))

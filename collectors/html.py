"""
Turns markup into the text people wrote, and reads what pages say of themselves: names, links,
addresses.

Two parsers: `tree` (selectolax, lexbor) for comment lists, ten times faster; `soup`
(BeautifulSoup on lxml) for pages of
unknown layout. Both walk without recursion, so deep nesting costs time in proportion and nothing
else.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from bs4 import BeautifulSoup, Tag
from selectolax.lexbor import LexborHTMLParser, LexborNode

from raccroche.post import MAX_TEXT, Answer

Node = LexborNode
Tree = LexborHTMLParser


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Text(NamedTuple):
    """
    Plain *text*, paragraphs apart by a blank line, and the passages of it that are quotations.
    """

    text: str
    quoted: tuple[str, ...] = ()


def tree(html: str) -> Tree:
    """The page as lexbor reads it (the HTML of browsers), fast."""
    return LexborHTMLParser(_bounded(html).encode("utf-8", "replace"))


def soup(html: str) -> BeautifulSoup:
    """The page as BeautifulSoup reads it, for searching layouts nobody described."""
    return BeautifulSoup(_encodable(html), "lxml")


Skip = Callable[[Node], bool]


def text_of(
    markup: "str | Node | Tag | None", *, limit: int = MAX_TEXT * 2, skip: Skip | None = None
) -> Text:
    """
    The text of *markup* as a reader sees it, and what of it is quoted.

    Scripts, styles, forms and hidden elements are left out, links keep their words, emoji pictures
    their `alt`. *skip* tells further elements to leave out by what they carry: a node that holds
    nothing but bare paragraphs, line breaks, bold or italic words and plain links is read without
    asking it. Text beyond *limit* characters is dropped.
    """
    if markup is None or markup == "":
        return Text("")
    if isinstance(markup, Node):
        return _simple_node(markup, limit) or texts_of([markup], limit=limit, skip=skip)
    html = markup.decode() if isinstance(markup, Tag) else markup
    if "<" not in html and "&" not in html:
        return Text(plain(html))
    if skip is None and len(html) <= limit and _SIMPLE.fullmatch(html):
        return Text(simple_text(html))
    body = tree(html).body
    return texts_of([body], limit=limit, skip=skip) if body is not None else Text(plain(html))


# Most comments are paragraphs, line breaks, bold words and links: ten times faster without a walk.
_INLINE = r"</?(?:a|b|em|i|strong|u)>|<a(?: (?:href|rel|target|title)=\"[^\"<>]*+\")++>"
SIMPLE = rf"(?:[^<&]++|</?p>|<br ?/?>|{_INLINE}|&(?!#(?:0|x0|1[0-3];|9;|xA|xD)|Tab;|NewLine;))*+"
_SIMPLE = re.compile(SIMPLE, re.IGNORECASE)
SIMPLE_ROOT = re.compile(r"<(a|b|cite|dd|div|em|i|p|section|span|strong)(?: [^<>]*+)?+>")
_INLINE_TAG = re.compile(_INLINE, re.IGNORECASE)
_PARAGRAPH_TAG = re.compile(r"</?p>", re.IGNORECASE)
_BREAK_TAG = re.compile(r"<br ?/?>", re.IGNORECASE)


def simple_text(html: str) -> str:
    """What `texts_of` gives for simple markup."""
    text = html.replace("\n", " ").replace("\t", " ").replace("\r", " ").replace("\f", " ")
    if "<" in text:
        text = text.replace("</p> <p>", "\n\n")
        text = text.replace("<p>", "\n\n").replace("</p>", "\n\n").replace("<br>", "\n")
    if "<" in text:
        text = _INLINE_TAG.sub("", text)
    if "<" in text:
        text = _BREAK_TAG.sub("\n", _PARAGRAPH_TAG.sub("\n\n", text))
    while "  " in text:
        text = text.replace("  ", " ")
    return _tidy(clean(unescape(text)))


def _simple_node(node: Node, limit: int) -> Text | None:
    """The text of a node whose markup is simple; None for others."""
    html = node.html or ""
    start = SIMPLE_ROOT.match(html) if len(html) <= limit else None
    if start is None:
        return None
    inner = html[start.end() : -len(start.group(1)) - 3]
    return Text(simple_text(inner)) if _SIMPLE.fullmatch(inner) else None


def texts_of(nodes: Iterable[Node], *, limit: int = MAX_TEXT * 2, skip: Skip | None = None) -> Text:
    """The text of several elements, one after the other, as `text_of` reads one."""
    out = _Writer(limit)
    several = list(nodes)
    for node in several:
        name = node.tag or ""
        whole = len(several) > 1 or name in _QUOTES
        if whole:
            _enter(name, node, out)
        _walk(node, out, skip)
        if whole:
            _leave(name, node, out)
    return out.result()


def plain(text: str | None) -> str:
    """One line or more of text that holds no markup, with invisible and control characters gone."""
    if not text:
        return ""
    if text.isprintable() and "  " not in text:
        return text.strip()
    lines = (" ".join(_SPACES.split(line)).strip() for line in clean(text).splitlines())
    return _MANY_BREAKS.sub("\n\n", "\n".join(lines)).strip()


def one_line(text: str | None) -> str:
    """*text* on one line: for names and titles."""
    if text and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(clean(text or "").split())


def blanks_as_one(text: str) -> str:
    """*text* with the blanks of HTML collapsed, as a browser shows it."""
    return " ".join(_SPACES.split(text))


def clean(text: str) -> str:
    """
    *text* without zero-width spaces, control characters and broken surrogates, which no reader
    ever saw.
    """
    if text.replace("\n", "").isprintable():
        return text
    return _INVISIBLE.sub("", _encodable(text.replace("\r\n", "\n").replace("\r", "\n")))


_MANY_TAGS = 20_000
_DEEPEST = 500  # browsers stop at 512
_LONG = 20_000  # characters of a tag that holds too many attributes
_LONG_TAG = re.compile(rf"<[A-Za-z][^<>]{{{_LONG},}}>")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*>")
_ATTRIBUTE = re.compile(r"\s[\w:.-]{1,100}(?:\s?=\s?(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?")
_NOT_NESTING = _words(
    "p li td th tr dt dd option br hr img input meta link area base col embed source track wbr"
)


def _bounded(html: str) -> str:
    """
    *html* without what makes lexbor's time quadratic: thousands of attributes, nesting beyond a
    browser's.
    """
    if _may_hold_a_long_tag(html):
        html = _LONG_TAG.sub(_fewer_attributes, html)
    if html.count("<") <= _MANY_TAGS or _deepest(html) <= _DEEPEST:
        return html
    depth = 0

    def keep(tag: re.Match[str]) -> str:
        nonlocal depth
        if tag.group(2).lower() in _NOT_NESTING:
            return tag.group()
        depth = max(0, depth - 1) if tag.group(1) else depth + 1
        return tag.group() if depth <= _DEEPEST else ""

    return _TAG.sub(keep, html)


def _may_hold_a_long_tag(html: str) -> bool:
    """Whether more than `_LONG` characters follow some "<" before the next one."""
    at = html.find("<")
    while at >= 0 and at + _LONG < len(html):
        following = html.rfind("<", at + 1, at + 1 + _LONG)
        if following < 0:
            return True
        at = following
    return False


def _deepest(html: str) -> int:
    """How deep elements nest, as their tags are written."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() in _NOT_NESTING:
            continue
        if closing:
            depth = max(0, depth - 1)
            continue
        depth += 1
        deepest = max(deepest, depth)
    return deepest


def _fewer_attributes(tag: re.Match[str]) -> str:
    name = re.match(r"<[A-Za-z0-9]+", tag.group())
    attributes = _ATTRIBUTE.findall(tag.group())
    return f"{name.group() if name else '<span'}{''.join(attributes[:100])}>"


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufff9-\ufffb]"
)
_SPACES = re.compile(r"[ \t\n\f\r]+")
_MANY_BREAKS = re.compile(r"\n{3,}")

# Markup to text --------------------------------------------------------------------------------

_DROPPED = _words(
    "script style noscript template head title iframe object embed svg math canvas audio video "
    "form input select "
    "textarea button datalist dialog nav map -comment"
)
_PARAGRAPHS = _words(
    "p blockquote ul ol dl pre table h1 h2 h3 h4 h5 h6 figure figcaption hr fieldset details"
)
_LINES = _words(
    "div li tr dt dd section article header footer aside main address center summary option legend"
)
_QUOTES = frozenset(("blockquote", "q"))
_QUOTE_CLASSES = _words(
    "quote quotecontent quote_body quotebox bbcode_quote bbcodeblock--quote bbc_standard_quote "
    "bbc_alternate_quote "
    "citation oldcitation spip_quote wp-block-quote wpd-inline-quote bb-quote"
)
_HIDDEN_CLASSES = _words(
    "screen-reader-text sr-only visually-hidden visuallyhidden hidden-comment-text "
    "quoteheader-hidden"
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_EMOJI_CLASS = re.compile(r"emoji|smil|emot", re.IGNORECASE)
_EMOJI_ALT = re.compile(
    r":[\w+-]{1,40}:|\[:[^\]]{1,40}\]|[^\w\s]{1,8}|[:;8xX=][-o']?[)(DPpoO/\\|]{1,3}"
)


class _Writer:
    """Collects text with collapsed blanks, and remembers where quotations begin and end."""

    def __init__(self, limit: int) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.limit = limit
        self.breaks = 0  # line breaks owed before the next word
        self.space = False
        self.spans: list[tuple[int, int]] = []
        self.quote_depth = 0
        self.quote_start = -1

    def text(self, words: str) -> None:
        pieces = _SPACES.split(words)
        if len(pieces) == 1 and not pieces[0]:
            return
        if not pieces[0]:
            self.space = True
        inner = " ".join(piece for piece in pieces if piece)
        if inner:
            self._put(inner)
            self.space = False
        if not pieces[-1]:
            self.space = True

    def preformatted(self, words: str) -> None:
        for number, line in enumerate(words.split("\n")):
            if number:
                self.break_line(self.breaks + 1)
            if line.strip():
                self._put(line.rstrip())

    def _put(self, words: str) -> None:
        if self.length >= self.limit:
            return
        if self.length:
            lead = "\n" * min(self.breaks, 2) if self.breaks else " " if self.space else ""
        else:
            lead = ""
        self.breaks = 0
        if lead:
            self.parts.append(lead)
            self.length += len(lead)
        if self.quote_depth and self.quote_start < 0:
            self.quote_start = self.length
        self.parts.append(words)
        self.length += len(words)

    def break_line(self, lines: int) -> None:
        self.breaks = max(self.breaks, lines)
        self.space = False

    def soft_break(self) -> None:
        """A `<br>`: two in a row part paragraphs."""
        self.breaks += 1
        self.space = False

    def open_quote(self) -> None:
        self.quote_depth += 1

    def close_quote(self) -> None:
        self.quote_depth -= 1
        if self.quote_depth == 0 and self.quote_start >= 0:
            self.spans.append((self.quote_start, self.length))
            self.quote_start = -1

    def result(self) -> Text:
        raw = "".join(self.parts)
        whole = clean(raw)
        if not self.spans:
            return Text(_tidy(whole))
        quoted = (_tidy(clean(raw[start:end])) for start, end in self.spans)
        return Text(_tidy(whole), tuple(passage for passage in quoted if passage))


def _tidy(text: str) -> str:
    """No blank-only paragraphs, no blanks at the edges of lines."""
    text = text.strip()
    if "\n" in text:
        text = "\n".join([line.strip() for line in text.split("\n")])
        if "\n\n\n" in text:
            text = _MANY_BREAKS.sub("\n\n", text)
    return text


def _walk(root: Node, out: _Writer, skip: Skip | None) -> None:
    """Visit every node under *root* once, in order, without recursion."""
    node: Node | None = root.first_child
    depth, pre = 1, int(root.tag == "pre")
    while node is not None and out.length < out.limit:
        name = node.tag or ""
        child = None
        if name == "-text":
            words = node.text_content or ""
            out.preformatted(words) if pre else out.text(words)
        elif not (is_left_out(name, node) or (skip is not None and skip(node))):
            pre += name == "pre"
            _enter(name, node, out)
            child = node.first_child
            if child is None:
                pre -= name == "pre"
                _leave(name, node, out)
        if child is not None:
            node, depth = child, depth + 1
            continue
        following: Node | None = node.next
        while following is None and depth > 1:
            parent = node.parent
            if parent is None:
                return
            node, depth = parent, depth - 1
            pre -= node.tag == "pre"
            _leave(node.tag or "", node, out)
            following = node.next
        node = following


def is_left_out(name: str, node: Node) -> bool:
    """Scripts, forms and what a page hides: no reader sees them."""
    if name in _DROPPED:
        return True
    attributes = node.attributes
    if not attributes:
        return False
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    if style and _HIDDEN_STYLE.search(style[:1000]):
        return True
    classes = attributes.get("class")
    return bool(classes and _HIDDEN_CLASSES.intersection(classes[:1000].split()))


def _enter(name: str, node: Node, out: _Writer) -> None:
    if name == "br":
        out.soft_break()
    elif name == "img":
        out.text(_emoji(node))
    elif name in _PARAGRAPHS:
        out.break_line(2)
    elif name in _LINES:
        out.break_line(1)
    elif name in ("td", "th"):
        out.space = True
    if name == "li":
        out.text("- ")
    if _is_quote(name, node):
        out.open_quote()


def _leave(name: str, node: Node, out: _Writer) -> None:
    if _is_quote(name, node):
        out.close_quote()
    if name in _PARAGRAPHS:
        out.break_line(2)
    elif name in _LINES:
        out.break_line(1)


def _is_quote(name: str, node: Node) -> bool:
    if name in _QUOTES:
        return True
    if name not in ("div", "aside", "table", "section"):
        return False
    classes = node.attributes.get("class")
    return bool(classes and _QUOTE_CLASSES.intersection(classes[:1000].lower().split()))


def _emoji(node: Node) -> str:
    """The character or code that a smiley picture stands for; nothing for other pictures."""
    attributes = node.attributes
    alt = one_line(attributes.get("alt"))
    if not alt or len(alt) > 50:
        return ""
    kind = f"{attributes.get('class') or ''} {attributes.get('src') or ''}"[:2000]
    return alt if _EMOJI_CLASS.search(kind) or _EMOJI_ALT.fullmatch(alt) else ""


# Names -----------------------------------------------------------------------------------------

_BEFORE_NAME = re.compile(
    r"^(?:comment by|commentaire de|commentaire par|kommentar von|posted by|posté par"
    r"|publié par|écrit par|envoyé par"
    r"|soumis par|submitted by|verfasst von|gespeichert von|proposé par|rédigé par|commented by"
    r"|by|par|von|de la part de|auteur\s*:|author\s*:|from|de)\s+(?=\S)",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(
    r"\s*(?:"
    r"\b(?:says|said|wrote|writes|sagt|schreibt|schrieb|meint|dice|dijo|ha detto|scrive|disse"
    r"|diz)\b\s*:?"
    r"|\b(?:a (?:dit|écrit|commenté|répondu|déclaré|réagi|posté)|dit|écrit|écrivait)\b\s*:?"
    r"|[-–—|]\s*(?:antworten|reply|répondre|repondre|responder|rispondi|permalink|permalien"
    r"|citer|quote)\b"
    r"|\(?\b(?:auteur de l['’]article|post author|beitragsautor|autor|author|article author)\b\)?"
    r"|\((?:non vérifié\w*|not verified|nicht überprüft)\)"
    r"|[:,;—–|-]"
    r")\s*$",
    re.IGNORECASE,
)


def clean_author(name: str | None) -> str | None:
    """The name alone: "degski says:" is degski; None for nothing."""
    short = one_line(name)[:300]
    return _name_alone(short) if short else None


@lru_cache(maxsize=4096)
def _name_alone(short: str) -> str | None:
    for _ in range(4):
        shorter = _AFTER_NAME.sub("", short).strip()
        if not shorter or shorter == short:
            break
        short = shorter
    lead = _BEFORE_NAME.match(short)
    if lead and lead.group().strip().casefold() not in ("de", "by", "par", "von", "from"):
        short = short[lead.end() :]
    return short.strip(" \u00a0\u202f") or None


# Addresses -------------------------------------------------------------------------------------

_SESSION_NAMES = _words(
    "sid phpsessid s jsessionid sessionid session_id aspsessionid cfid cftoken osid zenid"
)
_SESSION_PATH = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_SESSION_VALUE = re.compile(r"[0-9a-z,-]{16,128}", re.IGNORECASE)


# A full address that neither a base nor a session changes: most links of APIs.
_PLAIN_ADDRESS = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?(?::[1-9][0-9]{0,3}|:[1-5][0-9]{4})?"
    r"(?:/(?:[\w~%-][\w.~%-]*+/?)*+)?(?:#[\w.~%/-]+)?",
    re.ASCII,
)


def absolute(href: str | None, base: str) -> str | None:
    """
    *href* as a full http(s) address without session id, or None when it leads nowhere on the web.
    """
    link = (href or "").strip()
    if _PLAIN_ADDRESS.fullmatch(link):
        return link
    if not link or link.startswith(("javascript:", "mailto:", "tel:", "data:")) or len(link) > 4000:
        return None
    try:
        url = urljoin(base, link)
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises on a port that is none
    except ValueError:
        return None
    return without_session(_encodable(url)) if valid else None


def without_session(url: str) -> str:
    """
    *url* without `sid=`, `PHPSESSID=`, vBulletin's `s=` and the like: they change with every
    visit.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    path = _SESSION_PATH.sub("", parts.path)
    query = parts.query
    if query and any(name in query.lower() for name in _SESSION_NAMES):
        pairs = re.split(r"[&;]", query)
        query = "&".join(pair for pair in pairs if not _is_session(pair))
    if path == parts.path and query == parts.query:
        return url
    return urlunsplit((parts.scheme, parts.netloc, path, query, parts.fragment))


def _is_session(pair: str) -> bool:
    name, _, value = pair.partition("=")
    return name.lower() in _SESSION_NAMES and bool(_SESSION_VALUE.fullmatch(value))


@lru_cache(maxsize=1024)
def host(url: str | None) -> str:
    """
    The host of *url* (with its port if it names one), lower case, without `www.`; "" when it has
    none.
    """
    try:
        netloc = urlsplit(url or "").netloc
    except ValueError:
        return ""
    name = netloc.rpartition("@")[2].lower().removeprefix("www.")
    return name.removesuffix(":80").removesuffix(":443")


def with_params(url: str, **params: str) -> str:
    """*url* with these query parameters set."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in params]
    return urlunsplit(parts._replace(query=urlencode([*kept, *params.items()])))


def same_page(url: str) -> str:
    """*url* without its fragment."""
    return url.partition("#")[0]


# What a page says of itself --------------------------------------------------------------------


def page_url(answer: Answer, page: Tree) -> str:
    """
    Where *page* lives: the address it was fetched from, or what a saved file says of itself; ""
    if nothing.
    """
    if answer.url.startswith(("http://", "https://")):
        return same_page(without_session(answer.url))
    for selector, attribute in (
        ("link[rel=canonical]", "href"),
        ('meta[property="og:url"]', "content"),
        ("base", "href"),
        ('link[rel=alternate][type*="json+oembed"]', "href"),
    ):
        url = absolute(attribute_of(page.css_first(selector), attribute), "")
        if url:
            return same_page(url)
    return ""


def page_title(page: Tree) -> str | None:
    """The title of the article or thread: `og:title`, the only h1, or `<title>`."""
    title = one_line(attribute_of(page.css_first('meta[property="og:title"]'), "content"))
    if title:
        return title[:500]
    for selector in ("h1.entry-title", "article h1", "h1", "title"):
        node = page.css_first(selector)
        title = one_line(node.text()) if node is not None else ""
        if title:
            return title[:500]
    return None


def page_language(page: Tree) -> str | None:
    """The language that `<html lang>` declares, two letters."""
    lang = attribute_of(page.css_first("html"), "lang")
    return lang[:2].lower() if lang and len(lang) >= 2 else None


def attribute_of(node: Node | None, name: str) -> str | None:
    """The attribute of a node that may be missing."""
    return node.attributes.get(name) if node is not None else None


def classes_of(node: Node) -> list[str]:
    """The class names of *node*."""
    return (node.attributes.get("class") or "")[:2000].split()


def ancestors(node: Node, *, limit: int = 100) -> Iterator[Node]:
    """The elements around *node*, nearest first, at most *limit*."""
    above = node.parent
    while above is not None and limit > 0:
        yield above
        above, limit = above.parent, limit - 1


_COUNT = re.compile(r"(?<![\w.,])(\d{1,3}(?:[.,\s\u00a0\u202f']\d{3}){1,4}|\d{1,9})(?![\w])")
_SHORT_COUNT = re.compile(r"(?<!\d)(\d{1,9}(?:[.,]\d{1,9})?)\s*([KMB])\b", re.IGNORECASE)


@lru_cache(maxsize=1024)
def count_of(text: str) -> int | None:
    """
    The first number of *text*: "1.977 commentaires" is 1977, "37.2K" is 37200; None without one.
    """
    short = _SHORT_COUNT.search(text)
    if short:
        factor = {"K": 1_000, "M": 1_000_000, "B": 1_000_000_000}[short.group(2).upper()]
        return round(float(short.group(1).replace(",", ".")) * factor)
    found = _COUNT.search(text)
    return int(re.sub(r"\D", "", found.group(1))) if found else None

"""
Articles of newsgroups (Usenet, or any server that speaks NNTP).

The client gives articles as JSON lines, `{"number": 12, "raw_base64": "..."}`; RFC 5536 says what
is in them. An article posted to several groups is one post: its id is its Message-ID.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from collectors.fields import identifier, need
from collectors.html import Text, clean, one_line, plain, text_of
from collectors.settings import several, whole, words, yes_or_no
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State

PLATFORM = "nntp"
TITLE = "NNTP"
NEEDS = "nothing where the news server lets everybody read; else user and password"
LEGAL = "Public articles; the server's terms apply. X-No-Archive is obeyed, cancels are followed."


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *server*: name of the news server. *groups*: newsgroups. *port*: 119, or 563 for TLS, without
    which no password is sent. *history*: in the first run all that the server still has, not only
    the newest 500 articles of each group.
    """

    server: str
    groups: tuple[str, ...]
    port: int = 119
    user: str | None = None
    password: str | None = None
    history: bool = True
    context_brand: str | None = None

    def __post_init__(self) -> None:
        name = words(self.server, "server").removeprefix("nntp://").rstrip("/")
        if not re.fullmatch(r"[\w.-]+|\[[0-9a-fA-F:]+\]", name):
            raise ValueError(f"server: {self.server!r} is no name of a server (news.example.org)")
        object.__setattr__(self, "server", name)
        groups = several(self.groups, "groups")
        for group in groups:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,200}", group):
                raise ValueError(f"groups: {group!r} is no newsgroup such as fr.conso.operateurs")
        object.__setattr__(self, "groups", groups)
        whole(self.port, "port", low=1, high=65535)
        yes_or_no(self.history, "history")
        if (self.user is None) != (self.password is None):
            raise ValueError("password: user and password go together")


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret login of this source."""
    if settings.user is None or settings.password is None:
        return {}
    return {"x-nntp-user": settings.user, "x-nntp-password": settings.password}


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Each group from the number after the last one read."""
    context = {"context_brand": settings.context_brand} if settings.context_brand else {}
    for group in settings.groups:
        base = f"nntp://{settings.server}:{settings.port}/{group}"
        read = state.cursor.get(group)
        first = str(int(read) + 1) if read and read.isdigit() else "1" if settings.history else ""
        url = f"{base}?from={first}" if first else base
        yield Request(url, context=context | {"group": group, "base": base, "from": first})


def parse(answer: Answer) -> Page:
    """The articles of one answer."""
    posts, deleted = [], []
    for line in answer.body.splitlines():
        if not line.strip():
            continue
        article = _article(line, answer)
        gone = _withdrawn(article)
        if gone:
            deleted.append(f"{PLATFORM}/{_group(article, answer)}:{gone}")
        if "Control" not in article.fields and not article.private:
            posts.append(_post(article, answer))
    return Page(
        posts=tuple(posts),
        next=_next(answer),
        declared=_declared(answer),
        cursor=_cursor(answer),
        deleted=tuple(deleted),
    )


def recognises(answer: Answer) -> int:
    return 96 if b'"raw_base64"' in answer.body[:100_000] else 0


# Paging ----------------------------------------------------------------------------------------


def _told(answer: Answer, name: str) -> int | None:
    value = answer.headers.get(f"x-nntp-{name}", "")
    return int(value) if value.isdigit() else None


def _next(answer: Answer) -> tuple[Request, ...]:
    asked, read, last = answer.request, _told(answer, "read"), _told(answer, "last")
    base = answer.context.get("base")
    if asked is None or base is None or read is None or last is None:
        return ()
    if read < last:
        return (_from(asked, base, read + 1),)
    first = asked.context.get("from", "")
    if first.isdigit() and int(first) > last + 1:  # the server was set up anew and counts from 1
        return (_from(asked, base, 1),)
    return ()


def _from(asked: Request, base: str, number: int) -> Request:
    context = {**asked.context, "from": str(number)}
    return replace(asked, url=f"{base}?from={number}", params={}, context=context)


def _cursor(answer: Answer) -> Mapping[str, str]:
    group, read, last = answer.context.get("group"), _told(answer, "read"), _told(answer, "last")
    if group is None or read is None:
        return {}
    return {group: str(read if last is None else min(read, last))}


def _declared(answer: Answer) -> int | None:
    """How many articles the group holds, where all of them are asked for."""
    first, low = answer.context.get("from", ""), _told(answer, "first")
    whole_group = first.isdigit() and low is not None and int(first) <= low
    return _told(answer, "count") if whole_group else None


# Articles --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Article:
    fields: Mapping[str, str]  # by name as in RFC 5536, decoded
    message: "Message[str, str]"
    number: str

    @property
    def private(self) -> bool:
        """Whether the author does not want the article kept."""
        return self.fields.get("X-No-Archive", "").strip().lower() == "yes"


def _article(line: bytes, answer: Answer) -> _Article:
    try:
        row = json.loads(line)
        raw = b64decode(need(row, "raw_base64", str, answer.url), validate=True)
    except (ValueError, RecursionError, binascii.Error) as error:
        raise SourceError("nntp: a line is no article", url=answer.url) from error
    message = message_from_bytes(raw)
    fields: dict[str, str] = {}
    for name, value in message.raw_items():
        fields.setdefault(_NAMES.get(name.lower(), name.title()), _decoded(str(value)))
    return _Article(fields, message, identifier(row, "number", answer.url))


_NAMES = {"message-id": "Message-ID", "x-no-archive": "X-No-Archive"}
_REPLY_MARK = re.compile(r"^(?:(?:Re|Réf|Ref|TR|Fwd?)(?:\[\d+\])?\s?:\s?)+", re.IGNORECASE)


def _post(article: _Article, answer: Answer) -> Post:
    fields = article.fields
    chain = re.findall(r"<([^<>\s]{1,250})>", fields.get("References", ""))
    native_id = (
        _id_of(fields.get("Message-ID", "")) or f"{_group(article, answer)}#{article.number}"
    )
    subject = one_line(fields.get("Subject"))[:500]
    text = _text(article.message)
    return Post(
        source=f"{PLATFORM}/{_group(article, answer)}",
        platform=PLATFORM,
        native_id=native_id,
        text=text.text,
        kind=Kind.POST if chain else Kind.TOPIC,
        author=_author(fields.get("From", "")),
        published_at=_moment(fields.get("Date", "")),
        title=subject or None,
        uri=f"news:{native_id}",
        parent=chain[-1] if chain else None,
        thread=chain[0] if chain else native_id,
        thread_title=_REPLY_MARK.sub("", subject) or None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _id_of(field: str) -> str | None:
    found = re.search(r"<([^<>\s]{1,250})>", field)
    return clean(found.group(1)) or None if found else None


def _group(article: _Article, answer: Answer) -> str:
    """The first of the groups it was posted to, which is the same wherever the copy is read."""
    named = re.match(
        r"\s*([A-Za-z0-9][A-Za-z0-9.+_-]{0,200})", article.fields.get("Newsgroups", "")
    )
    return named.group(1) if named else answer.context.get("group", "unknown")


def _withdrawn(article: _Article) -> str | None:
    """The id of the article that this one cancels or replaces."""
    control = re.match(r"\s*cancel\s+(<.*)", article.fields.get("Control", ""), re.IGNORECASE)
    return _id_of(control.group(1) if control else article.fields.get("Supersedes", ""))


def _author(field: str) -> str | None:
    """The name, or the address where there is none; `a@b.example (Name)` is understood."""
    name, address = parseaddr(field)
    return one_line(name)[:300] or one_line(address)[:300] or one_line(field)[:300] or None


def _moment(field: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(field)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


# Characters ------------------------------------------------------------------------------------


def _decoded(raw: str) -> str:
    """A header: RFC 2047 words, and the bare bytes that many news readers sent."""
    try:
        pieces = decode_header(_bytes_to_text(raw.encode("ascii", "surrogateescape")))
    except (HeaderParseError, ValueError, binascii.Error):
        pieces = [(raw, None)]
    words = [
        piece if isinstance(piece, str) else _in_charset(piece, charset)
        for piece, charset in pieces
    ]
    return clean("".join(words))


def _in_charset(data: bytes, charset: str | None) -> str:
    if charset is None:  # decode_header escapes what lies between the encoded words
        return data.decode("raw-unicode-escape", "replace")
    return _bytes_to_text(data, charset)


def _bytes_to_text(data: bytes, charset: str | None = None) -> str:
    """As *charset* says, else UTF-8, else Windows-1252; Latin-1 is read as Windows-1252."""
    name = (charset or "utf-8").strip().lower()
    if name in ("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"):
        name = "utf-8" if "ascii" in name else "cp1252"
    for encoding in (name, "utf-8"):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace")


# Words -----------------------------------------------------------------------------------------


def _text(message: "Message[str, str]") -> Text:
    """The first text of the article, without signature; HTML only where there is no plain text."""
    html = None
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart() or part.get_filename():
            continue
        if kind == "text/plain":
            return _lines(_body(part), part)
        if kind == "text/html" and html is None:
            html = part
    return text_of(_body(html)) if html is not None else Text("")


def _body(part: "Message[str, str]") -> str:
    data = part.get_payload(decode=True)
    charset = part.get_content_charset()
    return _bytes_to_text(data, charset) if isinstance(data, bytes) else ""


_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_QUOTED = re.compile(r"^\s{0,3}(?:>|\|\s|[A-Z]{2,3}>)")
_SAYS = re.compile(
    r"(?:a écrit|écrivait|wrote|writes|schrieb|nous disait|a dit|a déclaré|a exprimé|scripsit)\b"
    r"[^\n]{0,80}:?\s*$|^Le \d[^\n]{5,120}:\s*$|news:\S+",
    re.IGNORECASE,
)


def _lines(body: str, part: "Message[str, str]") -> Text:
    """The words, and the runs of lines with `>`, each with the line that names their author."""
    lines = [line.rstrip("\r") for line in body.split("\n")]
    end = next((n for n, line in enumerate(lines) if _SIGNATURE.match(line)), len(lines))
    kept = lines[:end]
    if _flowed(part):
        kept = _joined(kept, delete_space="delsp=yes" in _content_type(part))
    text = plain("\n".join(kept))
    return Text(text, tuple(_quotations(text)))


def _content_type(part: "Message[str, str]") -> str:
    return re.sub(r"[\s\"]", "", str(part.get("Content-Type", ""))).lower()


def _flowed(part: "Message[str, str]") -> bool:
    return "format=flowed" in _content_type(part)


def _joined(lines: list[str], *, delete_space: bool) -> list[str]:
    """RFC 3676: a line that ends with a space goes on in the next line of the same depth."""
    out: list[str] = []
    open_depth = -1
    for line in lines:
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:].removeprefix(" ")
        if open_depth == depth and out:
            out[-1] = (out[-1][:-1] if delete_space else out[-1]) + words
        else:
            out.append(f"{'>' * depth} {words}" if depth else words)
        open_depth = depth if words.endswith(" ") else -1
    return out


def _quotations(text: str) -> Iterator[str]:
    """Runs of quoted lines of *text*, each with the line above that names its author."""
    run: list[str] = []
    above = ""
    for line in [*text.split("\n"), ""]:
        if _QUOTED.match(line):
            run.append(line)
            continue
        if run:
            yield "\n".join([above, *run] if above and _SAYS.search(above) else run)
            run, above = [], ""
        above = line if line.strip() else ""

"""Full-text search: any text a person may type, and where its words are in what is found."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from raccroche.store.reads import COUNTED, after_cursor, rows_of
from raccroche.store.records import Filters, PostRow, PostsPage
from raccroche.store.rows import clean
from raccroche.store.selection import LABELLED, conditions, rare_numbers, scope_of
from raccroche.store.tables import labels, posts

_PARTS = re.compile(r'(-?)"([^"]*)"|(-?)(\S+)')
_WORDS = re.compile(r"[^\W_]+")
_MOST_WORDS = 20
_MOST_TYPED = 1_000
_OPEN, _CLOSE = "\x02", "\x03"
_FTS = table("posts_fts", column("rowid", BigInteger))
_VECTOR: ColumnElement[Any] = literal_column("posts.words", TSVECTOR)
_CONFIG: ColumnElement[Any] = literal_column("'raccroche'::regconfig")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """Words that must follow each other; *prefix*: the last one is the beginning of a word."""

    words: tuple[str, ...]
    excluded: bool = False
    prefix: bool = False


def parts_of(typed: str) -> list[Part]:
    """
    What somebody typed as parts: words, "phrases", -exclusions, prefix*; all else only separates.
    """
    found: list[Part] = []
    left = _MOST_WORDS
    for minus_phrase, phrase, minus, word in _PARTS.findall(clean(typed)[:_MOST_TYPED]):
        words = tuple(_WORDS.findall(phrase or word))[:left]
        if words:
            found.append(
                Part(words, bool(minus_phrase or minus), bool(word) and word.endswith("*"))
            )
            left -= len(words)
    return found


def search(
    conn: Connection, typed: str, filters: Filters, size: int, after: str | None
) -> PostsPage:
    """Posts that hold all the words, newest first; the total is counted up to a thousand."""
    wanted = parts_of(typed)
    scope = scope_of(conn, filters)
    if scope is None or all(part.excluded for part in wanted):
        return PostsPage()
    matching = _on_sqlite(wanted) if conn.dialect.name == "sqlite" else _on_postgresql(wanted)
    few = rare_numbers(conn, scope)
    number = _FTS.c.rowid if conn.dialect.name == "sqlite" else posts.c.n
    # + 0: all matches are read from the index, and compared with the few before anything is joined
    narrowed = [] if few is None else [(number + 0).in_(few)]
    query = matching.where(*conditions(scope), *narrowed)
    found = conn.execute(query.where(*after_cursor(after, "newest")).limit(size + 1))
    numbers: list[int] = [row.n for row in found]
    counted = select(func.count()).select_from(query.limit(COUNTED + 1).subquery())
    total = int(conn.execute(counted).scalar_one())
    rows = _highlighted(conn, rows_of(conn, numbers[:size], filters.labeller), wanted)
    more = str(numbers[size - 1]) if len(numbers) > size else None
    return PostsPage(rows, more, min(total, COUNTED), total <= COUNTED)


def _on_sqlite(wanted: Sequence[Part]) -> Select[tuple[int]]:
    """
    The index gives its rows newest first: a page of a common word never reads all its matches.
    """
    start = _FTS.join(posts, posts.c.n == _FTS.c.rowid).join(labels, labels.c.post_n == posts.c.n)
    match = literal_column("posts_fts").op("match")(fts_query(wanted))
    return select(posts.c.n).select_from(start).where(match).order_by(_FTS.c.rowid.desc())


def fts_query(wanted: Sequence[Part]) -> str:
    """
    The FTS5 expression; its words are letters and digits in quotes, so nothing typed is an
    operator.
    """
    quoted = {
        part: '"' + " ".join(part.words) + '"' + ("*" if part.prefix else "") for part in wanted
    }
    found = " AND ".join(quoted[part] for part in wanted if not part.excluded)
    return " NOT ".join([f"({found})", *(quoted[part] for part in wanted if part.excluded)])


def _on_postgresql(wanted: Sequence[Part]) -> Select[tuple[int]]:
    match = _VECTOR.op("@@")(_ts_query(wanted))
    return select(posts.c.n).select_from(LABELLED).where(match).order_by(posts.c.n.desc())


def _ts_query(wanted: Sequence[Part]) -> ColumnElement[Any]:
    found: ColumnElement[Any] | None = None
    for part in sorted(wanted, key=lambda part: part.excluded):
        one = _ts_part(part)
        if part.excluded:
            one = func.tsquery_not(one)
        found = one if found is None else found.op("&&")(one)
    assert found is not None
    return found


def _ts_part(part: Part) -> ColumnElement[Any]:
    if part.prefix:
        return func.to_tsquery(_CONFIG, " <-> ".join(part.words) + ":*")
    return func.phraseto_tsquery(_CONFIG, " ".join(part.words))


def _highlighted(
    conn: Connection, rows: tuple[PostRow, ...], wanted: Sequence[Part]
) -> tuple[PostRow, ...]:
    if conn.dialect.name == "postgresql":
        return tuple(_headlined(conn, row, wanted) for row in rows)
    return tuple(
        replace(
            row,
            highlights=spans_of(row.post.text, wanted),
            title_highlights=spans_of(row.post.title or "", wanted),
        )
        for row in rows
    )


def spans_of(text: str, wanted: Sequence[Part]) -> tuple[Span, ...]:
    """Where the wanted words are in a text, accents and case aside."""
    tokens = [(found.start(), found.end(), fold(found.group())) for found in _WORDS.finditer(text)]
    spans: set[Span] = set()
    for part in wanted:
        if not part.excluded:
            spans |= _spans(tokens, [fold(word) for word in part.words], part.prefix)
    return merged(sorted(spans))


def _spans(tokens: Sequence[tuple[int, int, str]], words: Sequence[str], prefix: bool) -> set[Span]:
    found = set()
    width = len(words)
    for at in range(len(tokens) - width + 1):
        said = [token[2] for token in tokens[at : at + width]]
        same = said[:-1] == list(words[:-1])
        if same and (said[-1] == words[-1] or (prefix and said[-1].startswith(words[-1]))):
            found.add((tokens[at][0], tokens[at + width - 1][1]))
    return found


def merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Overlapping spans as one."""
    found: list[Span] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def fold(word: str) -> str:
    """As the index folds: no case, no accents."""
    return "".join(
        c for c in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(c)
    )


def _headlined(conn: Connection, row: PostRow, wanted: Sequence[Part]) -> PostRow:
    """PostgreSQL matches by stem, so that it must say itself which words it matched."""
    options = f"StartSel={_OPEN}, StopSel={_CLOSE}, HighlightAll=true"
    texts = [_unmarked(text) for text in (row.post.text, row.post.title or "")]
    query = _ts_query([part for part in wanted if not part.excluded])
    marked = conn.execute(
        select(*(func.ts_headline(_CONFIG, text, query, options) for text in texts))
    ).one()
    return replace(row, highlights=_marks(marked[0]), title_highlights=_marks(marked[1]))


def _unmarked(text: str) -> str:
    return text.replace(_OPEN, " ").replace(_CLOSE, " ")


def _marks(marked: str) -> tuple[Span, ...]:
    """The offsets of marks in the text without them."""
    spans: list[Span] = []
    start = at = 0
    for character in marked:
        if character == _OPEN:
            start = at
        elif character == _CLOSE:
            spans.append((start, at))
        else:
            at += 1
    return merged(spans)

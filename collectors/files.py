"""Files of posts that people already have: CSV, JSON Lines, Parquet; 4CAT is recognised."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from collectors.dates import parse_date
from collectors.table import sources
from raccroche.errors import ImportFileError, SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State

PLATFORM = "files"
TITLE = "Files (CSV, JSON Lines, Parquet, 4CAT)"
NEEDS = ""
LEGAL = "The user answers for the right to use the file."

FIELDS = (
    "id", "text", "title", "author", "published_at", "url", "thread", "thread_title", "parent",
    "rating", "kind", "context_brand", "language", "platform",
)  # fmt: skip

# Names that columns have in 4CAT, in scrapers' outputs and in French spreadsheets.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "post_id", "comment_id", "tweet_id", "identifiant"),
    "text": ("text", "body", "message", "content", "texte", "contenu", "comment", "commentaire",
             "avis", "review", "full_text", "tweet"),
    "title": ("title", "subject", "titre", "objet"),
    "author": ("author", "username", "user", "auteur", "author_name", "screen_name", "pseudo"),
    "published_at": ("published_at", "timestamp", "created_at", "date", "time", "datetime",
                     "published", "date_publication", "created_utc"),
    "url": ("url", "link", "permalink", "lien"),
    "thread": ("thread", "thread_id", "conversation_id", "topic_id", "fil"),
    "thread_title": ("thread_title", "topic_title"),
    "parent": ("parent", "parent_id", "in_reply_to", "in_reply_to_id", "reply_to"),
    "rating": ("rating", "stars", "note", "etoiles", "score"),
    "kind": ("kind", "type"),
    "context_brand": ("context_brand", "brand", "marque", "company", "entreprise"),
    "language": ("language", "lang", "langue"),
    "platform": ("platform", "plateforme"),
}  # fmt: skip
_4CAT = {"thread_id", "body", "timestamp"}
_OLDEST = datetime(1980, 1, 1, tzinfo=UTC)  # the first public forums
_AHEAD = timedelta(days=2)  # clocks and time zones that are wrong
_NOTHING = frozenset({"", "nan", "none", "null", "na", "n/a"})


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no post: its number in the file (the first data row is 1) and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Settings:
    """*path*: the file. *columns*: our field -> its column. *platform*: where it came from."""

    path: str
    columns: Mapping[str, str] = field(default_factory=dict)
    platform: str = PLATFORM

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("path is empty")
        check_columns(self.columns)


def check_columns(columns: Mapping[str, str]) -> None:
    """Raise ValueError naming a field that a post does not have."""
    for name in columns:
        if name not in FIELDS:
            raise ValueError(f"columns: no field {name!r}; known: {', '.join(FIELDS)}")


def requests(settings: Settings, state: State) -> Iterable[Request]:
    yield Request(
        Path(settings.path).absolute().as_uri(),
        context={**settings.columns, "platform_name": settings.platform},
    )


def recognises(answer: Answer) -> int:
    name = answer.url.lower().split("?")[0]
    if name.endswith((".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")):
        return 60
    return 0


def parse(answer: Answer) -> Page:
    """All posts of the file; rows that are no post are counted in the note."""
    columns = {k: v for k, v in answer.context.items() if k in FIELDS}
    name = answer.url.rsplit("/", 1)[-1]
    try:
        platform = answer.context.get("platform_name") or PLATFORM
        rows = list(_posts(_rows_of_bytes(answer.body, name), columns, name, platform))
    except ImportFileError as error:
        raise SourceError(str(error), url=answer.url) from error
    posts = tuple(row for row in rows if isinstance(row, Post))
    bad = [row for row in rows if isinstance(row, BadRow)]
    note = (
        f"{len(bad)} bad rows, the first is row {bad[0].number}: {bad[0].reason}" if bad else None
    )
    return Page(posts=posts, declared=len(rows), note=note)


def read(
    path: Path, columns: Mapping[str, str] | None = None, *, platform: str = PLATFORM
) -> Iterator[Post | BadRow]:
    """
    The posts of *path*, one by one, none held; rows that are no post come as `BadRow`.

    *columns* maps our fields to the file's columns where their names do not say it. Raises
    ImportFileError: no such file, empty, unknown ending, no text column, broken Parquet.
    """
    try:
        check_columns(columns or {})
    except ValueError as error:
        raise ImportFileError(f"{path}: {error}") from error
    try:
        yield from _posts(_rows_of_path(path), columns or {}, path.name, platform)
    except FileNotFoundError as error:
        raise ImportFileError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ImportFileError(f"{path}: cannot be read: {error}") from error


def _rows_of_path(path: Path) -> Iterator[dict[str, Any]]:
    ending = path.suffix.lower()
    if ending == ".parquet":
        yield from _parquet_rows(path)
    elif ending in (".jsonl", ".ndjson"):
        with path.open("rb") as file:
            yield from _json_rows(file)
    elif ending in (".csv", ".tsv", ".txt"):
        with path.open("r", encoding=_encoding(path), newline="") as text:
            yield from _csv_rows(text, path.name)
    else:
        raise ImportFileError(f"{path}: {ending or 'no ending'}: give a .csv, .jsonl or .parquet")


def _rows_of_bytes(body: bytes, name: str) -> Iterator[dict[str, Any]]:
    ending = Path(name).suffix.lower()
    if ending == ".parquet":
        yield from _parquet_rows(io.BytesIO(body))
    elif ending in (".jsonl", ".ndjson"):
        yield from _json_rows(io.BytesIO(body))
    else:
        yield from _csv_rows(io.StringIO(Answer("", body).text, newline=""), name)


def _encoding(path: Path) -> str:
    """UTF-8, with or without a mark, where all of the file is; else Windows-1252 as of Excel."""
    try:
        with path.open("r", encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        with path.open("rb") as raw:
            return "utf-16" if raw.read(2) in (b"\xff\xfe", b"\xfe\xff") else "cp1252"
    return "utf-8-sig"


def _csv_rows(file: Any, name: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(50_000_000)
    header = file.readline()
    if not header.strip():
        raise ImportFileError(f"{name}: the file is empty")
    delimiter = max(",;\t|", key=header.count)
    names = next(csv.reader([header], delimiter=delimiter))
    for row in csv.DictReader(file, fieldnames=names, delimiter=delimiter, restval=""):
        yield {str(k).strip(): v for k, v in row.items() if k is not None}


def _json_rows(file: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in file:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield {"_bad": f"not JSON: {str(error)[:80]}"}
            continue
        yield row if isinstance(row, dict) else {"_bad": "not a JSON object"}


def _parquet_rows(file: Any) -> Iterator[dict[str, Any]]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=2_000):
                yield from batch.to_pylist()
    except ArrowException as error:
        raise ImportFileError(
            f"{getattr(file, 'name', file)}: not valid Parquet: {error}"
        ) from error


def _posts(
    rows: Iterable[dict[str, Any]], columns: Mapping[str, str], name: str, platform: str
) -> Iterator[Post | BadRow]:
    mapping: dict[str, str] | None = None
    seen: dict[int, int] = {}
    number = 0
    for number, row in enumerate(rows, start=1):
        if "_bad" in row:
            yield BadRow(number, str(row["_bad"]))
            continue
        if mapping is None:
            mapping = _mapping(row, columns, name)
        yield _first_of_its_id(_post(row, mapping, number, name, platform), seen, number)
    if number == 0:
        raise ImportFileError(f"{name}: the file holds no rows")


def _first_of_its_id(post: Post | BadRow, seen: dict[int, int], number: int) -> Post | BadRow:
    """
    A row that says something else under an id that was there already is no post: it would replace
    the first. *seen*: hash of an id -> hash of what it said, some 100 bytes a row.
    """
    if isinstance(post, BadRow):
        return post
    said = hash((post.text, post.author))
    if seen.setdefault(hash(post.id), said) != said:
        return BadRow(number, f"id {post.native_id[:40]} stands twice in this file")
    return post


def _mapping(row: Mapping[str, Any], columns: Mapping[str, str], name: str) -> dict[str, str]:
    """Our field -> the file's column, from *columns* first, then from names people use."""
    for ours, theirs in columns.items():
        if theirs not in row:
            raise ImportFileError(
                f"{name}: no column {theirs!r} for {ours}; the file has: {', '.join(map(str, row))}"
            )
    by_name = {str(column).strip().casefold(): column for column in row}
    found = dict(columns)
    for ours, names in _ALIASES.items():
        column = next((by_name[n] for n in names if n in by_name), None)
        if ours not in found and column is not None and column not in columns.values():
            found[ours] = column
    if "text" not in found:
        raise ImportFileError(
            f"{name}: no column with the text (columns: {', '.join(map(str, row))}); "
            "name it with --map text=COLUMN"
        )
    if set(by_name) >= _4CAT:  # 4CAT: a thread's first post has id == thread_id
        found.setdefault("thread", "thread_id")
    return found


def _post(
    row: Mapping[str, Any], mapping: Mapping[str, str], number: int, name: str, platform: str
) -> Post | BadRow:
    value = {ours: _clean(row.get(theirs)) for ours, theirs in mapping.items()}
    text = value.get("text") or ""
    if not text:
        return BadRow(number, "no text")
    written = value.get("published_at")
    moment = parse_date(written, now=datetime.now(UTC)) if written else None
    if written and moment is None:
        return BadRow(number, f"the date {written[:40]!r} is not understood")
    if moment is not None and (why := _impossible(moment.at)):
        return BadRow(number, f"the date {(written or '')[:40]!r} {why}")
    rating = value.get("rating")
    where = _platform(value.get("platform"), platform)
    if where is None:
        return BadRow(number, f"platform {(value['platform'] or '')[:40]!r} is none of ours")
    return Post(
        source=f"{where}/{Path(name).stem if where == PLATFORM else 'file'}",
        platform=where,
        native_id=value.get("id") or _id(text, written, value.get("author")),
        text=text,
        kind=_kind(value.get("kind"), has_rating=rating is not None),
        author=value.get("author"),
        published_at=moment.at if moment else None,
        day_only=moment.day_only if moment else False,
        title=value.get("title"),
        url=value.get("url"),
        parent=value.get("parent"),
        thread=value.get("thread"),
        thread_title=value.get("thread_title"),
        rating=_number(rating),
        context_brand=value.get("context_brand"),
        language=value.get("language"),
    )


# What exports and spreadsheets call platforms, besides their names in the table and their titles.
_CALLED = {"twitter": "x", "google_play": "googleplay", "app_store": "appstore"}


def _platform(written: str | None, given: str) -> str | None:
    """The platform of a row: as the table of sources names it, or as *given* for the whole file."""
    if not written:
        return given
    name = re.sub(r"[\s.-]+", "_", written.casefold())
    name = _CALLED.get(name, name)
    if name in (given, PLATFORM):
        return name
    name = name if name in sources() else name.replace("_", "")
    return name if name in sources() else None


def _impossible(moment: datetime) -> str:
    """Why nobody can have posted then; "" where one can."""
    if moment < _OLDEST:
        return f"is before {_OLDEST.year}"
    return "is in the future" if moment > datetime.now(UTC) + _AHEAD else ""


def _clean(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value).strip()
    return None if text.casefold() in _NOTHING else text


def _kind(value: str | None, *, has_rating: bool) -> Kind:
    if value and value.casefold() in set(Kind):
        return Kind(value.casefold())
    return Kind.REVIEW if has_rating else Kind.POST


def _number(value: str | None) -> float | None:
    try:
        return float(value.replace(",", ".")) if value else None
    except ValueError:
        return None


def _id(text: str, written: str | None, author: str | None) -> str:
    """The same row has the same id in a later export."""
    return sha256("\0".join((text, written or "", author or "")).encode()).hexdigest()[:24]

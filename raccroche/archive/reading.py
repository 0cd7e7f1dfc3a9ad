"""Reads anybody's WARC, however damaged: member by member, under a cap."""

import contextlib
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeadersParser, StatusAndHeadersParserException

from raccroche.archive.records import METADATA
from raccroche.bodies import BodyBroken, BodyTooLarge, decoded
from raccroche.errors import ImportFileError
from raccroche.post import Answer, Request

_MAGIC = b"\x1f\x8b\x08"
BLOCK = 65_536
_LARGEST_MEMBER = 2_000_000_000  # decompressed bytes of one gzip member; more is a bomb
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8} *(?:;[^\r\n]{0,200})?\r\n")

BROKEN = (
    ArchiveLoadFailed,
    StatusAndHeadersParserException,
    ChunkedDataException,
    BodyBroken,
    BodyTooLarge,
    EOFError,
    ValueError,
    zlib.error,
)


def read_warc(
    path: Path, *, cap: int = 20_000_000, tally: Counter[str] | None = None
) -> Iterator[Answer]:
    """
    The answers of anybody's WARC (or ARC) file, gzipped or not, in order; chunked and compressed
    bodies are decoded.

    `request.context["source"]` is the configured source where the file is ours. *tally* counts
    "answers", "other" (records that are no answer) and "broken": broken, cut or larger than *cap*
    bytes, which are left out. Raises ImportFileError if the file cannot be opened or holds no
    record at all.
    """
    tally = Counter() if tally is None else tally
    before = tally.total()
    for record in records(path, tally):
        try:
            answer = _answer(record, cap)
        except BROKEN:
            tally["broken"] += 1
            continue
        tally["other" if answer is None else "answers"] += 1
        if answer is not None:
            yield answer
    if tally["answers"] + tally["other"] == 0 and tally.total() > before:
        raise ImportFileError(f"{path}: no WARC record could be read")


class Member(io.RawIOBase):
    """
    The decompressed bytes of the one gzip member that starts at *offset* of *file*; *end* is where
    the next may start.

    Raises EOFError where the file ends before the member does.
    """

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._file = file
        self._at = offset
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._given = 0
        self.end: int | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self.end is None:
            piece = self._piece(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
        return 0

    def _piece(self, size: int) -> bytes:
        data = self._inflate.unconsumed_tail
        if not data:
            self._file.seek(self._at)
            data = self._file.read(BLOCK)
            self._at += len(data)
            if not data:
                raise EOFError("the file ends within a record")
        piece = self._inflate.decompress(data, size)
        self._given += len(piece)
        if self._given > _LARGEST_MEMBER:
            raise BodyTooLarge("a gzip member that does not end")
        if self._inflate.eof:
            self.end = self._at - len(self._inflate.unused_data)
        return piece


def records(path: Path, tally: Counter[str]) -> Iterator[Any]:
    """
    The records of *path* that can be read; after a broken gzip member reading goes on at the next.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ImportFileError(f"{path}: {error.strerror}") from error
    with file:
        if file.read(2) != _MAGIC[:2]:
            file.seek(0)
            yield from _records_of(file, tally)
            return
        offset: int | None = 0
        while offset is not None:
            member = Member(file, offset)
            yield from _records_of(io.BufferedReader(member, BLOCK), tally)
            offset = next_member(file, offset, member)


def _records_of(stream: Any, tally: Counter[str]) -> Iterator[Any]:
    try:
        # HTTP headers are parsed by us: on damaged records warcio raises whatever comes
        yield from ArchiveIterator(stream, arc2warc=True, no_record_parse=True)
        while stream.read(BLOCK):
            pass  # what the last record left, up to the end of the member
    except BROKEN:
        tally["broken"] += 1


def next_member(file: BinaryIO, offset: int, member: Member) -> int | None:
    """
    Where the next gzip member starts; None at the end. After a broken one: at the next signature.
    """
    start = member.end if member.end is not None else offset + 1
    file.seek(start)
    if member.end is not None:
        return start if file.read(2) == _MAGIC[:2] else None
    before = b""
    while block := file.read(BLOCK):
        found = (before + block).find(_MAGIC)
        if found >= 0:
            return start + found
        start += len(before + block) - 2
        before = (before + block)[-2:]
    return None


def _answer(record: Any, cap: int) -> Answer | None:
    """The answer in a WARC record; None for records of another kind."""
    warc = record.rec_headers
    url = (warc.get_header("WARC-Target-URI") or "").strip("<>")
    kind = warc.get_header("Content-Type") or ""
    if record.rec_type not in ("response", "resource") or not urlsplit(url).scheme:
        return None
    about = _about(warc.get_header(METADATA))
    if record.rec_type == "resource":
        status, headers = 200, {"content-type": kind, **about.get("headers", {})}
    elif urlsplit(url).scheme in ("http", "https"):
        status, headers = _head(record.raw_stream)
    else:
        return None  # a name server's answer
    return Answer(
        url=url,
        body=_body(record.raw_stream, headers, cap),
        status=status,
        headers=headers,
        request=_asked(url, about),
        fetched_at=moment_of(warc.get_header("WARC-Date")),
    )


def _head(stream: Any) -> tuple[int, dict[str, str]]:
    """Status and headers of an HTTP answer; names in lower case, repeated ones joined by commas."""
    head = StatusAndHeadersParser(["HTTP/1.0", "HTTP/1.1", "HTTP/2"]).parse(stream)
    joined: dict[str, str] = {}
    for name, value in head.headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return int(head.get_statuscode()), joined


def _asked(url: str, about: Mapping[str, Any]) -> Request:
    context = {str(k): str(v) for k, v in about.get("context", {}).items()}
    if "source" in about:
        context["source"] = str(about["source"])
    return Request(
        url, method=about.get("method", "GET"), context=context, phase=about.get("phase", "")
    )


def _about(text: str | None) -> dict[str, Any]:
    """Our own metadata; other programs use the same header for theirs."""
    if not text:
        return {}
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict) and isinstance(found.get("context", {}), dict):
            return found
    return {}


def _body(stream: Any, headers: Mapping[str, str], cap: int) -> bytes:
    raw = _read(stream, cap + BLOCK)
    if "chunked" in headers.get("transfer-encoding", "").lower():
        raw = _dechunked(raw)
    if len(raw) > cap:
        raise BodyTooLarge(f"more than {cap} bytes")
    try:
        return decoded(raw, headers.get("content-encoding", ""), cap)
    except BodyBroken:
        # many archives keep the header and store the body decompressed
        if raw.lstrip()[:1] in (b"<", b"{", b"["):
            return raw
        raise


def _dechunked(raw: bytes) -> bytes:
    """*raw* without its chunk lines; as it is where it has none, which many archives store."""
    if not _CHUNK.match(raw):
        return raw
    whole: bytes = ChunkedDataReader(io.BytesIO(raw), raise_exceptions=True).read()
    return whole


def _read(stream: Any, cap: int) -> bytes:
    parts = bytearray()
    while block := stream.read(BLOCK):
        parts += block
        if len(parts) > cap:
            raise BodyTooLarge(f"more than {cap} bytes")
    return bytes(parts)


def moment_of(text: str | None) -> datetime:
    if not text:
        raise ValueError("a record has no date")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

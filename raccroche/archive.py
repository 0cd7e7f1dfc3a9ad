"""
Raw answers as WARC 1.1 files: written as they come, read again for replay, purged and erased from.
"""

import contextlib
import io
import json
import os
import re
import secrets
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import (
    StatusAndHeaders,
    StatusAndHeadersParser,
    StatusAndHeadersParserException,
)
from warcio.warcwriter import WARCWriter

from raccroche.bodies import BodyBroken, BodyTooLarge, decoded
from raccroche.errors import ImportFileError, StoreError
from raccroche.post import Answer, Request
from raccroche.redact import HIDDEN, headers_without_secrets, is_secret_name, url_without_secrets

_MAGIC = b"\x1f\x8b\x08"
_BLOCK = 65_536
_LARGEST_MEMBER = 2_000_000_000  # decompressed bytes of one gzip member; more is a bomb
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8} *(?:;[^\r\n]{0,200})?\r\n")
_METADATA = "WARC-JSON-Metadata"
_HOP = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection"})
_NAME = re.compile(r"raccroche-\d{8}T\d{6}Z-[0-9a-f]{8}\.warc\.gz")
_STAMP = "%Y%m%dT%H%M%SZ"

_BROKEN = (
    ArchiveLoadFailed,
    StatusAndHeadersParserException,
    ChunkedDataException,
    BodyBroken,
    BodyTooLarge,
    EOFError,
    ValueError,
    zlib.error,
)


class Archive:
    """
    A folder of `raccroche-<start>-<random>.warc.gz`, mode 0600.

    One gzip member a record, each pair on disk before `add` returns: after kill -9 at most the last
    record is cut, and reading leaves it out. A file is closed after *rotate_bytes* or a day;
    `purge` ends what is older than *retention_days*.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rotate_bytes: int = 100_000_000,
        retention_days: float = 30,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder = folder
        self._rotate_bytes = rotate_bytes
        self._retention = timedelta(days=retention_days)
        self._now = now
        self._file: int | None = None
        self._size = 0
        self._opened = now()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the archive {folder} cannot be made: {error.strerror}") from error

    def add(self, answer: Answer, *, source: str, sent: Mapping[str, str]) -> None:
        """
        Keep *answer* and the request that led to it, on disk when this returns.

        *sent* are the request's headers; secrets in them, in the URL and in a form are replaced.
        The body is kept decompressed; what the wire said is under `x-archive-orig-*`.
        """
        buffer = io.BytesIO()
        writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
        response = _response(writer, answer, source)
        if urlsplit(answer.url).scheme in ("http", "https"):
            writer.write_request_response_pair(_request(writer, answer, sent), response)
        else:
            writer.write_record(response)
        self._append(buffer.getvalue())

    def files(self) -> list[Path]:
        """All files, oldest first."""
        return sorted(path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))

    def answers(self) -> Iterator[Answer]:
        """All answers kept, oldest file first."""
        for path in self.files():
            yield from read_warc(path)

    def purge(self, older_than: datetime | None = None) -> int:
        """
        Drop the answers fetched before *older_than* (default: the retention); return how many.
        """
        limit = older_than or self._now() - self._retention
        old = [path for path in self.files() if _start(path) < limit]
        return sum(self._rewrite(path, lambda kept: kept.date < limit) for path in old)

    def erase(
        self,
        url: Callable[[str], bool],
        *,
        holding: Callable[[bytes], bool] = lambda body: False,
    ) -> int:
        """
        Drop the answers whose URL (secrets replaced) satisfies *url*, or whose body *holding*;
        return how many.

        Each file concerned is written anew without them and their requests, then put in its place.
        """

        def goes(kept: _Kept) -> bool:
            return url(kept.url) or (kept.kind != "request" and holding(kept.body))

        return sum(self._rewrite(path, goes) for path in self.files())

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, members: bytes) -> None:
        day_over = self._now() - self._opened >= timedelta(days=1)
        try:
            if self._file is None or day_over or self._size + len(members) > self._rotate_bytes:
                self.close()
                self._open()
            assert self._file is not None
            _write_all(self._file, members)
            os.fsync(self._file)
        except OSError as error:
            if self._file is not None:
                os.ftruncate(self._file, self._size)  # nothing is written behind half a record
            raise StoreError(
                f"the archive {self.folder} cannot be written: {error.strerror}"
            ) from error
        self._size += len(members)

    def _open(self) -> None:
        """A new file: never one of an earlier process, whose last record may be cut."""
        self._opened = self._now()
        name = f"raccroche-{self._opened.strftime(_STAMP)}-{secrets.token_hex(4)}.warc.gz"
        path = self.folder / name
        self._size = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        buffer = io.BytesIO()
        writer = WARCWriter(buffer, gzip=True, warc_version="WARC/1.1")
        about = {"software": "Raccroche", "format": "WARC file version 1.1"}
        writer.write_record(writer.create_warcinfo_record(name, about))
        _write_all(self._file, buffer.getvalue())
        self._size += len(buffer.getvalue())
        _sync_folder(self.folder)

    def _rewrite(self, path: Path, goes: Callable[["_Kept"], bool]) -> int:
        """
        Write *path* anew without the records that go; a cut or broken record goes too: nobody can
        tell what it holds.
        """
        self.close()
        kept, gone, broken = _sort(path, goes)
        if not gone and not broken:
            return 0
        if any(kind != "warcinfo" for kind, _ in kept):
            _replace(path, b"".join(raw for _, raw in kept))
        else:
            path.unlink()
        _sync_folder(self.folder)
        return gone


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
    for record in _records(path, tally):
        try:
            answer = _answer(record, cap)
        except _BROKEN:
            tally["broken"] += 1
            continue
        tally["other" if answer is None else "answers"] += 1
        if answer is not None:
            yield answer
    if tally["answers"] + tally["other"] == 0 and tally.total() > before:
        raise ImportFileError(f"{path}: no WARC record could be read")


# ------------------------------------------------------------------------------------------ writing


def _response(writer: WARCWriter, answer: Answer, source: str) -> Any:
    request = answer.request or Request(answer.url)
    about: dict[str, Any] = {
        "source": source,
        "phase": request.phase,
        "method": request.method,
        "context": dict(request.context),
    }
    warc_headers = {"WARC-Date": _warc_date(answer.fetched_at)}
    headers = headers_without_secrets(answer.headers)
    url = url_without_secrets(answer.url)
    if urlsplit(url).scheme not in ("http", "https"):
        about["headers"] = headers
        warc_headers[_METADATA] = json.dumps(about)
        kind = answer.content_type or "application/octet-stream"
        return writer.create_warc_record(
            url,
            "resource",
            payload=io.BytesIO(answer.body),
            length=len(answer.body),
            warc_content_type=kind,
            warc_headers_dict=warc_headers,
        )
    warc_headers[_METADATA] = json.dumps(about)
    lines = [(f"x-archive-orig-{n}" if n in _HOP else n, v) for n, v in headers.items()]
    lines.append(("content-length", str(len(answer.body))))
    return writer.create_warc_record(
        url,
        "response",
        payload=io.BytesIO(answer.body),
        length=len(answer.body),
        http_headers=StatusAndHeaders(_status_line(answer.status), lines, protocol="HTTP/1.1"),
        warc_headers_dict=warc_headers,
    )


def _request(writer: WARCWriter, answer: Answer, sent: Mapping[str, str]) -> Any:
    request = answer.request or Request(answer.url)
    url = url_without_secrets(answer.url)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"host": parts.netloc, **headers_without_secrets(sent)}
    form = _form(request)
    return writer.create_warc_record(
        url,
        "request",
        payload=io.BytesIO(form),
        length=len(form),
        http_headers=StatusAndHeaders(
            f"{request.method.upper()} {path} HTTP/1.1", list(headers.items()), is_http_request=True
        ),
        warc_headers_dict={"WARC-Date": _warc_date(answer.fetched_at)},
    )


def _form(request: Request) -> bytes:
    """What the request carried, secret fields replaced."""
    if request.json is not None:
        return json.dumps(_without_secrets(request.json)).encode()
    if request.form is not None:
        return urlencode(_without_secrets(request.form)).encode()
    return b""


def _without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: HIDDEN if is_secret_name(name) else value for name, value in fields.items()}


def _status_line(status: int) -> str:
    known = {int(s): s.phrase for s in HTTPStatus}
    return f"{status} {known.get(status, 'Unknown')}"


def _warc_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _replace(path: Path, data: bytes) -> None:
    """*data* in the place of *path*, whole or not at all."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    new.replace(path)


def _sync_folder(folder: Path) -> None:
    """Names of files are on disk too."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _start(path: Path) -> datetime:
    """When the file was begun, from its name."""
    return datetime.strptime(path.name.split("-")[1], _STAMP).replace(tzinfo=UTC)


# ------------------------------------------------------------------------------------------ reading


class _Member(io.RawIOBase):
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
            data = self._file.read(_BLOCK)
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


def _records(path: Path, tally: Counter[str]) -> Iterator[Any]:
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
            member = _Member(file, offset)
            yield from _records_of(io.BufferedReader(member, _BLOCK), tally)
            offset = _next_member(file, offset, member)


def _records_of(stream: Any, tally: Counter[str]) -> Iterator[Any]:
    try:
        # HTTP headers are parsed by us: on damaged records warcio raises whatever comes
        yield from ArchiveIterator(stream, arc2warc=True, no_record_parse=True)
        while stream.read(_BLOCK):
            pass  # what the last record left, up to the end of the member
    except _BROKEN:
        tally["broken"] += 1


def _next_member(file: BinaryIO, offset: int, member: _Member) -> int | None:
    """
    Where the next gzip member starts; None at the end. After a broken one: at the next signature.
    """
    start = member.end if member.end is not None else offset + 1
    file.seek(start)
    if member.end is not None:
        return start if file.read(2) == _MAGIC[:2] else None
    before = b""
    while block := file.read(_BLOCK):
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
    about = _about(warc.get_header(_METADATA))
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
        fetched_at=_moment(warc.get_header("WARC-Date")),
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
    raw = _read(stream, cap + _BLOCK)
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
    while block := stream.read(_BLOCK):
        parts += block
        if len(parts) > cap:
            raise BodyTooLarge(f"more than {cap} bytes")
    return bytes(parts)


def _moment(text: str | None) -> datetime:
    if not text:
        raise ValueError("a record has no date")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# ----------------------------------------------------------------------------------------- erasing


@dataclass(frozen=True, slots=True)
class _Kept:
    """One record, as far as erasing looks at it."""

    kind: str
    url: str
    date: datetime
    body: bytes


def _sort(path: Path, goes: Callable[[_Kept], bool]) -> tuple[list[tuple[str, bytes]], int, int]:
    """
    (kind and raw bytes of the records that stay, how many answers go, how many records are broken).
    """
    stay: list[tuple[str, bytes]] = []
    gone = broken = 0
    with path.open("rb") as file:
        offset: int | None = 0
        while offset is not None:
            member = _Member(file, offset)
            kept = _look(member)
            following = _next_member(file, offset, member)
            if kept is None or member.end is None:
                broken += 1
            elif kept.kind != "warcinfo" and goes(kept):
                gone += kept.kind != "request"
                broken += kept.kind == "request"
            else:
                file.seek(offset)
                stay.append((kept.kind, file.read(member.end - offset)))
            offset = following
    return stay, gone, broken


def _look(member: _Member) -> _Kept | None:
    stream = io.BufferedReader(member, _BLOCK)
    try:
        record = next(iter(ArchiveIterator(stream, no_record_parse=True)))
        body = record.raw_stream.read()
        while stream.read(_BLOCK):
            pass
        headers = record.rec_headers
        return _Kept(
            record.rec_type,
            headers.get_header("WARC-Target-URI") or "",
            _moment(headers.get_header("WARC-Date")),
            body,
        )
    except (*_BROKEN, StopIteration):
        return None

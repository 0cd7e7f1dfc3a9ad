"""The folder of archive files: written so that kill -9 costs nothing, purged, erased from."""

import io
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from raccroche.archive.reading import BLOCK, BROKEN, Member, moment_of, next_member, read_warc
from raccroche.archive.records import request_record, response_record
from raccroche.errors import StoreError
from raccroche.post import Answer

_NAME = re.compile(r"raccroche-\d{8}T\d{6}Z-[0-9a-f]{8}\.warc\.gz")
_STAMP = "%Y%m%dT%H%M%SZ"


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
        response = response_record(writer, answer, source)
        if urlsplit(answer.url).scheme in ("http", "https"):
            writer.write_request_response_pair(request_record(writer, answer, sent), response)
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
            member = Member(file, offset)
            kept = _look(member)
            following = next_member(file, offset, member)
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


def _look(member: Member) -> _Kept | None:
    stream = io.BufferedReader(member, BLOCK)
    try:
        record = next(iter(ArchiveIterator(stream, no_record_parse=True)))
        body = record.raw_stream.read()
        while stream.read(BLOCK):
            pass
        headers = record.rec_headers
        return _Kept(
            record.rec_type,
            headers.get_header("WARC-Target-URI") or "",
            moment_of(headers.get_header("WARC-Date")),
            body,
        )
    except (*BROKEN, StopIteration):
        return None

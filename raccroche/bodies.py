"""Reads bodies with a cap on what they weigh, before and after decompression."""

import io
import re
import zlib
from collections.abc import AsyncIterable

import brotli  # type: ignore[import-untyped]
import zstandard

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_MOST_ENCODINGS = 3
_WINDOW = 8 * 1024 * 1024  # the most a zstd frame may ask for (RFC 9659)


class BodyTooLarge(Exception):
    """The body is larger than the cap, on the wire or decompressed."""


class BodyBroken(Exception):
    """The body ends early or does not decompress: worth another try."""


async def read_capped(chunks: AsyncIterable[bytes], cap: int, *, cut: bool = False) -> bytes:
    """
    The bytes of *chunks*. Over *cap* bytes: the first *cap* if *cut*, else BodyTooLarge. Never
    holds more than a chunk over.
    """
    parts = bytearray()
    async for chunk in chunks:
        parts += chunk
        if len(parts) > cap:
            if cut:
                return bytes(parts[:cap])
            raise BodyTooLarge(f"more than {cap} bytes")
    return bytes(parts)


def decoded(body: bytes, encodings: str, cap: int) -> bytes:
    """
    *body* without its content codings (`Content-Encoding: gzip, br`), at most *cap* bytes.

    Raises BodyTooLarge as soon as the cap is passed, before the rest is decompressed; BodyBroken if
    it does not decode.
    """
    names = [name.strip().lower() for name in encodings.split(",") if name.strip()]
    names = [name for name in names if name != "identity"]
    if len(names) > _MOST_ENCODINGS:
        raise BodyTooLarge(f"{len(names)} content codings one in the other")
    for name in reversed(names):
        body = _decode_one(body, name, cap)
    return body


def _decode_one(body: bytes, name: str, cap: int) -> bytes:
    if not body:
        return body
    if name in ("gzip", "x-gzip"):
        return _gunzip(body, cap)
    if name == "deflate":
        return _inflate(body, cap)
    if name == "br":
        return _unbrotli(body, cap)
    if name == "zstd":
        return _unzstd(body, cap)
    raise BodyBroken(f"content coding {name[:20]!r} was not asked for")


def _gunzip(body: bytes, cap: int) -> bytes:
    """All members of a gzip file; what follows the last is ignored, as browsers do."""
    out = bytearray()
    rest = body
    while rest[:2] == b"\x1f\x8b":
        piece, rest = _zlib(rest, zlib.MAX_WBITS | 16, cap - len(out))
        out += piece
    if not out and rest is body:
        raise BodyBroken("said to be gzip and is not")
    return bytes(out)


def _inflate(body: bytes, cap: int) -> bytes:
    """zlib format, or the raw deflate that some servers send instead."""
    raw = body[0] & 0x0F != 8 or (body[0] * 256 + body[1]) % 31 != 0 if len(body) > 1 else True
    return _zlib(body, -zlib.MAX_WBITS if raw else zlib.MAX_WBITS, cap)[0]


def _zlib(body: bytes, window: int, cap: int) -> tuple[bytes, bytes]:
    reader = zlib.decompressobj(window)
    try:
        out = reader.decompress(body, cap + 1)
    except zlib.error as error:
        raise BodyBroken(str(error)) from error
    if len(out) > cap:
        raise BodyTooLarge(f"decompresses to more than {cap} bytes")
    if not reader.eof:
        raise BodyBroken("the compressed body ends early")
    return out, reader.unused_data


def _unbrotli(body: bytes, cap: int) -> bytes:
    reader = brotli.Decompressor()
    try:
        out = bytearray(reader.process(body, output_buffer_limit=cap + 1))
        while not reader.is_finished() and not reader.can_accept_more_data() and len(out) <= cap:
            out += reader.process(b"", output_buffer_limit=cap + 1 - len(out))
    except brotli.error as error:
        raise BodyBroken(str(error)) from error
    if len(out) > cap:
        raise BodyTooLarge(f"decompresses to more than {cap} bytes")
    if not reader.is_finished():
        raise BodyBroken("the compressed body ends early")
    return bytes(out)


def _unzstd(body: bytes, cap: int) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
        io.BytesIO(body), read_across_frames=True
    )
    try:
        out = reader.read(cap + 1)
        if len(out) > cap:
            raise BodyTooLarge(f"decompresses to more than {cap} bytes")
        _check_frames(body)
    except zstandard.ZstdError as error:
        raise BodyBroken(str(error)) from error
    return out


def _check_frames(body: bytes) -> None:
    """
    The reader above takes a cut frame for a short one; this tells them apart. Only for a body known
    to be small.
    """
    while body:
        frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        frame.decompress(body)
        if not frame.eof:
            raise BodyBroken("the compressed body ends early")
        body = frame.unused_data


_OPT_OUT = re.compile(
    rb"<meta[^>]{0,80}?name\s*=\s*[\"']?(tdm-reservation|robots)[\"']?"
    rb"[^>]{0,80}?content\s*=\s*[\"']?([^\"'>]{1,80})"
)


def opt_outs_in(body: bytes) -> set[str]:
    """Which of "tdm-reservation", "noai" and "noimageai" the `<meta>` elements of a page say."""
    found: set[str] = set()
    start = body[:16_384].lower()
    if b"tdm-reservation" not in start and b"noai" not in start and b"noimageai" not in start:
        return found  # nearly always: the pattern below is slow
    for name, content in _OPT_OUT.findall(start):
        words = content.decode("ascii", "replace").replace(",", " ").split()
        if name == b"tdm-reservation":
            found |= {"tdm-reservation"} if words == ["1"] else set()
        else:
            found |= {"noai", "noimageai"} & set(words)
    return found

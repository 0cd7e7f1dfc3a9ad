"""Bodies come out of their codings whole, and never larger than the cap."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial

import brotli
import pytest
import zstandard

from raccroche.bodies import BodyBroken, BodyTooLarge, decoded, opt_outs_in

CAP = 200_000
TEXT = "Encore un appel à 8 h du matin. ".encode() * 500


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": raw_deflate,
    "br": partial(brotli.compress, quality=4),
    "zstd": zstandard.compress,
}
every_coding = pytest.mark.parametrize("name", CODINGS)


@every_coding
def test_a_body_comes_out_as_it_went_in(name: str) -> None:
    assert decoded(CODINGS[name](TEXT), name, CAP) == TEXT


@every_coding
def test_a_body_of_exactly_the_cap_is_taken(name: str) -> None:
    assert len(decoded(CODINGS[name](b"a" * CAP), name, CAP)) == CAP


@every_coding
def test_a_body_one_byte_over_the_cap_is_not(name: str) -> None:
    with pytest.raises(BodyTooLarge):
        decoded(CODINGS[name](b"a" * (CAP + 1)), name, CAP)


@every_coding
def test_a_bomb_is_left_before_it_is_unpacked(name: str) -> None:
    bomb = CODINGS[name](b"\0" * 20_000_000)
    assert len(bomb) < 100_000
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        decoded(bomb, name, CAP)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * CAP


@every_coding
def test_a_compressed_body_that_ends_early_is_broken_not_short(name: str) -> None:
    with pytest.raises(BodyBroken):
        decoded(CODINGS[name](TEXT)[:-9], name, CAP)


@every_coding
def test_a_body_that_is_not_in_its_coding_is_broken(name: str) -> None:
    if name == "deflate ":
        pytest.skip("raw deflate has no signature")
    with pytest.raises(BodyBroken):
        decoded(b"<html>not compressed</html>", name, CAP)


def test_codings_one_in_the_other_are_undone_in_order() -> None:
    assert decoded(brotli.compress(gzip.compress(TEXT)), "gzip, br", CAP) == TEXT


def test_a_bomb_in_a_bomb_is_left_at_the_first_cap() -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 20_000_000))
    with pytest.raises(BodyTooLarge):
        decoded(bomb, "gzip, gzip", CAP)


def test_more_codings_than_anybody_uses_are_refused() -> None:
    with pytest.raises(BodyTooLarge):
        decoded(b"x", "gzip, gzip, gzip, gzip", CAP)


def test_several_gzip_members_are_one_body_and_padding_after_them_is_ignored() -> None:
    assert (
        decoded(gzip.compress(b"un") + gzip.compress(b"deux") + b"\0\0", "gzip", CAP) == b"undeux"
    )


def test_a_coding_that_was_not_asked_for_is_broken() -> None:
    with pytest.raises(BodyBroken, match="compress"):
        decoded(b"x", "compress", CAP)


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (b'<meta name="tdm-reservation" content="1">', {"tdm-reservation"}),
        (b'<meta name="tdm-reservation" content="0">', set()),
        (b"<META NAME=robots CONTENT='noindex, noai, noimageai'>", {"noai", "noimageai"}),
        (b'<meta name="robots" content="index,follow">', set()),
        (b"<p>noai</p>", set()),
    ],
)
def test_reservations_in_a_page_are_noted(page: bytes, found: set[str]) -> None:
    assert opt_outs_in(page) == found

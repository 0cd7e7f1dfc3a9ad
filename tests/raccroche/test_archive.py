"""Raw answers are kept whole, read again, survive kill -9, and go when they must."""

import gzip
import io
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import time
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from raccroche.archive import Archive, read_warc
from raccroche.errors import ImportFileError, StoreError
from raccroche.http import Client
from raccroche.post import Answer, Request
from tests.servers.faulty import FakeTime, Faulty, answer, polite_client

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PAGE = "<p>Encore démarché ce matin.</p>".encode()


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


def page(number: int = 1, *, body: bytes = PAGE, at: datetime = START, **fields: Any) -> Answer:
    url = fields.pop("url", f"https://blog.example/comments?page={number}")
    fields.setdefault("headers", {"content-type": "text/html; charset=utf-8", "x-wp-total": "7"})
    request = fields.pop("request", Request(url, context={"thread": "12"}, phase="comments"))
    return Answer(url=url, body=body, request=request, fetched_at=at, **fields)


def archive(folder: Path, **options: Any) -> Archive:
    options.setdefault("now", lambda: START)
    return Archive(folder, **options)


def keep(kept: Archive, *answers: Answer) -> Archive:
    for one in answers:
        kept.add(one, source="blog", sent={"user-agent": "Raccroche/0.1"})
    return kept


def read(path: Path, **options: Any) -> tuple[list[Answer], Counter[str]]:
    tally: Counter[str] = Counter()
    return list(read_warc(path, tally=tally, **options)), tally


def held(kept: Archive) -> bytes:
    """Everything the archive holds, unpacked."""
    return b"".join(gzip.decompress(path.read_bytes()) for path in kept.files())


# ------------------------------------------------------------------------------------------ keeping


def test_an_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(status=404))
    (got,) = kept.answers()
    assert (got.url, got.status, got.body) == (page().url, 404, PAGE)
    assert (got.fetched_at, got.headers["x-wp-total"]) == (START, "7")
    assert got.request is not None
    assert (got.phase, got.context) == ("comments", {"thread": "12", "source": "blog"})


def test_what_came_compressed_is_kept_unpacked_and_read_once(tmp_path: Path) -> None:
    headers = {"content-encoding": "gzip", "transfer-encoding": "chunked", "content-length": "3"}
    kept = keep(archive(tmp_path), page(headers=headers))
    (got,) = kept.answers()
    assert got.body == PAGE
    assert got.headers["x-archive-orig-content-encoding"] == "gzip"
    assert got.headers["content-length"] == str(len(PAGE))


def test_a_stream_is_kept_with_its_headers(tmp_path: Path) -> None:
    headers = {"content-type": "application/x-ndjson", "x-nntp-last": "9"}
    url = "nntp://news.example/fr.test?from=3"
    kept = keep(archive(tmp_path), page(url=url, body=b"{}\n", headers=headers))
    (got,) = kept.answers()
    assert (got.url, got.body, got.headers["x-nntp-last"]) == (url, b"{}\n", "9")


def test_other_programs_can_read_the_files_and_their_digests_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = keep(archive(tmp_path), page(1), page(2))
    with kept.files()[0].open("rb") as file:
        kinds = [record.rec_type for record in ArchiveIterator(file, check_digests="raise")]
    assert kinds == ["warcinfo", "response", "request", "response", "request"]
    checker = Checker(type("Options", (), {"inputs": [str(kept.files()[0])], "verbose": False})())
    assert checker.process_all() == 0
    capsys.readouterr()


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path / "warc"), page())
    assert stat.S_IMODE((tmp_path / "warc").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.files()} == {0o600}


def test_no_secret_is_kept(tmp_path: Path) -> None:
    url = "https://api.example/v1?api_key=s3cret&q=appel"
    request = Request(url, method="POST", form={"password": "s3cret", "q": "appel"})
    kept = archive(tmp_path)
    kept.add(
        page(url=url, request=request, headers={"set-cookie": "s3cret"}),
        source="blog",
        sent={"authorization": "Bearer s3cret", "x-api-key": "s3cret", "accept": "*/*"},
    )
    text = held(kept)
    assert b"s3cret" not in text
    assert b"q=appel" in text
    assert b"accept: */*" in text


def test_a_file_is_closed_when_large_and_after_a_day(tmp_path: Path) -> None:
    moment = [START]
    kept = archive(tmp_path, rotate_bytes=3000, now=lambda: moment[0])
    keep(kept, *(page(n, body=os.urandom(800)) for n in range(4)))
    large = len(kept.files())
    assert large > 1
    moment[0] += timedelta(days=1, minutes=1)
    keep(kept, page(9))
    assert len(kept.files()) == large + 1
    assert len(list(kept.answers())) == 5


def test_a_second_process_writes_a_file_of_its_own(tmp_path: Path) -> None:
    keep(archive(tmp_path), page(1))
    kept = keep(archive(tmp_path), page(2))
    assert len(kept.files()) == 2


@pytest.mark.anyio
async def test_the_client_keeps_answers_but_no_login_and_no_secret(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    async with Faulty() as server, polite_client(FakeTime(), archive=kept) as client:
        await _collect(client, server)
    urls = [got.url for got in kept.answers()]
    assert urls == [server.url("/")]
    assert b"s3cret" not in held(kept)


async def _collect(client: Client, server: Faulty) -> None:
    server.on("/", answer("bonjour"), answer("", 304))
    server.on("/login", answer('{"token": "s3cret"}'))
    session = client.session("blog", headers={"x-custom": "s3cret"})
    await session.fetch(Request(server.url("/login"), transient=True))
    await session.fetch(Request(server.url()))
    await session.fetch(Request(server.url()))
    assert server.seen[-1].headers["x-custom"] == "s3cret"


# ---------------------------------------------------------------------------------- after a kill -9


def test_a_cut_last_record_is_left_out_and_the_rest_is_read(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1), page(2), page(3))
    path = kept.files()[0]
    whole = path.read_bytes()
    assert read(path)[1] == Counter(answers=3, other=4)
    for cut in random.Random(1).sample(range(1, len(whole)), 60):
        path.write_bytes(whole[:cut])
        try:
            got, tally = read(path)
        except ImportFileError:
            assert cut < 400  # not even the first record is whole
            continue
        assert [a.url for a in got] == [page(n).url for n in range(1, len(got) + 1)]
        assert all(a.body == PAGE for a in got)
        assert tally["broken"] <= 1


WRITER = """
    import sys
    from datetime import datetime, UTC
    from pathlib import Path
    from raccroche.archive import Archive
    from raccroche.post import Answer
    archive = Archive(Path(sys.argv[1]))
    for number in range(100_000):
        url = f"https://blog.example/{number}"
        archive.add(Answer(url, b"x" * 5000), source="blog", sent={})
        print(number, flush=True)
"""


def test_after_kill_9_every_answer_that_was_added_is_there(tmp_path: Path) -> None:
    program = [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path)]
    dice = random.Random(7)
    for round_ in range(3):
        folder = tmp_path / str(round_)
        program[-1] = str(folder)
        child = subprocess.Popen(program, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(dice.random() * 0.05)
        child.send_signal(signal.SIGKILL)
        told = [0, *(int(line) for line in child.stdout.read().split(b"\n")[:-1] if line)]
        child.wait()
        child.stdout.close()
        urls = [got.url for got in Archive(folder).answers()]
        assert urls[: max(told) + 1] == [f"https://blog.example/{n}" for n in range(max(told) + 1)]


def test_on_a_full_disk_no_half_record_stays(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1))
    size = kept.files()[0].stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200, before[1]))
        with pytest.raises(StoreError, match="cannot be written"):
            keep(kept, page(2, body=os.urandom(5000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert kept.files()[0].stat().st_size == size
    keep(kept, page(3))
    assert read(kept.files()[0])[1] == Counter(answers=2, other=3)


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be made"):
        Archive(tmp_path / "file" / "warc")


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "raccroche-notes.warc.gz").write_bytes(b"mine")
    kept = keep(archive(tmp_path), page(1))
    assert kept.purge(START + timedelta(days=99)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["raccroche-notes.warc.gz"]


# ------------------------------------------------------------------------------- anybody's archives


def foreign(*records: tuple[str, list[tuple[str, str]], bytes], gz: bool = True) -> bytes:
    """A WARC as others write it: (kind, HTTP headers, body as it came over the wire)."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=gz)
    for number, (kind, headers, body) in enumerate(records):
        http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                f"https://blog.example/{number}",
                kind,
                payload=io.BytesIO(body),
                length=len(body),
                http_headers=None if kind == "metadata" else http,
            )
        )
    return buffer.getvalue()


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


GZIPPED = [("Content-Encoding", "gzip"), ("Content-Type", "text/html")]
CHUNKED = [("Transfer-Encoding", "chunked")]


@pytest.mark.parametrize("gz", [True, False])
def test_chunked_and_compressed_bodies_of_others_are_decoded(tmp_path: Path, gz: bool) -> None:
    path = tmp_path / "cc.warc"
    path.write_bytes(
        foreign(
            ("response", GZIPPED, gzip.compress(PAGE)),
            ("response", CHUNKED, chunked(PAGE)),
            ("response", GZIPPED + CHUNKED, chunked(gzip.compress(PAGE))),
            ("response", [("Content-Encoding", "br")], brotli.compress(PAGE)),
            ("response", GZIPPED, PAGE),  # header kept, body stored unpacked
            ("response", CHUNKED, PAGE),  # the same, body stored in one piece
            gz=gz,
        )
    )
    got, tally = read(path)
    assert [a.body for a in got] == [PAGE] * 6
    assert tally == Counter(answers=6)
    assert got[0].context == {}


def test_records_that_are_no_answer_are_counted_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(foreign(("metadata", [], b"x"), ("response", [], PAGE)))
    got, tally = read(path)
    assert (len(got), tally) == (1, Counter(answers=1, other=1))


def test_a_whole_file_packed_as_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(gzip.compress(foreign(*[("response", [], PAGE)] * 3, gz=False)))
    assert read(path)[1] == Counter(answers=3)


def test_a_broken_record_in_the_middle_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    parts = [foreign(("response", [], PAGE + bytes([48 + n]) * 300)) for n in range(4)]
    broken = bytearray(parts[1])
    broken[60:120] = os.urandom(60)
    path.write_bytes(parts[0] + bytes(broken) + parts[2] + parts[3])
    got, tally = read(path)
    assert [a.body[-1:] for a in got] == [b"0", b"2", b"3"]
    assert tally["broken"] >= 1


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (GZIPPED, gzip.compress(b"\0" * 20_000_000)),
        ([("Content-Encoding", "br")], brotli.compress(b"\0" * 20_000_000, quality=3)),
        ([], b"\0" * 300_000),
        (GZIPPED, gzip.compress(PAGE)[:-9]),
        (CHUNKED, b"ff\r\ncut before its end"),
    ],
    ids=["gzip bomb", "brotli bomb", "too large", "cut gzip", "cut chunk"],
)
def test_a_body_that_is_a_bomb_or_broken_is_counted_and_left(
    tmp_path: Path, headers: list[tuple[str, str]], body: bytes
) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(foreign(("response", headers, body), ("response", [], PAGE)))
    got, tally = read(path, cap=200_000)
    assert ([a.body for a in got], tally) == ([PAGE], Counter(answers=1, broken=1))


def test_a_file_that_is_no_warc_is_one_error(tmp_path: Path) -> None:
    for content in (b"hello", b"\x1f\x8b\x08nonsense", gzip.compress(b"hello")):
        path = tmp_path / "x.warc.gz"
        path.write_bytes(content)
        with pytest.raises(ImportFileError, match="no WARC record"):
            read(path)


def test_a_missing_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="No such file"):
        read(tmp_path / "missing.warc.gz")


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(b"")
    assert read(path) == ([], Counter())


SAMPLE = foreign(("response", GZIPPED, gzip.compress(PAGE)), ("response", CHUNKED, chunked(PAGE)))
PLAIN = foreign(("response", GZIPPED, PAGE), ("response", CHUNKED, chunked(PAGE)), gz=False)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.sampled_from([SAMPLE, PLAIN]),
    changes=st.lists(
        st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=12)), min_size=1, max_size=6
    ),
)
def test_no_damage_raises_anything_but_an_import_error(
    tmp_path: Path, base: bytes, changes: list[tuple[int, bytes]]
) -> None:
    data = bytearray(base)
    for place, new in changes:
        data[place % len(data) : place % len(data) + len(new)] = new
    path = tmp_path / "damaged.warc.gz"
    path.write_bytes(bytes(data))
    try:
        got, _ = read(path)
    except ImportFileError:
        return
    assert len(got) <= 3


# --------------------------------------------------------------------------------- purging, erasing


def test_answers_go_after_their_retention_and_not_before(tmp_path: Path) -> None:
    moment = [START]
    kept = archive(tmp_path, retention_days=30, now=lambda: moment[0])
    keep(kept, page(1, at=START), page(2, at=START + timedelta(hours=20)))
    moment[0] = START + timedelta(days=30)
    assert kept.purge() == 0
    moment[0] = START + timedelta(days=30, hours=10)
    assert kept.purge() == 1
    assert [got.url for got in kept.answers()] == [page(2).url]
    moment[0] = START + timedelta(days=31)
    assert kept.purge() == 1
    assert kept.files() == []


def test_an_erased_url_is_gone_from_the_bytes_on_disk(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1), page(2, body=b"somebody's words"), page(3))
    path = kept.files()[0]
    assert kept.erase(lambda url: url.endswith("page=2")) == 1
    assert b"somebody's words" not in held(kept)
    assert b"page=2" not in held(kept)
    assert [got.url for got in kept.answers()] == [page(1).url, page(3).url]
    assert read(path)[1] == Counter(answers=2, other=3)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_pages_that_hold_somebody_s_words_are_erased(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1), page(2, body=b"... by pseudo-77 ..."))
    assert kept.erase(lambda url: False, holding=lambda body: b"pseudo-77" in body) == 1
    assert [got.url for got in kept.answers()] == [page(1).url]


def test_erasing_what_is_not_there_changes_nothing(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1))
    before = kept.files()[0].read_bytes()
    assert kept.erase(lambda url: "elsewhere" in url) == 0
    assert kept.files()[0].read_bytes() == before


def test_a_cut_record_does_not_survive_an_erasure(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1), page(2))
    path = kept.files()[0]
    path.write_bytes(path.read_bytes()[:-20])
    kept.erase(lambda url: url.endswith("page=1"))
    assert read(path)[1] == Counter(answers=1, other=1)


def test_writing_goes_on_after_an_erasure(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1))
    kept.erase(lambda url: True)
    keep(kept, page(2))
    assert [got.url for got in kept.answers()] == [page(2).url]


def test_one_record_is_one_gzip_member(tmp_path: Path) -> None:
    kept = keep(archive(tmp_path), page(1))
    rest, members = kept.files()[0].read_bytes(), 0
    while rest:
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        assert reader.decompress(rest).startswith(b"WARC/1.1\r\n")
        rest, members = reader.unused_data, members + 1
    assert members == 3

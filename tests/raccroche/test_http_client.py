"""The client against a real server on loopback: what goes out, what comes back, what is refused."""

import asyncio
import gzip
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

import brotli
import pytest
import zstandard
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from raccroche.errors import BudgetSpent, ConfigError, FetchError
from raccroche.http import Budget, Client
from raccroche.post import Answer, Request
from tests.servers.faulty import (
    FakeTime,
    Faulty,
    answer,
    drip,
    endless,
    polite_client,
    reset,
    self_signed,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    async with Faulty() as running:
        yield running


async def ask(server: Faulty, path: str = "/", **options: Any) -> Answer:
    context = options.pop("context", {})
    async with polite_client(FakeTime(), **options) as client:
        return await client.session("test").fetch(Request(server.url(path), context=context))


async def refusal(server: Faulty, path: str = "/", **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await ask(server, path, **options)
    return caught.value


# ------------------------------------------------------------------------------------ what goes out


async def test_an_answer_holds_url_status_headers_and_body(server: Faulty) -> None:
    server.on("/", answer("bonjour", x_wp_total="12"))
    got = await ask(server, "/?page=2")
    assert (got.url, got.status, got.body) == (server.url("/?page=2"), 200, b"bonjour")
    assert got.headers["x-wp-total"] == "12"


async def test_every_request_says_who_asks_and_whom_to_write_to(server: Faulty) -> None:
    server.on("/", answer("x"))
    await ask(server)
    agents = {seen.headers["user-agent"] for seen in server.seen + server.about}
    assert agents == {"Raccroche/0.1 (+webmaster@observatory.example)"}


def test_without_a_contact_nothing_is_asked() -> None:
    with pytest.raises(ConfigError, match="contact"):
        Client(" ", "Raccroche/0.1")


async def test_parameters_are_added_to_the_query_and_the_fragment_is_dropped(
    server: Faulty,
) -> None:
    server.on("/", answer("x"))
    async with polite_client(FakeTime()) as client:
        request = Request(server.url("/?a=1#top"), params={"q": "démarchage & co"})
        await client.session("test").fetch(request)
    query = parse_qs(server.seen[0].path.partition("?")[2])
    assert query == {"a": ["1"], "q": ["démarchage & co"]}


async def test_a_form_and_json_are_posted(server: Faulty) -> None:
    server.on("/", answer("x"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test")
        await session.fetch(Request(server.url(), method="POST", form={"a": "é"}))
        await session.fetch(Request(server.url(), method="POST", json={"a": 1}))
    form, sent = server.seen
    assert (form.method, form.body) == ("POST", b"a=%C3%A9")
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (sent.body.replace(b" ", b""), sent.headers["content-type"]) == (
        b'{"a":1}',
        "application/json",
    )


async def test_cookies_are_neither_kept_nor_shown(server: Faulty) -> None:
    server.on("/", answer("x", set_cookie="id=1; Path=/"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test")
        first = await session.fetch(Request(server.url()))
        await session.fetch(Request(server.url("/?2")))
    assert "set-cookie" not in first.headers
    assert "cookie" not in server.seen[1].headers


# ------------------------------------------------------------------------------------------ secrets


async def test_session_headers_go_to_the_host_of_the_source_only(server: Faulty) -> None:
    async with Faulty() as other:
        server.on("/", answer("x"))
        server.on("/away", answer("", 302, location=other.url("/landing")))
        other.on("/landing", answer("x"))
        async with polite_client(FakeTime()) as client:
            session = client.session("test", headers={"Authorization": "Bearer s3cret"})
            await session.fetch(Request(server.url()))
            await session.fetch(Request(server.url("/away")))
            await session.fetch(Request(other.url("/landing")))
    assert [seen.headers.get("authorization") for seen in server.seen] == ["Bearer s3cret"] * 2
    assert all("authorization" not in seen.headers for seen in other.seen + other.about)
    assert all("authorization" not in seen.headers for seen in server.about)


async def test_a_token_got_during_the_run_goes_to_the_hosts_named_for_it(server: Faulty) -> None:
    async with Faulty() as api:
        server.on("/login", answer("{}"))
        api.on("/", answer("x"))
        async with polite_client(FakeTime()) as client:
            session = client.session("test", hosts=[f"127.0.0.1:{api.port}"])
            session.headers["Authorization"] = "Bearer s3cret"
            await session.fetch(Request(server.url("/login"), transient=True))
            await session.fetch(Request(api.url()))
            session.trust(f"127.0.0.1:{server.port}")
            await session.fetch(Request(server.url("/login"), transient=True))
    assert api.seen[0].headers["authorization"] == "Bearer s3cret"
    assert ["authorization" in seen.headers for seen in server.seen] == [False, True]


async def test_a_secret_header_of_a_request_does_not_follow_it_to_another_host(
    server: Faulty,
) -> None:
    async with Faulty() as other:
        server.on("/", answer("", 307, location=other.url()))
        other.on("/", answer("x"))
        headers = {"X-Api-Key": "k", "Accept": "application/json"}
        async with polite_client(FakeTime()) as client:
            await client.session("test").fetch(Request(server.url(), headers=headers))
    assert "x-api-key" not in other.seen[0].headers
    assert other.seen[0].headers["accept"] == "application/json"


async def test_a_form_is_not_sent_on_to_another_host(server: Faulty) -> None:
    async with Faulty() as other:
        server.on("/", answer("", 307, location=other.url()))
        other.on("/", answer("x"))
        async with polite_client(FakeTime()) as client:
            with pytest.raises(FetchError, match="another host"):
                await client.session("test").fetch(
                    Request(server.url(), method="POST", form={"password": "p"})
                )
    assert other.seen == []


async def test_no_secret_reaches_a_log_or_an_error(
    server: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("/", answer("x"))
    server.on("/gone", answer("x", 503))
    async with polite_client(FakeTime()) as client:
        session = client.session("test", headers={"Authorization": "Bearer s3cret"})
        await session.fetch(Request(server.url("/?access_token=s3cret")))
        with pytest.raises(FetchError) as caught:
            await session.fetch(Request(server.url("/gone?key=s3cret&page=2")))
    assert "s3cret" not in caplog.text + str(caught.value) + caught.value.url
    assert "page=2" in str(caught.value)


async def test_a_secret_with_a_line_end_is_used_without_and_one_with_a_line_break_is_not_shown(
    server: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("/", answer("x"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test", headers={"X-Token": "s3cr\u00e9t\n"})
        await session.fetch(Request(server.url()))
        session.headers["X-Token"] = "s3cr\u00e9t\r\nX-Other: 1"
        with pytest.raises(FetchError, match="x-token holds a line break") as caught:
            await session.fetch(Request(server.url()))
    assert server.seen[0].headers["x-token"].encode("latin-1").decode() == "s3cr\u00e9t"
    assert "s3cr" not in caplog.text + str(caught.value)
    assert len(server.seen) == 1


async def test_a_line_is_logged_for_every_host(
    server: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.on("/", answer("bonjour"))
    await ask(server)
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
    assert line.startswith(f"127.0.0.1:{server.port}: 3 requests")


# ----------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, "login_wall"),
        (403, "blocked"),
        (451, "blocked"),
        (400, "unreachable"),
        (404, "unreachable"),
        (410, "unreachable"),
        (418, "unreachable"),
        (500, "unreachable"),
        (501, "unreachable"),
        (502, "unreachable"),
        (503, "unreachable"),
        (504, "unreachable"),
        (522, "unreachable"),
        (429, "rate_limited"),
    ],
)
async def test_a_status_has_its_verdict(server: Faulty, status: int, verdict: str) -> None:
    server.on("/", answer("x", status))
    error = await refusal(server)
    assert (error.verdict, error.status) == (verdict, status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_a_status_that_the_collector_understands_is_an_answer(
    server: Faulty, status: int
) -> None:
    server.on("/", answer('{"code":"x"}', status, content_type="application/json"))
    got = await ask(server, context={"accept_status": f"400,401,403,404,429,{status}"})
    assert (got.status, got.json()) == (status, {"code": "x"})
    assert len(server.seen) == 1


WALLS = {
    "Cloudflare": "<html><head><title>Just a moment...</title></head>",
    "Cloudflare in French": "<title>Un instant…</title>",
    "DataDome": '<script src="https://ct.captcha-delivery.com/c.js"></script>',
    "Akamai": "<TITLE>Access Denied</TITLE> You cannot. https://errors.edgesuite.net/18.2",
    "Imperva": '<script src="/_Incapsula_Resource?SWJIYLWA=1"></script>',
    "PerimeterX": "<div id='px-captcha'></div>",
    "Anubis": "<title>Making sure you&#39;re not a bot!</title>",
    "Sucuri": "<title>Sucuri WebSite Firewall - Access Denied</title>",
}


@pytest.mark.parametrize("name", WALLS)
@pytest.mark.parametrize("status", [200, 403, 405, 503])
async def test_a_page_of_a_firewall_is_blocked_whatever_its_status(
    server: Faulty, name: str, status: int
) -> None:
    server.on("/", answer(WALLS[name], status))
    error = await refusal(server, context={"accept_status": "403"})
    assert (error.verdict, error.status) == ("blocked", status)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "header", [{"cf_mitigated": "challenge"}, {"x_amzn_waf_action": "captcha"}]
)
async def test_a_challenge_told_by_a_header_is_blocked(
    server: Faulty, header: dict[str, str]
) -> None:
    server.on("/", answer("", 202, **header))
    assert (await refusal(server)).verdict == "blocked"


@pytest.mark.parametrize(
    "page",
    [
        "<title>Mon blog</title><p>Just a moment... dit Cloudflare, Access Denied, captcha</p>",
        '<form><div class="g-recaptcha"></div></form>',
        "<p>Voir https://geo.captcha-delivery.com/ pour le captcha</p>",
    ],
)
async def test_a_post_that_talks_about_firewalls_is_not_one(server: Faulty, page: str) -> None:
    server.on("/", answer(page))
    assert (await ask(server)).text == page


# ------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    "fault",
    [
        reset(),
        answer("half", length=1000),
        answer(gzip.compress(b"whole")[:-4], content_encoding="gzip"),
        answer("not gzip", content_encoding="gzip"),
        answer("x", 500),
        answer("x", 502),
        answer("x", 503),
        answer("x", 504),
        answer("x", 429),
    ],
    ids=["reset", "cut", "cut gzip", "no gzip", "500", "502", "503", "504", "429"],
)
async def test_a_passing_fault_is_overcome(server: Faulty, fault: Any) -> None:
    server.on("/", fault, answer("bonjour"))
    assert (await ask(server)).body == b"bonjour"
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "fault", [reset(), answer("half", length=1000)], ids=["reset", "truncated"]
)
async def test_a_lasting_fault_is_unreachable_after_four_attempts(
    server: Faulty, fault: Any
) -> None:
    server.on("/", fault)
    error = await refusal(server)
    assert (error.verdict, len(server.seen)) == ("unreachable", 4)


async def test_nobody_at_the_address_is_unreachable(server: Faulty) -> None:
    async with Faulty() as gone:
        url = gone.url()
    async with polite_client(FakeTime()) as client:
        with pytest.raises(FetchError) as caught:
            await client.session("test").fetch(Request(url))
    assert caught.value.verdict == "unreachable"


async def test_a_name_without_address_is_unreachable() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    async with polite_client(FakeTime(), resolve=resolve) as client:
        session = client.session("test")
        with pytest.raises(FetchError, match="nowhere.example") as caught:
            await session.fetch(Request("https://nowhere.example/"))
    assert caught.value.verdict == "unreachable"
    assert session.robots == "unreachable"


async def test_an_endless_body_is_left_at_the_cap(server: Faulty) -> None:
    server.on("/", endless())
    error = await refusal(server, max_body=300_000)
    assert error.verdict == "unreachable"
    assert "too large" in str(error)
    assert len(server.seen) == 1


BOMBS = {
    "gzip": gzip.compress(b"\0" * 20_000_000),
    "br": brotli.compress(b"\0" * 20_000_000, quality=3),
    "zstd": zstandard.compress(b"\0" * 20_000_000),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_small_body_that_unpacks_beyond_the_cap_is_left(server: Faulty, name: str) -> None:
    server.on("/", answer(BOMBS[name], content_encoding=name))
    error = await refusal(server, max_body=300_000)
    assert "too large" in str(error)


async def test_a_compressed_body_is_read(server: Faulty) -> None:
    body = gzip.compress("é".encode())
    server.on("/", answer(body, content_encoding="gzip"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test")
        got = await session.fetch(Request(server.url()))
        assert (got.text, session.bytes) == ("é", len(body) + 2 * len("not here"))


@pytest.mark.parametrize("in_headers", [False, True])
async def test_a_server_that_drips_a_byte_now_and_then_is_left(
    server: Faulty, in_headers: bool
) -> None:
    server.on("/", drip(in_headers=in_headers))
    server.on("/robots.txt", answer("", 404))
    error = await refusal(server, total_timeout=0.05)
    assert error.verdict == "unreachable"
    assert "within 0.05 s" in str(error)


async def test_a_certificate_that_proves_nothing_is_not_trusted(
    server: Faulty, tmp_path: Any
) -> None:
    await server.over_tls(tmp_path)
    server.on("/", answer("x"))
    async with polite_client(FakeTime()) as client:
        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await client.session("test").fetch(Request(server.url().replace("http:", "https:")))
    assert caught.value.verdict == "unreachable"
    assert server.about == []


async def test_a_certificate_of_a_trusted_authority_is_taken(server: Faulty, tmp_path: Any) -> None:
    certificate = await server.over_tls(tmp_path)
    server.on("/", answer("x"))
    tls = ssl.create_default_context(cafile=certificate)
    async with polite_client(FakeTime(), tls=tls) as client:
        url = server.url().replace("http:", "https:")
        assert (await client.session("test").fetch(Request(url))).body == b"x"


async def test_a_redirect_from_https_to_http_is_not_followed(server: Faulty, tmp_path: Any) -> None:
    certificate = await server.over_tls(tmp_path)
    server.on("/", answer("", 302, location="http://blog.example/"))
    tls = ssl.create_default_context(cafile=certificate)

    async with polite_client(FakeTime(), tls=tls) as client:
        url = server.url().replace("http:", "https:")
        with pytest.raises(FetchError, match="from https to http"):
            await client.session("test").fetch(Request(url))


# ---------------------------------------------------------------------------------------- redirects


async def test_redirects_are_followed_and_the_answer_names_the_last_url(server: Faulty) -> None:
    server.on("/", answer("", 301, location="/b?x=1"))
    server.on("/b", answer("", 308, location="c"))
    server.on("/c", answer("here"))
    got = await ask(server)
    assert (got.url, got.body) == (server.url("/c"), b"here")


async def test_ten_redirects_are_followed_and_no_more(server: Faulty) -> None:
    for number in range(12):
        server.on(f"/{number}", answer("", 302, location=f"/{number + 1}"))
    server.on("/10", answer("here"))
    assert (await ask(server, "/0")).body == b"here"
    server.on("/10", answer("", 302, location="/11"))
    error = await refusal(server, "/0")
    assert (error.verdict, "more than 10 redirects" in str(error)) == ("unreachable", True)


@pytest.mark.parametrize(
    ("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
)
async def test_a_redirected_form_is_sent_again_only_where_the_status_says_so(
    server: Faulty, status: int, method: str
) -> None:
    server.on("/", answer("", status, location="/b"))
    server.on("/b", answer("x"))
    async with polite_client(FakeTime()) as client:
        await client.session("test").fetch(Request(server.url(), method="POST", form={"a": "1"}))
    last = server.seen[-1]
    assert (last.method, last.body) == (method, b"a=1" if method == "POST" else b"")


# ------------------------------------------------------------------------------------------ budgets


async def test_a_budget_of_requests_is_not_passed(server: Faulty) -> None:
    server.on("/", answer("x"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test", budget=Budget(requests=4))
        await session.fetch(Request(server.url("/?1")))
        await session.fetch(Request(server.url("/?2")))
        with pytest.raises(BudgetSpent, match="4 requests"):
            await session.fetch(Request(server.url("/?3")))
    assert len(server.seen + server.about) == session.requests == 4


async def test_a_budget_of_bytes_ends_after_the_answer_that_passes_it(server: Faulty) -> None:
    server.on("/", answer("x" * 1000))
    async with polite_client(FakeTime()) as client:
        session = client.session("test", budget=Budget(bytes=900))
        await session.fetch(Request(server.url()))
        with pytest.raises(BudgetSpent, match="900 bytes"):
            await session.fetch(Request(server.url()))
    assert len(server.seen) == 1


async def test_a_budget_of_minutes_is_not_spent_on_waiting(server: Faulty) -> None:
    server.on("/", answer("x", 429, retry_after="120"))
    time = FakeTime()
    async with polite_client(time) as client:
        session = client.session("test", budget=Budget(minutes=1))
        with pytest.raises(BudgetSpent, match="1 minutes"):
            await session.fetch(Request(server.url()))
    assert time.seconds < 60


async def test_retries_and_redirects_count_as_requests(server: Faulty) -> None:
    server.on("/", answer("x", 500), answer("", 302, location="/b"))
    server.on("/b", answer("x"))
    async with polite_client(FakeTime()) as client:
        session = client.session("test")
        await session.fetch(Request(server.url()))
        assert session.requests == 5  # robots.txt, tdmrep.json, 500, 302, 200


async def test_impolite_clients_ask_neither_robots_nor_patience(server: Faulty) -> None:
    server.on("/", answer("x"))
    time = FakeTime()
    async with polite_client(time, polite=False) as client:
        session = client.session("test")
        for _ in range(3):
            await session.fetch(Request(server.url()))
    assert (server.about, time.slept, session.robots) == ([], [], "not asked")


class TwoServer(asyncio.Protocol):
    """Speaks HTTP/2 and nothing else; says `two` to everything."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = cast(asyncio.Transport, transport)
        self.two = H2Connection(H2Configuration(client_side=False))
        self.two.initiate_connection()
        self.wire.write(self.two.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self.two.receive_data(data):
            if isinstance(event, RequestReceived):
                self.two.send_headers(event.stream_id, [(":status", "200")])
                self.two.send_data(event.stream_id, b"two", end_stream=True)
        self.wire.write(self.two.data_to_send())


async def test_a_server_that_offers_http_2_is_asked_over_it(tmp_path: Path) -> None:
    key, certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    two = await loop.create_server(TwoServer, "127.0.0.1", 0, ssl=tls)
    url = f"https://127.0.0.1:{two.sockets[0].getsockname()[1]}/"
    trusting = ssl.create_default_context(cafile=certificate)
    async with polite_client(FakeTime(), tls=trusting) as client:
        assert (await client.session("test").fetch(Request(url))).body == b"two"
    two.close()

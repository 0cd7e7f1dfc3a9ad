"""No address of a private network is reached, however it is written, named or redirected to."""

from collections.abc import AsyncIterator, Iterable
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx
import pytest

from raccroche.errors import FetchError
from raccroche.http import Client
from raccroche.http.addresses import AddressRefused, Guard, GuardedBackend, is_public
from raccroche.post import Request
from tests.servers.faulty import FakeTime, Faulty, answer, polite_client

pytestmark = pytest.mark.anyio

NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.8.9.10
    169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1
    192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
    224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:7f00:1 64:ff9b::7f00:1
    64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:db8::1
    2002:7f00:1:: 2002:a00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1
    fe80::1%eth0 fec0::1 ff02::1 ff05::2
""".split()  # noqa: SIM905

PUBLIC = ["8.8.8.8", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111"]
PUBLIC += ["2a00:1450:4007::1", "64:ff9b::808:808", "::ffff:8.8.8.8"]

REFUSED_URLS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0x/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://example.org:22/",
    "http://example.org:25/",
    "http://user:secret@example.org/",
    "http://example.org@127.0.0.1/",
    "ws://example.org/",
    "file:///etc/passwd",
    "ftp://example.org/",
    "gopher://example.org/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "//example.org/",
    "example.org",
    "http:///path",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://127.0.0.1%00.example.org/",
    "http://exa\nmple.org/",
    "http://example.org:0/",
    "http://example.org:65536/",
    "https://8.8.8.8:70000/",
    "wss://8.8.8.8:70000/",
    "nntp://8.8.8.8:99999999999/x",
    "http://xn--/",
    "https://xn--a.example.org/",
    "http://168.63.129.16/metadata",
    "http://[fe80::1%25eth0]/",
    "http://[::1%25lo]/",
    "http://127.0.0.1\\@example.org/",
    "http://",
    "",
]


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    async with Faulty() as running:
        yield running


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_that_is_not_of_the_public_internet_is_known_as_such(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("url", REFUSED_URLS)
async def test_a_url_that_hides_or_names_a_private_address_is_not_asked(url: str) -> None:
    async with Client("me@observatory.example", "Raccroche/0.1", resolve=_nobody) as client:
        with pytest.raises(FetchError) as caught:
            await client.session("test").fetch(Request(url))
    assert caught.value.verdict == "unreachable"
    assert "secret" not in str(caught.value)


async def _nobody(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["8.8.8.8", "192.168.1.1"],
        ["2606:4700::1111", "::1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%2"],
    ],
)
async def test_a_name_with_one_private_address_is_not_asked(found: list[str]) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return found

    with pytest.raises(AddressRefused, match="not a public address"):
        await Guard.of([], resolve).addresses("rebind.example", 443)


async def test_localhost_is_refused_by_its_address_not_by_its_name(server: Faulty) -> None:
    async with polite_client(FakeTime(), allow_hosts=()) as client:
        with pytest.raises(FetchError, match="not a public address"):
            await client.session("test").fetch(Request(server.url(host="localhost")))
    assert server.seen == server.about == []


async def test_a_host_named_in_the_configuration_may_be_private(server: Faulty) -> None:
    server.on("/", answer("x"))
    for name in ("127.0.0.1", f"127.0.0.1:{server.port}"):
        async with polite_client(FakeTime(), allow_hosts=[name]) as client:
            assert (await client.session("test").fetch(Request(server.url()))).body == b"x"


async def test_a_host_allowed_with_its_port_is_not_allowed_on_another(server: Faulty) -> None:
    async with polite_client(FakeTime(), allow_hosts=["127.0.0.1:1"]) as client:
        with pytest.raises(FetchError, match="not a public address"):
            await client.session("test").fetch(Request(server.url()))


class Recorder(httpcore.AsyncNetworkBackend):
    """Notes where a connection was asked for, and makes none."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append(host)
        raise httpcore.ConnectError("refused")


async def test_a_name_that_changes_its_address_is_connected_where_it_was_checked() -> None:
    answers = [["8.8.8.8", "8.8.4.4"], ["127.0.0.1"]]

    async def resolve(host: str, port: int) -> list[str]:
        return answers.pop(0)

    recorder = Recorder()
    backend = GuardedBackend(Guard.of([], resolve), recorder)
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_tcp("rebind.example", 443)
    assert recorder.asked == ["8.8.8.8", "8.8.4.4"]
    with pytest.raises(AddressRefused):
        await backend.connect_tcp("rebind.example", 443)
    assert recorder.asked == ["8.8.8.8", "8.8.4.4"]


async def test_every_connection_of_the_client_goes_through_the_guard(server: Faulty) -> None:
    server.on("/", answer("x"))
    looked_up: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    options = {"allow_hosts": ["intranet.example"], "resolve": resolve}
    async with polite_client(FakeTime(), **options) as client:
        url = server.url(host="intranet.example")
        assert (await client.session("test").fetch(Request(url))).body == b"x"
    assert set(looked_up) == {"intranet.example"}
    assert server.seen[0].headers["host"] == f"intranet.example:{server.port}"


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://2130706433/",
        "http://localhost:{port}/inside",
        "//localhost:{port}/inside",
        "file:///etc/passwd",
        "ftp://example.org/",
        "http://me:secret@example.org/",
        "http://[bad/",
        "wss://example.org/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_private_address_is_not_followed(
    server: Faulty, place: str, status: int
) -> None:
    server.on("/", answer("", status, location=place.replace("{port}", str(server.port))))
    server.on("/inside", answer("private"))
    async with polite_client(FakeTime()) as client:
        with pytest.raises(FetchError) as caught:
            await client.session("test").fetch(Request(server.url()))
    assert caught.value.verdict == "unreachable"
    assert [seen.path for seen in server.seen] == ["/"]


async def test_robots_txt_does_not_lead_to_a_private_address_either(server: Faulty) -> None:
    server.on("/robots.txt", answer("", 302, location=f"http://localhost:{server.port}/inside"))
    server.on("/inside", answer("User-agent: *\nAllow: /"))
    server.on("/", answer("x"))
    async with polite_client(FakeTime()) as client:
        with pytest.raises(FetchError):
            await client.session("test").fetch(Request(server.url()))
    assert server.seen == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from raccroche.http.exchange import GuardedTransport

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    transport = GuardedTransport(Guard(), httpx.create_ssl_context())
    assert isinstance(transport._pool, httpcore.AsyncConnectionPool)
    assert not isinstance(transport._pool, httpcore.AsyncHTTPProxy)

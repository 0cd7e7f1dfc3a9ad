"""
Which addresses may be asked: no private network is reached, whatever a page, a redirect or a name
server says.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from raccroche.errors import FetchError
from raccroche.redact import shown

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "nntp": 119}

# Besides what `ipaddress` calls not global; its tables differ between Python 3.11 and 3.13.
# https://www.iana.org/assignments/iana-ipv4-special-registry
_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # public by its number, a cloud's inside by its use
    )
]
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Teredo, ORCHID and the like; documentation; 6to4; segment routing
_NOT_PUBLIC_6 = [
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
]
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)


class AddressRefused(FetchError):
    """The address is not public, or is written so as to hide what it is."""

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message, url=shown(url) if url else "", verdict="unreachable")


def is_public(address: IPAddress) -> bool:
    """
    Whether *address* is a host of the public internet. Embedded IPv4 (mapped, NAT64) is judged as
    IPv4.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _GLOBAL_UNICAST or any(address in network for network in _NOT_PUBLIC_6):
        return False
    return address.is_global and not address.is_multicast


def plain_host(url: httpx.URL) -> str:
    """The host of *url* in lower case, ASCII, no brackets, no final dot."""
    return url.raw_host.decode("ascii").strip("[]").rstrip(".").lower()


def port_of(url: httpx.URL) -> int:
    return PORTS.get(url.scheme, 0) if url.port is None else url.port


def origin(url: httpx.URL) -> str:
    """`host:port` of *url*: what a queue, a robots.txt and a secret belong to."""
    return f"{plain_host(url)}:{port_of(url)}"


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of *host*, as the system gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """
    Says which URLs and addresses may be asked.

    *allow_hosts* are hosts (`intranet.example`, `127.0.0.1`, or with a port `127.0.0.1:8080`) that
    the configuration names: they may have private addresses, plain `ws://` and any port.
    """

    allow_hosts: frozenset[str] = frozenset()
    resolve: Resolve = system_resolve

    @classmethod
    def of(cls, allow_hosts: Collection[str], resolve: Resolve | None = None) -> "Guard":
        names = (name.lower().rstrip(".").strip("[]") for name in allow_hosts)
        return cls(frozenset(names), resolve or system_resolve)

    def allows(self, host: str, port: int) -> bool:
        return host in self.allow_hosts or f"{host}:{port}" in self.allow_hosts

    def check_url(self, url: httpx.URL) -> None:
        """
        Raises AddressRefused for what no answer can be asked of; the address itself is checked when
        connecting.
        """
        host, port = plain_host(url), port_of(url)
        if url.scheme not in PORTS:
            raise AddressRefused(f"scheme {url.scheme or '(none)'} is not asked", url=str(url))
        if not host:
            raise AddressRefused("the URL names no host", url=str(url))
        if not 0 < port < 65536:
            raise AddressRefused(f"{port} is no port", url=str(url))
        if url.userinfo:
            raise AddressRefused("the URL carries a user name", url=str(url))
        if self.allows(host, port):
            return
        if url.scheme == "ws":
            raise AddressRefused("ws:// is not encrypted; wss:// is asked", url=str(url))
        if port < 1024 and port not in (80, 443, 119, 563):
            raise AddressRefused(f"port {port} is not a port of the web", url=str(url))
        _check_host(host, str(url))

    async def addresses(self, host: str, port: int) -> list[str]:
        """
        The addresses of *host*, each checked: connect to these and to nothing else (a name may
        change its address).

        Raises AddressRefused if one is not public; OSError if the name has none.
        """
        host = host.strip("[]").rstrip(".").lower()
        found = await self.resolve(host, port)
        if not found:
            raise OSError(f"{host} has no address")
        if not self.allows(host, port):
            _check_all(host, found)
        return found


def _check_host(host: str, url: str) -> None:
    if ":" not in host and not (_NAME.fullmatch(host) and _decodes(host)):
        raise AddressRefused(f"{host!r} is not the name of a host", url=url)
    last = host.rpartition(".")[2]
    if ":" not in host and _NUMBER.fullmatch(last):
        try:
            address = ipaddress.IPv4Address(host)
        except ValueError as error:
            raise AddressRefused(f"{host} is a number in disguise, not a host", url=url) from error
        if not is_public(address):
            raise AddressRefused(f"{host} is not a public address", url=url)
    if ":" in host and not is_public(ipaddress.IPv6Address(host)):
        raise AddressRefused(f"{host} is not a public address", url=url)


def _decodes(host: str) -> bool:
    """Whether httpx can show *host*: a name in `xn--` that is no Punycode stops it anywhere."""
    try:
        return bool(httpx.URL(scheme="https", host=host).host)
    except (httpx.InvalidURL, UnicodeError):
        return False


def _check_all(host: str, found: list[str]) -> None:
    for text in found:
        if not is_public(ipaddress.ip_address(text)):
            raise AddressRefused(f"{host} is at {text}, which is not a public address")


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """
    Connects to checked addresses only. TLS keeps the name, so certificates and SNI are as without
    it.
    """

    def __init__(self, guard: Guard, inner: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._guard = guard
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                found = await self._guard.addresses(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no address of {host} in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address: {error}") from error
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in found:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failure = error
        assert failure is not None  # `addresses` gives at least one
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

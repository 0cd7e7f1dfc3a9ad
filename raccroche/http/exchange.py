"""
One request over the wire and its whole answer: capped, timed, over HTTP/2 where offered, without
cookies.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore
import httpx

from raccroche.bodies import BodyBroken, decoded, read_capped
from raccroche.http.addresses import Guard, GuardedBackend


class NoAnswer(Exception):
    """
    The exchange failed on its way (no connection, timeout, cut body): worth another try. *reached*:
    a server was there.
    """

    def __init__(self, message: str, *, reached: bool) -> None:
        super().__init__(message)
        self.reached = reached


class Untrusted(Exception):
    """
    The certificate does not prove that the host is who it says: nothing was sent, and another try
    is no use.
    """


@dataclass(frozen=True, slots=True)
class Reply:
    """
    A whole answer. *headers* have lower-case names; *body* is decompressed; *wire* is what it
    weighed, in bytes.
    """

    url: httpx.URL
    status: int
    headers: Mapping[str, str]
    body: bytes
    wire: int

    @property
    def location(self) -> str | None:
        return self.headers.get("location") if self.status in (301, 302, 303, 307, 308) else None


class GuardedTransport(httpx.AsyncHTTPTransport):
    """
    httpx's transport, whose connections all go through the guard. Environment proxies are not used:
    they would dodge it.
    """

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, http2=True, trust_env=False)
        # httpx has no argument for it; tests/raccroche/test_http_addresses.py fails if this stops
        # working
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            http2=True,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=30,
            network_backend=GuardedBackend(guard),
        )


class Wire:
    """
    Sends requests. *timeout* is for each step (connect, read, write), *total* for the whole
    exchange, in seconds: a server that sends a byte now and then is left after *total*.
    """

    def __init__(self, guard: Guard, tls: ssl.SSLContext, *, timeout: float, total: float) -> None:
        self.transport = GuardedTransport(guard, tls)
        self._timeout = httpx.Timeout(timeout).as_dict()
        self._total = total

    async def send(self, request: httpx.Request, *, cap: int, cut: bool = False) -> Reply:
        """
        The answer to *request*, its body at most *cap* bytes (*cut*: the first *cap*, else
        BodyTooLarge).

        Raises NoAnswer, Untrusted, BodyTooLarge, AddressRefused.
        """
        request.extensions = {"timeout": self._timeout}
        try:
            async with asyncio.timeout(self._total):
                return await self._exchange(request, cap, cut)
        except TimeoutError as error:
            raise NoAnswer(f"no whole answer within {self._total:g} s", reached=True) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if _bad_certificate(error):
                raise Untrusted(_words(error)) from error
            raise NoAnswer(_words(error), reached=False) from error
        except (httpx.TransportError, BodyBroken) as error:
            raise NoAnswer(_words(error), reached=True) from error

    async def _exchange(self, request: httpx.Request, cap: int, cut: bool) -> Reply:
        response = await self.transport.handle_async_request(request)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            encoding = headers.get("content-encoding", "")
            raw = await read_capped(response.aiter_raw(), cap, cut=cut and not encoding)
        finally:
            await response.aclose()
        # a HEAD-like answer has no body to decompress, whatever its headers say
        body = decoded(raw, encoding, cap) if raw and encoding else raw
        return Reply(request.url, response.status_code, headers, body, len(raw))


def _words(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _bad_certificate(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False

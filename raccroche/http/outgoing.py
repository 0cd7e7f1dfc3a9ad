"""
A request on its way: what it carries, where it may be told of, and what a redirect makes of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from raccroche.http.addresses import AddressRefused, plain_host, port_of
from raccroche.post import Request
from raccroche.redact import is_secret_header


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request on its way: a redirect may change its URL, its method, and what it carries."""

    request: Request
    url: httpx.URL
    bare: bool = False  # a redirect turned it into a GET without body
    stranger: bool = False  # a redirect led to another host

    @property
    def method(self) -> str:
        return "GET" if self.bare else self.request.method.upper()

    @property
    def has_body(self) -> bool:
        return not self.bare and (self.request.json is not None or self.request.form is not None)

    @property
    def headers(self) -> Mapping[str, str]:
        mine = self.request.headers
        if self.stranger:
            return {name: value for name, value in mine.items() if not is_secret_header(name)}
        return mine

    def moved(self, url: httpx.URL, status: int, *, elsewhere: bool) -> "Outgoing":
        bare = self.bare or (status in (301, 302, 303) and self.method != "HEAD")
        return Outgoing(self.request, url, bare, self.stranger or elsewhere)

    def build(self, headers: Mapping[str, str]) -> httpx.Request:
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        if not self.has_body:
            return httpx.Request(self.method, self.url, headers=encoded)
        return httpx.Request(
            self.method,
            self.url,
            headers=encoded,
            json=self.request.json,
            data=dict(self.request.form) if self.request.form is not None else None,
        )


def target(request: Request) -> httpx.URL:
    """
    The URL that *request* asks, its params added to its query; raises AddressRefused for what is no
    URL.
    """
    try:
        url = httpx.URL(request.url.partition("#")[0])
        return url.copy_merge_params(dict(request.params)) if request.params else url
    except (httpx.InvalidURL, ValueError) as error:
        raise AddressRefused(f"not a URL ({error})", url=request.url) from error


def place(url: httpx.URL) -> str:
    """What a secret belongs to: the host, with its port where it is not one of the web's."""
    port = port_of(url)
    return plain_host(url) if port in (80, 443) else f"{plain_host(url)}:{port}"


def conditional(request: Request | None) -> bool:
    if request is None or request.transient or request.json is not None or request.form is not None:
        return False
    return request.method.upper() == "GET"


def accepted_by(request: Request) -> frozenset[int]:
    text = request.context.get("accept_status", "")
    return frozenset(int(part) for part in text.split(",") if part.strip().isdigit())

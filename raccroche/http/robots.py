"""What a site's robots.txt (RFC 9309) and its text-and-data-mining reservations say to us."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
from protego import Protego

from raccroche.errors import BudgetSpent, FetchError
from raccroche.http.addresses import origin
from raccroche.http.cache import Cache, SavedRobots
from raccroche.http.exchange import Reply

LARGEST = 500 * 1024  # bytes of robots.txt that are read (RFC 9309 2.5); the rest is ignored
REDIRECTS = 5  # RFC 9309 2.3.1.2
_FRESH = 86_400.0  # seconds a robots.txt is used without asking again (RFC 9309 2.4)
_UNREACHABLE_FRESH = 600.0  # seconds before a robots.txt that could not be had is asked for again

Get = Callable[[httpx.URL, int, int], Awaitable[Reply]]
"""
(url, largest body, redirects) -> the answer, whatever its status; raises FetchError where none
came.
"""

_AGENTS = re.compile(r"^\s*user[- ]?agent\s*:?\s*([^#\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rules:
    """
    One origin's rules. *state*: "allowed" (there are rules), "none" (no robots.txt: all is
    allowed), "unreachable" (it could not be had: all is forbidden). *tdm*: path prefixes whose
    rights are reserved by tdmrep.json.
    """

    state: str
    agent: str = "*"
    parser: Protego = field(default_factory=Protego)
    tdm: tuple[str, ...] = ()
    expires: float = 0.0
    failure: FetchError | None = None

    @property
    def crawl_delay(self) -> float:
        """Seconds between requests, from Crawl-delay or Request-rate; 0 where not said."""
        delay = self.parser.crawl_delay(self.agent) or 0.0
        rate = self.parser.request_rate(self.agent)
        return max(delay, rate.seconds / rate.requests if rate and rate.requests else 0.0)

    def allow(self, url: httpx.URL) -> bool:
        return self.state != "unreachable" and self.parser.can_fetch(str(url), self.agent)

    def reserved(self, url: httpx.URL) -> bool:
        return any(url.path.startswith(prefix) for prefix in self.tdm)


def agent_in(text: str, token: str) -> str:
    """
    The name under which *text* has a group for the product *token*, as written there; else `*`.
    """
    for value in _AGENTS.findall(text):
        named = re.match(r"[A-Za-z_-]+", value)
        if named and named.group().lower() == token.lower():
            return str(value).strip()
    return "*"


class Robots:
    """The robots.txt of every origin met, each asked at most once a day."""

    def __init__(self, token: str, cache: Cache, now: Callable[[], float]) -> None:
        self._token = token
        self._cache = cache
        self._now = now
        self._known: dict[str, Rules] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def rules(self, url: httpx.URL, get: Get) -> Rules:
        """
        The rules for *url*'s origin. Raises BudgetSpent, and FetchError where the host cannot be
        had at all.
        """
        place = f"{url.scheme}://{origin(url)}"
        async with self._locks.setdefault(place, asyncio.Lock()):
            known = self._known.get(place) or self._saved(place)
            if known is None or known.expires <= self._now():
                known = await self._ask(place, url, get)
            self._known[place] = known
            return known

    def _saved(self, place: str) -> Rules | None:
        saved = self._cache.robots(place)
        return self._read(saved) if saved and saved.fetched <= self._now() else None

    async def _ask(self, place: str, url: httpx.URL, get: Get) -> Rules:
        try:
            reply = await get(url.join("/robots.txt"), LARGEST, REDIRECTS)
        except FetchError as error:
            if isinstance(error, BudgetSpent) or error.verdict in ("rate_limited", "blocked"):
                raise  # not an answer of the site to this question
            return Rules("unreachable", expires=self._now() + _UNREACHABLE_FRESH, failure=error)
        saved = SavedRobots(reply.status, reply.body, "[]", self._now())
        rules = self._read(saved)
        saved = SavedRobots(reply.status, reply.body, await _tdm(url, rules, get), saved.fetched)
        self._cache.keep_robots(place, saved)
        return self._read(saved)

    def _read(self, saved: SavedRobots) -> Rules:
        expires = saved.fetched + _FRESH
        tdm = tuple(json.loads(saved.tdm))
        if not 200 <= saved.status < 300:
            return Rules("none", tdm=tdm, expires=expires)
        text = saved.body.decode("utf-8", "replace").removeprefix("\ufeff")
        return Rules("allowed", agent_in(text, self._token), Protego.parse(text), tdm, expires)


async def _tdm(url: httpx.URL, rules: Rules, get: Get) -> str:
    """The path prefixes that `/.well-known/tdmrep.json` (TDMRep, W3C) reserves, as a JSON array."""
    where = url.join("/.well-known/tdmrep.json")
    if not rules.allow(where):
        return "[]"
    try:
        reply = await get(where, LARGEST, REDIRECTS)
    except BudgetSpent:
        raise
    except FetchError:
        return "[]"
    if reply.status != 200:
        return "[]"
    return json.dumps(_reserved(reply.body))


def _reserved(body: bytes) -> list[str]:
    try:
        entries = json.loads(body)
    except (ValueError, RecursionError):
        return []
    return [
        str(entry.get("location", "/")).partition("*")[0] or "/"
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and str(entry.get("tdm-reservation")) == "1"
    ]

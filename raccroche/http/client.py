"""
The client and its sessions: what a collector asks goes out politely, and comes back as an answer or
a verdict.
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx

from raccroche.bodies import ACCEPT_ENCODING, BodyTooLarge, opt_outs_in
from raccroche.errors import BudgetSpent, ConfigError, FetchError
from raccroche.http import news, stream
from raccroche.http.addresses import AddressRefused, Guard, Resolve, origin, plain_host, port_of
from raccroche.http.cache import Cache, Validators
from raccroche.http.exchange import NoAnswer, Reply, Untrusted, Wire
from raccroche.http.hosts import Clock, Host, Sleep, TooLongToWait
from raccroche.http.limits import allowance, retry_after
from raccroche.http.outgoing import Outgoing, accepted_by, conditional, place, target
from raccroche.http.robots import Robots, Rules
from raccroche.http.verdicts import check, failure_of, is_absent, worth_retrying
from raccroche.post import Answer, Request
from raccroche.redact import shown

log = logging.getLogger(__name__)

ATTEMPTS = 4
REDIRECTS = 10
_FIRST_BACKOFF, _LONGEST_BACKOFF = 2.0, 60.0  # seconds; full jitter below them
_TALKATIVE = ("httpx", "httpcore", "hpack", "websockets")  # they log whole URLs and headers


class Archive(Protocol):
    """What keeps raw answers (`raccroche.archive.Archive`)."""

    def add(self, answer: Answer, *, source: str, sent: Mapping[str, str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one source may cost in one run."""

    requests: int = 2_000
    bytes: int = 500_000_000
    minutes: float = 60.0


class Client:
    """
    One for the whole run; open it with `async with`.

    *rate*: requests a second and host. *longest_wait*: seconds that a server may make us wait
    within a run. *timeout*: seconds of each network step; *total_timeout*: of a whole exchange.
    *max_body*: bytes, on the wire and decompressed. *cache*: file for validators and robots.txt.
    *polite=False* drops robots.txt and spacing: for benchmarks on our own servers only.
    """

    def __init__(
        self,
        contact: str,
        user_agent: str,
        *,
        allow_hosts: Collection[str] = (),
        rate: float = 1.0,
        longest_wait: float = 300.0,
        timeout: float = 30.0,
        total_timeout: float | None = None,
        max_body: int = 20_000_000,
        cache: Path | None = None,
        archive: Archive | None = None,
        polite: bool = True,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[float, float], float] = random.uniform,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not contact.strip():
            raise ConfigError(
                "contact is missing: say in config.toml whom a webmaster may write to"
            )
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        self.user_agent = f"{user_agent} (+{contact.strip()})"
        self.guard = Guard.of(allow_hosts, resolve)
        self.tls = tls or httpx.create_ssl_context()
        self.timeout = timeout
        total = total_timeout or max(120.0, 4 * timeout)
        self.wire = Wire(self.guard, self.tls, timeout=timeout, total=total)
        self.longest_wait = longest_wait
        self.max_body = max_body
        self.archive = archive
        self.polite = polite
        self.clock, self.now, self.jitter = clock, now, jitter
        self._spacing, self._sleep = 1.0 / rate if polite else 0.0, sleep
        self._hosts: dict[str, Host] = {}
        self.cache = Cache(cache)
        self.robots = Robots(user_agent.split("/")[0].strip(), self.cache, self.epoch)

    def epoch(self) -> float:
        return self.now().timestamp()

    def host(self, url: httpx.URL) -> Host:
        name = origin(url)
        if name not in self._hosts:
            self._hosts[name] = Host(
                name, spacing=self._spacing, clock=self.clock, sleep=self._sleep
            )
        return self._hosts[name]

    def session(
        self,
        source: str,
        *,
        headers: Mapping[str, str] | None = None,
        budget: Budget | None = None,
        hosts: Collection[str] = (),
        robots: bool = True,
    ) -> "Session":
        """
        A session for one source.

        *headers* are its secrets: sent to *hosts* only (`api.example`, `127.0.0.1:8080`; without
        any, the host asked first). *robots=False*: robots.txt is not asked, for an API that the
        operator uses under its own terms.
        """
        return Session(self, source, headers or {}, budget or Budget(), hosts, robots)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.wire.transport.aclose()
        for host in self._hosts.values():
            log.info("%s", host.line())
        self.cache.forget_before(self.epoch())
        self.cache.close()


class Session:
    """
    What one source asks in one run, and what it cost: *requests*, *bytes* on the wire,
    *not_modified* answers, seconds *waited*.

    *headers* are secrets of this source; they may be added to (a token after a login).
    """

    def __init__(
        self,
        client: Client,
        source: str,
        headers: Mapping[str, str],
        budget: Budget,
        hosts: Collection[str],
        robots: bool,
    ) -> None:
        self.source = source
        self.headers: dict[str, str] = dict(headers)
        self.requests = 0
        self.bytes = 0
        self.not_modified = 0
        self.waited = 0.0
        self._client = client
        self._budget = budget
        self._trusted = {name.lower() for name in hosts}
        self._ask_robots = robots and client.polite
        self._started = client.clock()
        self._state = ""
        self._notes: dict[str, None] = {}

    @property
    def robots(self) -> str:
        """
        What robots.txt said: allowed, refused, none or unreachable; then crawl delay and opt-outs,
        after semicolons.
        """
        state = self._state or ("" if self._ask_robots else "not asked")
        return "; ".join(part for part in (state, *self._notes) if part)

    def trust(self, host: str) -> None:
        """Send the secret headers to this host too."""
        self._trusted.add(host.lower())

    async def fetch(self, request: Request) -> Answer:
        """
        The answer to *request*: 2xx, 304 (empty body), or a status named in
        `context["accept_status"]` ("400,404").

        Raises FetchError with the verdict, BudgetSpent before a request that the budget does not
        cover.
        """
        url = target(request)
        self._client.guard.check_url(url)
        if not self._trusted:
            self._trusted.add(place(url))
        if url.scheme in ("ws", "wss"):
            reply, sent = await self._stream(request, url)
        elif url.scheme == "nntp":
            reply, sent = await self._news(url)
        else:
            reply, sent = await self._follow(request, url)
        return self._answer(request, reply, sent)

    def keep(self, answer: Answer) -> None:
        """
        The posts of *answer* are stored: the next run may ask whether the page has changed since.

        Not before: a validator kept for a page whose posts were lost would hide them for good.
        """
        headers = answer.headers
        found = Validators(headers.get("etag"), headers.get("last-modified"))
        if answer.status != 200 or not found.headers or not conditional(answer.request):
            return
        if "no-store" not in headers.get("cache-control", "").lower():
            self._client.cache.keep(self.source, answer.url, found, self._client.epoch())

    def _answer(self, request: Request, reply: Reply, sent: Mapping[str, str]) -> Answer:
        self._note_opt_outs(reply)
        if reply.status == 304:
            self.not_modified += 1
        headers = {k: v for k, v in reply.headers.items() if k != "set-cookie"}
        answer = Answer(
            url=str(reply.url),
            body=b"" if reply.status == 304 else reply.body,
            status=reply.status,
            headers=headers,
            request=request,
            fetched_at=self._client.now(),
        )
        if self._client.archive is not None and reply.status != 304 and not request.transient:
            secret = {name.lower() for name in self.headers}
            plain = {name: value for name, value in sent.items() if name.lower() not in secret}
            self._client.archive.add(answer, source=self.source, sent=plain)
        return answer

    def _note_opt_outs(self, reply: Reply) -> None:
        """Rights reserved against text and data mining, and "noai": for people to decide."""
        said = set(reply.headers.get("x-robots-tag", "").lower().replace(",", " ").split())
        notes = {"noai", "noimageai"} & said
        if reply.headers.get("tdm-reservation", "").strip() == "1":
            notes.add("tdm-reservation")
        if "html" in reply.headers.get("content-type", ""):
            notes |= opt_outs_in(reply.body)
        self._notes.update(dict.fromkeys(sorted(notes)))

    # ----------------------------------------------------------------------------- over HTTP

    async def _follow(self, request: Request, url: httpx.URL) -> tuple[Reply, Mapping[str, str]]:
        """Ask, and follow redirects; each hop is checked as if it were asked for."""
        outgoing = Outgoing(request, url)
        accepted = accepted_by(request)
        for _ in range(REDIRECTS + 1):
            if self._ask_robots:
                await self._obey_robots(outgoing.url)
            headers = self._headers(outgoing)
            reply = await self._persist(outgoing.url, self._sending(outgoing, headers), accepted)
            if reply.location is None or reply.status in accepted:
                return reply, headers
            outgoing = self._redirected(outgoing, reply)
        raise self._failed(f"more than {REDIRECTS} redirects", url)

    def _sending(
        self, outgoing: Outgoing, headers: Mapping[str, str]
    ) -> Callable[[], Awaitable[Reply]]:
        def send() -> Awaitable[Reply]:
            request = outgoing.build(headers)
            return self._client.wire.send(request, cap=self._client.max_body)

        return send

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        """
        Ours, then the validators of the page, then those of the request, then the secrets if this
        host may have them.
        """
        headers = {
            "user-agent": self._client.user_agent,
            "accept": "*/*",
            "accept-language": "fr,en;q=0.5",
            "accept-encoding": ACCEPT_ENCODING,
        }
        if conditional(outgoing.request):
            known = self._client.cache.validators(self.source, str(outgoing.url))
            headers |= known.headers if known else {}
        headers |= {name.lower(): value for name, value in outgoing.headers.items()}
        if self._may_have_secrets(outgoing.url):
            headers |= {name.lower(): value for name, value in self.headers.items()}
        return self._clean(headers, outgoing.url)

    def _clean(self, headers: Mapping[str, str], url: httpx.URL) -> dict[str, str]:
        """
        *headers* without spaces around; a line break within is told without showing the value.
        """
        clean = {name: value.strip() for name, value in headers.items()}
        for name, value in clean.items():
            if any(sign in value for sign in "\r\n\0"):
                raise self._failed(f"the header {name} holds a line break", url)
        return clean

    def _may_have_secrets(self, url: httpx.URL) -> bool:
        private = url.scheme in ("https", "wss", "nntp")
        allowed = self._client.guard.allows(plain_host(url), port_of(url))
        return (private or allowed) and place(url) in self._trusted

    def _redirected(self, outgoing: Outgoing, reply: Reply) -> Outgoing:
        try:
            url = outgoing.url.join(reply.location or "").copy_with(fragment=None)
        except (httpx.InvalidURL, ValueError) as error:
            raise self._failed("redirected to what is no URL", outgoing.url) from error
        guard = self._client.guard
        guard.check_url(url)
        if url.scheme not in ("http", "https"):
            raise AddressRefused(f"redirected to {url.scheme}", url=str(url))
        downgraded = outgoing.url.scheme == "https" and url.scheme == "http"
        if downgraded and not guard.allows(plain_host(url), port_of(url)):
            raise self._failed("redirected from https to http", url)
        elsewhere = place(url) != place(outgoing.url)
        if elsewhere and reply.status in (307, 308) and outgoing.has_body:
            raise self._failed("asked to send a form to another host", url)
        return outgoing.moved(url, reply.status, elsewhere=elsewhere)

    # -------------------------------------------------------------------------- other schemes

    async def _stream(self, request: Request, url: httpx.URL) -> tuple[Reply, Mapping[str, str]]:
        headers = {"user-agent": self._client.user_agent, **request.headers}
        if self._may_have_secrets(url):
            headers |= self.headers
        headers = self._clean(headers, url)
        read = stream.Reading.of(
            request.context, longest=self._budget_left(url), cap=self._client.max_body
        )

        def send() -> Awaitable[Reply]:
            return stream.read(
                url, headers, read, self._client.guard, self._client.tls, self._client.timeout
            )

        return await self._persist(url, send, frozenset()), headers

    async def _news(self, url: httpx.URL) -> tuple[Reply, Mapping[str, str]]:
        secrets = self.headers if self._may_have_secrets(url) else {}
        login = (secrets.get("x-nntp-user", ""), secrets.get("x-nntp-password", ""))

        def send() -> Awaitable[Reply]:
            return news.read(
                url,
                login if login[0] else None,
                guard=self._client.guard,
                tls=self._client.tls,
                timeout=self._client.timeout,
                cap=self._client.max_body,
            )

        return await self._persist(url, send, frozenset()), {}

    # ------------------------------------------------------------------------ waits and retries

    async def _persist(
        self,
        url: httpx.URL,
        send: Callable[[], Awaitable[Reply]],
        accepted: frozenset[int],
    ) -> Reply:
        """
        Send, and send again what is worth it, after the wait that the host asked for, or a random
        one (full jitter).

        Returns what the caller can use: 2xx, 304, a redirect, or an accepted status.
        """
        host = self._client.host(url)
        for attempt in range(1, ATTEMPTS + 1):
            backoff = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0**attempt)
            wait = self._client.jitter(0.0, backoff)
            try:
                reply = await self._once(host, url, send)
            except NoAnswer as error:
                host.counts["failures"] += 1
                failure = self._failed(str(error), url)
                failure.__cause__ = error
            else:
                if not worth_retrying(reply, accepted):
                    check(reply, accepted)
                    return reply
                asked = self._asked(reply)
                failure = failure_of(reply, asked)
                wait = wait if asked is None else asked
            log.debug("%s: attempt %d: %s", self.source, attempt, failure)
            if attempt < ATTEMPTS:
                host.stay_away(wait)
        raise failure

    async def _once(
        self, host: Host, url: httpx.URL, send: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        async with self._turn(host, url):
            started = self._client.clock()
            self.requests += 1
            host.counts["requests"] += 1
            try:
                reply = await send()
            except BodyTooLarge as error:
                raise self._failed(f"the body is too large: {error}", url) from error
            except Untrusted as error:
                raise self._failed(str(error), url) from error
            except AddressRefused as error:
                raise AddressRefused(str(error).removesuffix(" []"), url=str(url)) from error
            self._learn(host, reply, self._client.clock() - started)
        log.debug("%s: %d, %d bytes, %s", self.source, reply.status, reply.wire, shown(str(url)))
        return reply

    def _learn(self, host: Host, reply: Reply, seconds: float) -> None:
        self.bytes += reply.wire
        host.counts["bytes"] += reply.wire
        if reply.status in (429, 503):
            host.counts[str(reply.status)] += 1
            host.struck()
        else:
            host.answered(seconds)
        if self._client.polite:
            host.stay_away(allowance(reply.headers, self._client.now()).wait)

    def _asked(self, reply: Reply) -> float | None:
        """Seconds that the server asks us to wait, or None."""
        now = self._client.now()
        asked = retry_after(reply.headers, now)
        return asked if asked is not None else allowance(reply.headers, now).wait or None

    @asynccontextmanager
    async def _turn(self, host: Host, url: httpx.URL) -> AsyncIterator[None]:
        left = self._budget_left(url)
        if not self._client.polite:
            yield
            return
        try:
            async with host.turn(min(self._client.longest_wait, left)) as waited:
                self.waited += waited
                if waited > self._client._spacing:
                    host.counts["seconds waited"] += round(waited)
                yield
        except TooLongToWait as error:
            if error.seconds > self._client.longest_wait:
                raise FetchError(
                    f"the server asks to wait {error.seconds:.0f} s, longer than the "
                    f"{self._client.longest_wait:.0f} s of longest_wait",
                    url=shown(str(url)),
                    verdict="rate_limited",
                ) from error
            raise self._spent("minutes", self._budget.minutes, url) from error

    def _budget_left(self, url: httpx.URL) -> float:
        """Seconds left to this source; raises BudgetSpent where anything is used up."""
        budget = self._budget
        left = budget.minutes * 60 - (self._client.clock() - self._started)
        for name, used, most in (
            ("requests", self.requests, budget.requests),
            ("bytes", self.bytes, budget.bytes),
        ):
            if used >= most:
                raise self._spent(name, most, url)
        if left <= 0:
            raise self._spent("minutes", budget.minutes, url)
        return left

    def _spent(self, name: str, most: float, url: httpx.URL) -> BudgetSpent:
        return BudgetSpent(
            f"the budget of {most:g} {name} is spent", url=shown(str(url)), verdict="rate_limited"
        )

    def _failed(self, message: str, url: httpx.URL) -> FetchError:
        return FetchError(message, url=shown(str(url)), verdict="unreachable")

    # ------------------------------------------------------------------------------- robots.txt

    async def _obey_robots(self, url: httpx.URL) -> None:
        """
        Raises FetchError (refused_by_robots, or unreachable where the host is not there at all).
        """
        rules = await self._client.robots.rules(url, self._get)
        self._client.host(url).slow_to(rules.crawl_delay)
        self._note_rules(rules, url)
        if rules.allow(url):
            return
        if rules.state != "unreachable":
            self._state = "refused"
            raise self._refused("robots.txt does not allow it", url)
        if rules.failure is not None and is_absent(rules.failure):
            raise self._failed(str(rules.failure).rpartition(" [")[0], url)
        raise self._refused("robots.txt cannot be had, which forbids all (RFC 9309)", url)

    def _note_rules(self, rules: Rules, url: httpx.URL) -> None:
        if self._state != "refused":
            self._state = rules.state
        if rules.crawl_delay:
            self._notes[f"crawl-delay {rules.crawl_delay:g}"] = None
        if rules.reserved(url):
            self._notes["tdmrep.json"] = None

    def _refused(self, message: str, url: httpx.URL) -> FetchError:
        return FetchError(message, url=shown(str(url)), verdict="refused_by_robots")

    async def _get(self, url: httpx.URL, cap: int, redirects: int) -> Reply:
        """
        A file about the site: any status but a failing server's is an answer; the body is cut at
        *cap*.
        """
        outgoing = Outgoing(Request(str(url)), url)
        every = frozenset(range(200, 500)) - {429}

        def send() -> Awaitable[Reply]:
            headers = {"user-agent": self._client.user_agent, "accept-encoding": ACCEPT_ENCODING}
            return self._client.wire.send(outgoing.build(headers), cap=cap, cut=True)

        for _ in range(redirects + 1):
            self._client.guard.check_url(outgoing.url)
            reply = await self._persist(outgoing.url, send, every)
            if reply.location is None:
                return reply
            outgoing = self._redirected(outgoing, reply)
        return reply

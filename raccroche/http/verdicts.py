"""What an answer comes to: usable, worth another try, or a failure with its verdict."""

from raccroche.errors import FetchError
from raccroche.http.addresses import AddressRefused
from raccroche.http.blocks import firewall
from raccroche.http.exchange import NoAnswer, Reply, Untrusted
from raccroche.redact import shown

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


def is_absent(failure: FetchError) -> bool:
    """Whether there is no such host, rather than a host that has trouble with its robots.txt."""
    cause = failure.__cause__
    refused = isinstance(failure, AddressRefused) or isinstance(cause, Untrusted)
    return refused or (isinstance(cause, NoAnswer) and not cause.reached)


def worth_retrying(reply: Reply, accepted: frozenset[int]) -> bool:
    if reply.status in accepted or reply.status not in RETRIED:
        return False
    return firewall(reply.headers, reply.body) is None


def check(reply: Reply, accepted: frozenset[int]) -> None:
    """Raises FetchError unless *reply* can be used."""
    who = firewall(reply.headers, reply.body)
    if who is not None:
        raise FetchError(
            f"{who} answered instead of the source ({reply.status})",
            url=shown(str(reply.url)),
            verdict="blocked",
            status=reply.status,
        )
    usable = 200 <= reply.status < 300 or reply.status == 304 or reply.location is not None
    if not usable and reply.status not in accepted:
        raise failure_of(reply, None)


def failure_of(reply: Reply, asked: float | None) -> FetchError:
    verdict = {401: "login_wall", 403: "blocked", 451: "blocked", 429: "rate_limited"}.get(
        reply.status, "unreachable"
    )
    if reply.status == 503 and asked is not None:
        verdict = "rate_limited"
    return FetchError(
        f"the server answered {reply.status}",
        url=shown(str(reply.url)),
        verdict=verdict,
        status=reply.status,
    )

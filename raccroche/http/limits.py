"""
How long a server asks us to wait: Retry-After and the rate-limit headers, in every spelling met.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"\s*\"?(\d{1,16}(?:\.\d{1,9})?)")
_EPOCH = 1_000_000_000  # a larger number of seconds is a moment (2001 and later), not a wait
_EPOCH_MS = 1_000_000_000_000

# Mastodon, Reddit, GitHub, Discourse: x-ratelimit-*; X: x-rate-limit-*; Bluesky, PeerTube and
# drafts 0-6: ratelimit-*
_PREFIXES = ("x-ratelimit-", "x-rate-limit-", "ratelimit-", "rate-limit-")
_RETRY = ("retry-after", "x-retry-after", "x-ratelimit-retry-after", "x-rate-limit-retry-after")


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What is left of a quota: *remaining* requests, and the *reset* in seconds from now (None where
    not said).
    """

    remaining: float | None = None
    reset: float | None = None

    @property
    def wait(self) -> float:
        """Seconds to stay away before the next request."""
        if self.remaining is None or self.remaining >= 1:
            return 0.0
        return self.reset or 0.0


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """
    Seconds asked by Retry-After (seconds or an HTTP date; RFC 9110 10.2.3), or None. Never
    negative.
    """
    for name in _RETRY:
        if name in headers:
            return _seconds(headers[name], _server_time(headers, now))
    return None


def allowance(headers: Mapping[str, str], now: datetime) -> Allowance:
    """What the rate-limit headers say; the tightest where several policies are told."""
    structured = _structured(headers)
    if structured is not None:
        return structured
    for prefix in _PREFIXES:
        remaining = headers.get(prefix + "remaining")
        if remaining is not None:
            return Allowance(_least(remaining), _reset(headers, prefix, now))
    return Allowance()


def _reset(headers: Mapping[str, str], prefix: str, now: datetime) -> float | None:
    moment = _server_time(headers, now)
    for name in (prefix + "reset-after", prefix + "reset"):
        if name in headers:
            return _seconds(headers[name], moment)
    return _window(headers.get(prefix + "policy", "") or headers.get(prefix + "limit", ""))


def _window(policy: str) -> float | None:
    """`3000;w=300` or `"burst";q=100;w=60`: the window, in seconds."""
    windows = [float(text) for text in re.findall(r";\s*w=\"?(\d{1,9})", policy)]
    return max(windows) if windows else None


def _structured(headers: Mapping[str, str]) -> Allowance | None:
    """`limit=100, remaining=0, reset=50` (IETF drafts 3-7), `"default";r=0;t=30` (draft 8 on)."""
    value = headers.get("ratelimit")
    if value is None:
        return None
    old = dict(re.findall(r"\b(limit|remaining|reset)\s*=\s*(\d{1,12})", value))
    if "remaining" in old:
        reset = float(old["reset"]) if "reset" in old else None
        return Allowance(float(old["remaining"]), reset)
    policies = []
    for item in value.split(","):
        found = dict(re.findall(r";\s*(r|t)=(\d{1,12})", item))
        if "r" in found:
            window = float(found["t"]) if "t" in found else None
            policies.append(
                Allowance(float(found["r"]), window or _window(headers.get("ratelimit-policy", "")))
            )
    return min(policies, key=lambda policy: policy.remaining or 0.0) if policies else None


def _least(value: str) -> float | None:
    numbers = [float(match.group(1)) for part in value.split(",") if (match := _NUMBER.match(part))]
    return min(numbers) if numbers else None


def _seconds(value: str, now: datetime) -> float | None:
    """
    Seconds from *now* to what *value* says: a wait, an epoch (seconds or ms), ISO 8601 or an HTTP
    date.
    """
    text = value.strip()
    whole = re.fullmatch(r"(\d{1,16}(?:\.\d{1,9})?)(?:\s*s)?(?:,.*)?", text)
    if whole:
        number = float(whole.group(1))
        if number >= _EPOCH_MS:
            number /= 1000
        return max(0.0, number - now.timestamp() if number >= _EPOCH else number)
    moment = _iso(text) or _http_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _server_time(headers: Mapping[str, str], now: datetime) -> datetime:
    """
    The server's own clock where it tells the time: its dates are counted from there, ours may be
    wrong.
    """
    return _http_date(headers["date"]) or now if "date" in headers else now

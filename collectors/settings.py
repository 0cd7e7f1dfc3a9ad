"""Settings that several platforms share, and checks that raise ValueError naming the setting."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from raccroche.post import Request, State


def web_address(value: object, name: str) -> str:
    """*value* as an http(s) address without a slash at its end."""
    text = words(value, name)
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{name}: {value!r} is not a web address such as https://site.example")
    return text.rstrip("/")


def words(value: object, name: str) -> str:
    """*value* as a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: a text is needed, not {value!r}")
    return value.strip()


def several(value: object, name: str, *, least: int = 1) -> tuple[str, ...]:
    """*value* as a tuple of texts; one text counts as a list of one."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"{name}: a list of texts is needed, not {value!r}")
    found = tuple(words(item, name) for item in items)
    if len(found) < least:
        raise ValueError(f"{name}: at least {least} is needed")
    return found


def whole(value: object, name: str, *, low: int, high: int) -> int:
    """*value* as a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}: a whole number from {low} to {high} is needed, not {value!r}")
    return value


def one_of(value: object, name: str, choices: Iterable[str]) -> str:
    """*value* as one of *choices*."""
    known = tuple(choices)
    if value not in known:
        raise ValueError(f"{name}: {value!r} is none of {', '.join(known)}")
    return str(value)


def yes_or_no(value: object, name: str) -> bool:
    """*value* as true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}: true or false is needed, not {value!r}")
    return value


def utc_text(moment: datetime) -> str:
    """A moment as APIs like it: `2026-11-24T15:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Addresses:
    """
    *urls*: addresses of pages or feeds to read. *context_brand*: the brand that all of them are
    about, if one.
    """

    urls: tuple[str, ...]
    context_brand: str | None = None

    def __post_init__(self) -> None:
        urls = tuple(web_address(url, "urls") for url in several(self.urls, "urls"))
        object.__setattr__(self, "urls", urls)

    @property
    def context(self) -> dict[str, str]:
        """What every request carries."""
        return {"context_brand": self.context_brand} if self.context_brand else {}


def each_address(settings: Addresses, state: State) -> Iterator[Request]:
    """Each address once; what follows comes from the answers."""
    for url in settings.urls:
        yield Request(url, context=settings.context)

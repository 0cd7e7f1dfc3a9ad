"""What a module in this package must offer: settings, requests and a pure parser."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from raccroche.post import Answer, Page, Request, State

# In the context of a request: of its posts, those that name a brand of the table are wanted. A
# parser knows no brands; who stores the posts looks for them.
ONLY_BRANDS = "only_brands"


class SettingsFactory(Protocol):
    """A frozen dataclass; its `__post_init__` raises ValueError naming the setting at fault."""

    def __call__(self, **settings: Any) -> Any: ...


class Source(Protocol):
    """
    A platform.

    PLATFORM: its name in config.toml. TITLE: how people call it. NEEDS: credentials in words (""
    for none).
    LEGAL: one line on terms and robots.
    """

    PLATFORM: str
    TITLE: str
    NEEDS: str
    LEGAL: str

    @property
    def Settings(self) -> SettingsFactory: ...

    def requests(self, settings: Any, state: State) -> Iterable[Request]:
        """The first requests of a run; the rest are `Page.next`. No network here."""
        ...

    def parse(self, answer: Answer) -> Page:
        """The posts of one answer. Pure; raises SourceError when the answer is not understood."""
        ...

    def recognises(self, answer: Answer) -> int:
        """How sure (0 to 100) that *answer* is of this platform, from its URL and content alone."""
        ...


def session_headers(source: Source, settings: Any) -> Mapping[str, str]:
    """
    Secret headers for all requests of this source (a bearer token): `headers(settings)` if the
    module has it.
    """
    build = getattr(source, "headers", None)
    headers: Mapping[str, str] = build(settings) if build else {}
    return headers


def trusted_hosts(source: Source, settings: Any) -> tuple[str, ...]:
    """Hosts besides the first one asked that may see the secret headers: `hosts(settings)`."""
    name = getattr(source, "hosts", None)
    hosts: tuple[str, ...] = name(settings) if name else ()
    return hosts


def obeys_robots(source: Source, settings: Any) -> bool:
    """
    Whether robots.txt applies: always, unless the module's `obeys_robots(settings)` says that an
    official API is used with the operator's own key.
    """
    ask = getattr(source, "obeys_robots", None)
    return bool(ask(settings)) if ask else True

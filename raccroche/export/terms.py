"""Under which terms the posts of a source may be used: what its platform says, and where."""

from dataclasses import dataclass
from types import MappingProxyType

from collectors.table import sources

UNKNOWN = "No module reads this platform any more: look up its terms."
AUTHORS = "The texts belong to their authors; no licence to publish them is known."


@dataclass(frozen=True, slots=True)
class Terms:
    """*terms*: one line. *licence*: of the texts. *address*: where the terms stand; "" unknown."""

    terms: str
    licence: str = AUTHORS
    address: str = ""
    robots: str = ""


# platform -> (licence, address of the terms); all others have terms of each site's own
_PLACES = MappingProxyType(
    {
        "opendatasoft": (
            "Open data, under the licence that the portal names for the data set.",
            "https://data.economie.gouv.fr/explore/dataset/signalconso/information/",
        ),
        "reddit": (AUTHORS, "https://www.redditinc.com/policies/data-api-terms"),
        "stackexchange": (
            "CC BY-SA 4.0; before 2018-05-02 CC BY-SA 3.0, before 2011-04-08 CC BY-SA 2.5.",
            "https://stackoverflow.com/help/licensing",
        ),
        "x": (AUTHORS, "https://docs.x.com/developer-terms"),
        "youtube": (
            AUTHORS,
            "https://developers.google.com/youtube/terms/api-services-terms-of-service",
        ),
    }
)
# what a user imports: no site was asked
_LOCAL = frozenset({"files"})


def terms_of(source: str, platform: str) -> Terms:
    """The terms of *source* (`platform/host`, perhaps `/part`), collected by *platform*."""
    known = sources().get(platform)
    words = known.LEGAL if known else UNKNOWN
    licence, address = _PLACES.get(platform, (AUTHORS, ""))
    host = source.partition("/")[2].partition("/")[0]
    if platform in _LOCAL or not host:
        return Terms(words, licence, address)
    site = f"https://{host}"
    return Terms(words, licence, address or f"{site}/", f"{site}/robots.txt")

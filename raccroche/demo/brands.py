"""The fictional firms of the demonstration: how they are named, and how often at what time."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SECTORS = {
    "telecom": "telecom", "assurance": "insurance", "banque": "bank", "energie": "energy",
    "tv": "tv", "credit": "credit", "alarme": "alarm", "travaux": "works",
}  # fmt: skip
# Shares of what people write, and of the calls they complain of.
_TALK = {"Mandarine": 26, "Libre": 24, "NT": 20, "Vert": 9, "Chaîne+": 5}
_CALLS = {"Mandarine": 16, "Libre": 11, "NT": 29, "Vert": 7, "Chaîne+": 2}
# How each firm's calls changed on 11 August 2026: drawn at random once, like all else here.
CALLS_AFTER_CONSENT = {
    "Mandarine": 0.35, "Libre": 0.9, "NT": 0.5, "Vert": 0.8, "Chaîne+": 0.3, "MUTIF": 0.3,
    "Cofipret": 0.6, "Banque Sémaphore": 0.7, "Braise Énergie": 0.55, "Gardomus": 1.1,
    "Combloni": 0.2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Brand:
    """One firm of data/brands.toml; *spellings* are how people write its name."""

    name: str
    sector: str
    handle: str
    talk: float
    calls: float

    @property
    def spellings(self) -> tuple[str, ...]:
        return (self.name, *_SPELLINGS.get(self.name, ()))


# Half of the posts use the plain name; the others draw one of these.
_SPELLINGS = {
    "Mandarine": ("Mandarine Télécom", "Mandarine Mobile", "MANDARINE"),
    "Libre": ("Libre Mobile", "LIBRE", "Libre Télécom"),
    "NT": ("NT Télécom", "NT Mobile", "N.T."),
    "Vert": ("Vert par NT", "VERT", "Vert Mobile"),
    "Chaîne+": ("Chaine+", "Chaîne Plus", "CHAINE+"),
    "MUTIF": ("Mutif", "la MUTIF"),
    "Cofipret": ("COFIPRET", "Cofiprêt"),
    "Banque Sémaphore": ("Sémaphore",),
    "Braise Énergie": ("Braise", "BRAISE ÉNERGIE"),
    "Gardomus": ("GARDOMUS",),
    "Combloni": ("COMBLONI",),
}


def read(name: str) -> str:
    """A data file of the demonstration."""
    return (files("raccroche.demo") / "data" / name).read_text(encoding="utf-8")


@cache
def brands() -> tuple[Brand, ...]:
    rows = tomllib.loads(read("brands.toml"))["brands"]
    return tuple(
        Brand(
            name=row["name"],
            sector=row["sector"],
            handle=row["handles"][0].removeprefix("mastodon:"),
            talk=_TALK.get(row["name"], 3),
            calls=_CALLS.get(row["name"], 4),
        )
        for row in rows
    )


def of_sectors(sectors: Iterable[str]) -> tuple[Brand, ...]:
    wanted = set(sectors)
    return tuple(brand for brand in brands() if brand.sector in wanted)

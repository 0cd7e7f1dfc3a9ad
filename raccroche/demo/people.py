"""Pen names of the fictional authors; a few write much, most write once."""

import random

_FIRST = (
    "chouette", "papy", "mamie", "castor", "hirondelle", "tonton", "pivoine", "moustache", "bolide",
    "loutre", "girouette", "cornichon", "tulipe", "boussole", "mouette", "croissant", "lampion",
    "marmotte", "pantoufle", "tournesol", "sardine", "biscotte", "libellule", "cactus", "piaf",
    "gaufre", "galet", "framboise", "nuage", "pissenlit", "tartine", "radis", "cigale", "matou",
)  # fmt: skip
_SECOND = (
    "rousse", "bougon", "tricot", "du_45", "29", "agile", "de_nuit", "77", "zen", "masque", "bleu",
    "des_champs", "furtif", "1962", "en_colere", "pressé", "84", "tranquille", "du_quai", "breton",
    "poli", "sourd", "ch_ti", "31", "à_vélo", "du_lundi", "patient", "13", "perché", "têtu",
)  # fmt: skip


class People:
    """Draws authors of one place: one in five posts is by somebody who wrote there before."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._known: dict[str, list[str]] = {}
        self._taken: set[str] = set()

    def draw(self, place: str) -> str:
        known = self._known.setdefault(place, [])
        if known and self._chance.random() < 0.22:
            return self._chance.choice(known)
        name = self._fresh()
        known.append(name)
        return name

    def _fresh(self) -> str:
        name = f"{self._chance.choice(_FIRST)}_{self._chance.choice(_SECOND)}"
        while name in self._taken:
            name = f"{name}{self._chance.randrange(2, 99)}"
        self._taken.add(name)
        return name

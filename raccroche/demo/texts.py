"""The stock of sentences: the project's labelled examples, with fictional firms put in."""

import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from nlp.corpus import HANDLE, PLACEHOLDER, elided, example_rows
from raccroche.demo.brands import (
    CALLS_AFTER_CONSENT,
    SECTORS,
    Brand,
    brands,
    of_sectors,
)
from raccroche.demo.calendar import CONSENT, fits

_OFTEN = "excessive_frequency"
_LINES = frozenset({"network", "installation", "equipment_delivery"})
_PATIENCE = 400  # examples looked at before one that does not suit is let through
# What a post is about: an operator or a channel, any firm, or whatever comes.
_WANTED, _WANTED_SHARES = ("line", "firm", "any"), (6, 2, 2)


@dataclass(frozen=True, slots=True)
class Written:
    """A text with firms in it; *about* is the firm reviewed, *accused* those said to call."""

    text: str
    harassment: bool
    about: str | None = None
    named: tuple[str, ...] = ()
    accused: tuple[str, ...] = ()
    sentiment: str = "neutral"


class Stock:
    """Gives every example once, in an order drawn by *chance*, before it gives any twice."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        rows = list(example_rows())
        chance.shuffle(rows)
        self._queues: dict[tuple[str, bool], deque[Mapping[str, Any]]] = {}
        for row in rows:
            key = (_shelf(row), bool(row["phone_harassment"]))
            self._queues.setdefault(key, deque()).append(row)

    def draw(self, shelf: str, harassment: bool, day: date, *, only: str = "") -> Written:
        """A text of *shelf* (tweet, review, comment, forum); *only*: the firm it must be about."""
        queue = self._queues[shelf, harassment]
        wanted = self._chance.choices(_WANTED, _WANTED_SHARES)[0]
        for _ in range(min(len(queue), _PATIENCE)):
            row = queue[0]
            queue.rotate(-1)
            if fits(row["text"], day) and _suits(row, only, wanted):
                return self._filled(row, day, only)
        return self._filled(queue[0], day, "")

    def _filled(self, row: Mapping[str, Any], day: date, only: str) -> Written:
        chosen = self._firms(row, day, only)
        context = row.get("context_brand") or ""
        text = HANDLE.sub(lambda m: f"@{chosen[m[1] or m[2]].handle}", row["text"])
        text = PLACEHOLDER.sub(lambda m: self._spelt(chosen[m[1]]), text)
        said = {
            chosen[key.strip("{}").split(":")[0]].name: one
            for key, one in row["brands"].items()
            if key.startswith("{")
        }
        about = PLACEHOLDER.search(context)
        return Written(
            text=elided(text, {name for b in chosen.values() for name in b.spellings}),
            harassment=bool(row["phone_harassment"]),
            about=chosen[about[1]].name if about else None,
            named=tuple(said),
            accused=tuple(name for name, one in said.items() if one["harassment"]),
            sentiment=row["sentiment"],
        )

    def _firms(self, row: Mapping[str, Any], day: date, only: str) -> dict[str, Brand]:
        context = row.get("context_brand") or ""
        sectors: dict[str, str] = {}
        for name, sector in PLACEHOLDER.findall(f"{context} {row['text']}"):
            sectors[name] = sectors.get(name) or sector
        chosen: dict[str, Brand] = {}
        for name, sector in sectors.items():
            taken = {brand.name for brand in chosen.values()}
            firms = [b for b in _of(row, sector) if b.name not in taken]
            if only and not chosen:
                firms = [b for b in brands() if b.name == only]
            firms = firms or [b for b in brands() if b.name not in taken]
            weights = [_weight(b, bool(row["phone_harassment"]), day) for b in firms]
            chosen[name] = self._chance.choices(firms, weights)[0]
        return chosen

    def _spelt(self, brand: Brand) -> str:
        others = brand.spellings[1:]
        return self._chance.choice(others) if others and self._chance.random() < 0.3 else brand.name


def _shelf(row: Mapping[str, Any]) -> str:
    kind = str(row["kind"])
    if row.get("context_brand"):
        return "review"
    return {"petition": "comment", "report": "comment", "review": "comment"}.get(kind, kind)


def _of(row: Mapping[str, Any], sector: str) -> tuple[Brand, ...]:
    """The firms that a placeholder may stand for: those of its sector, else telephone or TV."""
    if sector in SECTORS:
        return of_sectors([SECTORS[sector]])
    topics = set(row["topics"])
    if "claims_handling" in topics:
        return of_sectors(["insurance"])
    return of_sectors(["telecom"] if topics & _LINES else ["telecom", "tv"])


def _suits(row: Mapping[str, Any], only: str, wanted: str) -> bool:
    if only:  # who complains of one firm only, complains mostly of its many calls
        suits = not row["phone_harassment"] or wanted == "any" or _OFTEN in row["signals"]
        return suits and _may_be(row, only)
    if wanted == "any":
        return True
    firms = [name for name in row["brands"] if name.startswith("{")]
    if not firms or (row["phone_harassment"] and not _accuses(row)):
        return False
    return wanted == "firm" or any(_may_be(row, name) for name in ("NT", "Chaîne+"))


def _accuses(row: Mapping[str, Any]) -> bool:
    return any(said["harassment"] for said in row["brands"].values())


def _may_be(row: Mapping[str, Any], name: str) -> bool:
    first = PLACEHOLDER.search(f"{row.get('context_brand') or ''} {row['text']}")
    if first is None:
        return False
    sectors = {s for n, s in PLACEHOLDER.findall(row["text"]) if n == first[1] and s}
    sectors |= {first[2]} if first[2] else set()
    sector = next(iter(sectors), "")
    return any(brand.name == name for brand in _of(row, sector))


def _weight(brand: Brand, harassment: bool, day: date) -> float:
    if not harassment:
        return brand.talk
    weight = brand.calls
    if day >= CONSENT:
        weight *= CALLS_AFTER_CONSENT[brand.name]
    if brand.name == "Mandarine":
        weight *= 1 + max(0, day.year - 2021) * 0.25
    return weight


_WORD = re.compile(r"\w+")


def words_in(text: str) -> int:
    return len(_WORD.findall(text))

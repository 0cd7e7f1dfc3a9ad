"""Facts with their sources: brands, what labels mean, laws, numbers, denominators."""

import csv
import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Language = Literal["fr", "en"]


@dataclass(frozen=True, slots=True)
class FamilyStep:
    """The family that a brand belonged to before `until`."""

    until: dt.date
    family: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owned a brand, in words; `since` and `until` as precise as the source is."""

    since: str
    until: str
    owner: str
    status: str


@dataclass(frozen=True, slots=True)
class Brand:
    """A row of brands.toml. `name` is the canonical name in labels, `display` the one on screen."""

    id: str
    name: str
    display: str
    family: str
    sector: str
    aliases: tuple[str, ...]
    weak: tuple[str, ...]
    exclude: tuple[str, ...]
    handles: tuple[str, ...]
    families: tuple[FamilyStep, ...]
    owners: tuple[Owner, ...]
    note: str

    def family_on(self, day: dt.date | None) -> str:
        """The family at that date; the latest one when the date is unknown."""
        if day is not None:
            for step in self.families:
                if day < step.until:
                    return step.family
        return self.family


@dataclass(frozen=True, slots=True)
class Term:
    """A label for people: its id, its two names and, for topics and signals, what it means."""

    id: str
    fr: str
    en: str
    definition_fr: str = ""
    definition_en: str = ""
    rule: str = ""
    rule_since: dt.date | None = None
    rule_until: dt.date | None = None
    accused: bool = False

    def title(self, language: Language = "fr") -> str:
        return self.fr if language == "fr" else self.en

    def definition(self, language: Language = "fr") -> str:
        return self.definition_fr if language == "fr" else self.definition_en

    def rule_applies(self, day: dt.date) -> bool:
        """Whether the rule named beside the label was in force that day."""
        after = self.rule_since is not None and day >= self.rule_since
        return after and (self.rule_until is None or day <= self.rule_until)


@dataclass(frozen=True, slots=True)
class NumberRange:
    """A prefix of the French numbering plan and its class, from `since` (None: always)."""

    prefix: str
    number_class: str
    zone: str
    since: dt.date | None
    meaning_fr: str
    meaning_en: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that may move the curves; `scope` is a family, or * for all."""

    date: dt.date
    end: dt.date | None
    kind: str
    scope: str
    title_fr: str
    title_en: str
    text_fr: str
    text_en: str
    source: str
    status: str

    def title(self, language: Language = "fr") -> str:
        return self.title_fr if language == "fr" else self.title_en

    def text(self, language: Language = "fr") -> str:
        return self.text_fr if language == "fr" else self.text_en


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Customers of a family at a date, in millions; None where not found."""

    family: str
    date: dt.date | None
    mobile_millions: float | None
    fixed_millions: float | None
    perimeter: str
    source: str
    coherent_set: str
    note: str


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One value of an official series; `period` as published (a year, a month, a range)."""

    series: str
    period: str
    value: float | None
    unit: str
    detail: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Sanction:
    """A fine; `about_calls` is yes, partly or no; amount None where not found."""

    date: str
    authority: str
    company: str
    amount_eur: int | None
    reason: str
    about_calls: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Style:
    """How a brand is drawn: colours, dash and marker, so that colour is never the only sign."""

    brand: str
    family: str
    light: str
    light_contrast: float
    dark: str
    dash: str
    marker: str


def read_text(name: str) -> str:
    """The text of a reference file."""
    return (files("raccroche.reference") / name).read_text(encoding="utf-8")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(read_text(name).splitlines()))


@cache
def _toml(name: str) -> Mapping[str, Any]:
    return tomllib.loads(read_text(name))


def brand_blocks() -> list[dict[str, Any]]:
    """The [[brand]] blocks as written, as `nlp.brands.BrandSpec.from_mapping` reads them."""
    blocks: list[dict[str, Any]] = _toml("brands.toml")["brand"]
    return [dict(block) for block in blocks]


@cache
def brands() -> tuple[Brand, ...]:
    return tuple(_brand(block) for block in brand_blocks())


def _brand(block: Mapping[str, Any]) -> Brand:
    return Brand(
        id=block["id"],
        name=block["name"],
        display=block.get("display", block["name"]),
        family=block["family"],
        sector=block["sector"],
        aliases=tuple(block.get("aliases", ())),
        weak=tuple(block.get("weak", ())),
        exclude=tuple(block.get("exclude", ())),
        handles=tuple(block.get("handles", ())),
        families=tuple(
            FamilyStep(step["until"], step["family"]) for step in block.get("families", ())
        ),
        owners=tuple(
            Owner(row["since"], row.get("until", ""), row["owner"], row["status"])
            for row in block.get("owners", ())
        ),
        note=block.get("note", ""),
    )


@cache
def _brands_by_name() -> Mapping[str, Brand]:
    return {brand.name: brand for brand in brands()}


def brand(name: str) -> Brand | None:
    """The brand of that canonical name; None for one that is not in the table."""
    return _brands_by_name().get(name)


@cache
def _terms(kind: str) -> tuple[Term, ...]:
    return tuple(Term(**block) for block in _toml("taxonomy.toml")[kind])


def topics() -> tuple[Term, ...]:
    return _terms("topic")


def signals() -> tuple[Term, ...]:
    return _terms("signal")


def roles() -> tuple[Term, ...]:
    return _terms("role")


def sentiments() -> tuple[Term, ...]:
    return _terms("sentiment")


def number_classes() -> tuple[Term, ...]:
    return _terms("number_class")


@cache
def _titles() -> Mapping[str, Term]:
    kinds = ("topic", "signal", "role", "sentiment", "number_class")
    return {term.id: term for kind in kinds for term in _terms(kind)}


def title(label: str, language: Language = "fr") -> str:
    """The name of a topic, signal, role, sentiment or number class on screen; KeyError if none."""
    return _titles()[label].title(language)


@cache
def numbering() -> tuple[NumberRange, ...]:
    return tuple(
        NumberRange(**{**row, "since": _day(row["since"])})  # type: ignore[arg-type]
        for row in _rows("numbering.csv")
    )


@cache
def events() -> tuple[Event, ...]:
    return tuple(
        Event(**{**row, "date": _day(row["date"]), "end": _day(row["end"])})  # type: ignore[arg-type]
        for row in _rows("events.csv")
    )


@cache
def subscribers() -> tuple[Subscribers, ...]:
    return tuple(
        Subscribers(
            family=row["family"],
            date=_day(row["date"]),
            mobile_millions=_number(row["mobile_millions"]),
            fixed_millions=_number(row["fixed_millions"]),
            perimeter=row["perimeter"],
            source=row["source"],
            coherent_set=row["coherent_set"],
            note=row["note"],
        )
        for row in _rows("subscribers.csv")
    )


@cache
def official_series() -> tuple[SeriesPoint, ...]:
    return tuple(
        SeriesPoint(**{**row, "value": _number(row["value"])})  # type: ignore[arg-type]
        for row in _rows("official_series.csv")
    )


@cache
def sanctions() -> tuple[Sanction, ...]:
    return tuple(
        Sanction(**{**row, "amount_eur": _amount(row["amount_eur"])})  # type: ignore[arg-type]
        for row in _rows("sanctions.csv")
    )


@cache
def palette() -> tuple[Style, ...]:
    return tuple(
        Style(**{**row, "light_contrast": float(row["light_contrast"])})  # type: ignore[arg-type]
        for row in _rows("palette.csv")
    )


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _number(text: str) -> float | None:
    return float(text) if text else None


def _amount(text: str) -> int | None:
    return int(text) if text else None


def taxonomy_version() -> str:
    """The version of the labels' meanings; exports carry it."""
    return str(_toml("taxonomy.toml")["version"])

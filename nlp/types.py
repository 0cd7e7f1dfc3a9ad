"""The nouns of the classifier: Text goes in, Labels come out, a Labeller does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

SENTIMENTS: tuple[str, ...] = ("negative", "neutral", "positive")

TOPICS: tuple[str, ...] = (
    "phone_harassment",
    "fraud",
    "forced_sale",
    "billing",
    "cancellation",
    "network",
    "installation",
    "customer_service",
    "personal_data",
    "debt_credit",
    "equipment_delivery",
    "law_regulation",
    "praise",
    "claims_handling",
    "other",
)

SIGNALS: tuple[str, ...] = (
    "excessive_frequency",
    "silent_call",
    "robocall",
    "masked_number",
    "voicemail",
    "forbidden_hours",
    "refusal_ignored",
    "do_not_call_list_useless",
    "former_customer",
    "no_consent_prospect",
    "current_customer",
    "call_centre",
    "number_rotation",
    "local_or_mobile_number",
    "impersonated_brand",
    "own_number_spoofed",
    "aggressive",
    "deceptive_pretext",
    "sms_messaging",
    "life_impact",
    "action_taken",
)

ROLES: tuple[str, ...] = (
    "caller",
    "suspected_principal",
    "line_operator",
    "impersonated",
    "addressee",
    "compared",
    "solution",
    "cited",
)

ACCUSED_ROLES: frozenset[str] = frozenset({"caller", "suspected_principal"})

NUMBER_CLASSES: tuple[str, ...] = (
    "telemarketing_range",
    "mobile",
    "geographic",
    "non_geographic",
    "platform",
    "special_rate",
    "short",
    "foreign",
    "fiction",
    "masked",
    "unknown",
)

PERIODS: tuple[str, ...] = ("hour", "day", "week", "month", "total")


@dataclass(frozen=True, slots=True)
class Text:
    """One post to label, with what its source says of it.

    `context_brand` is the company reviewed; `reply_to_brand` the brand whose account is answered;
    `others` are texts of the same thread, so that a passage copied from one of them is not taken
    for the author's own words.
    """

    id: str
    text: str
    title: str | None = None
    context_brand: str | None = None
    kind: str | None = None
    published_at: date | None = None
    thread_title: str | None = None
    reply_to_brand: str | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrandLabel:
    """What the author alleges of one brand. Probabilities are None where the labeller has none."""

    sentiment: str
    harassment: bool
    role: str
    inherited: bool = False
    probability: float | None = None
    sentiment_probability: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The brand's object of LABELS.md; probabilities only where there are some."""
        answer: dict[str, Any] = {
            "sentiment": self.sentiment,
            "harassment": self.harassment,
            "role": self.role,
            "inherited": self.inherited,
        }
        if self.probability is not None:
            answer["probability"] = round(self.probability, 4)
        if self.sentiment_probability is not None:
            answer["sentiment_probability"] = round(self.sentiment_probability, 4)
        return answer


@dataclass(frozen=True, slots=True)
class CallFrequency:
    """Calls declared by the author: between `min` and `max` per `per`, for `duration_days` if said.

    `per` is one of PERIODS; "total" is a count with no period ("30 appels").
    """

    min: float
    max: float
    per: str
    duration_days: float | None = None

    def per_day(self) -> float | None:
        """The middle of the range brought to one day; None for a bare total with no duration."""
        middle = (self.min + self.max) / 2
        days = {"hour": 1 / 12, "day": 1.0, "week": 7.0, "month": 30.0}
        if self.per in days:
            return middle / days[self.per]
        return middle / self.duration_days if self.duration_days else None

    def to_dict(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "min": _plain(self.min),
            "max": _plain(self.max),
            "per": self.per,
        }
        if self.duration_days is not None:
            answer["duration_days"] = _plain(self.duration_days)
        return answer


@dataclass(frozen=True, slots=True)
class NumberFact:
    """A telephone number seen in the text: its class by the numbering plan and its masked form."""

    number_class: str
    shown: str

    def to_dict(self) -> dict[str, str]:
        return {"class": self.number_class, "shown": self.shown}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the author declares about the calls: how often, from what numbers, when.

    `hours` are "HH:MM"; `days` are English week days, "weekend" or "public_holiday".
    """

    calls: CallFrequency | None = None
    numbers: tuple[NumberFact, ...] = ()
    hours: tuple[str, ...] = ()
    days: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Only what was found: an empty object when nothing was declared."""
        answer: dict[str, Any] = {}
        if self.calls is not None:
            answer["calls"] = self.calls.to_dict()
        if self.numbers:
            answer["numbers"] = [number.to_dict() for number in self.numbers]
        if self.hours:
            answer["hours"] = list(self.hours)
        if self.days:
            answer["days"] = list(self.days)
        return answer


@dataclass(frozen=True, slots=True)
class Labels:
    """Everything said of one post by one labeller.

    `spans` are (start, end, why) in the characters of `Text.text`, for highlighting; `refused`
    is the reason why the post was not labelled ("empty", "language:en"), and then
    the flags mean nothing: to_dict() carries the refusal so that nobody counts it as neutral.
    """

    id: str
    language: str | None
    language_probability: float | None
    sentiment: str
    phone_harassment: bool
    testimony: bool
    topics: tuple[str, ...]
    signals: tuple[str, ...]
    brands: Mapping[str, BrandLabel]
    facts: Facts = Facts()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    spans: tuple[tuple[int, int, str], ...] = ()
    labeller: str = ""
    model_version: str = ""
    refused: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of LABELS.md, ready for json.dumps."""
        answer: dict[str, Any] = {
            "id": self.id,
            "language": self.language,
            "language_probability": _rounded(self.language_probability),
            "sentiment": self.sentiment,
            "phone_harassment": self.phone_harassment,
            "testimony": self.testimony,
            "topics": list(self.topics),
            "signals": list(self.signals),
            "brands": {name: label.to_dict() for name, label in self.brands.items()},
            "facts": self.facts.to_dict(),
            "probabilities": {k: round(v, 4) for k, v in self.probabilities.items()},
            "spans": [list(span) for span in self.spans],
            "labeller": self.labeller,
            "model_version": self.model_version,
        }
        if self.refused is not None:
            answer["refused"] = self.refused
        return answer


class Labeller(Protocol):
    """Anything that labels: the rules, the embedded model, a transformer."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def label(self, texts: Sequence[Text]) -> list[Labels]: ...


def _plain(number: float) -> int | float:
    """4.0 is written 4 in the JSON."""
    return int(number) if float(number).is_integer() else round(float(number), 2)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

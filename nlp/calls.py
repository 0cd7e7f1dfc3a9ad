"""Who calls whom: sentences where calls come in or go out, and what each brand does in them."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nlp.brands import BrandTable, Mention
from nlp.lexicon import BOUNDARY, QUOTED, Hit
from nlp.types import ACCUSED_ROLES

Hits = Mapping[str, Sequence[Hit]]

HARASSMENT_WEIGHTS: Mapping[str, float] = {
    "h.harassment_phone": 3.0,
    "h.harassed": 1.0,
    "h.to_sell": 1.5,
    "h.harassment": 1.0,
    "h.canvassing_phone": 1.6,
    "h.canvassed": 0.7,
    "h.canvassing": 0.6,
    "h.unwanted_calls": 1.9,
    "h.many_calls": 0.8,
    "h.sales": 0.6,
    "h.harassment_often": 1.2,
    "h.debt": -0.6,
    "call.in": 0.7,
    "call.they": 0.4,
    "call.phone_contact": 0.4,
    "h.scam_sale": 0.2,
    "call.pickup": 0.3,
    "call.at_hour": 0.6,
    "call.blocked": 0.5,
    "sig.silent_call": 0.8,
    "sig.robocall": 0.6,
    "sig.masked_number": 0.4,
    "sig.own_number_spoofed": 1.2,
    "call.out": -0.6,
    "call.callback": -0.6,
    "call.service": -0.8,
    "call.private": -1.5,
    "no.negated": -0.8,
    "no.praised": -1.2,
    "no.other_medium": -1.8,
    "no.information": -1.0,
    "no.hypothetical": -0.5,
    "no.advert": -1.0,
    "no.brand_reply": -2.5,
    "no.professional": -1.0,
    "no.door": -1.5,
    "no.customer_harasses": -1.0,
}
_CALLS = (
    "h.harassment_phone", "h.canvassing_phone", "h.unwanted_calls", "h.sales", "call.in",
    "call.they", "h.canvassing", "h.many_calls",
)  # fmt: skip
_WRONGS = (
    "topic.forced_sale", "sig.aggressive", "sig.deceptive_pretext", "sig.refusal_ignored",
    "sig.impersonated_brand", "sig.do_not_call_list_useless", "sig.life_impact",
)  # fmt: skip
_BY_PHONE = (
    "call.phone_contact", "call.in", "h.sales", "h.canvassing", "h.canvassing_phone",
)  # fmt: skip
_TRICKS = (
    "h.scam_sale", "topic.forced_sale", "sig.deceptive_pretext", "sig.impersonated_brand",
    "sig.aggressive",
)  # fmt: skip
_STRANGE_CALLS = (
    "sig.silent_call", "sig.robocall", "sig.masked_number", "sig.voicemail", "call.pickup",
)  # fmt: skip
_PESTERED = ("h.canvassing_phone", "h.canvassed", "h.canvassing", "h.many_calls")
TOGETHER: Mapping[str, float] = {
    "sig.excessive_frequency": 1.0,
    "sig.refusal_ignored": 0.9,
    "sig.masked_number": 1.0,
    "sig.silent_call": 1.0,
    "sig.robocall": 0.8,
    "sig.voicemail": 0.5,
    "sig.forbidden_hours": 0.5,
    "sig.do_not_call_list_useless": 1.0,
    "sig.no_consent_prospect": 0.4,
    "sig.former_customer": 0.5,
    "sig.number_rotation": 0.8,
    "sig.own_number_spoofed": 1.0,
    "sig.impersonated_brand": 0.5,
    "sig.call_centre": 0.5,
    "topic.forced_sale": 0.6,
    "h.many_calls": 0.8,
}
"""What a signal adds where a call comes in, in the same sentence."""

HARASSMENT_THRESHOLD = 1.4
_ACCUSED_THRESHOLD = 1.0
ATTRIBUTION_RULES = (
    "attr.caller",
    "attr.principal",
    "attr.impersonated",
    "attr.line",
    "attr.solution",
    "attr.alone",
    "attr.left",
    "attr.compared",
)
_NEVER_CALLERS = frozenset({"public"})


class Sentence(NamedTuple):
    """Words `first` to `last` excluded, and which way calls go in them."""

    first: int
    last: int
    incoming: bool
    outgoing: bool


@dataclass(frozen=True, slots=True)
class Part:
    """What one brand does in a post: the role, and the evidence for its being the caller."""

    role: str
    evidence: float
    inherited: bool = False


def by_rule(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    grouped: dict[str, list[Hit]] = {}
    for hit in hits:
        grouped.setdefault(hit.rule, []).append(hit)
    return grouped


_DENIED_BY = ("no.negated", "no.hypothetical", "no.customer_harasses", "no.praised", "call.private")
_DENIABLE = ("h.", "call.in", "call.they")


def without_denied(hits: dict[str, list[Hit]]) -> dict[str, list[Hit]]:
    """The hits less those that the author denies, fears, praises or does: "jamais harcelé"."""
    hits = _without_doubtful(hits)
    denials = [hit for rule in _DENIED_BY for hit in hits.get(rule, ())]
    if not denials:
        return hits
    kept = {}
    for rule, found in hits.items():
        if rule.startswith(_DENIABLE):
            found = _clear_of(found, denials)
        if found:
            kept[rule] = found
    return kept


# What takes the say from these rules where it stands in the same words: "démarchage, proche du
# harcèlement, la conseillère très sympathique" is no praise, nor is "lettres d'huissiers,
# harcèlement téléphonique" by letter.
_OUTSPOKEN = {
    "no.praised": ("h.harassment", "h.harassed", "h.harassment_phone", "h.unwanted_calls"),
    "no.other_medium": ("h.harassment_phone",),
    "h.debt": ("h.harassment_phone",),
}


def _without_doubtful(hits: dict[str, list[Hit]]) -> dict[str, list[Hit]]:
    """The hits less the denials that stronger words within them refute."""
    kept = hits
    for rule, stronger in _OUTSPOKEN.items():
        if rule not in hits:
            continue
        words = [hit for name in stronger for hit in hits.get(name, ())]
        left = _clear_of(hits[rule], words)
        if len(left) < len(hits[rule]):
            kept = {name: found for name, found in kept.items() if name != rule}
            kept |= {rule: left} if left else {}
    return kept


def _clear_of(found: Iterable[Hit], others: Sequence[Hit]) -> list[Hit]:
    """The hits that share no word with any of the others."""
    return [hit for hit in found if not any(_overlap(hit, other) for other in others)]


def _overlap(hit: Hit, other: Hit) -> bool:
    return hit.first < other.last and other.first < hit.last


_INCOMING = ("call.in", "h.harassed", "h.harassment_phone", "h.unwanted_calls", "h.canvassed",
             "h.canvassing_phone", "h.many_calls")  # fmt: skip
_OUTGOING = ("call.out",)
_SENTENCE = re.compile(f"[^{BOUNDARY}{QUOTED}]+")


def sentences(encoded: str, hits: Hits) -> list[Sentence]:
    """The post cut at sentence ends, each with its direction of calls."""
    incoming = _marks(hits, _INCOMING)
    outgoing = _marks(hits, _OUTGOING)
    return [
        Sentence(
            *span,
            holds(*span, incoming),
            holds(*span, outgoing),
        )
        for span in [match.span() for match in _SENTENCE.finditer(encoded)]
    ]


def holds(first: int, last: int, marks: Sequence[int]) -> bool:
    """Whether one of the marks, in order, stands from `first` to `last` excluded."""
    place = bisect_left(marks, first)
    return place < len(marks) and marks[place] < last


def _marks(hits: Hits, rules: Iterable[str]) -> list[int]:
    return sorted(hit.first for rule in rules for hit in hits.get(rule, ()))


def harassment_score(hits: Hits, cut: Sequence[Sentence]) -> float:
    """How much the words speak for unwanted sales calls; above HARASSMENT_THRESHOLD is a yes."""
    score = sum(weight for rule, weight in HARASSMENT_WEIGHTS.items() if rule in hits)
    score += sum(
        weight for rule, weight in TOGETHER.items() if rule in hits and meets(hits[rule], cut)
    )
    if any(rule in hits for rule in _PESTERED):
        score += 0.6 * min(2, sum(rule in hits for rule in _WRONGS))
    tricks = min(3, sum(rule in hits for rule in _TRICKS))
    if any(rule in hits for rule in _BY_PHONE):
        score += 0.5 * tricks
    elif tricks > 1:
        score += 0.6 * (tricks - 1)
    if "sig.excessive_frequency" in hits and any(rule in hits for rule in _STRANGE_CALLS):
        score += 0.6
    if "sig.excessive_frequency" in hits and "h.harassment" in hits:
        score += 0.6
    if "h.harassed" in hits and any(rule in hits for rule in _CALLS):
        score += 0.8
    return score


def meets(found: Sequence[Hit], cut: Sequence[Sentence]) -> bool:
    """Whether one of these hits stands in a sentence where a call comes in."""
    return _in_a_call([hit.first for hit in found], cut)


def parts(
    mentions: Sequence[Mention],
    hits: Hits,
    cut: Sequence[Sentence],
    table: BrandTable,
    *,
    reviewed: str | None = None,
    answered: str | None = None,
) -> dict[str, Part]:
    """The part of each brand in a post that reports harassment.

    `reviewed` is the company reviewed, `answered` the one whose account the post answers: they are
    given with no mention too, marked as inherited.
    """
    named = list(dict.fromkeys(mention.brand for mention in mentions))
    given = [brand for brand in (reviewed, answered) if brand is not None]
    callers = [b for b in (*named, *given) if table.sector(b) not in _NEVER_CALLERS]
    alone = len(set(callers)) == 1
    answer: dict[str, Part] = {}
    for brand in dict.fromkeys((*named, *given)):
        own = [mention for mention in mentions if mention.brand == brand]
        answer[brand] = _part(brand, own, hits, cut, table, alone, brand in given)
    return _settled(answer, given)


def _part(
    brand: str,
    own: Sequence[Mention],
    hits: Hits,
    cut: Sequence[Sentence],
    table: BrandTable,
    alone: bool,
    given: bool,
) -> Part:
    if table.sector(brand) in _NEVER_CALLERS:
        role = "impersonated" if covers(hits.get("attr.impersonated", ()), own) else "cited"
        return Part(role, 0.0)
    evidence = 1.5 if given else 0.0
    if alone:
        evidence += 1.2
    if covers(hits.get("attr.caller", ()), own):
        evidence += 2.0
    if "attr.you" in hits and (alone or given or any(mention.handle for mention in own)):
        evidence += 1.5
    if _shares_sentence(own, cut):
        evidence += 0.8
    elif _among_signals(own, hits, cut):
        evidence += 0.6
    if "sig.former_customer" in hits and covers(hits.get("attr.left", ()), own):
        evidence += 1.2
    principal = covers(hits.get("attr.principal", ()), own)
    if principal:
        evidence += 1.0
    role = "suspected_principal" if principal else "caller"
    for other, cost in _OTHER_ROLES:
        if covers(hits.get(f"attr.{other}", ()), own):
            evidence -= cost
            if evidence < _ACCUSED_THRESHOLD:
                return Part(_ROLE_NAMES.get(other, other), evidence, given and not own)
    if evidence < _ACCUSED_THRESHOLD:
        role = "addressee" if any(mention.handle for mention in own) else "cited"
    return Part(role, evidence, given and not own)


_OTHER_ROLES = (
    ("impersonated", 4.5),
    ("solution", 2.0),
    ("alone", 2.5),
    ("line", 1.5),
    ("compared", 1.2),
)
_BYSTANDERS = ("cited", "addressee")
_ROLE_NAMES = {"line": "line_operator", "alone": "compared"}


def covers(found: Sequence[Hit], own: Sequence[Mention]) -> bool:
    """Whether one of these hits takes in one of these mentions."""
    return any(
        hit.first < mention.last and mention.first < hit.last for hit in found for mention in own
    )


def _shares_sentence(own: Sequence[Mention], cut: Sequence[Sentence]) -> bool:
    return _in_a_call([mention.first for mention in own], cut)


def _in_a_call(words: Iterable[int], cut: Sequence[Sentence]) -> bool:
    """Whether one of these words stands in a sentence where a call comes in."""
    marks = sorted(words)
    return any(s.incoming and holds(s.first, s.last, marks) for s in cut)


def _among_signals(own: Sequence[Mention], hits: Hits, cut: Sequence[Sentence]) -> bool:
    """Whether a sentence of the brand carries a signal ("3 fois hier, dimanche, en masqué")."""
    marks = _marks(hits, [rule for rule in hits if rule in TOGETHER])
    named = sorted(mention.first for mention in own)
    return any(holds(s.first, s.last, named) and holds(s.first, s.last, marks) for s in cut)


def _settled(answer: dict[str, Part], given: Sequence[str]) -> dict[str, Part]:
    """Where one brand is plainly the caller, others with little evidence are only named; where
    none is, the one with most evidence is taken for the caller.
    """
    strongest = max((part.evidence for part in answer.values()), default=0.0)
    settled = {}
    for brand, part in answer.items():
        accused = part.role in ACCUSED_ROLES
        if accused and brand not in given and part.evidence + 1.0 < strongest and strongest >= 2.8:
            part = Part("cited", part.evidence, part.inherited)
        elif part.role in _BYSTANDERS and _ACCUSED_THRESHOLD > strongest == part.evidence > 0:
            part = Part("caller", part.evidence, part.inherited)
        settled[brand] = part
    return settled

"""The rule labeller: the whole schema by words and patterns, and the features that models reuse."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nlp import facts as declared
from nlp.brands import BrandSpec, BrandTable, Mention, override_codes
from nlp.calls import (
    ATTRIBUTION_RULES,
    HARASSMENT_THRESHOLD,
    TOGETHER,
    Part,
    Sentence,
    by_rule,
    covers,
    harassment_score,
    holds,
    meets,
    parts,
    sentences,
    without_denied,
)
from nlp.language import Language, detect
from nlp.lexicon import BRAND, BRAND_TAIL, QUOTED, Hit, Lexicon, french
from nlp.numbers import COARSE_PLAN, NumberingPlan, PhoneNumber, find_numbers
from nlp.text import Clean, Words, clean, words
from nlp.types import (
    ACCUSED_ROLES,
    ROLES,
    SIGNALS,
    TOPICS,
    BrandLabel,
    Facts,
    Labels,
    NumberFact,
    Text,
)

NAME = "rules"
VERSION = "rules-3"

_DIGIT = re.compile(r"\d")
_MENTIONS_OF_ONE = 20
_MENTIONS = 200
_TITLE_END = "\n\n"
_ON_CALLS = (
    "h.canvassing_phone", "h.canvassing", "h.harassment_phone", "h.unwanted_calls", "h.sales",
)  # fmt: skip
_TELLS_OF_CALLS = ("call.in", "call.they", "sig.")
_UNDER_CALLS = 1.0  # evidence for a comment that tells of calls, in a thread that is about them
_TITLES = 10_000  # titles remembered


@dataclass(frozen=True)
class Analysis:
    """One reading of a post, shared by the rules and by models: nothing is read twice.

    `read` are its words, `encoded` one lexicon character a word (quoted words are hidden in it),
    `hits` the rules found by name, `cut` its sentences, `mentions` the brands named; `reviewed` and
    `answered` the brands given by the source, under the table's names; `thread_on_calls` whether
    its thread is about canvassing by telephone.
    """

    text: Text
    clean: Clean
    read: Words
    encoded: str
    language: Language
    mentions: list[Mention]
    hits: Mapping[str, list[Hit]]
    cut: list[Sentence]
    reviewed: str | None
    answered: str | None
    thread_on_calls: bool
    table: BrandTable
    plan: NumberingPlan

    @cached_property
    def score(self) -> float:
        """Evidence for harassment, see `nlp.calls.harassment_score`; the thread may add some."""
        own = harassment_score(self.hits, self.cut)
        if own <= 0 or not self.thread_on_calls:
            return own
        tells = any(rule.startswith(_TELLS_OF_CALLS) for rule in self.hits)
        return own + _UNDER_CALLS if tells else own

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The part of each brand, were the post to report harassment."""
        return parts(
            self.mentions,
            self.hits,
            self.cut,
            self.table,
            reviewed=self.reviewed,
            answered=self.answered,
        )

    def is_quoted(self, mention: Mention) -> bool:
        """Whether a brand is named only in words that are not the author's."""
        start, end = self.read.span(mention.first, mention.last)
        return any(first <= start and end <= last for first, last in self.clean.quoted)

    @cached_property
    def own_words(self) -> int:
        """How many words are the author's own."""
        return len(self.encoded) - self.encoded.count(QUOTED)

    @cached_property
    def forms(self) -> list[str]:
        """The words without accents."""
        return declared.plain_forms(self.read)

    @cached_property
    def numbers(self) -> list[PhoneNumber]:
        """Telephone numbers of the post, classed at its date."""
        text = self.clean.text
        if _DIGIT.search(text) is None:
            return []
        return find_numbers(text, self.text.published_at, self.plan)

    def facts(self) -> Facts:
        """The frequency, numbers, hours and days declared where calls come in to people."""
        incoming = [
            (sentence.first, sentence.last)
            for sentence in self.cut
            if sentence.incoming or not sentence.outgoing
        ]
        when = declared.moments(self.forms, incoming)
        numbers = [NumberFact(n.number_class, n.shown) for n in self.numbers]
        if "sig.masked_number" in self.hits:
            numbers.append(NumberFact("masked", ""))
        return Facts(
            calls=declared.call_frequency(self.forms, incoming),
            numbers=tuple(dict.fromkeys(numbers)),
            hours=when.hours,
            days=when.days,
        )

    def spans(self, rules: Iterable[str]) -> tuple[tuple[int, int, str], ...]:
        """Where these rules matched, in characters of `text.text` as published (titles aside)."""
        before = len(self.text.title) + len(_TITLE_END) if self.text.title else 0
        found: list[tuple[int, int, str]] = []
        for rule in rules:
            why = rule.removeprefix("sig.")
            for first, last in _merged(self.hits.get(rule, ())):
                start, end = self.clean.origin(*self.read.span(first, last))
                if start >= before:
                    found.append((start - before, end - before, why))
        return tuple(sorted(found))


class Reader:
    """Reads posts with one lexicon, brand table and numbering plan."""

    def __init__(
        self,
        table: BrandTable,
        plan: NumberingPlan = COARSE_PLAN,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.table = table
        self.plan = plan
        self.lexicon = lexicon if lexicon is not None else french()
        self._kept = self.lexicon.members("LISTNAME")
        self._on_calls: dict[str, bool] = {}  # by title of a thread

    def analyse(self, text: Text) -> Analysis:
        """Read one post; any string is answered, in time linear in its length."""
        body = text.text if not text.title else f"{text.title}{_TITLE_END}{text.text}"
        cleaned = clean(body, text.others)
        read = words(cleaned.text)
        codes = self.lexicon.encode(read.forms)
        reviewed, answered = self._given(text.context_brand), self._given(text.reply_to_brand)
        mentions = self.table.find(
            read,
            cleaned.text,
            codes,
            source_brands=[b for b in (reviewed, answered) if b is not None],
            topic=text.thread_title or "",
        )
        override_codes(codes, mentions, self._kept, BRAND, BRAND_TAIL)
        _hide_quotes(codes, read, cleaned.quoted)
        encoded = "".join(codes)
        hits = without_denied(by_rule(self.lexicon.find(encoded)))
        return Analysis(
            text=text,
            clean=cleaned,
            read=read,
            encoded=encoded,
            language=detect(cleaned.text, read.forms),
            mentions=_bounded(mentions),
            hits=hits,
            cut=sentences(encoded, hits),
            reviewed=reviewed,
            answered=answered,
            thread_on_calls=self._about_calls(text.thread_title or ""),
            table=self.table,
            plan=self.plan,
        )

    def _about_calls(self, title: str) -> bool:
        """Whether a thread's title speaks of canvassing by telephone."""
        if not title:
            return False
        if title not in self._on_calls:
            if len(self._on_calls) >= _TITLES:
                self._on_calls.clear()
            read = words(clean(title).text)
            found = self.lexicon.find("".join(self.lexicon.encode(read.forms)))
            self._on_calls[title] = not by_rule(found).keys().isdisjoint(_ON_CALLS)
        return self._on_calls[title]

    def _given(self, name: str | None) -> str | None:
        if not name:
            return None
        return self.table.resolve(name) or name


def analyse(text: Text, table: BrandTable) -> Analysis:
    """Read one post with the shipped lexicon; use a `Reader` for many."""
    return Reader(table).analyse(text)


def brand_table(blocks: Iterable[Mapping[str, object]]) -> BrandTable:
    """A table from parsed TOML blocks: the reference's, then the user's own."""
    return BrandTable((BrandSpec.from_mapping(block) for block in blocks), french())


def _merged(hits: Sequence[Hit]) -> list[tuple[int, int]]:
    """The words covered by hits, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((hit.first, hit.last) for hit in hits):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _bounded(mentions: list[Mention]) -> list[Mention]:
    """The first mentions of each brand: a name written ten thousand times tells no more."""
    if len(mentions) <= _MENTIONS_OF_ONE:
        return mentions
    seen: Counter[str] = Counter()
    kept = []
    for mention in mentions:
        seen[mention.brand] += 1
        if seen[mention.brand] <= _MENTIONS_OF_ONE:
            kept.append(mention)
    return kept[:_MENTIONS]


def _hide_quotes(codes: list[str], read: Words, quoted: Sequence[tuple[int, int]]) -> None:
    starts = read.starts if quoted else []
    for first, last in quoted:
        for position in range(bisect_left(starts, first), bisect_left(starts, last)):
            codes[position] = QUOTED


_DERIVED_FEATURES = (
    "score",
    "sentiment_balance",
    "sentences_in",
    "sentences_out",
    "brands",
    "reviewed",
    "quoted",
    "long",
    "numbers",
    "question",
    "exclamation",
)
_TOGETHER_FEATURES = tuple(f"in&{rule}" for rule in TOGETHER)
RULE_FEATURES: tuple[str, ...] = (*french().rules, *_DERIVED_FEATURES, *_TOGETHER_FEATURES)
"""Names of the features that the rules offer to a model, stable within one VERSION."""

BRAND_FEATURES: tuple[str, ...] = (
    "evidence",
    "inherited",
    "given",
    "alone",
    "handle",
    "first",
    "never_calls",
    "incoming_sentence",
    "outgoing_sentence",
    "quoted",
    *(f"role:{role}" for role in ROLES),
    *(f"near:{rule}" for rule in ATTRIBUTION_RULES),
    "you",
)
"""Names of the features of one brand in one post."""


def rule_features(reading: Analysis) -> dict[str, float]:
    """The features that are not zero. A rule's own is how often it was found, three at most."""
    hits = reading.hits
    found: dict[str, float] = {rule: float(min(len(of), 3)) for rule, of in hits.items()}
    body = reading.clean.text
    derived = (
        reading.score,
        sentiment_balance(hits),
        float(sum(sentence.incoming for sentence in reading.cut)),
        float(sum(sentence.outgoing for sentence in reading.cut)),
        float(len(reading.parts)),
        float(reading.reviewed is not None),
        float(bool(reading.clean.quoted)),
        float(len(reading.read) > 60),
        float(len(reading.numbers)),
        float("?" in body),
        float("!" in body),
    )
    found.update(
        (name, value) for name, value in zip(_DERIVED_FEATURES, derived, strict=True) if value
    )
    for rule in TOGETHER:
        if rule in hits and meets(hits[rule], reading.cut):
            found[f"in&{rule}"] = 1.0
    return found


def brand_features(reading: Analysis, brand: str) -> dict[str, float]:
    """The features of one brand of `reading.parts` that are not zero."""
    part = reading.parts[brand]
    own = [mention for mention in reading.mentions if mention.brand == brand]
    given = brand in (reading.reviewed, reading.answered)
    near = [rule for rule in ATTRIBUTION_RULES if covers(reading.hits.get(rule, ()), own)]
    named = sorted(mention.first for mention in own)
    incoming = [cut for cut in reading.cut if holds(cut.first, cut.last, named)]
    found = {
        "evidence": part.evidence,
        "inherited": float(part.inherited),
        "given": float(given),
        "alone": float(len(reading.parts) == 1),
        "handle": float(any(mention.handle for mention in own)),
        "first": float(bool(own) and own[0].first <= 1),
        "never_calls": float(reading.table.sector(brand) == "public"),
        "incoming_sentence": float(any(sentence.incoming for sentence in incoming)),
        "outgoing_sentence": float(any(sentence.outgoing for sentence in incoming)),
        "quoted": float(bool(own) and all(reading.is_quoted(mention) for mention in own)),
        f"role:{part.role}": 1.0,
        "you": float("attr.you" in reading.hits),
        **{f"near:{rule}": 1.0 for rule in near},
    }
    return {name: value for name, value in found.items() if value}


class RuleLabeller:
    """The baseline that models must beat: every label by rules, no probability pretended."""

    def __init__(
        self,
        table: BrandTable,
        plan: NumberingPlan = COARSE_PLAN,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.reader = Reader(table, plan, lexicon)

    @property
    def name(self) -> str:
        return NAME

    @property
    def version(self) -> str:
        return VERSION

    def label(self, texts: Sequence[Text]) -> list[Labels]:
        return [self.label_one(self.reader.analyse(text)) for text in texts]

    def label_one(self, reading: Analysis) -> Labels:
        refused = refusal(reading)
        if refused is not None:
            return refused_labels(reading, refused, NAME, VERSION)
        harassment = reading.score >= HARASSMENT_THRESHOLD and reading.own_words > 0
        sentiment = sentiment_of(reading, harassment)
        found = signals_of(reading, harassment)
        return Labels(
            id=reading.text.id,
            language=reading.language.code,
            language_probability=reading.language.probability,
            sentiment=sentiment,
            phone_harassment=harassment,
            testimony=is_testimony(reading),
            topics=topics_of(reading, harassment, sentiment),
            signals=found,
            brands=brand_labels(reading, harassment, sentiment),
            facts=reading.facts() if harassment else Facts(),
            spans=reading.spans(evidence(found)) if harassment else (),
            labeller=NAME,
            model_version=VERSION,
        )


_LEAST_FOREIGN_WORDS = 4
_FOREIGN_ENOUGH = 0.6


def refusal(reading: Analysis) -> str | None:
    """Why a post is not labelled: nothing to read, or another language; None when it is."""
    if reading.language.code is None:
        return "no_words"
    foreign = (
        reading.language.code != "fr" and (reading.language.probability or 0) > _FOREIGN_ENOUGH
    )
    if foreign and len(reading.read) >= _LEAST_FOREIGN_WORDS:
        return f"language:{reading.language.code}"
    return None


def refused_labels(reading: Analysis, reason: str, labeller: str, version: str) -> Labels:
    """The answer for a post that cannot be read: its brands by name only, no judgement."""
    return Labels(
        id=reading.text.id,
        language=reading.language.code,
        language_probability=reading.language.probability,
        sentiment="neutral",
        phone_harassment=False,
        testimony=False,
        topics=("other",),
        signals=(),
        brands={
            brand: BrandLabel("neutral", False, "cited", part.inherited)
            for brand, part in reading.parts.items()
        },
        labeller=labeller,
        model_version=version,
        refused=reason,
    )


def evidence(found: Iterable[str]) -> list[str]:
    """The rules to highlight for these signals, with the ones that speak of calls."""
    return [
        *(f"sig.{signal}" for signal in found),
        "h.harassment_phone",
        "h.harassed",
        "h.canvassing_phone",
        "h.canvassed",
        "h.unwanted_calls",
    ]


def signals_of(reading: Analysis, harassment: bool) -> tuple[str, ...]:
    """Signals found by rule; without harassment only sms_messaging may stay."""
    hits = reading.hits
    if not harassment:
        return ("sms_messaging",) if "sig.sms_messaging" in hits else ()
    found = {signal for signal in SIGNALS if f"sig.{signal}" in hits}
    return tuple(signal for signal in SIGNALS if signal in found)


def sentiment_of(reading: Analysis, harassment: bool) -> str:
    """By counting words of praise and of complaint, negations turned over."""
    balance = sentiment_balance(reading.hits)
    if harassment:
        balance -= 2
    if balance <= -1:
        return "negative"
    return "positive" if balance >= 1 else "neutral"


_SENTIMENT_WEIGHTS: Mapping[str, float] = {
    "sent.positive": 1.0,
    "sent.praise": 1.5,
    "sent.emoji_positive": 1.0,
    "sent.negated_negative": 2.0,
    "sent.negative": -1.0,
    "sent.complaint": -1.5,
    "sent.emoji_negative": -1.5,
    "sent.negated_positive": -2.0,
    "sent.mocking": -1.0,
}
_MOST = 4


def sentiment_balance(hits: Mapping[str, Sequence[Hit]]) -> float:
    """Praise minus complaint; each kind counts `_MOST` times at most."""
    return sum(
        weight * min(len(hits[rule]), _MOST)
        for rule, weight in _SENTIMENT_WEIGHTS.items()
        if rule in hits
    )


def is_testimony(reading: Analysis) -> bool:
    """The author's own or a near relative's experience with a company."""
    hits = reading.hits
    if reading.own_words == 0 or "no.professional" in hits or "no.advert" in hits:
        return False
    own = "own.experience" in hits or "own.client" in hits
    return own or reading.reviewed is not None


_DIRECT_TOPICS = (
    ("fraud", "topic.fraud"),
    ("forced_sale", "topic.forced_sale"),
    ("billing", "topic.billing_strong"),
    ("cancellation", "topic.cancellation"),
    ("network", "topic.network"),
    ("installation", "topic.installation"),
    ("customer_service", "topic.customer_service"),
    ("personal_data", "topic.personal_data"),
    ("debt_credit", "topic.debt_credit"),
    ("equipment_delivery", "topic.equipment_delivery"),
    ("law_regulation", "topic.law_strong"),
)
_INSURERS = frozenset({"insurance", "public"})


def topics_of(reading: Analysis, harassment: bool, sentiment: str) -> tuple[str, ...]:
    """Topics by rule, in the order of TOPICS; `other` where none is found."""
    hits = reading.hits
    found = {topic for topic, rule in _DIRECT_TOPICS if rule in hits}
    if harassment:
        found.add("phone_harassment")
    if sentiment == "positive":
        found.add("praise")
    sectors = {reading.table.sector(brand) for brand in reading.parts}
    if "topic.claims_handling" in hits and not sectors.isdisjoint(_INSURERS):
        found.add("claims_handling")
    return tuple(topic for topic in TOPICS if topic in found) or ("other",)


def brand_labels(reading: Analysis, harassment: bool, sentiment: str) -> dict[str, BrandLabel]:
    """Role, harassment and attitude for each brand."""
    answer = {}
    for brand, part in reading.parts.items():
        accused = harassment and part.role in ACCUSED_ROLES
        role = part.role if harassment or part.role not in ACCUSED_ROLES else "addressee"
        answer[brand] = BrandLabel(
            sentiment=brand_sentiment(reading, brand, part, accused, sentiment),
            harassment=accused,
            role=role,
            inherited=part.inherited,
        )
    return answer


_NEUTRAL_ROLES = frozenset({"impersonated", "cited"})


def brand_sentiment(
    reading: Analysis, brand: str, part: Part, accused: bool, sentiment: str
) -> str:
    """The attitude toward one brand: by its sentences where several are named."""
    if accused:
        return "negative" if sentiment != "neutral" else "neutral"
    if len(reading.parts) == 1:
        return sentiment
    if part.role == "solution":
        return "positive"
    if part.role in _NEUTRAL_ROLES:
        return "neutral"
    return sentiment

"""Which brands a post names, from a table of names, misspellings, handles and look-alikes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Self

from nlp.lexicon import Lexicon
from nlp.text import SENTENCE_END, Words, fold, plain_form, word_set, words

_MEMORY = 200_000
_CONTEXT_LIST = "CONTEXT_ANY"
_LEFT_OF_A_NAME = word_set(
    """chez box forfait forfaits client cliente clients abonne abonnee abonnes boutique technicien
    techniciens conseiller conseillere conseillers commercial commerciaux operateur reseau ligne
    fibre sim antenne antennes via"""
)
_ADDRESS = re.compile(r"\w@\w")
_CALLS_ITSELF = word_set("""m me nous appelle rappelle harcele""")


@dataclass(frozen=True, slots=True)
class BrandSpec:
    """One brand of the table. The names follow `raccroche/reference/brands.toml`, which says how
    aliases, weak names and exclusions are written; a user's `[[brands]]` has the same form.
    """

    name: str
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    family: str | None = None
    sector: str = "other"
    families: tuple[tuple[date, str], ...] = ()
    id: str = ""
    display: str = ""

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any]) -> Self:
        """From a parsed TOML block; ValueError names what is missing or of the wrong kind."""
        name = raw.get("name")
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"a brand needs a name: {dict(raw)!r}")
        lists = {key: raw.get(key, []) for key in ("aliases", "weak", "exclude")}
        for key, value in lists.items():
            if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
                raise ValueError(f"brand {name}: {key} must be a list of strings")
        aliases = tuple(lists["aliases"])
        if not aliases and not lists["weak"] and raw.get("id") != "unknown":
            aliases = (name,)
        return cls(
            name=name,
            aliases=aliases,
            weak=tuple(lists["weak"]),
            exclude=tuple(lists["exclude"]),
            family=raw.get("family"),
            sector=raw.get("sector", "other"),
            families=tuple((step["until"], step["family"]) for step in raw.get("families", ())),
            id=raw.get("id", ""),
            display=raw.get("display", ""),
        )


class Mention(NamedTuple):
    """A brand named by words `first` to `last` excluded; `handle`: its account is addressed."""

    brand: str
    first: int
    last: int
    handle: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """A way to write a name: the words after the first one, and what it stands for."""

    rest: tuple[str, ...]
    prefix: bool
    kind: str
    spec: int
    mark: str = ""


class _Starts:
    """The names that begin with one word: alone, by their second word, and with a loose ending."""

    __slots__ = ("alone", "by_second", "loose")

    def __init__(self, entries: Iterable[_Entry]) -> None:
        longest_first = sorted(entries, key=_priority)
        self.alone = next((entry for entry in longest_first if not entry.rest), None)
        self.by_second: dict[str, list[_Entry]] = {}
        self.loose = []
        for entry in longest_first:
            if len(entry.rest) == 1 and entry.prefix:
                self.loose.append(entry)
            elif entry.rest:
                self.by_second.setdefault(entry.rest[0], []).append(entry)

    def longest(self, plain: Sequence[str], position: int) -> tuple[_Entry, int] | None:
        """The longest name that stands at this word, and the word after it."""
        following = position + 1
        if following < len(plain):
            second = plain[following]
            for entry in self.by_second.get(second, ()):
                last = following + len(entry.rest)
                if _follows(entry, plain[following:last]):
                    return entry, last
            for entry in self.loose:
                if second.startswith(entry.rest[0]):
                    return entry, following + 1
        return None if self.alone is None else (self.alone, following)


def _priority(entry: _Entry) -> tuple[int, bool, bool]:
    """Longest first; of the same length, an exclusion before a name before a weak name."""
    return -len(entry.rest), entry.kind != "exclude", entry.kind == "weak"


@dataclass(slots=True)
class _Found:
    mentions: list[Mention] = field(default_factory=list)
    weak: list[tuple[Mention, BrandSpec]] = field(default_factory=list)


class BrandTable:
    """Brands ready to be looked for: one dictionary look-up a word, the longest name wins."""

    def __init__(self, specs: Iterable[BrandSpec], lexicon: Lexicon) -> None:
        self.specs = tuple(specs)
        self._by_name = {spec.name: spec for spec in self.specs}
        self._first: dict[str, list[_Entry]] = {}
        self._first_prefix: dict[str, list[_Entry]] = {}
        for index, spec in enumerate(self.specs):
            for kind, names in (
                ("strong", spec.aliases), ("weak", spec.weak), ("exclude", spec.exclude),
            ):  # fmt: skip
                for name in names:
                    self._add(name, kind, index)
        self._memory: dict[str, _Starts | None] = {}
        self._context = {
            sector: self._context_of(sector, lexicon) for sector in {s.sector for s in self.specs}
        }
        self._resolved: dict[str, str | None] = {}

    @staticmethod
    def _context_of(sector: str, lexicon: Lexicon) -> frozenset[str]:
        try:
            return lexicon.members(f"CONTEXT_{sector.upper()}")
        except ValueError:
            return lexicon.members(_CONTEXT_LIST)

    def _add(self, name: str, kind: str, index: int) -> None:
        prefix = name.endswith("*")
        forms = [form.rstrip("'") or form for form in words(fold(name.rstrip("*"))).forms]
        if not forms:
            return
        first = forms[0]
        mark = first[0] if first[0] in "@#" and len(first) > 1 else ""
        first = first.lstrip("@#") or first
        entry = _Entry(tuple(forms[1:]), prefix, kind, index, mark)
        if prefix and len(forms) == 1:
            self._first_prefix.setdefault(first, []).append(entry)
        else:
            self._first.setdefault(first, []).append(entry)

    def spec(self, name: str) -> BrandSpec | None:
        return self._by_name.get(name)

    def family(self, name: str, day: date | None = None) -> str | None:
        """The family of a brand at that date (today's when None); None for an unknown brand."""
        spec = self._by_name.get(name)
        if spec is None:
            return None
        if day is not None:
            for until, family in spec.families:
                if day < until:
                    return family
        return spec.family

    def sector(self, name: str) -> str | None:
        spec = self._by_name.get(name)
        return spec.sector if spec else None

    def resolve(self, name: str) -> str | None:
        """The table's own name for a brand as a source writes it ("Free Mobile" is Free)."""
        if name in self._by_name:
            return name
        if name not in self._resolved:
            if len(self._resolved) > _MEMORY:
                self._resolved.clear()
            self._resolved[name] = self._resolve(name)
        return self._resolved[name]

    def _resolve(self, name: str) -> str | None:
        for spec in self.specs:
            if fold(spec.name) == fold(name) or fold(spec.display) == fold(name):
                return spec.name
        read = words(name)
        found = self._collect(read, name)
        for mention in [*found.mentions, *(mention for mention, _ in found.weak)]:
            if mention.first == 0 and mention.last == len(read):
                return mention.brand
        return None

    def find(
        self,
        read: Words,
        text: str,
        codes: Sequence[str] = (),
        *,
        source_brands: Sequence[str] = (),
        topic: str = "",
    ) -> list[Mention]:
        """The brands named in a post, in order.

        `codes` are the words' lexicon characters (for the context of weak names), `source_brands`
        what the source is about, `topic` the title of its thread.
        """
        found = self._collect(read, text)
        if not found.weak:
            return found.mentions
        mentions = found.mentions + self._accepted(found, read, text, codes, source_brands, topic)
        mentions.sort(key=lambda mention: mention.first)
        return mentions

    def _collect(self, read: Words, text: str) -> _Found:
        found = _Found()
        forms = read.forms
        memory = self._memory
        plain: list[str] | None = None
        skip_to = 0
        addresses = "@" in text and _ADDRESS.search(text) is not None
        for position, form in enumerate(forms):
            starts = memory[form] if form in memory else self._learn(form)
            if starts is None or position < skip_to:
                continue
            if plain is None:
                plain = [plain_form(other) for other in forms]
            best = starts.longest(plain, position)
            if best is None or (addresses and _in_address(form, position, read, text)):
                continue
            entry, skip_to = best
            self._note(entry, position, skip_to, form, found)
        return found

    def _note(self, entry: _Entry, first: int, last: int, form: str, found: _Found) -> None:
        if entry.kind == "exclude":
            return
        spec = self.specs[entry.spec]
        mention = Mention(spec.name, first, last, handle=form[0] == "@")
        if entry.kind == "weak" and not mention.handle:
            found.weak.append((mention, spec))
        else:
            found.mentions.append(mention)

    def _learn(self, form: str) -> _Starts | None:
        if len(self._memory) >= _MEMORY:
            self._memory.clear()
        mark = form[0] if form[0] in "@#" else ""
        plain = plain_form(form)
        entries = list(self._first.get(plain, ()))
        for size in range(3, min(len(plain), 24) + 1):
            entries += self._first_prefix.get(plain[:size], ())
        kept = [entry for entry in entries if not entry.mark or entry.mark == mark]
        answer = self._memory[form] = _Starts(kept) if kept else None
        return answer

    def _accepted(
        self,
        found: _Found,
        read: Words,
        text: str,
        codes: Sequence[str],
        source_brands: Sequence[str],
        topic: str,
    ) -> list[Mention]:
        present = frozenset(codes)
        given = {self.sector(brand) for brand in source_brands}
        given |= {self.sector(mention.brand) for mention in found.mentions}
        weak_brands = {(mention.brand, spec.sector) for mention, spec in found.weak}
        kept = []
        for mention, spec in found.weak:
            beside = any(s == spec.sector and b != spec.name for b, s in weak_brands)
            if (
                spec.sector in given
                or spec.name in source_brands
                or beside
                or not present.isdisjoint(self._context[spec.sector])
                or _stands_as_name(mention, read, text)
                or (topic and self._topic_gives(spec, topic))
            ):
                kept.append(mention)
        return kept

    def _topic_gives(self, spec: BrandSpec, topic: str) -> bool:
        found = self._collect(words(topic), topic)
        named = [*found.mentions, *(mention for mention, _ in found.weak)]
        return any(self.sector(mention.brand) == spec.sector for mention in named)


def _follows(entry: _Entry, plain: Sequence[str]) -> bool:
    """Whether the words after the first one are the entry's."""
    if not entry.prefix:
        return tuple(plain) == entry.rest
    whole, last = entry.rest[:-1], entry.rest[-1]
    return (
        len(plain) == len(entry.rest) and tuple(plain[:-1]) == whole and plain[-1].startswith(last)
    )


def _in_address(form: str, position: int, read: Words, text: str) -> bool:
    """An e-mail address at orange.fr is not a mention of Orange."""
    start = read.starts[position]
    if form[0] == "@":
        return start > 0 and text[start - 1].isalnum()
    return start > 1 and text[start - 1] == "@" and text[start - 2].isalnum()


def _stands_as_name(mention: Mention, read: Words, text: str) -> bool:
    """After "chez", before "m'appelle", or with a capital inside a sentence in small letters."""
    first = mention.first
    before = plain_form(read.forms[first - 1]) if first else ""
    if before in _LEFT_OF_A_NAME:
        return True
    after = [plain_form(form) for form in read.forms[mention.last : mention.last + 2]]
    if after and after[0] in _CALLS_ITSELF:
        return True
    start = read.starts[first]
    inside = bool(before) and read.forms[first - 1][0] not in SENTENCE_END
    if not (inside and text[start].isupper()):
        return False
    around = text[max(0, start - 40) : start]
    return any(char.islower() for char in around)


def override_codes(
    codes: list[str], mentions: Iterable[Mention], kept: frozenset[str], brand: str, tail: str
) -> None:
    """Write the brands into the encoded post, so that rules can say BRAND.

    Words of the `kept` lists stay what they are (Bloctel is a list before it is a name).
    """
    for mention in mentions:
        if codes[mention.first] in kept:
            continue
        codes[mention.first] = brand
        for position in range(mention.first + 1, mention.last):
            codes[position] = tail

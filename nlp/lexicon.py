"""Patterns over words: each word becomes one character, each rule a short regex over those.

The files in `nlp/data/lexicon/` hold word lists and rules in a small language:

    appel*            a word without accents, or its beginning; 'démarche' with accents asks so
    APPELLE           any word of the list of that name
    BRAND             a brand that the table recognised
    NUM               a number in digits or letters
    a | b   (a b)   x?   alternatives, groups, optional parts
    ~3                up to three words of the same sentence
    ~~3               up to three words, sentence ends included
    !( x )  <!( x )   not followed by x; not preceded by the single word x
    [x]               x is looked for but is not part of the match (only last)

A post of n words costs n look-ups, then only the rules whose rarest word is there are tried. Gaps
are bounded, so a hostile post costs no more a character than an ordinary one.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import islice
from typing import NamedTuple

from nlp.text import SENTENCE_END, fold, word_set

UNKNOWN = "\u00b7"
BOUNDARY = "\u00b6"
COMMA = "\u00b8"
BRAND = "\u00a4"
BRAND_TAIL = "\u00a3"
QUOTED = "\u00a7"
_FIRST = 0x4E00
"""Word classes are numbered from here; the range has no meaning, only room."""

_ANY_END = "qzq"
_PAUSES = frozenset(",:")
_MEMORY = 200_000
_MAX_HITS = 24
_PIECE = re.compile(r"\s*(?:(~~?)(\d+)|(<!\(|!\(|[()|?\[\]])|([^\s()|?~\[\]!<]+))")
_COMMON = word_set(
    """de la le les l d un une et a en je j me m on nous vous ne n pas que qu qui ce c est il elle
    ils pour sur au aux du des mon ma mes par avec dans se s y plus ai fait si mais tout , '
    avait etre suis sont ont avez avoir moi toi lui tu son sa ses leur leurs votre vos notre nos
    tous toute"""
)
NUMBER_WORDS = {
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7,
    "huit": 8, "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14,
    "quinze": 15, "seize": 16, "vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50,
    "soixante": 60,
    "cent": 100, "mille": 1000, "ieme": 2,
}  # fmt: skip


class Hit(NamedTuple):
    """A rule found: its name, and the words it covers, `last` excluded."""

    rule: str
    first: int
    last: int


class _Rule:
    def __init__(self, name: str, regex: str, needs: list[frozenset[str]]) -> None:
        self.name = name
        self.regex = regex
        self.keys = needs[0]
        self.needs = needs[1:]

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """Compiled when first needed: most rules never are, and start-up stays short."""
        return re.compile(self.regex)


class Lexicon:
    """Word lists and rules, ready to read posts.

    `lists` maps a list's NAME to its words; `rules` maps a rule's name to its patterns.
    """

    def __init__(
        self, lists: Mapping[str, Collection[str]], rules: Mapping[str, Iterable[str]]
    ) -> None:
        self.rules = tuple(rules)
        parsed = [(name, _parse(text)) for name, texts in rules.items() for text in texts]
        literals = {word for _, node in parsed for word in _literals(node)}
        self._classes = _Classes(lists, literals)
        self._memory: dict[str, str] = {}
        self._by_char: dict[str, list[_Rule]] = {}
        self._rules = []
        for name, node in parsed:
            regex = "".join(self._regex(part) for part in node)
            needs = self._needs(node)
            if not needs:
                raise ValueError(f"rule {name}: nothing in it has to be there: {node}")
            rule = _Rule(name, regex, needs)
            self._rules.append(rule)
            for char in rule.keys:
                self._by_char.setdefault(char, []).append(rule)

    def __len__(self) -> int:
        return len(self._rules)

    def encode(self, forms: Sequence[str]) -> list[str]:
        """One character a word; unknown words are UNKNOWN, sentence ends BOUNDARY."""
        memory = self._memory
        try:
            return [memory[form] for form in forms]
        except KeyError:
            return [memory.get(form) or self._learn(form) for form in forms]

    def members(self, name: str) -> frozenset[str]:
        """The characters of the words of a list: `code in members("NEGATION")`."""
        return self._classes.members(name)

    def find(self, encoded: str) -> list[Hit]:
        """Every rule's matches, at most `_MAX_HITS` of each pattern, by rule and place: what
        is summed over them then comes out alike on every run.
        """
        present = set(encoded)
        by_char = self._by_char
        candidates: set[_Rule] = set()
        for char in present:
            if char in by_char:
                candidates.update(by_char[char])
        hits: list[Hit] = []
        for rule in candidates:
            for need in rule.needs:
                if present.isdisjoint(need):
                    break
            else:
                match = rule.compiled.search(encoded)
                if match is not None:
                    self._add(rule, match, encoded, hits)
        hits.sort()
        return hits

    @staticmethod
    def _add(rule: _Rule, match: re.Match[str], encoded: str, hits: list[Hit]) -> None:
        hits.append(Hit(rule.name, *match.span()))
        more = rule.compiled.finditer(encoded, match.end())
        hits += [Hit(rule.name, *other.span()) for other in islice(more, _MAX_HITS - 1)]

    def _learn(self, form: str) -> str:
        if len(self._memory) >= _MEMORY:
            self._memory.clear()
        code = self._memory[form] = self._classes.of(form)
        return code

    def _regex(self, part: "_Node") -> str:
        if isinstance(part, _Gap):
            inside = "." if part.crosses else f"[^{BOUNDARY}{QUOTED}]"
            return f"{inside}{{0,{part.width}}}?"
        if isinstance(part, _Word):
            if part.text == "BRAND":
                text = f"(?:{BRAND}{BRAND_TAIL}*)"
            else:
                text = _charset(self._chars(part.text))
        else:
            branches = self._branches(part.branches)
            if part.look:
                return f"({part.look}{branches})"
            text = f"(?:{branches})"
        return f"{text}?" if part.optional else text

    def _branches(self, branches: "Iterable[Sequence[_Node]]") -> str:
        """Alternatives; those that are one plain word become one set of characters."""
        single: set[str] = set()
        longer = []
        for branch in branches:
            first = branch[0] if len(branch) == 1 else None
            if isinstance(first, _Word) and not first.optional and first.text != "BRAND":
                single |= self._chars(first.text)
            else:
                longer.append("".join(map(self._regex, branch)))
        return "|".join([*longer, *([_charset(single)] if single else [])])

    def _needs(self, node: "Sequence[_Node]") -> list[frozenset[str]]:
        """Sets of characters of which one must be present, the rarest (best key) first."""
        found = [need for part in node if (need := self._need(part)) is not None]
        found.sort(key=lambda need: need[0])
        return [chars for _, chars in found]

    def _need(self, part: "_Node") -> "tuple[float, frozenset[str]] | None":
        if isinstance(part, _Gap) or part.optional:
            return None
        if isinstance(part, _Word):
            common = 100.0 if part.text in _COMMON else 0.0
            chars = self._chars(part.text)
            return common + len(chars) ** 0.5, chars
        if part.look:
            return None
        best: list[tuple[float, frozenset[str]]] = []
        for branch in part.branches:
            needs = [need for child in branch if (need := self._need(child)) is not None]
            if not needs:
                return None
            best.append(min(needs, key=lambda need: need[0]))
        return max(cost for cost, _ in best), frozenset().union(*(chars for _, chars in best))

    def _chars(self, word: str) -> frozenset[str]:
        if word == "BRAND":
            return frozenset({BRAND})
        if word == "END":
            return frozenset({BOUNDARY, QUOTED})
        if word == ",":
            return frozenset({COMMA})
        if word.isupper() and len(word) > 1:
            return self._classes.members(word)
        return self._classes.literal(word)


class _Classes:
    """Which words are alike: those that belong to the same lists and literals share a character."""

    def __init__(self, lists: Mapping[str, Collection[str]], literals: Collection[str]) -> None:
        self._closed = False
        owners: dict[str, set[str]] = {}
        for name, entries in lists.items():
            for entry in entries:
                owners.setdefault(entry, set()).add(name)
        for literal in literals:
            owners.setdefault(literal, set()).add("=" + literal)
        self._exact = {word: names for word, names in owners.items() if not word.endswith("*")}
        self._prefixes = {w[:-1]: names for w, names in owners.items() if w.endswith("*")}
        self._shortest = min(map(len, self._prefixes), default=99)
        self._longest = max(map(len, self._prefixes), default=0)
        self._codes: dict[frozenset[str], str] = {}
        self._members: dict[str, set[str]] = {}
        for name in [*lists, *("=" + literal for literal in literals), *_SHAPES]:
            self._members[name] = set()
        self._number_all()
        self._closed = True

    def _number_all(self) -> None:
        """Number every mixture of lists that a word can show, since rules compile against them.

        What a word belongs to depends on its longest known beginnings, with accents and without.
        """
        stems = [*self._exact, *(prefix + _ANY_END for prefix in self._prefixes)]
        for word in [*stems, *NUMBER_WORDS, "1", "3x", "2e", "12aine", "10h", "0162"]:
            self.of(word)
        for accented in stems:
            stem = accented.removesuffix(_ANY_END)
            plain = fold(stem)
            if plain == stem:
                continue
            for word in stems:
                if word.startswith(plain):
                    self.of(stem + word[len(plain) :])

    def members(self, name: str) -> frozenset[str]:
        if name not in self._members:
            raise ValueError(f"no word list is called {name}")
        return frozenset(self._members[name])

    def literal(self, word: str) -> frozenset[str]:
        return frozenset(self._members["=" + word])

    def of(self, form: str) -> str:
        """The character of a word in lower case, accents kept."""
        if form[0] in SENTENCE_END:
            return BOUNDARY
        if form in _PAUSES:
            return COMMA
        names = self._owners(form.strip("@#'") or form)
        if not names:
            return UNKNOWN
        key = frozenset(names)
        code = self._codes.get(key)
        if code is None:
            if self._closed:
                return UNKNOWN
            code = self._codes[key] = chr(_FIRST + len(self._codes))
            for name in key:
                self._members[name].add(code)
        return code

    def _owners(self, form: str) -> set[str]:
        names: set[str] = set()
        plain = fold(form)
        for spelling in {form, plain}:
            names |= self._exact.get(spelling, set())
            for size in range(self._shortest, min(len(spelling), self._longest) + 1):
                names |= self._prefixes.get(spelling[:size], set())
        names.update(_shapes(plain))
        return names


_SHAPES = ("NUM", "TIMES", "NTH", "DOZEN", "HOUR", "PHONE")
_SHAPE = re.compile(
    r"(?P<NUM>\d{1,4})$|(?P<TIMES>\d{1,4}(?:x|fois))$|(?P<NTH>\d{1,3}(?:e|eme|ieme|er|ere|nd|nde))$"
    r"|(?P<DOZEN>\d{1,3}aines?)$|(?P<HOUR>\d{1,2}h(?:\d\d)?)$|(?P<PHONE>(?:0\d{3,9}|33\d{9}))$"
)


def _shapes(plain: str) -> tuple[str, ...]:
    if plain in NUMBER_WORDS:
        return ("NUM",)
    if not plain[0].isdigit():
        return ()
    match = _SHAPE.match(plain)
    return (match.lastgroup,) if match and match.lastgroup else ()


@dataclass(frozen=True, slots=True)
class _Gap:
    width: int
    crosses: bool


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class _Group:
    branches: tuple[tuple["_Node", ...], ...]
    optional: bool = False
    look: str = ""


_Node = _Gap | _Word | _Group
_LOOKS = {"!(": "?!", "<!(": "?<!", "[": "?="}


def _parse(text: str) -> tuple[_Node, ...]:
    pieces = _PIECE.findall(text)
    opened = sum(mark.endswith(("(", "[")) for _, _, mark, _ in pieces)
    if opened != sum(mark in (")", "]") for _, _, mark, _ in pieces):
        raise ValueError(f"unbalanced pattern: {text}")
    branches, rest = _parse_branches(pieces, 0)
    if rest != len(pieces):
        raise ValueError(f"unbalanced pattern: {text}")
    return branches[0] if len(branches) == 1 else (_Group(tuple(branches)),)


def _parse_branches(
    pieces: Sequence[tuple[str, str, str, str]], at: int
) -> tuple[list[tuple[_Node, ...]], int]:
    branches: list[tuple[_Node, ...]] = []
    current: list[_Node] = []
    while at < len(pieces):
        gap, width, mark, word = pieces[at]
        at += 1
        if gap:
            current.append(_Gap(int(width), gap == "~~"))
        elif word:
            current.append(_Word(word))
        elif mark == "|":
            branches.append(tuple(current))
            current = []
        elif mark == "?":
            current[-1] = _made_optional(current[-1])
        elif mark in (")", "]"):
            break
        else:
            inner, at = _parse_branches(pieces, at)
            current.append(_Group(tuple(inner), look=_LOOKS.get(mark, "")))
    else:
        branches.append(tuple(current))
        return branches, at
    branches.append(tuple(current))
    return branches, at


def _made_optional(node: _Node) -> _Node:
    if isinstance(node, _Word):
        return _Word(node.text, optional=True)
    if isinstance(node, _Group):
        return _Group(node.branches, optional=True, look=node.look)
    return node


def _literals(node: Iterable[_Node]) -> set[str]:
    found: set[str] = set()
    for part in node:
        if isinstance(part, _Group):
            for branch in part.branches:
                found |= _literals(branch)
        elif isinstance(part, _Word) and not (part.text.isupper() and len(part.text) > 1):
            found.add(part.text)
    return found


def _charset(chars: Collection[str]) -> str:
    if not chars:
        return "(?!)"
    return "[" + "".join(sorted(chars)) + "]"


def read_lists(text: str) -> dict[str, tuple[str, ...]]:
    """The `[lists]` of a lexicon file; a NAME inside a list stands for that list's words."""
    raw = {name: words.split() for name, words in tomllib.loads(text).get("lists", {}).items()}
    return {name: tuple(_expanded(name, raw, ())) for name in raw}


def _expanded(name: str, raw: Mapping[str, list[str]], inside: tuple[str, ...]) -> list[str]:
    if name in inside:
        raise ValueError(f"word list {name} contains itself")
    words: list[str] = []
    for word in raw[name]:
        words += _expanded(word, raw, (*inside, name)) if word in raw else [word]
    return words


def read_rules(text: str) -> dict[str, tuple[str, ...]]:
    """The `[rules]` of a lexicon file: one pattern a line, # begins a comment."""
    rules = tomllib.loads(text).get("rules", {})
    return {name: tuple(_lines(patterns)) for name, patterns in rules.items()}


def _lines(patterns: str) -> Iterable[str]:
    for line in patterns.splitlines():
        pattern = line.split("#", 1)[0].strip()
        if pattern:
            yield pattern


@cache
def french() -> Lexicon:
    """The lexicon shipped with the package."""
    folder = files("nlp") / "data" / "lexicon"
    texts = [
        path.read_text(encoding="utf-8")
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if path.name.endswith(".toml")
    ]
    whole = "[lists]\n" + "\n".join(_section(text, "lists") for text in texts)
    lists = read_lists(whole)
    rules: dict[str, tuple[str, ...]] = {}
    for text in texts:
        for name, patterns in read_rules(text).items():
            rules[name] = rules.get(name, ()) + patterns
    return Lexicon(lists, rules)


def _section(text: str, name: str) -> str:
    """The lines of one [section] of a TOML text, so that lists of several files see each other."""
    inside = False
    kept = []
    for line in text.splitlines():
        if line.startswith("[") and line.rstrip().endswith("]"):
            inside = line.strip() == f"[{name}]"
        elif inside:
            kept.append(line)
    return "\n".join(kept)

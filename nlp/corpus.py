"""Reads what the embedded labeller learns from: labels, examples, annotations, stars."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from nlp.brands import BrandTable
from nlp.types import SIGNALS, Text

Row = Mapping[str, Any]

EXAMPLES = "data/examples"
ANNOTATIONS = "data/annotations.tsv"
SECTORS = {
    "telecom": "telecom", "assurance": "insurance", "banque": "bank", "energie": "energy",
    "tv": "tv", "credit": "credit", "alarme": "alarm", "travaux": "works",
}  # fmt: skip
PLACEHOLDER = re.compile(r"\{@?(marque\d+)(?::(\w+))?\}")
HANDLE = re.compile(r"\{@(marque\d+)(?::\w+)?\}|@\{(marque\d+)(?::\w+)?\}")
VOWELS = "aeiouàâéèêîôûAEIOUÀÂÉÈÊÎÔÛ"


class CorpusError(ValueError):
    """A training file cannot be read; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Post:
    """A text to learn from with what is known of its labels; None where nobody knows.

    `topics` and `signals` are the labels that hold, `unsure` those that nobody may learn from;
    `brands` maps a brand to its labels, with None for an unknown value; None: brands unknown.
    `weight` is how much the post counts, `group` keeps posts of one author or thread in one fold,
    `origin` is `real` for posts that scores may be measured on.
    """

    text: Text
    sentiment: str | None = None
    phone_harassment: bool | None = None
    testimony: bool | None = None
    topics: frozenset[str] | None = None
    signals: frozenset[str] | None = None
    unsure: frozenset[str] = frozenset()
    brands: Mapping[str, Mapping[str, Any]] | None = None
    default_brand: Mapping[str, Any] | None = None
    weight: float = 1.0
    group: str = ""
    origin: str = "real"
    row: Row = field(default_factory=dict)


def text_key(text: str) -> str:
    """Return the key by which an annotation knows its text without holding it."""
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[
        :12
    ]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file, gzipped or not; CorpusError names a broken line."""
    if not path.exists():
        raise CorpusError(f"{path}: no such file")
    opener = gzip.open if path.suffix == ".gz" else open
    rows = []
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise CorpusError(f"{path}, line {number}: not JSON ({error.msg})") from error
    return rows


def text_of(row: Row) -> Text:
    """Return the text of a row of any labelled file."""
    kind = row.get("kind")
    return Text(
        id=str(row.get("id", "")),
        text=row["text"],
        title=row.get("title"),
        context_brand=row.get("context_brand"),
        kind="post" if kind == "tweet" else kind,
        published_at=_day(row.get("published_at")),
        reply_to_brand=row.get("reply_to_brand"),
        thread_title=row.get("thread_title"),
    )


def _day(written: object) -> date | None:
    """Return the day of "2024-09-09 12:09:24 +02:00", "2022-09-21T16:30:45Z" or "03/07/2021"."""
    if not isinstance(written, str) or len(written) < 10:
        return written if isinstance(written, date) else None
    shown = written[:10]
    if shown[2] == shown[5] == "/":
        shown = f"{shown[6:]}-{shown[3:5]}-{shown[:2]}"
    try:
        return date.fromisoformat(shown)
    except ValueError:
        return None


def labelled(rows: Iterable[Row], *, weight: float = 1.0, origin: str = "real") -> list[Post]:
    """Read rows of the label schema (gold files, the project's own exports)."""
    return [
        Post(
            text=text_of(row),
            sentiment=row.get("sentiment"),
            phone_harassment=row.get("phone_harassment"),
            testimony=row.get("testimony"),
            topics=_set(row.get("topics")),
            signals=_set(row.get("signals")),
            unsure=frozenset([*row.get("topics_disputed", ()), *row.get("signals_disputed", ())]),
            brands=row.get("brands"),
            weight=weight,
            origin=origin,
            row=row,
        )
        for row in rows
    ]


def _set(items: Sequence[str] | None) -> frozenset[str] | None:
    return None if items is None else frozenset(items)


def annotated(
    rows: Iterable[Row],
    *,
    weight: float = 1.0,
    notes: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Post]:
    """Return the rows that the project has annotated, found by their text's key in `notes`."""
    if notes is None:
        notes = read_annotations((files("nlp") / ANNOTATIONS).read_text(encoding="utf-8"))
    left = dict(notes)
    posts = []
    for row in rows:
        note = left.pop(text_key(row["text"]), None)
        if note is not None:
            posts.append(_annotated(row, note, weight))
    return posts


def read_annotations(text: str) -> dict[str, dict[str, str]]:
    """Return the annotations by key; the first line names the fields."""
    header, *lines = text.splitlines()
    fields = header.split("\t")
    rows = (dict(zip(fields, line.split("\t"), strict=True)) for line in lines)
    return {row["key"]: row for row in rows}


def _annotated(row: Row, note: Mapping[str, str], weight: float) -> Post:
    """Return an annotated post; a brand's `+` lays the calls at its door; `?` is unknown."""
    harassment = {"1": True, "0": False}.get(note["phone_harassment"])
    said = dict(pair.split("=") for pair in note["brands"].split(";") if pair)
    named = any(mood.endswith("+") for mood in said.values())
    topics, signals = frozenset(note["topics"].split()), frozenset(note["signals"].split())
    return Post(
        text=text_of(row),
        sentiment=note["sentiment"],
        phone_harassment=harassment,
        testimony=note["testimony"] == "1",
        topics=topics,
        signals=signals,
        unsure=frozenset() if harassment is not None else frozenset(("phone_harassment", *SIGNALS)),
        brands={brand: _accused(mood, harassment) for brand, mood in said.items()},
        default_brand={
            "sentiment": note["sentiment"],
            "harassment": False if named else harassment,
        },
        weight=weight,
        origin="annotated",
        row=row,
    )


def _accused(mood: str, harassment: bool | None) -> dict[str, Any]:
    """Return the labels of a brand written `negative+` (it calls) or `negative` (it does not)."""
    calls = mood.endswith("+") if harassment is not None else None
    return {"sentiment": mood.removesuffix("+"), "harassment": calls}


def written_examples(table: BrandTable, *, seed: int, weight: float = 1.0) -> list[Post]:
    """Return the project's own examples, each placeholder filled with a brand of the table."""
    chance = random.Random(seed)
    filler = Filler(table)
    rows = [filler.filled(row, chance) for row in example_rows()]
    return labelled(rows, weight=weight, origin="written")


def example_rows(folder: Traversable | None = None) -> Iterator[dict[str, Any]]:
    """Yield the written examples as they are kept, file by file."""
    folder = folder or files("nlp") / EXAMPLES
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".jsonl"):
            for line in file.read_text(encoding="utf-8").splitlines():
                if line.strip():
                    yield json.loads(line)


class Filler:
    """Puts brands of a table where the examples have placeholders."""

    def __init__(self, table: BrandTable) -> None:
        self._names: dict[str, list[str]] = {}
        self._handles: dict[str, list[str]] = {}
        for spec in table.specs:
            if not spec.aliases or spec.sector not in SECTORS.values():
                continue
            self._names.setdefault(spec.sector, []).append(spec.name)
            handles = [alias[1:] for alias in spec.aliases if alias.startswith("@")]
            self._handles[spec.name] = [h.rstrip("*") for h in handles] or [
                spec.name.replace(" ", "")
            ]

    def filled(self, row: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
        """Return one example with brands drawn by `chance`, the same for the same placeholder."""
        context = row.get("context_brand") or ""
        chosen: dict[str, str] = {}
        for name, sector in PLACEHOLDER.findall(f"{row['text']} {context}"):
            if sector or name not in chosen:
                chosen[name] = self._draw(sector, chance, set(chosen.values()))
        text = HANDLE.sub(lambda m: "@" + self._handle(chosen[m[1] or m[2]], chance), row["text"])
        text = PLACEHOLDER.sub(lambda m: chosen[m[1]], text)
        brands = {
            chosen.get(name.strip("{}").split(":")[0], name): said
            for name, said in row["brands"].items()
        }
        return {
            **row,
            "text": elided(text, set(chosen.values())),
            "context_brand": PLACEHOLDER.sub(lambda m: chosen[m[1]], context) or None,
            "brands": brands,
        }

    def _draw(self, sector: str, chance: random.Random, taken: set[str]) -> str:
        sectors = [SECTORS[sector]] if SECTORS.get(sector) in self._names else list(self._names)
        names = [n for s in sectors for n in self._names[s] if n not in taken]
        left = names or [n for of in self._names.values() for n in of if n not in taken]
        return chance.choice(left) if left else f"Marque {len(taken) + 1}"

    def _handle(self, brand: str, chance: random.Random) -> str:
        return chance.choice(self._handles.get(brand) or [brand.replace(" ", "")])


def elided(text: str, names: Iterable[str]) -> str:
    """Write "d'Orange" for "de Orange" before the given names."""
    for name in names:
        if name[0] in VOWELS:
            text = re.sub(rf"\b([dDqQ])[eu]e? (?={re.escape(name)})", _apostrophe, text)
    return text


def _apostrophe(match: re.Match[str]) -> str:
    return "qu'" if match[1] in "qQ" else f"{match[1]}'"


def starred(rows: Iterable[Row]) -> list[Post]:
    """Return reviews with stars as sentiments: 1-2 negative, 4-5 positive; 3 is left out."""
    posts = []
    for row in rows:
        stars = row.get("stars")
        if stars is None or stars == 3:
            continue
        sentiment = "negative" if stars < 3 else "positive"
        posts.append(Post(text=text_of(row), sentiment=sentiment, origin="stars", row=row))
    return posts


def tweeted(rows: Iterable[Row], *, weight: float) -> list[Post]:
    """Return posts with only a sentiment, looser than ours (UMSAB)."""
    return [
        Post(text=text_of(row), sentiment=row["sentiment"], weight=weight, origin="umsab", row=row)
        for row in rows
    ]


def grouped(posts: Sequence[Post]) -> list[int]:
    """Return a number for each post, the same for posts that share an author or a thread."""
    parent = list(range(len(posts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    seen: dict[tuple[str, str], int] = {}
    for i, post in enumerate(posts):
        for field_name in ("author", "thread"):
            value = post.row.get(field_name)
            if value:
                parent[root(i)] = root(seen.setdefault((field_name, str(value)), i))
    return [root(i) for i in range(len(posts))]

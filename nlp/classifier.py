"""The embedded labeller: linear heads over n-grams and rules, shipped with the package."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nlp import rules
from nlp.brands import BrandTable
from nlp.errors import ModelError
from nlp.features import Pairs, Vocabulary, ngrams
from nlp.heads import Outputs, probabilities, quantised
from nlp.numbers import COARSE_PLAN, NumberingPlan
from nlp.reading import BrandView, brand_views, document, post_extras, table
from nlp.rules import Analysis, Reader, evidence, refusal, refused_labels, signals_of
from nlp.types import (
    ACCUSED_ROLES,
    ROLES,
    SENTIMENTS,
    SIGNALS,
    TOPICS,
    BrandLabel,
    Facts,
    Labels,
    Text,
)

Floats = npt.NDArray[np.float32]

NAME = "raccroche-embedded"
MODEL_FILE = "models/embedded.npz"
FORMAT = 1
CHUNK = 256  # posts read and multiplied at once
MOODS = tuple(f"sentiment.{name}" for name in SENTIMENTS)
NEARLY = 0.7  # share of its cut that makes a topic better than none
NO_WORDS = "no_words"  # the refusal of a post with nothing to read
SECONDED = 0.5  # share of its cut that is enough for a signal that the rules see too
FACTS_FROM = 0.1  # facts are looked for where harassment is at least this probable


def logit(probability: Floats) -> Floats:
    """Return log-odds, kept between -8 and 8."""
    p = np.clip(probability, 3.4e-4, 1 - 3.4e-4)
    return np.asarray(np.log(p / (1 - p)), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Decision:
    """Names of some heads and from where each says yes, see `Heads`."""

    outputs: Outputs
    cuts: Floats


@dataclass(frozen=True, slots=True)
class Heads:
    """One set of heads: what they see, what they weigh, and from where they say yes.

    A yes/no head says yes when its calibrated probability reaches its cut; among choices the
    greatest product of probability and cut wins.
    """

    outputs: Outputs
    vocabulary: Vocabulary
    grams: Floats  # shape (n-grams, heads)
    extra_names: tuple[str, ...]
    extras: Floats  # shape (extras, heads)
    bias: Floats
    slope: Floats
    shift: Floats
    cuts: Floats

    @property
    def decision(self) -> Decision:
        return Decision(self.outputs, self.cuts)

    def logits(self, grams: Pairs, extras: Sequence[Mapping[str, float]]) -> Floats:
        """Return calibrated logits, shape (rows, heads)."""
        matrix = self.vocabulary.rows(grams, len(extras))
        raw = matrix @ self.grams + table(extras, self.extra_names) @ self.extras + self.bias
        return np.asarray(raw * self.slope + self.shift, dtype=np.float32)

    def probabilities(self, grams: Pairs, extras: Sequence[Mapping[str, float]]) -> Floats:
        """Return calibrated probabilities, shape (rows, heads)."""
        return probabilities(self.logits(grams, extras), self.outputs)

    def arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Return what is stored, n-gram weights as int8 with a scale for each head."""
        weights, scale = quantised(self.grams)
        return {
            f"{prefix}.hashes": self.vocabulary.hashes,
            f"{prefix}.rarity": self.vocabulary.rarity.astype(np.float16),
            f"{prefix}.grams": weights,
            f"{prefix}.scale": scale,
            f"{prefix}.extra_names": np.array(self.extra_names),
            f"{prefix}.extras": self.extras.astype(np.float32),
            f"{prefix}.outputs": np.array(self.outputs.names),
            f"{prefix}.choices": np.array(self.outputs.choices, dtype=np.int32).reshape(-1, 2),
            f"{prefix}.rest": np.stack([self.bias, self.slope, self.shift, self.cuts]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Self:
        """Return heads from what `arrays` stored; KeyError when a part is missing."""
        bias, slope, shift, cuts = arrays[f"{prefix}.rest"].astype(np.float32)
        choices = tuple((int(a), int(b)) for a, b in arrays[f"{prefix}.choices"])
        return cls(
            Outputs(tuple(str(name) for name in arrays[f"{prefix}.outputs"]), choices),
            Vocabulary(arrays[f"{prefix}.hashes"], arrays[f"{prefix}.rarity"].astype(np.float32)),
            arrays[f"{prefix}.grams"].astype(np.float32) * arrays[f"{prefix}.scale"],
            tuple(str(name) for name in arrays[f"{prefix}.extra_names"]),
            arrays[f"{prefix}.extras"].astype(np.float32),
            bias, slope, shift, cuts,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """Heads for posts and for (post, brand) pairs, with the digest that names them."""

    post: Heads
    pair: Heads
    digest: str = ""

    def save(self, path: Path) -> str:
        """Write the model without pickle; return its digest, see `digest_of`."""
        arrays = {**self.post.arrays("post"), **self.pair.arrays("pair")}
        digest = digest_of(arrays)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(
                file, allow_pickle=False, format=np.array(FORMAT), digest=np.array(digest), **arrays
            )
        return digest

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model; ModelError when the file is missing, broken or altered."""
        if not path.exists():
            raise ModelError(f"No model at {path}.")
        return cls.read(path.read_bytes(), str(path))

    @classmethod
    def read(cls, content: bytes, named: str) -> Self:
        """Read a model from bytes; `named` is what errors call it."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                arrays = dict(stored)
            version, digest = int(arrays.pop("format")), str(arrays.pop("digest"))
            if version != FORMAT:
                raise ModelError(f"{named} is a model of format {version}; this needs {FORMAT}.")
            if digest_of(arrays) != digest:
                raise ModelError(f"{named} was altered: its content is not what its digest says.")
            return cls(Heads.from_arrays(arrays, "post"), Heads.from_arrays(arrays, "pair"), digest)
        except (ValueError, KeyError, OSError, EOFError, IndexError) as error:
            raise ModelError(f"{named} is not a model of this program.") from error
        except zipfile_errors() as error:
            raise ModelError(f"{named} is not a model of this program.") from error


def zipfile_errors() -> tuple[type[Exception], ...]:
    """Return what numpy lets through when a file is no archive."""
    import zipfile
    import zlib

    return zipfile.BadZipFile, zlib.error


def digest_of(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the first 8 hex digits of the SHA-256 of arrays, names and shapes included."""
    seen = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        seen.update(f"{name}{array.dtype.str}{array.shape}".encode())
        seen.update(array.tobytes())
    return seen.hexdigest()[:8]


class EmbeddedLabeller:
    """Labels posts with the shipped model: no download, no torch, one core is enough."""

    def __init__(self, model: Model, table: BrandTable, plan: NumberingPlan = COARSE_PLAN) -> None:
        self._model = model
        self._reader = Reader(table, plan)
        self._decider = Decider(
            model.post.decision, model.pair.decision, labeller=NAME, version=self.version
        )

    @property
    def name(self) -> str:
        return NAME

    @property
    def version(self) -> str:
        """The model's digest and the rules' version: it changes when answers may change."""
        return f"{self._model.digest}+{rules.VERSION}"

    def label(self, texts: Sequence[Text]) -> list[Labels]:
        """Label posts, in order; one that cannot be labelled says so in `refused`."""
        return [
            labels
            for start in range(0, len(texts), CHUNK)
            for labels in self._label(texts[start : start + CHUNK])
        ]

    def _label(self, texts: Sequence[Text]) -> Iterator[Labels]:
        analyses = [self._reader.analyse(text) for text in texts]
        grams = ngrams([document(analysis) for analysis in analyses])
        extras = [post_extras(analysis) for analysis in analyses]
        logits = self._model.post.logits(grams, extras)
        chances = probabilities(logits, self._model.post.outputs)
        views = [list(brand_views(analysis)) for analysis in analyses]
        pairs = self._pairs(views, logits)
        decide = self._decider
        for analysis, row, seen, brands in zip(analyses, chances, views, pairs, strict=True):
            yield decide.labels(analysis, row, seen, brands)

    def _pairs(self, views: Sequence[Sequence[BrandView]], logits: Floats) -> list[Floats]:
        flat = [(i, view) for i, seen in enumerate(views) for view in seen]
        if not flat:
            return [np.zeros((0, len(self._model.pair.outputs.names)), np.float32)] * len(views)
        told = post_views(logits, self._model.post.outputs)
        extras = [{**view.extras, **told[i]} for i, view in flat]
        grams = ngrams([view.document for _, view in flat], characters=False)
        chances = self._model.pair.probabilities(grams, extras)
        return np.split(chances, np.cumsum([len(seen) for seen in views])[:-1])


def post_views(logits: Floats, outputs: Outputs) -> list[dict[str, float]]:
    """Return what the brand heads are told of each post's own labels."""
    negative, neutral, positive = logits[:, :3].T
    told = {
        "post.harassment": logits[:, outputs.column("phone_harassment")],
        "post.negative": negative - neutral,
        "post.positive": positive - neutral,
        "post.impersonated": logits[:, outputs.column("impersonated_brand")],
    }
    columns = np.clip(np.stack(list(told.values()), axis=1), -6, 6) / 2
    return [dict(zip(told, row, strict=True)) for row in columns.tolist()]


class Decider:
    """Turns probabilities into labels that agree with each other."""

    def __init__(self, post: Decision, pair: Decision, *, labeller: str, version: str) -> None:
        self._labeller, self._version = labeller, version
        self._post, self._pair = post, pair
        at = {name: i for i, name in enumerate(post.outputs.names)}
        self._at = at
        self._topics = [(t, at[t]) for t in TOPICS if t != "phone_harassment"]
        self._signals = [(s, at[s]) for s in SIGNALS]
        self._reports = at["phone_harassment"]
        self._named = [
            *((flag, at[flag], False) for flag in ("phone_harassment", "testimony")),
            *((f"topic.{topic}", i, False) for topic, i in self._topics),
            *((f"signal.{s}", i, s != "sms_messaging") for s, i in self._signals),
        ]
        of = {name: i for i, name in enumerate(pair.outputs.names)}
        self._harassment = of["harassment"]
        self._brand_mood = (of[SENTIMENTS[0]], of[SENTIMENTS[0]] + len(SENTIMENTS))
        self._accused = [(role, of[role]) for role in ROLES if role in ACCUSED_ROLES]
        self._others = [(role, of[role]) for role in ROLES if role not in ACCUSED_ROLES]
        self._post_cuts, self._pair_cuts = post.cuts.tolist(), pair.cuts.tolist()

    def labels(
        self, analysis: Analysis, chances: Floats, views: Sequence[BrandView], pairs: Floats
    ) -> Labels:
        """Return the labels of one post from the probabilities of its heads."""
        refused = refusal(analysis)
        if refused == NO_WORDS:
            return refused_labels(analysis, refused, self._labeller, self._version)
        row = chances.tolist()
        share = (chances / self._post.cuts).tolist()
        start = 0 if views else 3
        harassment = share[self._reports] >= 1
        signals = self._said_signals(analysis, share, harassment)
        return Labels(
            id=analysis.text.id,
            language=analysis.language.code,
            language_probability=analysis.language.probability,
            sentiment=greatest(
                row[start : start + 3], self._post_cuts[start : start + 3], SENTIMENTS
            ),
            phone_harassment=harassment,
            testimony=share[self._at["testimony"]] >= 1,
            topics=self._said_topics(share, harassment),
            signals=signals,
            brands={
                view.name: self._brand(view, of, harassment, row[self._reports])
                for view, of in zip(views, pairs.tolist(), strict=True)
            },
            facts=analysis.facts() if row[self._reports] >= FACTS_FROM else Facts(),
            probabilities=self._given(row, start),
            spans=analysis.spans(evidence(signals)) if harassment else (),
            labeller=self._labeller,
            model_version=self._version,
            refused=refused,
        )

    def _given(self, row: Sequence[float], start: int) -> dict[str, float]:
        """Return the probabilities to state; a signal's is that of calls and of the signal."""
        calls = row[self._reports]
        given = dict(zip(MOODS, row[start : start + 3], strict=True))
        for name, i, told in self._named:
            given[name] = row[i] * calls if told else row[i]
        return given

    def _said_signals(
        self, analysis: Analysis, share: Sequence[float], harassment: bool
    ) -> tuple[str, ...]:
        """Return the signals that reach their cuts, or half of it where the rules see them too."""
        likely = [(s, share[i]) for s, i in self._signals if share[i] >= SECONDED]
        if not likely:
            return ()
        ruled = signals_of(analysis, harassment)
        return tuple(
            s
            for s, reached in likely
            if (reached >= 1 or s in ruled) and (harassment or s == "sms_messaging")
        )

    def _said_topics(self, share: Sequence[float], harassment: bool) -> tuple[str, ...]:
        """Return the topics that reach their cuts; when none does, one that nearly does."""
        topics = [t for t, i in self._topics if share[i] >= 1 and t != "other"]
        if harassment:
            topics.insert(0, "phone_harassment")
        elif not topics and share[self._at["other"]] < 1:
            nearest, topic = max((share[i], t) for t, i in self._topics if t != "other")
            topics = [topic] if nearest >= NEARLY else []
        return tuple(topics) or ("other",)

    def _brand(
        self, view: BrandView, row: Sequence[float], harassment: bool, reported: float
    ) -> BrandLabel:
        accused = harassment and row[self._harassment] >= self._pair_cuts[self._harassment]
        roles = self._accused if accused else self._others
        start, end = self._brand_mood
        mood = row[start:end]
        sentiment = greatest(mood, self._pair_cuts[start:end], SENTIMENTS)
        return BrandLabel(
            sentiment=sentiment,
            harassment=accused,
            role=max((row[i], role) for role, i in roles)[1],
            inherited=view.part.inherited,
            probability=row[self._harassment] * reported,
            sentiment_probability=mood[SENTIMENTS.index(sentiment)],
        )


def greatest(chances: Sequence[float], cuts: Sequence[float], names: Sequence[str]) -> str:
    """Return the name with the greatest product of probability and cut."""
    products = [chance * cut for chance, cut in zip(chances, cuts, strict=True)]
    return names[products.index(max(products))]


def load_default(table: BrandTable, plan: NumberingPlan = COARSE_PLAN) -> EmbeddedLabeller:
    """Return the labeller with the model that ships with the package."""
    shipped = files("nlp") / MODEL_FILE
    if not shipped.is_file():
        raise ModelError("The shipped model is missing from this installation; reinstall it.")
    return EmbeddedLabeller(Model.read(shipped.read_bytes(), MODEL_FILE), table, plan)


_LABELLER: list[EmbeddedLabeller] = []  # the labeller of one worker process


def _start_worker(model: Path | None, table: BrandTable, plan: NumberingPlan) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if model is None:
        _LABELLER.append(load_default(table, plan))
    else:
        _LABELLER.append(EmbeddedLabeller(Model.load(model), table, plan))


def _label_chunk(texts: Sequence[Text]) -> list[Labels]:
    return _LABELLER[0].label(texts)


def label_in_parallel(
    texts: Iterable[Text],
    table: BrandTable,
    *,
    workers: int,
    plan: NumberingPlan = COARSE_PLAN,
    model: Path | None = None,
    chunk: int = 2048,
) -> Iterator[Labels]:
    """Label posts on several cores, in order; `model` None is the shipped one.

    A worker that dies raises BrokenProcessPool: nothing is lost silently.
    """
    with ProcessPoolExecutor(
        workers, initializer=_start_worker, initargs=(model, table, plan)
    ) as pool:
        for labels in pool.map(_label_chunk, chunks(texts, chunk)):
            yield from labels


def chunks(texts: Iterable[Text], size: int) -> Iterator[list[Text]]:
    """Yield lists of at most `size` texts."""
    held: list[Text] = []
    for text in texts:
        held.append(text)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held

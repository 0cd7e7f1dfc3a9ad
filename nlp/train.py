"""Trains the embedded labeller: features, heads, cross-validation, calibration, cuts, card."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack

from nlp.brands import BrandTable
from nlp.classifier import Decider, Decision, Heads, Model, post_views
from nlp.corpus import (
    Post,
    Row,
    annotated,
    grouped,
    labelled,
    read_jsonl,
    starred,
    text_key,
    tweeted,
    written_examples,
)
from nlp.evaluate import Scores, brand_key, evaluate
from nlp.features import Pairs, Vocabulary, ngrams
from nlp.heads import Outputs, Targets, fit, platt, probabilities, sigmoid, threshold
from nlp.reading import (
    RULES_EVIDENCE,
    BrandView,
    brand_views,
    document,
    post_extras,
    table,
)
from nlp.rules import Analysis, Reader
from nlp.types import ROLES, SENTIMENTS, SIGNALS, TOPICS

Floats = npt.NDArray[np.float32]
Progress = Callable[[str], None]

FLAGS = ("phone_harassment", "testimony")
GENERAL = tuple(f"general.{s}" for s in SENTIMENTS)  # sentiment of posts that name no brand
POST_OUTPUTS = Outputs((*SENTIMENTS, *GENERAL, *FLAGS, *TOPICS[1:], *SIGNALS), ((0, 3), (3, 6)))
PAIR_OUTPUTS = Outputs(("harassment", *SENTIMENTS, *ROLES), ((1, 4), (4, 4 + len(ROLES))))
FOLDS = 5
LEAST = 2
TRUST = 1.0  # log-odds of harassment for each point of the rules' evidence
SIGNAL_TRUST = 2.0  # log-odds of a signal for each time its own rule is found
RARE, HELP = 20, 0.3  # see `cuts_of`
MOST = {"post": 50_000, "pair": 20_000}
WEIGHTS = {"annotated": 1.0, "written": 1.0, "umsab": 1.0}
ORIGINS = ("annotated", "written", "umsab")  # each may have another share of yes: see `origins`
ORIGIN_SCALE = 3.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a run of heads is fitted: L2 on n-grams and on extras, and how far classes are evened."""

    start: int
    end: int
    grams: float
    extras: float
    even: float = 0.0
    written: float = 1.0  # how much a written example counts beside a real post
    steps: int = 25


POST_RECIPES = (
    Recipe(0, 3, 0.3, 3.0, written=0.5),
    Recipe(3, 6, 0.3, 3.0, written=0.1),
    Recipe(6, 8, 0.3, 1.0, even=0.5),
    Recipe(8, 22, 0.2, 1.0, even=0.5, written=0.4),
    Recipe(22, 43, 0.3, 1.0, even=0.3),
)
PAIR_RECIPES = (
    Recipe(0, 1, 0.5, 0.5, even=0.3),
    Recipe(1, 4, 0.3, 1.0),
    Recipe(4, 4 + len(ROLES), 0.5, 0.5),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Posts as the heads see them: one row a post, and one row a (post, brand) pair."""

    posts: Sequence[Post]
    analyses: Sequence[Analysis]
    grams: Pairs
    extras: Sequence[dict[str, float]]
    pair_post: npt.NDArray[np.int64]
    views: Sequence[BrandView]
    pair_grams: Pairs

    def __len__(self) -> int:
        return len(self.posts)


def see(posts: Sequence[Post], reader: Reader) -> Seen:
    """Read posts once; everything that training needs of them is kept."""
    analyses = [reader.analyse(post.text) for post in posts]
    seen = [list(brand_views(analysis)) for analysis in analyses]
    views = [view for of in seen for view in of]
    return Seen(
        posts,
        analyses,
        ngrams([document(analysis) for analysis in analyses]),
        [post_extras(analysis) for analysis in analyses],
        np.repeat(np.arange(len(posts)), [len(of) for of in seen]),
        views,
        ngrams([view.document for view in views], characters=False),
    )


def post_targets(seen: Seen) -> Targets:
    """Return what each post should answer, unknown where nobody knows."""
    shape = (len(seen), len(POST_OUTPUTS.names))
    values, weights = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for row, post in enumerate(seen.posts):
        for name, truth in post_answers(post, branded=bool(seen.analyses[row].parts)):
            column = POST_OUTPUTS.column(name)
            values[row, column], weights[row, column] = truth, post.weight
    return Targets(values, weights)


def post_answers(post: Post, *, branded: bool) -> Iterable[tuple[str, bool]]:
    """Yield the known answers of one post by head.

    Signals are learnt where there is harassment: elsewhere they are not given, see `Decider`.
    """
    if post.sentiment is not None:
        if post.origin != "umsab":
            yield from ((s, s == post.sentiment) for s in SENTIMENTS)
        if not branded:
            yield from ((f"general.{s}", s == post.sentiment) for s in SENTIMENTS)
    for flag in FLAGS:
        known = getattr(post, flag)
        if known is not None:
            yield flag, known
    if post.topics is not None:
        yield from ((t, t in post.topics) for t in TOPICS[1:] if t not in post.unsure)
    if post.signals is not None and post.phone_harassment is not None:
        told = SIGNALS if post.phone_harassment else ("sms_messaging",)
        yield from ((s, s in post.signals) for s in told if s not in post.unsure)


def pair_targets(seen: Seen) -> Targets:
    """Return what each (post, brand) pair should answer."""
    shape = (len(seen.views), len(PAIR_OUTPUTS.names))
    values, weights = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for row, (owner, view) in enumerate(zip(seen.pair_post, seen.views, strict=True)):
        post = seen.posts[owner]
        said = labels_of(post, view.name)
        for name, truth in pair_answers(said or {}, told=post.phone_harassment is True):
            column = PAIR_OUTPUTS.column(name)
            values[row, column], weights[row, column] = truth, post.weight
    return Targets(values, weights)


def labels_of(post: Post, brand: str) -> Mapping[str, Any] | None:
    """Return what is known of a brand in a post; None when the post does not speak of it."""
    if post.brands is None:
        return None
    for name, said in post.brands.items():
        if brand_key(name) == brand_key(brand):
            return said
    return post.default_brand


def pair_answers(said: Mapping[str, Any], *, told: bool) -> Iterable[tuple[str, bool]]:
    """Yield the known answers of one pair by head; who calls is asked where calls are `told` of."""
    if told and said.get("harassment") is not None:
        yield "harassment", said["harassment"]
    if said.get("sentiment") is not None:
        yield from ((s, s == said["sentiment"]) for s in SENTIMENTS)
    if said.get("role") is not None:
        yield from ((r, r == said["role"]) for r in ROLES)


def evened(targets: Targets, power: float) -> Targets:
    """Return weights that give rare answers more to say: 0 leaves them, 1 makes classes equal."""
    weights = targets.weights.copy()
    for column in range(weights.shape[1]):
        w, yes = weights[:, column], targets.values[:, column] > 0
        share = w[yes].sum() / max(w.sum(), 1e-9)
        if 0 < share < 1:
            w *= np.where(yes, (0.5 / share) ** power, (0.5 / (1 - share)) ** power)
    return Targets(targets.values, weights)


def fit_groups(
    features: csr_array,
    targets: Targets,
    outputs: Outputs,
    recipes: Sequence[Recipe],
    grams: int,
    written: npt.NDArray[np.bool_],
) -> Floats:
    """Fit each run of heads by its recipe; return weights, shape (features + 1, heads)."""
    weights = np.zeros((features.shape[1] + 1, len(outputs.names)), dtype=np.float32)
    for recipe in recipes:
        run = slice(recipe.start, recipe.end)
        counts = np.where(written, recipe.written, 1.0).astype(np.float32)[:, None]
        wanted = Targets(targets.values[:, run], targets.weights[:, run] * counts)
        rows = wanted.weights.sum(axis=1) > 0
        if not rows.any():
            continue
        names = outputs.names[run]
        choice = ((0, len(names)),) if (recipe.start, recipe.end) in outputs.choices else ()
        if not choice:
            wanted = evened(wanted, recipe.even)
        penalty = np.full(features.shape[1], recipe.extras, dtype=np.float32)
        penalty[:grams] = recipe.grams
        weights[:, run] = fit(
            features[np.flatnonzero(rows)], wanted[rows], Outputs(names, choice),
            penalty=penalty, steps=recipe.steps,
        )  # fmt: skip
    return weights


@dataclass(frozen=True, slots=True)
class Design:
    """Features and targets of one set of heads; the first `grams` columns are n-grams."""

    features: csr_array
    targets: Targets
    outputs: Outputs
    recipes: Sequence[Recipe]
    grams: int
    written: npt.NDArray[np.bool_]
    trust: Floats | None = None  # added to the weights that are learnt, shape of the weights

    def fitted(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Fit on some rows."""
        targets = Targets(self.targets.values[rows], self.targets.weights[rows])
        weights = fit_groups(
            self.features[rows],
            targets,
            self.outputs,
            self.recipes,
            self.grams,
            self.written[rows],
        )
        return weights + self.trust if self.trust is not None else weights

    def logits(self, weights: Floats, rows: npt.NDArray[np.int64]) -> Floats:
        return np.asarray(self.features[rows] @ weights[:-1] + weights[-1], dtype=np.float32)


def out_of_fold(design: Design, folds: npt.NDArray[np.int64], progress: Progress) -> Floats:
    """Return the logits of each row by heads that never saw its fold."""
    out = np.zeros((len(folds), len(design.outputs.names)), dtype=np.float32)
    for fold in range(FOLDS):
        held, used = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        out[held] = design.logits(design.fitted(used), held)
        progress(f"fold {fold + 1} of {FOLDS}")
    return out


def fold_of(posts: Sequence[Post], seed: int) -> npt.NDArray[np.int64]:
    """Return a fold for each post; an author's and a thread's posts stay together."""
    groups = np.array(grouped(posts))
    chance = np.random.default_rng(seed)
    drawn = {group: fold for fold, group in enumerate(chance.permutation(np.unique(groups)))}
    return np.array([drawn[group] % FOLDS for group in groups], dtype=np.int64)


def polarity(
    stars: Sequence[Post], reader: Reader, vocabulary: Vocabulary, progress: Progress
) -> Floats:
    """Return the weight of each n-gram for stars, learnt from reviews that nobody else labelled."""
    if not stars:
        return np.zeros(len(vocabulary), dtype=np.float32)
    progress(f"stars: {len(stars)} reviews")
    grams = ngrams([document(reader.analyse(post.text)) for post in stars])
    rows = vocabulary.rows(grams, len(stars))
    values = np.array([[post.sentiment == "positive"] for post in stars], dtype=np.float32)
    targets = evened(Targets(values, np.ones_like(values)), 1.0)
    weights = fit(rows, targets, Outputs(("positive",)), penalty=1.0, steps=40)
    return np.asarray(weights[:-1, 0], dtype=np.float32)


def extra_names(rows: Iterable[Mapping[str, float]], least: int = 3) -> tuple[str, ...]:
    """Return the names of the extras that are not zero in at least `least` rows."""
    counts: dict[str, int] = {}
    for extras in rows:
        for name, value in extras.items():
            counts[name] = counts.get(name, 0) + (value != 0)
    return tuple(sorted(name for name, count in counts.items() if count >= least))


def origins(origin: Sequence[str]) -> csr_array:
    """Return a column for each origin of posts but the gold one.

    How often a label holds differs between origins (half of the written examples report
    harassment): these columns learn it, and are left out of the heads.
    """
    return csr_array(
        np.array([[ORIGIN_SCALE * (o == name) for name in ORIGINS] for o in origin], np.float32)
    )


def trusted_rules() -> Iterable[tuple[str, str, float]]:
    """Yield the rules that keep a say of their own: feature, head, log-odds for each point."""
    yield RULES_EVIDENCE, "phone_harassment", TRUST
    yield from ((f"sig.{signal}", signal, SIGNAL_TRUST) for signal in SIGNALS)


@dataclass(frozen=True, slots=True)
class Learner:
    """Everything that one set of heads is fitted from: see `Design` for the matrix it makes."""

    vocabulary: Vocabulary
    stars: Floats
    names: tuple[str, ...]
    outputs: Outputs
    recipes: Sequence[Recipe]

    def design(
        self,
        grams: Pairs,
        extras: Sequence[Mapping[str, float]],
        origin: Sequence[str],
        targets: Targets,
    ) -> Design:
        rows = self.vocabulary.rows(grams, len(extras))
        blocks = [rows, table(extras, self.names)]
        if self.stars.any():
            blocks.append(csr_array((rows @ self.stars)[:, None]))
        blocks.append(origins(origin))
        features = csr_array(hstack(blocks, format="csr", dtype=np.float32))
        return Design(
            features,
            targets,
            self.outputs,
            self.recipes,
            len(self.vocabulary),
            np.array([name == "written" for name in origin], dtype=bool),
            self._trust(features.shape[1]),
        )

    def _trust(self, columns: int) -> Floats | None:
        """Return the say that rules keep beside what is learnt: two judges err less than one."""
        if RULES_EVIDENCE not in self.names:
            return None
        trust = np.zeros((columns + 1, len(self.outputs.names)), dtype=np.float32)
        for name, head, say in trusted_rules():
            if name in self.names:
                row = len(self.vocabulary) + self.names.index(name)
                trust[row, self.outputs.column(head)] = say
        return trust

    def heads(self, weights: Floats, cuts: Cuts) -> Heads:
        """Return heads ready to label: the star weights are folded into the n-grams'.

        Posts that name no brand are taken to be of the kind of the UMSAB tweets.
        """
        grams = len(self.vocabulary)
        learnt = weights[:grams]
        if self.stars.any():
            learnt = learnt + self.stars[:, None] * weights[grams + len(self.names)][None, :]
        extras = weights[grams : grams + len(self.names)]
        bias = weights[-1].copy()
        general = [i for i, name in enumerate(self.outputs.names) if name in GENERAL]
        umsab = len(weights) - 1 - len(ORIGINS) + ORIGINS.index("umsab")
        bias[general] += ORIGIN_SCALE * weights[umsab, general]
        return Heads(
            self.outputs, self.vocabulary, learnt, self.names, extras, bias,
            cuts.slope, cuts.shift, cuts.cuts,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cuts:
    """Calibration and cut of each head, see `nlp.classifier.Heads`."""

    slope: Floats
    shift: Floats
    cuts: Floats


def cuts_of(
    logits: Floats, targets: Targets, outputs: Outputs, trusted: npt.NDArray[np.bool_]
) -> Cuts:
    """Return calibration and cuts from out-of-fold logits.

    They come from the `trusted` rows, whose shares of yes are those of the field; where these say
    yes less than `RARE` times, the other rows help.
    """
    heads = len(outputs.names)
    cuts = Cuts(np.ones(heads, np.float32), np.zeros(heads, np.float32), np.ones(heads, np.float32))
    for column in np.flatnonzero(outputs.single):
        truths, weights = targets.values[:, column], targets.weights[:, column]
        rare = float((truths * (weights > 0))[trusted].sum()) < RARE
        weights = np.where(trusted, weights, weights * HELP * rare)
        slope, shift = platt(logits[:, column], truths, weights)
        cuts.slope[column], cuts.shift[column] = slope, shift
        chances = sigmoid(logits[:, column] * slope + shift)
        cuts.cuts[column] = threshold(chances, truths, weights)
    for start, end in outputs.choices:
        if outputs.names[start:end] == SENTIMENTS:
            known = (targets.weights[:, start] > 0) & trusted
            chances = probabilities(logits, outputs)[known, start:end]
            cuts.cuts[start:end] = balance(chances, targets.values[known, start:end])
    return cuts


def balance(chances: Floats, truths: Floats) -> Floats:
    """Return the factor of each sentiment that gives the best macro-F1, averaged near the best."""
    if len(truths) == 0:
        return np.ones(len(SENTIMENTS), dtype=np.float32)
    truth = truths.argmax(axis=1)
    tried = []
    for neutral in np.geomspace(0.5, 3, 19):
        for positive in np.geomspace(0.5, 2, 9):
            factors = np.array([1, neutral, positive], dtype=np.float32)
            tried.append((macro_f1(truth, (chances * factors).argmax(axis=1)), factors))
    best = max(score for score, _ in tried)
    near = [np.log(factors) for score, factors in tried if score >= best - 0.005]
    return np.asarray(np.exp(np.mean(near, axis=0)), dtype=np.float32)


def macro_f1(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> float:
    """Return the mean F1 of the sentiments that occur."""
    scores = []
    for sentiment in np.unique(truth):
        hits = ((truth == sentiment) & (said == sentiment)).sum()
        scores.append(2 * hits / max(1, (truth == sentiment).sum() + (said == sentiment).sum()))
    return float(np.mean(scores))


class Trainer:
    """Trains posts' heads, then brands' heads on what the posts' heads say out of fold."""

    def __init__(
        self,
        posts: Sequence[Post],
        table: BrandTable,
        *,
        stars: Sequence[Post] = (),
        seed: int = 0,
        progress: Progress = lambda _: None,
    ) -> None:
        self.posts, self.seed, self.progress = posts, seed, progress
        self.reader = Reader(table)
        progress(f"reading {len(posts)} posts")
        self.seen = see(posts, self.reader)
        self.real = np.array([post.origin == "real" for post in posts])
        self.found = np.array([post.origin in ("real", "annotated") for post in posts])
        vocabulary = Vocabulary.of(self.seen.grams, len(posts), least=LEAST, most=MOST["post"])
        self.learner = Learner(
            vocabulary,
            polarity(stars, self.reader, vocabulary, progress),
            extra_names(self.seen.extras),
            POST_OUTPUTS,
            POST_RECIPES,
        )
        self.design = self.learner.design(
            self.seen.grams,
            self.seen.extras,
            [post.origin for post in posts],
            post_targets(self.seen),
        )

    def fold_logits(self, seed: int) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the folds and the out-of-fold logits of the posts' heads."""
        folds = fold_of(self.posts, seed)
        return folds, out_of_fold(self.design, folds, self.progress)

    def pair_design(self, logits: Floats, cuts: Cuts) -> tuple[Learner, Design]:
        """Return the design of the brands' heads, told what the posts' heads say out of fold."""
        seen = self.seen
        told = post_views(logits * cuts.slope + cuts.shift, POST_OUTPUTS)
        extras = [
            {**view.extras, **told[owner]}
            for owner, view in zip(seen.pair_post, seen.views, strict=True)
        ]
        vocabulary = Vocabulary.of(seen.pair_grams, len(seen.views), least=LEAST, most=MOST["pair"])
        none = np.zeros(len(vocabulary), dtype=np.float32)
        learner = Learner(vocabulary, none, extra_names(extras), PAIR_OUTPUTS, PAIR_RECIPES)
        origin = [self.posts[owner].origin for owner in seen.pair_post]
        return learner, learner.design(seen.pair_grams, extras, origin, pair_targets(seen))

    def cuts(self, logits: Floats, rows: npt.NDArray[np.int64]) -> Cuts:
        """Return the posts' calibration and cuts learnt on some rows."""
        targets = self.design.targets
        return cuts_of(
            logits[rows],
            Targets(targets.values[rows], targets.weights[rows]),
            POST_OUTPUTS,
            self.real[rows],
        )

    def pair_cuts(self, design: Design, logits: Floats, rows: npt.NDArray[np.int64]) -> Cuts:
        """Return the brands' calibration and cuts learnt on some pairs."""
        targets = Targets(design.targets.values[rows], design.targets.weights[rows])
        return cuts_of(logits[rows], targets, PAIR_OUTPUTS, self.real[self.seen.pair_post[rows]])

    def cross_validated(self, seed: int) -> dict[int, dict[str, Any]]:
        """Return out-of-fold labels of the real posts, by row.

        Heads, calibration and cuts of a fold come from the other folds.
        """
        folds, logits = self.fold_logits(seed)
        found = np.flatnonzero(self.found)
        _, design = self.pair_design(logits, self.cuts(logits, found))
        pair_folds = folds[self.seen.pair_post]
        pair_logits = out_of_fold(design, pair_folds, self.progress)
        pair_found = np.flatnonzero(self.found[self.seen.pair_post])
        labels: dict[int, dict[str, Any]] = {}
        for fold in range(FOLDS):
            cuts = self.cuts(logits, found[folds[found] != fold])
            used = pair_found[pair_folds[pair_found] != fold]
            pair_cuts = self.pair_cuts(design, pair_logits, used)
            held = np.flatnonzero(self.real & (folds == fold))
            labels |= self._decided(held, logits, pair_logits, cuts, pair_cuts)
        return labels

    def _decided(
        self,
        rows: npt.NDArray[np.int64],
        logits: Floats,
        pair_logits: Floats,
        cuts: Cuts,
        pair_cuts: Cuts,
    ) -> dict[int, dict[str, Any]]:
        decide = Decider(
            Decision(POST_OUTPUTS, cuts.cuts),
            Decision(PAIR_OUTPUTS, pair_cuts.cuts),
            labeller="out-of-fold",
            version="",
        )
        chances = probabilities(logits * cuts.slope + cuts.shift, POST_OUTPUTS)
        pair_chances = probabilities(pair_logits * pair_cuts.slope + pair_cuts.shift, PAIR_OUTPUTS)
        labels = {}
        for row in rows:
            own = np.flatnonzero(self.seen.pair_post == row)
            views = [self.seen.views[int(i)] for i in own]
            said = decide.labels(self.seen.analyses[row], chances[row], views, pair_chances[own])
            labels[int(row)] = said.to_dict()
        return labels

    def fitted(self) -> Model:
        """Fit on everything; calibration and cuts from out-of-fold logits."""
        folds, logits = self.fold_logits(self.seed)
        cuts = self.cuts(logits, np.flatnonzero(self.found))
        learner, design = self.pair_design(logits, cuts)
        pair_logits = out_of_fold(design, folds[self.seen.pair_post], self.progress)
        pair_found = np.flatnonzero(self.found[self.seen.pair_post])
        pair_cuts = self.pair_cuts(design, pair_logits, pair_found)
        self.progress("fitting on everything")
        everything = np.arange(len(self.posts))
        post = self.learner.heads(self.design.fitted(everything), cuts)
        pair = learner.heads(design.fitted(np.arange(len(self.seen.views))), pair_cuts)
        return Model(post, pair)


def gold_rows(posts: Sequence[Post]) -> dict[int, Row]:
    """Return the rows that hold full gold labels, by position."""
    needed = {"topics", "signals", "brands", "sentiment", "phone_harassment", "testimony", "source"}
    return {i: post.row for i, post in enumerate(posts) if needed <= post.row.keys()}


def scored(trainer: Trainer, seeds: Sequence[int]) -> list[Scores]:
    """Return what each repeated cross-validation scores on the gold rows."""
    gold = gold_rows(trainer.posts)
    scores = []
    for seed in seeds:
        labels = trainer.cross_validated(seed)
        rows = [i for i in gold if i in labels]
        predicted = [{**labels[i], "id": gold[i]["id"]} for i in rows]
        scores.append(evaluate([gold[i] for i in rows], predicted, bootstrap=200, seed=seed))
    return scores


@dataclass(frozen=True, slots=True)
class Card:
    """What the model card says, as data: `scores` are means over repeated cross-validations."""

    digest: str
    made: date
    bytes: int
    posts: Mapping[str, int]
    scores: Mapping[str, tuple[float, float]]
    seed: int

    def to_markdown(self) -> str:
        """Return the card as Markdown."""
        counts = "\n".join(f"| {name} | {count} |" for name, count in self.posts.items())
        scores = "\n".join(
            f"| {name} | {mean:.3f} ± {spread:.3f} |"
            for name, (mean, spread) in self.scores.items()
        )
        return CARD.format(
            digest=self.digest, made=self.made, size=self.bytes / 1e6, counts=counts,
            scores=scores or "| not measured | |", seed=self.seed,
        )  # fmt: skip


CARD = """\
# Model card: raccroche-embedded {digest}

Made {made}, {size:.1f} MB, seed {seed}. Linear heads over hashed word and character n-grams, rule
features and star polarity: see `docs/classifier.md`. The file holds weights of hashes, no text.

## Learnt from

| origin | posts |
|---|---|
{counts}

`real`: posts labelled twice by the guide of the project's labels. `annotated`: posts of the same
sources that one reader (a language model, reading without the rules' answers) annotated for the
project; the labels are in `nlp/data/annotations.tsv` under a hash of each text, the texts are not.
`written`: the project's own examples in `nlp/data/examples`, fictional, brands drawn from the
table. `umsab`: the French training part of the Unified Multilingual Sentiment Analysis Benchmark
(tweets, looser labels). `stars`: public insurance reviews with their authors' stars. No text is
published here; rights stay with their authors.

## Scores

Mean ± standard deviation over repeated 5-fold cross-validations by author and thread, on the
double-labelled posts alone; heads, calibration and cuts of a fold never saw it.

| measure | score |
|---|---|
{scores}

## Limits

- Labels say what an author alleges. Nothing here establishes an offence.
- The real posts speak of an operator, an energy supplier, insurers, a bank and public services.
  Silent calls, robocalls, masked numbers and voicemail are learnt from written examples and rules:
  scores for them are weak evidence.
- Sarcasm without a cue, mixed reviews and posts without context are where most errors are.
- Other languages are refused, not judged.
"""


def train_embedded(
    rows: Sequence[Row],
    out: Path,
    *,
    brand_table: BrandTable,
    seed: int = 0,
    progress: Progress = lambda _: None,
    more: Sequence[Post] = (),
    stars: Sequence[Post] = (),
    repeats: int = 1,
) -> Card:
    """Train on labelled rows, the project's examples and `more`; write the model and its card.

    `rows` follow the label schema (null where unknown). `repeats` cross-validations give the
    card's scores; 0 skips them. `out` is the model's file; the card is CARD.md beside it.
    """
    posts = [*labelled(rows), *more]
    posts += written_examples(brand_table, seed=seed, weight=WEIGHTS["written"])
    trainer = Trainer(posts, brand_table, stars=stars, seed=seed, progress=progress)
    runs = scored(trainer, range(seed + 1, seed + 1 + repeats)) if repeats else []
    digest = trainer.fitted().save(out)
    origins = [post.origin for post in posts]
    counts = {origin: origins.count(origin) for origin in dict.fromkeys(origins)}
    card = Card(
        digest,
        date.today(),
        out.stat().st_size,
        {**counts, "stars": len(stars)},
        spread(runs),
        seed,
    )
    (out.parent / "CARD.md").write_text(card.to_markdown(), encoding="utf-8")
    return card


def spread(runs: Sequence[Scores]) -> dict[str, tuple[float, float]]:
    """Return the mean and standard deviation of each measure over the runs."""
    if not runs:
        return {}
    return {
        m.name: (
            float(np.mean([run[m.name].value for run in runs])),
            float(np.std([run[m.name].value for run in runs])),
        )
        for m in runs[0].measures
        if "/" not in m.name or m.name.startswith(("topics/", "signals/"))
    }


@dataclass(frozen=True, slots=True)
class Shared:
    """The training material beside a checkout: gold rows, more labelled posts, starred reviews."""

    gold: Sequence[Row]
    more: Sequence[Post]
    stars: Sequence[Post]


def letters_of(text: str) -> str:
    """Return a text without spaces, by which a copy with other line breaks is known."""
    return "".join(text.split())


def shared_material(folder: Path) -> Shared:
    """Read the data folder; texts of the gold rows are taken out of all the rest."""
    gold = read_jsonl(folder / "dev.jsonl")
    kept = {letters_of(row["text"]) for row in gold}
    rows: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((folder / "train").glob("*.jsonl.gz")):
        found = [row for row in read_jsonl(path) if letters_of(row["text"]) not in kept]
        rows[path.name.removesuffix(".jsonl.gz")] = found
    tweets = rows.pop("tweets-umsab-train", [])
    rows.pop("tweets-umsab-val", None)
    notes = annotated([row for of in rows.values() for row in of], weight=WEIGHTS["annotated"])
    known = {text_key(post.text.text) for post in notes}
    rest = [r for of in rows.values() for r in of if text_key(r["text"]) not in known]
    return Shared(gold, [*notes, *tweeted(tweets, weight=WEIGHTS["umsab"])], starred(rest))


def main(arguments: Sequence[str] | None = None) -> None:
    """Reproduce the shipped model: `python -m nlp.train ../shared/data brands.toml`."""
    import tomllib

    from nlp.rules import brand_table

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("data", type=Path, help="folder with dev.jsonl and train/")
    parser.add_argument("brands", type=Path, help="TOML file with the [[brand]] blocks")
    parser.add_argument("--out", type=Path, default=Path("nlp/models/embedded.npz"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args(arguments)
    brands = brand_table(tomllib.loads(given.brands.read_text(encoding="utf-8"))["brand"])
    shared = shared_material(given.data)
    card = train_embedded(
        shared.gold, given.out, brand_table=brands, seed=given.seed, progress=print,
        more=shared.more, stars=shared.stars, repeats=given.repeats,
    )  # fmt: skip
    print(f"{given.out}: {card.digest}, {card.bytes / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

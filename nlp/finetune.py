"""Fine-tunes one shared transformer encoder with our heads, from a base model or from scratch."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nlp import rules
from nlp.brands import BrandTable
from nlp.classifier import Decider, Decision, load_default
from nlp.errors import ModelError
from nlp.heads import Outputs, Targets, probabilities
from nlp.numbers import COARSE_PLAN, NumberingPlan
from nlp.reading import BrandView, brand_views
from nlp.rules import Reader
from nlp.train import (
    PAIR_OUTPUTS,
    POST_OUTPUTS,
    Cuts,
    Seen,
    cuts_of,
    fold_of,
    pair_targets,
    post_targets,
)
from nlp.transformer import (
    Encoder,
    Options,
    TransformerLabeller,
    export_module,
    file_digest,
    load_tokeniser,
    locate,
    needed,
    quantise,
    short_name,
)
from nlp.types import Labeller, Labels, Text

Floats = npt.NDArray[np.float32]

HEADS_FILE = "raccroche.json"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
"""Of a tokeniser made from scratch; the padding is number 1, as in CamemBERT."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a transformer is trained. `patience` epochs without gain on held-out posts end it;
    the sizes are those of an encoder made from scratch, and unused with a base model.
    """

    epochs: int = 6
    patience: int = 2
    rate: float = 3e-5
    batch: int = 16
    max_tokens: int = 192
    seed: int = 0
    held_out: int = 5  # one fold of so many is held out
    layers: int = 4
    width: int = 256
    attention_heads: int = 4
    words: int = 16_000


@dataclass(frozen=True, slots=True)
class TransformerCard:
    """What training did; `loss` is that of the held-out posts at the best epoch."""

    base: str
    made: date
    posts: int
    epochs: int
    loss: float
    settings: Settings

    def to_markdown(self) -> str:
        """Return the card as Markdown."""
        told = "\n".join(f"| {name} | {value} |" for name, value in asdict(self.settings).items())
        return (
            f"# Model card: {self.base} with the heads of Raccroche\n\n"
            f"Made {self.made} from {self.posts} labelled posts; best after {self.epochs} epochs, "
            f"held-out loss {self.loss:.4f}.\n\nLabels say what an author alleges. Score it with "
            f"`raccroche evaluate` on posts that it never saw before any use.\n\n"
            f"| setting | value |\n|---|---|\n{told}\n"
        )


def train_transformer(
    base: str | None,
    seen: Seen,
    out: Path,
    *,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    options: Options = Options(),  # noqa: B008 - frozen
    progress: Callable[[str], None] = lambda _: None,
) -> TransformerCard:
    """Train on posts read by `nlp.train.see`; write model, ONNX graph and card.

    `base` is a hub id or a folder; None makes a tokeniser and an encoder from scratch.
    """
    torch = needed("torch", "Training a transformer")
    transformers = needed("transformers", "Training a transformer")
    seed_everything(torch, settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    texts = [post.text.text for post in seen.posts]
    if base is None:
        tokeniser = new_tokeniser(transformers, texts, settings)
        encoder = new_encoder(transformers, len(tokeniser), settings)
    else:
        tokeniser, encoder = base_model(transformers, base, options)
    model = with_heads(torch, encoder)
    examples = encoded_examples(tokeniser, seen, settings)
    folds = fold_of(seen.posts, settings.seed)
    held = folds % settings.held_out == 0
    loop = Loop(torch, model, examples, held, settings, tokeniser.pad_token_id or 0, progress)
    epochs, loss = loop.run()
    cuts = loop.cuts()
    save(out, tokeniser, encoder, model, cuts, settings)
    card = TransformerCard(
        base or "from scratch", date.today(), len(seen.posts), epochs, loss, settings
    )
    (out / "CARD.md").write_text(card.to_markdown(), encoding="utf-8")
    return card


def seed_everything(torch: Any, seed: int) -> None:
    """Seed every generator that training draws from."""
    random.seed(seed)
    torch.manual_seed(seed)


def base_model(transformers: Any, base: str, options: Options) -> tuple[Any, Any]:
    """Return tokeniser and encoder of a base model; ModelError when they cannot be read."""
    folder = locate(base, offline=options.offline)
    tokeniser = load_tokeniser(folder)
    try:
        encoder = transformers.AutoModel.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:160]
        raise ModelError(f"{folder} cannot be read as an encoder ({reason}).") from error
    return tokeniser, encoder


def new_tokeniser(transformers: Any, texts: Sequence[str], settings: Settings) -> Any:
    """Return a byte-level BPE tokeniser trained on the texts."""
    tokenizers = needed("tokenizers", "Training a transformer")
    made = tokenizers.ByteLevelBPETokenizer()
    made.train_from_iterator(
        texts, vocab_size=settings.words, min_frequency=2, special_tokens=list(SPECIAL)
    )
    made.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made._tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>",
        sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>",
        model_max_length=512,
    )  # fmt: skip


def new_encoder(transformers: Any, words: int, settings: Settings) -> Any:
    """Return a small encoder of CamemBERT's shape with random weights."""
    config = transformers.CamembertConfig(
        vocab_size=words, hidden_size=settings.width, num_hidden_layers=settings.layers,
        num_attention_heads=settings.attention_heads, intermediate_size=4 * settings.width,
        max_position_embeddings=514, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    return transformers.CamembertModel(config, add_pooling_layer=False)


def with_heads(torch: Any, encoder: Any) -> Any:
    """Return the encoder with both sets of heads over the mean of its last layer."""
    width = int(getattr(encoder.config, "hidden_size", getattr(encoder.config, "dim", 0)))
    total = len(POST_OUTPUTS.names) + len(PAIR_OUTPUTS.names)

    class Headed(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder
            self.drop = torch.nn.Dropout(0.1)
            self.heads = torch.nn.Linear(width, total)

        def forward(self, ids: Any, mask: Any) -> Any:
            last = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            kept = mask.unsqueeze(-1).to(last.dtype)
            mean = (last * kept).sum(1) / kept.sum(1).clamp(min=1)
            return self.heads(self.drop(mean))

    return Headed()


@dataclass(frozen=True, slots=True)
class Examples:
    """Token ids of posts and of (brand, post) pairs, with what the heads should answer.

    Posts come first; `owner` is the post of each row, `targets` have both sets of heads.
    """

    ids: Sequence[Sequence[int]]
    owner: npt.NDArray[np.int64]
    targets: Targets

    def __len__(self) -> int:
        return len(self.ids)


def encoded_examples(tokeniser: Any, seen: Seen, settings: Settings) -> Examples:
    """Return the examples of posts and of their brands, token ids cut at the longest allowed."""
    texts = [spoken(post.text) for post in seen.posts]
    pairs = [
        pair_text(view, texts[owner])
        for view, owner in zip(seen.views, seen.pair_post, strict=True)
    ]
    ids = tokeniser([*texts, *pairs], truncation=True, max_length=settings.max_tokens)["input_ids"]
    post, pair = post_targets(seen), pair_targets(seen)
    blank_post = np.zeros((len(post.values), len(PAIR_OUTPUTS.names)), np.float32)
    blank_pair = np.zeros((len(pair.values), len(POST_OUTPUTS.names)), np.float32)
    targets = Targets(
        np.vstack([np.hstack([post.values, blank_post]), np.hstack([blank_pair, pair.values])]),
        np.vstack([np.hstack([post.weights, blank_post]), np.hstack([blank_pair, pair.weights])]),
    )
    return Examples(ids, np.concatenate([np.arange(len(texts)), seen.pair_post]), targets)


def spoken(text: Text) -> str:
    """Return a post as the encoder reads it: the company reviewed, if any, title, text."""
    said = " ".join(filter(None, (text.title, text.text)))
    return f"Avis sur {text.context_brand} : {said}" if text.context_brand else said


def pair_text(view: BrandView, text: str) -> str:
    """Return a post as the encoder reads it when it is asked about one brand."""
    return f"Marque : {view.name}. {text}"


ALL = Outputs(
    (*POST_OUTPUTS.names, *(f"pair.{name}" for name in PAIR_OUTPUTS.names)),
    (
        *POST_OUTPUTS.choices,
        *(
            (a + len(POST_OUTPUTS.names), b + len(POST_OUTPUTS.names))
            for a, b in PAIR_OUTPUTS.choices
        ),
    ),
)


class Loop:
    """Trains with early stopping and keeps the weights of the best epoch."""

    def __init__(
        self,
        torch: Any,
        model: Any,
        examples: Examples,
        held: npt.NDArray[np.bool_],
        settings: Settings,
        pad: int,
        progress: Callable[[str], None],
    ) -> None:
        self.torch, self.model, self.examples = torch, model, examples
        self.settings, self.pad, self.progress = settings, pad, progress
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        out = held[examples.owner]
        self.used, self.held = np.flatnonzero(~out), np.flatnonzero(out)
        if not len(self.used) or not len(self.held):
            raise ModelError("Too few posts to train a transformer: some must be held out.")

    def run(self) -> tuple[int, float]:
        """Train; return the best epoch and its held-out loss."""
        torch, settings = self.torch, self.settings
        self.model.to(self.device)
        steps = max(1, settings.epochs * (len(self.used) // settings.batch + 1))
        optimiser = torch.optim.AdamW(self.model.parameters(), lr=settings.rate, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.rate, total_steps=steps + settings.epochs, pct_start=0.1
        )
        best, at, kept = float("inf"), 0, {}
        for epoch in range(1, settings.epochs + 1):
            self._epoch(optimiser, schedule, epoch)
            loss = self.loss(self.held)
            self.progress(f"epoch {epoch} of {settings.epochs}: held-out loss {loss:.4f}")
            if loss < best:
                best, at = loss, epoch
                kept = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
            elif epoch - at >= settings.patience:
                break
        self.model.load_state_dict(kept)
        return at, best

    def _epoch(self, optimiser: Any, schedule: Any, epoch: int) -> None:
        self.model.train()
        chance = np.random.default_rng(self.settings.seed * 1000 + epoch)
        for rows in self._batches(chance.permutation(self.used)):
            loss = self._loss(rows)
            optimiser.zero_grad()
            loss.backward()
            self.torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimiser.step()
            schedule.step()

    def _batches(self, rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
        for start in range(0, len(rows), self.settings.batch):
            yield rows[start : start + self.settings.batch]

    def _forward(self, rows: npt.NDArray[np.int64]) -> Any:
        ids = [self.examples.ids[int(row)] for row in rows]
        longest = max(len(tokens) for tokens in ids)
        padded = self.torch.full((len(ids), longest), self.pad, dtype=self.torch.long)
        mask = self.torch.zeros_like(padded)
        for row, tokens in enumerate(ids):
            padded[row, : len(tokens)] = self.torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        return self.model(padded.to(self.device), mask.to(self.device))

    def _loss(self, rows: npt.NDArray[np.int64]) -> Any:
        torch = self.torch
        logits = self._forward(rows)
        values = torch.tensor(self.examples.targets.values[rows]).to(self.device)
        weights = torch.tensor(self.examples.targets.weights[rows]).to(self.device)
        single = torch.tensor(ALL.single).to(self.device)
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, values, reduction="none"
        )
        total = (each * weights)[:, single].sum()
        for start, end in ALL.choices:
            logs = torch.log_softmax(logits[:, start:end], dim=1)
            total = total - (logs * values[:, start:end] * weights[:, start:end]).sum()
        return total / len(rows)

    def loss(self, rows: npt.NDArray[np.int64]) -> float:
        """Return the mean loss of rows, dropout off."""
        self.model.eval()
        with self.torch.no_grad():
            sums = [float(self._loss(batch)) * len(batch) for batch in self._batches(rows)]
        return sum(sums) / len(rows)

    def cuts(self) -> Cuts:
        """Return calibration and cuts of all heads from the held-out posts."""
        self.model.eval()
        with self.torch.no_grad():
            found = [self._forward(batch).cpu().numpy() for batch in self._batches(self.held)]
        targets = self.examples.targets
        held = Targets(targets.values[self.held], targets.weights[self.held])
        return cuts_of(
            np.vstack(found).astype(np.float32), held, ALL, np.ones(len(self.held), dtype=bool)
        )


def save(
    out: Path, tokeniser: Any, encoder: Any, model: Any, cuts: Cuts, settings: Settings
) -> None:
    """Write tokeniser, encoder, int8 ONNX graph of encoder and heads, and what the heads mean."""
    tokeniser.save_pretrained(str(out))
    encoder.save_pretrained(str(out))
    model.to("cpu")
    export_module(model, lambda m, ids, mask: m(ids, mask), out / "model.onnx")
    quantise(out / "model.onnx", out / "model-int8.onnx")
    (out / "model.onnx").unlink()
    told = {
        "outputs": list(ALL.names), "choices": [list(pair) for pair in ALL.choices],
        "slope": cuts.slope.tolist(), "shift": cuts.shift.tolist(), "cuts": cuts.cuts.tolist(),
        "max_tokens": settings.max_tokens,
    }  # fmt: skip
    (out / HEADS_FILE).write_text(json.dumps(told), encoding="utf-8")


class FineTunedLabeller:
    """Labels with an encoder that `train_transformer` gave our heads; torch is not needed."""

    def __init__(
        self,
        folder: Path,
        table: BrandTable,
        plan: NumberingPlan = COARSE_PLAN,
        options: Options | None = None,
    ) -> None:
        told = read_heads(folder)
        outputs = Outputs(
            tuple(told["outputs"]), tuple((int(a), int(b)) for a, b in told["choices"])
        )
        if outputs != ALL:
            raise ModelError(
                f"{folder} was trained with other labels than this version knows: train it again."
            )
        options = replace(options or Options(), max_tokens=int(told["max_tokens"]))
        self._encoder = Encoder(folder, options)
        self._reader = Reader(table, plan)
        self._slope, self._shift, cuts = (
            np.array(told[name], dtype=np.float32) for name in ("slope", "shift", "cuts")
        )
        digest = file_digest(self._encoder.graph)
        self._name = f"transformers:{short_name(str(folder))}"
        self._version = f"{short_name(str(folder))}-{digest}+{rules.VERSION}"
        posts = len(POST_OUTPUTS.names)
        self._decider = Decider(
            Decision(POST_OUTPUTS, cuts[:posts]),
            Decision(PAIR_OUTPUTS, cuts[posts:]),
            labeller=self._name,
            version=self._version,
        )

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str:
        return self._version

    def label(self, texts: Sequence[Text]) -> list[Labels]:
        """Label posts, in order; one that cannot be labelled says so in `refused`."""
        analyses = [self._reader.analyse(text) for text in texts]
        views = [list(brand_views(analysis)) for analysis in analyses]
        read = [spoken(text) for text in texts]
        chances = self._chances(read)[:, : len(POST_OUTPUTS.names)]
        asked = [pair_text(view, said) for of, said in zip(views, read, strict=True) for view in of]
        pairs = self._chances(asked)[:, len(POST_OUTPUTS.names) :]
        of_post = np.split(pairs, np.cumsum([len(of) for of in views])[:-1]) if texts else []
        return [
            self._decider.labels(analysis, row, of, own)
            for analysis, row, of, own in zip(analyses, chances, views, of_post, strict=True)
        ]

    def _chances(self, texts: Sequence[str]) -> Floats:
        if not texts:
            return np.zeros((0, len(ALL.names)), dtype=np.float32)
        return probabilities(self._encoder.logits(texts) * self._slope + self._shift, ALL)


def read_heads(folder: Path) -> Mapping[str, Any]:
    """Return what the heads of a fine-tuned folder mean; ModelError when it is unreadable."""
    path = folder / HEADS_FILE
    try:
        read: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{folder} holds no {HEADS_FILE}: it was not trained here.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not valid JSON.") from error
    missing = {"outputs", "choices", "slope", "shift", "cuts", "max_tokens"} - read.keys()
    if missing:
        raise ModelError(f"{path} does not say its {sorted(missing)[0]}.")
    return read


def load_transformer(
    model: str,
    table: BrandTable,
    plan: NumberingPlan = COARSE_PLAN,
    *,
    task: str = "sequence-classification",
    labels: Sequence[str] | None = None,
    options: Options | None = None,
) -> Labeller:
    """Return the labeller of a hub id or a folder: one fine-tuned here gives every label, another
    gives sentiment or topics and leaves the rest to the embedded labeller.
    """
    if (Path(model).expanduser() / HEADS_FILE).exists():
        return FineTunedLabeller(Path(model).expanduser(), table, plan, options)
    return TransformerLabeller(
        model, load_default(table, plan), task=task, labels=labels, options=options
    )

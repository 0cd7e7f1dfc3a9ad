"""Runs French transformers as labellers: fetch, export to ONNX, quantise, batch by length."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from nlp.errors import MissingLibrary, ModelError
from nlp.types import SENTIMENTS, TOPICS, Labeller, Labels, Text

Floats = npt.NDArray[np.float32]
Encoded = Sequence[Sequence[int]]

TASKS = ("sequence-classification", "nli")
OPSET = 17
MAX_TOKENS = 256
WIDE = 512  # hidden sizes from here on run best in small batches (measured: 1 to 8 rows)
BATCH_TOKENS = {True: 384, False: 512}
READY = ("model-int8.onnx", "onnx/model_quantized.onnx", "model.onnx", "onnx/model.onnx")
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json")
VOCABULARIES = (
    "tokenizer.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.txt",
    "vocab.json",
)  # fmt: skip
HYPOTHESIS = "Ce message parle de {}."
TOPIC_WORDS: Mapping[str, str] = {
    "phone_harassment": "démarchage téléphonique non souhaité",
    "fraud": "fraude ou usurpation d'identité",
    "forced_sale": "vente forcée ou contrat souscrit sans accord",
    "billing": "prix, facture ou remboursement",
    "cancellation": "résiliation ou portabilité",
    "network": "panne ou lenteur du réseau",
    "installation": "raccordement ou rendez-vous d'un technicien",
    "customer_service": "qualité du service client",
    "personal_data": "données personnelles",
    "debt_credit": "recouvrement de dette ou crédit",
    "equipment_delivery": "livraison, boutique ou matériel",
    "law_regulation": "loi, régulation ou pétition",
    "praise": "satisfaction sincère",
    "claims_handling": "traitement d'un sinistre ou d'un dossier",
}
SENTIMENT_WORDS: Mapping[str, str] = {
    "negative": "negative", "neg": "negative", "négatif": "negative", "negatif": "negative",
    "neutral": "neutral", "neu": "neutral", "neutre": "neutral", "mixed": "neutral",
    "positive": "positive", "pos": "positive", "positif": "positive",
    "1 star": "negative", "2 stars": "negative", "3 stars": "neutral", "4 stars": "positive",
    "5 stars": "positive",
}  # fmt: skip
UNSURE = 0.6  # a model with no neutral label says neutral below this probability


def needed(library: str, purpose: str) -> ModuleType:
    """Import a heavy library where it is used; MissingLibrary says how to install it."""
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise MissingLibrary(library.split(".")[0], purpose) from error


@dataclass(frozen=True, slots=True)
class Options:
    """How a transformer is run. `threads` 0 leaves the choice to onnxruntime; `device` is
    "auto", "cpu" or "cuda"; `offline` never asks the hub; `cache` keeps converted models.
    """

    max_tokens: int = MAX_TOKENS
    threads: int = 0
    device: str = "auto"
    quantise: bool = True
    offline: bool = False
    cache: Path | None = None


def locate(model: str, *, offline: bool = False) -> Path:
    """Return the folder of a model: the path itself, or what the hub gives (or gave) for an id."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1:
        raise ModelError(f"No model folder at {model}.")
    return _from_hub(model, offline=offline)


def _from_hub(model: str, *, offline: bool) -> Path:
    hub = needed("huggingface_hub", "A model from the hub")
    errors = importlib.import_module("huggingface_hub.errors")
    patterns = ["*.json", "*.txt", "*.model", "*.safetensors", "*.onnx", "pytorch_model*.bin"]
    try:
        found = hub.snapshot_download(
            model, local_files_only=offline or _told_offline(), allow_patterns=patterns
        )
    except errors.LocalEntryNotFoundError as error:
        where = (
            "is not in the local cache" if offline else "cannot be fetched: the hub is out of reach"
        )
        raise ModelError(
            f"Model {model} {where}; give a folder, or fetch it once online."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise ModelError(
            f"No model called {model} on the hub, and no folder of that name."
        ) from error
    except (errors.HfHubHTTPError, OSError) as error:
        reason = str(error).splitlines()[0][:120]
        raise ModelError(f"Model {model} cannot be fetched from the hub ({reason}).") from error
    return Path(found)


def _told_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0")


def configuration(folder: Path) -> dict[str, Any]:
    """Return the model's config.json; ModelError when it is missing or broken."""
    path = folder / "config.json"
    if not path.exists():
        raise ModelError(f"{folder} holds no config.json: it is not a transformers model.")
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not valid JSON.") from error
    if not isinstance(read, dict):
        raise ModelError(f"{path} is not a model configuration.")
    return read


def label_names(config: Mapping[str, Any]) -> list[str]:
    """Return the model's own label names in the order of its logits."""
    named = config.get("id2label")
    if isinstance(named, dict) and named:
        return [str(named[key]) for key in sorted(named, key=int)]
    count = int(config.get("num_labels", 2))
    return [f"LABEL_{i}" for i in range(count)]


def sentiment_columns(names: Sequence[str], given: Sequence[str] | None, model: str) -> list[str]:
    """Return the sentiment of each logit, from the model's names or from what the user says."""
    if given is not None:
        if len(given) != len(names):
            raise ModelError(
                f"Model {model} has {len(names)} labels but {len(given)} were given: "
                f"one of negative, neutral, positive is needed for each."
            )
        unknown = sorted(set(given) - set(SENTIMENTS))
        if unknown:
            raise ModelError(f"{unknown[0]!r} is no sentiment: say negative, neutral or positive.")
        return list(given)
    found = [SENTIMENT_WORDS.get(name.strip().lower()) for name in names]
    read = [name for name in found if name is not None]
    if len(read) < len(names) or len(set(read)) < 2:
        raise ModelError(
            f"Model {model} has the labels {', '.join(names[:8])}, which do not say a sentiment: "
            f"give one of negative, neutral, positive for each in `labels`."
        )
    return read


def entailment_column(names: Sequence[str], model: str) -> tuple[int, int]:
    """Return the logits of entailment and of contradiction; ModelError for a model without them."""
    lower = [name.lower() for name in names]
    entailed = [i for i, name in enumerate(lower) if name.startswith("entail")]
    denied = [i for i, name in enumerate(lower) if name.startswith(("contra", "not_entail"))]
    if len(entailed) != 1 or len(denied) != 1:
        raise ModelError(
            f"Model {model} is not an NLI model: its labels are {', '.join(names[:8])}, "
            f"without entailment and contradiction."
        )
    return entailed[0], denied[0]


def ready_graph(folder: Path) -> Path | None:
    """Return an ONNX graph that the folder already holds, int8 first."""
    return next((folder / name for name in READY if (folder / name).exists()), None)


def graph_of(folder: Path, options: Options) -> Path:
    """Return the graph to run: the folder's own, or one exported (and quantised) to the cache."""
    ready = ready_graph(folder)
    if ready is not None:
        return ready
    weights = next((folder / name for name in WEIGHTS if (folder / name).exists()), None)
    if weights is None:
        raise ModelError(f"{folder} holds no weights ({WEIGHTS[0]}) and no ONNX graph.")
    target = _cache(options) / _stamp(folder, weights)
    name = "model-int8.onnx" if options.quantise else "model.onnx"
    if not (target / name).exists():
        target.mkdir(parents=True, exist_ok=True)
        export(folder, target / "model.onnx")
        if options.quantise:
            quantise(target / "model.onnx", target / name)
            (target / "model.onnx").unlink()
    return target / name


def _cache(options: Options) -> Path:
    return options.cache or Path.home() / ".cache" / "raccroche" / "onnx"


def _stamp(folder: Path, weights: Path) -> str:
    stat = weights.stat()
    seen = f"{folder.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(seen.encode()).hexdigest()[:20]


def export(folder: Path, target: Path) -> None:
    """Write the classification model of `folder` as ONNX: ids and mask in, logits out."""
    needed("torch", "Exporting a model to ONNX")
    transformers = needed("transformers", "Exporting a model to ONNX")
    try:
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            str(folder), local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:160]
        raise ModelError(f"{folder} cannot be read as a sequence classifier ({reason}).") from error
    export_module(model, lambda m, ids, mask: m(input_ids=ids, attention_mask=mask).logits, target)


def export_module(model: Any, forward: Callable[[Any, Any, Any], Any], target: Path) -> None:
    """Trace `forward(model, ids, mask)` into an ONNX file with free batch and length."""
    import warnings

    torch = needed("torch", "Exporting a model to ONNX")
    needed("onnx", "Exporting a model to ONNX")

    class Traced(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return forward(self.inner, input_ids, attention_mask)

    ids = torch.ones((2, 8), dtype=torch.long)
    axes = {0: "rows", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Traced().eval(), (ids, torch.ones_like(ids)), str(target), dynamo=False,
            input_names=["input_ids", "attention_mask"], output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "rows"}},
            opset_version=OPSET,
        )  # fmt: skip


def quantise(source: Path, target: Path) -> None:
    """Write an int8 copy of a graph: weights a channel at a time, activations as they come."""
    import logging

    needed("onnx", "Quantising a model")
    quantization = needed("onnxruntime.quantization", "Quantising a model")
    logging.getLogger().addFilter(_is_not_advice)
    try:
        quantization.quantize_dynamic(
            str(source), str(target), weight_type=quantization.QuantType.QInt8, per_channel=True,
            reduce_range=False,
        )  # fmt: skip
    finally:
        logging.getLogger().removeFilter(_is_not_advice)


def _is_not_advice(record: Any) -> bool:
    return "pre-processing before quantization" not in record.getMessage()


class Encoder:
    """A loaded tokeniser and ONNX graph: texts in, logits out."""

    def __init__(self, folder: Path, options: Options, *, graph: Path | None = None) -> None:
        self.config = configuration(folder)
        self.options = options
        self._tokeniser = load_tokeniser(folder)
        self.graph = graph or graph_of(folder, options)
        self._session = session(self.graph, options)
        self._inputs = {given.name for given in self._session.get_inputs()}
        self._wide = int(self.config.get("hidden_size", self.config.get("dim", 0))) >= WIDE
        pad = self._tokeniser.pad_token_id
        self._pad = 0 if pad is None else int(pad)

    def logits(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> Floats:
        """Return the logits of texts, or of (text, pair) couples, shape (texts, labels)."""
        if not texts:
            return np.zeros((0, len(label_names(self.config))), dtype=np.float32)
        encoded = self._tokeniser(
            list(texts), list(pairs) if pairs is not None else None,
            truncation="only_first" if pairs is not None else True,
            max_length=self.options.max_tokens,
            return_attention_mask=False, return_token_type_ids=False,
        )["input_ids"]  # fmt: skip
        answers: list[tuple[list[int], Floats]] = []
        for rows in batches([len(ids) for ids in encoded], BATCH_TOKENS[self._wide]):
            answers.append((rows, self._run([encoded[row] for row in rows])))
        out = np.empty((len(texts), answers[0][1].shape[1]), dtype=np.float32)
        for of, values in answers:
            out[np.asarray(of)] = values
        return out

    def _run(self, encoded: Encoded) -> Floats:
        longest = max(len(ids) for ids in encoded)
        ids = np.full((len(encoded), longest), self._pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        answer = self._session.run(None, {k: v for k, v in given.items() if k in self._inputs})
        return np.asarray(answer[0], dtype=np.float32)


def batches(lengths: Sequence[int], tokens: int) -> Iterable[list[int]]:
    """Yield rows of like length together, about `tokens` padded tokens a batch."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    batch: list[int] = []
    for row in order:
        if batch and lengths[row] * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def load_tokeniser(folder: Path) -> Any:
    """Return the folder's tokeniser; ModelError when a file of it is missing or broken."""
    transformers = needed("transformers", "A transformer")
    if not any((folder / name).exists() for name in VOCABULARIES):
        raise ModelError(f"{folder} holds no tokeniser ({VOCABULARIES[0]} or a vocabulary).")
    try:
        return transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except ImportError as error:
        raise MissingLibrary("sentencepiece", f"The tokeniser of {folder.name}") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise ModelError(f"{folder} holds no usable tokeniser ({reason}).") from error


def session(graph: Path, options: Options) -> Any:
    """Open a graph with onnxruntime, on the GPU when there is one and the options allow it."""
    runtime = needed("onnxruntime", "A transformer")
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" in runtime.get_available_providers() and options.device != "cpu":
        providers.insert(0, "CUDAExecutionProvider")
    elif options.device == "cuda":
        raise ModelError("No GPU for onnxruntime here: set device to auto or cpu.")
    try:
        return runtime.InferenceSession(str(graph), settings, providers=providers)
    except runtime_errors() as error:
        raise ModelError(f"{graph} cannot be run by onnxruntime.") from error


def runtime_errors() -> tuple[type[Exception], ...]:
    """Return the errors of onnxruntime, which share no base of their own."""
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    own = [e for e in vars(state).values() if isinstance(e, type) and issubclass(e, Exception)]
    return (*own, RuntimeError, ValueError, OSError)


class TransformerLabeller:
    """Labels with a French transformer, and lets a companion label what the transformer does not.

    A sequence classifier gives the sentiment of the post; an NLI model gives its topics; a model
    fine-tuned by `nlp.finetune` gives every label. Brands, facts and language are the companion's.
    """

    def __init__(
        self,
        model: str,
        companion: Labeller,
        *,
        task: str = "sequence-classification",
        labels: Sequence[str] | None = None,
        options: Options | None = None,
        threshold: float = 0.5,
    ) -> None:
        if task not in TASKS:
            raise ModelError(f"Unknown task {task!r}: say {' or '.join(TASKS)}.")
        options = options or Options()
        folder = locate(model, offline=options.offline)
        names = label_names(configuration(folder))
        self._task, self._companion, self._threshold = task, companion, threshold
        if task == "nli":
            self._entailed, self._denied = entailment_column(names, model)
        else:
            self._sentiments = sentiment_columns(names, labels, model)
        self._encoder = Encoder(folder, options)
        self._model = model
        self._digest = file_digest(self._encoder.graph)

    @property
    def name(self) -> str:
        return f"transformers:{self._model}"

    @property
    def version(self) -> str:
        return f"{short_name(self._model)}-{self._task}-{self._digest}+{self._companion.version}"

    def label(self, texts: Sequence[Text]) -> list[Labels]:
        """Label a batch; a post that the companion refuses stays refused."""
        answers = self._companion.label(texts)
        kept = [i for i, answer in enumerate(answers) if answer.refused is None]
        read = [" ".join(filter(None, (texts[i].title, texts[i].text))) for i in kept]
        changed = self._topics(read) if self._task == "nli" else self._sentiment(read)
        for i, change in zip(kept, changed, strict=True):
            answers[i] = change(answers[i])
        return [
            replace(answer, labeller=self.name, model_version=self.version) for answer in answers
        ]

    def _sentiment(self, texts: Sequence[str]) -> list[Callable[[Labels], Labels]]:
        chances = softmax(self._encoder.logits(texts))
        columns = np.array([[s == name for s in self._sentiments] for name in SENTIMENTS])
        return [with_sentiment(columns @ row, "neutral" in self._sentiments) for row in chances]

    def _topics(self, texts: Sequence[str]) -> list[Callable[[Labels], Labels]]:
        ids = list(TOPIC_WORDS)
        premises = [text for text in texts for _ in ids]
        hypotheses = [HYPOTHESIS.format(TOPIC_WORDS[topic]) for topic in ids] * len(texts)
        logits = self._encoder.logits(premises, hypotheses)
        entailed = softmax(logits[:, [self._denied, self._entailed]])[:, 1]
        table = entailed.reshape(len(texts), len(ids))
        return [with_topics(dict(zip(ids, row, strict=True)), self._threshold) for row in table]


def with_sentiment(chances: Floats, knows_neutral: bool) -> Callable[[Labels], Labels]:
    """Return what puts a sentiment and its probabilities into labels."""
    best = int(np.argmax(chances))
    sentiment = SENTIMENTS[best]
    if not knows_neutral and chances[best] < UNSURE:
        sentiment = "neutral"
    said = {f"sentiment.{name}": float(p) for name, p in zip(SENTIMENTS, chances, strict=True)}

    def change(labels: Labels) -> Labels:
        return replace(labels, sentiment=sentiment, probabilities={**labels.probabilities, **said})

    return change


def with_topics(chances: Mapping[str, float], threshold: float) -> Callable[[Labels], Labels]:
    """Return what puts topics into labels; harassment stays the companion's, for its brands."""

    def change(labels: Labels) -> Labels:
        said = {topic for topic, chance in chances.items() if chance >= threshold}
        said.discard("phone_harassment")
        if labels.phone_harassment:
            said.add("phone_harassment")
        topics = tuple(t for t in TOPICS if t in said) or ("other",)
        given = {f"topic.{topic}": float(chance) for topic, chance in chances.items()}
        return replace(labels, topics=topics, probabilities={**labels.probabilities, **given})

    return change


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def short_name(model: str) -> str:
    """Return the last part of an id or a path, fit for a version string."""
    return re.sub(r"[^\w.-]+", "-", model.rstrip("/").split("/")[-1]) or "model"


def file_digest(path: Path) -> str:
    """Return the first twelve hex digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]

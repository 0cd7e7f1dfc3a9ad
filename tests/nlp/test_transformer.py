"""Transformers: tiny models with random weights, made here, run end to end."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp.brands import BrandSpec, BrandTable
from nlp.corpus import labelled
from nlp.errors import MissingLibrary, ModelError
from nlp.lexicon import french
from nlp.rules import Reader, RuleLabeller
from nlp.transformer import (
    Options,
    TransformerLabeller,
    batches,
    entailment_column,
    label_names,
    locate,
    needed,
    sentiment_columns,
    short_name,
)
from nlp.types import Labels, Text

SENTENCES = [
    "Zorbatel m'appelle cinq fois par jour pour me vendre la fibre.",
    "Merci pour votre aide, tout est réglé en deux minutes.",
    "Bonjour, comment changer mon adresse sur le site ?",
    "La box ne marche plus depuis lundi et personne ne répond.",
    "Encore un appel muet ce matin, numéro masqué.",
    "Très bon accueil, je recommande cette assurance.",
]
TABLE = BrandTable([BrandSpec("Zorbatel", ("zorbatel",), sector="telecom")], french())
THREE = ["negative", "neutral", "positive"]


@pytest.fixture(scope="session")
def torch() -> Any:
    return pytest.importorskip(
        "torch", reason="torch is not installed: pip install -r requirements-train.txt"
    )


@pytest.fixture(scope="session")
def transformers(torch: Any) -> Any:
    return pytest.importorskip("transformers", reason="transformers is not installed")


@pytest.fixture(scope="session")
def bpe_folder(transformers: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DistilBERT shape with a BPE tokeniser and three sentiments."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.ByteLevelBPETokenizer()
    made.train_from_iterator(
        SENTENCES, vocab_size=400, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    )
    tokeniser = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made._tokenizer, pad_token="<pad>", unk_token="<unk>",
        cls_token="<s>", sep_token="</s>", model_max_length=64,
    )  # fmt: skip
    config = transformers.DistilBertConfig(
        vocab_size=len(tokeniser), dim=32, n_layers=2, n_heads=2, hidden_dim=64,
        max_position_embeddings=64, pad_token_id=1,
        id2label=dict(enumerate(THREE)), label2id={n: i for i, n in enumerate(THREE)},
    )  # fmt: skip
    model = transformers.DistilBertForSequenceClassification(config)
    return saved(tmp_path_factory.mktemp("bpe"), tokeniser, model)


@pytest.fixture(scope="session")
def sentencepiece_folder(transformers: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CamemBERT shape with a sentencepiece tokeniser and the labels of an NLI model."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    folder = tmp_path_factory.mktemp("spm")
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES * 20), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "sentencepiece.bpe"), vocab_size=80,
        character_coverage=1.0, minloglevel=2, hard_vocab_limit=False,
    )  # fmt: skip
    tokeniser = transformers.CamembertTokenizer(str(folder / "sentencepiece.bpe.model"))
    names = ["contradiction", "neutral", "entailment"]
    config = transformers.CamembertConfig(
        vocab_size=len(tokeniser) + 10, hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=80,
        pad_token_id=tokeniser.pad_token_id, type_vocab_size=1,
        id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)},
    )  # fmt: skip
    model = transformers.CamembertForSequenceClassification(config)
    return saved(folder, tokeniser, model)


def saved(folder: Path, tokeniser: Any, model: Any) -> Path:
    tokeniser.save_pretrained(str(folder))
    model.save_pretrained(str(folder))
    return folder


def texts(sentences: Sequence[str] = SENTENCES) -> list[Text]:
    return [Text(str(i), sentence) for i, sentence in enumerate(sentences)]


def companion() -> RuleLabeller:
    return RuleLabeller(TABLE)


def test_a_classifier_gives_the_sentiment_and_the_companion_the_rest(
    bpe_folder: Path, tmp_path: Path
) -> None:
    options = Options(max_tokens=48, threads=1, cache=tmp_path)
    labeller = TransformerLabeller(str(bpe_folder), companion(), options=options)
    answers = labeller.label(texts())
    plain = companion().label(texts())
    assert [a.phone_harassment for a in answers] == [p.phone_harassment for p in plain]
    assert answers[0].brands == plain[0].brands
    for answer in answers:
        said = {s: answer.probabilities[f"sentiment.{s}"] for s in THREE}
        assert sum(said.values()) == pytest.approx(1.0, abs=1e-5)
        assert answer.sentiment == max(said, key=said.__getitem__)
        assert answer.labeller == labeller.name
        assert answer.model_version == labeller.version


def test_int8_onnx_answers_like_torch(
    bpe_folder: Path, torch: Any, transformers: Any, tmp_path: Path
) -> None:
    options = Options(max_tokens=48, cache=tmp_path)
    labeller = TransformerLabeller(str(bpe_folder), companion(), options=options)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(str(bpe_folder)).eval()
    tokeniser = transformers.AutoTokenizer.from_pretrained(str(bpe_folder))
    for sentence in SENTENCES:
        given = tokeniser(sentence, return_tensors="pt", truncation=True, max_length=48)
        with torch.no_grad():
            logits = model(given["input_ids"], given["attention_mask"]).logits
        wanted = torch.softmax(logits, dim=1).numpy()[0]
        said = labeller.label(texts([sentence]))[0].probabilities
        assert [said[f"sentiment.{s}"] for s in THREE] == pytest.approx(wanted, abs=0.02)


def test_a_batch_sorted_by_length_keeps_its_order(bpe_folder: Path, tmp_path: Path) -> None:
    options = Options(max_tokens=48, cache=tmp_path)
    labeller = TransformerLabeller(str(bpe_folder), companion(), options=options)
    together = labeller.label(texts())
    alone = [labeller.label([text])[0] for text in texts()]
    for one, other in zip(together, alone, strict=True):
        assert one.id == other.id
        assert one.probabilities["sentiment.negative"] == pytest.approx(
            other.probabilities["sentiment.negative"], abs=0.02
        )


def test_a_conversion_is_kept_and_used_again(bpe_folder: Path, tmp_path: Path) -> None:
    options = Options(cache=tmp_path)
    first = TransformerLabeller(str(bpe_folder), companion(), options=options)
    graph = next(tmp_path.rglob("model-int8.onnx"))
    before = graph.stat().st_mtime_ns
    second = TransformerLabeller(str(bpe_folder), companion(), options=options)
    assert graph.stat().st_mtime_ns == before
    assert first.version == second.version
    assert not list(tmp_path.rglob("model.onnx"))


def test_an_nli_model_gives_topics(sentencepiece_folder: Path, tmp_path: Path) -> None:
    options = Options(max_tokens=64, cache=tmp_path)
    labeller = TransformerLabeller(
        str(sentencepiece_folder), companion(), task="nli", options=options
    )
    for answer in labeller.label(texts()):
        chosen = {t for t in answer.topics if t not in ("other", "phone_harassment")}
        assert chosen == {
            name.removeprefix("topic.")
            for name, p in answer.probabilities.items()
            if name.startswith("topic.") and p >= 0.5 and name != "topic.phone_harassment"
        }
        assert ("phone_harassment" in answer.topics) == answer.phone_harassment


def test_a_post_with_nothing_to_read_stays_refused(bpe_folder: Path, tmp_path: Path) -> None:
    labeller = TransformerLabeller(str(bpe_folder), companion(), options=Options(cache=tmp_path))
    empty, full = labeller.label(texts(["", SENTENCES[0]]))
    assert empty.refused is not None
    assert full.refused is None
    assert labeller.label([]) == []


def test_a_model_without_weights_says_so(bpe_folder: Path, tmp_path: Path) -> None:
    for file in bpe_folder.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ModelError, match="holds no weights"):
        TransformerLabeller(str(tmp_path), companion(), options=Options(cache=tmp_path / "c"))


def test_a_model_without_tokeniser_says_so(bpe_folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((bpe_folder / name).read_bytes())
    with pytest.raises((ModelError, MissingLibrary), match="tokeniser"):
        TransformerLabeller(str(tmp_path), companion(), options=Options(cache=tmp_path / "c"))


def test_a_broken_graph_says_so(bpe_folder: Path, tmp_path: Path) -> None:
    for file in bpe_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model-int8.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="cannot be run"):
        TransformerLabeller(str(tmp_path), companion(), options=Options(cache=tmp_path / "c"))


def test_a_hub_that_does_not_answer_is_one_sentence(
    transformers: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub.constants as constants

    with socket.socket() as refused:
        refused.bind(("127.0.0.1", 0))
        port = refused.getsockname()[1]
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        f"http://127.0.0.1:{port}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
    )
    with pytest.raises(ModelError) as told:
        locate("nobody/no-such-model")
    assert "nobody/no-such-model" in str(told.value)
    assert "\n" not in str(told.value)


def test_offline_never_asks_the_hub(transformers: Any, tmp_path: Path) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        watcher = threading.Thread(target=lambda: _accept(server, asked))
        watcher.start()
        with pytest.raises(ModelError, match="not in the local cache"):
            locate("nobody/no-such-model", offline=True)
        watcher.join()
    assert asked == []


def _accept(server: socket.socket, asked: list[bytes]) -> None:
    try:
        connection, _ = server.accept()
    except TimeoutError:
        return
    asked.append(connection.recv(10))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No model folder"):
        locate(str(tmp_path / "absent"))


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        TransformerLabeller(str(tmp_path), companion())


def test_an_unknown_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Unknown task"):
        TransformerLabeller(str(tmp_path), companion(), task="poetry")


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["NEGATIVE", "POSITIVE"], ["negative", "positive"]),
        (["Négatif", "Neutre", "Positif"], THREE),
        (["1 star", "3 stars", "5 stars"], THREE),
    ],
)
def test_sentiments_are_read_from_the_usual_names(names: list[str], wanted: list[str]) -> None:
    assert sentiment_columns(names, None, "m") == wanted


def test_labels_that_say_no_sentiment_must_be_explained() -> None:
    with pytest.raises(ModelError, match="LABEL_0"):
        sentiment_columns(["LABEL_0", "LABEL_1"], None, "m")
    assert sentiment_columns(["LABEL_0", "LABEL_1"], ["positive", "negative"], "m") == [
        "positive",
        "negative",
    ]


def test_a_wrong_number_of_labels_is_refused() -> None:
    with pytest.raises(ModelError, match="2 labels but 3 were given"):
        sentiment_columns(["LABEL_0", "LABEL_1"], THREE, "m")
    with pytest.raises(ModelError, match="'angry' is no sentiment"):
        sentiment_columns(["a", "b"], ["angry", "positive"], "m")


def test_a_model_that_is_not_nli_is_refused_for_topics() -> None:
    assert entailment_column(["contradiction", "neutral", "ENTAILMENT"], "m") == (2, 0)
    with pytest.raises(ModelError, match="not an NLI model"):
        entailment_column(THREE, "m")


def test_label_names_are_in_the_order_of_the_logits() -> None:
    assert label_names({"id2label": {"1": "b", "0": "a", "10": "k", "2": "c"}}) == list("abck")
    assert label_names({}) == ["LABEL_0", "LABEL_1"]


def test_batches_hold_every_row_once_and_no_more_tokens_than_asked() -> None:
    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 90, 200)]
    made = list(batches(lengths, 256))
    assert sorted(row for batch in made for row in batch) == list(range(200))
    for batch in made:
        assert len(batch) == 1 or max(lengths[row] for row in batch) * len(batch) <= 256


def test_a_missing_library_says_what_to_install() -> None:
    with pytest.raises(MissingLibrary, match=r"requirements-train\.txt"):
        needed("a_library_that_nobody_has", "Training")


def test_a_short_name_is_fit_for_a_version() -> None:
    assert short_name("cmarkea/distilcamembert-base") == "distilcamembert-base"
    assert short_name("models/été 2026/") == "été-2026"


@pytest.mark.slow
@pytest.mark.parametrize("scratch", [True, False])
def test_an_encoder_learns_our_heads_and_labels_without_torch(
    scratch: bool, bpe_folder: Path, torch: Any, tmp_path: Path
) -> None:
    from nlp.finetune import Settings, load_transformer, train_transformer
    from nlp.train import see

    rows = [example(i) for i in range(60)]
    seen = see(labelled(rows), Reader(TABLE))
    settings = Settings(
        epochs=12, patience=12, rate=3e-3, batch=8, max_tokens=32, layers=1, width=32,
        attention_heads=2, words=300,
    )  # fmt: skip
    told: list[str] = []
    base = None if scratch else str(bpe_folder)
    card = train_transformer(base, seen, tmp_path, settings=settings, progress=told.append)
    assert card.epochs >= 1
    assert len(told) >= card.epochs
    assert "held-out loss" in card.to_markdown()
    labeller = load_transformer(str(tmp_path), TABLE)
    answers: list[Labels] = labeller.label([Text(row["id"], row["text"]) for row in rows])
    right = sum(
        a.phone_harassment == r["phone_harassment"] for a, r in zip(answers, rows, strict=True)
    )
    assert right >= 55
    assert answers[0].labeller == labeller.name
    assert set(answers[0].brands) == {"Zorbatel"}


def example(i: int) -> dict[str, Any]:
    calls = i % 2 == 0
    text = (
        f"Zorbatel m'appelle {i + 2} fois par jour pour vendre la fibre, stop."
        if calls
        else f"Zorbatel a réglé ma panne en {i + 2} minutes, merci beaucoup."
    )
    sentiment = "negative" if calls else "positive"
    return {
        "id": str(i), "text": text, "sentiment": sentiment, "phone_harassment": calls,
        "testimony": True, "topics": ["phone_harassment"] if calls else ["praise"], "signals": [],
        "brands": {"Zorbatel": {"sentiment": sentiment, "harassment": calls}},
    }  # fmt: skip


def test_training_twice_with_one_seed_gives_one_model(torch: Any, tmp_path: Path) -> None:
    from nlp.finetune import Settings, train_transformer
    from nlp.train import see

    seen = see(labelled([example(i) for i in range(20)]), Reader(TABLE))
    settings = Settings(epochs=1, max_tokens=24, layers=1, width=16, attention_heads=2, words=280)
    losses = [
        train_transformer(None, seen, tmp_path / name, settings=replace(settings, seed=3)).loss
        for name in ("one", "two")
    ]
    assert losses[0] == losses[1]


def test_a_fine_tuned_folder_that_lost_its_meaning_is_refused(tmp_path: Path) -> None:
    from nlp.finetune import read_heads

    with pytest.raises(ModelError, match="was not trained here"):
        read_heads(tmp_path)
    (tmp_path / "raccroche.json").write_text(json.dumps({"outputs": []}), encoding="utf-8")
    with pytest.raises(ModelError, match="does not say its"):
        read_heads(tmp_path)

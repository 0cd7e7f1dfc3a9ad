"""The embedded labeller: what it says, what it refuses, and what its file may hold."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from nlp.brands import BrandTable
from nlp.classifier import (
    MODEL_FILE,
    EmbeddedLabeller,
    Model,
    chunks,
    label_in_parallel,
    load_default,
    logit,
)
from nlp.errors import ModelError
from nlp.rules import brand_table
from nlp.types import ACCUSED_ROLES, ROLES, SENTIMENTS, SIGNALS, TOPICS, Labels, Text

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "nlp" / MODEL_FILE
POSTS = [
    "Zorbatel m'appelle tous les jours pour me vendre la fibre, du harcèlement téléphonique !",
    "Démarchage téléphonique agressif de Zorbatel, cinq appels par jour malgré mes refus.",
    "Bonjour, comment changer d'adresse sur mon espace client ?",
    "Très satisfait de Zorbatel, prix correct et conseillère au top, je recommande.",
    "Plus d'internet depuis lundi chez Zorbatel, personne ne répond, c'est honteux.",
]
AWKWARD = [
    "", " \n\t ", "\x00", "😡😡😡", "?!", "\ud83d \udc00", "<p>Zorbatel <b>m'appelle</b> &amp;</p>",
    "ZORBATEL M'APPELLE TOUS LES JOURS C'EST DU HARCELEMENT TELEPHONIQUE",
    "zorbatel m appelle tous les jours pour me vendre un forfait j en peux plus", "a" * 5000,
    "My phone has been ringing all day long, please stop calling me about this offer.",
]  # fmt: skip


@pytest.fixture(scope="module")
def table() -> BrandTable:
    return brand_table(
        [
            {"name": "Zorbatel", "aliases": ["zorbatel"], "sector": "telecom"},
            {"name": "Ombrelia", "aliases": ["ombrelia"], "sector": "insurance"},
        ]
    )


@pytest.fixture(scope="module")
def labeller(table: BrandTable) -> EmbeddedLabeller:
    return load_default(table)


def labels(labeller: EmbeddedLabeller, *texts: str) -> list[Labels]:
    return labeller.label([Text(str(i), text) for i, text in enumerate(texts)])


def test_a_plain_complaint_of_calls_is_harassment_by_the_brand(labeller: EmbeddedLabeller) -> None:
    for answer in labels(labeller, *POSTS[:2]):
        assert answer.phone_harassment
        assert answer.sentiment == "negative"
        assert answer.brands["Zorbatel"].harassment
        assert "phone_harassment" in answer.topics


def test_a_question_praise_and_an_outage_are_not(labeller: EmbeddedLabeller) -> None:
    question, praise, outage = labels(labeller, *POSTS[2:])
    assert not any(a.phone_harassment for a in (question, praise, outage))
    assert question.sentiment == "neutral"
    assert praise.sentiment == "positive"
    assert "praise" in praise.topics
    assert outage.sentiment == "negative"
    assert "network" in outage.topics


def test_who_is_praised_and_who_calls_are_told_apart(labeller: EmbeddedLabeller) -> None:
    text = "Très satisfait de Zorbatel, rien à dire. Mais Ombrelia m'appelle cinq fois par jour."
    (answer,) = labels(labeller, text)
    assert answer.brands["Ombrelia"].harassment
    assert not answer.brands["Zorbatel"].harassment
    assert answer.facts.calls is not None
    assert answer.facts.calls.max == 5


def consistent(answer: Labels) -> None:
    """Check what must hold of any labels."""
    assert answer.sentiment in SENTIMENTS
    assert answer.topics
    assert set(answer.topics) <= set(TOPICS)
    assert ("phone_harassment" in answer.topics) == answer.phone_harassment
    assert "other" not in answer.topics or answer.topics == ("other",)
    assert set(answer.signals) <= set(SIGNALS)
    if not answer.phone_harassment:
        assert set(answer.signals) <= {"sms_messaging"}
    for said in answer.brands.values():
        assert said.role in ROLES
        assert said.harassment == (said.role in ACCUSED_ROLES)
        assert answer.phone_harassment or not said.harassment
    assert all(0 <= p <= 1 for p in answer.probabilities.values())
    json.dumps(answer.to_dict())


def test_labels_agree_with_each_other(labeller: EmbeddedLabeller) -> None:
    for answer in labels(labeller, *POSTS, *AWKWARD):
        consistent(answer)


def test_awkward_text_gets_an_answer_or_a_refusal_never_a_silent_neutral(
    labeller: EmbeddedLabeller,
) -> None:
    answers = labels(labeller, *AWKWARD)
    assert len(answers) == len(AWKWARD)
    for answer in answers[:6]:
        assert answer.refused, answer
    html, capitals, bare = answers[6:9]
    assert html.refused is None
    assert capitals.phone_harassment
    assert bare.phone_harassment
    assert answers[-1].refused == "language:en"
    assert answers[-1].language == "en"


def test_a_batch_says_what_each_post_alone_says(labeller: EmbeddedLabeller) -> None:
    together = labels(labeller, *POSTS, *AWKWARD)
    for answer, text in zip(together, [*POSTS, *AWKWARD], strict=True):
        (alone,) = labeller.label([Text(answer.id, text)])
        assert alone.topics == answer.topics
        assert alone.probabilities.keys() == answer.probabilities.keys()
        for name, value in alone.probabilities.items():
            assert value == pytest.approx(answer.probabilities[name], abs=1e-4)


def test_no_post_no_answer(labeller: EmbeddedLabeller) -> None:
    assert labeller.label([]) == []


def test_the_company_reviewed_is_labelled_though_nobody_names_it(
    labeller: EmbeddedLabeller,
) -> None:
    text = Text("1", "Ils m'appellent dix fois par jour, stop.", context_brand="Ombrelia")
    (answer,) = labeller.label([text])
    assert answer.brands["Ombrelia"].harassment
    assert answer.brands["Ombrelia"].inherited


def test_spans_lie_in_the_text(labeller: EmbeddedLabeller) -> None:
    for answer, text in zip(labels(labeller, *POSTS[:2]), POSTS, strict=False):
        assert answer.spans
        for start, end, why in answer.spans:
            assert 0 <= start < end <= len(text)
            assert why


def test_several_cores_say_what_one_says_in_order(
    labeller: EmbeddedLabeller, table: BrandTable
) -> None:
    texts = [Text(str(i), POSTS[i % 5]) for i in range(60)]
    found = list(label_in_parallel(texts, table, workers=2, chunk=16))
    assert [answer.id for answer in found] == [text.id for text in texts]
    assert [a.topics for a in found] == [a.topics for a in labeller.label(texts)]


def test_chunks_hold_everything_once() -> None:
    texts = [Text(str(i), "") for i in range(7)]
    assert [[t.id for t in c] for c in chunks(texts, 3)] == [list("012"), list("345"), ["6"]]
    assert list(chunks([], 3)) == []


def test_the_shipped_model_is_small_and_its_card_names_it(labeller: EmbeddedLabeller) -> None:
    folder = SHIPPED.parent
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 5_000_000
    digest = Model.load(SHIPPED).digest
    assert digest in (folder / "CARD.md").read_text(encoding="utf-8")
    assert labeller.version.startswith(digest)


def test_the_shipped_model_holds_no_text_and_no_pickle() -> None:
    with np.load(SHIPPED, allow_pickle=False) as stored:
        for name in stored.files:
            array = stored[name]
            assert array.dtype.kind in "iufU", name
            if array.dtype.kind == "U":
                assert name.endswith(("extra_names", "outputs", "digest")), name


def test_a_saved_model_comes_back_the_same(tmp_path: Path) -> None:
    model = Model.load(SHIPPED)
    digest = model.save(tmp_path / "copy.npz")
    again = Model.load(tmp_path / "copy.npz")
    assert again.digest == digest
    assert again.post.outputs == model.post.outputs
    assert np.array_equal(again.post.cuts, model.post.cuts)
    assert np.abs(again.post.grams - model.post.grams).max() < 1e-6


def test_a_model_that_is_missing_cut_short_or_altered_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No model"):
        Model.load(tmp_path / "absent.npz")
    content = SHIPPED.read_bytes()
    for name, broken in (("short", content[: len(content) // 2]), ("text", b"not a model")):
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(ModelError, match="is not a model"):
            Model.load(tmp_path / name)
    with np.load(SHIPPED, allow_pickle=False) as stored:
        arrays = dict(stored)
    for change, told in (
        ({"post.extras": arrays["post.extras"] + 1}, "altered"),
        ({"format": np.array(99)}, "format 99"),
    ):
        np.savez(tmp_path / "changed.npz", **{**arrays, **change})
        with pytest.raises(ModelError, match=told):
            Model.load(tmp_path / "changed.npz")


def test_log_odds_undo_the_sigmoid_and_stay_finite() -> None:
    values = np.array([0.0, 0.5, 1.0], dtype=np.float32)
    assert logit(values)[1] == 0.0
    assert np.isfinite(logit(values)).all()


def test_time_is_linear_in_the_length_of_a_hostile_post(labeller: EmbeddedLabeller) -> None:
    hostile = [
        "appel " * 17_000,
        "@@##" * 25_000,
        "1 fois par " * 9_000,
        "«" * 100_000,
        "a'" * 50_000,
    ]
    for text in hostile:
        start = time.process_time()
        consistent(labels(labeller, text[:100_000])[0])
        assert time.process_time() - start < 5.0


def test_neither_torch_nor_scikit_learn_is_loaded() -> None:
    code = (
        "import sys, nlp.classifier; "
        "bad = {'torch', 'sklearn', 'transformers', 'pandas'} & set(sys.modules); "
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_reference_brands_load_with_the_shipped_model() -> None:
    path = ROOT / "raccroche/reference/brands.toml"
    table = brand_table(tomllib.loads(path.read_text(encoding="utf-8"))["brand"])
    (answer,) = load_default(table).label([Text("1", "J'ai une question sur ma facture Orange")])
    assert "Orange" in answer.brands

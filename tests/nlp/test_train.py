"""Training: that it learns, that scores are honest, and that one command makes one model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp.brands import BrandTable
from nlp.classifier import EmbeddedLabeller, Model
from nlp.corpus import labelled
from nlp.heads import Outputs, Targets
from nlp.rules import Reader, brand_table
from nlp.train import (
    PAIR_OUTPUTS,
    POST_OUTPUTS,
    Trainer,
    balance,
    cuts_of,
    evened,
    fold_of,
    pair_targets,
    post_targets,
    scored,
    see,
    train_embedded,
)
from nlp.types import Text

OPENINGS = ["Bonjour", "Alors là", "Franchement", "Dites", "Bon", "Hier", "Encore"]
CALLS = [
    "{b} m'appelle tous les jours pour me vendre la fibre",
    "harcèlement téléphonique de {b}, cinq appels par jour",
    "un commercial de {b} rappelle sans arrêt malgré mon refus",
]
CALM = [
    "{b} a réglé ma panne en une heure, merci beaucoup",
    "comment joindre {b} pour changer mon adresse",
    "j'appelle {b} depuis lundi et personne ne répond, plus de réseau",
]


@pytest.fixture(scope="module")
def brands() -> BrandTable:
    return brand_table(
        [{"name": n, "aliases": [n.lower()], "sector": "telecom"} for n in ("Zorbatel", "Nexofil")]
    )


def rows(n: int = 120, seed: int = 0) -> list[dict[str, Any]]:
    """Return made-up gold rows: a third of them report calls."""
    chance = random.Random(seed)
    found = []
    for i in range(n):
        calls = i % 3 == 0
        brand = chance.choice(["Zorbatel", "Nexofil"])
        said = chance.choice(CALLS if calls else CALM)
        sentiment = "negative" if calls or "réseau" in said else "neutral"
        if "merci" in said:
            sentiment = "positive"
        found.append(
            {
                "id": str(i), "source": "x", "author": f"u{i // 2}", "context_brand": brand,
                "text": f"{chance.choice(OPENINGS)}, {said.format(b=brand)} ({i})",
                "sentiment": sentiment, "phone_harassment": calls, "testimony": True,
                "topics": ["phone_harassment"] if calls else ["customer_service"],
                "topics_disputed": [], "signals": ["excessive_frequency"] if calls else [],
                "signals_disputed": [], "brands_disputed": [],
                "brands": {brand: {"sentiment": sentiment, "harassment": calls}},
            }
        )  # fmt: skip
    return found


def test_cross_validation_scores_what_can_be_learnt(brands: BrandTable) -> None:
    trainer = Trainer(labelled(rows()), brands)
    (scores,) = scored(trainer, [0])
    assert scores.n == 120
    assert scores["phone_harassment"].value > 0.9
    assert scores["brand_harassment"].value > 0.9
    assert scores["brand_mentions"].value == 1.0


def test_labels_that_are_noise_are_not_learnt(brands: BrandTable) -> None:
    """A leak between folds would score noise above chance."""
    noise = rows()
    chance = random.Random(5)
    for row in noise:
        row["text"] = " ".join(chance.choices(["un", "mot", "au", "sort", "ici", "hélas"], k=8))
        row["phone_harassment"] = chance.random() < 0.5
        row["topics"] = ["phone_harassment"] if row["phone_harassment"] else ["other"]
        row["brands"] = {}
    labels = Trainer(labelled(noise), brands).cross_validated(0)
    gold = np.array([row["phone_harassment"] for row in noise])
    said = np.array([labels[i]["probabilities"]["phone_harassment"] for i in range(len(noise))])
    assert abs(np.corrcoef(gold, said)[0, 1]) < 0.25


def test_an_authors_posts_are_in_one_fold(brands: BrandTable) -> None:
    posts = labelled(rows())
    folds = fold_of(posts, 3)
    assert set(folds) == set(range(5))
    assert (folds[0::2] == folds[1::2]).all()
    assert (fold_of(posts, 3) == folds).all()
    assert (fold_of(posts, 4) != folds).any()


@pytest.mark.slow
def test_training_writes_a_model_that_labels_and_a_card(brands: BrandTable, tmp_path: Path) -> None:
    told: list[str] = []
    out = tmp_path / "model.npz"
    card = train_embedded(rows(), out, brand_table=brands, progress=told.append, repeats=0)
    assert told
    assert card.digest == Model.load(out).digest
    assert card.posts["real"] == 120
    assert card.posts["written"] >= 3000
    assert card.digest in (tmp_path / "CARD.md").read_text(encoding="utf-8")
    labeller = EmbeddedLabeller(Model.load(out), brands)
    calls, calm = labeller.label([Text("1", rows()[0]["text"]), Text("2", rows()[1]["text"])])
    assert calls.phone_harassment
    assert not calm.phone_harassment


def test_one_seed_makes_one_model(brands: BrandTable, tmp_path: Path) -> None:
    digests = [
        Trainer(labelled(rows(60)), brands, seed=1).fitted().save(tmp_path / name)
        for name in ("a.npz", "b.npz")
    ]
    assert digests[0] == digests[1]


def test_unknown_and_disputed_labels_weigh_nothing(brands: BrandTable) -> None:
    row = rows(1)[0] | {"testimony": None, "topics_disputed": ["billing"]}
    targets = post_targets(see(labelled([row]), Reader(brands)))
    weight = dict(zip(POST_OUTPUTS.names, targets.weights[0], strict=True))
    assert weight["testimony"] == 0
    assert weight["billing"] == 0
    assert weight["network"] == weight["phone_harassment"] == 1


def test_signals_and_callers_are_learnt_where_there_are_calls(brands: BrandTable) -> None:
    calls, calm = rows(2)
    seen = see(labelled([calls, calm]), Reader(brands))
    column = POST_OUTPUTS.column("voicemail")
    assert post_targets(seen).weights[:, column].tolist() == [1, 0]
    assert pair_targets(seen).weights[:, PAIR_OUTPUTS.column("harassment")].tolist() == [1, 0]


def test_a_brand_that_the_labels_do_not_know_teaches_nothing(brands: BrandTable) -> None:
    row = rows(1)[0] | {"brands": {}}
    assert pair_targets(see(labelled([row]), Reader(brands))).weights.sum() == 0


def test_evening_gives_both_answers_the_same_weight() -> None:
    targets = Targets(np.array([[1], [0], [0], [0]], np.float32), np.ones((4, 1), dtype=np.float32))
    weights = evened(targets, 1.0).weights[:, 0]
    assert weights[0] == pytest.approx(weights[1:].sum())
    assert (evened(targets, 0.0).weights == 1).all()


def test_the_balance_of_sentiments_raises_one_that_is_never_said() -> None:
    truths = np.eye(3, dtype=np.float32)[[0] * 60 + [1] * 30 + [2] * 10]
    chances = np.tile(np.array([0.5, 0.3, 0.2], np.float32), (100, 1))
    chances[60:90] = [0.45, 0.42, 0.13]
    assert balance(chances, truths)[1] > 1.05


def test_rare_heads_take_help_from_other_rows_and_common_ones_do_not() -> None:
    outputs = Outputs(("rare", "common"))
    chance = np.random.default_rng(0)
    trusted = np.arange(400) < 200
    values = np.zeros((400, 2), np.float32)
    values[::40, 0] = values[200::2, 0] = 1
    values[::2, 1] = 1
    logits = (values * 4 - 2 + chance.normal(size=values.shape)).astype(np.float32)
    targets = Targets(values, np.ones_like(values))
    with_help = cuts_of(logits, targets, outputs, trusted)
    alone = cuts_of(logits[:200], Targets(values[:200], np.ones((200, 2), np.float32)), outputs,
                    np.ones(200, dtype=bool))  # fmt: skip
    assert with_help.shift[1] == pytest.approx(alone.shift[1], abs=1e-3)
    assert with_help.shift[0] > alone.shift[0] + 0.5

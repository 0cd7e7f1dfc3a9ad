"""Posts a second of the transformer path against `transformers.pipeline`, one core, same weights.

    OMP_NUM_THREADS=1 python benchmarks/nlp_transformer.py [--posts 96] [--rounds 3]

Models have random weights, so the speed is real and the answers mean nothing. The floor is the int8
graph alone, fed one batch of equal lengths: what no tokenisation or padding can beat.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nlp.brands import BrandSpec, BrandTable
from nlp.corpus import written_examples
from nlp.lexicon import french
from nlp.transformer import Encoder, Options

SHAPES = {
    "CamemBERT, 12 x 768": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "DistilCamemBERT, 6 x 768": {
        "hidden_size": 768, "num_hidden_layers": 6, "num_attention_heads": 12,
    },
    "small, 4 x 256": {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4},
}  # fmt: skip
WORDS = 32_005


def posts_of(count: int) -> list[str]:
    """Return posts of 30 words from the written examples."""
    sectors = ("telecom", "insurance", "bank", "energy", "tv", "credit", "alarm", "works")
    names = [BrandSpec(f"Marque{s}", (f"marque{s}",), sector=s) for s in sectors]
    words = [
        w
        for p in written_examples(BrandTable(names, french()), seed=0)
        for w in p.text.text.split()
    ]
    return [" ".join(words[i * 30 : i * 30 + 30]) for i in range(count)]


def make_model(folder: Path, shape: dict[str, int], texts: list[str]) -> None:
    """Write a CamemBERT of this shape with random weights and a tokeniser of its own."""
    import tokenizers
    import torch
    import transformers

    torch.manual_seed(0)
    made = tokenizers.ByteLevelBPETokenizer()
    made.train_from_iterator(
        texts, vocab_size=8000, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    )
    tokeniser = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made._tokenizer, pad_token="<pad>", unk_token="<unk>",
        cls_token="<s>", sep_token="</s>", model_max_length=512,
    )  # fmt: skip
    names = dict(enumerate(("negative", "neutral", "positive")))
    config = transformers.CamembertConfig(
        vocab_size=WORDS, intermediate_size=4 * shape["hidden_size"], id2label=names,
        label2id={n: i for i, n in names.items()}, max_position_embeddings=514, **shape,
    )  # fmt: skip
    model = transformers.CamembertForSequenceClassification(config)
    tokeniser.save_pretrained(str(folder))
    model.save_pretrained(str(folder))


def pipeline_of(folder: Path) -> Callable[[list[str]], Any]:
    """Return `transformers.pipeline` as its documentation shows it, one post after the other."""
    import transformers

    pipe = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    return lambda texts: [pipe(text, truncation=True) for text in texts]


def floor_of(encoder: Encoder, tokens: int) -> Callable[[int], Any]:
    """Return a run of the bare graph over `rows` posts of `tokens` tokens, eight at a time."""
    ids = np.full((8, tokens), 7, dtype=np.int64)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    return lambda rows: [encoder._session.run(None, given) for _ in range(max(1, rows // 8))]


def seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(shape: dict[str, int], posts: int, rounds: int) -> tuple[float, float, float]:
    """Return the median posts a second of the pipeline, of ours and of the int8 floor."""
    texts = posts_of(posts)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder, shape, texts)
        encoder = Encoder(folder, Options(threads=1, cache=folder / "onnx"))
        pipe = pipeline_of(folder)
        tokens = int(np.median([len(i) for i in encoder._tokeniser(texts)["input_ids"]]))
        floor = floor_of(encoder, tokens)
        some = texts[: max(8, posts // 4)]
        pipe(some[:2]), encoder.logits(texts[:8]), floor(8)
        taken: list[tuple[float, float, float]] = []
        for _ in range(rounds):
            taken.append(
                (
                    len(some) / seconds(lambda: pipe(some)),
                    posts / seconds(lambda: encoder.logits(texts)),
                    (posts // 8 * 8) / seconds(lambda: floor(posts)),
                )
            )
    slow, ours, bare = (statistics.median(column) for column in zip(*taken, strict=True))
    return slow, ours, bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    print(f"{'shape':28} pipeline/s   ours/s   ratio   int8 floor/s")
    for name, shape in SHAPES.items():
        slow, ours, bare = measure(shape, given.posts, given.rounds)
        print(f"{name:28} {slow:10.1f} {ours:8.1f} {ours / slow:7.2f} {bare:14.1f}", flush=True)


if __name__ == "__main__":
    main()

"""Posts a second of the embedded labeller, with its peers in the same run, on one core and on two.

    OMP_NUM_THREADS=1 python benchmarks/nlp_speed.py [--rounds 5] [--posts 4000]

Texts are put together from the project's own examples, 30 words each. The labeller does everything
(language, brands, facts, all labels); the peers give one sentiment. Medians of rounds that take
turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from nlp.classifier import label_in_parallel, load_default
from nlp.corpus import written_examples
from nlp.rules import brand_table
from nlp.types import Text

ROOT = Path(__file__).parents[1]
WORDS = 30


def texts_of(posts: int, words: int) -> list[Text]:
    """Return posts of so many words, cut from the written examples, brands filled in."""
    examples = written_examples(reference_brands(), seed=1)
    random.Random(0).shuffle(examples)
    pool = [word for post in examples for word in post.text.text.split()]
    starts = range(0, len(pool) - words, words)
    cut = [" ".join(pool[start : start + words]) for start in starts]
    return [Text(str(i), cut[i % len(cut)]) for i in range(posts)]


def reference_brands():  # noqa: ANN201
    """Return the table of the reference brands."""
    path = ROOT / "raccroche/reference/brands.toml"
    return brand_table(tomllib.loads(path.read_text(encoding="utf-8"))["brand"])


def peers() -> dict[str, Callable[[Sequence[str]], object]]:
    """Return the peers that are installed."""
    found: dict[str, Callable[[Sequence[str]], object]] = {}
    try:
        from vaderSentiment_fr.vaderSentiment import SentimentIntensityAnalyzer

        vader = SentimentIntensityAnalyzer()
        found["vaderSentiment-fr"] = lambda texts: [vader.polarity_scores(t) for t in texts]
    except ImportError:
        pass
    try:
        from textblob import TextBlob
        from textblob_fr import PatternAnalyzer, PatternTagger

        tagger, analyzer = PatternTagger(), PatternAnalyzer()
        found["textblob-fr"] = lambda texts: [
            TextBlob(t, pos_tagger=tagger, analyzer=analyzer).sentiment for t in texts
        ]
    except ImportError:
        pass
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        posts = [p for p in written_examples(reference_brands(), seed=0) if p.sentiment]
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        model = LogisticRegression(max_iter=200)
        model.fit(words.fit_transform([p.text.text for p in posts]), [p.sentiment for p in posts])
        found["TF-IDF + logistic regression"] = lambda texts: model.predict(words.transform(texts))
    except ImportError:
        pass
    return found


def seconds(run: Callable[[], object]) -> float:
    """Return the wall time of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rates(posts: int, rounds: int) -> dict[str, float]:
    """Return the median posts a second of everybody, in turns."""
    texts = texts_of(posts, WORDS)
    labeller = load_default(reference_brands())
    runs: dict[str, tuple[int, Callable[[], object]]] = {
        "raccroche-embedded, everything": (posts, lambda: labeller.label(texts))
    }
    for name, peer in peers().items():
        some = [text.text for text in texts[: posts // 8]]
        runs[f"{name}, sentiment only"] = (len(some), lambda peer=peer, some=some: peer(some))
    labeller.label(texts[:500])
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (count, run) in runs.items():
            taken[name].append(count / seconds(run))
    return {name: statistics.median(found) for name, found in taken.items()}


def two_cores(posts: int) -> tuple[float, float]:
    """Return posts a second of one worker and of two, the start of the workers included."""
    texts = texts_of(posts, WORDS)
    found = []
    for workers in (1, 2):
        run = label_in_parallel(texts, reference_brands(), workers=workers)
        found.append(posts / seconds(lambda run=run: list(run)))
    return found[0], found[1]


def lengths(labeller) -> list[tuple[int, float]]:  # noqa: ANN001
    """Return microseconds a word for posts of growing length."""
    found = []
    for words in (30, 300, 3000):
        texts = texts_of(max(6, 6000 // words), words)
        found.append((words, 1e6 * seconds(lambda t=texts: labeller.label(t)) / len(texts) / words))
    return found


def start_seconds() -> float:
    """Return how long a fresh process takes until its first label, less Python's own start."""
    code = (
        "import tomllib;from nlp.classifier import load_default;"
        "from nlp.rules import brand_table;from nlp.types import Text;"
        "t=brand_table(tomllib.load(open('raccroche/reference/brands.toml','rb'))['brand']);"
        "load_default(t).label([Text('1','bonjour')])"
    )
    full, bare = (
        min(
            seconds(lambda c=c: subprocess.run([sys.executable, "-c", c], cwd=ROOT, check=True))
            for _ in range(3)
        )
        for c in (code, "pass")
    )
    return full - bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--posts", type=int, default=4000)
    given = parser.parse_args()
    found = rates(given.posts, given.rounds)
    own = next(iter(found.values()))
    print(f"{'labeller':44} posts/s   ratio to ours")
    for name, rate in found.items():
        print(f"{name:44} {rate:7.0f}   {rate / own:.2f}")
    one, two = two_cores(given.posts * 4)
    print(f"process pool: 1 worker {one:.0f}/s, 2 workers {two:.0f}/s, ratio {two / one:.2f}")
    labeller = load_default(reference_brands())
    for words, micro in lengths(labeller):
        print(f"posts of {words} words: {micro:.1f} µs a word")
    print(f"start to first label: {start_seconds():.2f} s")
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()

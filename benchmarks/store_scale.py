"""
How fast the store is with many posts: filling it, and what the dashboard asks of it.

    python benchmarks/store_scale.py --posts 1000000 [--url postgresql://...] [--keep FILE] [--near]

Posts are drawn from a fixed seed over 2014-2026 with twenty brands, ten sources and French filler.
Each question is asked several times with other values, on a store opened anew (the page cache of
the system stays warm); medians are printed as JSON.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from raccroche.post import Labels, Mention, Post
from raccroche.store import Filters, Store

MODEL = "bench@1"
START = datetime(2014, 1, 1, tzinfo=UTC)
DAYS = 4680
BRANDS = [f"Marque {n}" for n in range(20)]
TOPICS = [
    "billing",
    "network",
    "cancellation",
    "customer_service",
    "installation",
    "fraud",
    "praise",
    "other",
]
SIGNALS = [
    "robocall",
    "silent_call",
    "refusal_ignored",
    "forbidden_hours",
    "masked_number",
    "voicemail",
]
RELATIONS = ["customer", "former_customer", "prospect", "relative", "professional", "unknown"]
WORDS = """
    appel démarchage téléphone ligne box fibre facture service client résiliation opérateur
    commercial numéro matin soir semaine mois année depuis encore toujours jamais rien
    personne réponse attente colis offre contrat option prix débit panne technicien
    rendez-vous agence conseiller remboursement courrier message
""".split()  # noqa: SIM905
RARE = [f"rare{n}" for n in range(5000)]


def batches(many: int, size: int) -> Iterator[tuple[list[Post], list[Labels]]]:
    draw = random.Random(20)
    for start in range(0, many, size):
        posts = [_post(draw, n) for n in range(start, min(start + size, many))]
        yield posts, [_labels(draw, post) for post in posts]


def _post(draw: random.Random, n: int) -> Post:
    host = f"site{n % 10}.example"
    platform = "mastodon" if n % 10 < 3 else "wordpress"
    words = draw.choices(WORDS, k=draw.randrange(20, 60))
    words[3] = draw.choice(RARE)
    words[7] = f"n{n}"
    return Post(
        source=f"{platform}/{host}",
        platform=platform,
        native_id=str(n),
        text=" ".join(words),
        author=f"auteur{draw.randrange(200_000)}",
        published_at=START + timedelta(minutes=draw.randrange(DAYS * 1440)),
        thread=str(n // 20),
    )


def _labels(draw: random.Random, post: Post) -> Labels:
    harassment = draw.random() < 0.12
    brands = draw.choices(BRANDS, weights=range(20, 0, -1), k=draw.choice([0, 1, 1, 1, 2]))
    accused = harassment and draw.random() < 0.8
    mentions = [
        Mention(
            brand, draw.choice(["negative", "negative", "neutral", "positive"]), accused and at == 0
        )
        for at, brand in enumerate(dict.fromkeys(brands))
    ]
    topics = draw.sample(TOPICS, draw.choice([1, 1, 2]))
    return Labels(
        post_id=post.id,
        labeller=MODEL,
        sentiment=draw.choice(["negative", "negative", "neutral", "positive"]),
        phone_harassment=harassment,
        testimony=draw.random() < 0.5,
        topics=tuple(["phone_harassment"] * harassment + topics),
        signals=tuple(draw.sample(SIGNALS, draw.randrange(3))) if harassment else (),
        mentions=tuple(mentions),
        relation=draw.choice(RELATIONS),
        probabilities={"phone_harassment": round(draw.random(), 3)},
        language="fr",
    )


def fill(store: Store, many: int) -> dict[str, float]:
    adding = labelling = 0.0
    for number, (posts, labels) in enumerate(batches(many, 2000)):
        start = time.perf_counter()
        store.add_page("bench", posts)
        middle = time.perf_counter()
        store.add_labels(labels)
        adding, labelling = adding + middle - start, labelling + time.perf_counter() - middle
        if number % 25 == 0:
            print(f"{number * 2000:>9,} posts", file=sys.stderr, flush=True)
    return {"posts added a second": many / adding, "posts labelled a second": many / labelling}


def median_ms(ask: Callable[[int], Any], times: int = 7) -> list[float]:
    """Medians of the wall clock and of this process's own work: on a busy machine they differ."""
    wall, work = [], []
    for at in range(times):
        start, started = time.perf_counter(), time.process_time()
        ask(at)
        wall.append((time.perf_counter() - start) * 1000)
        work.append((time.process_time() - started) * 1000)
    return [round(statistics.median(wall), 1), round(statistics.median(work), 1)]


def questions(store: Store) -> dict[str, Callable[[int], Any]]:
    whole = Filters(MODEL)
    year = replace(whole, start=date(2025, 9, 1), end=date(2026, 8, 31))

    def brand(at: int) -> str:
        return BRANDS[at % 20]

    def next_page(filters: Filters) -> Callable[[int], Any]:
        cursor = store.posts(filters).next
        return lambda at: store.posts(filters, after=cursor)

    return {
        "data version": lambda at: store.data_version(),
        "first page: weeks x brands, a year": lambda at: store.daily_counts(year),
        "weeks x brands, all 13 years": lambda at: store.daily_counts(whole),
        "months x brands, all 13 years": lambda at: store.daily_counts(whole, ("month", "brand")),
        "totals, a year": lambda at: store.totals(year),
        "filter: one brand, all years": lambda at: store.daily_counts(
            replace(whole, brands=(brand(at),))
        ),
        "filter: one source, all years": lambda at: store.daily_counts(
            replace(whole, sources=(f"mastodon/site{at % 3}.example",))
        ),
        "filter: one topic, all years": lambda at: store.daily_counts(
            replace(whole, topics=(TOPICS[at % 8],))
        ),
        "filter: topic and source, a year": lambda at: store.daily_counts(
            replace(year, topics=(TOPICS[at % 8],), sources=(f"mastodon/site{at % 3}.example",))
        ),
        "heat map: signals x brands, a year": lambda at: store.daily_counts(
            year, ("signal", "brand")
        ),
        "heat map: signals x brands, all years": lambda at: store.daily_counts(
            whole, ("signal", "brand")
        ),
        "platforms x weeks, a year": lambda at: store.daily_counts(year, ("week", "platform")),
        "crossed terms: topic x signal, a year": lambda at: store.daily_counts(
            replace(year, topics=(TOPICS[at % 8],), signals=(SIGNALS[at % 6],))
        ),
        "author clusters, a year": lambda at: store.cluster_counts(year),
        "brands seen": lambda at: store.brands_seen(MODEL),
        "sources seen": lambda at: store.sources_seen(),
        "coverage, a year": lambda at: store.coverage(date(2025, 9, 1), date(2026, 8, 31)),
        "posts: newest page": lambda at: store.posts(whole),
        "posts: next page": next_page(whole),
        "posts: one brand's harassment": lambda at: store.posts(
            replace(whole, brands=(brand(at),), harassment_only=True)
        ),
        "posts: brand's harassment, next page": next_page(
            replace(whole, brands=(brand(9),), harassment_only=True)
        ),
        "posts: rare brand, topic and signal": lambda at: store.posts(
            replace(
                whole, brands=(BRANDS[19],), topics=(TOPICS[at % 8],), signals=(SIGNALS[at % 6],)
            )
        ),
        "posts: two common filters": lambda at: store.posts(
            replace(whole, brands=(BRANDS[0],), topics=(TOPICS[at % 8],))
        ),
        "posts: a source and sentiment, a year": lambda at: store.posts(
            replace(year, sources=(f"mastodon/site{at % 3}.example",), sentiments=("positive",))
        ),
        "search: a rare word": lambda at: store.search(RARE[at * 7], whole),
        "search: a common word": lambda at: store.search(WORDS[at], whole),
        "search: two common words": lambda at: store.search(f"{WORDS[at]} {WORDS[at + 9]}", whole),
        "search: a phrase": lambda at: store.search(f'"{WORDS[at]} {WORDS[at + 3]}"', whole),
        "search: common word, one brand's harassment": lambda at: store.search(
            WORDS[at], replace(whole, brands=(brand(at),), harassment_only=True)
        ),
        "search: common word, rare filter": lambda at: store.search(
            WORDS[at], replace(whole, brands=(BRANDS[19],), signals=(SIGNALS[at % 6],))
        ),
        "search: no result": lambda at: store.search("introuvable" + str(at), whole),
        "queue: nothing left": lambda at: store.unlabelled(MODEL, 100),
        "status": lambda at: store.status(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--posts", type=int, default=200_000)
    parser.add_argument("--url", help="PostgreSQL instead of a SQLite file")
    parser.add_argument(
        "--keep", type=Path, help="a SQLite file, filled if absent and left for the next time"
    )
    parser.add_argument("--near", action="store_true", help="look for near-duplicates too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.url or given.keep or Path(folder) / "bench.db"
        found: dict[str, Any] = {"posts": given.posts}
        with Store.open(place, near_duplicates=given.near) as store:
            if store.status().posts == 0:
                found |= {name: round(value) for name, value in fill(store, given.posts).items()}
            found["database"] = store.dialect
            found["bytes a post"] = round(store.status().bytes / given.posts)
        with Store.open(place, read_only=True) as store:
            found["median ms: wall, cpu"] = {
                name: median_ms(ask) for name, ask in questions(store).items()
            }
        print(json.dumps(found, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

"""How long pages take: `python benchmarks/dashboard_speed.py 1000000 [database]`."""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from raccroche.post import Labels, Mention, Post
from raccroche.store import Filters, Store
from tests.dashboard import samples

CHUNK = 20_000
DAYS = 3 * 365
APP = Path(__file__).parents[1] / "dashboard" / "app.py"
WORDS = (
    *("appel", "matin", "robot", "répondeur", "facture", "conseiller", "réseau", "panne"),
    *("contrat", "fibre", "numéro", "masqué", "client", "service", "box", "mobile", "encore"),
)


def build(path: Path, many: int) -> None:
    """A database of *many* labelled posts of fictional firms, spread over three years."""
    draw = random.Random(3)
    end = datetime.now(UTC)
    with Store.open(path, near_duplicates=False) as store:
        for start in range(0, many, CHUNK):
            pairs = list(_pairs(draw, range(start, min(start + CHUNK, many)), end, many))
            store.add_posts([post for post, _ in pairs], via="bench")
            store.add_labels([labels for _, labels in pairs])
            print(f"\r{start + len(pairs):>9,} posts", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)


def _pairs(
    draw: random.Random, places: range, end: datetime, many: int
) -> Iterator[tuple[Post, Labels]]:
    for at in places:
        brand = draw.choice(samples.BRANDS)
        text = f"{brand} {' '.join(draw.choices(WORDS, k=18))} {at}"
        post = Post(
            source="forum/bench.example",
            platform="forum",
            native_id=str(at),
            text=text,
            author=f"a{draw.randrange(many // 3 + 1)}",
            published_at=end - timedelta(seconds=draw.random() * DAYS * 86_400),
        )
        accused = draw.random() < 0.25
        mention = Mention(brand, "negative" if accused else "neutral", accused, role="caller")
        yield (
            post,
            Labels(
                post_id=post.id,
                labeller=samples.MODEL,
                sentiment="negative" if accused else "neutral",
                phone_harassment=accused,
                testimony=accused,
                topics=("phone_harassment",) if accused else ("network",),
                signals=("robocall",) if accused else (),
                mentions=(mention,),
                language="fr",
            ),
        )


def timed(what: str, limit: float, do: Callable[[], Any]) -> None:
    """Print how long *do* takes, in milliseconds, against what is promised."""
    start = time.perf_counter()
    do()
    took = (time.perf_counter() - start) * 1000
    print(f"{what:<44} {took:>8,.0f} ms   (promised {limit:,.0f})")


def pages(config: Path) -> None:
    """Script runs of the pages, caches cold, then a change of filter."""
    os.environ["RACCROCHE_CONFIG"] = str(config)
    import streamlit as st
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    for page in ("", "marques", "chronologie", "sujets", "publications"):
        st.cache_data.clear()
        app = AppTest.from_file(APP, default_timeout=600)
        app._page_hash = calc_hash(page) if page else ""
        name = page or "apercu"
        timed(f"first sight of {name}, nothing cached", 2_000, app.run)
        assert not app.exception, app.exception
        app.multiselect(key="w_marques").set_value(["Indigo"])
        timed(f"{name}: another brand, not cached", 300, app.run)
        timed(f"{name}: again", 300, app.run)


def reads(path: Path) -> None:
    """The reads behind a list of posts."""
    everything = Filters(labeller=samples.MODEL)
    with Store.open(path, read_only=True) as store:
        first = store.posts(everything, size=20)
        timed("next page of posts", 100, lambda: store.posts(everything, size=20, after=first.next))
        timed("search, two words", 200, lambda: store.search("robot fibre", everything, size=20))
        timed("search, a phrase", 200, lambda: store.search('"robot fibre"', everything, size=20))


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder) / "bench.sqlite3"
        if not path.exists():
            build(path, many)
        config = samples.write_config(Path(folder), path)
        reads(path)
        pages(config)


if __name__ == "__main__":
    main()

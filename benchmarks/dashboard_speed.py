"""
How long the dashboard's pages take on many posts, against what is promised.

    python benchmarks/dashboard_speed.py 1000000 [--database FILE] [--repeats 5] [--pages apercu]

Each page is run as Streamlit runs it (`AppTest`: the script, its widgets and charts, no browser),
cold (nothing cached, as after a collection) and after a change of filter that nobody asked for
before. The reads behind it are timed apart. Minimum and median of the repeats are printed, wall
clock and this process's own CPU time: on a machine that does other work they differ. *--database*
is made if absent, and kept.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import many_posts
from dashboard import kept
from raccroche.store import Filters, Store

APP = Path(__file__).parents[1] / "dashboard" / "app.py"
PAGES = (
    *("apercu", "marques", "chronologie", "sujets", "publications", "alertes"),
    *("numeros", "series", "relecture", "qualite", "exports", "methode"),
)
FIRST, CHANGE, NEXT, SEARCH = 2_000, 300, 100, 200  # ms promised
# changes of filter, each with another value every time it is asked: state keys and values
CHANGES: dict[str, Callable[[int], dict[str, tuple[str, ...]]]] = {
    "one brand": lambda n: {"marques": (many_posts.BRANDS[n + 3],)},
    "three brands": lambda n: {"marques": many_posts.BRANDS[n : n + 3]},
    "one platform": lambda n: {"plateformes": (("forum", "mastodon", "reviews")[n % 3],)},
    "one topic": lambda n: {"sujets": (many_posts.TOPICS[n],)},
    "one signal": lambda n: {"signaux": (many_posts.SIGNALS[n],)},
    "two signals": lambda n: {"signaux": many_posts.SIGNALS[n : n + 2]},
    "topic and signal": lambda n: {
        "sujets": (many_posts.TOPICS[n],),
        "signaux": (many_posts.SIGNALS[n],),
    },
    "all three years": lambda n: {"periode": ("tout",), "marques": (many_posts.BRANDS[n + 9],)},
    "first-hand only": lambda n: {"temoignages": ("1",), "marques": (many_posts.BRANDS[n + 12],)},
}
FILTERED = PAGES[:5]


class Times:
    """Wall and CPU milliseconds of what was repeated."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def measure(self, what: str, promised: float, do: Callable[[int], Any], repeats: int) -> None:
        wall, cpu = [], []
        for at in range(repeats):
            start, started = time.perf_counter(), time.process_time()
            do(at)
            wall.append((time.perf_counter() - start) * 1000)
            cpu.append((time.process_time() - started) * 1000)
        row = {
            "what": what,
            "wall_min": min(wall),
            "wall_median": statistics.median(wall),
            "cpu_median": statistics.median(cpu),
            "promised": promised,
        }
        self.rows.append(row)
        verdict = "" if row["wall_median"] <= promised else "  OVER"
        print(
            f"{what:<48} {row['wall_min']:>7,.0f} {row['wall_median']:>7,.0f} "
            f"{row['cpu_median']:>7,.0f}   ({promised:,}){verdict}",
            flush=True,
        )


def pages(times: Times, names: list[str], repeats: int) -> None:
    """Script runs: the first one with nothing cached, then changes of filter, then again."""
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    def opened(name: str) -> Any:
        app = AppTest.from_file(APP, default_timeout=600)
        app._page_hash = "" if name == "apercu" else calc_hash(name)
        return app

    def run(app: Any) -> None:
        app.run()
        assert not app.exception, app.exception

    logging.getLogger("streamlit").setLevel(logging.ERROR)
    run(opened("methode"))  # libraries are loaded once a server
    for name in names:

        def cold(at: int, name: str = name) -> None:
            kept.forget()
            run(opened(name))

        times.measure(f"{name}: first page, nothing cached", FIRST, cold, max(repeats // 2, 1))
        app = opened(name)
        run(app)
        times.measure(f"{name}: again, cached", CHANGE, lambda at, app=app: run(app), repeats)
        for change, values in CHANGES.items() if name in FILTERED else ():

            def ask(at: int, app: Any = app, values: Any = values) -> None:
                app.query_params = {key: list(found) for key, found in values(at).items()}
                run(app)

            times.measure(f"{name}: {change}", CHANGE, ask, min(repeats, 6))


def reads(times: Times, path: Path, repeats: int) -> None:
    """The reads behind a list of posts and a search, on the store itself."""
    brands, signals = many_posts.BRANDS, many_posts.SIGNALS
    everything = Filters(labeller=many_posts.MODEL)
    common = ("appel", "robot", "fibre", "facture", "contrat", "panne")
    with Store.open(path, read_only=True) as store:
        page = store.posts(everything, size=20)
        cursors = []
        for _ in range(6):
            cursors.append(page.next)
            page = store.posts(everything, size=20, after=page.next)
        asked: dict[str, tuple[float, Callable[[int], Any]]] = {
            "posts: next page": (
                NEXT,
                lambda at: store.posts(everything, size=20, after=cursors[at % 6]),
            ),
            "posts: a brand's accusations": (
                NEXT,
                lambda at: store.posts(
                    Filters(many_posts.MODEL, brands=(brands[at],), harassment_only=True), size=20
                ),
            ),
            "posts: brand and signal": (
                NEXT,
                lambda at: store.posts(
                    Filters(many_posts.MODEL, brands=(brands[at],), signals=(signals[at % 9],)),
                    size=20,
                ),
            ),
            "search: a common word": (
                SEARCH,
                lambda at: store.search(common[at % 6], everything, size=20),
            ),
            "search: two common words": (
                SEARCH,
                lambda at: store.search(f"{common[at % 6]} répondeur", everything, size=20),
            ),
            "search: a phrase": (
                SEARCH,
                lambda at: store.search(f'"message sur" {common[at % 6]}', everything, size=20),
            ),
            "search: a rare word": (
                SEARCH,
                lambda at: store.search(f"{'ba' * (at % 3 + 2)}*", everything, size=20),
            ),
            "search: a common word, a rare brand": (
                SEARCH,
                lambda at: store.search(
                    common[at % 6], Filters(many_posts.MODEL, brands=(brands[-1 - at],)), size=20
                ),
            ),
            "search: nothing found": (
                SEARCH,
                lambda at: store.search(f"introuvable{at}", everything, size=20),
            ),
        }
        for what, (promised, ask) in asked.items():
            times.measure(what, promised, ask, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("posts", type=int, nargs="?", default=100_000)
    parser.add_argument("--database", type=Path, help="made if absent, and kept")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pages", nargs="*", default=list(PAGES), choices=PAGES)
    parser.add_argument("--json", type=Path, help="where the figures go, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.database or Path(folder) / "bench.sqlite3"
        if not path.exists():
            many_posts.build(path, given.posts)
        os.environ["RACCROCHE_CONFIG"] = str(many_posts.write_config(Path(folder), path))
        times = Times()
        print(f"{'ms: wall minimum, wall median, CPU median':<48} (promised)")
        reads(times, path, given.repeats)
        pages(times, given.pages, given.repeats)
        if given.json:
            given.json.write_text(json.dumps(times.rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

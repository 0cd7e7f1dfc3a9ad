"""
How much memory and time an export takes, for each format: whether memory is flat.

    python benchmarks/export_memory.py DATABASE [--posts 100000 1000000] [--formats csv parquet]

Each export is a process of its own, which tells the most memory it held. Prints a Markdown table.
"""

import argparse
import itertools
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import many_posts

FORMS = ("csv", "jsonl", "parquet")


class Capped:
    """A store whose stream ends after *most* posts."""

    def __init__(self, store: object, most: int) -> None:
        self._store, self._most = store, most

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def iterate(self, filters: object) -> object:
        return itertools.islice(self._store.iterate(filters), self._most)  # type: ignore[attr-defined]


def export(database: Path, posts: int, form: str, *, split: bool) -> None:
    """In the child: export and tell posts, seconds, CPU seconds and the most memory in MiB."""
    from raccroche import config
    from raccroche.export import export_dataset
    from raccroche.store import Filters, Store

    with tempfile.TemporaryDirectory(dir=database.parent) as folder:
        settings = config.load(many_posts.write_config(Path(folder), database))
        start = time.perf_counter()
        with Store.open(database) as store:
            found = export_dataset(
                settings,
                Capped(store, posts),  # type: ignore[arg-type]
                Path(folder) / "set",
                form=form,
                filters=Filters(many_posts.MODEL, with_copies=True),
                split=split,
            )
        took = time.perf_counter() - start
        size = sum(one.bytes for one in found.files)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{found.rows} {took:.0f} {time.process_time():.0f} {memory:.0f} {size / 1e6:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("database", type=Path)
    parser.add_argument("--posts", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--formats", nargs="*", default=list(FORMS), choices=FORMS)
    parser.add_argument("--split", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        export(given.database, given.posts[0], given.formats[0], split=given.split)
        return
    print("| format | posts | seconds | CPU seconds | most memory, MiB | MB written |")
    print("|---|---:|---:|---:|---:|---:|")
    for form in given.formats:
        for posts in given.posts:
            command = [sys.executable, __file__, str(given.database), "--child"]
            command += ["--posts", str(posts), "--formats", form] + ["--split"] * given.split
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            print(f"| {form} | {' | '.join(told.split())} |", flush=True)


if __name__ == "__main__":
    main()

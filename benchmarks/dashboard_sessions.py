"""Twenty sessions at once: `python benchmarks/dashboard_sessions.py DATABASE [sessions]`."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.dashboard import samples
from tests.servers import browser

PATHS = ("", "marques", "chronologie", "sujets", "publications")
READY = (
    "() => document.querySelector('h1')"
    " && document.querySelector('[data-testid=stCaptionContainer]')"
)


def main() -> None:
    database = Path(sys.argv[1])
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with (
        tempfile.TemporaryDirectory() as folder,
        browser.dashboard(samples.write_config(Path(folder), database)) as url,
        browser.browser() as opened,
    ):
        for round_name in ("cold", "warm"):
            pages = [browser.new_page(opened) for _ in range(many)]
            start = time.perf_counter()
            for at, page in enumerate(pages):
                page.goto(f"{url}/{PATHS[at % len(PATHS)]}", wait_until="commit")
            took = []
            for page in pages:
                page.wait_for_function(READY)
                took.append(time.perf_counter() - start)
            failed = sum(page.locator("[data-testid=stException]").count() for page in pages)
            print(
                f"{round_name}: {many} sessions, median {statistics.median(took):.1f} s, "
                f"last {max(took):.1f} s, {failed} failed (the browser runs on the same cores)"
            )
            for page in pages:
                page.context.close()


if __name__ == "__main__":
    main()

"""
Read as the dashboard does, without pause, and say when an answer is wrong: for the campaigns.

    python benchmarks/reading.py config.toml stop-file report.json

Runs until *stop-file* is there. The report has how many looks were taken, how many of them saw one
state of the data from first to last, and every exception and contradiction.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

Report = dict[str, Any]
PAUSE = 0.05  # seconds between two looks


def look() -> tuple[bool, list[str]]:
    """One page's worth of queries: whether they saw one state, and what does not add up."""
    from dashboard import data
    from raccroche.store import Filters

    version = data.store().data_version()
    known = data.known()
    if not known.labellers:
        return False, []
    filters = Filters(labeller=known.labellers[0])
    totals = data.totals(filters)
    days = data.daily_counts(filters, by=("day",))
    brands = data.daily_counts(filters, by=("week", "brand"))
    page = data.posts(filters, size=50)
    data.alerts()
    data.last_runs()
    data.facts(filters, 500)
    wrong = []
    if not totals.harassment_testimonies <= totals.harassment <= totals.posts:
        wrong.append(f"parts above the whole: {totals}")
    if len({row.post.id for row in page.rows}) != len(page.rows):
        wrong.append("a post twice on one page")
    if data.store().data_version() != version:
        return False, wrong
    # posts without a day are in no daily count
    if not totals.undated and int(days["harassment"].sum()) != totals.harassment:
        wrong.append(f"{days['harassment'].sum()} by day, {totals.harassment} in all")
    if int(brands["harassment"].sum()) < int(days["harassment"].sum()):
        wrong.append("fewer pairs than posts")
    return True, wrong


@contextmanager
def reader(config: Path, folder: Path) -> Iterator[Report]:
    """Another process reads until the block ends; then the report is filled."""
    stop, told = folder / "stop-reading", folder / "read.json"
    command = [sys.executable, __file__, str(config), str(stop), str(told)]
    with (folder / "reader.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        report: Report = {}
        try:
            yield report
        finally:
            stop.touch()
            process.wait(120)
    report.update(json.loads(told.read_text("utf-8")))


def main() -> None:
    config, stop, report = (Path(name) for name in sys.argv[1:4])
    os.environ["RACCROCHE_CONFIG"] = str(config)
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    looks = whole = 0
    wrong: list[str] = []
    longest = 0.0
    while not stop.exists():
        started = time.monotonic()
        try:
            one, said = look()
        except Exception as error:  # noqa: BLE001 - whatever a reader sees is what is measured
            one, said = False, [f"{type(error).__name__}: {error}"]
        longest = max(longest, time.monotonic() - started)
        looks, whole = looks + 1, whole + one
        wrong += said
        time.sleep(PAUSE)
    told = {"looks": looks, "of_one_state": whole, "longest_s": round(longest, 2), "wrong": wrong}
    report.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()

"""One whole round - collect, label, alert, purge, publish - and what a monitor may read of it."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nlp.types import Labeller
from raccroche import pipeline, rights
from raccroche.archive import Archive
from raccroche.config import Config
from raccroche.errors import RaccrocheError
from raccroche.http import Client
from raccroche.post import Run, iso
from raccroche.store import Filters, Store

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Round:
    """
    What one round did. *problems* are sentences; a round with one, or a failed source, is not well.
    """

    started_at: datetime
    runs: list[Run] = field(default_factory=list)
    labelled: int = 0
    alerts: int = 0
    sent: int = 0
    purged: int = 0
    published: int = 0
    problems: list[str] = field(default_factory=list)
    finished_at: datetime | None = None

    @property
    def well(self) -> bool:
        return not self.problems and all(run.verdict.ok for run in self.runs)


def archive_of(config: Config) -> Archive | None:
    """Where raw answers are kept; None where the configuration keeps none."""
    if not config.collect.archive:
        return None
    folder = config.resolve(config.collect.archive)
    return Archive(folder, retention_days=config.collect.archive_days)


def client_of(config: Config) -> Client:
    """The polite client as *config* describes it."""
    options = config.collect
    return Client(
        contact=options.contact,
        user_agent=options.user_agent,
        allow_hosts=options.allow_hosts,
        rate=options.rate,
        longest_wait=options.longest_wait,
        timeout=options.timeout,
        max_body=int(options.max_body_mb * 1_000_000),
        cache=config.resolve(options.cache) if options.cache else None,
        archive=archive_of(config),
    )


async def collect(
    config: Config,
    store: Store,
    *,
    only: Sequence[str] = (),
    since: datetime | None = None,
    progress: pipeline.Progress = pipeline.silent,
    stop: asyncio.Event | None = None,
) -> list[Run]:
    """`pipeline.collect` with the client that *config* describes."""
    async with client_of(config) as client:
        return await pipeline.collect(
            config, store, client, only=only, since=since, progress=progress, stop=stop
        )


async def run_round(
    config: Config,
    store: Store,
    labeller: Labeller,
    *,
    only: Sequence[str] = (),
    progress: pipeline.Progress = pipeline.silent,
    labelled: Callable[[int], None] = lambda done: None,
    stop: asyncio.Event | None = None,
) -> Round:
    """
    Collect, label, look for alerts, purge and publish: once, safe to repeat, never two at a time.

    Each step runs though an earlier one failed; what failed is told in `problems`. *stop* ends the
    round after the page or the batch of labels at hand. The lock is the system's: it is gone with
    the process, however it ends.
    """
    done = Round(datetime.now(UTC))
    with store.lock("run"):
        if pipeline.jobs(config, only):
            done.runs = await collect(config, store, only=only, progress=progress, stop=stop)
        stopped = stop.is_set if stop else lambda: False
        for step in (_label, _alert, _purge, _publish):
            if stopped():
                break
            try:  # in a thread: the loop hears of a signal while posts are labelled
                await asyncio.to_thread(step, config, store, labeller, done, labelled, stopped)
            except RaccrocheError as error:
                log.error("%s: %s", step.__name__.strip("_"), error)
                done.problems.append(str(error))
    done.finished_at = datetime.now(UTC)
    write_health(config, store, done)
    return done


def _label(
    config: Config,
    store: Store,
    labeller: Labeller,
    done: Round,
    seen: Callable[[int], None],
    stopped: Callable[[], bool],
) -> None:
    size = config.nlp.batch_size
    done.labelled = pipeline.label(
        config, store, labeller, batch_size=size, progress=seen, stop=stopped
    )


def _alert(config: Config, store: Store, labeller: Labeller, done: Round, *_: object) -> None:
    from raccroche.alerts import find_alerts
    from raccroche.alerts.notify import send_alerts, write_feed

    name = pipeline.labeller_id(labeller)
    done.alerts = len(find_alerts(store, name, config.alerts, datetime.now(UTC).date()))
    write_feed(config, store)
    done.sent = send_alerts(config, store)


def _purge(config: Config, store: Store, labeller: Labeller, done: Round, *_: object) -> None:
    purged = rights.purge(config, store, archive_of(config), datetime.now(UTC))
    done.purged = purged.texts + purged.archived


def _publish(config: Config, store: Store, labeller: Labeller, done: Round, *_: object) -> None:
    if config.schedule.publish:
        from raccroche.export import export_dataset

        filters = Filters(labeller=pipeline.labeller_id(labeller), with_copies=True)
        target = config.resolve(config.schedule.publish)
        done.published = export_dataset(
            config, store, target, form="parquet", filters=filters, by="run"
        ).rows


# ---------------------------------------------------------------------------------------- health


def write_health(config: Config, store: Store, done: Round) -> None:
    """The health file and the Prometheus textfile, each whole or not at all; "" writes none."""
    enabled = {source.name for source in config.sources if source.enabled}
    last = {name: run for name, run in store.last_runs().items() if name in enabled}
    if config.schedule.health_file:
        text = json.dumps(health(store, done, last), ensure_ascii=False, indent=1) + "\n"
        _write(config.resolve(config.schedule.health_file), text)
    if config.schedule.metrics_file:
        _write(config.resolve(config.schedule.metrics_file), metrics(store, done, last))


def health(store: Store, done: Round, last: Mapping[str, Run]) -> dict[str, Any]:
    """
    What a monitor needs: well or not, when, what each source gave, what went wrong.

    *last*: the latest run of every enabled source; a round may be of some of them only.
    """
    status = store.status()
    return {
        "well": done.well and all(run.verdict.ok for run in last.values()),
        "started_at": iso(done.started_at),
        "finished_at": iso(done.finished_at),
        "sources": {
            name: {
                "verdict": str(run.verdict),
                "new": run.new,
                "got": run.got,
                "at": iso(run.finished_at),
            }
            for name, run in sorted(last.items())
        },
        "labelled": done.labelled,
        "alerts": done.alerts,
        "problems": done.problems,
        "posts": status.posts,
        "pending": status.pending,
    }


def metrics(store: Store, done: Round, last: Mapping[str, Run]) -> str:
    """Prometheus text format, all of one metric together; *last* as in `health`."""
    status = store.status()
    good = {name: seen for name in last if (seen := store.run_seen(name)) is not None}
    families: list[tuple[str, str, Mapping[str, object]]] = [
        ("last_round_well", "1 if the last round and every source were well.", {"": int(
            done.well and all(run.verdict.ok for run in last.values())
        )}),
        ("last_round_timestamp_seconds", "When the last round ended.", {"": _unix(
            done.finished_at or done.started_at
        )}),
        ("posts", "Posts stored.", {"": status.posts}),
        ("pending_requests", "Requests left for the next round.", {"": status.pending}),
        ("labelled_posts", "Posts labelled in the last round.", {"": done.labelled}),
        ("alerts", "Alerts found in the last round.", {"": done.alerts}),
        ("source_ok", "1 if the source answered when it was last asked.", {
            name: int(run.verdict.ok) for name, run in last.items()
        }),
        ("source_new_posts", "Posts that it gave then.", {
            name: run.new for name, run in last.items()
        }),
        ("source_seconds", "How long that took.", {
            name: round(max(0.0, run.seconds), 3) for name, run in last.items()
        }),
        ("source_last_ok_timestamp_seconds", "When it last answered.", {
            name: _unix(seen) for name, seen in good.items()
        }),
    ]  # fmt: skip
    return "".join(_family(f"raccroche_{name}", words, rows) for name, words, rows in families)


def _family(name: str, words: str, values: Mapping[str, object]) -> str:
    """A gauge with a sample a source; the key "" has no label."""
    if not values:
        return ""
    lines = [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
    for source, value in values.items():
        safe = source.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        lines.append(f'{name}{{source="{safe}"}} {value}' if source else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _unix(moment: datetime) -> str:
    return f"{moment.timestamp():.0f}"


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise RaccrocheError(f"{path}: cannot be written: {error.strerror}") from error

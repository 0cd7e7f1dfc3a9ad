"""Commands that bring posts in: collect, import, parse, sources."""

import asyncio
import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from collectors import files
from collectors.contract import Source
from collectors.table import recognise
from collectors.table import sources as platforms
from raccroche import json_text, pipeline, routine
from raccroche.archive import read_warc
from raccroche.cli.common import (
    bar,
    err,
    load_config,
    open_store,
    out,
    parse_since,
    stopped_by_signals,
)
from raccroche.config import Config
from raccroche.errors import ConfigError, ImportFileError, SourceError
from raccroche.post import Added, Answer, Post, Run, Verdict
from raccroche.privacy import Pseudonyms, admitted, pseudonyms
from raccroche.replay import replay
from raccroche.store import Store

BATCH = 1_000
_PLATFORM = re.compile(r"[a-z0-9_-]+")


def register(app: typer.Typer) -> None:
    app.command()(collect)
    app.command("import")(import_file)
    app.command()(parse)
    app.command("sources")(list_sources)
    app.command("replay")(replay_archive)


def collect(
    source: Annotated[
        list[str] | None, typer.Argument(help="Sources of config.toml. Default: all enabled.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Nothing older than this date, e.g. 2026-08-11.")
    ] = None,
    warc: Annotated[
        Path | None, typer.Option(help="Read this WARC file instead of asking anybody.")
    ] = None,
) -> None:
    """
    Ask every enabled source for new posts and store them; interrupted, the next run goes on from
    there.

    Example: `raccroche collect forum-conso --since 2026-08-11`
    """
    config = load_config()
    if warc is not None:
        _replay(config, read_warc(warc), via=f"warc:{warc.name}")
        return
    with open_store(config) as store:
        runs, came = run_collection(config, store, source or [], parse_since(since))
    show_runs(runs)
    raise typer.Exit(128 + came[0] if came else exit_code(runs))


def replay_archive() -> None:
    """
    Parse the archived raw answers again with today's parsers, and store what was missed.

    Example: `raccroche replay`
    """
    config = load_config()
    archive = routine.archive_of(config)
    if archive is None:
        raise ConfigError(f"{config.path}: [collect] archive is empty: nothing is kept to replay")
    _replay(config, archive.answers(), via="replay")


def _replay(config: Config, answers: Iterable[Answer], *, via: str) -> None:
    with open_store(config) as store, bar("reading again") as (progress, task):
        done = replay(
            config, store, answers, via=via, progress=lambda n: progress.update(task, advance=n)
        )
    out.print(
        f"{done.answers} answers: {done.added.new} new posts, {done.added.known} known; "
        f"{done.unknown} of no known platform, {done.broken} not understood"
    )


def run_collection(
    config: Config, store: Store, only: Sequence[str], since: datetime | None
) -> tuple[list[Run], list[int]]:
    """
    `pipeline.collect` with a client, a progress line and a clean stop at Ctrl-C or SIGTERM; the
    runs, and the signals that came.
    """
    jobs = pipeline.jobs(config, only)
    if not jobs:
        raise ConfigError(f"{config.path}: no source is enabled; see `raccroche sources`")

    async def work() -> tuple[list[Run], list[int]]:
        with stopped_by_signals() as (stop, came), bar("collecting") as (progress, task):

            def report(source: str, *, got: int, new: int, declared: int | None) -> None:
                told = f" of {declared} declared" if declared else ""
                progress.update(task, advance=1, description=f"{source}: {new} new, {got}{told}")

            runs = await routine.collect(
                config, store, only=only, since=since, progress=report, stop=stop
            )
            return runs, came

    return asyncio.run(work())


def show_runs(runs: Sequence[Run]) -> None:
    """A line a source: verdict, counts, "declared N, got n", time, bytes, and what went wrong."""
    table = Table(box=None, pad_edge=False)
    for name in (
        "source",
        "verdict",
        "new",
        "known",
        "edited",
        "declared",
        "got",
        "requests",
        "kB",
        "s",
    ):
        table.add_column(name, justify="left" if name in ("source", "verdict") else "right")
    for run in runs:
        colour = "green" if run.verdict.ok else "red"
        table.add_row(
            run.source,
            f"[{colour}]{run.verdict}[/]",
            str(run.new),
            str(run.known),
            str(run.edited),
            "" if run.declared is None else str(run.declared),
            str(run.got),
            str(run.requests),
            f"{run.bytes / 1000:.0f}",
            f"{run.seconds:.1f}",
        )
    out.print(table)
    for run in runs:
        if run.message:
            err.print(f"{run.source}: {run.message}", highlight=False, markup=False)


def exit_code(runs: Sequence[Run]) -> int:
    """0 when all sources answered, 3 when some did, 1 when none did."""
    good = sum(run.verdict.ok for run in runs)
    return 0 if good == len(runs) else 3 if good else 1


def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet; 4CAT exports too.")
    ],
    columns: Annotated[
        str, typer.Option("--map", help="Our field = column of the file: text=Avis,author=Nom")
    ] = "",
    platform: Annotated[str, typer.Option(help="Where the posts come from.")] = files.PLATFORM,
) -> None:
    """
    Store the posts of a file; a file imported twice is stored once, a bad row is counted and
    skipped.

    Example: `raccroche import avis.csv --map text=Avis,published_at=Date`
    """
    if not _PLATFORM.fullmatch(platform):
        raise typer.BadParameter(
            f"--platform {platform!r}: small letters, digits, - and _ only, e.g. trustpilot"
        )
    config = load_config()
    added, bad, good = Added(), [], 0
    with open_store(config) as store, bar(f"importing {file.name}") as (progress, task):
        names = pseudonyms(config, store)
        batch: list[Post] = []
        for row in files.read(file, _mapping(columns), platform=platform):
            if isinstance(row, files.BadRow):
                bad.append(row)
                continue
            good += 1
            batch.append(row)
            if len(batch) == BATCH:
                added = added + _import(config, store, batch, names, file)
                progress.update(task, advance=len(batch))
                batch = []
        added = added + _import(config, store, batch, names, file)
    out.print(f"{file.name}: {added.new} new, {added.known} known, {len(bad)} bad rows")
    for row in bad[:5]:
        err.print(f"row {row.number}: {row.reason}", highlight=False, markup=False)
    if len(bad) > 5:
        err.print(f"... and {len(bad) - 5} more bad rows")
    if not good:
        raise ImportFileError(f"{file}: no row of this file is a post")


def _import(
    config: Config, store: Store, rows: Sequence[Post], names: Pseudonyms, file: Path
) -> Added:
    return store.add_posts(admitted(config, rows, names), via=f"import:{file.name}")


def _mapping(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        ours, equals, theirs = part.partition("=")
        if not equals or not theirs:
            raise typer.BadParameter(f"--map {part!r}: write FIELD=COLUMN")
        pairs[ours.strip()] = theirs.strip()
    try:
        files.check_columns(pairs)
    except ValueError as error:
        raise typer.BadParameter(f"--map {error}") from error
    return pairs


def parse(
    file: Annotated[Path, typer.Argument(help="A saved answer: a page, a feed, a JSON document.")],
    platform: Annotated[str, typer.Option(help="Its platform. Default: recognised.")] = "",
    url: Annotated[str, typer.Option(help="Where it came from, for links and ids.")] = "",
) -> None:
    """
    Print the posts of a saved answer, one JSON object a line, and a summary on standard error.

    Nothing is stored; authors are shown as they are. Example: `raccroche parse page.html`
    """
    try:
        answer = Answer(url or file.name, file.read_bytes())
    except OSError as error:
        raise ImportFileError(f"{file}: cannot be read: {error.strerror}") from error
    source = _platform(platform, answer, file)
    try:
        page = source.parse(answer)
    except SourceError as error:
        _summary(source.PLATFORM, 0, [], None, None, Verdict.LAYOUT_CHANGED, str(error))
        raise typer.Exit(3) from error
    for post in page.posts:
        typer.echo(json_text.line(post.to_dict()))
    verdict = page.verdict or (Verdict.NEW if page.posts or page.threads else Verdict.NOTHING_NEW)
    following = [request.url for request in page.next]
    threads = [thread.native_id for thread in page.threads]
    _summary(
        source.PLATFORM, len(page.posts), threads, page.declared, following, verdict, page.note
    )


def _platform(name: str, answer: Answer, file: Path) -> Source:
    if name:
        if name not in platforms():
            raise ConfigError(f"unknown platform {name!r}; known: {', '.join(sorted(platforms()))}")
        return platforms()[name]
    found = recognise(answer)
    if found is None:
        raise ImportFileError(
            f"{file}: no platform recognises this file; name one with --platform "
            f"({', '.join(sorted(platforms()))})"
        )
    return found


def _summary(
    platform: str,
    items: int,
    threads: Iterable[str],
    declared: int | None,
    following: Sequence[str] | None,
    verdict: Verdict,
    note: str | None,
) -> None:
    summary = {
        "platform": platform,
        "items": items,
        "threads": len(list(threads)),
        "declared": declared,
        "next": following[0] if following else None,
        "verdict": str(verdict),
    }
    if note:
        summary["note"] = note
    print(json.dumps(summary, ensure_ascii=False), file=sys.stderr)


def list_sources() -> None:
    """
    List the platforms that can be read and the sources that config.toml names.

    Example: `raccroche sources`
    """
    table = Table("platform", "what", "needs", box=None, pad_edge=False)
    for name, source in sorted(platforms().items()):
        table.add_row(name, source.TITLE, source.NEEDS or "nothing")
    out.print(table)
    config = load_config()
    configured = Table("source", "platform", "enabled", "purpose", box=None, pad_edge=False)
    for one in config.sources:
        configured.add_row(one.name, one.platform, "yes" if one.enabled else "no", one.purpose)
    out.print()
    out.print(configured if config.sources else f"{config.path}: no source is configured")

"""Commands that run the house: run, dashboard, demo, status, doctor."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from raccroche import pipeline
from raccroche.cli.common import (
    bar,
    err,
    load_config,
    open_store,
    out,
    set_up_json_logs,
    stopped_by_signals,
)
from raccroche.cli.sources import exit_code, run_collection, show_runs
from raccroche.config import Config
from raccroche.errors import ConfigError
from raccroche.labelling import load_labeller
from raccroche.routine import Round, run_round
from raccroche.store import Store

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


def register(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(schedule)
    app.command()(dashboard)
    app.command()(demo)
    app.command()(status)
    app.command()(doctor)


def run() -> None:
    """
    One whole round: collect, label, look for alerts, purge, publish. Safe to repeat, never two at a
    time. Stopped by Ctrl-C or SIGTERM it ends with 130 or 143; the next round goes on from there.

    Example: `raccroche run`
    """
    config = load_config()
    if not pipeline.jobs(config):
        raise ConfigError(f"{config.path}: no source is enabled; see `raccroche sources`")
    labeller = load_labeller(config)

    async def work(store: Store) -> tuple[Round, list[int]]:
        with stopped_by_signals() as (stop, came), bar("collecting") as (progress, task):

            def report(source: str, *, got: int, new: int, declared: int | None) -> None:
                progress.update(task, advance=1, description=f"{source}: {new} new, {got} read")

            def labelled(count: int) -> None:
                progress.update(task, advance=count, description="labelling")

            done = await run_round(
                config, store, labeller, progress=report, labelled=labelled, stop=stop
            )
            return done, came

    with open_store(config) as store:
        done, came = asyncio.run(work(store))
    show_round(done)
    raise typer.Exit(128 + came[0] if came else exit_code(done.runs) or (1 if done.problems else 0))


def show_round(done: Round) -> None:
    """What a round did, in a table and two lines."""
    show_runs(done.runs)
    out.print(
        f"{done.labelled} posts labelled, {done.alerts} alerts ({done.sent} sent), "
        f"{done.purged} texts and raw answers purged"
    )
    for problem in done.problems:
        err.print(problem, highlight=False, markup=False)


def schedule() -> None:
    """
    Run rounds by the cron expressions of config.toml until SIGTERM or Ctrl-C; misses nothing.

    Example: `raccroche schedule`
    """
    from raccroche.schedule import keep_running
    from raccroche.timetable import timetable

    config = load_config()
    if not sys.stderr.isatty():
        set_up_json_logs()
    for cron, names in timetable(config).items():
        out.print(f"{cron}: {', '.join(names)}", highlight=False, markup=False)
    labeller = load_labeller(config)
    with open_store(config) as store:
        asyncio.run(keep_running(config, store, labeller, told=show_round))


def dashboard(
    port: Annotated[
        int | None, typer.Option(help="Default: [dashboard] port, or the next free.")
    ] = None,
    headless: Annotated[bool, typer.Option(help="Open no browser.")] = False,
) -> None:
    """
    Open the dashboard in a browser, on this machine only unless configured otherwise.

    Example: `raccroche dashboard --headless`
    """
    config = load_config()
    with open_store(config):  # a missing or broken database is said here, not in the browser
        pass
    process = start_dashboard(config, port or config.dashboard.port, headless=headless)
    raise typer.Exit(until_stopped(process))


def until_stopped(process: "subprocess.Popen[bytes]") -> int:
    """Wait for *process*; Ctrl-C and SIGTERM stop it too, whoever they reach first."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 0


def start_dashboard(config: Config, port: int, *, headless: bool) -> "subprocess.Popen[bytes]":
    """Start Streamlit on the first free port from *port* on; the address is printed."""
    host = config.dashboard.host
    port = free_port(host, port)
    out.print(f"dashboard: http://{host}:{port}", highlight=False)
    command = [
        sys.executable, "-m", "streamlit", "run", str(APP),
        f"--server.address={host}",
        f"--server.port={port}",
        f"--server.headless={'true' if headless else 'false'}",
        "--server.showEmailPrompt=false",  # it would wait for an answer at first start
    ]  # fmt: skip
    environment = os.environ | {"RACCROCHE_CONFIG": str(config.path.resolve())}
    return subprocess.Popen(command, cwd=APP.parents[1], env=environment)


def free_port(host: str, first: int) -> int:
    """The first port from *first* on that nobody listens on."""
    for port in range(first, first + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise ConfigError(f"no free port between {first} and {first + 49} on {host}")


def demo(
    headless: Annotated[bool, typer.Option(help="Open no browser.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where its data go. Default: data/demo, made anew.")
    ] = None,
    posts: Annotated[int, typer.Option(help="How many fictional posts.")] = 2000,
    serve: Annotated[bool, typer.Option(help="Open the dashboard at the end.")] = True,
) -> None:
    """
    Run the whole path on a fictional site: serve it, collect it over HTTP, label, show.

    Example: `raccroche demo --headless`
    """
    from raccroche.alerts import find_alerts
    from raccroche.demo import demo_config, serving

    with serving(posts=posts) as site:
        config = demo_config(site, folder or Path("data/demo"))
        out.print(f"fictional site: {site.url}, {site.posts} posts", highlight=False)
        labeller = load_labeller(config)
        with open_store(config) as store:
            runs, _ = run_collection(config, store, (), None)
            show_runs(runs)
            with bar("labelling") as (progress, task):
                done = pipeline.label(
                    config, store, labeller, progress=lambda n: progress.update(task, advance=n)
                )
            name = pipeline.labeller_id(labeller)
            newest = store.status().newest or datetime.now(UTC)
            alerts = find_alerts(store, name, config.alerts, newest.date() + timedelta(days=1))
        out.print(f"{done} posts labelled by {name}, {len(alerts)} alerts", soft_wrap=True)
        if not serve:
            raise typer.Exit(exit_code(runs))
        process = start_dashboard(config, config.dashboard.port, headless=headless)
        out.print("Ctrl-C stops everything.")
        raise typer.Exit(until_stopped(process))


def status() -> None:
    """
    Show what is stored, what waits, and what each source gave last.

    Example: `raccroche status`
    """
    config = load_config()
    with open_store(config, read_only=True) as store:
        facts = Table(box=None, pad_edge=False, show_header=False)
        for name, value in asdict(store.status()).items():
            if name != "last_run":
                facts.add_row(name.replace("_", " "), str(value))
        out.print(facts)
        last = {run.source: run for run in reversed(store.runs(limit=500))}
    show_runs([last[name] for name in sorted(last)])


def doctor() -> None:
    """
    Check the configuration, the disks, the database, the key, the labeller, the clock and whether
    rounds run and sources speak.

    Exit code 1 when something needs a hand. Example: `raccroche doctor`
    """
    from raccroche.doctor import examine

    findings = examine(load_config)
    for finding in findings:
        mark = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "bad": "[red]bad[/]"}[
            finding.level
        ]
        out.print(
            f"{mark}  {finding.what}: {escape(finding.detail)}", highlight=False, soft_wrap=True
        )
        if finding.remedy:
            out.print(f"      {escape(finding.remedy)}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if any(f.level == "bad" for f in findings) else 0)

"""What every command shares: the application, the configuration, the store, progress and logs."""

import asyncio
import json
import logging
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from raccroche import __version__
from raccroche import config as configuration
from raccroche.config import Config
from raccroche.redact import url_without_secrets
from raccroche.store import Store

app = typer.Typer(
    name="raccroche",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Watch what people in France say in public about phone harassment by brands: "
    "collect posts, label them, compare rates.",
)
err = Console(stderr=True)
out = Console()
_state: dict[str, Path | None] = {"config": None}

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Configuration file. Default: $RACCROCHE_CONFIG, ./config.toml."
    ),
]


@contextmanager
def stopped_by_signals() -> Iterator[tuple[asyncio.Event, list[int]]]:
    """
    An event that the first Ctrl-C or SIGTERM sets, and the signals that came; a second one ends the
    process at once, which loses nothing that is stored.
    """
    stop, came = asyncio.Event(), list[int]()
    loop = asyncio.get_running_loop()
    names = (signal.SIGINT, signal.SIGTERM)

    def end(name: signal.Signals) -> None:
        came.append(name)
        stop.set()
        for one in names:
            loop.remove_signal_handler(one)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # not asyncio's, which waits for the tasks
        err.print("stopping after the pages at hand; once more stops at once")

    for name in names:
        loop.add_signal_handler(name, end, name)
    try:
        yield stop, came
    finally:
        for name in names:
            loop.remove_signal_handler(name)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"raccroche {__version__}")
        raise typer.Exit


@app.callback()
def options(
    config: ConfigOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    _state["config"] = config
    set_up_logs(logging.INFO if verbose else logging.WARNING)


def set_up_logs(level: int) -> None:
    """A person's log on a terminal; httpx's own is silenced, since it prints whole URLs."""
    handler: logging.Handler = (
        RichHandler(console=err, show_path=False)
        if sys.stderr.isatty()
        else logging.StreamHandler(sys.stderr)
    )
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "hpack"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """A log record as one JSON object a line, secrets of addresses taken out."""

    def format(self, record: logging.LogRecord) -> str:
        row = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        if record.exc_info:
            row["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(row, ensure_ascii=False)


def without_secrets(text: str) -> str:
    """*text* with the secrets of every address in it replaced."""
    return _ADDRESS.sub(lambda found: url_without_secrets(found.group()), text)


_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>\])]{1,2000}")


def set_up_json_logs() -> None:
    """For services: one JSON object a line on standard error, information included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def load_config() -> Config:
    """The configuration; ConfigError when there is none."""
    return configuration.load(_state["config"])


def load_config_or_defaults() -> Config:
    """For commands that need no set-up (`parse`, `predict`): defaults where no file is named."""
    path = _state["config"]
    if path is None and not configuration.default_path().exists():
        return Config(path=configuration.default_path())
    return configuration.load(path)


@contextmanager
def open_store(config: Config, *, read_only: bool = False) -> Iterator[Store]:
    store = Store.open(config.store_url, read_only=read_only)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on standard error; nothing where that is not a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield progress, progress.add_task(what, total=total)


def parse_since(value: str | None) -> datetime | None:
    """`2026-08-11` or a full ISO date, as a moment in UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} is not a date such as 2026-08-11") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

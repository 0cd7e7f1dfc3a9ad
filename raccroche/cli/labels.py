"""Commands of the classifier: label, predict, evaluate, train."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, TextIO, TypeVar

import typer
from rich.table import Table

from nlp.brands import BrandTable
from nlp.types import Labeller, Text
from raccroche import json_text, pipeline
from raccroche.cli.common import bar, err, load_config, load_config_or_defaults, open_store, out
from raccroche.errors import ImportFileError, LabelError
from raccroche.labelling import brand_table, known_brands, load_labeller
from raccroche.store import Store

BATCH = 512
_ROOM = 65_536  # bytes that a disk must have free for a training to begin
_SCORED = ("sentiment", "phone_harassment", "testimony", "topics", "signals", "brands")
T = TypeVar("T")


def register(app: typer.Typer) -> None:
    app.command()(label)
    app.command()(predict)
    app.command()(evaluate)
    app.command()(train)


def label(
    labeller: Annotated[
        str, typer.Option(help="embedded, rules or transformers. Default: [nlp] labeller.")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Drop its labels first: after [[brands]] changed.")
    ] = False,
) -> None:
    """
    Label every stored post that the labeller, in its present version, has not seen.

    Example: `raccroche label`
    """
    config = load_config()
    model = load_labeller(config, labeller)
    with open_store(config) as store:
        if again:
            store.drop_labels(pipeline.labeller_id(model))
        waiting = unlabelled_count(store, pipeline.labeller_id(model))
        with bar("labelling", waiting) as (progress, task):
            done = pipeline.label(
                config,
                store,
                model,
                batch_size=config.nlp.batch_size,
                progress=lambda n: progress.update(task, advance=n),
            )
    out.print(f"{done} posts labelled by {pipeline.labeller_id(model)}", soft_wrap=True)


def unlabelled_count(store: Store, labeller: str) -> int:
    """How many posts wait for *labeller*."""
    done = next((one.posts for one in store.labellers() if one.name == labeller), 0)
    return max(0, store.status().posts - done)


def predict(
    file: Annotated[
        str, typer.Argument(help="JSON Lines with id and text; - is standard input.")
    ] = "-",
    labeller: Annotated[str, typer.Option(help="embedded, rules or transformers.")] = "",
) -> None:
    """
    Write the labels of each line of FILE, a JSON object a line, in order; nothing is stored.

    A line may hold `title`, `context_brand` and `kind` too. A bad line is reported with its number.
    Example: `echo '{"id": "1", "text": "Orange m’appelle tous les jours"}' | raccroche predict`
    """
    model = load_labeller(load_config_or_defaults(), labeller)
    bad = 0
    with _opened(file) as lines:
        for rows in batched(_texts(lines), BATCH):
            for number, reason in (row for row in rows if isinstance(row, tuple)):
                print(f"{file}: line {number}: {reason}", file=sys.stderr)
                bad += 1
            texts = [row for row in rows if isinstance(row, Text)]
            for labels in model.label(texts):
                typer.echo(json_text.line(labels.to_dict()))
    if bad:
        print(f"raccroche: {bad} bad lines were left out", file=sys.stderr)
        raise typer.Exit(3)


def evaluate(
    gold: Annotated[Path, typer.Argument(help="Labelled posts, JSON Lines (docs/classifier.md).")],
    labeller: Annotated[str, typer.Option(help="embedded, rules or transformers.")] = "",
    predicted: Annotated[
        Path | None, typer.Option(help="Score these predictions instead of a labeller's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """
    Measure a labeller against labels that people gave, with 95 % bootstrap intervals.

    Disputed items are left out. Example: `raccroche evaluate gold.jsonl`
    """
    from nlp.evaluate import evaluate as score
    from nlp.evaluate import render

    config = load_config_or_defaults()
    rows = _gold(gold)
    if predicted is not None:
        answers = _gold(predicted)
    else:
        answers = [labels.to_dict() for labels in _labels(load_labeller(config, labeller), rows)]
    scores = score(rows, answers, known_brands=known_brands(config))
    header, *lines = render(scores)
    if as_json:
        typer.echo(json.dumps([dict(zip(header, x, strict=True)) for x in lines], indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(name, justify="left" if name == header[0] else "right")
    for line in lines:
        table.add_row(*line)
    out.print(table)
    if scores.missing:
        err.print(f"{scores.missing} gold posts have no prediction and are left out")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """itertools.batched, which Python 3.11 lacks."""
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def train(
    data: Annotated[
        list[Path], typer.Argument(help="Labelled JSON Lines, or folders exported as jsonl.")
    ],
    target: Annotated[
        Path, typer.Option("--out", help="Model file (.npz), or folder of a transformer.")
    ],
    base: Annotated[
        str, typer.Option(help="Fine-tune this transformer: id of the hub, or a folder.")
    ] = "",
    scratch: Annotated[
        bool, typer.Option("--scratch", help="Train a small transformer from nothing.")
    ] = False,
    repeats: Annotated[
        int, typer.Option(min=0, help="Cross-validations for the card; 0 skips them.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
) -> None:
    """
    Train a labeller on labelled posts and our own examples; writes the model and its card.

    Needs `pip install -r requirements-train.txt` for a transformer only.
    Example: `raccroche train exports/reviewed --out models/ours.npz`
    """
    from nlp.errors import NlpError
    from raccroche.training import training_rows

    table = brand_table(load_config_or_defaults())
    rows = training_rows(data)
    try:
        if base or scratch:
            said = _train_transformer(rows, table, base, target, seed)
        else:
            said = _train_embedded(rows, table, target, seed, repeats)
    except NlpError as error:
        raise LabelError(str(error)) from error
    out.print(f"{target}: {said}; set it as [nlp] model", highlight=False)


def _train_embedded(
    rows: list[dict[str, Any]], table: BrandTable, target: Path, seed: int, repeats: int
) -> str:
    from nlp.train import train_embedded

    if target.suffix != ".npz":
        raise typer.BadParameter("--out must end in .npz for the embedded labeller")
    with _made_whole(target) as made:
        card = train_embedded(
            rows, made, brand_table=table, seed=seed, repeats=repeats, progress=_told
        )
    return f"version {card.digest}, {card.bytes / 1e6:.2f} MB"


@contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """
    Where to write a model, whose folder takes the place of *target* and its card at the end only.

    A disk without room or that cannot be written is said before hours of training, as LabelError.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{target.stem}.", dir=target.parent) as folder:
            made = Path(folder, target.name)
            made.write_bytes(bytes(_ROOM))
            yield made
            for path in Path(folder).iterdir():
                os.replace(path, target.parent / path.name)
    except OSError as error:
        raise LabelError(f"{target}: cannot be written: {error.strerror}") from error


def _train_transformer(
    rows: list[dict[str, Any]], table: BrandTable, base: str, target: Path, seed: int
) -> str:
    from nlp.corpus import labelled
    from nlp.finetune import Settings, train_transformer
    from nlp.rules import Reader
    from nlp.train import see

    seen = see(labelled(rows), Reader(table))
    train_transformer(base or None, seen, target, settings=Settings(seed=seed), progress=_told)
    return "trained; its scores are in its card"


def _told(line: str) -> None:
    err.print(line, highlight=False, markup=False)


def _labels(model: Labeller, rows: Sequence[dict[str, Any]]) -> Iterator[Any]:
    with bar("labelling", len(rows)) as (progress, task):
        for part in batched(rows, BATCH):
            yield from model.label([_text(row) for row in part])
            progress.update(task, advance=len(part))


def _gold(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImportFileError(f"{path}: cannot be read: {error}") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ImportFileError(f"{path}: line {number}: not JSON: {error}") from error
        if not isinstance(row, dict) or "id" not in row:
            raise ImportFileError(f"{path}: line {number}: an object with an id is expected")
        rows.append((number, row))
    if not rows:
        raise ImportFileError(f"{path}: holds no rows")
    for number, row in rows:
        if lacking := [name for name in _SCORED if name not in row]:
            raise ImportFileError(f"{path}: line {number}: without {', '.join(lacking)}")
    return [row for _, row in rows]


class _opened:
    """A file by name, or standard input for "-", as UTF-8 lines."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> TextIO:
        try:
            self.file: TextIO = (
                open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False)
                if self.name == "-"
                else open(self.name, encoding="utf-8-sig", errors="replace")
            )
        except OSError as error:
            raise ImportFileError(f"{self.name}: cannot be read: {error.strerror}") from error
        return self.file

    def __exit__(self, *exception: object) -> None:
        self.file.close()


def _texts(lines: Iterable[str]) -> Iterator[Text | tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _text(json.loads(line))
        except (ValueError, RecursionError) as error:
            yield (
                number,
                f"not JSON: {error}" if isinstance(error, json.JSONDecodeError) else str(error),
            )


def _text(row: Any) -> Text:
    """The input of a labeller; ValueError says what is missing."""
    if not isinstance(row, dict):
        raise ValueError("an object with id and text is expected")
    for name in ("id", "text"):
        if name not in row or row[name] is None:
            raise ValueError(f"{name} is missing")
    if not isinstance(row["text"], str):
        raise ValueError("text is not a text")
    published = row.get("published_at")
    return Text(
        id=str(row["id"]),
        text=row["text"],
        title=row.get("title") or None,
        context_brand=row.get("context_brand") or None,
        kind=row.get("kind") or None,
        published_at=_day(published) if published else None,
        thread_title=row.get("thread_title") or None,
        reply_to_brand=row.get("reply_to_brand") or None,
    )


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None

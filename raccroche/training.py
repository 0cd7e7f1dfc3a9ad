"""Labelled rows for training, from JSON Lines files and from our own exported datasets."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nlp.corpus import CorpusError, read_jsonl
from raccroche.errors import ImportFileError
from raccroche.export import data_files

Row = dict[str, Any]
_LABELS = ("sentiment", "phone_harassment", "testimony", "topics", "signals")


def training_rows(paths: list[Path]) -> list[Row]:
    """
    The rows of files in the label schema, and of folders that `raccroche export --format jsonl`
    wrote.

    Raises ImportFileError naming the file: missing, broken, without any row or any label.
    """
    rows = [row for path in paths for row in _rows(path)]
    if not any(map(_labelled, rows)):
        names = ", ".join(map(str, paths))
        raise ImportFileError(
            f"no labelled row in {names}: of {len(rows)} rows none has {', '.join(_LABELS)} or "
            "brands with labels; export reviewed posts with --format jsonl"
        )
    return rows


def _labelled(row: Row) -> bool:
    return bool(row.get("brands")) or any(row.get(name) is not None for name in _LABELS)


def _rows(path: Path) -> Iterator[Row]:
    try:
        if path.is_dir():
            yield from _exported(path)
        else:
            yield from _objects(path)
    except CorpusError as error:
        raise ImportFileError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ImportFileError(f"{path}: cannot be read: {error}") from error


def _objects(path: Path) -> Iterator[Row]:
    for number, row in enumerate(read_jsonl(path), start=1):
        if not isinstance(row, dict):
            raise ImportFileError(f"{path}, row {number}: must be a JSON object")
        yield row


def _exported(folder: Path) -> Iterator[Row]:
    """Posts with their mentions, as one row in the label schema; copies are left out."""
    posts, mentions = (_table(folder, table) for table in ("posts", "mentions"))
    brands: dict[str, dict[str, Row]] = defaultdict(dict)
    for mention in read_jsonl(mentions):
        brands[mention["post_id"]][mention["brand"]] = {
            "sentiment": mention["sentiment"],
            "harassment": mention["harassment"],
            "role": mention["role"],
        }
    for post in read_jsonl(posts):
        if post["sentiment"] is not None and not post["is_copy"]:
            yield {**post, "brands": brands[post["id"]]}


def _table(folder: Path, table: str) -> Path:
    """The file that the manifest names, or `posts.jsonl` and its like where there is none."""
    named = [*data_files(folder, table), folder / f"{table}.jsonl"]
    found = named[0]
    if found.suffix != ".jsonl" or not found.exists():
        raise ImportFileError(f"{folder}: holds no {table}.jsonl; export with --format jsonl")
    return found

"""The files of a dataset: written beside, named after their content, switched by one manifest."""

import csv
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
from pyarrow import parquet

from raccroche import json_text
from raccroche.errors import ConfigError
from raccroche.export.rows import SCHEMAS, UNDATED, Row

MANIFEST = "manifest.json"
BATCH = 2_000  # rows written at a time
_OURS = re.compile(r"(posts|mentions)((-[0-9a-f]{12})?\.(csv|jsonl)|/month=[\w-]+\.parquet)")
_CELL = re.compile(
    r"\A(?= *[=+\-@＝＋－＠]|[\t\r\n])"
    r"|(?<=[;,\t\r\n])(?=[=@＝＠]|[+\-＋－][\w(\"'])"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the dataset: path relative to its folder, rows, bytes, sha256."""

    path: str
    table: str
    rows: int
    bytes: int
    sha256: str


class Dataset:
    """
    A folder that holds a dataset and the manifest that says which files are of it.

    *identity* stays the same each time the dataset is written anew; *old* are the files of the last
    time. The files of a dataset that is written *once*, where nobody reads meanwhile, have plain
    names (`posts.csv`); all others carry their version, so that new ones never replace old ones.
    """

    def __init__(self, folder: Path, *, once: bool = False) -> None:
        self.folder = folder
        self.version = "" if once else "-{hash}"
        self.identity = secrets.token_hex(16)
        self.old: dict[str, Written] = {}
        self.new: dict[str, Path] = {}
        if (folder / MANIFEST).exists():
            self.identity, self.old = _manifest(folder)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder}: is there already and is no Raccroche dataset")
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".new-*"):  # of an export that was killed
            left.unlink()

    def temporary(self) -> Path:
        return self.folder / f".new-{secrets.token_hex(8)}"

    def add(self, path: str, temporary: Path, *, table: str, rows: int) -> Written:
        """
        Take over a finished file under *path*; `{hash}` in it becomes the start of its sha256.
        """
        with temporary.open("rb+") as file:
            os.fsync(file)
        digest = _digest(temporary)
        path = path.replace("{hash}", digest[:12])
        written = Written(path, table, rows, temporary.stat().st_size, digest)
        if self.old.get(path) == written and (self.folder / path).exists():
            temporary.unlink()
        else:
            self.new[path] = temporary
        return written

    def place(self) -> None:
        """Put the new files in place, beside the old ones that the manifest still names."""
        for path, temporary in self.new.items():
            final = self.folder / path
            final.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, final)

    def switch(self, files: Sequence[Written]) -> int:
        """
        Name the files that are the dataset from now on, then drop all others of ours, also those
        that a killed export left; how many stayed.
        """
        manifest = {"dataset": self.identity, "files": [asdict(one) for one in files]}
        write_text(self, MANIFEST, json.dumps(manifest, indent=1))
        named = {one.path for one in files}
        for path in (set(self.old) | self._strays()) - named:
            (self.folder / path).unlink(missing_ok=True)
        return len(files) - len(self.new)

    def _strays(self) -> set[str]:
        """Data files in the folder, by the names that exports give."""
        found = [*self.folder.glob("*"), *self.folder.glob("*/*.parquet")]
        names = {path.relative_to(self.folder).as_posix() for path in found}
        return {name for name in names if _OURS.fullmatch(name)}

    def close(self) -> None:
        """
        Drop what was not put in place: nothing after a good end, all that is new after a bad one.
        """
        for temporary in self.folder.glob(".new-*"):
            temporary.unlink(missing_ok=True)


def data_files(folder: Path, table: str) -> list[Path]:
    """The files of a table of the dataset in *folder*, as its manifest names them; none without."""
    if not (folder / MANIFEST).exists():
        return []
    return [folder / one.path for one in _manifest(folder)[1].values() if one.table == table]


def _manifest(folder: Path) -> tuple[str, dict[str, Written]]:
    """The identity and the files, by path, of the dataset in *folder*. Raises ConfigError."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        identity, files = manifest["dataset"], [Written(**one) for one in manifest["files"]]
        ours = all(_OURS.fullmatch(one.path) for one in files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{folder / MANIFEST}: is not a manifest of ours") from error
    if not ours:  # files of it are read, and removed when they are replaced: none may be elsewhere
        raise ConfigError(f"{folder / MANIFEST}: names files that are not of a dataset")
    return identity, {one.path: one for one in files}


def write_text(dataset: Dataset, name: str, text: str) -> None:
    """A small file of the dataset, whole or not at all."""
    temporary = dataset.temporary()
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        _sync(file)
    os.replace(temporary, dataset.folder / name)


Rows = Iterator[tuple[str, str, Row]]
Writer = Callable[[Dataset, Rows, bool], list[Written]]


def _write_csv(dataset: Dataset, rows: Rows, excel: bool) -> list[Written]:
    """*excel*: as a French Excel opens it, with `;`, a byte order mark and decimal commas."""

    def start(file: TextIO, table: str) -> Callable[[Row], Any]:
        names = SCHEMAS[table].names
        writer = csv.DictWriter(file, names, delimiter=";" if excel else ",")
        writer.writeheader()
        return lambda row: writer.writerow({k: _cell(v, excel=excel) for k, v in row.items()})

    return _write_text_tables(dataset, rows, start, "csv", "utf-8-sig" if excel else "utf-8")


def _write_jsonl(dataset: Dataset, rows: Rows, excel: bool) -> list[Written]:
    def start(file: TextIO, table: str) -> Callable[[Row], Any]:
        return lambda row: file.write(json_text.line(row) + "\n")

    return _write_text_tables(dataset, rows, start, "jsonl", "utf-8")


def _write_text_tables(
    dataset: Dataset,
    rows: Rows,
    start: Callable[[TextIO, str], Callable[[Row], Any]],
    ending: str,
    encoding: str,
) -> list[Written]:
    temporary = {table: dataset.temporary() for table in SCHEMAS}
    counts = dict.fromkeys(SCHEMAS, 0)
    with ExitStack() as stack:
        write = {}
        for table, path in temporary.items():
            file = stack.enter_context(path.open("w", encoding=encoding, newline=""))
            stack.callback(_sync, file)
            write[table] = start(file, table)
        for table, _month, row in rows:
            write[table](row)
            counts[table] += 1
    return [
        dataset.add(f"{table}{dataset.version}.{ending}", path, table=table, rows=counts[table])
        for table, path in temporary.items()
    ]


def _write_parquet(dataset: Dataset, rows: Rows, excel: bool) -> list[Written]:
    """One file a table and month; rows come oldest first, so that few are open at once."""
    parts: dict[tuple[str, str], _Part] = {}
    done: list[Written] = []
    for table, month, row in rows:
        key = (table, month)
        if key not in parts:
            for past in [k for k in parts if k[1] not in (month, UNDATED)]:
                done.append(parts.pop(past).finish())
            parts[key] = _Part(dataset, table, month)
        parts[key].add(row)
    done += [part.finish() for part in parts.values()]
    return done


WRITERS: Mapping[str, Writer] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}


class _Part:
    """A Parquet file of one table and one month, zstd."""

    def __init__(self, dataset: Dataset, table: str, month: str) -> None:
        self.dataset = dataset
        self.table = table
        self.path = f"{table}/month={month}-{{hash}}.parquet"
        self.temporary = dataset.temporary()
        self.schema = SCHEMAS[table]
        self.writer = parquet.ParquetWriter(self.temporary, self.schema, compression="zstd")
        self.batch: list[Row] = []
        self.rows = 0

    def add(self, row: Row) -> None:
        self.batch.append(row)
        self.rows += 1
        if len(self.batch) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self.batch:
            self.writer.write_table(pa.Table.from_pylist(self.batch, schema=self.schema))
            self.batch = []

    def finish(self) -> Written:
        self._flush()
        self.writer.close()
        return self.dataset.add(self.path, self.temporary, table=self.table, rows=self.rows)


def _sync(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _cell(value: Any, *, excel: bool) -> Any:
    """
    A CSV cell. A text that a spreadsheet would run as a formula gets an apostrophe first, inside
    too where a spreadsheet that splits at another separator would begin a cell (OWASP, CSV
    injection); lists are joined with a bar.
    """
    if isinstance(value, list):
        value = "|".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and excel:
        return f"{value:g}".replace(".", ",")
    if isinstance(value, str):
        return _CELL.sub("'", value)
    return value

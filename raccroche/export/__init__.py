"""Labelled datasets: CSV, JSON Lines and Parquet, each with metadata, a data card and checksums."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from raccroche.config import Config
from raccroche.errors import ConfigError, RaccrocheError
from raccroche.export.files import WRITERS, Dataset, Written, data_files
from raccroche.export.metadata import Seen, describe
from raccroche.export.query import UnknownValue, check_query
from raccroche.export.rows import Salted, Splits, same_pseudonym, tables
from raccroche.privacy import read_key
from raccroche.store import ExportRecord, Filters, PostRow, Store

__all__ = ["FORMATS", "Result", "UnknownValue", "Written", "data_files", "export_dataset"]

FORMATS = tuple(WRITERS)
STEP = 1_000  # rows between two reports of progress, and a last one at the end


@dataclass(frozen=True, slots=True)
class Result:
    """
    What an export wrote: posts, files, how many of them had not changed, and the reasons for what
    is absent.
    """

    rows: int
    files: tuple[Written, ...]
    unchanged: int
    excluded: Mapping[str, int] = field(default_factory=dict)


def export_dataset(
    config: Config,
    store: Store,
    target: Path,
    *,
    form: str,
    filters: Filters,
    excel: bool = False,
    stable_pseudonyms: bool = False,
    split: bool = False,
    once: bool = False,
    by: str = "",
    progress: Callable[[int], None] = lambda rows: None,
) -> Result:
    """
    Write the posts that *filters* choose, and their mentions, as a dataset in the folder *target*.

    Two tables: `posts`, one row a post, and `mentions`, one row a (post, brand) pair. *once*: the
    folder is new and nobody reads it meanwhile, so that files have plain names. Readers of
    `manifest.json` see the old dataset or the new one, never a mixture. Raises ConfigError for an
    unknown format or a folder that holds something else, UnknownValue for a query that names what
    does not exist, before anything is written; a full or read-only disk is a RaccrocheError and
    leaves the earlier dataset whole.
    """
    if form not in FORMATS:
        raise ConfigError(f"unknown format {form!r}; one of {', '.join(FORMATS)}")
    check_query(filters, store, config)
    try:
        with contextlib.closing(Dataset(target, once=once)) as dataset:
            author = (
                same_pseudonym if stable_pseudonyms else Salted(read_key(config), dataset.identity)
            )
            splits = Splits.of(store.iterate(filters)) if split else None
            seen = Seen()
            rows = tables(_reported(store.iterate(filters), progress, seen), author, splits)
            files = tuple(WRITERS[form](dataset, rows, excel))
            excluded = store.left_out(filters)
            dataset.place()
            describe(
                dataset,
                files,
                form=form,
                config=config,
                store=store,
                filters=filters,
                excluded=excluded,
                seen=seen,
                excel=excel,
            )
            unchanged = dataset.switch(files)
    except OSError as error:
        raise RaccrocheError(
            f"{target}: the export was not finished: {error.strerror or error}; "
            "what was there before is whole"
        ) from error
    posts = sum(one.rows for one in files if one.table == "posts")
    store.add_export(
        ExportRecord(
            path=str(target), format=form, rows=posts, query=asdict(filters), by=by,
            sha256=files[0].sha256 if len(files) == 1 else "", at=datetime.now(UTC),
        )
    )  # fmt: skip
    return Result(posts, files, unchanged, excluded)


def _reported(
    rows: Iterable[PostRow], progress: Callable[[int], None], seen: Seen
) -> Iterator[PostRow]:
    number = 0
    for number, row in enumerate(rows, start=1):
        seen.see(row)
        yield row
        if number % STEP == 0:
            progress(STEP)
    progress(number % STEP)

"""A selection as one file to download: the exported dataset, with its metadata, zipped."""

import tempfile
import zipfile
from pathlib import Path

from raccroche.config import Config
from raccroche.export import export_dataset
from raccroche.store import Filters, Store

PAGES = ("publications", "exports")  # of the dashboard, where a file can be made
MOST = 100_000  # posts; more is for `raccroche export`


def made_by(name: str | None, page: str) -> str:
    """What the history keeps: who made a file, and on which page of the dashboard."""
    return f"{name or 'dashboard'}@{page}"


def maker(by: str) -> tuple[str, str]:
    """(name, page) of `made_by`; no page for a file made on the command line."""
    name, at, page = by.rpartition("@")
    return (name, page) if at and page in PAGES else (by, "")


def zipped(
    config: Config,
    store: Store,
    filters: Filters,
    *,
    form: str,
    by: str = "",
    split: bool = False,
    stable_pseudonyms: bool = False,
) -> bytes:
    """The dataset of *filters* as the bytes of a zip: data, metadata, card, checksums."""
    with tempfile.TemporaryDirectory(prefix="raccroche-") as folder:
        target = Path(folder) / "raccroche"
        excel = form == "excel"
        export_dataset(
            config,
            store,
            target,
            form="csv" if excel else form,
            filters=filters,
            excel=excel,
            by=by,
            split=split,
            stable_pseudonyms=stable_pseudonyms,
            once=True,
        )
        packed = Path(folder) / "export.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(target.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return packed.read_bytes()

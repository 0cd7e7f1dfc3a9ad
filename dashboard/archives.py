"""A selection as one file to download: the exported dataset, with its metadata, zipped."""

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from raccroche.config import Config
from raccroche.export import export_dataset
from raccroche.store import Filters, Store

PAGES = ("publications", "exports")  # of the dashboard, where a file can be made
MOST = 100_000  # posts; more is for `raccroche export`


@dataclass(frozen=True, slots=True)
class Maker:
    """
    Who made a file, in which role, on which page of the dashboard; no page for the command line.

    *name* is "dashboard" where nobody logs in; *role* is "" in records of before it was kept.
    """

    name: str
    role: str = ""
    page: str = ""

    def __str__(self) -> str:
        return f"{self.name}/{self.role}@{self.page}"


def maker(by: str) -> Maker:
    """The maker that the history keeps as *by*: `name/role@page`, or what a command wrote."""
    who, at, page = by.rpartition("@")
    if not at or page not in PAGES:
        return Maker(by)
    name, _, role = who.partition("/")
    return Maker(name, role, page)


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

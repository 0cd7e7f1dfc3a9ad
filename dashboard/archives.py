"""A selection as one file to download: the exported dataset, with its metadata, zipped."""

import tempfile
import zipfile
from pathlib import Path

from raccroche.config import Config
from raccroche.export import export_dataset
from raccroche.store import Filters, Store

MOST = 100_000  # posts; more is for `raccroche export`


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
        )
        packed = Path(folder) / "export.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(target.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return packed.read_bytes()

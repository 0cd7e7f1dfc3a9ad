"""Commands that give data out: export."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from raccroche.cli.common import bar, load_config, open_store, out, parse_since
from raccroche.labelling import shown_labeller
from raccroche.store import Filters


def register(app: typer.Typer) -> None:
    app.command()(export)


def export(
    target: Annotated[Path, typer.Argument(help="Folder or file to write.")],
    form: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet.")] = "csv",
    since: Annotated[str | None, typer.Option(help="First day, e.g. 2026-08-11.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day.")] = None,
    brand: Annotated[list[str] | None, typer.Option(help="Only these brands.")] = None,
    platform: Annotated[list[str] | None, typer.Option(help="Only these platforms.")] = None,
    topic: Annotated[list[str] | None, typer.Option(help="Only these topics.")] = None,
    signal: Annotated[list[str] | None, typer.Option(help="Only these signals.")] = None,
    harassment_only: Annotated[
        bool, typer.Option(help="Only posts that report harassment.")
    ] = False,
    labeller: Annotated[
        str, typer.Option(help="Whose labels, name@version. Default: the newest model's.")
    ] = "",
    excel: Annotated[
        bool, typer.Option(help="CSV as French Excel opens it: ; and a mark.")
    ] = False,
    stable_pseudonyms: Annotated[
        bool, typer.Option(help="The same pseudonyms in every export; default: salted anew.")
    ] = False,
    split: Annotated[bool, typer.Option(help="Add train/dev/test by author and thread.")] = False,
) -> None:
    """
    Write a labelled dataset with its metadata, data card and checksums.

    Example: `raccroche export exports/august --format parquet --since 2026-08-01`
    """
    from raccroche.export import FORMATS, UnknownValue, export_dataset

    if form not in FORMATS:
        raise typer.BadParameter(f"--format {form!r}: one of {', '.join(FORMATS)}")
    config = load_config()
    with open_store(config) as store, bar("exporting") as (progress, task):
        filters = Filters(
            labeller=labeller if labeller and store.labellers() else shown_labeller(store),
            start=_day(since),
            end=_day(until),
            brands=tuple(brand or ()),
            platforms=tuple(platform or ()),
            topics=tuple(topic or ()),
            signals=tuple(signal or ()),
            harassment_only=harassment_only,
            with_copies=True,
        )
        try:
            result = export_dataset(
                config,
                store,
                target,
                form=form,
                filters=filters,
                excel=excel,
                stable_pseudonyms=stable_pseudonyms,
                split=split,
                progress=lambda n: progress.update(task, advance=n),
            )
        except UnknownValue as error:  # wrong usage: exit code 2
            raise typer.BadParameter(str(error)) from error
    out.print(f"{result.rows} rows in {len(result.files)} files under {target}")


def _day(text: str | None) -> date | None:
    moment = parse_since(text)
    return moment.date() if moment else None

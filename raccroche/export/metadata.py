"""What a dataset says of itself: metadata, data card, Frictionless and Croissant files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from raccroche import __version__
from raccroche.config import Config
from raccroche.export.files import Dataset, Written, write_text
from raccroche.export.rows import SCHEMAS
from raccroche.reference import taxonomy_version
from raccroche.store import Filters, PostRow, Store

TITLE = "Public posts on phone harassment by brands in France, labelled"
CITATION = "Raccroche, labelled posts on phone harassment, version of {day}, dataset {identity}."
WARNING = (
    "Labels record what authors allege; none says that a rule was broken. The posts are not a "
    "statistical sample of anybody's customers. Authors are pseudonyms; numbers are masked. The "
    "texts belong to their authors: the terms of each source apply."
)
_MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}
_FRICTIONLESS = {"bool": "boolean", "double": "number", "string": "string"}
_CROISSANT = {"bool": "sc:Boolean", "double": "sc:Float", "string": "sc:Text"}

DESCRIPTIONS: Mapping[str, str] = {
    "id": "source:native id of the post; unique",
    "post_id": "id of the post in the table posts",
    "source": "platform/host that the post lives on",
    "platform": "kind of site or service",
    "kind": "post, comment, review, article or topic",
    "published_at": "moment of publication, ISO 8601, UTC; empty when the source does not say",
    "day_only": "only the day of publication is known",
    "author": "pseudonym: stable in this dataset, different in another unless asked",
    "thread": "discussion the post belongs to, in its source",
    "parent": "post it answers, in its source",
    "title": "title, personal data masked",
    "text": "text as published, personal data masked",
    "rating": "stars given by the author, where the source has them",
    "context_brand": "brand that the source is about (a reviewed company)",
    "by_brand": "posted by a brand's own account; never testimony",
    "group": "id of the earliest post with the same text; copies share it and count once",
    "is_copy": "a copy of an earlier post; leave these out of counts",
    "language": "language measured by the labeller (ISO 639-1)",
    "sentiment": "negative, neutral or positive: of the post, or towards the brand",
    "phone_harassment": "the author reports unwanted commercial calls",
    "phone_harassment_probability": "calibrated probability of phone_harassment",
    "testimony": "the author reports an own or a near relative's experience",
    "topics": "topics of the post",
    "signals": "how people are called: what the author states",
    "calls_min": "declared number of calls, lower bound",
    "calls_max": "declared number of calls, upper bound",
    "calls_per": "period of that number: hour, day, week, month or total",
    "labeller": "model and version, or person, that gave these labels",
    "split": "train, dev or test; no author and no thread is in two of them",
    "brand": "brand named, or reviewed",
    "family": "group that the brand belonged to at the date of the post",
    "harassment": "the author attributes the unwanted calls to this brand or those acting for it",
    "harassment_probability": "calibrated probability of harassment",
    "role": "part the brand plays in the post",
    "inherited": "the brand is known from the source, not named in the text",
}


@dataclass(slots=True)
class Days:
    """The first and last day of publication (UTC) of the posts that went by; undated ones aside."""

    first: date | None = None
    last: date | None = None

    def see(self, row: PostRow) -> None:
        if row.post.published_at is not None:
            day = row.post.published_at.date()
            self.first = min(self.first or day, day)
            self.last = max(self.last or day, day)


def describe(
    dataset: Dataset,
    files: Sequence[Written],
    *,
    form: str,
    config: Config,
    store: Store,
    filters: Filters,
    excluded: Mapping[str, int],
    days: Days,
) -> None:
    """
    Write `metadata.json`, `README.md`, `datapackage.json` and `croissant.json` beside the data.
    """
    now = datetime.now(UTC)
    facts: dict[str, Any] = {
        "title": TITLE,
        "dataset": dataset.identity,
        "made_at": now.isoformat(timespec="seconds"),
        "query": {k: _plain(v) for k, v in asdict(filters).items()},
        "first_day": _plain(days.first),
        "last_day": _plain(days.last),
        "counts": {name: _rows(files, name) for name in SCHEMAS},
        "excluded": dict(excluded),
        "code_version": __version__,
        "labeller": filters.labeller,
        "taxonomy_version": taxonomy_version(),
        "sources": _sources(config, store),
        "warning": WARNING,
        "citation": CITATION.format(day=now.date(), identity=dataset.identity[:8]),
        "files": [asdict(one) for one in files],
    }
    write_text(dataset, "metadata.json", _json(facts))
    write_text(dataset, "datapackage.json", _json(_datapackage(facts, files, form)))
    write_text(dataset, "croissant.json", _json(_croissant(facts, files, form)))
    write_text(dataset, "README.md", _card(facts, form))


def _sources(config: Config, store: Store) -> list[dict[str, Any]]:
    """Every place the posts of the store live in."""
    return [
        {
            "source": seen.source,
            "platform": seen.platform,
            "posts_in_store": seen.posts,
            "first_day": _plain(seen.first_day),
            "last_day": _plain(seen.last_day),
            "purposes": sorted({s.purpose for s in config.sources if s.platform == seen.platform}),
            "terms": "texts remain their authors'; the terms of the source apply",
        }
        for seen in store.sources_seen()
    ]


def _rows(files: Sequence[Written], table: str) -> int:
    return sum(one.rows for one in files if one.table == table)


def _datapackage(facts: Mapping[str, Any], files: Sequence[Written], form: str) -> dict[str, Any]:
    """Frictionless Data Package: https://datapackage.org/standard/data-package/"""
    resources = []
    for table, schema in SCHEMAS.items():
        paths = [one.path for one in files if one.table == table]
        if not paths:
            continue
        resources.append(
            {
                "name": table,
                "path": paths if len(paths) > 1 else paths[0],
                "format": form,
                "mediatype": _MEDIA[form],
                "encoding": "utf-8",
                "schema": {
                    "fields": [
                        {
                            "name": column.name,
                            "type": _FRICTIONLESS.get(str(column.type), _list_type(form)),
                            "description": DESCRIPTIONS[column.name],
                        }
                        for column in schema
                    ],
                    **({"primaryKey": "id"} if table == "posts" else {}),
                },
            }
        )
    return {
        "name": f"raccroche-{facts['dataset'][:8]}",
        "title": TITLE,
        "description": WARNING,
        "created": facts["made_at"],
        "version": facts["labeller"],
        "resources": resources,
    }


def _list_type(form: str) -> str:
    return "string" if form == "csv" else "array"


def _croissant(facts: Mapping[str, Any], files: Sequence[Written], form: str) -> dict[str, Any]:
    """MLCommons Croissant 1.0: https://docs.mlcommons.org/croissant/docs/croissant-spec.html"""
    return {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "dct": "http://purl.org/dc/terms/",
        },
        "@type": "sc:Dataset",
        "dct:conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"raccroche-{facts['dataset'][:8]}",
        "description": f"{TITLE}. {WARNING}",
        "citeAs": facts["citation"],
        "datePublished": facts["made_at"],
        "version": "1.0.0",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": one.path,
                "name": one.path,
                "contentUrl": one.path,
                "encodingFormat": _MEDIA[form],
                "contentSize": f"{one.bytes} B",
                "sha256": one.sha256,
            }
            for one in files
        ],
        "cr:recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": table,
                "name": table,
                "cr:field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"{table}/{column.name}",
                        "name": column.name,
                        "description": DESCRIPTIONS[column.name],
                        "dataType": _CROISSANT.get(str(column.type), "sc:Text"),
                        "source": {
                            "fileObject": {"@id": path},
                            "extract": {"column": column.name},
                        },
                    }
                    for column in schema
                ],
            }
            for table, schema in SCHEMAS.items()
            for path in [one.path for one in files if one.table == table][:1]
        ],
    }


def _card(facts: Mapping[str, Any], form: str) -> str:
    """A data card whose first lines tell the `datasets` library where the tables are."""
    configs = "".join(
        f"- config_name: {table}\n  data_files:\n" + "".join(f"  - {path}\n" for path in paths)
        for table in SCHEMAS
        if (paths := [one["path"] for one in facts["files"] if one["table"] == table])
    )
    separator = "" if form != "csv" else "In CSV, lists are joined with `|`.\n\n"
    lines = [
        f"---\nlanguage: fr\npretty_name: {TITLE}\nconfigs:\n{configs}---\n",
        f"# {TITLE}\n",
        f"{WARNING}\n",
        f"- made: {facts['made_at']} by Raccroche {facts['code_version']}",
        f"- labeller: {facts['labeller']}, taxonomy {facts['taxonomy_version']}",
        f"- rows: {facts['counts']['posts']} posts, {facts['counts']['mentions']} mentions",
        f"- left out: {facts['excluded']}",
        f"- query: `{json.dumps(facts['query'], ensure_ascii=False)}`",
        f"- cite as: {facts['citation']}\n",
        "## Counting\n",
        "The unit is the (post, brand) pair. Leave out `is_copy`; brand accounts (`by_brand`) and",
        "articles are not testimony. A brand's rate: those with `harassment` over all.\n",
        separator + "## Columns\n",
    ]
    for table, schema in SCHEMAS.items():
        lines.append(f"### {table}\n")
        lines += [f"- `{column.name}`: {DESCRIPTIONS[column.name]}" for column in schema]
        lines.append("")
    return "\n".join(lines)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value

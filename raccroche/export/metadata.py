"""What a dataset says of itself: metadata, data card, Frictionless and Croissant files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from raccroche import __version__
from raccroche.config import Config
from raccroche.export.croissant import Words, croissant
from raccroche.export.files import Dataset, Written, write_text
from raccroche.export.rows import SCHEMAS
from raccroche.export.terms import terms_of
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
_DECIMALS = {"decimalChar": ","}
_FRICTIONLESS = {"bool": "boolean", "double": "number", "string": "string"}

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
    "reply_to_brand": "brand whose own account the post answers, where its source tells",
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
class Span:
    """How many posts went by, and their first and last day (UTC); undated ones have no day."""

    posts: int = 0
    first: date | None = None
    last: date | None = None

    def see(self, moment: datetime | None) -> None:
        self.posts += 1
        if moment is not None:
            day = moment.date()
            self.first = min(self.first or day, day)
            self.last = max(self.last or day, day)


@dataclass(slots=True)
class Seen:
    """The posts that went into a dataset: all of them, and by (source, platform)."""

    all: Span = field(default_factory=Span)
    sources: dict[tuple[str, str], Span] = field(default_factory=dict)

    def see(self, row: PostRow) -> None:
        post = row.post
        self.all.see(post.published_at)
        self.sources.setdefault((post.source, post.platform), Span()).see(post.published_at)


def describe(
    dataset: Dataset,
    files: Sequence[Written],
    *,
    form: str,
    config: Config,
    store: Store,
    filters: Filters,
    excluded: Mapping[str, int],
    seen: Seen,
    excel: bool = False,
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
        "first_day": _plain(seen.all.first),
        "last_day": _plain(seen.all.last),
        "counts": {name: _rows(files, name) for name in SCHEMAS},
        "excluded": dict(excluded),
        "code_version": __version__,
        "labeller": filters.labeller,
        "taxonomy_version": taxonomy_version(),
        "sources": _sources(config, seen),
        "warning": WARNING,
        "citation": CITATION.format(day=now.date(), identity=dataset.identity[:8]),
        "files": [asdict(one) for one in files],
    }
    write_text(dataset, "metadata.json", _json(facts))
    write_text(dataset, "datapackage.json", _json(_datapackage(facts, files, form, excel=excel)))
    words = Words(TITLE, WARNING, DESCRIPTIONS)
    write_text(dataset, "croissant.json", _json(croissant(facts, files, form, words, excel=excel)))
    write_text(dataset, "README.md", _card(facts, form))


def _sources(config: Config, seen: Seen) -> list[dict[str, Any]]:
    """Every place that posts of the dataset live in, with its terms."""
    return [
        {
            "source": source,
            "platform": platform,
            "posts": span.posts,
            "first_day": _plain(span.first),
            "last_day": _plain(span.last),
            "purposes": sorted({s.purpose for s in config.sources if s.platform == platform}),
            **asdict(terms_of(source, platform)),
        }
        for (source, platform), span in sorted(seen.sources.items())
    ]


def _rows(files: Sequence[Written], table: str) -> int:
    return sum(one.rows for one in files if one.table == table)


def _datapackage(
    facts: Mapping[str, Any], files: Sequence[Written], form: str, *, excel: bool
) -> dict[str, Any]:
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
                "encoding": "utf-8-sig" if excel else "utf-8",
                **({"dialect": {"delimiter": ";"}} if excel else {}),
                "schema": {
                    "fields": [
                        {
                            "name": column.name,
                            "type": _FRICTIONLESS.get(str(column.type), _list_type(form)),
                            "description": DESCRIPTIONS[column.name],
                            **(_DECIMALS if excel and str(column.type) == "double" else {}),
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
        "## Sources and their terms\n",
        *_terms_lines(facts["sources"]),
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


def _terms_lines(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        " ".join(
            [f"- `{one['source']}`, {one['posts']} posts: {one['terms']} {one['licence']}"]
            + [f"<{one[name]}>" for name in ("address", "robots") if one[name]]
        )
        for one in sources
    ] + [""]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value

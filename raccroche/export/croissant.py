"""Croissant metadata, which machine learning tools read: every file, table and column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from raccroche.export.files import Written
from raccroche.export.rows import SCHEMAS

# The context of Croissant 1.0, as its specification gives it.
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/jsonlines",
    "parquet": "application/x-parquet",
}
_TYPES = {"bool": "sc:Boolean", "double": "sc:Float"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a dataset is, and what each of its *columns* means."""

    title: str
    description: str
    columns: Mapping[str, str]


def croissant(
    facts: Mapping[str, Any], files: Sequence[Written], form: str, words: Words, *, excel: bool
) -> dict[str, Any]:
    """
    MLCommons Croissant 1.0: https://docs.mlcommons.org/croissant/docs/croissant-spec.html

    Each file with its checksum; a table of several files is read through a FileSet. Croissant
    cannot name a separator: of CSV for French Excel (*excel*) only the files are told.
    """
    tables = [table for table in SCHEMAS if any(one.table == table for one in files)]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"raccroche-{facts['dataset'][:8]}",
        "description": f"{words.title}. {words.description}",
        "citeAs": facts["citation"],
        "datePublished": facts["made_at"],
        "version": "1.0.0",
        "license": "Each source has terms of its own: metadata.json, sources.",
        "distribution": [
            *(_file(one, form) for one in files),
            *(_file_set(table, files, form) for table in tables if form == "parquet"),
        ],
        "recordSet": [_records(table, files, form, words.columns) for table in tables if not excel],
    }


def _file(one: Written, form: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": one.path,
        "name": one.path,
        "contentUrl": one.path,
        "encodingFormat": _MEDIA[form],
        "contentSize": f"{one.bytes} B",
        "sha256": one.sha256,
    }


def _file_set(table: str, files: Sequence[Written], form: str) -> dict[str, Any]:
    """The files of a table by name: a pattern would match those of an export that was killed."""
    return {
        "@type": "cr:FileSet",
        "@id": f"{table}-files",
        "name": f"{table}-files",
        "encodingFormat": _MEDIA[form],
        "includes": [one.path for one in files if one.table == table],
    }


def _records(
    table: str, files: Sequence[Written], form: str, columns: Mapping[str, str]
) -> dict[str, Any]:
    named = {"fileSet": {"@id": f"{table}-files"}}
    if form != "parquet":
        (path,) = (one.path for one in files if one.table == table)
        named = {"fileObject": {"@id": path}}
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        **({"key": {"@id": "posts/id"}} if table == "posts" else {}),
        "field": [_field(table, column, named, form, columns) for column in SCHEMAS[table]],
    }


def _field(
    table: str, column: pa.Field, named: Mapping[str, Any], form: str, columns: Mapping[str, str]
) -> dict[str, Any]:
    several = pa.types.is_list(column.type)
    split = {"transform": {"separator": "|"}} if several and form == "csv" else {}
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "description": columns[column.name],
        "dataType": "sc:DateTime" if column.name == "published_at" else _type(column),
        **({"repeated": True} if several else {}),
        "source": {**named, "extract": {"column": column.name}, **split},
    }


def _type(column: pa.Field) -> str:
    return _TYPES.get(str(column.type), "sc:Text")

"""Reads required fields of JSON answers, so that a source that changes is heard by name."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from raccroche.errors import SourceError

T = TypeVar("T")
LARGEST = 2**63  # whole numbers that a database takes are below


def need(row: Any, path: str, kind: type[T], url: str) -> T:
    """
    The value at *path* ("account.acct") of a JSON object.

    Raises SourceError naming the field when it is missing, not of *kind*, or a number that no
    database takes.
    """
    found = row.get(path) if type(row) is dict else None
    if type(found) is kind is str:
        return _sound(found)  # most fields of most answers
    value = row
    for name in path.split(".") if "." in path else (path,):
        if not isinstance(value, (dict, Mapping)) or name not in value:
            raise SourceError(f"field {path} is missing", url=url)
        value = value[name]
    if not _in_range(value):
        raise SourceError(f"field {path} is out of range", url=url)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise SourceError(
            f"field {path} is {type(value).__name__}, expected {kind.__name__}", url=url
        )
    return _sound(value)


def identifier(row: Any, path: str, url: str) -> str:
    """The id at *path*, a number or a text, as text."""
    value = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise SourceError(f"field {path} is missing or no id", url=url)
    return _safe(str(value))


def optional(row: Any, path: str, kind: type[T]) -> T | None:
    """The value at *path*, or None when it is missing, of another kind, or out of range."""
    value = row
    for name in path.split(".") if "." in path else (path,):
        if type(value) is not dict and not isinstance(value, Mapping):
            return None
        value = value.get(name)
    if type(value) is kind is str:
        return _sound(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        return None
    return _sound(value) if _in_range(value) else None


def rows(data: Any, url: str, what: str = "rows") -> list[Any]:
    """*data* as a list, or SourceError."""
    if not isinstance(data, list):
        raise SourceError(f"expected a list of {what}, got {type(data).__name__}", url=url)
    return data


def moment(text: str, path: str, url: str, *, zone: Any = UTC) -> datetime:
    """An ISO 8601 moment in UTC; SourceError naming *path* when it is none."""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"field {path} is no date: {text[:40]!r}", url=url) from error


def counts(**numbers: Any) -> dict[str, int]:
    """The engagement numbers that are whole numbers in range."""
    return {
        name: value
        for name, value in numbers.items()
        if isinstance(value, int) and not isinstance(value, bool) and _in_range(value)
    }


def _in_range(value: Any) -> bool:
    """Whether *value*, if it is a number, is finite and of 64 bits."""
    return isinstance(value, str) or not isinstance(value, (int, float)) or abs(value) < LARGEST


def _sound(value: T) -> T:
    """*value*, a text as one that can be encoded."""
    return cast(T, _safe(value)) if isinstance(value, str) else value


def _safe(text: str) -> str:
    """*text* that a database takes: a lone surrogate becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()

"""JSON read and written by orjson, and by the standard library where orjson refuses."""

import json
from typing import Any

import orjson


def read(body: bytes) -> Any:
    """
    The value that *body* holds; ValueError or RecursionError where it holds none.

    UTF-16, lone surrogates, NaN and numbers beyond a double are read as the standard library reads
    them; whole numbers beyond 64 bits come as floats.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def line(row: Any) -> str:
    """*row* on one line, without the line's end; what is no number is null."""
    try:
        return orjson.dumps(row).decode()
    except TypeError:  # lone surrogates, whole numbers beyond 64 bits
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

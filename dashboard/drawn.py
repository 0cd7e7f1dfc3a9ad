"""Charts that are drawn once: the same table in the same words is the same chart, for everybody."""

import threading
from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from typing import Any, ParamSpec

import altair as alt
import pandas as pd
from altair.utils.schemapi import disable_debug_mode

from dashboard import words
from dashboard.kept import Answers

P = ParamSpec("P")
KEPT = 512  # charts of all sessions; a chart is some tens of kilobytes

# Checking each part of a chart against the schema of Vega-Lite while it is built takes longer than
# all the rest: the tests check whole charts instead.
disable_debug_mode()


class Spec:
    """
    A specification of Vega-Lite written out, whose layers hold tables as their *data*.

    Answers `to_dict` as Altair’s charts do, much sooner: no objects are built, copied and checked.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = {"$schema": alt.SCHEMA_URL, **spec}

    def to_dict(self, **options: Any) -> dict[str, Any]:
        """The specification; tables go where Altair's transformer of data puts them."""
        names: dict[int, dict[str, Any]] = {}  # each table once, however many layers show it
        held: dict[str, Any] = {}
        layers = []
        for layer in self._spec["layer"]:
            table = layer["data"]
            if id(table) not in names:
                names[id(table)] = _placed(table, held)
            layers.append({**layer, "data": names[id(table)]})
        spec = {**self._spec, "layer": layers}
        return {**spec, "datasets": held} if held else spec


def _placed(table: pd.DataFrame, held: dict[str, Any]) -> dict[str, Any]:
    """Where a table is found: by its name, after it was put among the tables *held* if need be."""
    found = alt.data_transformers.get()(table)
    if "values" not in found:
        return dict(found)
    name = f"data-{len(held)}"
    held[name] = found["values"]
    return {"name": name}


class Drawn:
    """
    A chart that remembers what it looks like: Streamlit asks it `to_dict`, as it asks Altair's.

    All else is asked of the chart itself.
    """

    def __init__(self, chart: Any) -> None:
        self._chart = chart
        self._kept: tuple[dict[str, Any], dict[str, bytes]] | None = None
        self._lock = threading.Lock()

    def to_dict(self, **options: Any) -> Any:
        """The specification; tables go where Streamlit’s transformer of data puts them."""
        held = alt.data_transformers.options.get("datasets")
        if held is None or options:  # nobody collects the tables: they stand in the specification
            return self._chart.to_dict(**options)
        with self._lock:
            if self._kept is None:
                before = dict(held)
                spec = self._chart.to_dict(validate=False)
                added = {name: table for name, table in held.items() if name not in before}
                self._kept = spec, added
        spec, tables = self._kept
        held.update(tables)
        return _copied(spec)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chart, name)


def _copied(spec: Any) -> Any:
    """A copy that may be changed: Streamlit changes what it shows."""
    if isinstance(spec, dict):
        return {key: _copied(value) for key, value in spec.items()}
    return [_copied(one) for one in spec] if isinstance(spec, list) else spec


_charts = Answers(KEPT)


def once(draw: Callable[P, Any]) -> Callable[P, Any]:
    """A function from tables to a chart that draws the same only once, whoever asks."""

    @wraps(draw)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Any:
        key = fingerprint(draw.__qualname__, *args, **kwargs)
        return _charts.get(key, lambda: Drawn(draw(*args, **kwargs)))

    return asked


def fingerprint(name: str, *args: Any, **kwargs: Any) -> bytes:
    """What a chart or table in words depends on: all it is made of, and the reader's language."""
    told = [_told(one) for one in (name, words.language(), *args)]
    told += [(key, _told(one)) for key, one in sorted(kwargs.items())]
    return blake2b(repr(told).encode(), digest_size=20).digest()


def _told(value: Any) -> Any:
    """A value in words: what a table holds, whatever memory it lies in."""
    if not isinstance(value, pd.DataFrame):
        return value
    return [(name, str(column.dtype), _cells(column)) for name, column in value.items()]


def _cells(column: "pd.Series[Any]") -> Any:
    cells = column.to_numpy()
    return cells.tolist() if cells.dtype.hasobject else blake2b(cells.tobytes()).digest()

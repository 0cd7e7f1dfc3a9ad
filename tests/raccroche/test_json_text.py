"""JSON by orjson says what the standard library would say, but for numbers beyond 64 bits."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raccroche import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_what_the_standard_library_writes_is_read_the_same(value: object) -> None:
    written = json.dumps(value).encode()
    assert json_text.read(written) == json.loads(written)


@given(VALUES)
def test_a_line_is_read_back_by_the_standard_library(value: object) -> None:
    line = json_text.line(value)
    assert "\n" not in line
    again = json.loads(line)
    assert again == (None if isinstance(value, float) and math.isinf(value) else again)
    assert json_text.line(again) == line


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'"\\ud83d"', "\ud83d"),
        (b"[NaN, 1e400]", None),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
    ],
)
def test_what_orjson_refuses_is_read_by_the_standard_library(body: bytes, value: object) -> None:
    read = json_text.read(body)
    assert read == value if value is not None else math.isnan(read[0]) and math.isinf(read[1])


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff\xfe\x00", b"[1,]"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="."):
        json_text.read(body)


def test_a_line_with_what_no_file_could_hold_is_still_json() -> None:
    assert json.loads(json_text.line({"a": "\ud83d", "b": 10**30})) == {"a": "\ud83d", "b": 10**30}

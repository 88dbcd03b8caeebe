"""Values as JSON: what is made plain, stored and read."""

from typing import Any

import numpy
import pytest

from hansei.evaluation.json_text import canonical_json, json_or_text, plain_json, stored_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5]}', {"a": [1, 2.5]}),
        ("no JSON", "no JSON"),
        ("[NaN, -Infinity, 1e999]", ["NaN", "-Infinity", "1e999"]),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_read(text: str, value: Any) -> None:
    """A text that is JSON is its value, one that is none itself; no number comes of it that JSON has not."""
    assert json_or_text(text) == value


def test_written() -> None:
    """What JSON has no form for becomes text, null or a question mark; equal values have one canonical text."""
    assert plain_json({1: numpy.float64("nan"), "b": numpy.arange(2), "c": {4}}) == {"1": None, "b": [0, 1], "c": [4]}
    assert stored_json(["\ud800", "é"]) == '["?","é"]'
    assert canonical_json({"b": 1.0, "a": [2]}) == canonical_json({"a": [2.0], "b": 1}) == '{"a":[2],"b":1}'

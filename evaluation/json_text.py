"""Values as JSON: made plain, as text that is stored, compared or shown, and read from text."""

import json
import math
from collections.abc import Mapping
from typing import Any

from hansei.feedback.text import sendable


def plain_json(value: Any) -> Any:
    """A value as JSON holds it: what it has no form for is its text, a number that is none is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(each) for each in value]
    to_list = getattr(value, "tolist", None)
    if callable(to_list):
        return plain_json(to_list())
    model_dump = getattr(value, "model_dump", None)
    if callable(model_dump):
        return plain_json(model_dump(mode="json"))
    return str(value)


def stored_json(value: Any) -> str:
    """A value as it is stored."""
    return sendable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def canonical_json(value: Any) -> str:
    """One text for values that are equal as JSON: 1 and 1.0 are the same number."""
    text = json.dumps(_canonical(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sendable(text)


def shown_json(value: Any) -> str:
    """A value as a person or a model reads it, in one line; what JSON has no form for is its text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def json_or_text(text: str) -> Any:
    """The value of a text that is JSON; a text that is none is itself. A number that is none stays a text."""
    try:
        return json.loads(text, parse_constant=str, parse_float=_number_or_text)
    except (ValueError, RecursionError):
        return text


def _number_or_text(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _canonical(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): _canonical(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(each) for each in value]
    return value


def is_missing(value: object) -> bool:
    """Whether it is what a DataFrame holds in place of nothing: None, or a number that is none."""
    return value is None or (isinstance(value, float) and value != value)

"""JSON text of message content, safe to put on a span."""

import json
from collections.abc import Mapping
from typing import Any


def json_text(value: object) -> str:
    """Compact JSON of ``value``; readable, so that SQL finds the words of any language.

    A lone surrogate has no UTF-8 form, and one would make the exporter drop the whole batch of spans: such
    a text is written with escapes instead.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return json.dumps(value, separators=(",", ":"), default=_plain)
    return text


def parsed_or_text(text: str) -> object:
    """The value that a JSON text stands for, or the text itself when it is not strictly JSON."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _plain(value: Any) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json")
    # Named rather than converted: a generator must not be consumed and a repr is not data.
    return f"<{type(value).__name__}>"

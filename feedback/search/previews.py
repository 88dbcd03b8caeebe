"""The beginning of what was asked and answered: the words of people and models, not the JSON around them."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.feedback.search.connection import Query
from hansei.feedback.search.statements import statement
from hansei.feedback.search.stored import INPUTS, OUTPUTS, REQUEST_PREVIEW, RESPONSE_PREVIEW, Row

LONGEST: Final = 300
"""Characters of a preview."""

_TELLING: Final = (
    "parts", "content", "text", "messages", "message", "question", "query", "input", "answer", "output"
)  # fmt: skip
"""Keys under which an object says what it is about."""
_SPACE: Final = re.compile(r"\s+")
_CONTENT: Final = re.compile(r'"(?:content|text)"\s*:\s*("(?:[^"\\]|\\.)*")')


def previews(query: Query, rows: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """Request and response of each trace, of rows of ``summaries``: the root's, else those of its model calls."""
    moments = {moment for row in rows for moment in (row["First"][5], *_calls(row))}
    contents: dict[tuple[str, int], Mapping[str, str]] = {}
    asked = {
        "trace_ids": [row["TraceId"] for row in rows],
        "moments": sorted(moments),
        "names": [*INPUTS, *OUTPUTS, REQUEST_PREVIEW, RESPONSE_PREVIEW],
    }
    for found in query(statement("contents_of_spans"), asked):
        key = (found["TraceId"], found["At"])
        # A root and a call may begin in the same nanosecond.
        contents[key] = {**contents.get(key, {}), **found["Contents"]}
    made = {}
    for row in rows:
        trace_id = row["TraceId"]
        root = contents.get((trace_id, row["First"][5]), {})
        calls = [contents.get((trace_id, moment), {}) for moment in _calls(row)] or [{}]
        made[trace_id] = (
            _first(root, (REQUEST_PREVIEW, *INPUTS), last_of="user") or _first(calls[0], INPUTS, last_of="user"),
            _first(root, (RESPONSE_PREVIEW, *OUTPUTS)) or _first(calls[-1], OUTPUTS),
        )
    return made


def _calls(row: Row) -> tuple[int, ...]:
    return (row["FirstCall"], row["LastCall"]) if row["Calls"] else ()


def _first(contents: Mapping[str, str], names: Sequence[str], last_of: str = "") -> str:
    found = next((contents[name] for name in names if contents.get(name)), "")
    return preview(found, last_of)


def preview(text: str, last_of: str = "") -> str:
    """The words of a text that may be JSON: of messages the last one, or the last of a role; in one line."""
    try:
        words = _words(json.loads(text), last_of)
    except (ValueError, RecursionError):
        # Of a long one there is only the end, or it is plain text.
        pieces = _CONTENT.findall(text)
        words = json.loads(pieces[-1], strict=False) if pieces else text
    line = _SPACE.sub(" ", words).strip()
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _words(value: Any, last_of: str = "") -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        messages = [item for item in value if isinstance(item, dict) and "role" in item]
        if messages:
            of_role = [message for message in messages if message["role"] == last_of]
            return _words((of_role or messages)[-1])
        return " ".join(filter(None, (_words(item) for item in value)))
    if isinstance(value, dict):
        told = next((name for name in _TELLING if value.get(name)), None)
        if told is not None:
            return _words(value[told], last_of)
        if value.get("type") == "text":
            return ""
        if value.get("type") == "tool_call" or "arguments" in value:
            arguments = value.get("arguments", "")
            shown = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            return f"{value.get('name', '')}({shown})"
        if len(value) == 1:
            return _words(next(iter(value.values())), last_of)
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else json.dumps(value)

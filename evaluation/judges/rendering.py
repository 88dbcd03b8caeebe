"""What is judged, as a model reads it: delimited, and no longer than it can read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.scorers.text_of import messages_of, text_of
from hansei.feedback.search.trace import Span, Trace

LONGEST: Final = 60_000
"""Characters of one value; of a longer one the middle is left out."""
_LONGEST_PART: Final = 4_000
"""Of what went into and came out of one span."""
_MOST_SPANS: Final = 200


def enclosed(name: str, text: str) -> str:
    """A value between tags of its name; what would close them is written otherwise in it."""
    harmless = text.replace(f"</{name}", f"<\\/{name}")
    return f"<{name}>\n{bounded(harmless, LONGEST)}\n</{name}>"


def bounded(text: str, longest: int) -> str:
    """A text without its middle, and how much that was, where it is too long. Lone surrogates become question marks."""
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"
    return text.encode(errors="replace").decode()


def value_text(value: Any, role: str) -> str:
    """Inputs (role ``user``) or outputs (``assistant``): the readable text, or JSON where there is more to it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) > 1 and not _is_conversation(value):
        return as_json(value)
    return text_of(value, role) or as_json(value)


def _is_conversation(value: Mapping[str, Any]) -> bool:
    return any(name in value for name in ("messages", "choices", "role", "parts"))


def as_json(value: Any) -> str:
    """JSON on lines of its own."""
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)


def conversation_text(traces: Sequence[Trace]) -> str:
    """The turns of a conversation, a line each with who says it."""
    lines = []
    for number, trace in enumerate(traces, 1):
        said = messages_of(trace.info.request, "user")
        asked = said[-1][1] if said else ""
        lines.append(f"[turn {number}] user: {asked}")
        answer = text_of(trace.info.response)
        failed = " (the application failed)" if trace.info.state == "ERROR" else ""
        lines.append(f"[turn {number}] assistant: {answer}{failed}")
    return "\n".join(lines)


def trace_text(trace: Trace) -> str:
    """The spans of a trace, indented below their parents, with what went in and came out."""
    children: dict[str | None, list[Span]] = {}
    known = {span.span_id for span in trace.spans}
    for span in trace.spans:
        parent = span.parent_id if span.parent_id in known else None
        children.setdefault(parent, []).append(span)
    lines: list[str] = []
    stack = [(span, 0) for span in reversed(children.get(None, []))]
    while stack and len(lines) < _MOST_SPANS:
        span, depth = stack.pop()
        lines.append(_span_text(span, "  " * depth))
        stack += [(child, depth + 1) for child in reversed(children.get(span.span_id, []))]
    if len(trace.spans) > len(lines):
        lines.append(f"[… {len(trace.spans) - len(lines)} spans left out …]")
    return "\n".join(lines)


def _span_text(span: Span, indent: str) -> str:
    took = (span.end_time_ns - span.start_time_ns) / 1e6
    lines = [f"{indent}- {span.name} [{span.span_type}, {took:.0f} ms, {span.status}]"]
    if span.status_message:
        lines.append(f"{indent}  error: {bounded(span.status_message, _LONGEST_PART)}")
    for name, value in (("in", span.inputs), ("out", span.outputs)):
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            lines.append(f"{indent}  {name}: {bounded(text, _LONGEST_PART)}")
    return "\n".join(lines)

"""What is judged, as a model reads it: delimited, and no longer than it can read."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.json_text import shown_json
from hansei.evaluation.scorers.text_of import text_of
from hansei.feedback.search.trace import Span, Trace

LONGEST: Final = 60_000
"""Characters of one value; of a longer one the middle is left out."""
LONGEST_LIST: Final = 45_000
"""Of all entries of a list together, such as the turns of a conversation; their marks and indents come on top."""
_SHORTEST: Final = 200
"""An entry is not made shorter than this."""
_LONGEST_PART: Final = 4_000
"""Of what went into and came out of one span."""
_MOST_SPANS: Final = 200


def enclosed(name: str, text: str, tags: Iterable[str] = ()) -> str:
    """A value between tags of its name; what would open or close these, or some other tags, is written otherwise in
    it."""
    names = "|".join(map(re.escape, dict.fromkeys((name, *tags))))
    harmless = re.sub(rf"(?i)<(?=[\s/]*(?:{names})\b)", r"<\\", text)
    return f"<{name}>\n{bounded(harmless, LONGEST)}\n</{name}>"


def indented(text: str) -> str:
    """A text whose lines but the first begin with two spaces: an entry of a list, that cannot pose as the next one."""
    return "\n  ".join(text.splitlines())


def fitted(texts: Sequence[str], longest: int) -> list[str]:
    """Texts that have this many characters together: the longest of them are shortened, to the same length."""
    left = longest
    for place, size in enumerate(sorted(map(len, texts))):
        share = left // (len(texts) - place)
        if size > share:
            return [bounded(text, max(share, _SHORTEST)) for text in texts]
        left -= size
    return list(texts)


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
    """The turns of a conversation, each with who says it; further lines of what is said are indented."""
    heads, said = [], []
    for number, trace in enumerate(traces, 1):
        failed = " (the application failed)" if trace.info.state == "ERROR" else ""
        heads += [f"[turn {number}] user: ", f"[turn {number}] assistant{failed}: "]
        said += [text_of(trace.info.request, "user"), text_of(trace.info.response)]
    return "\n".join(head + indented(text) for head, text in zip(heads, fitted(said, LONGEST_LIST), strict=True))


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
    lines = [f"{indent}- {' '.join(span.name.split())} [{span.span_type}, {took:.0f} ms, {span.status}]"]
    if span.status_message:
        lines.append(f"{indent}  error: {_within(span.status_message, indent)}")
    for name, value in (("in", span.inputs), ("out", span.outputs)):
        if value is not None:
            text = value if isinstance(value, str) else shown_json(value)
            lines.append(f"{indent}  {name}: {_within(text, indent)}")
    return "\n".join(lines)


def _within(text: str, indent: str) -> str:
    """A text of a span: its further lines are indented below what stands before it, and cannot pose as spans."""
    return f"\n{indent}    ".join(bounded(text, _LONGEST_PART).splitlines())

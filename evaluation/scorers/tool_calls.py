"""The tools that a trace called."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.judges.rendering import bounded
from hansei.feedback.search.trace import Span, Trace

_LONGEST: Final = 2_000
"""Characters of what went into a tool, and of what came out."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool, as it was made."""

    name: str
    arguments: Any
    result: Any = None
    failed: str = ""

    @property
    def text(self) -> str:
        """A line or two."""
        outcome = f"failed: {self.failed}" if self.failed else f"returned {_short(self.result)}"
        return f"{self.name}({_short(self.arguments)}) {outcome}"


def tool_calls(trace: Trace) -> list[ToolCall]:
    """The calls in the order in which they began: of the spans of tools, else of what models asked for."""
    spans = [span for span in trace.spans if span.span_type == "TOOL"]
    if spans:
        return [_of_span(span) for span in spans]
    return [call for span in trace.spans for call in _asked_for(span)]


def numbered(calls: Sequence[ToolCall]) -> str:
    """The calls, numbered from 1."""
    return "\n".join(f"{number}. {call.text}" for number, call in enumerate(calls, 1))


def available_tools(trace: Trace) -> str:
    """The tools that models could choose from, as they were told; empty where that was not recorded."""
    for span in trace.spans:
        told = span.attributes.get("gen_ai.tool.definitions")
        if told:
            return bounded(told, 4 * _LONGEST)
    return ""


def _of_span(span: Span) -> ToolCall:
    name = span.attributes.get("gen_ai.tool.name") or span.name.removeprefix("execute_tool ")
    failed = (span.status_message or "it failed") if span.status == "Error" else ""
    return ToolCall(name, span.inputs, span.outputs, failed)


def _asked_for(span: Span) -> list[ToolCall]:
    messages = span.outputs if isinstance(span.outputs, list) else []
    parts = [part for each in messages if isinstance(each, Mapping) for part in each.get("parts") or ()]
    return [
        ToolCall(str(part.get("name", "")), arguments_of(part.get("arguments")))
        for part in parts
        if isinstance(part, Mapping) and part.get("type") == "tool_call"
    ]


def arguments_of(given: Any) -> Any:
    """Arguments as an object, also where they were recorded as JSON text."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return bounded(text, _LONGEST)

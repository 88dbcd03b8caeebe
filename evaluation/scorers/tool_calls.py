"""The tools that a trace called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hansei.evaluation.json_text import json_or_text, shown_json
from hansei.evaluation.judges.rendering import LONGEST_LIST, bounded, fitted, indented
from hansei.evaluation.scorers.retrieved import ancestors
from hansei.feedback.search.trace import Span, Trace

_LONGEST: Final = 2_000
"""Characters of what went into a tool, and of what came out."""
_MODELS: Final = ("CHAT_MODEL", "LLM")
_CALLS: Final = ("tool_call", "function_call", "tool_use")
_RESULTS: Final = ("tool_call_response", "function_call_output", "tool_result")
_HOLDERS: Final = ("choices", "message", "messages", "input", "output", "parts", "content", "tool_calls")
"""Keys under which messages, their parts and their calls stand."""
_DEEPEST: Final = 8
MARK: Final = "; mark the functions that are tools with @hansei.trace(span_type='TOOL')"
"""What to do where a trace has no calls."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool, as it was made."""

    name: str
    arguments: Any
    result: Any = None
    """None where it is not known."""
    failed: str = ""

    @property
    def text(self) -> str:
        """A line or two."""
        outcome = "" if self.result is None else f" returned {_short(self.result)}"
        return f"{self.name}({_short(self.arguments)}){f' failed: {self.failed}' if self.failed else outcome}"


def tool_calls(trace: Trace) -> list[ToolCall]:
    """The calls in the order in which they began: of the spans of tools, else of what models asked for.

    A call that has two spans, of the function and of the library that calls it, is one.
    """
    above = {span.span_id: span for span in trace.spans}
    spans = [
        span
        for span in trace.spans
        if span.span_type == "TOOL"
        and not any(each.span_type == "TOOL" and _name(each) == _name(span) for each in ancestors(span, above))
    ]
    return [_of_span(span) for span in spans] if spans else _asked_for(trace)


def numbered(calls: Sequence[ToolCall], longest: int = LONGEST_LIST) -> str:
    """The calls, numbered from 1; the longest shortened until all have this many characters together."""
    shown = fitted([call.text for call in calls], longest)
    return "\n".join(f"{number}. {indented(text)}" for number, text in enumerate(shown, 1))


def available_tools(trace: Trace) -> str:
    """The tools that models could choose from, as they were told; empty where that was not recorded."""
    for span in trace.spans:
        told = span.attributes.get("gen_ai.tool.definitions")
        if told:
            return bounded(told, 4 * _LONGEST)
    return ""


def _name(span: Span) -> str:
    return span.attributes.get("gen_ai.tool.name") or span.name.removeprefix("execute_tool ")


def _of_span(span: Span) -> ToolCall:
    failed = (span.status_message or "it failed") if span.status == "Error" else ""
    return ToolCall(_name(span), span.inputs, span.outputs, failed)


def _asked_for(trace: Trace) -> list[ToolCall]:
    """What models asked for, each call once, with its result where a model was told it."""
    models = [span for span in trace.spans if span.span_type in _MODELS] or trace.spans
    results = {
        call_id: result for span in models for each in _objects(span.inputs) for call_id, result in _result_in(each)
    }
    calls: dict[object, ToolCall] = {}
    for span in models:
        for each in _objects(span.outputs):
            call = _call_in(each)
            if call is not None:
                call_id = each.get("call_id") or each.get("id") or object()
                calls.setdefault(call_id, replace(call, result=results.get(call_id)))
    return list(calls.values())


def _objects(value: Any, depth: int = _DEEPEST) -> Iterator[Mapping[str, Any]]:
    """The messages, their parts and their calls in a value."""
    if depth and isinstance(value, list):
        for each in value:
            yield from _objects(each, depth - 1)
    elif depth and isinstance(value, Mapping):
        yield value
        for name in _HOLDERS:
            yield from _objects(value.get(name), depth - 1)


def _call_in(value: Mapping[str, Any]) -> ToolCall | None:
    function = value.get("function")
    told = function if isinstance(function, Mapping) else value if value.get("type") in _CALLS else {}
    if not isinstance(told.get("name"), str):
        return None
    given = next((told[name] for name in ("arguments", "args", "input") if name in told), None)
    return ToolCall(told["name"], arguments_of(given))


def _result_in(value: Mapping[str, Any]) -> Iterator[tuple[object, Any]]:
    names = ("call_id", "tool_call_id", "tool_use_id", "id")
    if value.get("type") in _RESULTS or value.get("role") == "tool":
        call_id = next((value[name] for name in names if isinstance(value.get(name), str)), None)
        result = next((value[name] for name in ("response", "result", "output", "content") if name in value), None)
        if call_id is not None:
            yield call_id, result


def arguments_of(given: Any) -> Any:
    """Arguments as an object, also where they were recorded as JSON text."""
    return json_or_text(given) if isinstance(given, str) else given


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else shown_json(value)
    return bounded(text, _LONGEST)

"""The events of a streamed response, put together as far as it got."""

from typing import Any

from hansei.instrumentation.operations.bounded_text import BoundedText
from hansei.instrumentation.operations.fields import field
from hansei.instrumentation.operations.operation import StreamReader

_MAX_ITEMS = 128
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_BEGINNINGS = frozenset({"response.created", "response.queued", "response.in_progress"})
_TEXTS = frozenset({"response.output_text.delta", "response.refusal.delta"})
_REASONING = frozenset({"response.reasoning_text.delta", "response.reasoning_summary_text.delta"})
_ARGUMENTS = frozenset({"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"})


class ResponsesReader(StreamReader):
    """The last event has the whole response; what came before it counts only where that event does not come."""

    def __init__(self, max_length: int) -> None:
        self.complete = False
        self._max_length = max_length
        self._response: Any = None
        self._error: str | None = None
        self._items: dict[int, tuple[str, dict[str, Any], BoundedText]] = {}

    def read(self, chunk: Any) -> None:
        """See :class:`StreamReader`."""
        kind = field(chunk, "type")
        if kind in _TEXTS:
            if self._max_length:
                self._add("message", chunk)
        elif kind in _ENDS:
            self._response, self.complete = field(chunk, "response"), True
            self._items.clear()
        elif kind in _BEGINNINGS:
            self._response = field(chunk, "response")
        elif kind == "error":
            self._error, self.complete = str(field(chunk, "code") or "error"), True
        elif self._max_length:
            if kind in _REASONING:
                self._add("reasoning", chunk)
            elif kind in _ARGUMENTS:
                self._add("function_call", chunk)
            elif kind == "response.output_item.added":
                self._begin(chunk)

    def _begin(self, chunk: Any) -> None:
        item = field(chunk, "item")
        if field(item, "type") in ("function_call", "custom_tool_call"):
            described = {name: field(item, name) for name in ("type", "name", "call_id", "id")}
            self._item("function_call", chunk)[1].update(described)

    def _add(self, kind: str, chunk: Any) -> None:
        if isinstance(delta := field(chunk, "delta"), str):
            self._item(kind, chunk)[2].add(delta)

    def _item(self, kind: str, chunk: Any) -> tuple[str, dict[str, Any], BoundedText]:
        index = field(chunk, "output_index")
        index = index if type(index) is int else 0
        known = self._items.get(index)
        if known is None:
            known = (kind, {"type": kind}, BoundedText(self._max_length))
            if len(self._items) < _MAX_ITEMS:
                self._items[index] = known
        return known

    def response(self) -> Any:
        """See :class:`StreamReader`."""
        if self.complete and self._error is None:
            return self._response
        partial: dict[str, Any] = {name: field(self._response, name) for name in ("id", "model", "service_tier")}
        if self._error is not None:
            partial |= {"status": "failed", "error": {"code": self._error}}
        else:
            # The conventions' word for an answer of which the stream did not bring the end.
            partial["incomplete_details"] = {"reason": "error"}
        if self._items:
            partial["output"] = [_whole(*item) for _, item in sorted(self._items.items())]
        return partial


def _whole(kind: str, described: dict[str, Any], said: BoundedText) -> dict[str, Any]:
    if kind == "message":
        return {"type": kind, "role": "assistant", "content": str(said)}
    if kind == "reasoning":
        return {"type": kind, "content": [{"text": str(said)}]}
    return {**described, "input" if described["type"] == "custom_tool_call" else "arguments": str(said)}

"""The chunks of a streamed chat completion or completion, put together as one answer."""

from typing import Any

from hansei.instrumentation.operations.bounded_text import BoundedText
from hansei.instrumentation.operations.fields import field, items
from hansei.instrumentation.operations.operation import StreamReader

_MAX_CHOICES = 128
_MAX_TOOL_CALLS = 128
_OTHER_TEXTS = ("refusal", "reasoning_content", "reasoning", "text")
_TRANSCRIPT = "transcript"


class _Choice:
    """One answer in the making."""

    __slots__ = ("finish_reason", "role", "texts", "tool_calls")

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.role: str | None = None
        self.texts: dict[str, BoundedText] = {}
        self.tool_calls: dict[int, dict[str, Any]] = {}


class ChatReader(StreamReader):
    """Keeps what a chat completion's attributes need; its texts too, where content is recorded.

    It is complete once every choice that has begun has a finish reason: the last chunk, with the usage, may come or
    not.
    """

    def __init__(self, max_length: int) -> None:
        self.complete = False
        self._max_length = max_length
        self._head: Any = None
        self._tail: Any = None
        self._usage: Any = None
        self._choices: dict[int, _Choice] = {}

    def read(self, chunk: Any) -> None:
        """See :class:`StreamReader`."""
        if self._head is None:
            # The first chunk of Azure's has a filter's verdict, and neither an id nor a model.
            self._head = chunk if field(chunk, "model") else None
        if (usage := field(chunk, "usage")) is not None:
            self._usage, self._tail = usage, chunk
        choices = field(chunk, "choices")
        if choices:
            for position, choice in enumerate(items(choices)):
                self._read_choice(position, choice)

    def _read_choice(self, position: int, chunk: Any) -> None:
        index = field(chunk, "index")
        if type(index) is not int:
            index = position
        choice = self._choices.get(index)
        if choice is None:
            if len(self._choices) >= _MAX_CHOICES:
                return
            choice = self._choices[index] = _Choice()
            self.complete = False
        reason = field(chunk, "finish_reason")
        if isinstance(reason, str):
            choice.finish_reason = reason
            self.complete = all(known.finish_reason for known in self._choices.values())
        if self._max_length:
            self._read_delta(choice, field(chunk, "delta") or chunk)

    def _read_delta(self, choice: _Choice, delta: Any) -> None:
        if choice.role is None:
            choice.role = field(delta, "role")
        # Nearly every chunk has this one alone.
        said = field(delta, "content")
        if isinstance(said, str):
            self._add(choice, "content", said)
        # Some servers say what the model thinks beside an empty content.
        if not said:
            for name in _OTHER_TEXTS:
                if isinstance(text := field(delta, name), str):
                    self._add(choice, name, text)
            if isinstance(spoken := field(field(delta, "audio"), "transcript"), str):
                self._add(choice, _TRANSCRIPT, spoken)
        if calls := field(delta, "tool_calls"):
            for position, call in enumerate(items(calls)):
                self._read_tool_call(choice, position, call)
        if (call := field(delta, "function_call")) is not None:
            self._read_tool_call(choice, 0, {"index": 0, "function": call})

    def _read_tool_call(self, choice: _Choice, position: int, call: Any) -> None:
        index = field(call, "index")
        if type(index) is not int:
            index = _unnumbered(choice, position, call)
        known = choice.tool_calls.get(index)
        if known is None:
            if len(choice.tool_calls) >= _MAX_TOOL_CALLS:
                return
            known = choice.tool_calls[index] = {"arguments": BoundedText(self._max_length)}
        for name in ("id", "type"):
            known.setdefault(name, field(call, name))
        kind = "custom" if field(call, "custom") is not None else "function"
        called = field(call, kind)
        known["kind"] = kind
        if isinstance(name := field(called, "name"), str):
            known["name"] = name
        if isinstance(more := field(called, "input" if kind == "custom" else "arguments"), str):
            known["arguments"].add(more)

    def _add(self, choice: _Choice, name: str, text: str) -> None:
        known = choice.texts.get(name)
        if known is None:
            known = choice.texts[name] = BoundedText(self._max_length)
        known.add(text)

    def response(self) -> dict[str, Any]:
        """See :class:`StreamReader`."""
        source = self._tail if self._head is None else self._head
        return {
            **{name: field(source, name) for name in ("id", "model", "service_tier", "system_fingerprint")},
            "usage": self._usage,
            "choices": [_whole(choice) for _, choice in sorted(self._choices.items())],
        }


def _unnumbered(choice: _Choice, position: int, call: Any) -> int:
    """The index of a call from a server that gives none: a new id begins one, what has no id goes on with the last."""
    begun = len(choice.tool_calls)
    identity = field(call, "id")
    if not isinstance(identity, str) or not identity:
        return max(begun - 1, position)
    return next((index for index, known in choice.tool_calls.items() if known["id"] == identity), begun)


def _whole(choice: _Choice) -> dict[str, Any]:
    texts = {name: str(text) for name, text in choice.texts.items()}
    message: dict[str, Any] = {"role": choice.role, **texts}
    if _TRANSCRIPT in texts:
        # What is said is kept, and not its sound, which has no bound.
        message["audio"] = {"data": "", "transcript": texts[_TRANSCRIPT]}
    if choice.tool_calls:
        message["tool_calls"] = [_whole_call(call) for _, call in sorted(choice.tool_calls.items())]
    # The conventions' word for a choice of which the stream did not bring the end.
    return {"finish_reason": choice.finish_reason or "error", "message": message, "text": texts.get("text")}


def _whole_call(call: dict[str, Any]) -> dict[str, Any]:
    kind = call["kind"]
    called = {"name": call.get("name"), "input" if kind == "custom" else "arguments": str(call["arguments"])}
    return {"id": call.get("id"), "type": call.get("type"), kind: called}

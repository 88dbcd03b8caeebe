"""The items of the Responses API in the message format of the GenAI conventions."""

from collections.abc import Callable
from typing import Any

from hansei.instrumentation.json_text import parsed_or_text
from hansei.instrumentation.operations.chat_messages import Message, Part, media_part
from hansei.instrumentation.operations.fields import field, items, text

_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}
_CALL, _OUTPUT = "_call", "_call_output"


def input_messages(given: object) -> list[Message]:
    """The input in order; items of one speaker that follow each other are one message."""
    if isinstance(given, str):
        return [{"role": "user", "parts": [{"type": "text", "content": given}]}] if given else []
    messages: list[Message] = []
    for item in items(given):
        role, parts = _spoken(item)
        # A message is one by itself; a reasoning, a call and the text after it are one turn.
        if messages and role == messages[-1]["role"] == "assistant":
            messages[-1]["parts"] += parts
        else:
            messages.append({"role": role, "parts": parts})
    return messages


def output_message(response: object) -> Message | None:
    """What the model made, as one message: the API has one answer, in many items."""
    output = field(response, "output")
    if not isinstance(output, list | tuple):
        return None
    message: Message = {"role": "assistant", "parts": [part for item in output for part in _spoken(item)[1]]}
    if reason := finish_reason(response):
        message["finish_reason"] = reason
    return message


def finish_reason(response: object) -> str | None:
    """Why the model stopped, in the conventions' words; None while it has not."""
    status = field(response, "status")
    if status == "completed":
        calls = any(
            field(item, "type") in ("function_call", "custom_tool_call") for item in items(field(response, "output"))
        )
        return "tool_call" if calls else "stop"
    # The Realtime API has the other one.
    details = field(response, "incomplete_details") or field(response, "status_details")
    if status == "incomplete" or (status is None and details):
        reason = text(field(details, "reason")) or "incomplete"
        return _INCOMPLETE.get(reason, reason)
    return {"failed": "error", "cancelled": "cancelled"}.get(status) if isinstance(status, str) else None


def _spoken(item: object) -> tuple[str, list[Part]]:
    if isinstance(item, str):
        return "user", [{"type": "text", "content": item}]
    kind = text(field(item, "type")) or "message"
    if kind == "message":
        return text(field(item, "role")) or "user", _content(field(item, "content"))
    if kind == "reasoning":
        return "assistant", _reasoning(item)
    if kind.endswith("_output"):
        return "tool", [_tool_result(item)]
    if kind.endswith(_CALL):
        return "assistant", _tool_call(kind, item)
    # What is not known is named, so that its place is not lost.
    named: Part = {"type": kind}
    if identity := text(field(item, "id")):
        named["id"] = identity
    return "assistant", [named]


def _content(content: object) -> list[Part]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    return [_content_part(part) for part in items(content)]


def _content_part(part: object) -> Part:
    kind = text(field(part, "type")) or "text"
    for name in ("text", "refusal", "transcript"):
        if isinstance(said := field(part, name), str):
            return {"type": "text", "content": said}
    return media_part(kind.removeprefix("input_"), part) or {"type": kind}


def _reasoning(item: object) -> list[Part]:
    said = [field(piece, "text") for name in ("summary", "content") for piece in items(field(item, name))]
    texts = [piece for piece in said if isinstance(piece, str) and piece]
    return [{"type": "reasoning", "content": "\n\n".join(texts)}] if texts else []


def _tool_call(kind: str, item: object) -> list[Part]:
    """A call of a function; of a custom tool; of one that the provider runs, whose name is its kind."""
    name, arguments = text(field(item, "name")), field(item, "arguments")
    if isinstance(arguments, str):
        arguments = parsed_or_text(arguments)
    for other in ("input", "action", "queries", "code", "operation"):
        if arguments is None:
            arguments = _plain(field(item, other))
    identity = text(field(item, "call_id")) or text(field(item, "id"))
    parts: list[Part] = [
        {"type": "tool_call", "id": identity, "name": name or kind.removesuffix(_CALL), "arguments": arguments}
    ]
    # What ran at the provider has its result beside it.
    for result in ("output", "results", "outputs"):
        if (made := field(item, result)) is not None:
            parts.append({"type": "tool_call_response", "id": identity, "response": _plain(made)})
            break
    return parts


def _tool_result(item: object) -> Part:
    output = field(item, "output")
    if isinstance(output, list | tuple):
        parts = _content(output)
        only_text = all(part["type"] == "text" for part in parts)
        output = "".join(part["content"] for part in parts) if only_text else parts
    return {"type": "tool_call_response", "id": text(field(item, "call_id")), "response": _plain(output)}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    dump: Callable[..., Any] | None = getattr(value, "model_dump", None)
    return dump(mode="json", exclude_none=True) if callable(dump) else value

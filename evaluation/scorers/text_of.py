"""What a person would read of inputs and outputs, whatever shape they were recorded in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.json_text import shown_json

Said = tuple[str, str]
"""A message: its role and its text."""

_ROLES: Final = {"model": "assistant", "ai": "assistant", "human": "user", "developer": "system"}
"""What others call the roles of OpenAI."""
_MESSAGE_TYPES: Final = ("ai", "human", "system", "tool")
"""LangChain's messages have a type for a role."""
_LISTS: Final = ("messages", "input", "output", "contents", "inputs", "outputs", "message")
"""Keys under which messages stand."""
_WORDS: Final = (
    "content", "text", "answer", "response", "output_text", "output", "outputs", "completion", "result",
    "question", "query", "input", "inputs", "prompt", "message", "request",
)  # fmt: skip
"""Keys under which the words stand, where the rest of the object is beside the point."""
_TEXT_PARTS: Final = ("text", "output_text", "input_text", "refusal")
_CALLS: Final = ("tool_call", "function_call")
_CALL_RESULTS: Final = ("tool_call_response", "function_call_output", "tool_result")


def text_of(value: Any, role: str = "assistant") -> str:
    """The readable text of inputs or outputs.

    A text is itself. Of messages (OpenAI's chat and responses, the semantic conventions' parts, LangChain's) it is the
    last one by ``role``, or the last where there is none by it. Of an object it is what stands under a key such as
    ``answer``, ``response`` or ``question`` if that is text. Anything else is JSON. None is the empty text.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    value = _plain(value)
    messages = _messages(value)
    if messages:
        wanted = [message for message in messages if _role(message) == role]
        return _content(wanted[-1] if wanted else messages[-1])
    words = _words(value)
    return shown_json(value) if words is None else words


def messages_of(value: Any, role: str = "user") -> list[Said]:
    """The conversation in inputs or outputs as (role, text), in its order.

    Roles are ``system``, ``user``, ``assistant`` and ``tool``, or what was recorded. What is no conversation is one
    message by ``role``; what is empty is none.
    """
    value = _plain(value)
    messages = _messages(value)
    if not messages:
        text = text_of(value)
        return [(role, text)] if text else []
    instructions = value.get("instructions") if isinstance(value, Mapping) else None
    told: list[Said] = [("system", instructions)] if isinstance(instructions, str) and instructions else []
    return told + [(_role(message), _content(message)) for message in messages]


def is_conversation(value: Any) -> bool:
    """Whether a value is or has messages, rather than data."""
    return bool(_messages(_plain(value)))


def _messages(value: Any) -> list[Mapping[str, Any]]:
    """The messages that a value is or has in it; none where it is something else."""
    if isinstance(value, Mapping):
        choices = value.get("choices")
        if isinstance(choices, Sequence) and choices and isinstance(choices[0], Mapping):
            return _messages(choices[0].get("message"))
        if _is_message(value):
            return [value]
        for name in _LISTS:
            found = _messages(value[name]) if isinstance(value.get(name), Mapping | list | tuple) else []
            if found:
                return found
        return []
    if isinstance(value, list | tuple):
        messages = [each for each in value if _is_message(each)]
        # The output of OpenAI's responses has reasoning and calls among its messages.
        if messages and all(isinstance(each, Mapping) for each in value):
            return messages
    return []


def _is_message(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    named = isinstance(value.get("role"), str) or value.get("type") in _MESSAGE_TYPES
    return named and ("content" in value or "parts" in value or "tool_calls" in value)


def _role(message: Mapping[str, Any]) -> str:
    role = message.get("role") or message.get("type")
    return _ROLES.get(str(role), str(role))


def _content(message: Mapping[str, Any]) -> str:
    """The text of a message; of one that only calls tools, the calls."""
    parts = message.get("parts") if "parts" in message else message.get("content")
    text = parts if isinstance(parts, str) else _parts(parts)
    if text or not isinstance(message.get("tool_calls"), list):
        return text
    return "\n".join(_call(call.get("function", call)) for call in message["tool_calls"] if isinstance(call, Mapping))


def _parts(parts: Any) -> str:
    if isinstance(parts, list | tuple):
        return "\n".join(filter(None, map(_part, parts)))
    return "" if parts is None else _part(parts)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return shown_json(part)
    kind = part.get("type", "text")
    if kind in _CALLS:
        return _call(part)
    if kind in _CALL_RESULTS:
        return text_of(next((part[name] for name in ("response", "result", "output", "content") if name in part), None))
    if kind in _TEXT_PARTS:
        texts = (part.get(name) for name in ("text", "content", "refusal"))
        text = next((each for each in texts if isinstance(each, str)), None)
        return shown_json(part) if text is None and "type" not in part else text or ""
    # Reasoning is not said to anyone; an image or a file has no text.
    return ""


def _call(call: Mapping[str, Any]) -> str:
    arguments = call.get("arguments", "")
    return f"{call.get('name', '')}({arguments if isinstance(arguments, str) else shown_json(arguments)})"


def _words(value: Any) -> str | None:
    """The text of what is no conversation, or None where it is data."""
    if isinstance(value, Mapping):
        if "type" in value and value["type"] in (*_TEXT_PARTS, *_CALLS, *_CALL_RESULTS):
            return _part(value)
        told = next((value[name] for name in _WORDS if isinstance(value.get(name), str)), None)
        if told is None and len(value) == 1:
            (only,) = value.values()
            return text_of(only) if isinstance(only, str | Mapping) else None
        return told
    if isinstance(value, list | tuple) and value:
        if all(isinstance(each, str) for each in value):
            return "\n".join(value)
        if all(isinstance(each, Mapping) and each.get("type") in _TEXT_PARTS for each in value):
            return _parts(value)
    return None


def _plain(value: Any) -> Any:
    """An object of a client library, as OpenAI's answers are, as the JSON it came from."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) and not isinstance(value, type) else value

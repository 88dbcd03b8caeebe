"""Chat messages and tools of the OpenAI API in the message format of the GenAI conventions.

Only lists and tuples are walked. The client accepts any iterable where it documents a list, and a generator
that is read here would reach the server empty.
"""

import mimetypes
from collections.abc import Callable
from typing import Any

from hansei.instrumentation.json_text import parsed_or_text
from hansei.instrumentation.operations.fields import field, items

Part = dict[str, Any]
Message = dict[str, Any]

_AUDIO_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_FINISH_REASONS = {"tool_calls": "tool_call", "function_call": "tool_call"}


def input_messages(messages: object) -> list[Message] | None:
    """The prompt's messages in order, or None if they cannot be read without consuming them."""
    if not isinstance(messages, list | tuple):
        return None
    return [_input_message(message) for message in messages]


def output_messages(choices: object) -> list[Message]:
    """One message for each choice of a response."""
    converted = []
    for choice in items(choices):
        message = field(choice, "message")
        output = {"role": _text(field(message, "role")) or "assistant", "parts": _assistant_parts(message)}
        finish_reason = field(choice, "finish_reason")
        if isinstance(finish_reason, str):
            # The convention's words, which name one tool call where the API names several.
            output["finish_reason"] = _FINISH_REASONS.get(finish_reason, finish_reason)
        converted.append(output)
    return converted


def tool_definitions(tools: object) -> list[dict[str, Any]]:
    """The tools offered to the model; a function with its description and parameters."""
    definitions = []
    for tool in items(tools):
        kind = _text(field(tool, "type")) or "function"
        # The deprecated `functions` argument lists what `tools` wraps.
        described = field(tool, kind) or tool
        definition = {"type": kind, "name": _text(field(described, "name")) or kind}
        for name in ("description", "parameters"):
            if (value := field(described, name)) is not None:
                definition[name] = value
        definitions.append(definition)
    return definitions


def _input_message(message: object) -> Message:
    role = _text(field(message, "role")) or "user"
    converted: Message = {"role": role, "parts": _parts_of(role, message)}
    if name := _text(field(message, "name")):
        converted["name"] = name
    return converted


def _parts_of(role: str, message: object) -> list[Part]:
    if role == "assistant":
        return _assistant_parts(message)
    content = field(message, "content")
    if role in ("tool", "function"):
        answer: Any = content if isinstance(content, str) else _content_parts(content)
        if isinstance(answer, list) and all(part["type"] == "text" for part in answer):
            answer = "".join(part["content"] for part in answer)
        call_id = _text(field(message, "tool_call_id"))
        return [{"type": "tool_call_response", "id": call_id, "response": answer}]
    return _content_parts(content)


def _assistant_parts(message: object) -> list[Part]:
    # Not in OpenAI's own API, but what DeepSeek and vLLM add to it for a model's thinking.
    thinking = _text(field(message, "reasoning_content")) or _text(field(message, "reasoning"))
    parts: list[Part] = [{"type": "reasoning", "content": thinking}] if thinking else []
    parts += _content_parts(field(message, "content"))
    if refusal := _text(field(message, "refusal")):
        parts.append({"type": "text", "content": refusal})
    if isinstance(data := field(field(message, "audio"), "data"), str):
        parts.append(_blob("audio", None, data, transcript=field(field(message, "audio"), "transcript")))
    parts += [_tool_call(call) for call in items(field(message, "tool_calls"))]
    if (call := field(message, "function_call")) is not None:
        parts.append(_tool_call({"function": call}))
    return parts


def _tool_call(call: object) -> Part:
    custom = field(call, "custom")
    called = field(call, "function") if custom is None else custom
    arguments = field(called, "arguments" if custom is None else "input")
    if custom is None and isinstance(arguments, str):
        arguments = parsed_or_text(arguments)
    name = _text(field(called, "name")) or ""
    return {"type": "tool_call", "id": _text(field(call, "id")), "name": name, "arguments": arguments}


def _content_parts(content: object) -> list[Part]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}] if content else []
    return [_content_part(item) for item in items(content)]


def _content_part(item: object) -> Part:
    if isinstance(item, str):
        return {"type": "text", "content": item}
    kind = _text(field(item, "type")) or "text"
    convert = _CONVERTERS.get(kind)
    part = convert(field(item, kind)) if convert else None
    # What is not known is named, so that its place in the prompt is not lost.
    return part or {"type": kind}


def _text_part(text: object) -> Part | None:
    return {"type": "text", "content": text} if isinstance(text, str) else None


def _image_part(image: object) -> Part | None:
    url = field(image, "url")
    return _from_url("image", url) if isinstance(url, str) else None


def _audio_part(audio: object) -> Part | None:
    data = field(audio, "data")
    return _blob("audio", _AUDIO_TYPES.get(field(audio, "format")), data) if isinstance(data, str) else None


def _file_part(file: object) -> Part | None:
    filename = _text(field(file, "filename"))
    mime_type = mimetypes.guess_type(filename)[0] if filename else None
    if file_id := _text(field(file, "file_id")):
        return {"type": "file", "modality": "document", "mime_type": mime_type, "file_id": file_id}
    data = field(file, "file_data")
    if not isinstance(data, str):
        return None
    return _from_url("document", data) if data.startswith("data:") else _blob("document", mime_type, data)


def media_part(kind: str, item: object) -> Part | None:
    """An image, a file or a sound in the flat form of the Responses API; None for anything else."""
    if kind == "image":
        if isinstance(url := field(item, "image_url"), str):
            return _from_url("image", url)
        file_id = _text(field(item, "file_id"))
        return {"type": "file", "modality": "image", "mime_type": None, "file_id": file_id} if file_id else None
    if kind == "file":
        if isinstance(url := field(item, "file_url"), str):
            return _from_url("document", url)
        return _file_part(item)
    return _audio_part(field(item, "input_audio") or item) if kind == "audio" else None


_CONVERTERS: dict[str, Callable[[object], Part | None]] = {
    "text": _text_part,
    "refusal": _text_part,
    "image_url": _image_part,
    "input_audio": _audio_part,
    "file": _file_part,
}


def _from_url(modality: str, url: str) -> Part:
    header, separator, data = url.partition(",")
    if not (separator and header.startswith("data:") and header.endswith(";base64")):
        return {"type": "uri", "modality": modality, "mime_type": None, "uri": url}
    return _blob(modality, header.removeprefix("data:").split(";")[0] or None, data)


def _blob(modality: str, mime_type: str | None, data: str, transcript: object = None) -> Part:
    blob: Part = {"type": "blob", "modality": modality, "mime_type": mime_type, "content": data}
    if isinstance(transcript, str):
        blob["transcript"] = transcript
    return blob


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

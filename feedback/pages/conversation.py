"""What a span says of its content: messages, tools and documents out of every form in which they come."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.pages.flattened import flattened_documents, flattened_messages
from hansei.feedback.pages.markdown import safe_link

_IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_LARGEST_IMAGE: Final = 3_000_000
"""Characters of base64; a larger image is told of, not shown."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_DATA: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,(.*)", re.DOTALL)

Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message."""

    kind: str
    """``text``, ``reasoning``, ``call``, ``result``, ``media`` or ``data``."""
    text: str = ""
    """The text; of a call its arguments, of a result the answer, of anything unknown its JSON."""
    name: str = ""
    """Of a call the tool; of media and of anything unknown, what it is."""
    call_id: str = ""
    link: str = ""
    """An address elsewhere; it is never loaded."""
    image: str = ""
    """A ``data:`` address of a picture."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one said."""

    role: str
    parts: Sequence[Part]
    name: str = ""
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model may call."""

    name: str
    description: str
    definition: str
    """JSON text."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was found."""

    name: str
    score: float | None
    text: str
    more: str = ""
    """JSON text of what else is told of it."""


@dataclass(frozen=True, slots=True)
class Value:
    """What went in or came out where it is no conversation."""

    text: str
    """Pretty JSON, or the text."""
    is_json: bool
    fields: Sequence[tuple[str, str, bool]] = ()
    """Of an object: its names, each with its text and whether that is JSON."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that is known of a span's content."""

    system: Sequence[Part] = ()
    tools: Sequence[Tool] = ()
    input: Sequence[Message] = ()
    output: Sequence[Message] = ()
    inputs: Value | None = None
    outputs: Value | None = None
    query: str = ""
    documents: Sequence[Document] = ()

    @property
    def nothing(self) -> bool:
        """Whether nothing was recorded."""
        return not (
            self.system or self.input or self.output or self.inputs or self.outputs or self.query or self.documents
        )


_INPUT_VALUES: Final = (
    "hansei.span.inputs", "gen_ai.tool.call.arguments", "input.value", "traceloop.entity.input", "mlflow.spanInputs",
)  # fmt: skip
_OUTPUT_VALUES: Final = (
    "hansei.span.outputs", "gen_ai.tool.call.result", "output.value", "traceloop.entity.output", "mlflow.spanOutputs",
)  # fmt: skip


def content_of(attributes: Attributes, events: Sequence[tuple[str, Attributes]] = ()) -> Content:
    """What attributes and events (by name) of a span say."""
    into = _messages_in(attributes, "gen_ai.input.messages", "gen_ai.prompt", "llm.input_messages")
    out = _messages_in(attributes, "gen_ai.output.messages", "gen_ai.completion", "llm.output_messages")
    if not into and not out:
        into, out = _messages_of_events(events)
    documents = _documents(attributes)
    inputs, outputs = _first(attributes, _INPUT_VALUES), _first(attributes, _OUTPUT_VALUES)
    query = attributes.get("gen_ai.retrieval.query.text", "")
    if inputs is not None and not into:
        into = _whole_conversation(inputs) or []
    if outputs is not None and not out:
        out = _whole_conversation(outputs) or []
    return Content(
        system=_system(attributes.get("gen_ai.system_instructions", "")),
        tools=_tools(attributes),
        input=into,
        output=out,
        inputs=None if inputs is None or into else _value(inputs),
        outputs=None if outputs is None or out or documents else _value(outputs),
        query=query,
        documents=documents,
    )


def pretty(value: Any) -> str:
    """JSON text that people can read; a text that is JSON is parsed first, and any other is itself."""
    parsed = _parsed(value) if isinstance(value, str) else value
    return parsed if isinstance(parsed, str) else _dumped(parsed)


def messages_of(value: Any) -> list[Message] | None:
    """The messages of a list in the conventions' form or OpenAI's; None where it is no such list."""
    if isinstance(value, dict) and ("role" in value) and ("content" in value or "parts" in value):
        value = [value]
    if not isinstance(value, list) or not value or not all(_is_message(each) for each in value):
        return None
    return [_message(each) for each in value]


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("role"), str)
        and bool({"parts", "content", "tool_calls", "function_call"} & value.keys())
    )


def _messages_in(attributes: Attributes, standard: str, *older: str) -> list[Message]:
    for name in (standard, *older):
        text = attributes.get(name)
        if text:
            parsed = _parsed(text)
            found = messages_of(parsed)
            if found:
                return found
            role = "user" if "input" in name or "prompt" in name else "assistant"
            return [Message(role, [_unknown(parsed) if not isinstance(parsed, str) else Part("text", parsed)])]
    for prefix in older:
        flat = flattened_messages(attributes, prefix)
        if flat:
            return [_message(each) for each in flat]
    return []


def _messages_of_events(events: Sequence[tuple[str, Attributes]]) -> tuple[list[Message], list[Message]]:
    """From events of a span, as the conventions had them before."""
    into: list[Message] = []
    out: list[Message] = []
    for name, said in events:
        if name == "gen_ai.content.prompt":
            into += _messages_in(said, "gen_ai.prompt")
        elif name == "gen_ai.content.completion":
            out += _messages_in(said, "gen_ai.completion")
        elif match := re.fullmatch(r"gen_ai\.(system|user|assistant|tool)\.message", name):
            into.append(_message({"role": match[1], **said}))
        elif name == "gen_ai.choice":
            message = _parsed(said.get("message", ""))
            out.append(_message({"role": "assistant", **said, **(message if isinstance(message, dict) else {})}))
    return into, out


def _whole_conversation(value: Any) -> list[Message] | None:
    """Of what a function was given or returned: a list of messages, or an object that holds one and little else."""
    found = messages_of(value)
    if found or not isinstance(value, dict):
        return found
    choices = value.get("choices")
    if isinstance(choices, list) and choices and all(isinstance(one, dict) and "message" in one for one in choices):
        return messages_of([{**one["message"], "finish_reason": one.get("finish_reason")} for one in choices
                            if isinstance(one["message"], dict)])  # fmt: skip
    return messages_of(value.get("messages")) if set(value) <= {"messages", "model", "temperature", "stream"} else None


def _message(given: Mapping[str, Any]) -> Message:
    parts: list[Part] = []
    if isinstance(given.get("parts"), list):
        parts += [_part(part) for part in given["parts"]]
    role = str(given.get("role") or "")
    for name in ("reasoning_content", "reasoning"):
        if isinstance(given.get(name), str) and given[name]:
            parts.append(Part("reasoning", given[name]))
    content = given.get("content")
    if role == "tool" and content not in (None, ""):
        parts.append(Part("result", pretty(_joined(content)), call_id=_text(given.get("tool_call_id"))))
    elif isinstance(content, str):
        parts += [Part("text", content)] if content else []
    elif isinstance(content, list):
        parts += [_part(part) for part in content]
    elif content is not None:
        parts.append(_unknown(content))
    if isinstance(given.get("refusal"), str) and given["refusal"]:
        parts.append(Part("text", given["refusal"]))
    calls = _parsed(given["tool_calls"]) if isinstance(given.get("tool_calls"), str) else given.get("tool_calls")
    parts += [_call(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    if isinstance(given.get("function_call"), dict):
        parts.append(_call(given["function_call"]))
    return Message(role, parts, _text(given.get("name")), _text(given.get("finish_reason")))


def _part(part: Any) -> Part:
    if isinstance(part, str):
        return Part("text", part)
    if not isinstance(part, dict):
        return _unknown(part)
    kind = part.get("type")
    said = part.get("content", part.get("text"))
    if kind in ("text", "input_text", "output_text", "refusal") and isinstance(said, str):
        return Part("text", said)
    if kind in ("reasoning", "thinking") and isinstance(said if said is not None else part.get("thinking"), str):
        return Part("reasoning", said if said is not None else part["thinking"])
    if kind in ("tool_call", "tool_use", "function", "function_call", "server_tool_call"):
        return _call(part)
    if kind in ("tool_call_response", "tool_result", "server_tool_call_response"):
        answer = next((part[name] for name in ("response", "result", "content", "output") if name in part), None)
        return Part("result", pretty(_joined(answer)), call_id=_text(part.get("id") or part.get("tool_use_id")))
    return _medium(str(kind), part) or _unknown(part)


def _call(call: Mapping[str, Any]) -> Part:
    for inner in ("function", "custom"):
        if isinstance(call.get(inner), dict):
            call = {"id": call.get("id"), **call[inner]}
    arguments = next((call[name] for name in ("arguments", "input") if call.get(name) is not None), "")
    return Part("call", pretty(arguments), _text(call.get("name")), _text(call.get("id") or call.get("call_id")))


def _medium(kind: str, part: Mapping[str, Any]) -> Part | None:
    """An image, a sound or a file: shown where it is a picture that is here, else told of."""
    modality = _text(part.get("modality")) or kind.removesuffix("_url").removeprefix("input_")
    mime = _text(part.get("mime_type"))
    if kind == "blob":
        return _blob(modality, mime, _text(part.get("content") or part.get("data")), _text(part.get("transcript")))
    if kind == "uri":
        return _elsewhere(modality, mime, _text(part.get("uri")))
    if kind in ("image_url", "input_image"):
        inner = part.get("image_url")
        return _elsewhere("image", mime, _text(inner.get("url") if isinstance(inner, dict) else inner))
    if kind == "input_audio" and isinstance(part.get("input_audio"), dict):
        sound = part["input_audio"]
        return _blob("audio", f"audio/{_text(sound.get('format'))}", _text(sound.get("data")), "")
    if kind == "image" and isinstance(part.get("source"), dict):
        source = part["source"]
        return _blob("image", _text(source.get("media_type")), _text(source.get("data")), "")
    if kind == "file":
        name = _text(part.get("file_id") or part.get("filename"))
        return Part("media", name=" ".join(filter(None, (modality, mime, name)))) if name else None
    return None


def _blob(modality: str, mime: str, data: str, transcript: str) -> Part:
    size = len(data) * 3 // 4
    name = " ".join(filter(None, (modality or "blob", mime, f"{max(size // 1024, 1)} KB" if data else "")))
    shown = mime in _IMAGES and len(data) <= _LARGEST_IMAGE and _BASE64.fullmatch(data) and _decodes(data)
    return Part("media", transcript, name, image=f"data:{mime};base64,{''.join(data.split())}" if shown else "")


def _decodes(data: str) -> bool:
    try:
        base64.b64decode(data, validate=False)
    except ValueError:
        return False
    return True


def _elsewhere(modality: str, mime: str, address: str) -> Part:
    here = _DATA.fullmatch(address)
    if here:
        return _blob(modality, here[1] or mime, here[2], "")
    name = " ".join(filter(None, (modality or "file", mime)))
    return Part("media", "" if safe_link(address) else address, name, link=address if safe_link(address) else "")


def _unknown(value: Any) -> Part:
    kind = value.get("type") if isinstance(value, dict) else None
    return Part("data", _dumped(value), _text(kind) or type(value).__name__)


def _joined(value: Any) -> Any:
    """A list of texts alone is one text."""
    if not isinstance(value, list) or not value:
        return value
    texts = [part.get("text", part.get("content")) if isinstance(part, dict) else part for part in value]
    told = [text for text in texts if isinstance(text, str)]
    return "\n".join(told) if len(told) == len(texts) else value


def _system(text: str) -> list[Part]:
    if not text:
        return []
    parsed = _parsed(text)
    return [_part(part) for part in parsed] if isinstance(parsed, list) else [Part("text", text)]


def _tools(attributes: Attributes) -> list[Tool]:
    parsed = _parsed(attributes.get("gen_ai.tool.definitions") or attributes.get("llm.tools") or "[]")
    found = []
    for tool in parsed if isinstance(parsed, list) else [parsed]:
        given = tool if isinstance(tool, dict) else {}
        inner = given["function"] if isinstance(given.get("function"), dict) else given
        name = _text(inner.get("name")) or _text(given.get("type")) or "tool"
        found.append(Tool(name, _text(inner.get("description")), _dumped(tool)))
    return found


def _documents(attributes: Attributes) -> list[Document]:
    parsed = _parsed(attributes.get("gen_ai.retrieval.documents", ""))
    given = parsed if isinstance(parsed, list) else flattened_documents(attributes, "retrieval.documents")
    return [_document(each) for each in given]


def _document(given: Any) -> Document:
    if not isinstance(given, dict):
        return Document("", None, given if isinstance(given, str) else _dumped(given))
    text = next((given[name] for name in ("content", "text", "page_content") if isinstance(given.get(name), str)), "")
    rest = {name: value for name, value in given.items() if name not in ("id", "score", "content", "text")}
    return Document(_text(given.get("id")), _number(given.get("score")), text, _dumped(rest) if rest else "")


def _value(parsed: Any) -> Value:
    if isinstance(parsed, dict) and 0 < len(parsed) <= 50:
        fields = [
            (str(name), each if isinstance(each, str) else _dumped(each), not isinstance(each, str))
            for name, each in parsed.items()
        ]
        return Value(_dumped(parsed), True, fields)
    return Value(parsed, False) if isinstance(parsed, str) else Value(_dumped(parsed), True)


def _first(attributes: Attributes, names: Sequence[str]) -> Any:
    return next((_parsed(attributes[name]) for name in names if attributes.get(name)), None)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, indent=2)
    except RecursionError:
        return "(nested too deeply to be shown)"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None

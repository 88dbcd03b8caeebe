"""Facts of the published attribute registry of the GenAI conventions, and of the general one, as far as we write it.

From open-telemetry/semantic-conventions-genai (``model/gen-ai`` and ``model/openai``) in its state of October 2026, in
which nothing is stable yet, and open-telemetry/semantic-conventions 1.44.
"""

from typing import Any, Final

STRING, INT, DOUBLE, BOOLEAN, STRINGS, ANY = "string", "int", "double", "boolean", "string[]", "any"

ATTRIBUTES: Final[dict[str, str]] = {
    "gen_ai.agent.description": STRING,
    "gen_ai.agent.id": STRING,
    "gen_ai.agent.name": STRING,
    "gen_ai.agent.version": STRING,
    "gen_ai.conversation.compacted": BOOLEAN,
    "gen_ai.conversation.id": STRING,
    "gen_ai.data_source.id": STRING,
    "gen_ai.embeddings.dimension.count": INT,
    "gen_ai.input.messages": ANY,
    "gen_ai.operation.name": STRING,
    "gen_ai.output.messages": ANY,
    "gen_ai.output.type": STRING,
    "gen_ai.prompt.name": STRING,
    "gen_ai.prompt.version": STRING,
    "gen_ai.provider.name": STRING,
    "gen_ai.request.choice.count": INT,
    "gen_ai.request.encoding_formats": STRINGS,
    "gen_ai.request.frequency_penalty": DOUBLE,
    "gen_ai.request.max_tokens": INT,
    "gen_ai.request.model": STRING,
    "gen_ai.request.presence_penalty": DOUBLE,
    "gen_ai.request.previous_response.id": STRING,
    "gen_ai.request.reasoning.level": STRING,
    "gen_ai.request.seed": INT,
    "gen_ai.request.stop_sequences": STRINGS,
    "gen_ai.request.stream": BOOLEAN,
    "gen_ai.request.stream_cursor": STRING,
    "gen_ai.request.temperature": DOUBLE,
    "gen_ai.request.top_k": INT,
    "gen_ai.request.top_p": DOUBLE,
    "gen_ai.response.finish_reasons": STRINGS,
    "gen_ai.response.id": STRING,
    "gen_ai.response.model": STRING,
    "gen_ai.response.status": STRING,
    "gen_ai.response.time_to_first_chunk": DOUBLE,
    "gen_ai.retrieval.documents": ANY,
    "gen_ai.retrieval.query.text": STRING,
    "gen_ai.retrieval.top_k": INT,
    "gen_ai.system_instructions": ANY,
    "gen_ai.tool.definitions": ANY,
    "gen_ai.usage.audio.cache_read.input_tokens": INT,
    "gen_ai.usage.audio.input_tokens": INT,
    "gen_ai.usage.audio.output_tokens": INT,
    "gen_ai.usage.cache_read.input_tokens": INT,
    "gen_ai.usage.cache_write.input_tokens": INT,
    "gen_ai.usage.image.cache_read.input_tokens": INT,
    "gen_ai.usage.image.input_tokens": INT,
    "gen_ai.usage.image.output_tokens": INT,
    "gen_ai.usage.input_tokens": INT,
    "gen_ai.usage.output_tokens": INT,
    "gen_ai.usage.reasoning.output_tokens": INT,
    "gen_ai.usage.text.cache_read.input_tokens": INT,
    "gen_ai.usage.text.input_tokens": INT,
    "gen_ai.usage.text.output_tokens": INT,
    "openai.api.type": STRING,
    "openai.request.service_tier": STRING,
    "openai.response.service_tier": STRING,
    "openai.response.system_fingerprint": STRING,
    "error.type": STRING,
    "exception.message": STRING,
    "exception.stacktrace": STRING,
    "exception.type": STRING,
    "http.request.method": STRING,
    "http.request.resend_count": INT,
    # The registry has the template `http.response.header.<key>`.
    "http.response.header.x-request-id": STRINGS,
    "http.response.status_code": INT,
    "server.address": STRING,
    "server.port": INT,
    "session.id": STRING,
    "url.path": STRING,
    "url.template": STRING,
    "user.id": STRING,
}
"""Names and value types."""

VALUES: Final[dict[str, frozenset[str]]] = {
    "gen_ai.operation.name": frozenset({
        "chat", "create_agent", "embeddings", "execute_tool", "fetch_response", "generate_content", "invoke_agent",
        "invoke_workflow", "plan", "retrieval", "text_completion",
    }),
    "gen_ai.output.type": frozenset({"image", "json", "speech", "text"}),
    "gen_ai.response.status": frozenset({"cancelled", "completed", "failed", "in_progress", "incomplete", "queued"}),
    "openai.api.type": frozenset({"chat_completions", "responses"}),
}  # fmt: skip
"""What is well known of an attribute's values; others are allowed, if there is a reason."""

_INFERENCE = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model")
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    # OpenAI's refinement requires the model of an inference.
    "chat": _INFERENCE,
    "text_completion": _INFERENCE,
    "generate_content": _INFERENCE,
    "embeddings": _INFERENCE,
    "retrieval": ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.data_source.id"),
    "fetch_response": ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.response.id"),
    "invoke_agent": ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.agent.id", "gen_ai.conversation.id"),
}
"""What a span of an operation must have; of the conditions, those that every call of our tests meets."""

RECOMMENDED: Final[dict[str, tuple[str, ...]]] = {
    "chat": ("gen_ai.response.id", "gen_ai.response.model", "gen_ai.usage.input_tokens", "openai.api.type"),
    "text_completion": ("gen_ai.response.id", "gen_ai.response.model", "gen_ai.response.finish_reasons"),
    "embeddings": ("gen_ai.embeddings.dimension.count", "gen_ai.response.model", "gen_ai.usage.input_tokens"),
    "retrieval": ("gen_ai.retrieval.top_k",),
    "fetch_response": ("gen_ai.response.model", "gen_ai.response.status", "gen_ai.response.finish_reasons"),
}
"""What it should have, where the answer has it."""

FORBIDDEN: Final[dict[str, tuple[str, ...]]] = {"fetch_response": ("gen_ai.usage.", "gen_ai.input.messages")}
"""Names, or their beginnings, that a span of an operation must not have."""

SPAN_TARGETS: Final[dict[str, str | None]] = {
    "chat": "gen_ai.request.model",
    "text_completion": "gen_ai.request.model",
    "generate_content": "gen_ai.request.model",
    "embeddings": "gen_ai.request.model",
    "retrieval": "gen_ai.data_source.id",
    "fetch_response": None,
    # The agent's name, of which a run of an assistant knows nothing.
    "invoke_agent": "gen_ai.agent.name",
}
"""Which attribute stands behind the operation in the name of its span."""

_METRIC = ("gen_ai.operation.name", "gen_ai.provider.name")
_METRIC_MORE = (
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
    "openai.response.service_tier",
    "openai.response.system_fingerprint",
)
METRICS: Final[dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "gen_ai.client.operation.duration": ("s", _METRIC, (*_METRIC_MORE, "error.type")),
    "gen_ai.client.inference.duration": ("s", _METRIC, (*_METRIC_MORE, "error.type")),
    "gen_ai.client.inference.time_to_first_chunk": ("s", _METRIC, _METRIC_MORE),
    "gen_ai.client.inference.operation.input_tokens": ("{token}", _METRIC, _METRIC_MORE),
    "gen_ai.client.inference.operation.output_tokens": ("{token}", _METRIC, _METRIC_MORE),
}
"""Histograms: their unit, their required dimensions and the others that they may have."""

MESSAGE_PARTS: Final[dict[str, dict[str, tuple[type, ...]]]] = {
    "text": {"content": (str,)},
    "reasoning": {"content": (str,)},
    "tool_call": {"name": (str,)},
    "tool_call_response": {"response": (object,)},
    "server_tool_call": {"name": (str,), "server_tool_call": (dict,)},
    "server_tool_call_response": {"server_tool_call_response": (dict,)},
    "blob": {"modality": (str,), "content": (str,)},
    "file": {"modality": (str,), "file_id": (str,)},
    "uri": {"modality": (str,), "uri": (str,)},
    "compaction": {},
}
"""The parts of a message by type, with the fields that they must have; one of any other type needs its type alone."""


def problems_with_type(name: str, value: Any) -> list[str]:
    """What is wrong with the type of an attribute's value, as the SDK has it: lists are tuples there."""
    kind = ATTRIBUTES[name]
    if kind == STRINGS:
        right = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    else:
        # Exactly: to Python a boolean is an integer too.
        right = kind == ANY or type(value) is {STRING: str, INT: int, DOUBLE: float, BOOLEAN: bool}[kind]
    return [] if right else [f"{name}: {value!r} is no {kind}"]


def problems_with_messages(messages: Any, *, output: bool) -> list[str]:
    """What is wrong with messages by their JSON schema."""
    if not isinstance(messages, list | tuple):
        return [f"{messages!r} is no list of messages"]
    found = []
    for message in messages:
        if not isinstance(message.get("role"), str) or not isinstance(message.get("parts"), list | tuple):
            found.append(f"{message!r} has no role or no parts")
            continue
        if set(message) - {"role", "parts", "name", *(("finish_reason",) if output else ())}:
            found.append(f"{message!r} has fields that no message has")
        found += [problem for part in message["parts"] for problem in problems_with_part(part)]
    return found


def problems_with_part(part: Any) -> list[str]:
    """What is wrong with a part of a message."""
    kind = part.get("type")
    if not isinstance(kind, str):
        return [f"{part!r} has no type"]
    fields = MESSAGE_PARTS.get(kind, {})
    wrong = [name for name, types in fields.items() if name not in part or not isinstance(part[name], types)]
    return [f"{part!r}: {name}" for name in wrong]

"""``POST /chat/completions``."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.chat_messages import input_messages, output_messages, tool_definitions
from hansei.instrumentation.operations.chat_stream import ChatReader
from hansei.instrumentation.operations.fields import field, integer, items, number, text
from hansei.instrumentation.operations.operation import (
    Attributes,
    Content,
    Operation,
    Request,
    Settings,
    StreamReader,
    read_settings,
)

_OUTPUT_TYPES = {"text": "text", "json_object": "json", "json_schema": "json"}


def choice_count(count: object) -> int | None:
    """How many answers are asked for; the convention asks for it only where it says something."""
    return None if count == 1 else integer(count)


def stop_sequences(stop: object) -> list[str] | None:
    """What ends a generation."""
    if isinstance(stop, str):
        return [stop]
    if isinstance(stop, list | tuple) and stop and all(isinstance(sequence, str) for sequence in stop):
        return list(stop)
    return None


def output_type(form: object) -> str | None:
    """What kind of text is asked for, by the form that its JSON should have."""
    return _OUTPUT_TYPES.get(text(field(form, "type")) or "")


def spoken(modalities: object) -> str | None:
    """``speech``, where sound is asked for."""
    return "speech" if "audio" in items(modalities) else None


SAMPLING: Settings = {
    "temperature": (names.REQUEST_TEMPERATURE, number),
    "top_p": (names.REQUEST_TOP_P, number),
    "top_k": (names.REQUEST_TOP_K, integer),
    "frequency_penalty": (names.REQUEST_FREQUENCY_PENALTY, number),
    "presence_penalty": (names.REQUEST_PRESENCE_PENALTY, number),
    "max_tokens": (names.REQUEST_MAX_TOKENS, integer),
    "seed": (names.REQUEST_SEED, integer),
    "n": (names.REQUEST_CHOICE_COUNT, choice_count),
    "stop": (names.REQUEST_STOP_SEQUENCES, stop_sequences),
}
"""What the operations that make text have in common."""
_SETTINGS: Settings = {
    **SAMPLING,
    "reasoning_effort": (names.REQUEST_REASONING_LEVEL, text),
    "modalities": (names.OUTPUT_TYPE, spoken),
}
# What replaces another parameter, and wins over it.
_NEWER_SETTINGS: Settings = {
    "max_completion_tokens": (names.REQUEST_MAX_TOKENS, integer),
    "response_format": (names.OUTPUT_TYPE, output_type),
}


class ChatCompletion(Operation):
    """A chat completion; ``.parse()`` and ``.stream()`` are such requests too."""

    name = "chat"
    api_type = "chat_completions"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_settings(request)
        found.update(read_settings(request.parameters, _SETTINGS))
        found.update(read_settings(request.parameters, _NEWER_SETTINGS))
        return found

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        content: Content = {}
        if (messages := input_messages(request.parameters.get("messages"))) is not None:
            content[names.INPUT_MESSAGES] = messages
        if tools := tool_definitions(request.parameters.get("tools") or request.parameters.get("functions")):
            content[names.TOOL_DEFINITIONS] = tools
        return content

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_response(request, response)
        if reasons := finish_reasons(field(response, "choices")):
            found[names.RESPONSE_FINISH_REASONS] = reasons
        return found

    def response_content(self, request: Request, response: Any) -> Content:
        """See :class:`Operation`."""
        messages = output_messages(field(response, "choices"))
        return {names.OUTPUT_MESSAGES: messages} if messages else {}

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """See :class:`Operation`."""
        return ChatReader(max_length)


def finish_reasons(choices: object) -> list[str]:
    """Why each choice ended, in their order: one that does not say so stands among those that do as ``error``."""
    reasons = [text(field(choice, "finish_reason")) for choice in items(choices)]
    return [reason or "error" for reason in reasons] if any(reasons) else []

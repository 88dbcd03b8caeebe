"""``POST /chat/completions``."""

from collections.abc import Mapping
from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.chat_messages import input_messages, output_messages, tool_definitions
from hansei.instrumentation.operations.chat_stream import ChatReader
from hansei.instrumentation.operations.fields import field, integer, items, number, text
from hansei.instrumentation.operations.operation import Attributes, Content, Operation, Request, StreamReader

_NUMBERS = {
    "temperature": names.REQUEST_TEMPERATURE,
    "top_p": names.REQUEST_TOP_P,
    "frequency_penalty": names.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": names.REQUEST_PRESENCE_PENALTY,
}
_OUTPUT_TYPES = {"text": "text", "json_object": "json", "json_schema": "json"}


class ChatCompletion(Operation):
    """A chat completion; ``.parse()`` and ``.stream()`` are such requests too."""

    name = "chat"
    api_type = "chat_completions"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        parameters = request.parameters
        found = self.common_settings(request) | sampling_settings(parameters)
        settings = {
            names.REQUEST_MAX_TOKENS: _max_tokens(parameters),
            names.REQUEST_SEED: integer(parameters.get("seed")),
            names.REQUEST_CHOICE_COUNT: choice_count(parameters),
            names.REQUEST_STOP_SEQUENCES: stop_sequences(parameters.get("stop")),
            names.REQUEST_REASONING_LEVEL: text(parameters.get("reasoning_effort")),
            names.OUTPUT_TYPE: _output_type(parameters),
        }
        found.update({name: value for name, value in settings.items() if value is not None})
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


def sampling_settings(parameters: Mapping[str, Any]) -> Attributes:
    """Temperature and its like, as the conventions' doubles; how many tokens are sampled from, as their integer."""
    read = {name: number(parameters.get(parameter)) for parameter, name in _NUMBERS.items()}
    found: Attributes = {name: value for name, value in read.items() if value is not None}
    if (top_k := integer(parameters.get("top_k"))) is not None:
        found[names.REQUEST_TOP_K] = top_k
    return found


def finish_reasons(choices: object) -> list[str]:
    """Why each choice ended, in their order: one that does not say so stands among those that do as ``error``."""
    reasons = [text(field(choice, "finish_reason")) for choice in items(choices)]
    return [reason or "error" for reason in reasons] if any(reasons) else []


def choice_count(parameters: Mapping[str, Any]) -> int | None:
    """How many answers are asked for; the convention asks for it only where it says something."""
    count = integer(parameters.get("n"))
    return None if count == 1 else count


def stop_sequences(stop: object) -> list[str] | None:
    """What ends a generation."""
    if isinstance(stop, str):
        return [stop]
    if isinstance(stop, list | tuple) and stop and all(isinstance(sequence, str) for sequence in stop):
        return list(stop)
    return None


def _max_tokens(parameters: Mapping[str, Any]) -> int | None:
    limit = integer(parameters.get("max_completion_tokens"))
    return limit if limit is not None else integer(parameters.get("max_tokens"))


def _output_type(parameters: Mapping[str, Any]) -> str | None:
    requested = text(field(parameters.get("response_format"), "type"))
    if requested:
        return _OUTPUT_TYPES.get(requested)
    return "speech" if "audio" in items(parameters.get("modalities")) else None

"""``/responses``: create (``.parse()`` and ``.stream()`` too), retrieve, cancel and compact."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.chat import SAMPLING, output_type
from hansei.instrumentation.operations.chat_messages import tool_definitions
from hansei.instrumentation.operations.fields import field, integer, items, text
from hansei.instrumentation.operations.operation import (
    Attributes,
    Content,
    Operation,
    Request,
    Settings,
    StreamReader,
    copy_text,
    read_settings,
)
from hansei.instrumentation.operations.responses_items import finish_reason, input_messages, output_message
from hansei.instrumentation.operations.responses_stream import ResponsesReader


def _conversation_id(conversation: object) -> str | None:
    return text(conversation) or text(field(conversation, "id"))


def _effort(reasoning: object) -> str | None:
    return text(field(reasoning, "effort"))


def _format(wanted: object) -> str | None:
    return output_type(field(wanted, "format"))


_SETTINGS: Settings = {
    **SAMPLING,
    "max_output_tokens": (names.REQUEST_MAX_TOKENS, integer),
    "reasoning": (names.REQUEST_REASONING_LEVEL, _effort),
    "previous_response_id": (names.REQUEST_PREVIOUS_RESPONSE_ID, text),
    "conversation": (names.CONVERSATION_ID, _conversation_id),
    "text": (names.OUTPUT_TYPE, _format),
}


class CreateResponse(Operation):
    """A response of a model."""

    name = "chat"
    api_type = "responses"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        return self.common_settings(request) | read_settings(request.parameters, _SETTINGS)

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        content: Content = {}
        if messages := input_messages(request.parameters.get("input")):
            content[names.INPUT_MESSAGES] = messages
        if instructions := text(request.parameters.get("instructions")):
            content[names.SYSTEM_INSTRUCTIONS] = [{"type": "text", "content": instructions}]
        if tools := tool_definitions(request.parameters.get("tools")):
            content[names.TOOL_DEFINITIONS] = tools
        return content

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_response(request, response)
        if reason := finish_reason(response):
            found[names.RESPONSE_FINISH_REASONS] = [reason]
        if conversation := text(field(field(response, "conversation"), "id")):
            found[names.CONVERSATION_ID] = conversation
        if field(response, "status") == "failed":
            error = field(response, "error") or field(field(response, "status_details"), "error")
            found[names.ERROR_TYPE] = text(field(error, "code")) or text(field(error, "type")) or "failed"
        return found

    def response_content(self, request: Request, response: Any) -> Content:
        """See :class:`Operation`."""
        message = output_message(response)
        return {names.OUTPUT_MESSAGES: [message]} if message else {}

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """See :class:`Operation`."""
        return ResponsesReader(max_length)


class FetchResponse(CreateResponse):
    """A response that was made before. Its usage was counted then, so it has none here."""

    name = "fetch_response"

    def target(self, request: Request) -> str | None:
        """No model is asked for."""
        return None

    def describe_start(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = super().describe_start(request)
        if response_id := request.ids.get("response_id"):
            found[names.RESPONSE_ID] = response_id
        return found

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_settings(request)
        if (cursor := request.parameters.get("starting_after")) is not None:
            found[names.REQUEST_STREAM_CURSOR] = str(cursor)
        return found

    def request_content(self, request: Request) -> Content:
        """Nothing is said to a model."""
        return {}

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`. That the response failed back then is its status, and no failure to fetch it."""
        described = super().describe_response(request, response)
        found = {name: value for name, value in described.items() if not name.startswith("gen_ai.usage.")}
        found.pop(names.ERROR_TYPE, None)
        copy_text(found, names.RESPONSE_STATUS, status := field(response, "status"))
        if status == "cancelled":
            found[names.RESPONSE_FINISH_REASONS] = ["error"]
        return found


class CancelResponse(FetchResponse):
    """A response in the background that is to stop."""

    name = "cancel_response"


class RealtimeResponse(CreateResponse):
    """A response of the Realtime API, spoken or written."""

    api_type = "realtime"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = super().describe_request(request)
        modalities = request.parameters.get("output_modalities") or request.parameters.get("modalities")
        if "audio" in items(modalities):
            found[names.OUTPUT_TYPE] = "speech"
        return found

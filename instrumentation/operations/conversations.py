"""``/conversations``: what the provider keeps of one."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import field, text
from hansei.instrumentation.operations.general import General
from hansei.instrumentation.operations.operation import Attributes, Content, Request
from hansei.instrumentation.operations.responses_items import input_messages


class Conversation(General):
    """Begun, looked at, changed or removed; its items are messages."""

    def describe_start(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = super().describe_start(request)
        if conversation := request.ids.get("conversation_id"):
            found[names.CONVERSATION_ID] = conversation
        return found

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        messages = input_messages(request.parameters.get("items"))
        return {names.INPUT_MESSAGES: messages} if messages else {}

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`."""
        found = super().describe_response(request, response)
        if field(response, "object") == "conversation" and (conversation := text(field(response, "id"))):
            found[names.CONVERSATION_ID] = conversation
        return found

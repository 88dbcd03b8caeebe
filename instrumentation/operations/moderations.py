"""``POST /moderations``."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.chat_messages import input_messages
from hansei.instrumentation.operations.fields import field, items
from hansei.instrumentation.operations.operation import Attributes, Content, Operation, Request


class Moderation(Operation):
    """Whether something may be said; it costs nothing, so it is no model call for those who count."""

    name = "moderation"

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        # A text, texts, or the parts that a chat's message has.
        messages = input_messages([{"role": "user", "content": request.parameters.get("input")}])
        return {names.INPUT_MESSAGES: messages} if messages and messages[0]["parts"] else {}

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`. Each input's verdict is its finish reason."""
        found = self.common_response(request, response)
        verdicts = [_verdict(result) for result in items(field(response, "results"))]
        if verdicts:
            found[names.RESPONSE_FINISH_REASONS] = verdicts
        return found


def _verdict(result: object) -> str:
    return "flagged" if field(result, "flagged") is True else "passed"

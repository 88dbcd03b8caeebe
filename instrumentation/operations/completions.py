"""``POST /completions``: the API before chat."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.chat import SAMPLING, finish_reasons
from hansei.instrumentation.operations.chat_stream import ChatReader
from hansei.instrumentation.operations.fields import field, items, text
from hansei.instrumentation.operations.operation import (
    Attributes,
    Content,
    Operation,
    Request,
    StreamReader,
    read_settings,
)


class Completion(Operation):
    """A text that the model goes on with."""

    name = "text_completion"
    api_type = "completions"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        return self.common_settings(request) | read_settings(request.parameters, SAMPLING)

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        prompt = request.parameters.get("prompt")
        prompts = [prompt] if isinstance(prompt, str) else items(prompt)
        # A prompt may also be a list of token ids, which say nothing to a reader.
        messages = [_message("user", one) for one in prompts if isinstance(one, str)]
        return {names.INPUT_MESSAGES: messages} if messages else {}

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_response(request, response)
        if reasons := finish_reasons(field(response, "choices")):
            found[names.RESPONSE_FINISH_REASONS] = reasons
        return found

    def response_content(self, request: Request, response: Any) -> Content:
        """See :class:`Operation`."""
        messages = []
        for choice in items(field(response, "choices")):
            message = _message("assistant", field(choice, "text"))
            if reason := text(field(choice, "finish_reason")):
                message["finish_reason"] = reason
            messages.append(message)
        return {names.OUTPUT_MESSAGES: messages} if messages else {}

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """See :class:`Operation`."""
        return ChatReader(max_length)


def _message(role: str, said: object) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": said}] if isinstance(said, str) and said else []}

"""``POST /images/generations``, ``/images/edits`` and ``/images/variations``."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.chat import choice_count
from hansei.instrumentation.operations.chat_messages import Part
from hansei.instrumentation.operations.fields import field, items, text
from hansei.instrumentation.operations.last_event import LastEventReader
from hansei.instrumentation.operations.operation import Attributes, Content, Operation, Request, StreamReader


class Images(Operation):
    """Pictures from a text, from pictures, or from both."""

    name = "generate_content"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_settings(request)
        found[names.OUTPUT_TYPE] = "image"
        if count := choice_count(request.parameters.get("n")):
            found[names.REQUEST_CHOICE_COUNT] = count
        return found

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`. Pictures that were sent are not recorded."""
        prompt = text(request.parameters.get("prompt"))
        parts = [{"type": "text", "content": prompt}] if prompt else []
        return {names.INPUT_MESSAGES: [{"role": "user", "parts": parts}]} if parts else {}

    def response_content(self, request: Request, response: Any) -> Content:
        """See :class:`Operation`. A picture by reference is recorded; the bytes of one are counted."""
        images = [response] if field(response, "b64_json") is not None else items(field(response, "data"))
        parts = [_part(image) for image in images]
        return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": parts}]} if parts else {}

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """See :class:`Operation`."""
        return LastEventReader(frozenset({"image_generation.completed", "image_edit.completed"}))


def _part(image: object) -> Part:
    if url := text(field(image, "url")):
        return {"type": "uri", "modality": "image", "mime_type": None, "uri": url}
    data = field(image, "b64_json")
    size = len(data) if isinstance(data, str) else 0
    return {"type": "blob", "modality": "image", "mime_type": None, "content": "", "omitted_chars": size}

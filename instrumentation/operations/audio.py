"""``POST /audio/speech``, ``/audio/transcriptions`` and ``/audio/translations``."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import field, number, text
from hansei.instrumentation.operations.last_event import LastEventReader
from hansei.instrumentation.operations.operation import Attributes, Content, Operation, Request, StreamReader


class Speech(Operation):
    """A text read aloud."""

    name = "generate_content"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        return self.common_settings(request) | {names.OUTPUT_TYPE: "speech"}

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        found: Content = {}
        if said := text(request.parameters.get("input")):
            found[names.INPUT_MESSAGES] = [{"role": "user", "parts": [{"type": "text", "content": said}]}]
        if instructions := text(request.parameters.get("instructions")):
            found[names.SYSTEM_INSTRUCTIONS] = [{"type": "text", "content": instructions}]
        return found

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """See :class:`Operation`."""
        return LastEventReader(frozenset({"speech.audio.done"}))


class Transcription(Operation):
    """Speech written down, in its own language or translated."""

    name = "generate_content"

    def describe_request(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_settings(request)
        wanted = text(request.parameters.get("response_format")) or "json"
        found[names.OUTPUT_TYPE] = "json" if "json" in wanted else "text"
        if (temperature := number(request.parameters.get("temperature"))) is not None:
            found[names.REQUEST_TEMPERATURE] = temperature
        return found

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`. The sound itself is not recorded."""
        prompt = text(request.parameters.get("prompt"))
        return {names.SYSTEM_INSTRUCTIONS: [{"type": "text", "content": prompt}]} if prompt else {}

    def response_content(self, request: Request, response: Any) -> Content:
        """See :class:`Operation`."""
        written = response if isinstance(response, str) else field(response, "text")
        if not isinstance(written, str):
            return {}
        return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": [{"type": "text", "content": written}]}]}

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """See :class:`Operation`."""
        return LastEventReader(frozenset({"transcript.text.done"}))

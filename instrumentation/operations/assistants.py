"""``POST /threads/{thread_id}/runs`` and ``/threads/runs``: assistants, as long as there are any."""

from typing import Any

from hansei.instrumentation import attributes as names
from hansei.instrumentation.operations.fields import field, text
from hansei.instrumentation.operations.operation import Attributes, Content, Operation, Request, StreamReader


class AssistantRun(Operation):
    """An assistant that works on a thread."""

    name = "invoke_agent"
    api_type = "assistants"

    def target(self, request: Request) -> str | None:
        """None: the conventions name the span after the agent's name, and a run knows its id alone."""
        return None

    def describe_start(self, request: Request) -> Attributes:
        """See :class:`Operation`."""
        found = super().describe_start(request)
        if agent := text(request.parameters.get("assistant_id")):
            found[names.AGENT_ID] = agent
        if thread := request.ids.get("thread_id"):
            found[names.CONVERSATION_ID] = thread
        return found

    def request_content(self, request: Request) -> Content:
        """See :class:`Operation`."""
        instructions = text(request.parameters.get("instructions"))
        return {names.SYSTEM_INSTRUCTIONS: [{"type": "text", "content": instructions}]} if instructions else {}

    def describe_response(self, request: Request, response: Any) -> Attributes:
        """See :class:`Operation`."""
        found = self.common_response(request, response)
        if thread := text(field(response, "thread_id")):
            found[names.CONVERSATION_ID] = thread
        return found

    def reader(self, request: Request, max_length: int) -> StreamReader:
        """See :class:`Operation`."""
        return _RunReader()


class _RunReader(StreamReader):
    def __init__(self) -> None:
        self.complete = False
        self._run: Any = None

    def read(self, chunk: Any) -> None:
        event = field(chunk, "event")
        if event == "done":
            self.complete = True
        elif isinstance(event, str) and event.startswith("thread.run.") and not event.startswith("thread.run.step."):
            self._run = field(chunk, "data")
            self.complete = event.rpartition(".")[2] in ("completed", "failed", "cancelled", "expired", "incomplete")

    def response(self) -> Any:
        return self._run

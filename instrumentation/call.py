"""One call of the API: its span from the request to its outcome, and the metrics and events that go with it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextvars import Token
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from hansei.instrumentation import attributes as names
from hansei.instrumentation.events import Events, exception_signals, type_name
from hansei.instrumentation.json_text import json_text
from hansei.instrumentation.metrics import Metrics
from hansei.instrumentation.operations.operation import Attributes, Operation, Request
from hansei.instrumentation.session_context import session_attributes
from hansei.instrumentation.size import bounded
from hansei.instrumentation.telemetry import Telemetry


class Call:
    """An open call. It ends once: answered, failed, or as a stream does.

    Each step is guarded by itself: a response that cannot be read costs the span its response attributes, and
    neither its end nor the context of the spans that come after.
    """

    __slots__ = (
        "_attributes", "_began", "_content", "_context", "_details", "_ended", "_exchange", "_raised", "_resent",
        "_span", "_telemetry", "_texts", "_token", "guard", "operation", "request", "telling", "telling_content",
    )  # fmt: skip

    def __init__(self, telemetry: Telemetry, operation: Operation, request: Request) -> None:
        """Start the span, with what a sampler may want to know."""
        self.guard = telemetry.guard
        self.operation = operation
        self.request = request
        self._telemetry = telemetry
        self._attributes: Attributes = operation.describe_start(request) | session_attributes()
        self._details: Attributes = {}
        self._texts: dict[str, str] = {}
        self._content: dict[str, Any] = {}
        self._exchange: Attributes = {}
        self._token: Token[Context] | None = None
        self._resent = 0
        self._raised = False
        self._ended = False
        self._span = telemetry.tracer.start_span(
            operation.span_name(request), kind=SpanKind.CLIENT, attributes=self._attributes
        )
        self._began = time.time_ns()
        self._context = trace.set_span_in_context(self._span)
        recording = bool(self.guard.run("look at a span", self._span.is_recording))
        self.telling = recording or telemetry.metrics is not None or telemetry.events is not None
        """Whether anyone will see what is recorded; what is not seen need not be computed."""
        self.telling_content = telemetry.content.on_events or (telemetry.content.on_spans and recording)
        """The same of content."""
        if self.telling:
            self.guard.run("read a request's settings", self._describe, operation.describe_request, request)
            if self.telling_content:
                self.guard.run("read a request's content", self._tell, operation.request_content, request)

    def enter(self) -> None:
        """Make the span current: what the client does next is part of this call."""
        self._token = self.guard.run("make a span current", context.attach, self._context)

    def answered(self, response: Any) -> None:
        """Take in the HTTP response that the client goes on with: its status and the provider's id of the request."""
        if response.status_code >= 400 or self._resent or self.operation.name is None:
            # Of an operation that succeeded at once it says nothing.
            self._exchange[names.HTTP_RESPONSE_STATUS_CODE] = response.status_code
        if request_id := response.headers.get("x-request-id"):
            self._exchange[names.HTTP_RESPONSE_REQUEST_ID] = [request_id]

    def resent(self, delay: float, error: BaseException | None) -> None:
        """Note that the client will send the request again in ``delay`` seconds, because of ``error``."""
        self._resent += 1
        noted: Attributes = {names.HTTP_REQUEST_RESEND_COUNT: self._resent, names.RETRY_DELAY: delay}
        if (response := getattr(error, "response", None)) is not None:
            noted[names.HTTP_RESPONSE_STATUS_CODE] = response.status_code
            noted[names.ERROR_TYPE] = str(response.status_code)
            if request_id := response.headers.get("x-request-id"):
                noted[names.HTTP_RESPONSE_REQUEST_ID] = [request_id]
        elif error is not None:
            noted[names.ERROR_TYPE] = type_name(error)
        self._span.add_event(names.RETRY_EVENT, noted)

    def leave(self) -> None:
        """Give the context back: what the application does next is not part of this call."""
        token, self._token = self._token, None
        if token is not None:
            self.guard.run("restore the context", context.detach, token)

    def succeed(self, response: Any) -> None:
        """End with an answer that is here."""
        ended = time.time_ns()
        try:
            self.tell_response(response)
        finally:
            self.end(ended)

    def fail(self, error: BaseException) -> None:
        """End with what was raised. To be cancelled is no failure."""
        ended = time.time_ns()
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self._details[names.STREAM_OUTCOME] = "cancelled"
        else:
            self.guard.run("record an exception", self._record, error)
        self.end(ended)

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""
        self._details.update(attributes)

    def tell_response(self, response: Any) -> None:
        """Record what an answer says."""
        if self.telling:
            operation, request = self.operation, self.request
            self.guard.run("read a response", self._describe, operation.describe_response, request, response)
            if self.telling_content:
                self.guard.run("read a response's content", self._tell, operation.response_content, request, response)

    def end(self, ended: int) -> None:
        """Close the span at a moment (Unix time in ns), with all that was noted; a second time does nothing."""
        if self._ended:
            return
        self._ended = True
        self.leave()
        if self._resent:
            self._exchange[names.HTTP_REQUEST_RESEND_COUNT] = self._resent
        self._details.update(self._exchange)
        self.guard.run("set span attributes", self._put)
        self.guard.run("end a span", self._span.end, ended)
        if self.operation.name is not None:
            if self._telemetry.metrics is not None:
                self.guard.run("record metrics", self._measure, self._telemetry.metrics, ended)
            if self._telemetry.events is not None and self._telemetry.events.details:
                self.guard.run("send an event", self._emit, self._telemetry.events)

    @property
    def seconds(self) -> float:
        """Since the request."""
        return (time.time_ns() - self._began) / 1e9

    def _put(self) -> None:
        self._span.set_attributes({**self._details, **self._texts} if self._texts else self._details)
        if names.ERROR_TYPE in self._details and not self._raised:
            # A response that reports its own failure, a stream that broke off.
            self._span.set_status(Status(StatusCode.ERROR, str(self._details[names.ERROR_TYPE])))

    def _measure(self, metrics: Metrics, ended: int) -> None:
        metrics.record({**self._attributes, **self._details}, (ended - self._began) / 1e9, self._context)

    def _emit(self, events: Events) -> None:
        events.emit_details({**self._attributes, **self._details, **self._content}, self._context)

    def _describe(self, read: Callable[..., Attributes], *about: Any) -> None:
        self._details.update(read(*about))

    def _tell(self, read: Callable[..., Mapping[str, Any]], *about: Any) -> None:
        """Keep content: structured for an event, as text for the span."""
        switch = self._telemetry.content
        for name, value in read(*about).items():
            if switch.on_spans:
                text = value if isinstance(value, str) else json_text(value)
                # Where all of it is short, none of it is long; the texts need not be gone through one by one.
                if len(text) > switch.max_length:
                    small = bounded(value, switch.max_length)
                    text = small if isinstance(small, str) else json_text(small)
                self._texts[name] = text
            if switch.on_events:
                self._content[name] = bounded(value, switch.max_length)

    def _record(self, error: BaseException) -> None:
        self._raised = True
        self._details[names.ERROR_TYPE] = type_name(error)
        if (response := getattr(error, "response", None)) is not None:
            self.answered(response)
        self._span.set_status(Status(StatusCode.ERROR, str(error)))
        if "spans" in exception_signals():
            self._span.record_exception(error)
        if (events := self._telemetry.events) is not None and events.exceptions:
            events.emit_exception(error, self._context)

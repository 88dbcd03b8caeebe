"""The span of one model call, from the request to its outcome."""

import time
from collections.abc import Mapping
from contextvars import Token

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation.attributes import ERROR_TYPE
from hansei.instrumentation.guard import Guard

Attributes = Mapping[str, AttributeValue]


class ModelCall:
    """An open span that is current until the call has succeeded or failed.

    Each step is guarded by itself: a response that cannot be read costs the span its response attributes,
    and neither its end nor the context of the spans that come after.
    """

    __slots__ = ("_guard", "_span", "_token")

    def __init__(self, span: Span, guard: Guard) -> None:
        self._span = span
        self._guard = guard
        self._token: Token[Context] | None = guard.run("make a span current", self._attach)

    @classmethod
    def start(cls, tracer: Tracer, name: str, attributes: Attributes, guard: Guard) -> "ModelCall | None":
        """Start the span with what a sampler may want to know; None if there can be none."""
        span = guard.run("start a span", tracer.start_span, name, kind=SpanKind.CLIENT, attributes=attributes)
        return None if span is None else cls(span, guard)

    @property
    def recording(self) -> bool:
        """Whether anyone will see what is recorded; what is not seen need not be computed."""
        return bool(self._guard.run("look at a span", self._span.is_recording))

    def describe(self, attributes: Attributes | None) -> None:
        """Add attributes to the span."""
        if attributes:
            self._guard.run("set span attributes", self._span.set_attributes, attributes)

    def end(self, answered: int) -> None:
        """Close the span of a call that succeeded, at the moment of its answer (Unix time in ns)."""
        self._close(answered)

    def fail(self, error: BaseException) -> None:
        """Close the span of a call that raised."""
        failed = time.time_ns()
        self._guard.run("record an exception", self._record, error)
        self._close(failed)

    def _attach(self) -> Token[Context]:
        return context.attach(trace.set_span_in_context(self._span))

    def _record(self, error: BaseException) -> None:
        kind = type(error)
        # The name that the exception event carries as exception.type.
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        self._span.set_attribute(ERROR_TYPE, name)
        self._span.set_status(Status(StatusCode.ERROR, str(error)))
        self._span.record_exception(error)

    def _close(self, ended: int) -> None:
        if self._token is not None:
            self._guard.run("restore the context", context.detach, self._token)
        self._guard.run("end a span", self._span.end, ended)

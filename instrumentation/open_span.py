"""A span from its start to its outcome, current only while the code that it observes runs."""

import asyncio
from collections.abc import Mapping
from functools import partial

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation.attributes import ERROR_TYPE, SPAN_OUTCOME
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.resumption import ResumedContext
from hansei.instrumentation.session_context import session_attributes

Attributes = Mapping[str, AttributeValue]

CANCELLED = "cancelled"
"""The outcome of a call whose task was cancelled: it neither succeeded nor failed."""
CLOSED = "closed"
"""The outcome of a generator or coroutine that was closed before its end."""


class OpenSpan:
    """Each step is guarded by itself: one that fails costs what it would have recorded, and nothing else."""

    __slots__ = ("_guard", "_resumed", "recording", "span")

    def __init__(self, span: Span, guard: Guard) -> None:
        self.span = span
        self.recording = bool(guard.run("look at a span", span.is_recording))
        """Whether anyone will see what is recorded; what is not seen need not be computed."""
        self._guard = guard
        # Not a method of this object, which would make a cycle of every span.
        self._resumed = ResumedContext(partial(trace.set_span_in_context, span), guard)

    @classmethod
    def start(
        cls,
        tracer: Tracer,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        guard: Guard,
        parent: Context | None = None,
    ) -> "OpenSpan | None":
        """Start a span, of the current session; it is not current yet. None if there can be none."""
        carried = guard.run("read a session", session_attributes, parent)
        described = {**carried, **attributes} if carried else attributes
        span = guard.run("start a span", tracer.start_span, name, parent, kind, described)
        return None if span is None else cls(span, guard)

    def enter(self) -> None:
        """Make the span current."""
        self._resumed.enter()

    def leave(self) -> None:
        """Give the caller its context back."""
        self._resumed.leave()

    def describe(self, attributes: Attributes | None) -> None:
        """Add attributes to the span."""
        if attributes:
            self._guard.run("set span attributes", self.span.set_attributes, attributes)

    def fail(self, error: BaseException) -> None:
        """Record what was raised. A cancelled task and a closed generator are no errors; the span says which it was."""
        if not self.recording:
            return
        if isinstance(error, asyncio.CancelledError):
            self.describe({SPAN_OUTCOME: CANCELLED})
        elif isinstance(error, GeneratorExit):
            self.describe({SPAN_OUTCOME: CLOSED})
        else:
            self.describe({ERROR_TYPE: error_type(error)})
            self._guard.run("set a span's status", self._set_error, error)
            self._guard.run("record an exception", self.span.record_exception, error)

    def end(self, ended: int | None = None) -> None:
        """Close the span, at this moment (Unix time in ns) or now."""
        self._guard.run("end a span", self.span.end, ended)

    def _set_error(self, error: BaseException) -> None:
        try:
            description = str(error)
        except Exception:
            description = None
        self.span.set_status(Status(StatusCode.ERROR, description))


def error_type(error: BaseException) -> str:
    """The name that the exception event carries as ``exception.type``."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"

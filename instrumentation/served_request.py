"""One request to a web application: whose it is, its span, and the trace id that the front end gets back."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, format_span_id, format_trace_id
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation import attributes as names
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.open_span import OpenSpan
from hansei.instrumentation.process_tracer import process_tracer
from hansei.instrumentation.resumption import ResumedContext
from hansei.instrumentation.session_context import context_with_ids, session_attributes

TRACE_RESPONSE = "traceresponse"
"""The response header, of W3C Trace Context level 2."""
EXPOSED_HEADERS = "access-control-expose-headers"

MAX_ID_LENGTH = 256
"""Characters of an id that a request brings; a longer one is not taken, nor one that cannot be printed."""

Source = str | Callable[[Any], str | None] | None
"""Where an id is in a request: a header's name, a callable that gets the scope or environ, or nowhere."""

_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))


@dataclass(frozen=True, slots=True)
class Request:
    """What is read of a request before the application gets it."""

    method: str
    path: str
    scheme: str
    headers: Mapping[str, str]
    """By their names in lower case."""
    session_id: str | None = None
    user: str | None = None


class ServedRequest:
    """A request while it is served: in a SERVER span of its own unless a span is current already."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._method = ""
        self._own: OpenSpan | None = None
        self._resumed: ResumedContext | None = None
        self._answered: SpanContext | None = None

    @classmethod
    def begin(cls, request: Request, guard: Guard, *, own_span: bool = True) -> "ServedRequest":
        """Take note of the request; with ``own_span=False`` it gets no span."""
        served = cls(guard)
        guard.run("begin a request", served._begin, request, own_span)
        return served

    @property
    def trace_response(self) -> str | None:
        """The value of the ``traceresponse`` header; None without a trace."""
        if self._answered is None or not self._answered.is_valid:
            return None
        trace_id, span_id = format_trace_id(self._answered.trace_id), format_span_id(self._answered.span_id)
        return f"00-{trace_id}-{span_id}-{self._answered.trace_flags & 0xFF:02x}"

    def enter(self) -> None:
        """The application goes on."""
        if self._resumed is not None:
            self._resumed.enter()

    def leave(self) -> None:
        """The application waits for the server, or has come to its end."""
        if self._resumed is not None:
            self._resumed.leave()

    def answered(self, status: int) -> None:
        """The application has answered with this status."""
        if self._own is not None:
            self._own.describe({names.HTTP_RESPONSE_STATUS_CODE: status})
            if status >= 500:
                self._own.describe({names.ERROR_TYPE: str(status)})
                self._guard.run("set a span's status", self._own.span.set_status, Status(StatusCode.ERROR))

    def routed(self, route: str) -> None:
        """The application knows the request by this pattern of paths."""
        if self._own is not None:
            self._own.describe({names.HTTP_ROUTE: route})
            self._guard.run("name a span", self._own.span.update_name, f"{self._method} {route}")

    def end(self, error: BaseException | None = None) -> None:
        """The request has been served, or the application has raised. Only the first time counts."""
        own, self._own = self._own, None
        if own is not None:
            ended = time.time_ns()
            if error is not None:
                own.fail(error)
            own.end(ended)

    def _begin(self, request: Request, own_span: bool) -> None:
        base = context.get_current()
        current = trace.get_current_span()
        joined = current.get_span_context()
        # A remote span is a parent that somebody has read from the headers, and nobody's span for this request.
        has_span = joined.is_valid and not joined.is_remote
        tracer = process_tracer.tracer if own_span and not has_span else None
        if tracer is not None and not joined.is_valid:
            base = self._guard.run("read a trace context", propagate.extract, request.headers, base) or base
        base = context_with_ids(request.session_id, request.user, base=base)
        self._answered = joined
        if tracer is not None:
            known = request.method in _METHODS
            self._method = request.method if known else "HTTP"
            described: dict[str, AttributeValue] = {
                names.HTTP_REQUEST_METHOD: request.method if known else "_OTHER",
                names.URL_PATH: request.path,
                names.URL_SCHEME: request.scheme,
            }
            self._own = OpenSpan.start(tracer, self._method, SpanKind.SERVER, described, self._guard, base)
        elif current.is_recording():
            # It was started before anyone knew whose request it is.
            current.set_attributes(session_attributes(base))
        if self._own is not None:
            self._answered = self._own.span.get_span_context()
            base = trace.set_span_in_context(self._own.span, base)
        self._resumed = ResumedContext(lambda: base, self._guard)


def source_id(source: Source, headers: Mapping[str, str], request: Any) -> str | None:
    """The id that a request has at this source, if it is fit to be one."""
    if source is None:
        return None
    found = headers.get(source.lower()) if isinstance(source, str) else source(request)
    text = "" if found is None else str(found).strip()
    return text if text and len(text) <= MAX_ID_LENGTH and text.isprintable() else None


def exposed(value: str) -> str:
    """The value of ``access-control-expose-headers`` with ours in it."""
    present = {name.strip().lower() for name in value.split(",")}
    if present & {"*", TRACE_RESPONSE}:
        return value
    return f"{value}, {TRACE_RESPONSE}" if value.strip() else TRACE_RESPONSE

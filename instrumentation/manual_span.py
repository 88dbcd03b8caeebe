"""``start_span()``: a span around any block, for what is no function."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, Status, StatusCode, Tracer, format_span_id, format_trace_id

from hansei.instrumentation.content import process_content
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.open_span import OpenSpan
from hansei.instrumentation.plain_value import attribute_value
from hansei.instrumentation.process_tracer import process_tracer
from hansei.instrumentation.span_content import call_attributes, input_attributes, output_attributes
from hansei.instrumentation.span_types import SpanType, span_plan

_guard = Guard()


class ManualSpan:
    """The span of a ``start_span`` block. No method raises, and without an SDK none does anything."""

    def __init__(self, span: Span, operation: str = "") -> None:
        self.span = span
        """OpenTelemetry's span."""
        self._operation = operation

    @property
    def trace_id(self) -> str:
        """The trace's id: 32 hex digits, all 0 without an SDK."""
        return format_trace_id(self.span.get_span_context().trace_id)

    @property
    def span_id(self) -> str:
        """The span's id: 16 hex digits, all 0 without an SDK."""
        return format_span_id(self.span.get_span_context().span_id)

    def set_inputs(self, inputs: object) -> None:
        """Record what the block works on, as JSON, if content is recorded. Names come best from a dict."""
        _guard.run("record a span's inputs", self._set_inputs, inputs)

    def set_outputs(self, outputs: object) -> None:
        """Record what the block made, as JSON, if content is recorded."""
        _guard.run("record a span's outputs", self._set_outputs, outputs)

    def set_attribute(self, key: str, value: object) -> None:
        """Set an attribute; what OpenTelemetry cannot take becomes JSON."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, object]) -> None:
        """Set several attributes."""
        _guard.run("set a span's attributes", self._set_attributes, attributes)

    def set_status(self, status: Status | StatusCode | str, description: str | None = None) -> None:
        """Set the status: ``"OK"``, ``"ERROR"``, or one of OpenTelemetry's. An exception sets ERROR by itself."""
        _guard.run("set a span's status", self._set_status, status, description)

    def _set_inputs(self, inputs: object) -> None:
        if not self.span.is_recording():
            return
        if isinstance(inputs, dict):
            self.span.set_attributes(call_attributes(self._operation, inputs))
        content = process_content.content
        if content.on_spans:
            self.span.set_attributes(input_attributes(self._operation, inputs, content.max_length))

    def _set_outputs(self, outputs: object) -> None:
        content = process_content.content
        if content.on_spans and self.span.is_recording():
            self.span.set_attributes(output_attributes(self._operation, outputs, content.max_length))

    def _set_attributes(self, attributes: Mapping[str, object]) -> None:
        self.span.set_attributes({str(key): attribute_value(value) for key, value in attributes.items()})

    def _set_status(self, status: Status | StatusCode | str, description: str | None) -> None:
        if isinstance(status, Status):
            self.span.set_status(status)
            return
        code = status if isinstance(status, StatusCode) else StatusCode[str(getattr(status, "value", status)).upper()]
        # Only an error's description is kept by OpenTelemetry, and any other is warned about.
        self.span.set_status(Status(code, description if code is StatusCode.ERROR else None))


@contextmanager
def start_span(
    name: str = "span", span_type: str = SpanType.UNKNOWN, attributes: Mapping[str, Any] | None = None
) -> Iterator[ManualSpan]:
    """Make a span of a block: ``with start_span("rank", span_type=SpanType.RERANKER) as span: …``.

    Name, type and attributes are as in ``@trace``; inputs and outputs are what the block tells ``set_inputs`` and
    ``set_outputs``. What the block raises is recorded and goes on as it is. Without an SDK the block runs all the same.
    """
    opened = _guard.run("start a span", _opened, name, span_type, attributes)
    if opened is None:
        yield ManualSpan(INVALID_SPAN)
        return
    span, operation = opened
    span.enter()
    try:
        yield ManualSpan(span.span, operation)
    except BaseException as error:
        ended = time.time_ns()
        span.leave()
        span.fail(error)
        span.end(ended)
        raise
    span.leave()
    span.end()


def get_current_active_span() -> ManualSpan | None:
    """The current span, whoever started it; None outside any."""
    current = trace.get_current_span()
    return ManualSpan(current) if current.get_span_context().is_valid else None


def _opened(name: str, span_type: str, attributes: Mapping[str, Any] | None) -> tuple[OpenSpan, str] | None:
    tracer: Tracer | None = process_tracer.tracer
    if tracer is None:
        return None
    plan = span_plan(name, span_type, attributes)
    span = OpenSpan.start(tracer, plan.name, plan.kind, plan.attributes, _guard)
    return None if span is None else (span, plan.operation)

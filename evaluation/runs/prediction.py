"""Running the application again on the inputs of each row."""

import asyncio
import contextvars
import inspect
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace as opentelemetry_trace
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, Status, StatusCode, Tracer, format_trace_id

from hansei import __version__
from hansei.evaluation.json_text import plain_json, stored_json
from hansei.evaluation.runs.data import DataRow
from hansei.evaluation.telemetry import RUN_ID, evaluation_tracer_provider

Predict = Callable[..., Any]
_SCOPE = "hansei.evaluation"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What came of a row."""

    outputs: Any
    trace_id: str
    error: str
    duration_ms: float


class Predictions:
    """Calls ``predict_fn``, each call in a span of its own: of the application's telemetry, or of evaluation's."""

    def __init__(self, predict_fn: Predict | None, run_id: str, workers: int) -> None:
        self._predict = predict_fn
        self._run_id = run_id
        self._provider = opentelemetry_trace.get_tracer_provider()
        if isinstance(self._provider, ProxyTracerProvider | NoOpTracerProvider):
            self._provider = evaluation_tracer_provider()
        self._tracer: Tracer = self._provider.get_tracer(_SCOPE, __version__)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="hansei-predict")
        self._slots = asyncio.Semaphore(workers)

    async def predict(self, row: DataRow) -> Prediction:
        """What the application answers to a row's inputs."""
        async with self._slots:
            if inspect.iscoroutinefunction(self._predict):
                return await self._spanned(row, self._predict)
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, context.run, self._in_thread, row)

    def record(self, row: DataRow) -> Prediction:
        """A trace of what was answered before, for a row that has none."""
        name = "recorded answer"
        with self._tracer.start_as_current_span(name, context=opentelemetry_trace.set_span_in_context(_NONE)) as span:
            self._describe(span, row)
            span.set_attribute("hansei.span.outputs", stored_json(plain_json(row.outputs)))
        return Prediction(row.outputs, _trace_id(span), "", 0.0)

    def flush(self) -> None:
        """Send what is left."""
        flush = getattr(self._provider, "force_flush", None)
        if callable(flush):
            flush()

    def close(self) -> None:
        """End the threads."""
        self.flush()
        self._threads.shutdown(wait=True)

    def _in_thread(self, row: DataRow) -> Prediction:
        assert self._predict is not None
        with self._started() as span:
            began = time.perf_counter()
            self._describe(span, row)
            try:
                outputs, error = self._predict(**_arguments(row.inputs, self._predict)), ""
            except Exception as raised:
                outputs, error = None, _failed(span, raised)
            return self._done(span, outputs, error, began)

    async def _spanned(self, row: DataRow, predict: Predict) -> Prediction:
        with self._started() as span:
            began = time.perf_counter()
            self._describe(span, row)
            try:
                outputs, error = await predict(**_arguments(row.inputs, predict)), ""
            except Exception as raised:
                outputs, error = None, _failed(span, raised)
            return self._done(span, outputs, error, began)

    def _started(self) -> Any:
        name = getattr(self._predict, "__name__", "predict_fn")
        # A trace for each row, also where the caller has a span open.
        return self._tracer.start_as_current_span(name, context=opentelemetry_trace.set_span_in_context(_NONE))

    def _describe(self, span: opentelemetry_trace.Span, row: DataRow) -> None:
        span.set_attribute(RUN_ID, self._run_id)
        span.set_attribute("hansei.span.inputs", stored_json(plain_json(row.inputs)))
        if row.session_id:
            span.set_attribute("session.id", row.session_id)
        for name, value in row.tags.items():
            span.set_attribute(f"hansei.tag.{name}", value)

    def _done(self, span: opentelemetry_trace.Span, outputs: Any, error: str, began: float) -> Prediction:
        if not error:
            span.set_attribute("hansei.span.outputs", stored_json(plain_json(outputs)))
        duration = (time.perf_counter() - began) * 1000
        return Prediction(outputs, _trace_id(span), error, duration)


_NONE = opentelemetry_trace.INVALID_SPAN


def _trace_id(span: opentelemetry_trace.Span) -> str:
    """Of a span that nobody records, as with ``OTEL_SDK_DISABLED``, one of its own: scores of rows must not meet."""
    context = span.get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else uuid.uuid4().hex


def _arguments(inputs: Any, predict: Predict) -> dict[str, Any]:
    """A dict of inputs by its names, as MLflow passes them; anything else as the one argument."""
    if isinstance(inputs, dict):
        return inputs
    first = next(iter(inspect.signature(predict).parameters), "inputs")
    return {first: inputs}


def _failed(span: opentelemetry_trace.Span, raised: Exception) -> str:
    span.record_exception(raised)
    span.set_status(Status(StatusCode.ERROR, str(raised)))
    return f"{type(raised).__name__}: {raised}"

"""Sending events through the service's own telemetry."""

import logging
import os
import threading
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry._logs import (
    LoggerProvider,
    LogRecord,
    NoOpLoggerProvider,
    get_logger,
    get_logger_provider,
    set_logger_provider,
)
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from hansei import __version__
from hansei.feedback.attributes import EVENT_NAME
from hansei.feedback.clock import EventClock
from hansei.feedback.event import Event
from hansei.instrumentation.activation import process_activation
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.setup_error import SetupError

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider

_SCOPE = "hansei.feedback"
_EXIT_PATIENCE_SECONDS = 2.0
_logger = logging.getLogger(__name__)


class ServiceEvents:
    """Hands events to the process's logger provider: that of the service, or of ``hansei.instrument()``.

    A process that has none gets one that sends to where ``instrument()`` would; its spans are left alone. Handing
    over takes microseconds: the provider sends in batches, and what is left when the process ends.
    """

    def __init__(self) -> None:
        self.clock = EventClock()
        self._guard = Guard()
        self._turn = threading.Lock()
        self._own: SdkLoggerProvider | None = None
        self._warned = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def send(self, event: Event) -> None:
        """Hand an event over. It never raises."""
        self._guard.run("send feedback", self._emit, event)

    def _emit(self, event: Event) -> None:
        record = LogRecord(
            timestamp=event.time_ns, event_name=EVENT_NAME, attributes=dict(event.attributes), context=_about(event)
        )
        get_logger(_SCOPE, __version__, self._provider()).emit(record)

    def _provider(self) -> LoggerProvider | None:
        current = process_activation.logger_provider or get_logger_provider()
        if not isinstance(current, ProxyLoggerProvider | NoOpLoggerProvider):
            return current
        with self._turn:
            if self._own is None:
                self._own = self._configured()
                if self._own is not None and isinstance(current, ProxyLoggerProvider):
                    set_logger_provider(self._own)
            return self._own

    def _configured(self) -> "SdkLoggerProvider | None":
        if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            self._warn("OTEL_SDK_DISABLED is set")
            return None
        try:
            return own_logger_provider()
        except SetupError as error:
            self._warn(str(error))
            return None

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            _logger.warning("feedback is not sent from this process: %s", why)

    def _renew(self) -> None:
        self._turn = threading.Lock()
        self.clock.renew()


service_events = ServiceEvents()
"""The process's own."""


def own_logger_provider() -> "SdkLoggerProvider":
    """A provider of events alone, with the exporters that ``instrument()`` would choose. Raises ``SetupError``."""
    from opentelemetry.sdk._logs import LoggerProvider as SdkLoggerProvider
    from opentelemetry.sdk._logs.export import LogRecordExportResult
    from opentelemetry.sdk.resources import Resource

    from hansei.instrumentation.delivery import DeliveryReport
    from hansei.instrumentation.exporters import Destination, chosen_exporters
    from hansei.instrumentation.leaving import Departure, Leaving
    from hansei.instrumentation.sdk import LogBatches
    from hansei.instrumentation.sender import LogSender

    report, departure = DeliveryReport(), Departure(_EXIT_PATIENCE_SECONDS)
    # That of the service's spans, if it makes any.
    resource = getattr(trace.get_tracer_provider(), "resource", None) or Resource.create()
    provider = SdkLoggerProvider(resource=resource, shutdown_on_exit=False)
    for chosen in chosen_exporters("logs", Destination()):
        if chosen.target is None:
            provider.add_log_record_processor(LogBatches(chosen.make(), departure, report, "its exporter"))
        else:
            sender = LogSender(chosen.make, LogRecordExportResult.FAILURE, chosen.target, report)
            provider.add_log_record_processor(LogBatches(sender, departure, report, chosen.target))
    report.install()
    Leaving(provider.shutdown)
    return provider


def _about(event: Event) -> Context:
    """A context whose span is the one that is spoken about; never the span that happens to be open."""
    span = SpanContext(
        int(event.trace_id or "0", 16),
        int(event.span_id or "0", 16),
        is_remote=True,
        trace_flags=TraceFlags.get_default(),
    )
    return set_span_in_context(NonRecordingSpan(span), Context())

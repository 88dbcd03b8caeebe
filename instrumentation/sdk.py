"""An OpenTelemetry SDK that sends to hansei, for a service that has none."""

import os
from collections.abc import Mapping
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider, set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation.delivery import DeliveryReport
from hansei.instrumentation.exporters import Chosen, Destination, chosen_exporters, component
from hansei.instrumentation.leaving import Departure, Leaving
from hansei.instrumentation.sender import LogSender, SpanSender

# How long a process that ends may wait for the server to take what is left. The SDK's own wait is 30 s.
_EXIT_PATIENCE_SECONDS = 2.0
_KNOWN_SAMPLERS = frozenset(
    f"{base}{name}" for base in ("", "parentbased_") for name in ("always_on", "always_off", "traceidratio")
)


class OwnSdk:
    """The providers that hansei has set for the process; they are never replaced, only flushed and left.

    Nothing here connects: an absent server costs the telemetry, never the service's time.
    """

    def __init__(self, destination: Destination, resource_attributes: Mapping[str, AttributeValue]) -> None:
        """Raises ``SetupError``, before anything is set, for what cannot be set up."""
        spans = chosen_exporters("traces", destination)
        logs = chosen_exporters("logs", destination)
        readings = chosen_exporters("metrics", destination, default="none")
        sampler, id_generator = _sampler(), _id_generator()
        resource = Resource.create(dict(resource_attributes))

        self._asked = (destination, dict(resource_attributes))
        self._report = DeliveryReport()
        self._departure = Departure(_EXIT_PATIENCE_SECONDS)
        self._senders: list[SpanSender | LogSender] = []
        self.meter_provider = _set_meter_provider(resource, readings)
        self.logger_provider = self._set_logger_provider(resource, logs)
        self.tracer_provider = TracerProvider(
            sampler=sampler, id_generator=id_generator, resource=resource, shutdown_on_exit=False
        )
        for chosen in spans:
            self.tracer_provider.add_span_processor(self._span_processor(chosen))
        trace.set_tracer_provider(self.tracer_provider)
        self._report.install()
        self._leaving = Leaving(self.leave)

    @property
    def failures(self) -> int:
        """Batches that did not arrive, in this process."""
        return sum(sender.failures for sender in self._senders)

    def serves(self, destination: Destination, resource_attributes: Mapping[str, AttributeValue]) -> bool:
        """Whether this is what it was made for."""
        return (destination, dict(resource_attributes)) == self._asked

    def leave(self) -> None:
        """Send what is left, for two seconds at most, and end."""
        self.tracer_provider.shutdown()
        if self.logger_provider is not None:
            self.logger_provider.shutdown()
        if self.meter_provider is not None:
            self.meter_provider.shutdown(timeout_millis=self._departure.milliseconds())

    def _set_logger_provider(self, resource: Resource, exporters: list[Chosen]) -> LoggerProvider | None:
        if isinstance(get_logger_provider(), LoggerProvider):
            return None  # the service's own
        provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
        for chosen in exporters:
            provider.add_log_record_processor(self._log_processor(chosen))
        set_logger_provider(provider)
        return provider

    def _span_processor(self, chosen: Chosen) -> BatchSpanProcessor:
        if chosen.target is None:
            return _SpanBatches(chosen.make(), self._departure, self._report, "its exporter")
        sender = SpanSender(chosen.make, SpanExportResult.FAILURE, chosen.target, self._report)
        self._senders.append(sender)
        return _SpanBatches(sender, self._departure, self._report, chosen.target)

    def _log_processor(self, chosen: Chosen) -> BatchLogRecordProcessor:
        if chosen.target is None:
            return LogBatches(chosen.make(), self._departure, self._report, "its exporter")
        sender = LogSender(chosen.make, LogRecordExportResult.FAILURE, chosen.target, self._report)
        self._senders.append(sender)
        return LogBatches(sender, self._departure, self._report, chosen.target)


class _SpanBatches(BatchSpanProcessor):
    """Batches whose shutdown sends what is left, but does not keep a process from ending."""

    def __init__(self, exporter: SpanExporter, departure: Departure, report: DeliveryReport, target: str) -> None:
        super().__init__(exporter)
        self._departure, self._report, self._target = departure, report, target

    def on_end(self, span: ReadableSpan) -> None:
        with self._report.about(self._target, tolerated=0):  # a full queue
            super().on_end(span)

    def shutdown(self) -> None:
        # The SDK has the bound, but only on the inside.
        self._batch_processor.shutdown(timeout_millis=self._departure.milliseconds())


class LogBatches(BatchLogRecordProcessor):
    """The same for log records."""

    def __init__(self, exporter: LogRecordExporter, departure: Departure, report: DeliveryReport, target: str) -> None:
        super().__init__(exporter)
        self._departure, self._report, self._target = departure, report, target

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        with self._report.about(self._target, tolerated=0):
            super().on_emit(log_record)

    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=self._departure.milliseconds())


def _set_meter_provider(resource: Resource, exporters: list[Chosen]) -> Any:
    """The provider that ``OTEL_METRICS_EXPORTER`` asks for; none by default, as hansei takes no metrics yet."""
    if not exporters:
        return None
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader

    if isinstance(metrics.get_meter_provider(), MeterProvider):
        return None  # the service's own
    made = [chosen.make() for chosen in exporters]
    readers = [one if isinstance(one, MetricReader) else PeriodicExportingMetricReader(one) for one in made]
    provider = MeterProvider(resource=resource, metric_readers=readers, shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return provider


def _sampler() -> Sampler | None:
    """One from another package; the SDK finds its own by ``OTEL_TRACES_SAMPLER``."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if not name or name.lower() in _KNOWN_SAMPLERS:
        return None
    made: Sampler = component("opentelemetry_traces_sampler", name, "OTEL_TRACES_SAMPLER")(
        os.environ.get("OTEL_TRACES_SAMPLER_ARG")
    )
    return made


def _id_generator() -> IdGenerator | None:
    name = os.environ.get("OTEL_PYTHON_ID_GENERATOR", "").strip()
    if not name or name == "random":
        return None
    made: IdGenerator = component("opentelemetry_id_generator", name, "OTEL_PYTHON_ID_GENERATOR")()
    return made

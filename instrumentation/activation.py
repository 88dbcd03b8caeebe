"""Switching instrumentation on and off for the process."""

import logging
import os
import threading

from opentelemetry import trace
from opentelemetry.trace import ProxyTracerProvider, TracerProvider

from hansei.instrumentation.content import content_recorded
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

_logger = logging.getLogger(__name__)


class Activation:
    """What ``instrument()`` has set up in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own_provider: TracerProvider | None = None

    def switch_on(
        self,
        endpoint: str | None,
        service_name: str | None,
        capture_content: bool | str | None,
        tracer_provider: TracerProvider | None,
    ) -> None:
        """See ``instrument``."""
        instrumentor = HanseiOpenAIInstrumentor()
        with self._lock:
            if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
                _logger.debug("OTEL_SDK_DISABLED is set: nothing is instrumented")
                return
            if instrumentor.is_instrumented_by_opentelemetry:
                _logger.debug("already instrumented")
                return
            provider = tracer_provider or self._provider(endpoint, service_name)
            content = content_recorded(capture_content, default=provider is self._own_provider)
            instrumentor.instrument(tracer_provider=provider, capture_content=content)
            if not instrumentor.observing:
                # It stood down, or there is no client to wrap: a later call may find it otherwise.
                self._reset(instrumentor)

    def switch_off(self) -> None:
        """See ``uninstrument``."""
        with self._lock:
            self._reset(HanseiOpenAIInstrumentor())

    def _provider(self, endpoint: str | None, service_name: str | None) -> TracerProvider:
        current = trace.get_tracer_provider()
        if isinstance(current, ProxyTracerProvider):
            from hansei.instrumentation.sdk import configure_sdk

            self._own_provider = configure_sdk(endpoint, service_name)
            return self._own_provider
        if (endpoint or service_name) and current is not self._own_provider:
            _logger.warning(
                "this service has configured OpenTelemetry itself, so the endpoint and service_name "
                "given to hansei.instrument() have no effect"
            )
        return current

    @staticmethod
    def _reset(instrumentor: HanseiOpenAIInstrumentor) -> None:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


_activation = Activation()
_guard = Guard()


def instrument(
    *,
    endpoint: str | None = None,
    service_name: str | None = None,
    capture_content: bool | str | None = None,
    tracer_provider: TracerProvider | None = None,
) -> None:
    """Record the model calls of this process as OpenTelemetry spans.

    A service that has configured OpenTelemetry keeps its configuration, and its spans go where they always
    went. One that has not gets an SDK that sends to hansei over OTLP/gRPC: to ``endpoint``, else to
    ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` or ``OTEL_EXPORTER_OTLP_ENDPOINT``, else to
    http://127.0.0.1:4317, with the key of ``HANSEI_API_KEY`` if that is set. Nothing waits for the server.

    Prompts and answers are recorded if ``capture_content`` says so (True, False, or a value of
    ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``), else as that variable says, else only if this
    call configured the SDK: what goes to hansei has content, what joins a service's telemetry has not.

    ``tracer_provider`` makes the spans with a provider of your own instead of the process's.
    Calling it again changes nothing; ``uninstrument`` comes first. It never raises: a service starts
    without its telemetry rather than not at all, and the log says why.
    """
    arguments = (endpoint, service_name, capture_content, tracer_provider)
    _guard.run("instrument this process", _activation.switch_on, *arguments)


def uninstrument() -> None:
    """Give the openai client its own methods back. An SDK that ``instrument`` configured stays."""
    _guard.run("uninstrument this process", _activation.switch_off)

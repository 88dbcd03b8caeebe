"""Switching instrumentation on and off for the process."""

import importlib.util
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import ProxyTracerProvider, TracerProvider
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation.content import NOTHING, Content, content_choice, process_content
from hansei.instrumentation.exporters import Destination
from hansei.instrumentation.flushing import flush_providers
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.process_tracer import process_tracer
from hansei.instrumentation.setup_error import SetupError

if TYPE_CHECKING:
    from hansei.instrumentation.sdk import OwnSdk

DEFAULT_FLUSH_SECONDS: Final = 5.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What ``instrument()`` was called with."""

    destination: Destination = field(default_factory=Destination)
    resource_attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    capture_content: bool | str | None = None
    metrics: str | None = None
    tracer_provider: TracerProvider | None = None
    meter_provider: MeterProvider | None = None
    logger_provider: LoggerProvider | None = None

    @property
    def names_a_destination(self) -> bool:
        """Whether it says anything that matters only to an SDK that is not set up yet."""
        return self.destination != Destination() or bool(self.resource_attributes)


class Activation:
    """What ``instrument()`` has set up in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own_sdk: OwnSdk | None = None
        self._granted: Wish | None = None
        self._content = NOTHING
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def switch_on(self, wish: Wish) -> None:
        """See ``instrument``."""
        with self._lock:
            if _disabled():
                _logger.debug("OTEL_SDK_DISABLED is set: nothing is instrumented")
                return
            if self._granted is None:
                try:
                    self._grant(wish)
                except SetupError as error:
                    _logger.warning("hansei.instrument() does nothing, because of %s", error)
                    return
            else:
                self._compare(wish)
            self._observe_openai(self._granted or wish)

    def configure(self, resource_attributes: Mapping[str, AttributeValue]) -> None:
        """Set the SDK up as ``instrument`` would, for tools that load instrumentors themselves.

        Raises ``SetupError``.
        """
        with self._lock:
            if not _disabled() and isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
                provider = self._provider(Wish(resource_attributes=resource_attributes))
                self._follow(provider, Wish())

    def switch_off(self) -> None:
        """See ``uninstrument``."""
        with self._lock:
            self._granted, self._content = None, NOTHING
            process_content.set(None)
            process_tracer.use(None)
            _release_openai()

    @property
    def logger_provider(self) -> LoggerProvider | None:
        """The one that ``instrument`` was given for events, if any."""
        return self._granted.logger_provider if self._granted else None

    def flush(self, timeout_seconds: float) -> bool:
        """See ``flush``."""
        granted = self._granted or Wish()
        given = [granted.tracer_provider, granted.logger_provider, granted.meter_provider]
        own = self._own_sdk
        before = own.failures if own else 0
        done = flush_providers(given, timeout_seconds)
        return done and (own.failures if own else 0) == before

    def _grant(self, wish: Wish) -> None:
        if wish.tracer_provider is not None:
            self._compare(wish)
        provider = wish.tracer_provider or self._provider(wish)
        self._follow(provider, wish)
        self._granted = wish
        # A tool has loaded the instrumentor without the wishes of the application.
        _release_openai()

    def _provider(self, wish: Wish) -> TracerProvider:
        current = trace.get_tracer_provider()
        if isinstance(current, ProxyTracerProvider):
            from hansei.instrumentation.sdk import OwnSdk

            self._own_sdk = OwnSdk(wish.destination, wish.resource_attributes)
            return self._own_sdk.tracer_provider
        self._compare(wish)
        return current

    def _compare(self, wish: Wish) -> None:
        own = self._own_sdk
        if wish.names_a_destination and (own is None or not own.serves(wish.destination, wish.resource_attributes)):
            _logger.warning(
                "%s, so the endpoint, protocol, api_key, service_name and resource_attributes given to "
                "hansei.instrument() have no effect",
                "hansei has been set up before" if own else "this service has configured OpenTelemetry itself",
            )

    def _follow(self, provider: TracerProvider, wish: Wish) -> None:
        own = self._own_sdk is not None and provider is self._own_sdk.tracer_provider
        # What goes to hansei has content; what joins a service's telemetry has none unasked.
        self._content = content_choice(wish.capture_content, default=Content(on_spans=own))
        process_content.set(self._content)
        process_tracer.use(wish.tracer_provider)
        _follow_sessions(provider)

    def _observe_openai(self, wish: Wish) -> None:
        if importlib.util.find_spec("openai") is None:
            _logger.debug("there is no openai client to instrument")
            return
        from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

        instrumentor = HanseiOpenAIInstrumentor()
        if instrumentor.is_instrumented_by_opentelemetry:
            _logger.debug("already instrumented")
            return
        options: dict[str, Any] = {
            "tracer_provider": wish.tracer_provider,
            "meter_provider": wish.meter_provider,
            "logger_provider": wish.logger_provider,
            "content": self._content,
            "metrics": wish.metrics,
        }
        instrumentor.instrument(**{name: value for name, value in options.items() if value is not None})
        if not instrumentor.observing:
            # It stood down, or there is no client to wrap: a later call may find it otherwise.
            _release_openai()

    def _renew(self) -> None:
        self._lock = threading.Lock()


def _disabled() -> bool:
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _release_openai() -> None:
    if importlib.util.find_spec("openai") is None:
        return
    from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

    instrumentor = HanseiOpenAIInstrumentor()
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


def _follow_sessions(provider: TracerProvider) -> None:
    from hansei.instrumentation import session_processor

    session_processor.install(provider)


process_activation = Activation()
"""What is set up in this process."""

_guard = Guard()


def instrument(
    *,
    endpoint: str | None = None,
    protocol: str | None = None,
    api_key: str | None = None,
    service_name: str | None = None,
    resource_attributes: Mapping[str, AttributeValue] | None = None,
    capture_content: bool | str | None = None,
    metrics: str | None = None,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
) -> None:
    """Record the model calls of this process as OpenTelemetry spans.

    A service that has configured OpenTelemetry keeps its configuration, and its telemetry goes where it always
    went. One that has not gets an SDK for spans and events, which follows OpenTelemetry's variables (``OTEL_*``) and
    otherwise sends to hansei. Nothing waits for the server: what it does not take is dropped once the SDK's queue is
    full, with one warning a minute, and a process that ends waits two seconds at most.

    - ``endpoint``: the base URL of the collector, for all signals. Else ``OTEL_EXPORTER_OTLP_ENDPOINT`` and its
      variants by signal, else http://127.0.0.1:4317 for gRPC and http://127.0.0.1:4318 for HTTP.
    - ``protocol``: ``grpc`` or ``http/protobuf`` (which ``hansei[http]`` installs). Else
      ``OTEL_EXPORTER_OTLP_PROTOCOL``, else gRPC.
    - ``api_key``: the collector's key. Else an ``authorization`` in ``OTEL_EXPORTER_OTLP_HEADERS``, else
      ``HANSEI_API_KEY``.
    - ``service_name`` and ``resource_attributes`` go over ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES``.
    - ``capture_content``: whether prompts and answers are recorded: True (on spans), False, or a value of
      ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``. Else as that variable says, else only if this call
      configured the SDK: what goes to hansei has content, what joins a service's telemetry has not.
    - ``metrics``: which generation of the GenAI metrics is recorded; see ``HanseiOpenAIInstrumentor``. They go to the
      process's meter provider, and nowhere unless ``OTEL_METRICS_EXPORTER`` or the service has set one up.
    - ``tracer_provider``, ``meter_provider``, ``logger_provider``: providers of your own instead of the process's.

    Calling it again changes nothing; ``uninstrument`` comes first. It never raises: a service starts without its
    telemetry rather than not at all, and the log says why.
    """
    named = {"service.name": service_name} if service_name else {}
    wish = Wish(
        destination=Destination(endpoint or None, protocol or None, api_key or None),
        resource_attributes={**(resource_attributes or {}), **named},
        capture_content=capture_content,
        metrics=metrics,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        logger_provider=logger_provider,
    )
    _guard.run("instrument this process", process_activation.switch_on, wish)


def uninstrument() -> None:
    """Give the openai client its own methods back. An SDK that ``instrument`` configured stays. It never raises."""
    _guard.run("uninstrument this process", process_activation.switch_off)


def flush(timeout_seconds: float = DEFAULT_FLUSH_SECONDS) -> bool:
    """Send what has been recorded so far: for a notebook, a test, or a function that is frozen after its answer.

    True if the providers handed all of it over within ``timeout_seconds``; of an SDK that hansei configured, also
    that the collector took it. A process that ends in order needs no call; one that a signal ends does, and uvicorn
    ends that way after SIGTERM: call it when the application shuts down. It never raises.
    """
    return bool(_guard.run("flush", process_activation.flush, timeout_seconds))

"""An OpenTelemetry SDK that sends to hansei, for a service that has none."""

import atexit
import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.re import parse_env_headers

DEFAULT_ENDPOINT = "http://127.0.0.1:4317"
KEY_VARIABLE = "HANSEI_API_KEY"

# How long a process that ends may wait for the server to take what is left. The SDK's own wait is 30 s.
_EXIT_PATIENCE_MS = 2000


def configure_sdk(endpoint: str | None, service_name: str | None) -> TracerProvider:
    """Set the process's tracer provider to one that sends spans to hansei over OTLP/gRPC.

    The endpoint is the argument, else OpenTelemetry's environment variables, else a hansei on this
    machine; the resource is OpenTelemetry's as well, with ``service_name`` over ``OTEL_SERVICE_NAME``.
    Nothing here connects: an absent server costs the spans, never the service's time.
    """
    resource = Resource.create({"service.name": service_name} if service_name else None)
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(_QuickToLeave(_exporter(endpoint)))
    trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)
    return provider


class _QuickToLeave(BatchSpanProcessor):
    """A batch processor whose shutdown sends what is left, but does not keep a process from ending."""

    def shutdown(self) -> None:
        # The SDK has the bound, but only on the inside.
        self._batch_processor.shutdown(timeout_millis=_EXIT_PATIENCE_MS)


def _exporter(endpoint: str | None) -> OTLPSpanExporter:
    chosen = endpoint or _environment_endpoint() or DEFAULT_ENDPOINT
    if "://" not in chosen:
        chosen = f"http://{chosen}"
    return OTLPSpanExporter(endpoint=chosen, headers=_headers())


def _environment_endpoint() -> str | None:
    variables = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return next((os.environ[name] for name in variables if os.environ.get(name)), None)


def _headers() -> dict[str, str] | None:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        return None
    # The exporter reads the variables only if it is given no headers, so they are joined here.
    variables = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    configured = next((os.environ[name] for name in variables if os.environ.get(name)), "")
    return {"authorization": f"Bearer {key}", **parse_env_headers(configured, liberal=True)}

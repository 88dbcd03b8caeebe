"""The tracer of the spans that an application makes by hand."""

from opentelemetry import trace
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, Tracer, TracerProvider

from hansei import __version__

SCOPE = "hansei.instrumentation"


class ProcessTracer:
    """Finds the tracer anew when the provider has changed, and otherwise costs a comparison."""

    def __init__(self) -> None:
        self._chosen: TracerProvider | None = None
        self._found: tuple[TracerProvider, Tracer | None] | None = None

    def use(self, provider: TracerProvider | None) -> None:
        """Make spans with this provider; ``None`` means the process's own."""
        self._chosen = provider

    @property
    def tracer(self) -> Tracer | None:
        """The tracer, or None while no OpenTelemetry SDK is set up."""
        provider = self._chosen or trace.get_tracer_provider()
        found = self._found
        if found is None or found[0] is not provider:
            absent = isinstance(provider, ProxyTracerProvider | NoOpTracerProvider)
            found = (provider, None if absent else provider.get_tracer(SCOPE, __version__))
            self._found = found
        return found[1]


process_tracer = ProcessTracer()
"""What ``@trace``, ``start_span`` and the middlewares go by; ``instrument(tracer_provider=…)`` sets it."""

"""A span processor that says on every span whose it is, and keeps track of the active traces.

It needs OpenTelemetry's SDK, so nothing that ``import hansei`` loads may import it.
"""

import threading
from weakref import WeakSet

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from hansei.instrumentation.active_trace import active_traces
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.session_context import session_attributes

_guard = Guard()


class SessionProcessor(SpanProcessor):
    """Writes what ``session()`` and ``using_attributes()`` carry onto spans of any origin. It exports nothing."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span starts in this context, or in the current one."""
        _guard.run("give a span its session", _describe, span, parent_context)
        _guard.run("follow a trace", active_traces.started, span, trace.get_current_span(parent_context))

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended; if it was the outermost one here, so has its trace."""
        context = span.context
        if context is not None and (span.parent is None or span.parent.is_remote):
            _guard.run("follow a trace", active_traces.touch, context.trace_id)


class _Installed:
    """The providers that have the processor; a provider can be given processors, but none can be taken away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._providers: WeakSet[TracerProvider] = WeakSet()

    def add(self, provider: TracerProvider) -> None:
        with self._lock:
            if provider not in self._providers:
                provider.add_span_processor(SessionProcessor())
                self._providers.add(provider)


_installed = _Installed()


def install(provider: object) -> None:
    """Give an SDK's tracer provider the processor, once; any other provider is left alone. It never raises."""
    if isinstance(provider, TracerProvider):
        _guard.run("follow a provider's spans", _installed.add, provider)


def _describe(span: Span, parent_context: Context | None) -> None:
    carried = session_attributes(parent_context)
    if carried:
        # What the application has set itself is what it means.
        present = span.attributes or {}
        missing = {name: value for name, value in carried.items() if name not in present}
        if missing:
            span.set_attributes(missing)

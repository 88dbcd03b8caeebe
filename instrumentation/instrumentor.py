"""The OpenAI instrumentor, as OpenTelemetry's tools know instrumentors."""

import logging
import sys
from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from typing import Any

from opentelemetry import trace

# mypy sees nothing in that module: it opens with `type: ignore`.
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from wrapt import BoundFunctionWrapper, FunctionWrapper, register_post_import_hook, wrap_function_wrapper

from hansei import __version__
from hansei.instrumentation.content import NOTHING, Content, content_choice
from hansei.instrumentation.events import Events
from hansei.instrumentation.metrics import Metrics, generation_choice
from hansei.instrumentation.request_layer import RequestLayer
from hansei.instrumentation.rivals import active_rival
from hansei.instrumentation.telemetry import Telemetry
from hansei.instrumentation.websocket_layer import WebSocketLayer

_logger = logging.getLogger(__name__)

_CLIENT, _STREAMING = "openai._base_client", "openai._streaming"
_REQUESTS: tuple[tuple[str, str, str, Callable[[RequestLayer], Callable[..., Any]]], ...] = (
    (_CLIENT, "SyncAPIClient", "request", lambda layer: layer.request),
    (_CLIENT, "AsyncAPIClient", "request", lambda layer: layer.async_request),
    (_CLIENT, "SyncAPIClient", "_process_response", lambda layer: layer.process_response),
    (_CLIENT, "AsyncAPIClient", "_process_response", lambda layer: layer.process_response),
    (_CLIENT, "BaseClient", "_calculate_retry_timeout", lambda layer: layer.retry_timeout),
    (_STREAMING, "Stream", "__init__", lambda layer: layer.stream_made),
    (_STREAMING, "AsyncStream", "__init__", lambda layer: layer.stream_made),
)
"""What all requests share: module, class, method, and by what it is wrapped."""
_CONNECTIONS = {
    "openai.resources.realtime.realtime": ("RealtimeConnection", "AsyncRealtimeConnection"),
    "openai.resources.beta.realtime.realtime": ("RealtimeConnection", "AsyncRealtimeConnection"),
    "openai.resources.responses.responses": ("ResponsesConnection", "AsyncResponsesConnection"),
    "openai.resources.beta.responses.responses": ("ResponsesConnection", "AsyncResponsesConnection"),
}
"""The WebSocket connections on which models answer, as far as the installed client has them; wrapped when imported."""
_CONNECTION_METHODS: tuple[tuple[str, Callable[[WebSocketLayer], Callable[..., Any]]], ...] = (
    ("send", lambda layer: layer.send),
    ("parse_event", lambda layer: layer.parse_event),
    ("close", lambda layer: layer.close),
)


class HanseiOpenAIInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Gives every request of the openai client a span; ``opentelemetry-instrument`` loads it as ``hansei_openai``.

    ``instrument(tracer_provider=, meter_provider=, logger_provider=, content=, metrics=)``, each of them optional:
    the providers are the process's where they are not given; ``content`` is a
    :class:`~hansei.instrumentation.content.Content`, without which
    ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` decides, and without that nothing is recorded; ``metrics``
    is one of ``deployed``, ``latest``, ``both`` and ``none`` (``hansei.instrumentation.metrics.generation_choice``).
    """

    # One object for the process, whose __init__ would run again on every use of the class.
    _layer: RequestLayer | None = None
    _websockets: WebSocketLayer | None = None
    _rival_found: bool | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """The clients that can be wrapped."""
        return ("openai >= 1.26.0",)

    @property
    def observing(self) -> bool:
        """Whether calls get spans from here."""
        return self._layer is not None and not self._rival_found

    def _instrument(self, **kwargs: Any) -> None:
        self._rival_found = None
        if self._stands_down():
            return
        # Two instrumentors can be loaded in any order, so the first call looks again.
        self._rival_found = None
        content: Content = kwargs.get("content") or content_choice(None, default=NOTHING)
        telemetry = Telemetry(
            trace.get_tracer("hansei.instrumentation", __version__, kwargs.get("tracer_provider")),
            content,
            Metrics.create(generation_choice(kwargs.get("metrics")), kwargs.get("meter_provider")),
            Events.create(kwargs.get("logger_provider"), content_on_events=content.on_events),
        )
        self._layer = RequestLayer(telemetry, stands_down=self._stands_down)
        for module, owner, method, wrapper in _REQUESTS:
            wrap_function_wrapper(module, f"{owner}.{method}", wrapper(self._layer))
        self._websockets = WebSocketLayer(telemetry, observes=self._layer.observes)
        for name in _CONNECTIONS:
            register_post_import_hook(self._connections_imported, name)

    def _connections_imported(self, module: Any) -> None:
        layer = self._websockets
        if layer is not None:
            layer.guard.run("wrap a connection", self._wrap_connections, module, layer)

    def _wrap_connections(self, module: Any, layer: WebSocketLayer) -> None:
        for kind, method, wrapper in _connection_methods(module):
            if not _is_ours(vars(kind).get(method), wrapper(layer)):
                wrap_function_wrapper(module, f"{kind.__name__}.{method}", wrapper(layer))

    def _uninstrument(self, **kwargs: Any) -> None:
        layer, self._layer = self._layer, None
        websockets, self._websockets = self._websockets, None
        # What others have wrapped around it, or a client has cached, cannot be taken out: it passes through.
        if layer is not None:
            layer.enabled = False
            for module, owner, method, wrapper in _REQUESTS:
                _unwrap(getattr(import_module(module), owner), method, wrapper(layer))
        if websockets is not None:
            websockets.enabled = False
            for name in _CONNECTIONS:
                if (imported := sys.modules.get(name)) is not None:
                    for kind, method, connection_wrapper in _connection_methods(imported):
                        _unwrap(kind, method, connection_wrapper(websockets))

    def _stands_down(self) -> bool:
        if self._rival_found is None:
            rival = active_rival()
            self._rival_found = rival is not None
            if rival:
                _logger.warning(
                    "hansei leaves OpenAI calls to %s, which already traces them; "
                    "uninstrument it if you want hansei's spans instead",
                    rival,
                )
        return self._rival_found


def _connection_methods(module: Any) -> Iterator[tuple[type, str, Callable[[WebSocketLayer], Callable[..., Any]]]]:
    for name in _CONNECTIONS[module.__name__]:
        kind = getattr(module, name, None)
        if isinstance(kind, type):
            for method, wrapper in _CONNECTION_METHODS:
                if hasattr(kind, method):
                    yield kind, method, wrapper


def _unwrap(kind: type, method: str, wrapper: Callable[..., Any]) -> None:
    outermost: Any = vars(kind).get(method)
    if not _is_ours(outermost, wrapper):
        return
    original = outermost.__wrapped__
    if any(vars(base).get(method) is original for base in kind.__mro__[1:]):
        # It was inherited before.
        delattr(kind, method)
    else:
        setattr(kind, method, original)


def _is_ours(layer: Any, wrapper: Callable[..., Any]) -> bool:
    # One that was wrapped around ours and taken out again has left ours bound.
    return isinstance(layer, FunctionWrapper | BoundFunctionWrapper) and layer._self_wrapper == wrapper

"""Responses that are asked for and made over a WebSocket: the Realtime API, and the Responses API over one.

A connection lives for as long as a conversation and is no call of a model; each response on it is one, from
``response.create`` (or, where the server decides to answer, ``response.created``) to the event that has its usage.
"""

from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from hansei.instrumentation import attributes as names
from hansei.instrumentation.call import Call
from hansei.instrumentation.operations.fields import field, text
from hansei.instrumentation.operations.operation import Request
from hansei.instrumentation.operations.responses import CreateResponse, RealtimeResponse
from hansei.instrumentation.server import UNKNOWN_SERVER, Server, server_at
from hansei.instrumentation.telemetry import Telemetry

_MOST_OPEN = 128
"""Responses of one connection that are under way; the API allows one at a time."""
_ENDS = frozenset({"response.done", "response.completed", "response.incomplete", "response.failed"})
_REALTIME, _RESPONSES = RealtimeResponse(), CreateResponse()


class WebSocketLayer:
    """The wrappers of a connection's methods, in the form that wrapt calls."""

    def __init__(self, telemetry: Telemetry, *, observes: Callable[[], bool]) -> None:
        self.enabled = True
        self.guard = telemetry.guard
        self._telemetry = telemetry
        self._observes = observes
        self._connections: WeakKeyDictionary[Any, _Conversation] = WeakKeyDictionary()

    def send(self, wrapped: Callable[..., Any], connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``send``: what the application asks for."""
        if self.enabled:
            self.guard.run("observe what is sent", self._sent, connection, args, kwargs)
        return wrapped(*args, **kwargs)

    def parse_event(
        self, wrapped: Callable[..., Any], connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """``parse_event``: every event that comes in."""
        event = wrapped(*args, **kwargs)
        if self.enabled:
            self.guard.run("observe an event", self._came, connection, event)
        return event

    def close(self, wrapped: Callable[..., Any], connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``close``: what is under way will not be read."""
        conversation = self._connections.pop(connection, None)
        if conversation is not None:
            self.guard.run("end a conversation", conversation.end, "cancelled")
        return wrapped(*args, **kwargs)

    def _sent(self, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        event = args[0] if args else kwargs.get("event")
        if field(event, "type") == "response.create" and self._observes():
            self._conversation(connection).asked(event)

    def _came(self, connection: Any, event: Any) -> None:
        kind = text(field(event, "type")) or ""
        if kind.startswith(("response.", "session.")) or kind == "error":
            conversation = self._connections.get(connection)
            if conversation is None:
                if not self._observes():
                    return
                conversation = self._conversation(connection)
            conversation.came(kind, event)

    def _conversation(self, connection: Any) -> "_Conversation":
        known = self._connections.get(connection)
        if known is None:
            known = self._connections[connection] = _Conversation(self._telemetry, connection)
        return known


class _Conversation:
    """The responses of one connection that are under way."""

    def __init__(self, telemetry: Telemetry, connection: Any) -> None:
        self._telemetry = telemetry
        self._server = telemetry.guard.run("read a server's address", _server_of, connection) or UNKNOWN_SERVER
        self._operation = _REALTIME if "realtime" in type(connection).__module__ else _RESPONSES
        self._model: str | None = None
        self._asked: deque[Call] = deque(maxlen=_MOST_OPEN)
        self._open: dict[str | None, Call] = {}

    def __del__(self) -> None:
        self.end("abandoned")

    def asked(self, event: Any) -> None:
        """The application asks for a response."""
        wish = field(event, "response") if self._operation is _REALTIME else event
        self._asked.append(self._start(_as_dict(wish)))

    def came(self, kind: str, event: Any) -> None:
        """An event has come in."""
        if kind.startswith("session."):
            self._model = text(field(field(event, "session"), "model")) or self._model
        elif kind == "response.created":
            call = self._asked.popleft() if self._asked else self._start({})
            if len(self._open) < _MOST_OPEN:
                self._open[text(field(field(event, "response"), "id"))] = call
        elif kind in _ENDS:
            response = field(event, "response")
            call_made = self._open.pop(text(field(response, "id")), None)
            if call_made is not None:
                call_made.note({names.STREAM_OUTCOME: "finished"})
                call_made.succeed(response)
        elif kind == "error" and self._asked:
            error = field(event, "error") or event
            refused = self._asked.popleft()
            refused.note({names.ERROR_TYPE: text(field(error, "code")) or text(field(error, "type")) or "error"})
            refused.succeed(None)

    def end(self, outcome: str) -> None:
        """End what is under way."""
        for call in (*self._asked, *self._open.values()):
            call.note({names.STREAM_OUTCOME: outcome})
            call.succeed(None)
        self._asked.clear()
        self._open.clear()

    def _start(self, parameters: dict[str, Any]) -> Call:
        parameters = {"model": self._model, **parameters} if self._model else parameters
        path = "/realtime" if self._operation is _REALTIME else "/responses"
        # It is not entered: what the application does between the events is no part of it.
        return Call(
            self._telemetry, self._operation, Request("get", path, parameters, self._server, stream=True, ids={})
        )


def _as_dict(wish: Any) -> dict[str, Any]:
    if isinstance(wish, dict):
        return wish
    dump = getattr(wish, "model_dump", None)
    return dump(exclude_unset=True) if callable(dump) else {}


def _server_of(connection: Any) -> Server:
    protocol = connection._connection.protocol
    # websockets 17 has renamed it.
    address = getattr(protocol, "uri", None) or protocol.wsuri
    return server_at(address.host, address.port)

"""Middleware for ASGI applications: FastAPI, Starlette, Litestar, Quart, Django and others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from hansei.instrumentation.activation import flush
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.served_request import (
    EXPOSED_HEADERS,
    TRACE_RESPONSE,
    Request,
    ServedRequest,
    Source,
    exposed,
    source_id,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_FLUSH_SECONDS = 2.0
_guard = Guard()


class HanseiASGIMiddleware:
    """Gives each HTTP request a trace, a session and a user, and its trace id to the front end.

    ``HanseiASGIMiddleware(app, session="x-session-id", user=lambda scope: scope["user"].id)``, or
    ``app.add_middleware(HanseiASGIMiddleware, session=…)``. ``session`` and ``user`` are a header's name or a
    callable that gets the ASGI scope and returns an id or None. Without them nothing is taken from a request: what a
    client says of itself is to be believed only by a service that knows its clients. Ids of more than 256
    characters and those that cannot be printed are not taken.

    Session and user hold while the application runs, its streamed body and background tasks included. If no span is
    current it starts a SERVER span, which continues the trace that the request's headers name; inside
    opentelemetry-instrumentation-asgi or -fastapi it joins their span. The response gets the header ``traceresponse``
    (W3C Trace Context level 2: ``00-{trace id}-{span id}-{flags}``) unless the application has set one. Where the
    response has ``access-control-expose-headers`` it is named there too, so put this middleware around a CORS
    middleware, or name it there yourself; no other CORS header is touched.

    WebSockets get session and user but no span: each turn in one is a trace of its own. At the end of the lifespan what
    has been recorded is sent, for two seconds at most: a server that ends itself by its signal, as uvicorn does, gives
    the SDK no other chance. Anything else passes through. Without an OpenTelemetry SDK there is no span and no header.
    It never fails a request.
    """

    def __init__(self, app: Application, *, session: Source = None, user: Source = None) -> None:
        self.app = app
        self._session = session
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, _flushing(send))
            return
        http = scope["type"] == "http"
        if not http and scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        request = _guard.run("read a request", self._request, scope)
        if request is None:
            await self.app(scope, receive, send)
            return
        served = ServedRequest.begin(request, _guard, own_span=http)
        served.enter()
        try:
            await self.app(scope, receive, _answering(send, served) if http else send)
        except BaseException as error:
            served.leave()
            _guard.run("read a route", _route, scope, served)
            served.end(error)
            raise
        served.leave()
        _guard.run("read a route", _route, scope, served)
        served.end()

    def _request(self, scope: Scope) -> Request:
        headers = _headers(scope.get("headers") or ())
        return Request(
            method=str(scope.get("method", "")),
            path=str(scope.get("path", "")),
            scheme=str(scope.get("scheme", "http")),
            headers=headers,
            session_id=_guard.run("read a request's session", source_id, self._session, headers, scope),
            user=_guard.run("read a request's user", source_id, self._user, headers, scope),
        )


def _flushing(send: Send) -> Send:
    async def flushing(message: Message) -> None:
        if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            # At the end, when the application has done its part.
            await asyncio.to_thread(flush, _FLUSH_SECONDS)
        await send(message)

    return flushing


def _answering(send: Send, served: ServedRequest) -> Send:
    """``send``, with the trace id on the response's start."""
    trace_response = _guard.run("read a trace id", lambda: served.trace_response)
    if trace_response is None:
        return send

    async def answering(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = _guard.run("add a response header", _with_trace_id, message, trace_response) or message
            _guard.run("read a response", lambda: served.answered(int(message["status"])))
        await send(message)

    return answering


def _with_trace_id(message: Message, trace_response: str) -> Message:
    """A copy: the message and its headers are the application's."""
    name, exposing = TRACE_RESPONSE.encode(), EXPOSED_HEADERS.encode()
    headers = [(bytes(key), bytes(value)) for key, value in message.get("headers") or ()]
    if any(key.lower() == name for key, _ in headers):
        return message
    made = [
        (key, exposed(value.decode("latin-1")).encode("latin-1") if key.lower() == exposing else value)
        for key, value in headers
    ]
    return {**message, "headers": [*made, (name, trace_response.encode())]}


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        # Baggage and tracestate may come in several headers, which are one list.
        found[name] = f"{found[name]},{text}" if name in found else text
    return found


def _route(scope: Scope, served: ServedRequest) -> None:
    # Starlette's routers and those built on them leave the matched route here.
    route = getattr(scope.get("route"), "path", None)
    if isinstance(route, str) and route:
        served.routed(route)

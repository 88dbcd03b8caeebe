"""Middleware for WSGI applications: Flask, Django, Pyramid, Bottle and others."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

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

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_guard = Guard()


class HanseiWSGIMiddleware:
    """What ``HanseiASGIMiddleware`` is, for WSGI: ``app.wsgi_app = HanseiWSGIMiddleware(app.wsgi_app, session=…)``.

    ``session`` and ``user`` are a header's name or a callable that gets the environ; without them nothing is taken
    from a request. They hold while the application runs and while the server reads its body, up to the body's
    ``close()``. A body that is a list, a tuple or the server's file wrapper reaches the server as it is.
    """

    def __init__(self, app: Application, *, session: Source = None, user: Source = None) -> None:
        self.app = app
        self._session = session
        self._user = user

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        request = _guard.run("read a request", self._request, environ)
        if request is None:
            return self.app(environ, start_response)
        served = ServedRequest.begin(request, _guard)
        served.enter()
        try:
            body = self.app(environ, _answering(start_response, served))
        except BaseException as error:
            served.leave()
            served.end(error)
            raise
        served.leave()
        if _guard.run("look at a body", _is_complete, body, environ):
            served.end()
            return body
        return _SizedBody(body, served) if hasattr(body, "__len__") else _Body(body, served)

    def _request(self, environ: Environ) -> Request:
        headers = _headers(environ)
        return Request(
            method=str(environ.get("REQUEST_METHOD", "")),
            path=str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", "")),
            scheme=str(environ.get("wsgi.url_scheme", "http")),
            headers=headers,
            session_id=_guard.run("read a request's session", source_id, self._session, headers, environ),
            user=_guard.run("read a request's user", source_id, self._user, headers, environ),
        )


class _Body:
    """A body that is read in the request's context and ends its span."""

    def __init__(self, body: Iterable[bytes], served: ServedRequest) -> None:
        self._body = body
        self._served = served
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._served.enter()
        try:
            if self._iterator is None:
                self._iterator = iter(self._body)
            chunk = next(self._iterator)
        except StopIteration:
            self._served.leave()
            raise
        except BaseException as error:
            self._served.leave()
            self._served.end(error)
            raise
        self._served.leave()
        return chunk

    def close(self) -> None:
        """The server is done with the body, which every server says (PEP 3333)."""
        close = getattr(self._body, "close", None)
        self._served.enter()
        try:
            if close is not None:
                close()
        except BaseException as error:
            self._served.leave()
            self._served.end(error)
            raise
        self._served.leave()
        self._served.end()


class _SizedBody(_Body):
    """A body that knows how many parts it has; servers take the length of a single one for the response's."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def _answering(start_response: StartResponse, served: ServedRequest) -> StartResponse:
    trace_response = _guard.run("read a trace id", lambda: served.trace_response)
    if trace_response is None:
        return start_response

    def answering(status: Any, headers: Any, *rest: Any, **named: Any) -> Any:
        sent = _guard.run("add a response header", _with_trace_id, headers, trace_response)
        _guard.run("read a response", lambda: served.answered(int(status[:3])))
        return start_response(status, headers if sent is None else sent, *rest, **named)

    return answering


def _with_trace_id(headers: list[tuple[str, str]], trace_response: str) -> list[tuple[str, str]]:
    """A copy: the list is the application's."""
    if any(name.lower() == TRACE_RESPONSE for name, _ in headers):
        return headers
    made = [(name, exposed(value) if name.lower() == EXPOSED_HEADERS else value) for name, value in headers]
    return [*made, (TRACE_RESPONSE, trace_response)]


def _headers(environ: Environ) -> Mapping[str, str]:
    return {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    }


def _is_complete(body: object, environ: Environ) -> bool:
    """Whether reading the body runs no code of the application, so that the server may have it as it is."""
    wrapper = environ.get("wsgi.file_wrapper")
    return type(body) in (list, tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper))

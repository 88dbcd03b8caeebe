"""Middleware: a request's session, user and trace, and the trace id for the front end."""

import asyncio
import http.client
import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper

import pytest
import uvicorn
from opentelemetry import trace as otel
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hansei.instrumentation import (
    HanseiASGIMiddleware,
    HanseiWSGIMiddleware,
    asgi,
    get_current_trace_id,
    trace,
    wsgi,
)
from hansei.instrumentation.process_tracer import process_tracer
from hansei.instrumentation.session_context import session_attributes

from . import traces as in_memory
from .conftest import Spans
from .traces import found

traces = in_memory.traces

ANA = {"session.id": "s-1", "gen_ai.conversation.id": "s-1", "user.id": "ana"}
ANAS_HEADERS = {"x-session-id": "s-1", "x-user-id": "ana"}
SOURCES: dict[str, Any] = {"session": "X-Session-Id", "user": "x-user-id"}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@trace
def work() -> dict[str, Any]:
    """What is carried where it is called."""
    return session_attributes()


async def called(app: Any, headers: dict[str, str] | None = None, **scope: Any) -> list[dict[str, Any]]:
    """What an ASGI application sends for one request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    request = {"type": "http", "method": "GET", "path": "/ask", "scheme": "http", "headers": pairs, "query_string": b""}
    await app({**request, **scope}, receive, send)
    return sent


def answering(headers: list[tuple[bytes, bytes]] | None = None, status: int = 200) -> Any:
    """An ASGI application that works and answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        work()
        await send({"type": "http.response.start", "status": status, "headers": headers or []})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


def header(sent: list[dict[str, Any]], name: str) -> str | None:
    """A header of the response; one that is there twice is a fault."""
    values = [value.decode() for key, value in sent[0]["headers"] if key.decode().lower() == name]
    assert len(values) < 2
    return values[0] if values else None


# ASGI


def test_a_request_is_a_server_span_with_its_session_and_user(traces: Spans) -> None:
    """On every span of it, and the trace id goes back to the front end."""
    sent = asyncio.run(called(HanseiASGIMiddleware(answering(), **SOURCES), ANAS_HEADERS))
    child, server = traces.all()
    assert (server.name, server.kind, server.parent) == ("GET", SpanKind.SERVER, None)
    assert child.parent == server.get_span_context()
    assert found(server) == ANA | {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.path": "/ask",
        "url.scheme": "http",
    }
    assert ANA.items() <= found(child).items()
    context = server.get_span_context()
    # The flags also say that the id is random, where the SDK says so.
    flags = f"{context.trace_flags:02x}"
    assert header(sent, "traceresponse") == f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags}"
    assert otel.get_current_span() is otel.INVALID_SPAN


def test_by_default_nothing_is_taken_from_a_request(traces: Spans) -> None:
    """What a client says of itself has to be believed first."""
    asyncio.run(called(HanseiASGIMiddleware(answering()), ANAS_HEADERS))
    assert not any(name in found(span) for name in ANA for span in traces.all())


def test_a_callable_gets_the_scope(traces: Spans, caplog: pytest.LogCaptureFixture) -> None:
    """One that fails costs what it would have said."""
    middleware = HanseiASGIMiddleware(answering(), session=lambda scope: scope["path"], user=lambda scope: scope["no"])
    asyncio.run(called(middleware))
    assert found(traces.all()[1])["session.id"] == "/ask"
    assert "user.id" not in found(traces.all()[1])
    assert "could not read a request's user" in caplog.text


@pytest.mark.parametrize("given", ["", "  ", "x" * 257, "a\nb", "a\x00b"])
def test_an_id_that_is_not_fit_to_be_one_is_not_taken(traces: Spans, given: str) -> None:
    """Too long, or not to be printed."""
    asyncio.run(called(HanseiASGIMiddleware(answering(), session="x-session-id"), {"x-session-id": given}))
    assert "session.id" not in found(traces.all()[1])


def test_the_callers_trace_and_baggage_go_on(traces: Spans) -> None:
    """Session and user of another service too; a header of our own choice wins."""
    headers = {"traceparent": PARENT, "baggage": "session.id=theirs,user.id=bo", "x-session-id": "s-1"}
    sent = asyncio.run(called(HanseiASGIMiddleware(answering(), session="x-session-id"), headers))
    server = traces.all()[1]
    assert server.parent is not None
    assert server.parent.is_remote
    assert f"{server.get_span_context().trace_id:032x}" == PARENT.split("-")[1]
    assert (found(server)["session.id"], found(server)["user.id"]) == ("s-1", "bo")
    assert PARENT.split("-")[1] in str(header(sent, "traceresponse"))


def test_a_span_that_is_current_is_joined(traces: Spans) -> None:
    """As opentelemetry-instrumentation-asgi has one: no second, and it learns whose request it is."""

    async def main() -> list[dict[str, Any]]:
        with traces.provider.get_tracer("asgi").start_as_current_span("GET /ask", kind=SpanKind.SERVER):
            return await called(HanseiASGIMiddleware(answering(), **SOURCES), ANAS_HEADERS)

    sent = asyncio.run(main())
    child, theirs = traces.all()
    assert child.parent == theirs.get_span_context()
    assert found(theirs) == ANA
    assert f"{theirs.get_span_context().span_id:016x}" in str(header(sent, "traceresponse"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("x-request-id", "x-request-id, traceresponse"),
        ("*", "*"),
        ("a, TraceResponse", "a, TraceResponse"),
        (None, None),
    ],
)
def test_the_header_is_exposed_where_others_are(traces: Spans, given: str | None, expected: str | None) -> None:
    """No CORS header is made, and the application's own list of headers is not touched."""
    headers = [(b"Access-Control-Expose-Headers", given.encode())] if given else []
    sent = asyncio.run(called(HanseiASGIMiddleware(answering(headers))))
    assert header(sent, "access-control-expose-headers") == expected
    assert len(headers) == (1 if given else 0)


def test_a_traceresponse_of_the_applications_own_stays(traces: Spans) -> None:
    """Whatever it says."""
    sent = asyncio.run(called(HanseiASGIMiddleware(answering([(b"TraceResponse", b"mine")]))))
    assert header(sent, "traceresponse") == "mine"


def test_an_error_is_recorded_and_raised(traces: Spans) -> None:
    """The very object; and an answer of 500 is an error without one."""
    error = ValueError("mine")

    async def fails(*_: Any) -> None:
        raise error

    with pytest.raises(ValueError, match="mine") as raised:
        asyncio.run(called(HanseiASGIMiddleware(fails)))
    assert raised.value is error
    asyncio.run(called(HanseiASGIMiddleware(answering(status=503))))
    first, _, second = traces.all()
    assert (found(first)["error.type"], found(second)["error.type"]) == ("ValueError", "503")
    assert {first.status.status_code, second.status.status_code} == {StatusCode.ERROR}


def test_a_websocket_has_a_session_and_no_span(traces: Spans) -> None:
    """Each turn in it is a trace of its own; receive and send are the server's."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(send)
        assert work() == ANA
        work()

    async def send(message: Any) -> None:
        raise AssertionError

    scope = {"type": "websocket", "path": "/", "headers": [(b"x-session-id", b"s-1"), (b"x-user-id", b"ana")]}
    asyncio.run(HanseiASGIMiddleware(app, **SOURCES)(scope, send, send))  # type: ignore[arg-type]
    assert seen == [send]
    assert len({span.get_span_context().trace_id for span in traces.all()}) == 2


def test_lifespan_and_requests_that_cannot_be_read_pass_through(traces: Spans) -> None:
    """The application gets the very scope."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scopes: list[Any] = [{"type": "lifespan"}, {"type": "http", "headers": [("text", "not bytes")]}]
    for scope in scopes:
        asyncio.run(HanseiASGIMiddleware(app, **SOURCES)(scope, None, None))  # type: ignore[arg-type]
    assert [one is other for one, other in zip(seen, scopes, strict=True)] == [True, True]


def test_without_an_sdk_there_is_a_session_and_no_header() -> None:
    """Nor any span."""
    process_tracer.use(otel.NoOpTracerProvider())
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(session_attributes())
        await answering()(scope, receive, send)

    try:
        sent = asyncio.run(called(HanseiASGIMiddleware(app, **SOURCES), ANAS_HEADERS))
    finally:
        process_tracer.use(None)
    assert (seen, header(sent, "traceresponse")) == ([ANA], None)


@contextmanager
def served(app: Any) -> Iterator[int]:
    """The application on a port of this machine, by uvicorn."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def get(port: int, path: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, str]:
    """One request and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def test_a_starlette_application_under_uvicorn_with_streams_threads_and_background_work(traces: Spans) -> None:
    """All that a request sets off is in its trace and its session; the span is named by the route."""

    async def ask(request: Request) -> Response:
        work()

        async def words() -> Any:
            for _ in range(3):
                await asyncio.sleep(0)
                yield str(work()["user.id"])

        return StreamingResponse(words(), background=BackgroundTask(work))

    def in_a_thread(request: Request) -> Response:
        return JSONResponse([work(), get_current_trace_id()])

    app = Starlette(
        routes=[Route("/ask/{topic}", ask), Route("/thread", in_a_thread)],
        middleware=[
            Middleware(HanseiASGIMiddleware, **SOURCES),
            Middleware(CORSMiddleware, allow_origins=["*"], expose_headers=["x-request-id"]),
        ],
    )
    with served(app) as port:
        streamed, body = get(port, "/ask/coffee", ANAS_HEADERS | {"origin": "http://front.end"})
        threaded, answer = get(port, "/thread", {"x-session-id": "s-2", "x-user-id": "bo"})
    assert body == "ana" * 3
    assert streamed.headers["access-control-expose-headers"] == "x-request-id, traceresponse"
    assert streamed.headers["traceresponse"].split("-")[1] not in answer
    assert threaded.headers["traceresponse"].split("-")[1] in answer
    # The first ends after its background work, and maybe after the second.
    servers = sorted(
        (span for span in traces.all() if span.kind is SpanKind.SERVER), key=lambda span: span.start_time or 0
    )
    assert [span.name for span in servers] == ["GET /ask/{topic}", "GET /thread"]
    for span in traces.all():
        user = "ana" if span.get_span_context().trace_id == servers[0].get_span_context().trace_id else "bo"
        assert found(span)["user.id"] == user
    assert len(traces.all()) == 5 + 1 + 2


def test_requests_at_the_same_time_keep_to_themselves(traces: Spans) -> None:
    """Whatever the order of their steps."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            assert work()["session.id"] == dict(scope["headers"])[b"x-session-id"].decode()

    async def main() -> None:
        middleware = HanseiASGIMiddleware(app, session="x-session-id")
        await asyncio.gather(*(called(middleware, {"x-session-id": f"s-{number}"}) for number in range(20)))

    asyncio.run(main())
    assert len({span.get_span_context().trace_id for span in traces.all()}) == 20


# WSGI


def wsgi_called(app: Any, **environ: str) -> tuple[str, list[tuple[str, str]], Any]:
    """Status, headers and body of one request; the body is not read yet."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        started[:] = [status, headers]
        return lambda data: None

    base = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/ask", "wsgi.url_scheme": "http"}
    body = app(base | {"HTTP_X_SESSION_ID": "s-1", "HTTP_X_USER_ID": "ana"} | environ, start_response)
    return started[0] if started else "", started[1] if started else [], body


def wsgi_answering(body: Iterable[bytes], headers: list[tuple[str, str]] | None = None, status: str = "200 OK") -> Any:
    """A WSGI application that works and answers."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        work()
        start_response(status, headers if headers is not None else [])
        return body

    return app


def test_a_wsgi_request_is_a_server_span_with_its_session_and_user(traces: Spans) -> None:
    """A list is handed on as it is, and so is the application's list of headers."""
    body, headers = [b"ok"], [("Access-Control-Expose-Headers", "etag")]
    app = HanseiWSGIMiddleware(wsgi_answering(body, headers), **SOURCES)
    status, sent, returned = wsgi_called(app, HTTP_TRACEPARENT=PARENT)
    assert (status, returned, headers) == ("200 OK", body, [("Access-Control-Expose-Headers", "etag")])
    assert returned is body
    child, server = traces.all()
    assert (server.name, server.kind) == ("GET", SpanKind.SERVER)
    assert ANA.items() <= found(server).items()
    assert ANA.items() <= found(child).items()
    assert found(server)["http.response.status_code"] == 200
    assert dict(sent)["Access-Control-Expose-Headers"] == "etag, traceresponse"
    assert dict(sent)["traceresponse"].split("-")[1] == PARENT.split("-")[1]


def test_a_streamed_body_is_read_inside_and_ends_the_span(traces: Spans) -> None:
    """Also one whose application is itself a generator; between its parts nothing is left behind."""
    closed: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            for _ in range(3):
                yield str(work()["user.id"]).encode()
        finally:
            closed.append(session_attributes())

    _, _, body = wsgi_called(HanseiWSGIMiddleware(app, **SOURCES))
    read = []
    for part in body:
        assert session_attributes() == {}
        read.append(part)
        if len(read) == 2:
            break
    assert len(traces.all()) == 2
    body.close()
    assert (read, closed) == ([b"ana"] * 2, [ANA])
    server = traces.all()[-1]
    assert [span.parent for span in traces.all()[:2]] == [server.get_span_context()] * 2
    assert server.status.status_code is StatusCode.UNSET


def test_a_body_keeps_its_length_and_a_file_its_wrapper(traces: Spans) -> None:
    """A server reads from them how to send."""

    class Parts:
        def __len__(self) -> int:
            return 1

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"one"])

    _, _, body = wsgi_called(HanseiWSGIMiddleware(wsgi_answering(Parts())))  # type: ignore[arg-type]
    assert (len(body), list(body)) == (1, [b"one"])
    body.close()
    wrapped = FileWrapper(io.BytesIO(b"file"))
    app = HanseiWSGIMiddleware(wsgi_answering(wrapped))
    _, _, returned = wsgi_called(app, **{"wsgi.file_wrapper": FileWrapper})  # type: ignore[arg-type]
    assert returned is wrapped
    assert not hasattr(wsgi_called(HanseiWSGIMiddleware(wsgi_answering(iter([b"x"]))))[2], "__len__")
    assert sum(span.kind is SpanKind.SERVER for span in traces.all()) == 2


@pytest.mark.parametrize("where", ["call", "body", "close"])
def test_a_wsgi_error_is_recorded_and_raised(traces: Spans, where: str) -> None:
    """The very object, wherever it is raised; and the span ends once."""
    error = ValueError("mine")

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            raise error if where == "body" else StopIteration

        def close(self) -> None:
            if where == "close":
                raise error

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if where == "call":
            raise error
        start_response("200 OK", [])
        return Body()

    def serve() -> None:
        _, _, body = wsgi_called(HanseiWSGIMiddleware(app))
        try:
            list(body)
        finally:
            body.close()

    with pytest.raises(ValueError, match="mine") as raised:
        serve()
    assert raised.value is error
    assert found(traces.only())["error.type"] == "ValueError"
    assert session_attributes() == {}


def test_it_works_in_a_real_server(traces: Spans) -> None:
    """wsgiref's, which checks little and relies on much."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    app = HanseiWSGIMiddleware(wsgi_answering([b"Kumo ", b"One"]), **SOURCES)
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        response, body = get(server.server_port, "/ask", ANAS_HEADERS)
        thread.join()
    assert body == "Kumo One"
    assert response.headers["traceresponse"].startswith("00-")
    assert ANA.items() <= found(traces.all()[-1]).items()


@pytest.mark.parametrize("step", ["ServedRequest._begin", "source_id", "exposed", "propagate.extract"])
def test_a_fault_in_here_does_not_fail_a_request(traces: Spans, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The response is the application's."""

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("fault")

    monkeypatch.setattr(f"hansei.instrumentation.served_request.{step}", broken)
    for module in (asgi, wsgi):
        monkeypatch.setattr(module, step, broken, raising=False)
    cors = "Access-Control-Expose-Headers"
    sent = asyncio.run(called(HanseiASGIMiddleware(answering([(cors.encode(), b"etag")]), **SOURCES), ANAS_HEADERS))
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"ok")
    status, headers, body = wsgi_called(HanseiWSGIMiddleware(wsgi_answering([b"ok"], [(cors, "etag")]), **SOURCES))
    assert (status, dict(headers)[cors].split(",")[0], body) == ("200 OK", "etag", [b"ok"])

"""A server that replays what OpenAI's API has been seen to answer, and what is recorded of calls to it."""

import asyncio
import gzip
import json
import re
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import attrgetter
from typing import Any, Final

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, Metric
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hansei.instrumentation.content import Content
from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

from . import recorded

JSON, EVENTS = "application/json", "text/event-stream"
_STREAMED = re.compile(rb'"stream": ?true|name="stream"\r\n\r\ntrue|"stream_format": ?"sse"')
"""What asks for a stream: in JSON, in a form, of speech."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or the lack of one."""

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0
    """Seconds before each piece after the first."""
    end: str = "whole"
    """``whole``; ``cut``: the connection closes before the end of the body; ``reset``: before any answer."""

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> "Reply":
        """A JSON body; of the headers' names, ``_`` stands for ``-``."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls((json.dumps(value).encode(),), status, JSON, named)

    @classmethod
    def events(cls, *events: Any, done: bool = True, **changes: Any) -> "Reply":
        """A stream."""
        return replace(cls(tuple(recorded.sse(events, done=done)), content_type=EVENTS), **changes)

    @classmethod
    def text(cls, text: str) -> "Reply":
        """Plain text."""
        return cls((text.encode(),), content_type="text/plain")

    def zipped(self) -> "Reply":
        """The same, compressed."""
        body = gzip.compress(b"".join(self.pieces))
        return replace(self, pieces=(body,), headers={**self.headers, "content-encoding": "gzip"})


class Api:
    """What the server answers, and what it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"
        self.requests: list[tuple[str, str, bytes]] = []
        self._waiting: deque[Reply] = deque()

    def answer(self, *replies: Reply) -> None:
        """Give the next requests these answers, in this order; after them come the recorded ones."""
        self._waiting.extend(replies)

    def reply(self, method: str, path: str, body: bytes) -> Reply:
        """The answer to a request."""
        self.requests.append((method, path, body))
        if self._waiting:
            return self._waiting.popleft()
        path, _, query = path.partition("?")
        path = path.removeprefix("/v1")
        streamed = _STREAMED.search(body) or "stream=true" in query
        if streamed and (pieces := _find(recorded.STREAMS, method, path)) is not None:
            return Reply(tuple(pieces), content_type=EVENTS)
        found = _find(recorded.ANSWERS, method, path)
        if isinstance(found, bytes):
            return Reply((found,), content_type="application/octet-stream")
        if found is None:
            return Reply.json(recorded.error(f"There is no {path}.", "not_found"), 404)
        return Reply.json(found, x_request_id="req_1")


def _find(answers: dict[tuple[str, str], Any], method: str, path: str) -> Any:
    if (exact := answers.get((method, path))) is not None:
        return exact
    for (wanted, template), answer in answers.items():
        if wanted == method and re.fullmatch(template.replace("{id}", "[^/]+"), path):
            return answer
    return None


@pytest.fixture(scope="session")
def listening() -> Iterator[Callable[[], Api]]:
    """One socket for many tests; each gives it a fresh script."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            reply = current[0].reply(self.command, self.path, body)
            self.close_connection = reply.end != "whole"
            if reply.end != "reset":
                self._send(reply)

        def do_GET(self) -> None:
            self.do_POST()

        def do_DELETE(self) -> None:
            self.do_POST()

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"content-type": reply.content_type, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for number, piece in enumerate(reply.pieces):
                if number and reply.pause:
                    stopping.wait(reply.pause)
                try:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                except OSError:
                    # The application closed the stream.
                    self.close_connection = True
                    return
            if reply.end == "whole":
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *arguments: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

    current: list[Api] = []
    stopping = threading.Event()

    def fresh() -> Api:
        current[:] = [Api(server.server_address[1])]
        return current[0]

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield fresh
        stopping.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def api(listening: Callable[[], Api]) -> Api:
    """The API, with nothing asked of it yet."""
    return listening()


class Recording:
    """The spans, metrics and events of the calls that were made."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._tracers = TracerProvider(shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._reader = InMemoryMetricReader()
        self._meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self._events = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self._loggers = LoggerProvider(shutdown_on_exit=False)
        self._loggers.add_log_record_processor(SimpleLogRecordProcessor(self._events))

    @contextmanager
    def on(self, content: Content, metrics: str = "both") -> Iterator["Recording"]:
        """Record."""
        HanseiOpenAIInstrumentor().instrument(
            tracer_provider=self._tracers,
            meter_provider=self._meters,
            logger_provider=self._loggers,
            content=content,
            metrics=metrics,
        )
        try:
            yield self
        finally:
            HanseiOpenAIInstrumentor().uninstrument()
            self._meters.shutdown()

    def spans(self) -> tuple[ReadableSpan, ...]:
        """Every span, in the order of their ends."""
        return self._spans.get_finished_spans()

    def only(self) -> ReadableSpan:
        """The one span that there is."""
        (span,) = self.spans()
        return span

    def attributes(self) -> dict[str, Any]:
        """Its attributes."""
        return dict(self.only().attributes or {})

    def some(self, *names: str) -> dict[str, Any]:
        """Those of its attributes that it has of ``names``, which may end in ``*``."""
        wanted = re.compile("|".join(re.escape(name).replace(r"\*", ".*") for name in names))
        return {name: value for name, value in self.attributes().items() if wanted.fullmatch(name)}

    def content(self, name: str) -> Any:
        """A JSON attribute of the one span."""
        return json.loads(self.attributes()[name])

    def events(self) -> list[ReadableLogRecord]:
        """Every log record."""
        return list(self._events.get_finished_logs())

    def metrics(self) -> dict[str, Metric]:
        """The metrics by name."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def points(self, name: str) -> list[HistogramDataPoint]:
        """The data points of a histogram."""
        return list(self.metrics()[name].data.data_points)  # type: ignore[arg-type]


@pytest.fixture
def recording() -> Iterator[Recording]:
    """Calls are recorded, with content on their spans and metrics of both generations."""
    with Recording().on(Content(on_spans=True)) as recording:
        yield recording


@pytest.fixture
def bare() -> Iterator[Recording]:
    """Calls are recorded, without content."""
    with Recording().on(Content()) as recording:
        yield recording


@pytest.fixture
def on_events() -> Iterator[Recording]:
    """Calls are recorded, with content on events."""
    with Recording().on(Content(on_events=True)) as recording:
        yield recording


WAYS: Final = ("sync", "async", "raw", "async raw", "streaming", "async streaming")
"""The ways to call a method: as it is, with_raw_response and with_streaming_response, of both clients."""


def call(api: Api, method: str, way: str = "sync", *, retries: int = 0, **arguments: Any) -> Any:
    """Call ``client.<method>``, read what comes to its end, and return it; the chunks of a stream as a list."""
    # To load the certificates of all the world, for a server without one, takes longer than the call.
    settings: dict[str, Any] = {"base_url": api.url, "api_key": "key", "max_retries": retries}
    if way.startswith("async"):
        return asyncio.run(_call_async(settings, method, way.removeprefix("async").strip(), arguments))
    with ExitStack() as closing:
        client = closing.enter_context(OpenAI(http_client=DefaultHttpxClient(verify=False), **settings))
        called = _callable(client, method, way)
        answer = called(**arguments)
        if way == "streaming":
            answer = closing.enter_context(answer)
        if way in ("raw", "streaming"):
            answer = answer.parse()
        return list(answer) if isinstance(answer, Iterator) else answer


async def _call_async(settings: dict[str, Any], method: str, way: str, arguments: dict[str, Any]) -> Any:
    async with AsyncExitStack() as closing:
        http = DefaultAsyncHttpxClient(verify=False)
        client = await closing.enter_async_context(AsyncOpenAI(http_client=http, **settings))
        answer = _callable(client, method, way)(**arguments)
        answer = await (closing.enter_async_context(answer) if way == "streaming" else answer)
        if way in ("raw", "streaming"):
            answer = answer.parse()
            if asyncio.iscoroutine(answer):
                answer = await answer
        return [chunk async for chunk in answer] if isinstance(answer, AsyncIterator) else answer


def _callable(client: Any, method: str, way: str) -> Callable[..., Any]:
    resource, _, name = method.rpartition(".")
    owner = attrgetter(resource)(client)
    prefix = {"raw": "with_raw_response", "streaming": "with_streaming_response"}.get(way)
    return getattr(getattr(owner, prefix) if prefix else owner, name)  # type: ignore[no-any-return]

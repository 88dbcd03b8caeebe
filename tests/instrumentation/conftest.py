"""An OpenAI-compatible server that answers as it is told, and spans kept in memory."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from openai import OpenAI
from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hansei.instrumentation import instrument, uninstrument
from hansei.instrumentation.content import CAPTURE_VARIABLE


def completion(**changes: Any) -> dict[str, Any]:
    """A chat completion as OpenAI sends it, with ``changes``."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1730000000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice(content="A coffee machine.")],
        "usage": {"prompt_tokens": 21, "completion_tokens": 5, "total_tokens": 26},
        **changes,
    }


def choice(index: int = 0, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    """One choice of a completion, with the fields of its message."""
    return {"index": index, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}


class ModelServer:
    """What the server answers next, and the request bodies that it got."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[bytes] = []
        self.status = 200
        self.content_type = "application/json"
        self.body = b""
        self.answer(completion())

    def answer(self, body: object, *, status: int = 200) -> None:
        """Answer with ``body`` as JSON."""
        self.status, self.body, self.content_type = status, json.dumps(body).encode(), "application/json"

    def answer_text(self, text: str, content_type: str = "text/html") -> None:
        """Answer with a text that is not JSON."""
        self.status, self.body, self.content_type = 200, text.encode(), content_type


@pytest.fixture(scope="session")
def listening() -> Iterator[Callable[[], ModelServer]]:
    """One socket for the whole run; each test gives it a fresh script."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            script = current[0]
            script.requests.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(script.status)
            self.send_header("content-type", script.content_type)
            self.send_header("content-length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

        def log_message(self, *arguments: object) -> None:
            pass

    current: list[ModelServer] = []

    def fresh() -> ModelServer:
        current[:] = [ModelServer(f"http://127.0.0.1:{server.server_address[1]}/v1")]
        return current[0]

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield fresh
        server.shutdown()
        thread.join()


@pytest.fixture
def server(listening: Callable[[], ModelServer]) -> ModelServer:
    """A model server with nothing asked of it yet."""
    return listening()


@pytest.fixture
def client(server: ModelServer) -> Iterator[OpenAI]:
    """A real client of the server, which tries once."""
    with OpenAI(base_url=server.url, api_key="key", max_retries=0) as client:
        yield client


class Spans:
    """The spans that have ended."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def all(self) -> tuple[ReadableSpan, ...]:
        """Every span, in the order of their ends."""
        return self.exporter.get_finished_spans()

    def only(self) -> ReadableSpan:
        """The one span that there is."""
        (span,) = self.all()
        return span

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Make calls as a process without hansei does."""
        uninstrument()
        yield
        instrument(tracer_provider=self.provider, capture_content=True)

    def attributes(self) -> dict[str, Any]:
        """The attributes of the one span that there is."""
        return dict(self.only().attributes or {})


@pytest.fixture(autouse=True)
def _clean_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(CAPTURE_VARIABLE, raising=False)
    # A test may break what restores the context after a call.
    context.attach(Context())
    yield
    uninstrument()


@pytest.fixture
def spans() -> Spans:
    """Where spans go; nothing is instrumented yet."""
    return Spans()


@pytest.fixture
def recorded(spans: Spans) -> Spans:
    """Instrumented, with content."""
    instrument(tracer_provider=spans.provider, capture_content=True)
    return spans


@pytest.fixture
def bare(spans: Spans) -> Spans:
    """Instrumented, without content."""
    instrument(tracer_provider=spans.provider, capture_content=False)
    return spans

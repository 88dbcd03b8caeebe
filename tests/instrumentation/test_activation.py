"""Switching on and off, in this process and in a fresh one."""

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
import wrapt
from openai import OpenAI
from openai.resources.chat.completions import Completions
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.instrumentation import HanseiOpenAIInstrumentor, instrument, uninstrument

from .conftest import ModelServer, Spans

QUESTION: list[Any] = [{"role": "user", "content": "What is Kumo One?"}]


def test_instrumenting_twice_is_instrumenting_once(client: OpenAI, spans: Spans) -> None:
    """One span a call, and the first call's choices stand."""
    for content in (False, True):
        instrument(tracer_provider=spans.provider, capture_content=content)
    client.chat.completions.create(model="m", messages=QUESTION)
    assert "gen_ai.input.messages" not in spans.attributes()


def test_uninstrument_restores_the_very_method(client: OpenAI, spans: Spans) -> None:
    """Not an equal one: the class is as it was; and it can be instrumented again."""
    original = vars(Completions)["create"]
    instrument(tracer_provider=spans.provider)
    assert vars(Completions)["create"] is not original
    cached = client.chat.completions.create
    uninstrument()
    uninstrument()
    assert vars(Completions)["create"] is original
    cached(model="m", messages=QUESTION)
    assert spans.all() == ()
    instrument(tracer_provider=spans.provider)
    client.chat.completions.create(model="m", messages=QUESTION)
    assert len(spans.all()) == 1


def test_uninstrument_leaves_what_others_wrapped_around(client: OpenAI, spans: Spans) -> None:
    """Their wrapper stays and works; ours passes through."""
    original = vars(Completions)["create"]
    seen = []

    def watch(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append(kwargs["model"])
        return wrapped(*args, **kwargs)

    instrument(tracer_provider=spans.provider)
    wrapt.wrap_function_wrapper("openai.resources.chat.completions", "Completions.create", watch)
    try:
        client.chat.completions.create(model="one", messages=QUESTION)
        uninstrument()
        client.chat.completions.create(model="two", messages=QUESTION)
    finally:
        Completions.create = original  # type: ignore[method-assign]
    assert seen == ["one", "two"]
    assert [span.name for span in spans.all()] == ["chat one"]


@pytest.fixture
def official(spans: Spans) -> Iterator[OpenAIInstrumentor]:
    """OpenTelemetry's own instrumentor, sending to the same spans."""
    instrumentor = OpenAIInstrumentor()
    yield instrumentor
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


def test_it_stands_down_for_an_instrumentor_that_was_there_first(
    client: OpenAI, spans: Spans, official: OpenAIInstrumentor, caplog: pytest.LogCaptureFixture
) -> None:
    """One span, the other's, and one warning that names it."""
    official.instrument(tracer_provider=spans.provider)
    instrument(tracer_provider=spans.provider)
    client.chat.completions.create(model="m", messages=QUESTION)
    assert spans.only().instrumentation_scope.name == "opentelemetry.instrumentation.genai.openai"  # type: ignore[union-attr]
    assert caplog.text.count("hansei leaves OpenAI calls to opentelemetry.instrumentation.genai.openai") == 1


def test_it_stands_down_for_an_instrumentor_that_came_after(
    client: OpenAI, spans: Spans, official: OpenAIInstrumentor, caplog: pytest.LogCaptureFixture
) -> None:
    """``opentelemetry-instrument`` loads them in any order."""
    instrument(tracer_provider=spans.provider)
    official.instrument(tracer_provider=spans.provider)
    for _ in range(2):
        client.chat.completions.create(model="m", messages=QUESTION)
    assert {span.instrumentation_scope.name for span in spans.all()} == {"opentelemetry.instrumentation.genai.openai"}  # type: ignore[union-attr]
    assert len(spans.all()) == 2
    assert caplog.text.count("hansei leaves OpenAI calls to") == 1
    official.uninstrument()
    uninstrument()
    assert not hasattr(vars(Completions)["create"], "_self_wrapper")


def test_it_takes_over_once_the_other_has_gone(client: OpenAI, spans: Spans, official: OpenAIInstrumentor) -> None:
    """Standing down is not for ever: instrument() looks again."""
    official.instrument(tracer_provider=spans.provider)
    instrument(tracer_provider=spans.provider)
    official.uninstrument()
    instrument(tracer_provider=spans.provider)
    client.chat.completions.create(model="m", messages=QUESTION)
    assert spans.only().instrumentation_scope.name == "hansei.instrumentation"  # type: ignore[union-attr]


def test_a_wrapper_that_does_not_trace_is_no_reason_to_stand_down(client: OpenAI, spans: Spans) -> None:
    """A service may wrap the client for reasons of its own."""
    original = vars(Completions)["create"]
    own = "openai.resources.chat.completions", "Completions.create"
    wrapt.wrap_function_wrapper(*own, lambda wrapped, _, args, kwargs: wrapped(*args, **kwargs))
    try:
        instrument(tracer_provider=spans.provider)
        client.chat.completions.create(model="m", messages=QUESTION)
        uninstrument()
    finally:
        Completions.create = original  # type: ignore[method-assign]
    assert spans.only().name == "chat m"


def test_the_instrumentor_works_as_opentelemetrys_tools_use_it(
    client: OpenAI, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without arguments of ours; the standard variable decides about content."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    HanseiOpenAIInstrumentor().instrument(tracer_provider=spans.provider)
    client.chat.completions.create(model="m", messages=QUESTION)
    HanseiOpenAIInstrumentor().uninstrument()
    assert "gen_ai.input.messages" in spans.attributes()


class Collector:
    """An OTLP/gRPC receiver of spans and the metadata they came with."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.metadata: list[dict[str, str]] = []
        self.server = grpc.server(ThreadPoolExecutor(2))
        method = grpc.unary_unary_rpc_method_handler(self._export)
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def _export(self, body: bytes, call: grpc.ServicerContext) -> bytes:
        self.metadata.append({key: str(value) for key, value in call.invocation_metadata()})
        self.requests.append(ExportTraceServiceRequest.FromString(body))
        return b""

    def resource(self) -> dict[str, str]:
        """The resource of the first request."""
        attributes = self.requests[0].resource_spans[0].resource.attributes
        return {attribute.key: attribute.value.string_value for attribute in attributes}

    def spans(self) -> list[tuple[str, set[str]]]:
        """Name and attribute names of every span."""
        return [
            (span.name, {attribute.key for attribute in span.attributes})
            for request in self.requests
            for resource_spans in request.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A receiver for the time of a test."""
    collector = Collector()
    yield collector
    collector.server.stop(None).wait()


def run(program: str, url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh process whose openai client speaks to ``url``."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "HANSEI_"))}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**inherited, "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "key", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


CALL = """
from openai import OpenAI
OpenAI().chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
"""


def test_without_an_sdk_spans_go_to_the_given_endpoint_with_content(server: ModelServer, collector: Collector) -> None:
    """A program of one call that ends at once loses nothing."""
    program = f'import hansei; hansei.instrument(endpoint="http://{collector.address}", service_name="shop")' + CALL
    done = run(
        program, server.url, OTEL_RESOURCE_ATTRIBUTES="team=kumo", OTEL_SERVICE_NAME="other", HANSEI_API_KEY="k-1"
    )
    assert (done.stdout, done.stderr) == ("", "")
    ((name, attributes),) = collector.spans()
    assert name == "chat m"
    assert {"gen_ai.input.messages", "gen_ai.output.messages"} <= attributes
    assert collector.resource()["service.name"] == "shop"
    assert collector.resource()["team"] == "kumo"
    assert collector.metadata[0]["authorization"] == "Bearer k-1"


def test_without_an_sdk_the_environment_names_the_endpoint_and_the_switches(
    server: ModelServer, collector: Collector
) -> None:
    """OpenTelemetry's variables mean what they mean everywhere, and other headers stay beside the key."""
    run(
        "import hansei; hansei.instrument()" + CALL,
        server.url,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.address}",
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=kumo",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="no_content",
        OTEL_SERVICE_NAME="shop",
        HANSEI_API_KEY="k-1",
    )
    ((_, attributes),) = collector.spans()
    assert not {"gen_ai.input.messages", "gen_ai.output.messages"} & attributes
    assert collector.resource()["service.name"] == "shop"
    assert {"x-tenant": "kumo", "authorization": "Bearer k-1"}.items() <= collector.metadata[0].items()


def test_an_absent_server_costs_a_program_little(server: ModelServer) -> None:
    """No error, and no wait but the short one for the flush at the end."""
    program = """
        import time, hansei
        hansei.instrument(endpoint="http://127.0.0.1:1")
        from openai import OpenAI
        client = OpenAI()
        client.models
        started = time.perf_counter()
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        print(time.perf_counter() - started, time.time())
    """
    call_seconds, called_at = map(float, run(program, server.url).stdout.split())
    assert call_seconds < 1
    assert time.time() - called_at < 5


def test_with_an_sdk_its_provider_gets_the_spans_without_content(server: ModelServer) -> None:
    """What a service has configured is left alone, and its telemetry gets no prompts unasked."""
    program = """
        import json, logging, sys
        logging.basicConfig(stream=sys.stderr, format="%(message)s")
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        import hansei
        hansei.instrument(endpoint="http://127.0.0.1:1")
        from openai import OpenAI
        OpenAI().chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        (span,) = exporter.get_finished_spans()
        same = trace.get_tracer_provider() is provider
        print(json.dumps([span.name, same, "grpc" in sys.modules, [n for n in span.attributes if "messages" in n]]))
    """
    done = run(program, server.url)
    assert json.loads(done.stdout) == ["chat m", True, False, []]
    assert "the endpoint and service_name given to hansei.instrument() have no effect" in done.stderr


def test_importing_loads_neither_the_client_nor_grpc() -> None:
    """The public face is light until it is used."""
    program = """
        import sys, hansei, hansei.instrumentation
        hansei.instrument
        print([name for name in ("openai", "grpc", "opentelemetry.sdk.trace", "httpx2") if name in sys.modules])
    """
    assert run(program, "").stdout == "[]\n"


def test_a_disabled_sdk_is_respected(server: ModelServer) -> None:
    """OTEL_SDK_DISABLED means no telemetry at all."""
    program = """
        import hansei, sys
        hansei.instrument()
        print("openai" in sys.modules, "grpc" in sys.modules)
    """
    assert run(program, server.url, OTEL_SDK_DISABLED="true").stdout == "False False\n"

"""Switching on and off, in this process and in a fresh one."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import wrapt
from openai import OpenAI
from openai._base_client import SyncAPIClient
from openai.resources.chat.completions import Completions
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

from hansei.instrumentation import HanseiOpenAIInstrumentor, instrument, uninstrument

from .conftest import ModelServer, Spans
from .otlp_receiver import grpc_receiver, run

QUESTION: list[Any] = [{"role": "user", "content": "What is Kumo One?"}]


def test_instrumenting_twice_is_instrumenting_once(client: OpenAI, spans: Spans) -> None:
    """One span a call, and the first call's choices stand."""
    for content in (False, True):
        instrument(tracer_provider=spans.provider, capture_content=content)
    client.chat.completions.create(model="m", messages=QUESTION)
    assert "gen_ai.input.messages" not in spans.attributes()


def test_uninstrument_restores_the_very_method(client: OpenAI, spans: Spans) -> None:
    """Not an equal one: the class is as it was; and it can be instrumented again."""
    original = vars(SyncAPIClient)["request"]
    instrument(tracer_provider=spans.provider)
    assert vars(SyncAPIClient)["request"] is not original
    cached = client.chat.completions.create
    uninstrument()
    uninstrument()
    assert vars(SyncAPIClient)["request"] is original
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


CALL = """
from openai import OpenAI
OpenAI().chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
"""


def test_without_an_sdk_a_call_is_recorded_with_content(server: ModelServer) -> None:
    """A program of one call that ends at once loses nothing; the switch of the conventions holds."""
    program = "import hansei; hansei.instrument()" + CALL
    keys = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "key"}
    with grpc_receiver() as collector:
        done = run(program, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **keys)
        assert (done.stdout, done.stderr) == ("", "")
        keys["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "no_content"
        run(program, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **keys)
    first, second = ({attribute.key for attribute in span.attributes} for span in collector.spans())
    assert {"gen_ai.input.messages", "gen_ai.output.messages"} <= first
    assert not {"gen_ai.input.messages", "gen_ai.output.messages"} & second


def test_an_absent_server_costs_a_call_nothing(server: ModelServer) -> None:
    """The call itself takes what it takes without a collector."""
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
    printed = run(program, OPENAI_BASE_URL=server.url, OPENAI_API_KEY="key").stdout
    call_seconds, called_at = map(float, printed.split())
    assert call_seconds < 1
    assert time.time() - called_at < 5


def test_with_an_sdk_its_provider_gets_the_spans_without_content(server: ModelServer) -> None:
    """What a service has configured is left alone, and its telemetry gets no prompts unasked."""
    program = """
        import json
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        import hansei
        hansei.instrument()
        from openai import OpenAI
        OpenAI().chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        (span,) = exporter.get_finished_spans()
        print(json.dumps([span.name, [name for name in span.attributes if "messages" in name]]))
    """
    done = run(program, OPENAI_BASE_URL=server.url, OPENAI_API_KEY="key")
    assert json.loads(done.stdout) == ["chat m", []]

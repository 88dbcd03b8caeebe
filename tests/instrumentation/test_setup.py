"""Setting up in code: what is configured, where it sends to, and what it leaves alone."""

import json
import time
from collections.abc import Iterator

import pytest

from .otlp_receiver import Received, grpc_receiver, http_receiver, run

ONE_SPAN = """
from opentelemetry import trace
trace.get_tracer("shop").start_span("work").end()
"""
ONE_EVENT = """
from opentelemetry._logs import get_logger
get_logger("shop").emit(event_name="happened", body="so it is")
"""


@pytest.fixture
def collector() -> Iterator[Received]:
    """A gRPC receiver for the time of a test."""
    with grpc_receiver() as received:
        yield received


def test_spans_and_events_of_a_process_that_ends_at_once_arrive(collector: Received) -> None:
    """With the given name, key and attributes, over those of the environment, and with nothing on the terminal."""
    arguments = f"""endpoint="{collector.address}", service_name="shop", api_key="k-1",
        resource_attributes={{"team": "kumo"}}"""
    done = run(
        f"import hansei; hansei.instrument({arguments})" + ONE_SPAN + ONE_EVENT,
        OTEL_SERVICE_NAME="other",
        OTEL_RESOURCE_ATTRIBUTES="team=other,region=eu",
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20other,x-tenant=kumo",
        HANSEI_API_KEY="other",
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert (collector.span_names(), collector.event_names()) == ({"work": 1}, {"happened": 1})
    assert {"service.name": "shop", "team": "kumo", "region": "eu"}.items() <= collector.resource().items()
    for headers in collector.headers:
        assert {"authorization": "Bearer k-1", "x-tenant": "kumo"}.items() <= headers.items()


def test_http_is_a_word_away() -> None:
    """``protocol`` or its variable; the paths of the signals are added to the endpoint."""
    with http_receiver() as collector:
        run(
            f'import hansei; hansei.instrument(endpoint="{collector.url}/", protocol="http/protobuf", api_key="k")'
            + ONE_SPAN
            + ONE_EVENT
        )
        assert (collector.span_names(), collector.event_names()) == ({"work": 1}, {"happened": 1})
        assert collector.headers[0]["authorization"] == "Bearer k"
        run(
            "import hansei; hansei.instrument()" + ONE_SPAN,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        )
        assert collector.span_names() == {"work": 2}


def test_the_variables_of_a_signal_go_over_the_general_ones(collector: Received) -> None:
    """Endpoint, headers, protocol and compression, each signal by itself; the key goes to both."""
    with http_receiver() as other:
        run(
            "import hansei; hansei.instrument()" + ONE_SPAN + ONE_EVENT,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_HEADERS="x-tenant=all",
            OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{other.url}/v1/logs",
            OTEL_EXPORTER_OTLP_LOGS_PROTOCOL="http/protobuf",
            OTEL_EXPORTER_OTLP_LOGS_HEADERS="x-tenant=logs",
            OTEL_EXPORTER_OTLP_LOGS_COMPRESSION="gzip",
            HANSEI_API_KEY="k-1",
        )
        assert collector.span_names() == {"work": 1}
        assert other.event_names() == {"happened": 1}
    assert collector.headers[0]["x-tenant"] == "all"
    assert {"x-tenant": "logs", "content-encoding": "gzip"}.items() <= other.headers[0].items()
    assert {collector.headers[0]["authorization"], other.headers[0]["authorization"]} == {"Bearer k-1"}


def test_exporters_sampler_and_limits_come_from_the_environment(collector: Received) -> None:
    """One exporter can be switched off or more be named; metrics are sent only if asked for."""
    program = f'import hansei; hansei.instrument(endpoint="{collector.address}")' + ONE_SPAN + ONE_EVENT
    meter = 'from opentelemetry.metrics import get_meter; get_meter("shop").create_counter("sold").add(1)\n'
    printed = run(program + meter, OTEL_TRACES_EXPORTER="console,otlp", OTEL_LOGS_EXPORTER="none")
    assert json.loads(printed.stdout)["name"] == "work"
    assert (collector.span_names(), collector.event_names()) == ({"work": 1}, {})
    assert collector.requests["metrics"] == []
    run(program + meter, OTEL_TRACES_SAMPLER="always_off", OTEL_METRICS_EXPORTER="otlp")
    assert (collector.span_names(), collector.event_names()) == ({"work": 1}, {"happened": 1})
    assert len(collector.requests["metrics"]) == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        ('protocol="http/json"', {}, "protocol: 'http/json' is not supported; use one of grpc, http/protobuf"),
        ("", {"OTEL_EXPORTER_OTLP_PROTOCOL": "udp"}, "OTEL_EXPORTER_OTLP_PROTOCOL: 'udp' is not supported"),
        ("", {"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: 'zipkin' is not installed; there are console"),
        ("", {"OTEL_TRACES_SAMPLER": "fair"}, "OTEL_TRACES_SAMPLER: 'fair' is not installed; there are always_off"),
    ],
)
def test_a_set_up_that_cannot_be_is_one_line(arguments: str, variables: dict[str, str], message: str) -> None:
    """It names the setting, its value and what would do; the application runs on."""
    done = run(f"import hansei; hansei.instrument({arguments}); hansei.instrument({arguments})" + ONE_SPAN, **variables)
    first, second = done.stderr.splitlines()
    assert first == second
    assert message in first


def test_an_sdk_that_is_there_is_joined() -> None:
    """It keeps its provider, gets no prompts unasked, and arguments without effect are named in a warning."""
    program = """
        import sys
        from opentelemetry import trace
        from opentelemetry._logs import get_logger_provider
        from opentelemetry.sdk.trace import TracerProvider
        before = get_logger_provider()
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
        import hansei
        from hansei.instrumentation.content import process_content
        hansei.instrument(service_name="shop")
        print(trace.get_tracer_provider() is provider, get_logger_provider() is before, "grpc" in sys.modules)
        print(process_content.content.recorded)
    """
    done = run(program)
    assert done.stdout.split() == ["True", "True", "False", "False"]
    assert done.stderr.startswith("this service has configured OpenTelemetry itself, so the endpoint, protocol,")
    asked = run(program.replace("service_name", "capture_content").replace('"shop"', "True"))
    assert asked.stdout.split()[-1] == "True"
    assert asked.stderr == ""


def test_content_is_on_where_hansei_configured_the_sdk() -> None:
    """Unless the argument or the standard variable says otherwise; uninstrument forgets the choice."""
    program = """
        import hansei
        from hansei.instrumentation.content import process_content
        hansei.instrument({})
        content = process_content.content
        print(content.on_spans, content.on_events)
        hansei.uninstrument()
    """
    variable = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "event_only"}
    assert run(program.format("")).stdout == "True False\n"
    assert run(program.format(""), **variable).stdout == "False True\n"
    assert run(program.format("capture_content=False"), **variable).stdout == "False False\n"


def test_setting_up_again_changes_nothing(collector: Received) -> None:
    """The same wishes pass in silence, others are named in a warning; one span is one span."""
    program = f"""
        import hansei
        from opentelemetry import trace
        hansei.instrument(endpoint="{collector.address}")
        hansei.instrument(endpoint="{collector.address}")
        hansei.uninstrument()
        hansei.instrument(endpoint="{collector.address}")
        trace.get_tracer("shop").start_span("work").end()
        print(hansei.flush())
        hansei.instrument(endpoint="elsewhere:4317")
    """
    done = run(program)
    assert collector.span_names() == {"work": 1}
    assert done.stdout == "True\n"
    assert done.stderr.count("hansei has been set up before, so the endpoint") == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_disabled_sdk_is_respected() -> None:
    """OTEL_SDK_DISABLED means that nothing is set up or loaded."""
    program = """
        import hansei, sys
        from opentelemetry import trace
        hansei.instrument(endpoint="127.0.0.1:1")
        print(type(trace.get_tracer_provider()).__name__, hansei.flush())
        print([name for name in ("openai", "grpc", "opentelemetry.sdk.trace") if name in sys.modules])
    """
    assert run(program, OTEL_SDK_DISABLED="true").stdout == "ProxyTracerProvider True\n[]\n"


def test_a_collector_that_is_away_costs_one_line() -> None:
    """It names the endpoint and what to do; no call waits, a flush says no in time, and the process ends soon."""
    program = """
        import time, hansei
        from opentelemetry import trace
        from opentelemetry._logs import get_logger
        hansei.instrument(endpoint="http://127.0.0.1:1")
        tracer, started = trace.get_tracer("shop"), time.perf_counter()
        for _ in range(2000):
            tracer.start_span("work").end()
            get_logger("shop").emit(event_name="happened")
        print(time.perf_counter() - started)
        started = time.perf_counter()
        print(hansei.flush(0.5), time.perf_counter() - started, time.time())
    """
    done = run(program, OTEL_BSP_MAX_QUEUE_SIZE="600")
    recording, flushed, waited, ended = done.stdout.split()
    assert float(recording) < 2
    assert (flushed, float(waited) < 1) == ("False", True)
    assert time.time() - float(ended) < 4
    (line,) = done.stderr.splitlines()
    assert line.startswith("telemetry does not reach http://127.0.0.1:1 (")
    assert "Start a collector there with `hansei serve`" in line


def test_a_collector_that_refuses_the_key_is_told_apart() -> None:
    """The line says which setting is wrong."""
    with http_receiver() as collector:
        collector.status = 401
        done = run(f'import hansei; hansei.instrument(endpoint="{collector.url}", protocol="http/protobuf")' + ONE_SPAN)
    (line,) = done.stderr.splitlines()
    assert f"telemetry does not reach {collector.url} (Failed to export spans batch code: 401" in line
    assert "Set HANSEI_API_KEY, or api_key in hansei.instrument(), to the key of that collector." in line


def test_importing_is_light() -> None:
    """``import hansei`` loads nothing else, and ``instrument`` OpenTelemetry's API without SDK, gRPC or client."""
    program = """
        import sys, hansei
        heavy = ("grpc", "google.protobuf", "openai", "opentelemetry.sdk", "opentelemetry.exporter.otlp")
        print([name for name in (*heavy, "wrapt", "opentelemetry.trace") if name in sys.modules])
        hansei.instrument
        print([name for name in heavy if name in sys.modules])
    """
    assert run(program).stdout == "[]\n[]\n"

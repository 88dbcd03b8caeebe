"""Real services: OpenTelemetry's SDK and exporters, both instrumentations and the openai client, into a collector."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .processes import Ran, Serving, clean_environment
from .waiting import PATIENCE

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

CALLS = """
from openai import NotFoundError, OpenAI
with OpenAI(api_key="none", max_retries=0) as client:
    client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {"role": "system", "content": "Answer from this:\\n[lights] A red light means: the tank is empty."},
            {"role": "user", "content": "..." * 200},
            {"role": "user", "content": "What does the red light mean, “über” all?"},
        ],
        temperature=0,
        max_completion_tokens=200,
    )
    try:
        client.chat.completions.create(model="gpt-4o-maxi", messages=[{"role": "user", "content": "Hello"}])
    except NotFoundError:
        pass
"""
"""What every service here does: a call that is answered and one that is not."""

OFFICIAL = (
    """
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.{protocol}._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.{protocol}.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

tracers, loggers = TracerProvider(), LoggerProvider()
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
trace.set_tracer_provider(tracers)
_logs.set_logger_provider(loggers)
OpenAIInstrumentor().instrument()
"""
    + CALLS
    + """
with OpenAI(api_key="none") as client:
    question = {"role": "user", "content": "Streamed?"}
    options = {"stream": True, "stream_options": {"include_usage": True}}
    for chunk in client.chat.completions.create(model="gpt-4.1", messages=[question], **options):
        pass
with trace.get_tracer("shop").start_as_current_span("checkout"):
    loggers.get_logger("shop", "1.0").emit(
        event_name="shop.paid",
        severity_number=_logs.SeverityNumber.WARN,
        severity_text="WARN",
        body={"items": [1, 2.5, "three"], "gift": True},
        attributes={"amount": 20, "currency": "EUR"},
    )
tracers.shutdown()
loggers.shutdown()
"""
)
"""A service that has set OpenTelemetry up itself, with OpenTelemetry's own instrumentation of openai."""

OURS = (
    """
import hansei
hansei.instrument()
"""
    + CALLS
)

Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, hansei: Callable[..., Ran]) -> Ask:
    """``ask(sql)`` over what three services have sent: ``official-grpc``, ``official-http`` and ``ours``."""
    sys.path.insert(0, str(EXAMPLES))
    import model_server

    sys.path.remove(str(EXAMPLES))
    serving = Serving(tmp_path_factory.mktemp("sdk") / "data")

    def run(name: str, program: str, endpoint: object, **environment: str) -> None:
        variables = {
            "OPENAI_BASE_URL": url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{endpoint}",
            "OTEL_SERVICE_NAME": name,
            **environment,
        }
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=clean_environment(variables), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), name

    content = {
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_and_event",
        "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
    }
    with model_server.serve(latency=0) as url:
        run("official-grpc", OFFICIAL.replace("{protocol}", "grpc"), serving.grpc, **content)
        zipped = {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", **content}
        run("official-http", OFFICIAL.replace("{protocol}", "http"), serving.http, **zipped)
        run("ours", OURS, serving.grpc)
    assert serving.end() == 0
    serving.close()

    def query(sql: str) -> list[dict[str, Any]]:
        ran = hansei("query", "--data", serving.data, "--format", "JSONEachRow", sql)
        assert (ran.code, ran.err) == (0, "")
        return [json.loads(line) for line in ran.out.splitlines()]

    return query


def _spoken(messages: str) -> Any:
    """Messages without what was not said: some instrumentations write a ``name`` of null."""
    return json.loads(
        messages, object_hook=lambda part: {key: value for key, value in part.items() if value is not None}
    )


def test_calls_come_out_whole(ask: Ask) -> None:
    """A call is a row with provider, models, tokens, finish reasons and messages, whoever recorded and sent it."""
    found = ask("SELECT * FROM genai_calls WHERE RequestModel = 'gpt-4o-mini' ORDER BY ServiceName")
    assert [row["ServiceName"] for row in found] == ["official-grpc", "official-http", "ours"]
    for row in found:
        assert {key: row[key] for key in ("Operation", "Provider", "ResponseModel", "FinishReasons", "StatusCode")} == {
            "Operation": "chat",
            "Provider": "openai",
            "ResponseModel": "gpt-4o-mini-2024-07-18",
            "FinishReasons": ["stop"],
            "StatusCode": "Unset",
        }
        assert (int(row["InputTokens"]), int(row["CachedInputTokens"]), int(row["OutputTokens"])) == (177, 64, 10)
        system, _, user = _spoken(row["InputMessages"])
        assert (system["role"], system["parts"][0]["content"][:27]) == ("system", "Answer from this:\n[lights] ")
        assert user == {
            "role": "user",
            "parts": [{"type": "text", "content": "What does the red light mean, “über” all?"}],
        }
        assert _spoken(row["OutputMessages"]) == [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "A red light means: the tank is empty."}],
                "finish_reason": "stop",
            }
        ]


def test_failed_calls_come_out_whole(ask: Ask) -> None:
    """A call that failed is a row with its error and without tokens or a cost."""
    found = ask("SELECT * FROM genai_calls WHERE StatusCode = 'Error' ORDER BY ServiceName")
    assert [row["ServiceName"] for row in found] == ["official-grpc", "official-http", "ours"]
    for row in found:
        assert (row["RequestModel"], row["ErrorType"]) == ("gpt-4o-maxi", "openai.NotFoundError")
        assert "The model `gpt-4o-maxi` does not exist" in row["StatusMessage"]
        assert (int(row["InputTokens"]), row["FinishReasons"], row["CostUsd"]) == (0, [], None)


def test_one_row_whoever_recorded_it(ask: Ask) -> None:
    """hansei's own instrumentation and OpenTelemetry's make the same columns of the same call."""
    own = {"Timestamp", "TraceId", "SpanId", "ServiceName", "DurationMs"}
    calls: dict[str, list[dict[str, Any]]] = {}
    for row in ask("SELECT * FROM genai_calls WHERE RequestModel != 'gpt-4.1' ORDER BY RequestModel"):
        same = {key: value for key, value in row.items() if key not in own}
        for key in ("InputMessages", "OutputMessages"):
            same[key] = _spoken(row[key] or "[]")
        calls.setdefault(row["ServiceName"], []).append(same)
    assert len(calls["ours"]) == 2
    assert calls["ours"] == calls["official-grpc"] == calls["official-http"]


def test_streams(ask: Ask) -> None:
    """A streamed call that OpenTelemetry's instrumentation recorded has its tokens and its answer."""
    found = ask("SELECT * FROM genai_calls WHERE RequestModel = 'gpt-4.1' ORDER BY ServiceName")
    assert [row["ServiceName"] for row in found] == ["official-grpc", "official-http"]
    for row in found:
        assert (int(row["InputTokens"]), int(row["OutputTokens"]), row["FinishReasons"]) == (3, 12, ["stop"])
        assert "I could not find that" in row["OutputMessages"]


def test_events_are_logs(ask: Ask) -> None:
    """Log records of the SDK keep their event names, bodies and traces; so do the instrumentation's events."""
    paid = ask("""
        SELECT logs.*, traces.ServiceName AS of, traces.SpanName AS during
        FROM otel_logs AS logs LEFT JOIN otel_traces AS traces USING (TraceId, SpanId)
        WHERE EventName = 'shop.paid' ORDER BY logs.ServiceName
    """)
    assert [(row["ServiceName"], row["of"], row["during"]) for row in paid] == [
        (name, name, "checkout") for name in ("official-grpc", "official-http")
    ]
    for row in paid:
        assert json.loads(row["Body"]) == {"items": [1, 2.5, "three"], "gift": True}
        assert (row["SeverityText"], row["SeverityNumber"], row["ScopeName"]) == ("WARN", 13, "shop")
        assert row["LogAttributes"] == {"amount": "20", "currency": "EUR"}
    details = ask("""
        SELECT logs.ServiceName AS service, count() AS events,
            countIf(LogAttributes['gen_ai.input.messages'] != '') AS said
        FROM otel_logs AS logs INNER JOIN genai_calls AS calls USING (TraceId, SpanId)
        WHERE EventName = 'gen_ai.client.inference.operation.details' GROUP BY service ORDER BY service
    """)
    assert [(row["service"], int(row["events"]), int(row["said"])) for row in details] == [
        ("official-grpc", 3, 3),
        ("official-http", 3, 3),
    ]

"""From a service's process, through its own telemetry and a real collector, to the tables."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from hansei.collector.signals import LOGS
from hansei.feedback.assessment import Feedback
from hansei.feedback.event import statement
from hansei.feedback.ids import new_assessment_id
from hansei.feedback.otlp import export_request

from ..collector.otlp_clients import Answer  # noqa: TID252
from ..collector.processes import Serving, clean_environment  # noqa: TID252
from .conftest import Tables


def run(program: str, serving: Serving, **environment: str) -> list[str]:
    """Run a program to its end; the words that it prints."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{serving.grpc}", "OTEL_SERVICE_NAME": "shop"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment({**variables, **environment}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


AFTER_THE_CALL = """
import hansei
hansei.instrument()

@hansei.trace
def answer():
    return "Every three months."

answer()
trace_id = hansei.get_last_active_trace_id()
person = hansei.AssessmentSource(source_type="HUMAN", source_id="ana")
first = hansei.log_feedback(trace_id=trace_id, name="helpful", value=False, source=person, rationale="Zu kurz 😀")
hansei.log_expectation(trace_id=trace_id, name="answer", value={"facts": ["a", 2**70, None]})
hansei.update_assessment(trace_id, first.assessment_id, hansei.Feedback(name="helpful", value=True))
judged = hansei.log_assessment(trace_id, hansei.Feedback(name="safe", value=0.9))
hansei.override_feedback(trace_id=trace_id, assessment_id=judged.assessment_id, value=0.1, source=person)
gone = hansei.log_feedback(trace_id=trace_id, value="x")
hansei.delete_assessment(trace_id, gone.assessment_id)
print(trace_id)
"""


def test_the_instant_after_the_call(serving: Serving, tables: Tables) -> None:
    """All of it is there when the process has ended, nothing was waited for, and no open span is meant by mistake."""
    (trace_id,) = run(AFTER_THE_CALL, serving)
    serving.wait_stored()
    rows = tables.rows(
        """
        SELECT Name, Value, SourceType, SourceId, Rationale, Valid, ServiceName FROM feedback
        WHERE TraceId = {id:String} ORDER BY CreatedAt, Name, Valid
        """,
        id=trace_id,
    )
    assert sorted(rows) == [
        ("answer", '{"facts":["a",1180591620717411303424,null]}', "HUMAN", "default", "", True, "shop"),
        ("helpful", "true", "HUMAN", "ana", "", True, "shop"),
        ("safe", "0.1", "HUMAN", "ana", "", True, "shop"),
        ("safe", "0.9", "CODE", "default", "", False, "shop"),
    ]
    assert tables.rows("SELECT count() FROM otel_traces WHERE TraceId = {id:String}", id=trace_id) == [(1,)]
    assert tables.rows("SELECT count() FROM feedback_unlinked WHERE TraceId = {id:String}", id=trace_id) == [(0,)]
    said = tables.rows(
        "SELECT Rationale FROM feedback_history WHERE TraceId = {id:String} AND Rationale != ''", id=trace_id
    )
    assert said == [("Zu kurz 😀",)]


NOTHING_SET_UP = """
import hansei, sys
from opentelemetry import trace
print(hansei.log_feedback(session_id="talk-{n}", value=5).assessment_id)
assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"
heavy = ("chdb", "clickhouse_connect", "starlette", "uvicorn", "prometheus_client", "openai")
assert not [name for name in sys.modules if name.partition(".")[0] in heavy]
"""
OWN_LOGS = """
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
provider = LoggerProvider(resource=Resource.create({"service.name": "own"}))
provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(insecure=True)))
"""


@pytest.mark.parametrize(
    ("before", "service"),
    [
        ("", "shop"),
        (f"{OWN_LOGS}set_logger_provider(provider)", "own"),
        (f"{OWN_LOGS}import hansei\nhansei.instrument(logger_provider=provider, tracer_provider=None)", "own"),
        ("from opentelemetry._logs import NoOpLoggerProvider, set_logger_provider\n"
         "set_logger_provider(NoOpLoggerProvider())", "shop"),
    ],
    ids=["no SDK", "a service's own logs", "given to instrument()", "a provider that does nothing"],
)  # fmt: skip
def test_whose_telemetry(serving: Serving, tables: Tables, before: str, service: str) -> None:
    """Feedback takes the service's own way, or hansei's where it has none, and needs no part of the server."""
    program = NOTHING_SET_UP.replace("{n}", service)
    if "instrument" in before:
        # That sets up the spans too, and observes openai.
        program = program.partition("assert")[0]
    (assessment_id,) = run(f"{before}\n{program}", serving)
    serving.wait_stored()
    found = tables.rows(
        "SELECT SessionId, Value, ServiceName FROM feedback WHERE AssessmentId = {id:String}", id=assessment_id
    )
    assert found == [(f"talk-{service}", "5", service)]


def test_switched_off(serving: Serving) -> None:
    """With ``OTEL_SDK_DISABLED`` the calls answer as ever, send nothing and say so once."""
    program = "import hansei\nfor _ in range(2): hansei.log_feedback(session_id='s', value=1)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment({"OTEL_SDK_DISABLED": "true"}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "feedback is not sent from this process: OTEL_SDK_DISABLED is set\n"


def test_no_call_waits_for_a_server() -> None:
    """A thousand calls towards a server that is away take less than a second."""
    program = """
import hansei, logging, os, sys, time
logging.disable()
hansei.log_feedback(session_id="s", value=0)
begun = time.perf_counter()
for n in range(1000):
    hansei.log_feedback(session_id="s", value=n)
print(time.perf_counter() - begun)
sys.stdout.flush()
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert float(done.stdout) < 1


def test_killed_while_it_writes(
    tmp_path: Path, serve: Callable[..., Serving], hansei: Any, clients: Any, wait: Any
) -> None:
    """SIGKILL under load, three times: each acknowledged assessment is there once, in the ledger and in the state."""
    data = tmp_path / "data"
    acknowledged: set[str] = set()
    unknown: set[str] = set()
    draw = random.Random(1)

    def send(client: Any) -> None:
        while True:
            traces = [f"{draw.randrange(1, 1 << 128):032x}" for _ in range(5)]
            made = [Feedback("n", 1, trace_id=trace, assessment_id=new_assessment_id(0)) for trace in traces]
            ids = {str(one.assessment_id) for one in made}
            try:
                answer = client.export(export_request(statement(one, time.time_ns()) for one in made), LOGS)
            except OSError:
                answer = None
            if not (isinstance(answer, Answer) and answer.code == "OK"):
                unknown.update(ids)
                return
            acknowledged.update(ids)

    for _ in range(3):
        serving = serve("--segment-age=20ms", "--segment-size=64KiB", data=data)
        senders = [clients["grpc"](serving.grpc) for _ in range(2)]
        threads = [threading.Thread(target=send, args=(sender,)) for sender in senders]
        before = len(acknowledged)
        for thread in threads:
            thread.start()
        wait(lambda before=before: len(acknowledged) > before + 200, "some assessments to be acknowledged")
        time.sleep(draw.uniform(0, 0.3))
        serving.kill()
        for thread in threads:
            thread.join()
        for sender in senders:
            sender.close()
    last = serve(data=data)
    last.wait_stored()
    assert last.end() == 0
    tables = ("feedback_events", "feedback_state", "feedback")
    ids = " UNION ALL ".join(f"SELECT '{table}', AssessmentId FROM {table}" for table in tables)
    ran = hansei("query", "--data", data, "--format", "TSV", ids)
    assert (ran.code, ran.err) == (0, "")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    for table in tables:
        stored = [assessment_id for found, assessment_id in rows if found == table]
        assert len(stored) == len(set(stored)), f"{table}: doubled"
        assert acknowledged - set(stored) == set(), f"{table}: lost"
        assert set(stored) <= acknowledged | unknown


def test_reader_may_ask(serving: Serving) -> None:
    """Whoever may only read sees every table and view of feedback, the parameterised one too, and may not write."""
    with clickhouse_connect.get_client(
        host=serving.sql.host, port=serving.sql.port, autogenerate_session_id=False
    ) as reader:
        for name in ("feedback", "feedback_history", "trace_feedback", "feedback_unlinked", "feedback_events",
                     "feedback_state", "feedback_changes", "feedback_as_of(at = '2026-11-20 12:00:00')"):  # fmt: skip
            reader.query(f"SELECT * FROM {name} LIMIT 1")
        with pytest.raises(DatabaseError):
            reader.command("INSERT INTO feedback_events (TraceId) VALUES ('')")

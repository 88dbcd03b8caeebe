"""The Python client records over HTTP: it waits, repeats, and answers what is on disk."""

import asyncio
import inspect
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import hansei
from hansei.feedback import recording
from hansei.feedback.client import Recorded, RecordedExpectation, RecordedFeedback
from hansei.feedback.search.connection import connections
from hansei.feedback.search.told_sql import told_sql

from .conftest import KEY, Api, Told

METHODS = ("log_feedback", "log_expectation", "log_assessment", "update_assessment", "override_feedback",
           "delete_assessment")  # fmt: skip
ANA = hansei.AssessmentSource("HUMAN", "ana")


@pytest.fixture(scope="module")
def client(api: Api) -> hansei.FeedbackClient:
    return hansei.feedback_client(api.serving.ui, KEY)


def test_signatures() -> None:
    """The methods have the parameters of the functions that do not wait, synchronous and asynchronous."""
    for name in METHODS:
        function = inspect.signature(getattr(recording, name)).parameters
        method = inspect.signature(getattr(hansei.FeedbackClient, name)).parameters
        assert {key: (each.kind, each.default) for key, each in method.items() if key != "self"} == {
            key: (each.kind, each.default) for key, each in function.items()
        }
        twin = getattr(hansei.AsyncFeedbackClient, name)
        assert inspect.iscoroutinefunction(twin)
        assert twin.__doc__ == getattr(hansei.FeedbackClient, name).__doc__


def test_whole_life(api: Api, client: hansei.FeedbackClient, told: Told, trace_id: str) -> None:
    """What is recorded is what is answered and what is then read, through all of its life."""
    span = told.span_ids[0]
    first = client.log_feedback(
        trace_id=told.trace_ids[0], name="helpful", value={"a": [1, 2]}, source=ANA, rationale="why",
        metadata={"build": 3}, span_id=span,
    )  # fmt: skip
    assert isinstance(first, RecordedFeedback)
    assert (first.linked, first.value, first.metadata, first.source) == ("linked", {"a": [1, 2]}, {"build": "3"}, ANA)
    expected = client.log_expectation(trace_id=trace_id, name="answer", value=None)
    assert isinstance(expected, RecordedExpectation)
    assert (expected.linked, expected.source) == ("trace_unknown", hansei.AssessmentSource("HUMAN"))
    failed = client.log_feedback(session_id=trace_id, name="solved", error=ValueError("no"))
    assert (failed.error, failed.linked) == (hansei.AssessmentError("ValueError", "no"), "session_unknown")
    judged = client.log_assessment(trace_id, hansei.Feedback("faithful", 0.9))
    over = client.override_feedback(trace_id=trace_id, assessment_id=_id(judged), value=0.2, source=ANA)
    assert (over.name, over.overrides) == ("", judged.assessment_id)
    api.serving.wait_stored()
    changed = client.update_assessment(trace_id, _id(expected), hansei.Expectation("answer", "b"))
    assert (changed.value, changed.linked, changed.source) == ("b", "trace_unknown", expected.source)
    client.delete_assessment(trace_id, _id(over), source=ANA)
    api.serving.wait_stored()
    found = {each["assessment_id"]: each for each in api.items(f"/assessments?trace_id={trace_id}")}
    assert {key: (each["name"], each["value"], each["valid"]) for key, each in found.items()} == {
        _id(expected): ("answer", "b", True), _id(judged): ("faithful", 0.9, True),
    }  # fmt: skip


def test_asynchronous(api: Api, trace_id: str) -> None:
    """The asynchronous client awaits several at once."""
    client = hansei.AsyncFeedbackClient(api.serving.ui, KEY)

    async def record() -> list[Recorded]:
        return await asyncio.gather(*(client.log_feedback(trace_id=trace_id, value=number) for number in range(5)))

    made = asyncio.run(record())
    assert [each.value for each in made] == list(range(5))
    assert len({each.assessment_id for each in made}) == 5


def test_refused(api: Api, client: hansei.FeedbackClient, trace_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with an assessment is told before and after it is sent; a key or an address, as what it is."""
    with pytest.raises(hansei.InvalidAssessment, match=r"^trace_id: 'x' is not"):
        client.log_feedback(trace_id="x", value=1)
    with pytest.raises(hansei.InvalidAssessment, match=r"^/trace_id: there is none"):
        client.log_feedback(value=1)
    with pytest.raises(hansei.DeliveryError, match="answers 401: the key is not known"):
        hansei.feedback_client(api.serving.ui, "wrong").log_feedback(trace_id=trace_id, value=1)
    monkeypatch.setenv("HANSEI_URL", "nowhere")
    with pytest.raises(hansei.HanseiError, match="HANSEI_URL: 'nowhere' is not a URL"):
        hansei.feedback_client()
    monkeypatch.setenv("HANSEI_URL", "http://127.0.0.1:9")
    with pytest.raises(hansei.DeliveryError, match=r"not acknowledged within 0\.2 s: http\S+:9 does not answer"):
        hansei.feedback_client(timeout=0.2).log_feedback(trace_id=trace_id, value=1)


class _Moody(BaseHTTPRequestHandler):
    """Fails in every way first, then answers."""

    answers: list[Any]
    keys: list[str | None]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        answer = self.answers.pop(0)
        if answer is None:
            self.connection.close()
            return
        status, body = answer
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def moody() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Moody) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_repeats(api: Api, moody: ThreadingHTTPServer, trace_id: str) -> None:
    """It sends the same again, under the same key, after a broken connection, 429 and 503, until it is answered."""
    answer = api.post({"trace_id": trace_id, "value": 1}).json
    _Moody.keys = []
    _Moody.answers = [None, (429, {"detail": "full"}), (503, {}), (201, answer)]
    client = hansei.feedback_client(f"http://127.0.0.1:{moody.server_port}")
    assert client.log_feedback(trace_id=trace_id, value=1).assessment_id == answer["assessment_id"]
    assert len(_Moody.keys) == 4
    assert len(set(_Moody.keys)) == 1


def test_sql_is_found(api: Api, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches ask the hansei at HANSEI_URL once where SQL is; without an answer they take the usual port."""
    monkeypatch.delenv("HANSEI_SQL_URL", raising=False)
    monkeypatch.setenv("HANSEI_URL", api.serving.ui)
    monkeypatch.setenv("HANSEI_API_KEY", KEY)
    trace = hansei.get_trace(told.trace_ids[0])
    assert trace is not None
    assert trace.info.session_id == told.session_id
    assert str(connections.client()[1]) == f"http://{api.serving.sql}"
    connections.close()
    monkeypatch.setenv("HANSEI_URL", "http://127.0.0.9:9")
    assert told_sql.ask(os.environ) is None
    with pytest.raises(hansei.SearchError, match=r"no SQL is answered at http://127\.0\.0\.9:8123"):
        hansei.get_trace(told.trace_ids[0])


def test_sql_of_a_server(moody: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hansei in front of a ClickHouse server has no SQL of its own; a search says where to look."""
    monkeypatch.setattr(
        _Moody, "do_GET", lambda self: (self.send_response(200), self.end_headers(), self.wfile.write(b'{"sql":null}')),
        raising=False,
    )  # fmt: skip
    monkeypatch.delenv("HANSEI_SQL_URL", raising=False)
    monkeypatch.setenv("HANSEI_URL", f"http://127.0.0.1:{moody.server_port}")
    with pytest.raises(hansei.SearchError, match="set HANSEI_SQL_URL to where that answers"):
        hansei.get_trace("1" * 32)


def test_light() -> None:
    """The client needs no part of the server, nor OpenTelemetry."""
    script = "import sys, hansei; hansei.feedback_client(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"opentelemetry", "grpc", "starlette", "clickhouse_connect", "pandas", "chdb"}
    assert not heavy & {name.split(".")[0] for name in loaded}


def _id(assessment: hansei.Assessment) -> str:
    assert assessment.assessment_id
    return assessment.assessment_id

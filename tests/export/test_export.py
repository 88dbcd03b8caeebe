"""Exports: the lists as CSV, JSON lines and Parquet, and a trace as OTLP JSON that makes the same rows again."""

import asyncio
import csv
import http.client
import io
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pyarrow.parquet as pq
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hansei.collector.address import Address
from hansei.collector.listeners import HttpListeners
from hansei.feedback.export.requests import Download
from hansei.feedback.search.errors import SearchError

# The tests are no package whose name could be written out.
from ..collector.otlp_clients import HttpClient  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from ..tables import ADMIN_KEY, sql_client  # noqa: TID252
from ..telemetry import Telemetry, chat_call  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

API_KEY = "open"


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that asks for a key."""
    running = Serving(
        tmp_path_factory.mktemp("export") / "data",
        "--segment-age=30ms",
        HANSEI_API_KEY=API_KEY,
        HANSEI_ADMIN_KEY=ADMIN_KEY,
    )
    yield running
    running.close()


@pytest.fixture(scope="session")
def client(serving: Serving) -> Iterator["Client"]:
    """The tables."""
    with sql_client(serving) as opened:
        yield opened


class Answer:
    """What an export was answered with."""

    def __init__(self, serving: Serving, path: str, key: str | None = API_KEY, **asked: Any) -> None:
        host, _, port = serving.ui.removeprefix("http://").rstrip("/").partition(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=60)) as connection:
            headers = {} if key is None else {"Authorization": f"Bearer {key}"}
            connection.request("GET", f"{path}?{urlencode(asked)}", headers=headers)
            response = connection.getresponse()
            self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


QUESTION, REPLY = 'Say "no", please; =1+1', "Ü 你好 🙂"


@pytest.fixture(scope="session")
def shop(client: "Client", serving: Serving) -> dict[str, str]:
    """Two traces of a conversation, of which people and a judge said something, and many of another service."""
    telemetry = Telemetry(client, serving)
    root = {
        "SpanName": "answer, please", "ServiceName": "shop", "Duration": 1_500_000_000,
        "SpanAttributes": {
            "session.id": "c-1", "user.id": "ana", "hansei.span.inputs": json.dumps(QUESTION),
            "hansei.span.outputs": json.dumps(REPLY),
        },
    }  # fmt: skip
    first = telemetry.trace(root, chat_call("m-1", "a", "b", ServiceName="shop"), ago=100)
    second = telemetry.trace({**root, "StatusCode": "Error"}, ago=50)
    said = telemetry.said(first, "helpful", False, by="ana", rationale='It said,\n"no"')
    telemetry.said(first, "grade", {"a": [1, None]}, source="LLM_JUDGE", by="judge")
    telemetry.said(second, "expected", "yes", kind="expectation", by="ben")
    telemetry.traces([(200 + number, [{"ServiceName": "many", "SpanName": f"n-{number}"}]) for number in range(1203)])
    return {"first": first, "second": second, "said": said}


def test_traces_in_json_lines(serving: Serving, shop: dict[str, str]) -> None:
    """Traces that fit a filter come as JSON, the newest first, with what was asked, answered and said."""
    answer = Answer(serving, "/export/traces", format="jsonl", filter="service = 'shop'")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
    second, first = answer.lines
    told = [(said["name"], said["value"], said["source_type"]) for said in first.pop("feedback")]
    assert told == [("helpful", False, "HUMAN"), ("grade", {"a": [1, None]}, "LLM_JUDGE")]
    began = first.pop("time")
    assert abs(time.time() - 100 - datetime.fromisoformat(f"{began[:26]}+00:00").timestamp()) < 60
    assert (len(began), began[-1]) == (30, "Z")
    assert first == {
        "trace_id": shop["first"], "name": "answer, please", "service": "shop", "status": "OK", "complete": True,
        "duration_ms": 1500.0, "spans": 2, "errors": 0, "calls": 1, "models": ["m-1"], "input_tokens": 40,
        "output_tokens": 10, "cost_usd": None, "session_id": "c-1", "user_id": "ana", "request": QUESTION,
        "response": REPLY,
    }  # fmt: skip
    assert (second["trace_id"], second["status"], second["errors"]) == (shop["second"], "ERROR", 1)


def test_formats_agree(serving: Serving, shop: dict[str, str]) -> None:
    """CSV and Parquet hold what the JSON lines hold, JSON as text; quotes, line ends and any letters are kept."""
    asked = {"filter": "service = 'shop'"}
    lines = Answer(serving, "/export/traces", format="jsonl", **asked).lines
    answer = Answer(serving, "/export/traces", format="csv", **asked)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="traces-20') and name.endswith('Z.csv"')  # noqa: PT018
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))

    def text(value: Any) -> str:
        return "" if value is None else value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    assert rows == [{key: text(value) for key, value in line.items()} for line in lines]
    table = pq.read_table(io.BytesIO(Answer(serving, "/export/traces", format="parquet", **asked).body))
    times = [time.isoformat() for time in table.column("time").to_pylist()]
    assert [line["time"][:26] for line in lines] == [found[:26] for found in times]
    rest = table.drop_columns(["time"]).to_pylist()
    assert rest == [
        {key: json.dumps(value, separators=(",", ":")) if key == "feedback" else value
         for key, value in line.items() if key != "time"}
        for line in lines
    ]  # fmt: skip


def test_many_traces(serving: Serving, shop: dict[str, str], client: "Client") -> None:
    """A long list comes whole, each trace once, page by page; a limit and a time cut it."""
    asked = {"format": "jsonl", "filter": "service = 'many'"}
    names = [line["name"] for line in Answer(serving, "/export/traces", **asked).lines]
    assert names == [f"n-{number}" for number in range(1203)]
    assert len(Answer(serving, "/export/traces", limit=501, **asked).lines) == 501
    at = client.query("SELECT toUnixTimestamp64Milli(Timestamp) FROM otel_traces WHERE SpanName = 'n-1000'").first_row[
        0
    ]
    old = Answer(serving, "/export/traces", **asked, to=at).lines
    assert [line["name"] for line in old] == [f"n-{number}" for number in range(1001, 1203)]
    young = Answer(serving, "/export/traces", **asked, **{"from": at}).lines
    assert [line["name"] for line in young] == [f"n-{number}" for number in range(1001)]


@pytest.mark.parametrize("wanted", ["csv", "jsonl", "parquet"])
def test_nothing(serving: Serving, wanted: str) -> None:
    """A list without rows is a file without rows."""
    answer = Answer(serving, "/export/traces", format=wanted, filter="name = 'nobody'")
    rows = {
        "csv": lambda: answer.body.count(b"\n") - 1,
        "jsonl": lambda: len(answer.body),
        "parquet": lambda: pq.read_table(io.BytesIO(answer.body)).num_rows,
    }[wanted]()
    assert (answer.status, rows) == (200, 0)


def test_sessions(serving: Serving, shop: dict[str, str]) -> None:
    """Sessions come with their sums and how many assessments there are."""
    (session,) = Answer(serving, "/export/sessions", format="jsonl", session_id="c-1").lines
    assert session.pop("start") < session.pop("end")
    assert session == {
        "session_id": "c-1", "user_id": "ana", "service": "shop", "traces": 2, "calls": 0, "input_tokens": 0,
        "output_tokens": 0, "cost_usd": None, "errors": 0, "unpriced_calls": 0, "assessments": 3, "feedback": 2,
        "expectations": 1, "negative_feedback": 1,
    }  # fmt: skip
    table = pq.read_table(io.BytesIO(Answer(serving, "/export/sessions", format="parquet").body))
    assert table.column("session_id").to_pylist() == ["c-1"]


def test_assessments(serving: Serving, shop: dict[str, str]) -> None:
    """Assessments come by what a search of them takes; a value of any kind is itself in JSON and text in Parquet."""
    (found,) = Answer(serving, "/export/assessments", format="jsonl", name="helpful", source_type="human").lines
    created, updated = found.pop("created"), found.pop("updated")
    assert created == updated
    assert found == {
        "assessment_id": shop["said"], "trace_id": shop["first"], "span_id": None, "session_id": None,
        "kind": "feedback", "name": "helpful", "value": False, "rationale": 'It said,\n"no"', "source_type": "HUMAN",
        "source_id": "ana", "metadata": None, "error": None, "error_code": None, "overrides": None, "valid": True,
        "labeling_session_id": None, "evaluation_run_id": None,
    }  # fmt: skip
    answer = Answer(serving, "/export/assessments", format="parquet", valid="true")
    values = pq.read_table(io.BytesIO(answer.body)).column("value").to_pylist()
    assert sorted(values) == ['"yes"', "false", '{"a":[1,null]}']


# --- OTLP JSON ---


def value(**kind: Any) -> AnyValue:
    return AnyValue(**kind)


def test_otlp_json_makes_the_same_rows(serving: Serving, client: "Client") -> None:
    """A trace that is exported as OTLP JSON, dropped and sent again, is stored as the same rows."""
    trace_id = bytes(range(16))
    request = ExportTraceServiceRequest()
    for service, version in (("a", "1"), ("b", ""), ("a", "2")):
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name", value=value(string_value=service))
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "scope", version
        for number in range(1, 6):
            span = scope.spans.add(
                trace_id=trace_id, span_id=bytes([number]) * 7 + (service + version).encode()[-1:],
                parent_span_id=b"" if number == 1 else b"12345678", name=f"n {number}", kind=number, trace_state="k=v",
                start_time_unix_nano=1_790_000_000_123_456_789 + number, end_time_unix_nano=1_790_000_000_999_999_999,
            )  # fmt: skip
            span.attributes.extend([
                KeyValue(key="z", value=value(double_value=0.1)),
                KeyValue(key="a", value=value(string_value=QUESTION + REPLY)),
                KeyValue(key="a", value=value(string_value="again")),
                KeyValue(key="n", value=value(int_value=-5)),
                KeyValue(key="l", value=value(array_value=ArrayValue(values=[value(bool_value=True), value()]))),
                KeyValue(key="m", value=value(kvlist_value=KeyValueList(values=[KeyValue(key="<")]))),
                KeyValue(key="", value=value()),
            ])  # fmt: skip
            span.status.code, span.status.message = number % 3, "because"
            span.events.add(time_unix_nano=5, name="e", attributes=[KeyValue(key="k", value=value(string_value=""))])
            span.links.add(trace_id=trace_id, span_id=b"linked!!", trace_state="l=1")
            span.links.add(trace_id=bytes(16))
    ask = "SELECT * FROM otel_traces WHERE TraceId = {id:String} ORDER BY ALL"
    asked = {"id": trace_id.hex()}
    sent = HttpClient(serving.http).export(request.SerializeToString(), key=f"Bearer {API_KEY}")
    assert sent.code == "OK"
    serving.wait_stored()
    before = client.query(ask, asked).result_rows
    assert len(before) == 15

    answer = Answer(serving, f"/export/traces/{trace_id.hex()}.otlp.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert [
        (resource["resource"]["attributes"][0]["value"]["stringValue"], len(resource["scopeSpans"]))
        for resource in json.loads(answer.body)["resourceSpans"]
    ] == [("a", 2), ("b", 1)]
    client.command("ALTER TABLE otel_traces DELETE WHERE TraceId = {id:String} SETTINGS mutations_sync = 1", asked)
    assert client.query(ask, asked).result_rows == []
    with closing(http.client.HTTPConnection(serving.http.host, serving.http.port, timeout=60)) as connection:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {API_KEY}"}
        connection.request("POST", "/v1/traces", answer.body, headers)
        assert connection.getresponse().read() == b"{}"
    serving.wait_stored()
    assert client.query(ask, asked).result_rows == before


# --- what is refused ---


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("/export/traces", {"format": "xlsx"}, "format: 'xlsx' is not one of csv, jsonl, parquet"),
        ("/export/traces", {"limit": "0"}, "limit: '0' is not a number from 1 to 1000000"),
        ("/export/traces", {"from": "soon"},
         "from: 'soon' is not a moment; give a datetime, milliseconds since 1970, or 2026-11-20T12:00:00Z"),
        ("/export/traces", {"name": "x"}, "name: it is not taken here; there are format, from, to, limit, filter"),
        ("/export/assessments", {"valid": "maybe"}, "valid: 'maybe' is not true or false"),
        ("/export/traces/xyz.otlp.json", {},
         "trace_id: 'xyz' is not 32 hexadecimal digits, as OpenTelemetry writes it"),
    ],
)  # fmt: skip
def test_what_is_wrong(serving: Serving, path: str, asked: dict[str, str], said: str) -> None:
    """What cannot be used is told in one line before anything is sent."""
    answer = Answer(serving, path, **asked)
    assert (answer.status, answer.error) == (400, said)


def test_wrong_filters(serving: Serving) -> None:
    """A filter that cannot be understood is told with its place, in every format."""
    for wanted in ("csv", "parquet"):
        answer = Answer(serving, "/export/traces", format=wanted, filter="colour = 'red'")
        assert (answer.status, answer.error[:7]) == (400, "filter:")


def test_no_such_trace(serving: Serving) -> None:
    """A trace that is not there is 404."""
    answer = Answer(serving, f"/export/traces/{'ab' * 16}.otlp.json")
    said = f"there is no trace {'ab' * 16}; it may not have come yet, or has been dropped"
    assert (answer.status, answer.error) == (404, said)


def test_who_may(serving: Serving) -> None:
    """Only a key that may read gets a file; without one a visitor is sent to sign in."""
    for path in ("/export/traces", "/export/sessions", "/export/assessments", f"/export/traces/{'ab' * 16}.otlp.json"):
        assert Answer(serving, path, key="wrong").status == 401
        sent = Answer(serving, path, key=None)
        assert (sent.status, sent.headers["Location"].partition("?")[0]) == (303, "/sign-in")


def test_a_reader_that_leaves(serving: Serving, shop: dict[str, str]) -> None:
    """Whoever leaves in the middle of a file stops its making, and nothing is said of it."""
    host, _, port = serving.ui.removeprefix("http://").rstrip("/").partition(":")
    for wanted in ("csv", "parquet"):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                f"GET /export/traces?format={wanted} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {API_KEY}\r\n\r\n".encode()
            )
            assert connection.recv(12) == b"HTTP/1.1 200"
    assert Answer(serving, "/export/traces", limit=1).status == 200
    assert serving.errors() == ""


def test_an_error_in_the_middle(caplog: pytest.LogCaptureFixture) -> None:
    """A file whose making fails in the middle breaks off, and never looks whole."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"second\n"
        raise SearchError("the store is away")

    async def export(request: Request) -> Response:
        return Download(request, b"first\n", pieces(), "x.csv", "text/csv")

    def read(port: int) -> bytes:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", "/x")
            with pytest.raises(http.client.IncompleteRead) as broken:
                connection.getresponse().read()
        return bytes(broken.value.partial)

    async def run() -> bytes:
        bound = Address("127.0.0.1", 0).bind("ui")
        listeners = HttpListeners()
        listeners.add(Starlette(routes=[Route("/x", export)]), bound)
        await listeners.start()
        found = await asyncio.to_thread(read, bound.getsockname()[1])
        await listeners.stop()
        return found

    assert asyncio.run(run()) == b"first\nsecond\n"
    assert [record.getMessage() for record in caplog.records if record.name == "hansei.export"] == [
        "an export broke off: the store is away"
    ]

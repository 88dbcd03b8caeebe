"""Searching through a collector's own SQL endpoint: what is found, in which order, and what is read for it."""

import itertools
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

import hansei
from hansei.collector.migrations import migrate
from hansei.feedback.search import many_traces
from hansei.feedback.search.connection import SqlAddress, connections
from hansei.feedback.search.errors import InvalidSearch, SearchError
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.filter_sql import Conditions, trace_conditions
from hansei.feedback.search.many_traces import get_traces
from hansei.feedback.search.statements import fill, statement
from hansei.feedback.search.traces import COLUMNS, Traces, _span_columns, find_statement, get_trace, search_traces

from ..collector.processes import Serving, clean_environment  # noqa: TID252
from .conftest import ADMIN_KEY, NOON, Tables, own, sql_client

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SCHEMA = ("hansei.collector.schema", "hansei.feedback.schema")
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "big",
    "gen_ai.response.model": "big-2026",
}
USAGE = {"gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "100"}
NASTY = "it's \\ \t\n{p0:String} `\"' 😀 --\\'"

_ids = itertools.count(1)


@pytest.fixture(scope="module")
def database(serving: Serving, client: "Client") -> Iterator["Client"]:
    """A database of this module's own, where ``big-2026`` costs 1 and 2 dollars a million."""
    client.command("CREATE DATABASE searched")
    with sql_client(serving, "searched") as opened:
        migrate(opened, packages=SCHEMA)
        opened.command(
            "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion) "
            "VALUES ('openai', 'big-2026', [(0, 0, 0, 1, 0.5, 1.25, 2, 2, 0)], 'own')"
        )
        yield opened
    client.command("DROP DATABASE searched SYNC")


@pytest.fixture(autouse=True)
def reading(serving: Serving, database: "Client", monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches read that database, as a stranger without a key."""
    monkeypatch.setenv("HANSEI_SQL_URL", f"http://{serving.sql}/searched")
    monkeypatch.delenv("HANSEI_API_KEY", raising=False)


@pytest.fixture(scope="module", autouse=True)
def closing() -> Iterator[None]:
    """The connection of this thread is closed at the end."""
    yield
    connections.close()


@pytest.fixture(scope="module")
def store(database: "Client") -> Callable[..., str]:
    """``store(*spans)``: insert a trace; the first span is its root, the others its children. Answers the trace id."""

    def insert(*spans: dict[str, Any]) -> str:
        number = next(_ids)
        trace_id = f"{number:032x}"
        rows = []
        for index, given in enumerate(spans):
            span = {
                "at": 0.0, "TraceId": trace_id, "SpanId": f"{number:08x}{index:08x}",
                "ParentSpanId": f"{number:08x}{0:08x}" if index else "", "SpanName": "work", "ServiceName": "shop",
                "SpanAttributes": {}, "Duration": 1_500_000_000, "StatusCode": "Unset", "StatusMessage": "", **given,
            }  # fmt: skip
            # Within the second, so that what compares whole seconds is seen.
            moment = NOON + timedelta(seconds=span.pop("at") + 0.25)
            delta = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
            rows.append({"Timestamp": delta // timedelta(microseconds=1) * 1000, **span})
        database.insert("otel_traces", [list(row.values()) for row in rows], column_names=list(rows[0]))
        return trace_id

    return insert


@pytest.fixture(scope="module")
def shop(database: "Client", store: Callable[..., str]) -> dict[str, str]:
    """Four traces, by what they are."""
    traces = {
        "good": store(
            {"at": 0, "SpanName": "answer", "StatusCode": "Ok", "SpanAttributes": {
                "hansei.tag.env": "prod", "hansei.tag.a.b": "dotted", "hansei.metadata.retries": "2",
                "hansei.client_request_id": "c-1", "hansei.span.inputs": '{"question": "How?"}',
                "hansei.span.outputs": '"So."', "hansei.span.type": "CHAIN", "session.id": "s-1", "user.id": "ann"}},
            {"at": 1, "SpanName": "chat big", "SpanAttributes": CHAT | USAGE | {"gen_ai.output.messages": "A Refund"}},
            {"at": 2, "SpanName": "search", "SpanAttributes": {"gen_ai.operation.name": "execute_tool"}},
        ),
        "bad": store(
            {"at": 10, "SpanName": "answer", "StatusCode": "Error", "StatusMessage": "no", "Duration": 5_000_000,
             "SpanAttributes": {"hansei.tag.env": "test", "error.type": "timeout", "session.id": "s-1"}},
        ),
        "nasty": store({"at": 20, "SpanName": NASTY, "SpanAttributes": {NASTY: NASTY, "hansei.tag." + NASTY: NASTY}}),
        "rootless": store(
            {"at": 31, "ParentSpanId": "f" * 16, "SpanName": "late", "ServiceName": "back"},
            {"at": 30, "ParentSpanId": "f" * 16, "SpanName": "early", "ServiceName": "back",
             "SpanAttributes": CHAT | {"gen_ai.response.model": "unheard of"}},
        ),
    }  # fmt: skip
    Tables(database).insert(
        own(TraceId=traces["good"], id="1", name="helpful", value="true", source__type="HUMAN", source__id="ann"),
        own(TraceId=traces["bad"], id="2", name="helpful", value="false", source__type="HUMAN", at=1),
        own(TraceId=traces["bad"], id="3", name="score", value="0.25", evaluation_run__id="run-1", at=2),
        own(TraceId=traces["bad"], id="4", name="reply", kind="expectation", value='"Better"', at=3),
        own(TraceId=traces["nasty"], id="5", name=NASTY, value=json.dumps(NASTY), labeling_session__id="l-1", at=4),
        own(TraceId="", id="6", name="solved", value="4", at=5) | {"session.id": "s-1"},
        own(TraceId=traces["good"], id="7", value="1", at=6),
    )  # fmt: skip
    return traces


def names(found: Traces, known: dict[str, str]) -> list[str]:
    """What the traces are, in order."""
    called = {trace_id: name for name, trace_id in known.items()}
    return [called[trace.info.trace_id] for trace in found]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def backticks(text: str) -> str:
    return "`" + text.replace("`", "``") + "`"


# --- what a filter finds ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "rootless nasty bad good"),
        ("attributes.status = 'ERROR'", "bad"),
        ("status != 'ERROR'", "rootless nasty good"),
        ("trace.name = 'answer'", "bad good"),
        ("trace.name = 'early'", "rootless"),
        ("trace.execution_time_ms < 5.5", "bad"),
        (f"timestamp_ms > {int(NOON.timestamp() * 1000) + 10_250}", "rootless nasty"),
        (f"trace.end_time_ms = {int(NOON.timestamp() * 1000) + 3750}", "good"),
        ("client_request_id = 'c-1'", "good"),
        ("tags.env = 'prod'", "good"),
        ("tags.env != 'prod'", "bad"),
        ("tags.env IS NULL", "rootless nasty"),
        ("tags.`a.b` LIKE 'dot%' AND tags.a.b ILIKE 'DOT%'", "good"),
        ("metadata.retries >= 2", "good"),
        ("metadata.retries IN (2.0, 'x')", "good"),
        ("metadata.`mlflow.trace.session` = 's-1'", "bad good"),
        ("span.type = 'TOOL'", "good"),
        ("span.type = 'CHAT_MODEL'", "rootless good"),
        ("span.name = 'search' AND span.type = 'TOOL'", "good"),
        ("span.name = 'search' AND span.type = 'CHAT_MODEL'", ""),
        ("span.name = 'search' OR span.name = 'late'", "rootless good"),
        ("span.attributes.gen_ai.request.model RLIKE '^b.g$'", "rootless good"),
        ("NOT span.attributes.gen_ai.request.model = 'big'", "nasty bad"),
        ("NOT (trace.name = 'answer' OR service = 'back')", "nasty"),
        ("span.content ILIKE '%refund%'", "good"),
        ("text ~ 'reFUND'", "good"),
        ("text ~ 'NO' AND status = 'ERROR'", "bad"),
        ("feedback.helpful = true", "good"),
        ("feedback.helpful = 'false'", "bad"),
        ("feedback.helpful = 0", "bad"),
        ("feedback.score < 0.5 AND feedback.helpful != true", "bad"),
        ("feedback.name IN ('score', 'helpful')", "bad good"),
        ("feedback.helpful IS NULL", "rootless nasty"),
        ("expectation.reply = 'Better' AND expectation.name LIKE 're%'", "bad"),
        ("feedback.helpful = true OR service = 'back'", "rootless good"),
        ("service = 'back'", "rootless"),
        ("model = 'big-2026'", "good"),
        ("model IN ('big', 'x')", "rootless good"),
        ("model != 'big-2026'", "rootless"),
        ("model IS NULL", "nasty bad"),
        ("provider = 'openai' AND user = 'ann'", "good"),
        ("session = 's-1' AND error_type = 'timeout'", "bad"),
        ("tokens = 1100", "good"),
        ("cost > 0.0011 AND cost < 0.0013", "good"),
        ("NOT cost > 0", "rootless nasty bad"),
        ("run_id = 'run-1'", "bad"),
        ("labeling_session = 'l-1'", "nasty"),
        (f"span.name = {quoted(NASTY)}", "nasty"),
        (f"span.attributes.{backticks(NASTY)} = {quoted(NASTY)}", "nasty"),
        (f"tags.{backticks(NASTY)} IN ('x', {quoted(NASTY)})", "nasty"),
        (f"feedback.{backticks(NASTY)} = {quoted(NASTY)}", "nasty"),
        (f"text ~ {quoted(NASTY)} OR span.name IN ({quoted(NASTY)})", "nasty"),
    ],
)  # fmt: skip
def test_found(shop: dict[str, str], text: str, found: str) -> None:
    """Each field and operator finds its traces, the newest first, and no text breaks out of its place."""
    only = search_traces(filter_string=text, end_time=NOON + timedelta(minutes=1), return_type="list")
    assert names(only, shop) == found.split()


def test_arguments(shop: dict[str, str]) -> None:
    """Session, run, labeling session, span, a condition in SQL and times, alone and together."""

    def find(**arguments: Any) -> list[str]:
        return names(search_traces(return_type="list", **{"end_time": NOON + timedelta(minutes=1), **arguments}), shop)

    assert find(session_id="s-1") == ["bad", "good"]
    assert find(run_id="run-1") == ["bad"]
    assert find(labeling_session="l-1") == ["nasty"]
    assert find(span_id=f"{int(shop['good'], 16):08x}{2:08x}") == ["good"]
    assert find(where="Duration < 1e9 -- short") == ["bad"]
    assert find(where="Duration < 1e9", filter_string="session = 's-1' OR user = 'ann'") == ["bad"]
    assert find(where="true OR false", session_id="s-1") == ["bad", "good"]
    assert find(start_time=NOON + timedelta(seconds=10), end_time=NOON + timedelta(seconds=20)) == ["bad"]
    assert find(start_time="2026-11-20T12:00:20Z") == ["rootless", "nasty"]
    assert find(end_time=int(NOON.timestamp() * 1000)) == []
    assert find(order_by="execution_time_ms", max_results=1) == ["bad"]
    assert find(order_by=["timestamp_ms ASC"]) == ["good", "bad", "nasty", "rootless"]
    assert find(order_by="status DESC, timestamp_ms DESC")[0] == "bad"
    assert find(session_id="s-1", include_spans=False) == ["bad", "good"]


def test_pages(shop: dict[str, str]) -> None:
    """Pages of two and one hold each trace once, in order; the last has no token."""
    for size in (1, 2):
        found, token = [], None
        while True:
            page = search_traces(
                max_results=size, page_token=token, end_time=NOON + timedelta(minutes=1), return_type="list"
            )
            found += names(page, shop)
            token = page.next_page_token
            if token is None:
                break
        assert found == ["rootless", "nasty", "bad", "good"]


def test_pages_of_traces_that_began_together(store: Callable[..., str]) -> None:
    """Traces of one nanosecond are told apart by their ids."""
    made = {store({"at": 500_000, "ServiceName": "together"}) for _ in range(7)}
    found: list[str] = []
    token: str | None = None
    while token is not None or not found:
        page = search_traces(filter_string="service = 'together'", max_results=3, page_token=token, return_type="list")
        found += [trace.info.trace_id for trace in page]
        token = page.next_page_token
    assert found == sorted(made, reverse=True)


def test_a_trace_over_the_edge_of_a_look_is_found_once(store: Callable[..., str]) -> None:
    """Spans hours apart make one trace, of the time at which it began, whatever is stored in between."""
    long = store(
        {"at": 600_000, "ServiceName": "edges", "SpanName": "long"},
        {"at": 600_000 + 5 * 3600, "ServiceName": "edges"},
    )
    between = [store({"at": 600_000 + number * 1800, "ServiceName": "edges"}) for number in range(1, 14)]
    for text in ("service = 'edges'", None):
        found = search_traces(filter_string=text, start_time=NOON + timedelta(seconds=600_000), return_type="list")
        assert [trace.info.trace_id for trace in found] == [*reversed(between), long]
    only = search_traces(
        start_time=NOON + timedelta(seconds=600_001), end_time=NOON + timedelta(seconds=601_801), return_type="list"
    )
    assert [trace.info.trace_id for trace in only] == between[:1]


# --- what is answered ---


def test_the_frame_has_mlflows_columns(shop: dict[str, str]) -> None:
    """A row of the DataFrame, worked by hand; without a trace it has the columns still."""
    frame = search_traces(filter_string="user = 'ann'")
    assert list(frame.columns) == list(COLUMNS)
    (row,) = frame.to_dict("records")
    spans, assessments, text = row.pop("spans"), row.pop("assessments"), row.pop("trace")
    assert row == {
        "trace_id": shop["good"], "client_request_id": "c-1", "state": "OK",
        "request_time": int(NOON.timestamp() * 1000) + 250, "execution_duration": 1500, "request": {"question": "How?"},
        "response": "So.", "trace_metadata": {"retries": "2"}, "tags": {"env": "prod", "a.b": "dotted"},
    }  # fmt: skip
    assert [span["name"] for span in spans] == ["answer", "chat big", "search"]
    assert [said["name"] for said in assessments] == ["", "helpful"]
    assert assessments[1]["source"] == {"source_type": "HUMAN", "source_id": "ann"}
    assert json.loads(text)["spans"] == json.loads(json.dumps(spans))
    assert list(search_traces(filter_string="user = 'nobody'").columns) == list(COLUMNS)
    assert search_traces(max_results=1).attrs["next_page_token"]


def test_a_trace_whole(shop: dict[str, str]) -> None:
    """Info, spans in order with types, contents and parents, usage at its price, and what was said."""
    trace = get_trace(shop["good"].upper())
    assert trace
    info = trace.info
    assert (info.session_id, info.user_id, info.service, info.input_tokens, info.output_tokens, info.cost_usd) == (
        "s-1", "ann", "shop", 1000, 100, pytest.approx(0.0012),
    )  # fmt: skip
    assert [span.span_type for span in trace.spans] == ["CHAIN", "CHAT_MODEL", "TOOL"]
    root, chat, _ = trace.spans
    assert (root.parent_id, chat.parent_id, root.status, chat.outputs) == (None, root.span_id, "Ok", "A Refund")
    assert root.end_time_ns - root.start_time_ns == 1_500_000_000
    assert trace.search_spans(span_type="tool") == [trace.spans[2]] == trace.search_spans(name="search")
    assert trace.search_spans(name="search", span_type="LLM") == []
    assert [(said.name, said.value, said.valid) for said in trace.assessments] == [
        ("", 1, True),
        ("helpful", True, True),
    ]
    assert json.loads(json.dumps(trace.to_dict()))["info"]["name"] == "answer"
    assert get_trace("f" * 32) is None
    rootless = get_trace(shop["rootless"])
    assert rootless
    assert (rootless.info.name, rootless.info.state, rootless.info.cost_usd) == ("early", "OK", None)


@pytest.mark.parametrize("year", [1960, 2200])
def test_a_trace_of_any_time_is_read(store: Callable[..., str], year: int) -> None:
    """A clock that is wrong by a century hides no trace from its id."""
    trace_id = store({"at": (datetime(year, 1, 1, tzinfo=timezone.utc) - NOON).total_seconds(), "ServiceName": "wrong"})
    trace = get_trace(trace_id)
    assert trace
    assert datetime.fromtimestamp(trace.info.request_time / 1000, timezone.utc).year == year


def test_traces_by_their_ids(shop: dict[str, str], store: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Many are read as each alone is, whenever they began; of one that is not there nothing is told."""
    monkeypatch.setattr(many_traces, "_AT_ONCE", 2)
    old = store({"at": (datetime(1960, 1, 1, tzinfo=timezone.utc) - NOON).total_seconds(), "ServiceName": "wrong"})
    wanted = [shop["good"].upper(), shop["good"], "f" * 32, old, shop["rootless"]]
    found = get_traces(wanted)
    assert found == {trace_id: get_trace(trace_id) for trace_id in (shop["good"], old, shop["rootless"])}
    assert len(found[shop["good"]].spans) == 3
    started = time.monotonic()
    assert get_traces([shop["good"], shop["rootless"]], wait=0.3).keys() == {shop["good"], shop["rootless"]}
    assert time.monotonic() - started >= 0.3, "nobody waited for the root"
    assert get_traces([]) == {}
    with pytest.raises(InvalidSearch, match="32 hexadecimal digits"):
        get_traces(["a trace"])


def test_assessments(shop: dict[str, str]) -> None:
    """One by its id, and those that fit."""
    one = hansei.get_assessment(shop["bad"], "4")
    assert isinstance(one, hansei.Expectation)
    assert (one.value, one.trace_id, one.assessment_id) == ("Better", shop["bad"], "4")
    solved = hansei.get_assessment(None, "6")
    assert isinstance(solved, hansei.Feedback)
    assert (solved.value, solved.session_id, solved.trace_id) == (4, "s-1", None)
    assert hansei.get_assessment(shop["good"], "4") is None
    found = hansei.search_assessments

    def ids(**arguments: Any) -> list[str | None]:
        return [said.assessment_id for said in found(**arguments)]

    assert ids(trace_id=shop["bad"]) == ["4", "3", "2"]
    assert ids(name="helpful", valid=True) == ["2", "1"]
    assert ids(name="helpful", source_id="ann") == ["1"]
    assert ids(kind="expectation", start_time=NOON, end_time=NOON + timedelta(seconds=10)) == ["4"]
    assert ids(source_type="human", max_results=1) == ["2"]
    assert ids(run_id="run-1") + ids(labeling_session="l-1") + ids(session_id="s-1") == ["3", "5", "6"]


def test_sessions(shop: dict[str, str]) -> None:
    """A row a session with the view's columns, and the assessments of it and of its traces counted."""
    (row,) = hansei.search_sessions(session_id="s-1", return_type="list")
    assert {name: row[name] for name in row if name not in ("Start", "End")} == {
        "SessionId": "s-1", "UserId": "ann", "ServiceName": "shop", "Traces": 2, "Calls": 0, "InputTokens": 0,
        "OutputTokens": 0, "CostUsd": None, "Errors": 0, "UnpricedCalls": 0,
        "Assessments": 6, "Feedback": 5, "Expectations": 1, "NegativeFeedback": 1,
    }  # fmt: skip
    for arguments, found in [
        ({"filter_string": "traces = 2 AND NOT cost > 0"}, 1),
        ({"filter_string": "cost < 5"}, 0),
        ({"where": "Traces > 1"}, 1),
        ({"user": "ann", "service": "shop"}, 1),
        ({"start_time": NOON + timedelta(seconds=11)}, 0),
        ({"start_time": NOON + timedelta(seconds=9), "order_by": "Start DESC"}, 1),
    ]:
        frame = hansei.search_sessions(**arguments)
        assert (len(frame), list(frame.columns)) == (found, list(row))


# --- what is read ---


@pytest.fixture(scope="module")
def many(database: "Client") -> str:
    """A trace of four spans among 40 000 over four days of March."""
    database.command(
        """
        INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ServiceName, SpanAttributes, Duration)
        SELECT toDateTime64('2026-03-01 00:00:00', 9, 'UTC') + number * 8, lower(hex(sipHash128(intDiv(number, 4)))),
            hex(number), 'many', map('gen_ai.operation.name', 'chat', 'gen_ai.conversation.id',
                lower(hex(sipHash128(intDiv(number, 4)))), 'gen_ai.input.messages', repeat('x', 400)), 1000
        FROM numbers(40000)
        """
    )
    trace: str = database.query("SELECT lower(hex(sipHash128(toUInt64(5000))))").result_rows[0][0]
    return trace


def granules(client: "Client", sql: str, parameters: dict[str, Any]) -> tuple[int, int]:
    """The most granules of otel_traces that a step of a query reads, of how many there are."""
    plan = "\n".join(row[0] for row in client.query(f"EXPLAIN indexes = 1 {sql}", parameters).result_rows)
    steps = re.findall(r"otel_traces\).*?(?=ReadFrom|\Z)", plan, re.DOTALL)
    counts = [re.findall(r"Granules: (\d+)/(\d+)", step) for step in steps]
    return max(int(found[-1][0]) for found in counts if found), max(int(found[0][1]) for found in counts if found)


def find_parameters(start: datetime, hours: int) -> dict[str, Any]:
    """Those of a look at a stretch of time."""
    begin = int(start.timestamp())
    end = begin + hours * 3600
    return {
        "from": begin * 10**9, "until": end * 10**9, "until_late": (end + 86400) * 10**9, "earliest": begin - 86400,
        "latest": end + 86400, "before": 2**63 - 1, "before_id": "", "limit": 100,
    }  # fmt: skip


def test_a_look_up_by_id_reads_a_handful_of_granules(database: "Client", many: str) -> None:
    """Among thousands of rows, one trace."""
    trace = get_trace(many)
    assert trace
    assert len(trace.spans) == 4
    sql = fill(statement("spans_of_trace"), columns=_span_columns())
    read, total = granules(database, sql, {"trace_id": many})
    assert (read <= 4, total > 15) == (True, True)


def test_a_stretch_of_time_is_a_range_of_the_primary_key(database: "Client", many: str) -> None:
    """An hour of days reads that hour's granules, without a filter and with one that rows cannot tell."""
    for conditions in (Conditions(), trace_conditions(parse("trace.execution_time_ms >= 0"))):
        sql, parameters = find_statement(conditions, None, "Began DESC, TraceId DESC")
        parameters |= find_parameters(datetime(2026, 3, 2, 10, tzinfo=timezone.utc), 1)
        read, total = granules(database, sql, parameters)
        assert (read <= 4, total > 15) == (True, True)
        assert len(database.query(sql, parameters).result_rows) == 100


def test_a_session_is_found_by_its_index(database: "Client", many: str) -> None:
    """Over all of the time, the candidates of a session are a few granules."""
    sql, parameters = find_statement(trace_conditions(parse(f"session = '{many}'")), None, "Began DESC, TraceId DESC")
    parameters |= find_parameters(datetime(2026, 3, 1, tzinfo=timezone.utc), 4 * 24)
    read, total = granules(database, sql, parameters)
    assert (read <= 4, total > 15) == (True, True)
    assert [row[0] for row in database.query(sql, parameters).result_rows] == [many]


# --- waiting, threads, errors ---

TELLS = """
import hansei
hansei.instrument()

@hansei.trace(span_type="AGENT")
def answer(question):
    hansei.update_current_trace(tags={"env": "prod"}, metadata={"try": 1}, client_request_id="c-9", session_id="talk-9")
    return look_up(question)

@hansei.trace(span_type="TOOL")
def look_up(words):
    return ["Every three months."]

answer("How often?")
trace_id = hansei.get_last_active_trace_id()
said = hansei.log_feedback(trace_id=trace_id, name="helpful", value=True, rationale="Clear")
print(trace_id, said.assessment_id, flush=True)
"""


def test_what_was_just_written_is_read_with_wait(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program's trace and feedback, through its own telemetry, as soon as they are there."""
    monkeypatch.setenv("HANSEI_SQL_URL", f"http://{serving.sql}")
    done = subprocess.run(
        [sys.executable, "-c", TELLS], capture_output=True, text=True, timeout=60, check=True,
        env=clean_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{serving.grpc}", "OTEL_SERVICE_NAME": "shop",
                               "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}),
    )  # fmt: skip
    trace_id, assessment_id = done.stdout.split()
    said = hansei.get_assessment(trace_id, assessment_id, wait=30)
    assert isinstance(said, hansei.Feedback)
    assert (said.value, said.rationale) == (True, "Clear")
    trace = hansei.get_trace(trace_id, wait=30)
    assert trace
    assert (trace.info.tags, trace.info.trace_metadata, trace.info.client_request_id, trace.info.session_id) == (
        {"env": "prod"}, {"try": "1"}, "c-9", "talk-9",
    )  # fmt: skip
    assert [span.span_type for span in trace.spans] == ["AGENT", "TOOL"]
    found = hansei.search_traces(session_id="talk-9", filter_string="span.type = 'AGENT'", wait=30, return_type="list")
    assert trace_id in [one.info.trace_id for one in found]


def test_a_wait_ends() -> None:
    """What does not come is waited for as long as was said, and no longer."""
    started = time.monotonic()
    assert get_trace("e" * 32, wait=0.3) is None
    assert 0.3 <= time.monotonic() - started < 10


def test_threads_search_at_once(shop: dict[str, str]) -> None:
    """Each has its own connection; all find the same."""
    found: list[list[str]] = []

    def find() -> None:
        try:
            found.append(names(search_traces(session_id="s-1", return_type="list"), shop))
        finally:
            connections.close()

    threads = [threading.Thread(target=find) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["bad", "good"]] * 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"max_results": 0}, "max_results: 0 is not a number from 1 to 100000"),
        ({"order_by": "colour"}, "order_by: 'colour' is not one of timestamp_ms"),
        ({"page_token": "x"}, "page_token: 'x' is not the next_page_token of a search"),
        ({"page_token": "1-a", "order_by": "name"}, "page_token: pages are of the newest first"),
        ({"start_time": "yesterday"}, "start_time: 'yesterday' is not a moment; give a datetime"),
        ({"return_type": "arrow"}, "return_type: 'arrow' is not one of 'pandas', 'list'"),
        ({"session_id": "\0"}, "session: '\\x00' is not a text that can be stored"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], said: str) -> None:
    """The error names the argument, the value and what would be allowed."""
    with pytest.raises(InvalidSearch) as caught:
        search_traces(**arguments)
    assert str(caught.value).startswith(said)


def test_wrong_sql_is_clickhouses_error_in_one_line() -> None:
    """So is a condition that would do more than read."""
    with pytest.raises(SearchError, match=r"\AClickHouse refused the search: Code: .*nothing_like_it.*\Z"):
        search_traces(where="nothing_like_it = 1", return_type="list")
    with pytest.raises(SearchError, match=r"\AClickHouse refused the search: Code: "):
        search_traces(where="file('/etc/hostname') = ''", return_type="list")


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, the error says where it was tried and what to do."""
    monkeypatch.setenv("HANSEI_SQL_URL", "http://127.0.0.1:9")
    with pytest.raises(SearchError, match=r"\Ano SQL is answered at http://127.0.0.1:9; start `hansei serve`, or set"):
        get_trace("a" * 32)


def test_a_wrong_key(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is not taken is an error that names the variable, and shows no key."""
    monkeypatch.setenv("HANSEI_SQL_URL", f"http://admin@{serving.sql}")
    monkeypatch.setenv("HANSEI_API_KEY", "wrong")
    with pytest.raises(SearchError, match=r"\Ahttp://\S+ does not take the key for SQL; set HANSEI_API_KEY") as caught:
        get_trace("a" * 32)
    assert "wrong" not in str(caught.value)
    monkeypatch.setenv("HANSEI_API_KEY", ADMIN_KEY)
    assert get_trace("a" * 32) is None


@pytest.mark.parametrize("missing", ["pandas", "clickhouse_connect"])
def test_a_missing_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what the extra brings, the error says how to install it."""
    connections.close()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SearchError, match=r"pip install 'hansei\[notebook\]'"):
        search_traces()


@pytest.mark.parametrize(
    ("environment", "address", "database"),
    [
        ({}, "http://127.0.0.1:8123", "default"),
        ({"HANSEI_URL": "https://hansei.example:8600/x"}, "https://hansei.example:8123", "default"),
        ({"HANSEI_URL": "http://[::1]:8600"}, "http://[::1]:8123", "default"),
        ({"HANSEI_URL": "http://a", "HANSEI_SQL_URL": "http://u:p%40@b:1/d"}, "http://b:1", "d"),
    ],
)
def test_where_sql_is(environment: dict[str, str], address: str, database: str) -> None:
    """HANSEI_SQL_URL, else the default port on the host of HANSEI_URL."""
    found = SqlAddress.of(environment)
    assert (str(found), found.database) == (address, database)
    assert SqlAddress.of({**environment, "HANSEI_API_KEY": "k"}).password == ("p@" if database == "d" else "k")


def test_an_address_that_is_none() -> None:
    """A mistake in the variable is named, without the password."""
    for url in ("127.0.0.1:8123", "http://user:secret@:1", "http://a:b:c"):
        with pytest.raises(SearchError, match=r"HANSEI_SQL_URL: .* is not a URL") as caught:
            SqlAddress.of({"HANSEI_SQL_URL": url})
        assert "secret" not in str(caught.value)

"""What people read: calls, sessions and usage, from spans as any instrumentation writes them."""

import itertools
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.collector.migrations import migrate
from hansei.collector.signals import TRACES
from hansei.collector.store import ENGINE_OPTIONS, EmbeddedStore

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "big",
    "gen_ai.response.model": "big-2026",
}
USAGE = {"gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "100"}
ONCE = {"insert_deduplicate": 1, "deduplicate_blocks_in_dependent_materialized_views": 1}

_ids = itertools.count(1)


@pytest.fixture(scope="module")
def client(engine: EmbeddedStore) -> Iterator["Client"]:
    """A database of this module's own, where ``big-2026`` costs 1 and 2 dollars, and twice that above 200 000."""
    engine.client().command("CREATE DATABASE genai_views")
    with clickhouse_connect.get_client(
        interface="chdb", path=str(engine.directory), chdb_options=ENGINE_OPTIONS, database="genai_views"
    ) as opened:
        migrate(opened)
        set_price(opened, "big-2026", [(0, 0, 0, 1, 0.5, 1.25, 2, 2, 0), (0, 0, 200000, 2, 1, 2.5, 4, 4, 0)])
        yield opened


def set_price(client: "Client", model: str, prices: list[tuple[float, ...]], provider: str = "openai") -> None:
    client.command(
        "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion) "
        f"VALUES ('{provider}', '{model}', {prices}, 'own')"
    )


def insert(client: "Client", *spans: dict[str, Any], token: str | None = None) -> None:
    """Insert spans in the columns of the OpenTelemetry Collector's exporter; what is not given is made up."""
    defaults = {
        "Timestamp": NOON, "TraceId": f"{next(_ids):032x}", "SpanId": f"{next(_ids):016x}", "ParentSpanId": "",
        "SpanName": "chat big", "ServiceName": "shop", "SpanAttributes": {}, "Duration": 1_500_000_000,
        "StatusCode": "Unset", "StatusMessage": "",
    }  # fmt: skip
    rows = [{**defaults, **span} for span in spans]
    for row in rows:
        delta = row["Timestamp"] - datetime(1970, 1, 1, tzinfo=UTC)
        row["Timestamp"] = (delta // timedelta(microseconds=1)) * 1000
    client.insert(
        "otel_traces",
        [list(row.values()) for row in rows],
        column_names=list(defaults),
        settings={**ONCE, **({"insert_deduplication_token": token} if token else {})},
    )


def rows(client: "Client", sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql, parameters).result_rows]


def plan(client: "Client", sql: str) -> str:
    return "\n".join(row[0] for row in rows(client, f"EXPLAIN indexes = 1, header = 1 {sql}"))


def granules(client: "Client", sql: str) -> tuple[int, int]:
    """How many granules of otel_traces a query reads, of how many."""
    steps = re.search(r"otel_traces\).*?(?=ReadFrom|\Z)", plan(client, sql), re.DOTALL)
    assert steps
    counts = re.findall(r"Granules: (\d+)/(\d+)", steps[0])
    return int(counts[-1][0]), int(counts[0][1])


@pytest.fixture(scope="module")
def many(client: "Client") -> str:
    """The trace of one call among 40 000 over four days of March; its conversation has the same name."""
    client.command(
        """
        INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ServiceName, SpanAttributes, Duration)
        SELECT toDateTime64('2026-03-01 00:00:00', 9, 'UTC') + number * 8, lower(hex(sipHash128(intDiv(number, 4)))),
            hex(number), 'many', map('gen_ai.operation.name', 'chat', 'gen_ai.provider.name', 'openai',
                'gen_ai.request.model', 'big', 'gen_ai.usage.input_tokens', '10',
                'gen_ai.conversation.id', lower(hex(sipHash128(intDiv(number, 4)))),
                'gen_ai.input.messages', repeat('x', 400)), 1000
        FROM numbers(40000)
        """
    )
    trace: str = rows(client, "SELECT lower(hex(sipHash128(toUInt64(5000))))")[0][0]
    return trace


# --- calls ---


def test_a_call_is_a_row_with_its_columns_by_name(client: "Client") -> None:
    """A chat span comes out whole: names, tokens, cost worked by hand, milliseconds, reasons as an array."""
    insert(client, {
        "TraceId": "a" * 32, "SpanId": "b" * 16, "ParentSpanId": "c" * 16,
        "SpanAttributes": CHAT | USAGE | {
            "gen_ai.usage.cache_read.input_tokens": "400", "gen_ai.usage.cache_write.input_tokens": "100",
            "gen_ai.usage.reasoning.output_tokens": "30", "gen_ai.response.finish_reasons": '["stop","length"]',
            "gen_ai.conversation.id": "talk", "user.id": "ann", "gen_ai.input.messages": "[1]",
            "gen_ai.output.messages": "[2]",
        },
    })  # fmt: skip
    columns = (
        "toUnixTimestamp(Timestamp), TraceId, SpanId, ParentSpanId, ServiceName, Operation, Provider, RequestModel,"
        "ResponseModel,"
        "InputTokens, OutputTokens, CachedInputTokens, ReasoningTokens, CostUsd, DurationMs, FinishReasons,"
        "ConversationId, UserId, StatusCode, ErrorType, InputMessages, OutputMessages"
    )
    assert rows(client, f"SELECT {columns} FROM genai_calls WHERE TraceId = '{'a' * 32}'") == [(
        int(NOON.timestamp()), "a" * 32, "b" * 16, "c" * 16, "shop", "chat", "openai", "big", "big-2026",
        1000, 100, 400, 30, pytest.approx((500 * 1 + 400 * 0.5 + 100 * 1.25 + 100 * 2) / 1e6, rel=1e-12), 1500.0,
        ["stop", "length"], "talk", "ann", "Unset", "", "[1]", "[2]",
    )]  # fmt: skip


def test_only_calls_of_a_model_are_calls(client: "Client") -> None:
    """Agents, workflows, tools, retrieval and fetched responses repeat the usage of others, and are no calls."""
    operations = [
        "chat", "text_completion", "generate_content", "embeddings", "execute_tool", "invoke_agent", "create_agent",
        "invoke_workflow", "retrieval", "fetch_response", "plan", "",
    ]  # fmt: skip
    insert(
        client,
        *(
            {"ServiceName": "operations", "SpanAttributes": CHAT | USAGE | {"gen_ai.operation.name": operation}}
            for operation in operations
        ),
    )
    calls = set(operations[:4])
    for view in ("genai_calls", "genai_usage"):
        found = rows(client, f"SELECT Operation FROM {view} WHERE ServiceName = 'operations'")
        assert {row[0] for row in found} == calls
    assert rows(client, "SELECT count(), count(CostUsd) FROM genai_spans WHERE ServiceName = 'operations'") == [(12, 4)]


def test_a_total_that_is_less_than_its_parts_was_counted_without_them(client: "Client") -> None:
    """Input 50 with 300 cached is 350 input; output 10 with 40 reasoning is 50 output."""
    attributes = CHAT | {
        "gen_ai.usage.input_tokens": "50", "gen_ai.usage.cache_read.input_tokens": "300",
        "gen_ai.usage.output_tokens": "10", "gen_ai.usage.reasoning.output_tokens": "40",
    }  # fmt: skip
    insert(client, {"ServiceName": "parts", "SpanAttributes": attributes})
    for view in ("genai_calls", "genai_usage"):
        assert rows(
            client,
            f"SELECT InputTokens, OutputTokens, CachedInputTokens, CostUsd FROM {view} WHERE ServiceName = 'parts'",
        ) == [(350, 50, 300, pytest.approx((50 * 1 + 300 * 0.5 + 50 * 2) / 1e6, rel=1e-12))]


def test_a_cost_that_is_not_known_is_null(client: "Client") -> None:
    """No usage, no price and no model: no cost, rather than none to pay."""
    insert(
        client,
        {"ServiceName": "unknown", "SpanAttributes": CHAT},
        {"ServiceName": "unknown", "SpanAttributes": CHAT | USAGE | {"gen_ai.response.model": "never heard of"}},
        {"ServiceName": "unknown", "SpanAttributes": USAGE | {"gen_ai.operation.name": "chat"}},
    )
    assert rows(client, "SELECT CostUsd FROM genai_calls WHERE ServiceName = 'unknown'") == [(None,)] * 3
    assert rows(client, "SELECT CostUsd FROM genai_usage WHERE ServiceName = 'unknown'") == [(None,)] * 3


def test_without_a_response_model_the_request_model_has_the_price(client: "Client") -> None:
    """A response that names no model is paid as the one that was asked for."""
    insert(client, {"ServiceName": "asked", "SpanAttributes": CHAT | USAGE | {
        "gen_ai.request.model": "big-2026", "gen_ai.response.model": ""}})  # fmt: skip
    assert rows(client, "SELECT Model, CostUsd FROM genai_calls WHERE ServiceName = 'asked'") == [
        ("big-2026", pytest.approx(0.0012, rel=1e-12))
    ]


def test_a_price_learnt_later_prices_what_was_stored_before(client: "Client") -> None:
    """Cost follows the price list at the time of reading, also when it is corrected."""
    insert(client, {"ServiceName": "later", "SpanAttributes": CHAT | USAGE | {"gen_ai.response.model": "later"}})
    costs = []
    for price in (None, 1, 3):
        if price:
            set_price(client, "later", [(0, 0, 0, price, 0, 0, 0, 0, 0)])
        costs.append(
            [
                rows(client, f"SELECT CostUsd FROM {view} WHERE ServiceName = 'later'")[0][0]
                for view in ("genai_calls", "genai_usage")
            ]
        )
    assert costs == [[None, None], [0.001, 0.001], [0.003, 0.003]]


# --- what a look-up reads ---


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CostUsd, InputMessages FROM genai_calls WHERE TraceId = '{trace}'",
        "SELECT CostUsd, InputMessages FROM genai_calls WHERE ConversationId = '{trace}'",
        "SELECT * FROM genai_sessions WHERE SessionId = '{trace}'",
        "SELECT * FROM genai_sessions WHERE SessionId IN (SELECT '{trace}')",
    ],
)
def test_a_look_up_uses_the_indexes(client: "Client", many: str, sql: str) -> None:
    """A trace, a conversation or a session is found through otel_traces' indexes, not by a scan."""
    sql = sql.format(trace=many)
    assert len(rows(client, sql)) == (4 if "genai_calls" in sql else 1)
    read, total = granules(client, sql)
    assert (read <= 4, total > 15) == (True, True)


@pytest.mark.parametrize("view", ["genai_calls", "genai_spans"])
def test_a_range_of_time_uses_the_primary_key(client: "Client", many: str, view: str) -> None:
    """An hour of a table of days reads that hour's granules."""
    sql = f"SELECT sum(CostUsd) FROM {view} WHERE Timestamp BETWEEN '2026-03-02 10:00:00' AND '2026-03-02 11:00:00'"
    assert "PrimaryKey" in plan(client, sql)
    read, total = granules(client, sql)
    assert (read <= 3, total > 15) == (True, True)


def test_a_range_of_time_of_the_usage_uses_the_primary_key(client: "Client", many: str) -> None:
    """The condition on Start reaches the roll-up's primary key through the view."""
    text = plan(client, "SELECT sum(Calls) FROM genai_usage WHERE Start >= '2026-03-02 10:00:00'")
    assert re.search(r"PrimaryKey\s+Keys:\s+Start", re.sub(r"[│├└─ ]+", " ", text))


def test_what_is_not_asked_for_is_not_read(client: "Client", many: str) -> None:
    """Provider and tokens of calls come without the attributes, that is without the prompts, and without prices."""
    text = plan(client, "SELECT Provider, InputTokens FROM genai_calls")
    assert "GenAiProvider" in text
    assert "SpanAttributes" not in text
    assert "GenAiResponseModel" not in text
    assert "SpanAttributes" in plan(client, "SELECT InputMessages FROM genai_calls")


def test_the_price_list_is_a_constant_and_not_a_join(client: "Client", many: str) -> None:
    """Asking for the cost adds columns of the calls, and no second table to the plan."""
    text = plan(client, "SELECT sum(CostUsd) FROM genai_calls")
    assert "Join" not in text
    assert "SpanAttributes" not in text


# --- sessions ---


def test_a_session_is_all_spans_of_a_conversation(client: "Client") -> None:
    """Its row, worked by hand: two traces, three calls of which one failed, and a tool."""
    talk = {"gen_ai.conversation.id": "session-1"}
    tool = USAGE | {"gen_ai.operation.name": "execute_tool"}
    at = [NOON + timedelta(seconds=second) for second in range(5)]
    insert(
        client,
        {"Timestamp": at[0], "TraceId": "1", "ServiceName": "front", "Duration": 9_000_000_000, "SpanAttributes": talk},
        {"Timestamp": at[1], "TraceId": "1", "SpanAttributes": talk | CHAT | USAGE | {"user.id": "ann"}},
        {"Timestamp": at[2], "TraceId": "2", "SpanAttributes": talk | CHAT, "StatusCode": "Error"},
        {"Timestamp": at[3], "TraceId": "2", "SpanAttributes": talk | CHAT | USAGE},
        {"Timestamp": at[4], "TraceId": "2", "SpanAttributes": talk | tool},
    )  # fmt: skip
    assert rows(client, """
        SELECT SessionId, UserId, ServiceName, toUnixTimestamp(Start), toUnixTimestamp(End), Traces, Calls, InputTokens,
            OutputTokens, CostUsd, Errors, UnpricedCalls
        FROM genai_sessions WHERE SessionId = 'session-1'
        """) == [(
        "session-1", "ann", "front", int(NOON.timestamp()), int(NOON.timestamp()) + 9, 2, 3, 2000,
        200, pytest.approx(0.0024, rel=1e-12), 1, 0,
    )]  # fmt: skip


def test_a_session_says_how_much_of_its_cost_is_known(client: "Client") -> None:
    """The sum of known costs with a count of the others; NULL where none is known."""
    unknown = CHAT | USAGE | {"gen_ai.response.model": "never heard of"}
    for session, spans in {
        "partly": [(CHAT | USAGE, "Unset"), (unknown, "Unset"), (CHAT, "Error")],
        "none": [(unknown, "Unset"), (CHAT, "Unset")],
    }.items():
        for attributes, status in spans:
            insert(client, {"SpanAttributes": attributes | {"session.id": session}, "StatusCode": status})
    assert rows(
        client,
        "SELECT SessionId, CostUsd, UnpricedCalls FROM genai_sessions WHERE SessionId IN ('partly', 'none') ORDER BY 1",
    ) == [("none", None, 2), ("partly", pytest.approx(0.0012, rel=1e-12), 1)]


def test_a_trace_without_a_conversation_is_no_session(client: "Client") -> None:
    """No session has an empty name."""
    insert(client, {"SpanAttributes": CHAT | USAGE})
    assert rows(client, "SELECT count() FROM genai_sessions WHERE SessionId = ''") == [(0,)]


# --- usage ---


def test_usage_is_summed_by_five_minutes_and_model(client: "Client") -> None:
    """Calls over two inserts and a boundary of five minutes, with an error and a call at the higher price."""
    large = CHAT | {"gen_ai.usage.input_tokens": "200001", "gen_ai.usage.output_tokens": "10"}
    late = NOON + timedelta(minutes=4, seconds=59)
    insert(client, {"ServiceName": "usage", "SpanAttributes": CHAT | USAGE})
    insert(
        client,
        {"ServiceName": "usage", "Timestamp": late, "SpanAttributes": large, "Duration": 3_000_000_000},
        {"ServiceName": "usage", "Timestamp": late, "SpanAttributes": CHAT, "StatusCode": "Error", "Duration": 1000},
        {"ServiceName": "usage", "Timestamp": late + timedelta(seconds=1), "SpanAttributes": CHAT | USAGE},
    )
    assert rows(client, """
        SELECT toUnixTimestamp(Start), Operation, Provider, RequestModel, ResponseModel, Calls, Errors, InputTokens,
            OutputTokens, CostUsd, UnpricedCalls, DurationMsMax
        FROM genai_usage WHERE ServiceName = 'usage' ORDER BY Start
        """) == [
        (int(NOON.timestamp()), "chat", "openai", "big", "big-2026", 3, 1, 201001, 110,
            pytest.approx((1000 * 1 + 100 * 2 + 200001 * 2 + 10 * 4) / 1e6, rel=1e-12), 0, 3000.0),
        (int(NOON.timestamp()) + 300, "chat", "openai", "big", "big-2026", 1, 0, 1000, 100,
            pytest.approx(0.0012, rel=1e-12), 0, 1500.0),
    ]  # fmt: skip


def test_calls_that_succeeded_without_a_known_cost_are_counted(client: "Client") -> None:
    """A stream without usage and a model without a price: unpriced; a failed call: not."""
    insert(
        client,
        {"ServiceName": "unpriced", "SpanAttributes": CHAT},
        {"ServiceName": "unpriced", "SpanAttributes": CHAT, "StatusCode": "Error"},
        {"ServiceName": "unpriced", "SpanAttributes": CHAT | USAGE | {"gen_ai.response.model": "never heard of"}},
    )
    assert rows(client, "SELECT sum(UnpricedCalls), sum(CostUsd) FROM genai_usage WHERE ServiceName = 'unpriced'") == [
        (2, None)
    ]


def test_a_price_per_request_is_paid_by_each_call_with_usage(client: "Client") -> None:
    """Two calls of one bucket pay it twice; one without usage has no known cost."""
    set_price(client, "per-request", [(0, 0, 0, 0, 0, 0, 0, 0, 0.005)])
    model = {"gen_ai.response.model": "per-request"}
    for attributes in (USAGE, USAGE, {}):
        insert(client, {"ServiceName": "requests", "SpanAttributes": CHAT | model | attributes})
    for view in ("genai_calls", "genai_usage"):
        found = rows(client, f"SELECT sum(CostUsd) FROM {view} WHERE ServiceName = 'requests'")
        assert found == [(pytest.approx(0.01, rel=1e-12),)]


def test_an_insert_repeated_with_its_token_is_counted_once(client: "Client") -> None:
    """The roll-up knows a repeated insert into otel_traces again; other tokens count."""
    for token in ("first", "first", "second"):
        insert(client, {"ServiceName": "repeated", "TraceId": "r", "SpanAttributes": CHAT | USAGE}, token=token)
    assert rows(client, "SELECT sum(Calls) FROM genai_usage_5m WHERE ServiceName = 'repeated'") == [(2,)]
    assert rows(client, "SELECT count() FROM otel_traces WHERE ServiceName = 'repeated'") == [(2,)]


def test_a_segment_repeated_with_its_token_is_counted_once(
    engine: EmbeddedStore, segment_file: Callable[..., Any], some_spans: Callable[..., ExportTraceServiceRequest]
) -> None:
    """The same through the whole chain: OTLP bytes, the Null table, otel_traces and the roll-up."""
    request = some_spans(2)
    service = f"segment-{uuid.uuid4()}"
    request.resource_spans[0].resource.attributes.add(key="service.name").value.string_value = service
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 7
    path = segment_file(request.SerializeToString())
    for _ in range(2):
        engine.insert(TRACES, path, service)
    counted = "SELECT sum(Calls), sum(InputTokens) FROM genai_usage_5m WHERE ServiceName = {service:String}"
    assert rows(engine.client(), counted, service=service) == [(2, 14)]


def test_quantiles_of_many_rows_are_merged_from_their_sketches(client: "Client") -> None:
    """The p95 over all rows is within 1 % of the exact one."""
    client.command(
        """
        INSERT INTO otel_traces (Timestamp, ServiceName, SpanAttributes, Duration)
        SELECT toDateTime64('2026-05-01 00:00:00', 9, 'UTC') + number, 'quantiles',
            map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'm'), toUInt64(exp(18 + number % 997 / 150))
        FROM numbers(5000)
        """
    )
    merged = "quantileDDMerge(0.01, 0.95)(DurationSketch) FROM genai_usage_5m"
    [(rows_merged, p95)] = rows(client, f"SELECT uniqExact(Start), {merged} WHERE ServiceName = 'quantiles'")
    [(exact,)] = rows(client, "SELECT quantileExact(0.95)(Duration) FROM otel_traces WHERE ServiceName = 'quantiles'")
    assert rows_merged == 17
    assert p95 == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("year", [1960, 2200])
def test_a_span_of_any_time_is_counted(client: "Client", year: int) -> None:
    """A clock that is wrong by a century goes to the first or the last five minutes there are."""
    at = datetime(year, 1, 1, tzinfo=UTC)
    insert(client, {"Timestamp": at, "ServiceName": f"year {year}", "SpanAttributes": CHAT | USAGE})
    assert rows(
        client,
        "SELECT toUnixTimestamp(Start), CostUsd FROM genai_usage WHERE ServiceName = {service:String}",
        service=f"year {year}",
    ) == [(0 if year < 1970 else 4294967295 // 300 * 300, pytest.approx(0.0012, rel=1e-12))]
    assert rows(
        client, "SELECT CostUsd FROM genai_calls WHERE ServiceName = {service:String}", service=f"year {year}"
    ) == [(pytest.approx(0.0012, rel=1e-12),)]


# --- what is documented ---


@pytest.mark.parametrize(
    "file", ["0012_model_prices.sql", "0014_genai_calls.sql", "0015_genai_sessions.sql", "0016_genai_usage.sql"]
)
def test_the_queries_in_the_header_comments_run(client: "Client", file: str) -> None:
    """Each example of a schema file is a statement that works."""
    header = files("hansei.collector.schema").joinpath(file).read_text().split("CREATE", 1)[0]
    lines = [line.removeprefix("--     ") for line in header.splitlines() if line.startswith("--     ")]
    examples = re.split(r"\n(?=SELECT|INSERT)", "\n".join(lines))
    statements = [example for example in examples if example.startswith(("SELECT", "INSERT"))]
    assert statements
    for statement in statements:
        client.command(statement) if statement.startswith("INSERT") else client.query(statement)

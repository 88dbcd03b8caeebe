"""How long people wait for an answer, at 5 million spans of a day: median of runs, each for another id."""

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.payloads import SPANS_PER_REQUEST, Fresh, Payloads
from hansei.collector.migrations import migrate
from hansei.collector.prices import PriceBook
from hansei.collector.segment import frame
from hansei.collector.signals import TRACES
from hansei.collector.store import INSERT_SETTINGS, EmbeddedStore

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

BASE_REQUESTS = 200
COPIES = 49
TURNS = 5
"""Traces of a conversation."""
RUNS = 31

_COPY = """
INSERT INTO otel_traces
    (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
     ScopeVersion, SpanAttributes, Duration, StatusCode)
SELECT
    Timestamp - toIntervalSecond({copy:UInt32} * 1700) - toIntervalMillisecond(cityHash64(TraceId) % 1700000),
    lower(hex(sipHash128(TraceId, {copy:UInt32}))),
    lower(hex(sipHash64(SpanId, {copy:UInt32}))),
    if(ParentSpanId = '', '', lower(hex(sipHash64(ParentSpanId, {copy:UInt32})))),
    SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
    mapUpdate(SpanAttributes, map(
        'gen_ai.conversation.id', concat(SpanAttributes['gen_ai.conversation.id'], '-', toString({copy:UInt32})))),
    Duration, StatusCode
FROM base
"""

_COPYING = {
    "max_partitions_per_insert_block": 0,
    "max_threads": 1,
    "min_insert_block_size_bytes": 32 << 20,
    "exclude_materialize_skip_indexes_on_insert": INSERT_SETTINGS["exclude_materialize_skip_indexes_on_insert"],
}
"""Parts of the size that a segment makes."""

_BY_MODEL = """
SELECT *
FROM
(
    SELECT Provider, Model, sum(InputTokens), sum(OutputTokens), sum(CostUsd)
    FROM genai_usage WHERE Start >= now() - INTERVAL 1 DAY GROUP BY Provider, Model
) AS tokens
JOIN
(
    SELECT Provider, Model, quantileDDMerge(0.01, 0.95)(DurationSketch) / 1e6 AS P95Ms
    FROM genai_usage_5m WHERE Start >= now() - INTERVAL 1 DAY GROUP BY Provider, Model
) AS latency USING (Provider, Model)
"""

_QUESTIONS = {
    "a whole trace by its id": (20, "SELECT * FROM otel_traces WHERE TraceId = {trace:String}"),
    "a whole conversation by its id": (20, "SELECT * FROM otel_traces WHERE ConversationId = {conversation:String}"),
    "the calls of a conversation (genai_calls)": (
        None, "SELECT * FROM genai_calls WHERE ConversationId = {conversation:String}",
    ),
    "a conversation's sums (genai_sessions)": (
        None, "SELECT * FROM genai_sessions WHERE SessionId = {conversation:String}",
    ),
    "the newest 50 spans": (20, "SELECT * FROM otel_traces ORDER BY Timestamp DESC LIMIT 50"),
    "tokens, cost and p95 by model for a day": (100, _BY_MODEL),
}  # fmt: skip
"""With what they may take at most, in milliseconds."""


def run() -> None:
    """Print how long each question takes."""
    directory = Path(tempfile.mkdtemp(prefix="hansei-bench-"))
    store = EmbeddedStore(directory / "clickhouse")
    client = store.client()
    try:
        migrate(client)
        fill(store, client, directory)
        count = client.command("SELECT count() FROM otel_traces")
        print(f"{count:,} spans, {_parts(client)}")
        ids = _ids(client)
        for name, (limit, sql) in _QUESTIONS.items():
            milliseconds = _median(client, sql, ids)
            print(f"{name:<44}{milliseconds:>7.1f} ms{f' (at most {limit} ms)' if limit else ''}")
    finally:
        store.close()
        shutil.rmtree(directory)


def fill(store: EmbeddedStore, client: "Client", directory: Path) -> None:
    """Store 5.12 million spans of a day; ``directory`` takes a segment meanwhile."""
    payloads = Payloads()
    segment = directory / "base.segment"
    with segment.open("wb") as file:
        for _ in range(BASE_REQUESTS // TURNS):
            fresh = Fresh(payloads.request())
            for _ in range(TURNS):
                payload = fresh.next()
                head, trailer = frame(payload)
                file.write(head + payload + trailer)
    store.insert(TRACES, segment, "base")
    segment.unlink()
    client.command("CREATE TABLE base ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM otel_traces")
    for copy in range(1, COPIES + 1):
        client.command(_COPY, {"copy": copy}, settings=_COPYING)
    client.command("DROP TABLE base")
    client.command("OPTIMIZE TABLE otel_traces")
    PriceBook(client).learn()
    while client.command("SELECT count() FROM system.merges"):
        time.sleep(0.5)
    assert client.command("SELECT count() FROM otel_traces") == BASE_REQUESTS * SPANS_PER_REQUEST * (COPIES + 1)


def _ids(client: "Client") -> list[dict[str, str]]:
    """A trace and its conversation for each run and one before them: the engine remembers what it found for an id."""
    rows = client.query(
        "SELECT TraceId AS trace, ConversationId AS conversation FROM otel_traces "
        "WHERE Timestamp < now() - INTERVAL 6 HOUR "
        "ORDER BY cityHash64(conversation) LIMIT 1 BY conversation LIMIT {runs:UInt8}",
        {"runs": RUNS + 1},
    )
    return list(rows.named_results())


def _median(client: "Client", sql: str, ids: list[dict[str, str]]) -> float:
    """Milliseconds; the first run warms up."""
    seconds = []
    for parameters in ids:
        started = time.perf_counter()
        assert client.query(sql, parameters).result_rows
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:]) * 1000


def _parts(client: "Client") -> str:
    parts, bytes_a_span = client.query(
        "SELECT count(), sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'otel_traces'"
    ).result_rows[0]
    return f"{parts} parts, {bytes_a_span:.0f} bytes a span on disk"

"""How long a visitor waits for a page, at 5 million spans of a day and 200 000 assessments."""

import multiprocessing
import shutil
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import clickhouse_connect

from benchmarks import reading
from benchmarks.server import Server
from hansei.collector.migrations import migrate
from hansei.collector.store import EmbeddedStore

ASSESSMENTS = 200_000
RUNS = 20

_ASSESS = """
INSERT INTO otel_logs (Timestamp, TraceId, SpanId, ServiceName, EventName, LogAttributes)
SELECT
    Timestamp + INTERVAL 1 MINUTE, TraceId, SpanId, ServiceName, 'gen_ai.evaluation.result',
    map(
        'gen_ai.evaluation.name', if(number % 4 = 0, 'correct', 'helpful'),
        'hansei.assessment.id', concat('a-', lower(hex(sipHash128(SpanId)))),
        'hansei.assessment.value', if(cityHash64(SpanId) % 50 = 0, 'false', 'true'),
        'hansei.assessment.source.type', if(number % 4 = 0, 'LLM_JUDGE', 'HUMAN'),
        'hansei.assessment.source.id', concat('user-', toString(cityHash64(SpanId) % 900)))
FROM
(
    SELECT Timestamp, TraceId, SpanId, ServiceName, rowNumberInAllBlocks() AS number
    FROM otel_traces WHERE ParentSpanId = ''
)
WHERE cityHash64(TraceId) % 100 < 16
LIMIT {count:UInt32}
"""


def run() -> None:
    """Print the percentiles of each page against its bound."""
    directory = Path(tempfile.mkdtemp(prefix="hansei-bench-"))
    try:
        # The engine opens one folder a process.
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            pool.apply(_fill, (directory,))
        with Server("--text-index=on", data=directory) as server:
            _settle(server)
            _measure(server)
    finally:
        shutil.rmtree(directory)


def _fill(directory: Path) -> None:
    store = EmbeddedStore(directory / "clickhouse")
    client = store.client()
    migrate(client, packages=("hansei.collector.schema", "hansei.feedback.schema"))
    reading.fill(store, client, directory)
    client.command(_ASSESS, {"count": ASSESSMENTS}, settings={"max_partitions_per_insert_block": 0})
    count = client.command("SELECT count() FROM feedback_state")
    assert int(str(count)) == ASSESSMENTS, count
    store.close()


def _settle(server: Server) -> None:
    """Until the index of words is there and merges have ended."""
    sql = "SELECT (SELECT count() FROM system.mutations WHERE NOT is_done) + (SELECT count() FROM system.merges)"
    while _client(server).command(sql) != 0:
        time.sleep(1)


def _client(server: Server) -> "clickhouse_connect.driver.client.Client":
    host, port = server.addresses["sql"].split(":")
    return clickhouse_connect.get_client(host=host, port=int(port), autogenerate_session_id=False)


def _measure(server: Server) -> None:
    host = f"http://{server.addresses['pages']}"
    with _client(server) as client:
        rows = client.query(
            "SELECT TraceId, UserId, ConversationId, SpanAttributes['gen_ai.response.id'] FROM otel_traces "
            "WHERE ParentSpanId = '' AND Timestamp < now() - INTERVAL 3 HOUR "
            "ORDER BY cityHash64(TraceId) LIMIT {runs:UInt32}",
            {"runs": RUNS + 1},
        ).result_rows
        texts = client.query(
            "WITH JSONExtractString(SpanAttributes['gen_ai.output.messages'], 1, 'parts', 1, 'content') AS text "
            "SELECT splitByChar(' ', text)[1 + cityHash64(SpanId) % 40] FROM otel_traces "
            "ORDER BY cityHash64(SpanId) LIMIT {runs:UInt32}",
            {"runs": RUNS + 1},
        ).result_rows
    filters: dict[str, Iterator[str] | list[str]] = {
        "none": [""] * (RUNS + 1),
        "service": [f"service = 'chat-{number % 4}'" for number in range(RUNS + 1)],
        "model": [f"model = 'gpt-4o{'-mini' * (number % 2)}'" for number in range(RUNS + 1)],
        "status": ["status = 'ERROR'"] * (RUNS + 1),
        "latency": [f"execution_time_ms >= {3900 + number}" for number in range(RUNS + 1)],
        "cost": [f"cost >= {0.01 + number / 10_000}" for number in range(RUNS + 1)],
        "user": [f"user = '{row[1]}'" for row in rows],
        "session": [f"session = '{row[2]}'" for row in rows],
        "attribute": [f"span.attributes.`gen_ai.response.id` = '{row[3]}'" for row in rows],
        "words": [f"words ~ '{word}'" for (word,) in texts],
        "feedback": [f"feedback.helpful = false AND trace.timestamp_ms > {number}" for number in range(RUNS + 1)],
        "judged": [f"feedback.correct = {'true' if number % 2 else 'false'}" for number in range(RUNS + 1)],
    }
    everything: list[float] = []
    for name, asked in filters.items():
        waits = [_wait(f"{host}/traces?{urlencode({'q': one, 'range': '7d'})}") for one in asked][1:]
        everything += waits
        _print(f"traces, {name}", waits)
    _print("traces, any single filter", everything, 200)
    _print("a trace", [_wait(f"{host}/traces/{row[0]}") for row in rows][1:], 100)
    _print("sessions", [_wait(f"{host}/sessions?range=24h&n={number}") for number in range(RUNS + 1)][1:])
    _print("a session", [_wait(f"{host}/sessions/{row[2]}") for row in rows][1:])
    _print("overview", [_wait(f"{host}/overview?range=24h&n={number}") for number in range(RUNS + 1)][1:], 500)


def _wait(url: str) -> float:
    """Milliseconds until all of an answer is there."""
    started = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        assert answer.read()
    return (time.perf_counter() - started) * 1000


def _print(name: str, waits: list[float], bound: int | None = None) -> None:
    p95 = sorted(waits)[int(len(waits) * 0.95)]
    limit = f" (at most {bound} ms)" if bound else ""
    print(f"{name:<28} p50 {statistics.median(waits):>6.0f} ms  p95 {p95:>6.0f} ms{limit}", flush=True)

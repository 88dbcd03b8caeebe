"""What one query may cost at the SQL endpoint, and what ends it: its caller, its limits, the collector."""

import http.client
import os
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from .processes import Serving
from .sql_http import PATIENCE, Sql

Wait = Callable[[Callable[[], object], str], None]
Some = Callable[..., ExportTraceServiceRequest]

COMPUTES = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
SENDS = "SELECT number, repeat('x', 400) FROM numbers(1000000000)"
OUTLASTS = "SELECT arrayLevenshteinDistance(range(300000), range(1, 300001))"
"""A single block of rows, in which the engine does not look for an end."""


def begin(address: Any, query: str) -> http.client.HTTPConnection:
    """A query whose answer is not waited for."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=PATIENCE)
    connection.request("POST", "/", query)
    return connection


def read_away(answer: http.client.HTTPResponse) -> int:
    """Read to the end and keep nothing; how many bytes there were."""
    return sum(map(len, iter(lambda: answer.read(1 << 20), b"")))


def running(sql: Sql, query: str) -> int:
    """How many queries of this text the engine is at."""
    count = "SELECT count() FROM system.processes WHERE startsWith(query, {query:String})"
    return int(sql.admin(count, param_query=query))


@pytest.mark.parametrize("query", [COMPUTES, SENDS])
def test_caller_leaves(sql: Sql, wait: Wait, query: str) -> None:
    """A query ends when its caller closes the connection, while it computes and while it sends."""
    with closing(begin(sql.address, query)) as connection:
        if query is SENDS:
            assert len(connection.getresponse().read(100_000)) == 100_000
        wait(lambda: running(sql, query), "the query to be at work")
    wait(lambda: not running(sql, query), "the query to have ended")


def test_callers_leave_at_once(sql: Sql, wait: Wait) -> None:
    """Whenever a caller leaves, his query ends and his turn is another's."""
    for _ in range(30):
        begin(sql.address, SENDS).close()
    wait(lambda: not running(sql, SENDS), "the queries to have ended")
    assert [sql.get("SELECT 1").body for _ in range(4)] == [b"1\n"] * 4


def test_caller_leaves_the_queue(sql: Sql, wait: Wait) -> None:
    """One who leaves while waiting for a turn takes none."""
    busy = [begin(sql.address, COMPUTES) for _ in range(3)]
    wait(lambda: running(sql, COMPUTES) == 3, "all turns to be taken")
    begin(sql.address, SENDS).close()
    assert running(sql, SENDS) == 0
    for connection in busy:
        connection.close()
    wait(lambda: not running(sql, COMPUTES), "the queries to have ended")
    assert sql.get("SELECT 1").body == b"1\n"


def test_time_and_memory(sql: Sql) -> None:
    """A query that takes too long or too much memory ends with ClickHouse's error, and others go on."""
    assert sql.post(f"{COMPUTES} SETTINGS max_execution_time = 0.5").code == 159
    assert sql.post("SELECT groupArray(number) FROM numbers(1000000000000)").code == 241
    assert sql.post("SELECT repeat('x', 1000000) AS x FROM numbers(10000) ORDER BY x").code == 241
    assert sql.get("SELECT 1").body == b"1\n"


def test_more_than_may_run(sql: Sql) -> None:
    """More queries than may run at a time wait for their turn and all succeed."""
    answers: list[bytes] = []

    def ask() -> None:
        answers.append(sql.post("SELECT sum(cityHash64(number)) FROM numbers(500000)").body)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [sql.get("SELECT sum(cityHash64(number)) FROM numbers(500000)").body] * 20
    assert b"Code" not in answers[0]


def test_slow_reader(serve: Callable[..., Serving]) -> None:
    """A reader who takes his time with a result gets no more of it than the limit of time allows."""
    serving = serve("--sql-max-execution-time=500ms", "--sql-max-queries=1")
    sql = Sql(serving.sql)
    with closing(begin(sql.address, SENDS)) as connection:
        answer = connection.getresponse()
        # There is one turn.
        assert sql.get("SELECT 1").body == b"1\n"
        with pytest.raises((http.client.HTTPException, OSError)):
            read_away(answer)
    assert (serving.end(), serving.errors()) == (0, "")


def resident(process: int) -> int:
    """Bytes of memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def test_result_larger_than_memory(sql: Sql, sql_serving: Serving) -> None:
    """A gigabyte of CSV passes through without being held."""
    before = resident(sql_serving.process.pid)
    most = total = 0
    with closing(begin(sql.address, "SELECT repeat('x', 1023) FROM numbers(1000000) FORMAT TSVRaw")) as connection:
        answer = connection.getresponse()
        while piece := answer.read(4 << 20):
            total += len(piece)
            most = max(most, resident(sql_serving.process.pid))
    assert total == 1_024_000_000
    assert most - before < 400 << 20


def test_readers_beside_ingest(serve: Callable[..., Serving], clients: Any, some_spans: Some, wait: Wait) -> None:
    """What is sent while readers take all they may is acknowledged and stored, and readers see it."""
    serving = serve("--sql-max-queries=2", "--segment-age=20ms")
    sql = Sql(serving.sql)
    over = threading.Event()
    failures: list[bytes] = []

    def read() -> None:
        while not over.is_set():
            reply = sql.post("SELECT max(cityHash64(number)) FROM numbers(20000000) GROUP BY number % 1000")
            if reply.status != 200:
                failures.append(reply.body)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for name, address in (("grpc", serving.grpc), ("http", serving.http)):
        with closing(clients[name](address)) as client:
            for _ in range(15):
                assert client.export(some_spans(20).SerializeToString()).code == "OK"
    serving.wait_stored()
    assert sql.get("SELECT count() FROM otel_traces").body == b"600\n"
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (serving.end(), serving.errors()) == (0, "")


@pytest.mark.soak
def test_ingest_takes_memory_back(serve: Callable[..., Serving], wait: Wait, clients: Any, some_spans: Some) -> None:
    """Queries that hold the memory which an insert needs are ended, and say why; those that hold little go on."""
    serving = serve(HANSEI_ADMIN_KEY="sesame")
    sql = Sql(serving.sql)
    joined = (
        "FROM numbers(1000000000) AS a JOIN (SELECT number AS n FROM numbers(5000000)) AS b ON number % 5000000 = n"
    )
    queries = [f"SELECT n, repeat('x', 1000) {joined}", f"SELECT max(n) {joined}", COMPUTES]
    sends, holds, computes = (begin(sql.address, query) for query in queries)
    sending = sends.getresponse()
    held = "SELECT count() FROM system.processes WHERE memory_usage > 100000000"
    wait(lambda: sql.admin(held) == b"2\n", "the queries to hold memory")
    attributes = [KeyValue(key="a", value=AnyValue(int_value=1))] * 2_500_000
    request = some_spans(1, attributes=attributes).SerializeToString()
    with closing(clients["http"](serving.http)) as client:
        assert client.export(request).code == "OK"
    serving.wait_stored()
    assert sql.get("SELECT length(SpanAttributes) FROM otel_traces").body == b"2500000\n"
    with closing(holds.getresponse()) as answer:
        assert (answer.status, answer.getheader("X-ClickHouse-Exception-Code")) == (500, "241")
        assert b"ended because ingest needed its memory" in answer.read()
    with closing(sending), pytest.raises((http.client.HTTPException, OSError)):
        read_away(sending)
    assert running(sql, COMPUTES) == 1
    for connection in (sends, holds, computes):
        connection.close()
    assert serving.errors().count("a query through the SQL endpoint is ended: ingest needs its memory") == 2


def test_stop(serve: Callable[..., Serving], wait: Wait, clients: Any, some_spans: Some) -> None:
    """SIGTERM ends what queries are at work, also one that cannot be ended; what was acknowledged is stored."""
    serving = serve(HANSEI_ADMIN_KEY="sesame")
    sql = Sql(serving.sql)
    connections = {query: begin(sql.address, query) for query in (COMPUTES, SENDS, OUTLASTS)}
    sending = connections[SENDS].getresponse()
    wait(lambda: all(running(sql, query) for query in connections), "all queries to be at work")
    with closing(clients["grpc"](serving.grpc)) as client:
        request = some_spans(5)
        assert client.export(request.SerializeToString()).code == "OK"
    os.kill(serving.process.pid, signal.SIGTERM)
    for query in (COMPUTES, OUTLASTS):
        answer = connections[query].getresponse()
        assert (answer.status, answer.getheader("X-ClickHouse-Exception-Code")) == (500, "394")
    with pytest.raises((http.client.HTTPException, OSError)):
        read_away(sending)
    assert serving.end() == 0
    assert serving.said == "stopping: no new requests; storing what is logged\n"
    assert "a query through the SQL endpoint does not end; hansei ends without it" in serving.errors()
    assert "Traceback" not in serving.errors()
    for connection in connections.values():
        connection.close()
    assert not [path for path in (serving.data / "wal").rglob("*") if path.is_file()]
    again = serve(data=serving.data)
    assert Sql(again.sql).get("SELECT count() FROM otel_traces").body == b"5\n"

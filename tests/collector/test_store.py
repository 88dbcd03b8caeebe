"""Inserts into the embedded engine when memory is short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.collector.signals import TRACES
from hansei.collector.store import INSERT_SETTINGS, EmbeddedStore, OutOfMemory

Requests = Callable[..., ExportTraceServiceRequest]


class Short:
    """The engine's client, which answers that memory did not suffice after so many inserts, or before."""

    def __init__(self, client: Any, failures: int, *, stores: bool) -> None:
        self._client, self._failures, self._stores = client, failures, stores
        self.statements: list[str] = []

    def command(self, sql: str) -> Any:
        self.statements.append(sql)
        answer = self._client.command(sql) if self._stores or len(self.statements) > self._failures else None
        if len(self.statements) <= self._failures:
            error = DatabaseError("Code: 241. DB::Exception: (total) memory limit exceeded (MEMORY_LIMIT_EXCEEDED)")
            error.code = 241
            raise error
        return answer


@pytest.mark.parametrize("stores", [False, True])
def test_memory_is_short(
    engine: EmbeddedStore,
    monkeypatch: pytest.MonkeyPatch,
    segment_file: Callable[..., Path],
    some_spans: Requests,
    span_count: Callable[[ExportTraceServiceRequest], int],
    stores: bool,
) -> None:
    """A segment that memory did not suffice for is inserted in smaller steps, and once, whatever had been stored."""
    request = some_spans(40)
    short = Short(engine.client(), 2, stores=stores)
    monkeypatch.setattr(engine, "client", lambda: short)
    path = segment_file(request.SerializeToString())
    engine.insert(TRACES, path, f"short/{path.name}/{stores}")
    monkeypatch.undo()
    assert span_count(request) == 40
    blocks = [sql.split("max_block_size = ")[1].split(",")[0] for sql in short.statements]
    assert [int(rows) for rows in blocks] == sorted(map(int, blocks), reverse=True)
    assert (len(set(blocks)), blocks[-1]) == (3, "1")
    assert len({sql.split("insert_deduplication_token = ")[1].split(",")[0] for sql in short.statements}) == 1


def test_memory_stays_short(
    engine: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, segment_file: Callable[..., Path], some_spans: Requests
) -> None:
    """Where even small steps need too much, the segment waits like one whose store is away."""
    short = Short(engine.client(), 9, stores=False)
    monkeypatch.setattr(engine, "client", lambda: short)
    with pytest.raises(OutOfMemory, match="memory limit exceeded"):
        engine.insert(TRACES, segment_file(some_spans(1).SerializeToString()), "never")
    assert len(short.statements) == 3


def test_nothing_is_stored_where_memory_was_short(
    engine: EmbeddedStore,
    rows: Callable[..., list[tuple[Any, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    segment_file: Callable[..., Path],
    some_spans: Requests,
) -> None:
    """However far an insert came, it leaves no row in any table: its segment may be taken apart."""
    path = segment_file(some_spans(20_000).SerializeToString())
    count = "SELECT (SELECT count() FROM otel_traces), (SELECT count() FROM otel_traces_trace_id_ts)"
    before = rows(count)
    short = 0
    for mebibytes in range(2, 200, 3):
        monkeypatch.setitem(INSERT_SETTINGS, "max_memory_usage", mebibytes << 20)
        try:
            engine.insert(TRACES, path, f"{path.name}/{mebibytes}")
        except OutOfMemory:
            short += 1
            assert rows(count) == before
        else:
            break
    assert short > 5
    ((spans, _),), ((spans_before, _),) = rows(count), before
    assert spans == spans_before + 20_000

"""What both receivers promise: OTLP's rules for every kind of request, and that what is acknowledged is stored."""

import errno
import os
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hansei.collector.signals import LOGS, SIGNALS, Signal

Rows = Callable[..., list[tuple[Any, ...]]]
Some = Callable[..., ExportTraceServiceRequest]
Count = Callable[[ExportTraceServiceRequest], int]


@pytest.fixture(params=["grpc", "http"])
def client(request: pytest.FixtureRequest, shared_collecting: Any, some_spans: Some, span_count: Count) -> Any:
    """A client of each protocol; whatever a test did with it, the server takes and stores the next request."""
    client = shared_collecting.clients[request.param]
    yield client
    good = some_spans()
    assert (client.export(good.SerializeToString()).code, client.export(b"", LOGS).code) == ("OK", "OK")
    shared_collecting.wait_stored()
    assert span_count(good) == 1


# --- what is taken ---


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_empty_request(client: Any, signal: Signal, gzip: bool) -> None:
    """A request without anything in it succeeds, with nothing in the answer."""
    answer = client.export(b"", signal, gzip=gzip)
    assert (answer.code, answer.body) == ("OK", b"")


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
def test_spans_are_stored(client: Any, shared_collecting: Any, some_spans: Some, span_count: Count, gzip: bool) -> None:
    """An acknowledged request has an empty answer, is counted, and all its spans are rows."""
    request = some_spans(200)
    labels = {"signal": "traces", "transport": client.transport}
    before = shared_collecting.counted("hansei_accepted_items_total", **labels)
    answer = client.export(request.SerializeToString(), gzip=gzip)
    assert (answer.code, answer.body) == ("OK", b"")
    assert shared_collecting.counted("hansei_accepted_items_total", **labels) == before + 200
    shared_collecting.wait_stored()
    assert span_count(request) == 200


def test_logs_are_stored(client: Any, shared_collecting: Any, rows: Rows) -> None:
    """A log record is acknowledged and becomes a row."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    event = f"event-{os.urandom(8).hex()}"
    records.add(event_name=event, time_unix_nano=1, body=AnyValue(string_value="said"))
    assert client.export(request.SerializeToString(), LOGS).code == "OK"
    shared_collecting.wait_stored()
    assert rows("SELECT Body FROM otel_logs WHERE EventName = {event:String}", event=event) == [("said",)]


def test_bad_ids_are_reported(client: Any, shared_collecting: Any, some_spans: Some, span_count: Count) -> None:
    """Spans with bad ids are dropped and reported as a partial success; their neighbours are stored."""
    request = some_spans(5)
    spans = request.resource_spans[0].scope_spans[0].spans
    spans[1].span_id = bytes(8)
    spans[3].trace_id = b"short"
    answer = client.export(request.SerializeToString())
    assert answer.code == "OK"
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (partial.rejected_spans, partial.error_message) == (
        2,
        "2 of 5 spans were dropped: a trace_id must be 16 bytes, a span_id 8 bytes, and neither all zeros",
    )
    shared_collecting.wait_stored()
    assert span_count(request) == 3


def test_many_attributes(client: Any, shared_collecting: Any, some_spans: Some, rows: Rows) -> None:
    """A span with 100 000 attributes is stored with all of them."""
    attributes = [KeyValue(key=f"k{number}", value=AnyValue(int_value=number)) for number in range(100_000)]
    request = some_spans(attributes=attributes)
    assert client.export(request.SerializeToString()).code == "OK"
    shared_collecting.wait_stored()
    trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    assert rows(
        "SELECT length(SpanAttributes), SpanAttributes['k99999'] FROM otel_traces WHERE TraceId = {id:String}",
        id=trace_id,
    ) == [(100_000, "99999")]


def test_long_string(client: Any, shared_collecting: Any, some_spans: Some, rows: Rows) -> None:
    """A value of 5 MB, with characters that are awkward in text, is stored as it came."""
    value = "é\x00\u2028\n\t'\"\\" * 500_000
    request = some_spans(attributes=[KeyValue(key="long", value=AnyValue(string_value=value))])
    assert len(request.SerializeToString()) > 5_000_000
    assert client.export(request.SerializeToString(), gzip=True).code == "OK"
    shared_collecting.wait_stored()
    trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    sql = "SELECT SpanAttributes['long'] = repeat({piece:String}, 500000) FROM otel_traces WHERE TraceId = {id:String}"
    assert rows(sql, id=trace_id, piece=value[:8]) == [(1,)]


# --- what is refused for good ---


def _noise(seed: int) -> bytes:
    """Random bytes that no request begins with: field 0 does not exist."""
    return b"\x00" + random.Random(seed).randbytes(500)


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "random bytes": lambda _: _noise(1),
    "more random bytes": lambda _: _noise(2),
    "a cut request": lambda whole: whole[:-1],
    "a request cut in the middle": lambda whole: whole[: len(whole) // 2],
    "JSON": lambda _: b'{"resourceSpans":[]}',
    "a name that is not UTF-8": lambda whole: whole.replace(b"work", b"w\xffrk"),
}


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_requests(
    client: Any, shared_collecting: Any, some_spans: Some, span_count: Count, what: str, gzip: bool
) -> None:
    """What is not a request is refused for good, in words, counted, and nothing of it is stored."""
    labels = {"signal": "traces", "transport": client.transport, "reason": "malformed"}
    before = shared_collecting.counted("hansei_refused_requests_total", **labels)
    request = some_spans(3)
    answer = client.export(MALFORMED[what](request.SerializeToString()), gzip=gzip)
    assert (answer.code, answer.retry_after) == ("INVALID_ARGUMENT", None)
    assert answer.http in (None, 400)
    assert answer.message.startswith(
        "the body is not a serialised opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest ("
    )
    assert shared_collecting.counted("hansei_refused_requests_total", **labels) == before + 1
    shared_collecting.wait_stored()
    assert span_count(request) == 0


# --- keys ---


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_key(start_collecting: Callable[..., Any], some_spans: Some, span_count: Count, transport: str) -> None:
    """With a key set, only requests that present it are taken; the others are told how to."""
    collecting = start_collecting(api_key="s3cret")
    client = collecting.clients[transport]
    request = some_spans()
    payload = request.SerializeToString()
    for wrong in (None, "", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Basic s3cret", "s3cret"):
        answer = client.export(payload, key=wrong)
        assert (answer.code, answer.retry_after) == ("UNAUTHENTICATED", None)
        assert "Bearer KEY" in answer.message
    assert collecting.room.used == 0
    for right in ("Bearer s3cret", "bearer s3cret"):
        assert client.export(payload, key=right).code == "OK"
    collecting.wait_stored()
    assert span_count(request) == 2


# --- what is refused for now ---


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_full_log(
    start_collecting: Callable[..., Any], some_spans: Some, span_count: Count, transport: str, engine: Any
) -> None:
    """When too much waits for the store, clients are told to come back; what was acknowledged is stored later."""
    gate = threading.Event()

    class Slow:
        name = "slow"

        def insert(self, *arguments: Any) -> None:
            gate.wait()
            engine.insert(*arguments)

    collecting = start_collecting(Slow(), capacity=10_000)
    client = collecting.clients[transport]
    acknowledged, answers = [], []
    for _ in range(12):
        request = some_spans(40)
        answer = client.export(request.SerializeToString())
        (acknowledged if answer.code == "OK" else answers).append(request if answer.code == "OK" else answer)
    assert len(acknowledged) > 3
    assert {(a.code, a.http, a.retry_after) for a in answers} == {
        ("RESOURCE_EXHAUSTED", 429 if transport == "http" else None, 5)
    }
    assert answers[0].message.endswith("bytes wait to be inserted, of 10000 allowed; retry later")
    gate.set()
    collecting.wait_stored()
    late = some_spans(40)
    assert client.export(late.SerializeToString()).code == "OK"
    collecting.wait_stored()
    assert [span_count(request) for request in [*acknowledged, late]] == [40] * (len(acknowledged) + 1)


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_unwritable_log(
    start_collecting: Callable[..., Any], some_spans: Some, span_count: Count, transport: str
) -> None:
    """While the log cannot be synced clients are told to come back; nothing acknowledged is lost, and it recovers."""
    broken = threading.Event()

    def sync(fd: int) -> None:
        if broken.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        os.fdatasync(fd)

    collecting = start_collecting(sync=sync)
    client = collecting.clients[transport]
    before, during, after = some_spans(), some_spans(), some_spans()
    assert client.export(before.SerializeToString()).code == "OK"
    broken.set()
    for _ in range(3):
        answer = client.export(during.SerializeToString())
        assert (answer.code, answer.http, answer.retry_after, answer.message) == (
            "UNAVAILABLE",
            503 if transport == "http" else None,
            2,
            "the write-ahead log cannot be written: [Errno 28] No space left on device",
        )
    broken.clear()
    assert client.export(after.SerializeToString()).code == "OK"
    collecting.wait_stored()
    assert [span_count(request) for request in (before, during, after)] == [1, 0, 1]
    refused = {"signal": "traces", "transport": transport, "reason": "unavailable"}
    assert collecting.counted("hansei_refused_requests_total", **refused) == 3


# --- all at once ---


def test_everything_at_once(shared_collecting: Any, clients: Any, some_spans: Some, span_count: Count) -> None:
    """Good and bad requests from many threads over both protocols: SQL counts exactly what was acknowledged."""
    acknowledged: list[tuple[ExportTraceServiceRequest, int]] = []

    def send(transport: str, seed: int) -> None:
        draw = random.Random(seed)
        client = clients[transport](shared_collecting.addresses[transport])
        for number in range(25):
            request = some_spans(1 + draw.randrange(20))
            spans = request.resource_spans[0].scope_spans[0].spans
            size = len(spans)
            payload = request.SerializeToString()
            match number % 5:
                case 0:
                    payload = payload[: draw.randrange(len(payload) - 1) + 1]
                case 1:
                    payload += Span(name="x").SerializeToString() + b"\xff"
                case 2:
                    spans.add(trace_id=b"x")
                    payload = request.SerializeToString()
            if client.export(payload, gzip=draw.random() < 0.5).code == "OK":
                acknowledged.append((request, size))
        client.close()

    threads = [threading.Thread(target=send, args=(transport, seed)) for transport in clients for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(acknowledged) >= 8 * 15
    shared_collecting.wait_stored()
    assert [span_count(request) for request, _ in acknowledged] == [size for _, size in acknowledged]

"""What a service sees at an everyday load, 5 000 spans a second: the acknowledgement, and until SQL shows a span."""

import threading
import time
from queue import Queue

import clickhouse_connect
import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.payloads import SPANS_PER_REQUEST, Fresh, Payloads
from benchmarks.server import Server
from hansei.collector.signals import TRACES

SPANS_PER_SECOND = 5_000
SECONDS = 30
EVERY = 7
"""Of so many requests one is looked for in SQL; a number without a rhythm in common with the segments'."""


def run() -> None:
    """Print the percentiles of both."""
    fresh = Fresh(Payloads().request())
    acknowledged: list[float] = []
    readable: list[float] = []
    to_find: Queue[tuple[float, str] | None] = Queue()
    with Server() as server:
        finder = threading.Thread(target=_find, args=(server.addresses["sql"], to_find, readable))
        finder.start()
        with grpc.insecure_channel(server.addresses["otlp/grpc"]) as channel:
            export = channel.unary_unary(TRACES.method)
            began = time.perf_counter()
            for turn in range(SECONDS * SPANS_PER_SECOND // SPANS_PER_REQUEST):
                payload = fresh.next()
                # Sent when it is due, however long the one before took.
                due = began + turn * SPANS_PER_REQUEST / SPANS_PER_SECOND
                time.sleep(max(0.0, due - time.perf_counter()))
                export(payload, timeout=60)
                now = time.perf_counter()
                acknowledged.append(now - due)
                if turn % EVERY == 0:
                    to_find.put((now, _a_trace(payload)))
        to_find.put(None)
        finder.join()
    p50, p99 = _percentile(acknowledged, 0.5), _percentile(acknowledged, 0.99)
    print(f"acknowledged  p50 {p50:.0f} ms, p99 {p99:.0f} ms (at most 250 ms)")
    p50, longest = _percentile(readable, 0.5), _percentile(readable, 1)
    print(f"readable      p50 {p50:.0f} ms, longest {longest:.0f} ms after that (at most 1000 ms)")


def _find(address: str, to_find: "Queue[tuple[float, str] | None]", readable: list[float]) -> None:
    host, _, port = address.rpartition(":")
    client = clickhouse_connect.get_client(host=host, port=int(port))
    while (wanted := to_find.get()) is not None:
        since, trace_id = wanted
        while not client.command("SELECT count() FROM otel_traces WHERE TraceId = {id:String}", {"id": trace_id}):
            time.sleep(0.01)
        readable.append(time.perf_counter() - since)
    client.close()


def _a_trace(payload: bytes) -> str:
    request = ExportTraceServiceRequest.FromString(payload)
    return request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()


def _percentile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000

"""How near the write path comes to what the engine can do: spans stored over gRPC against ``INSERT … SELECT``."""

import threading
import time
from pathlib import Path

import grpc

from benchmarks.payloads import SPANS_PER_REQUEST, Fresh, Payloads
from benchmarks.server import Server
from hansei.collector.signals import TRACES
from hansei.collector.store import EmbeddedStore

SPANS = 800_000
CONNECTIONS = 4


def run() -> None:
    """Print the stored rate, the ceiling and their ratio."""
    payloads = Payloads()
    fresh = [Fresh(payloads.request()) for _ in range(40)]
    wire = len(fresh[0].next()) / SPANS_PER_REQUEST
    requests = SPANS // SPANS_PER_REQUEST
    spans = requests * SPANS_PER_REQUEST
    with Server() as server:
        send(server.addresses["otlp/grpc"], fresh, 20)
        server.wait_stored()
        started = time.perf_counter()
        latencies = send(server.addresses["otlp/grpc"], fresh, requests)
        acknowledged = time.perf_counter() - started
        server.wait_stored()
        stored = time.perf_counter() - started
        resident = server.resident_bytes
        server.stop()
        ceiling, on_disk = _ceiling(server.data)
    p99 = sorted(latencies)[int(len(latencies) * 0.99)] * 1000
    print(f"acknowledged  {spans / acknowledged:>9,.0f} spans/s, p99 {p99:.0f} ms")
    print(f"stored        {spans / stored:>9,.0f} spans/s, {resident / 1024**2:.0f} MiB resident at the end")
    print(f"ceiling       {ceiling:>9,.0f} spans/s, INSERT … SELECT of the same rows from a Native file")
    print(f"ratio         {spans / stored / ceiling:>9.2f} of the ceiling (floor 0.70)")
    print(f"on disk       {on_disk:>9,.0f} bytes a span, {on_disk / wire:.2f} of the wire's {wire:,.0f} (at most 0.25)")


def send(address: str, fresh: list[Fresh], requests: int) -> list[float]:
    """Send requests as fast as they are taken; answers the seconds each acknowledgement took."""
    latencies: list[float] = []
    turns = iter(range(requests))
    lock = threading.Lock()

    def connection() -> None:
        with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            export = channel.unary_unary(TRACES.method)
            while True:
                with lock:
                    turn = next(turns, None)
                if turn is None:
                    return
                payload = fresh[turn % len(fresh)].next()
                started = time.perf_counter()
                while True:
                    try:
                        export(payload, timeout=60)
                        break
                    except grpc.RpcError as error:
                        if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:  # type: ignore[attr-defined]
                            raise
                        time.sleep(0.05)
                latencies.append(time.perf_counter() - started)

    threads = [threading.Thread(target=connection) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def _ceiling(data: Path) -> tuple[float, float]:
    """Rows a second that the engine inserts into an identical table, and the stored table's bytes a row."""
    store = EmbeddedStore(data / "clickhouse")
    client = store.client()
    rows = int(str(client.command("SELECT count() FROM otel_traces")))
    file = data / "rows.native"
    client.command("OPTIMIZE TABLE otel_traces FINAL")
    size = float(str(client.command(
        "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = 'otel_traces'"
    )))  # fmt: skip
    client.command(f"SELECT * FROM otel_traces INTO OUTFILE '{file}' FORMAT Native")
    client.command("CREATE TABLE ceiling AS otel_traces")
    started = time.perf_counter()
    client.command(f"INSERT INTO ceiling SELECT * FROM file('{file}', 'Native')")
    seconds = time.perf_counter() - started
    store.close()
    return rows / seconds, size

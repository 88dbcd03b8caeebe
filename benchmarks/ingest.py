"""How near the write path comes to what the engine can do: spans stored over gRPC against ``INSERT … SELECT``."""

import multiprocessing
import statistics
import threading
import time
from pathlib import Path
from typing import NamedTuple

import grpc

from benchmarks.payloads import SPANS_PER_REQUEST, Fresh, Payloads
from benchmarks.server import Server
from hansei.collector.signals import TRACES
from hansei.collector.store import EmbeddedStore

SPANS = 600_000
CONNECTIONS = 4
ROUNDS = 3
"""Load and ceiling take turns: what else a machine does comes and goes, and a ratio needs both to see the same."""


class Round(NamedTuple):
    """What one round measured."""

    acknowledged: float
    """Spans a second, as is ``stored`` and ``ceiling``."""
    p99: float
    """Milliseconds."""
    stored: float
    ceiling: float
    resident: float
    """MiB when all was stored."""
    wire: float
    """Bytes a span, as is ``on_disk``."""
    on_disk: float


def run() -> None:
    """Print the medians of the rounds, and the ratio of each."""
    # The engine opens one folder a process.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        rounds = [pool.apply(_round) for _ in range(ROUNDS)]
    median = Round(*map(statistics.median, zip(*rounds, strict=True)))
    ratios = sorted(one.stored / one.ceiling for one in rounds)
    print(f"acknowledged  {median.acknowledged:>9,.0f} spans/s, p99 {median.p99:.0f} ms")
    print(f"stored        {median.stored:>9,.0f} spans/s, {median.resident:.0f} MiB resident at the end")
    print(f"ceiling       {median.ceiling:>9,.0f} spans/s, INSERT … SELECT of the same rows from a Native file")
    print(
        f"ratio         {statistics.median(ratios):>9.2f} of the ceiling, from {ratios[0]:.2f} to {ratios[-1]:.2f} "
        f"in {ROUNDS} rounds (floor 0.70)"
    )
    share = median.on_disk / median.wire
    print(f"on disk       {median.on_disk:>9,.0f} bytes a span, {share:.2f} of the wire's (at most 0.25)")


def _round() -> Round:
    payloads = Payloads()
    fresh = [Fresh(payloads.request()) for _ in range(40)]
    wire = len(fresh[0].next()) / SPANS_PER_REQUEST
    requests = SPANS // SPANS_PER_REQUEST
    spans = requests * SPANS_PER_REQUEST
    with Server() as server:
        # Every thread has a client, every model a price.
        send(server.addresses["otlp/grpc"], fresh, 200)
        server.wait_stored()
        time.sleep(3)
        started = time.perf_counter()
        latencies = send(server.addresses["otlp/grpc"], fresh, requests)
        acknowledged = time.perf_counter() - started
        server.wait_stored()
        stored = time.perf_counter() - started
        resident = server.resident_bytes / 1024**2
        server.stop()
        ceiling, on_disk = _ceiling(server.data)
    p99 = sorted(latencies)[int(len(latencies) * 0.99)] * 1000
    return Round(spans / acknowledged, p99, spans / stored, ceiling, resident, wire, on_disk)


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

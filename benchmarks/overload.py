"""A minute of more than can be stored, from clients that do not wait when they are refused."""

import threading
import time

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from benchmarks.payloads import SPANS_PER_REQUEST, Fresh, Payloads
from benchmarks.server import Server
from hansei.collector.signals import TRACES
from hansei.collector.store import EmbeddedStore

SECONDS = 60
CONNECTIONS = 40
WAL_MAX_SIZE = 256 << 20
"""So small that the log is full after seconds, and the minute shows what happens then."""


def run() -> None:
    """Print what was offered, taken and refused, and the most memory that it needed."""
    payloads = Payloads()
    counts = {"accepted": 0, "refused": 0, "refused without a hint": 0}
    lock = threading.Lock()
    peak = 0
    with Server(f"--wal-max-size={WAL_MAX_SIZE}") as server:
        ends = time.perf_counter() + SECONDS
        threads = [
            threading.Thread(
                target=_send, args=(server.addresses["otlp/grpc"], Fresh(payloads.request()), ends, counts, lock)
            )
            for _ in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, server.resident_bytes)
            time.sleep(0.1)
        server.wait_stored()
        stored_in = time.perf_counter() - ends + SECONDS
        peak = max(peak, server.resident_bytes)
        server.stop()
        store = EmbeddedStore(server.data / "clickhouse")
        rows = int(str(store.client().command("SELECT count() FROM otel_traces")))
        store.close()
    offered = (counts["accepted"] + counts["refused"]) * SPANS_PER_REQUEST / SECONDS
    unhinted = counts["refused without a hint"]
    print(f"offered       {offered:>9,.0f} spans/s, {offered / (rows / stored_in):.1f} times what was stored")
    print(f"refused       {counts['refused']:>9,} requests, {unhinted} of them without a retry hint")
    print(f"lost          {counts['accepted'] * SPANS_PER_REQUEST - rows:>9,} of {rows:,} acknowledged spans")
    print(f"resident      {peak / 1024**2:>9,.0f} MiB at most (bound: 1229)")


def _send(address: str, fresh: Fresh, ends: float, counts: dict[str, int], lock: threading.Lock) -> None:
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        export = channel.unary_unary(TRACES.method)
        while time.perf_counter() < ends:
            outcome = ["accepted"]
            try:
                export(fresh.next(), timeout=60)
            except grpc.RpcError as error:
                outcome = ["refused"] if _has_hint(error) else ["refused", "refused without a hint"]
            with lock:
                for name in outcome:
                    counts[name] += 1


def _has_hint(error: grpc.RpcError) -> bool:
    """Whether the failure says when to come back (``RetryInfo``)."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")  # type: ignore[attr-defined]
    return details is not None and any(detail.Is(RetryInfo.DESCRIPTOR) for detail in Status.FromString(details).details)

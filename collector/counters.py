"""What the collector counts of itself, as Prometheus metrics (``GET /metrics``)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Counters:
    """The metrics of one collector, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ingest = ("signal", "transport")
        self.accepted = Counter(
            "hansei_accepted_items",
            "Spans or log records acknowledged: they are on disk.",
            ingest,
            registry=self._registry,
        )
        self.rejected = Counter(
            "hansei_rejected_items",
            "Spans dropped from accepted requests for their ids (partial_success).",
            ingest,
            registry=self._registry,
        )
        self.refused = Counter(
            "hansei_refused_requests",
            "Requests not taken, by reason; only `malformed` and `too_large` are final for the client.",
            (*ingest, "reason"),
            registry=self._registry,
        )
        self.inserted_bytes = Counter(
            "hansei_inserted_bytes", "Bytes of closed segments stored in ClickHouse.", registry=self._registry
        )
        self.insert_failures = Counter(
            "hansei_insert_failures", "Inserts that failed and are tried again.", registry=self._registry
        )
        self.dead_letters = Counter(
            "hansei_dead_letters", "Messages that ClickHouse refused and that were set aside.", registry=self._registry
        )
        self.insert_seconds = Histogram(
            "hansei_insert_seconds",
            "Time to store one segment.",
            registry=self._registry,
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.wal_bytes = Gauge(
            "hansei_wal_bytes", "Bytes in the write-ahead log that wait to be stored.", registry=self._registry
        )
        self.wal_capacity_bytes = Gauge(
            "hansei_wal_capacity_bytes", "Bytes that may wait before requests are refused.", registry=self._registry
        )
        self.wal_segments = Gauge(
            "hansei_wal_segments", "Closed segments that wait to be stored.", registry=self._registry
        )

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)

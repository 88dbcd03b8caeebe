"""What was sent to a collector, request by request, and a comparison with what it has stored."""

import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from hansei.collector.signals import LOGS, TRACES, Signal

from .otlp_clients import Answer
from .processes import Ran


def _attributes(**values: str | int) -> list[KeyValue]:
    return [
        KeyValue(
            key=key.replace("__", "."),
            value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value),
        )
        for key, value in values.items()
    ]


CALL = _attributes(
    gen_ai__operation__name="chat",
    gen_ai__provider__name="openai",
    gen_ai__request__model="gpt-4o-mini",
    gen_ai__usage__input_tokens=700,
    gen_ai__usage__output_tokens=90,
    gen_ai__input__messages="[" + "How often should the machine be descaled? " * 20 + "]",
)
TOOL = _attributes(gen_ai__operation__name="execute_tool", gen_ai__tool__name="search")


class Ledger:
    """What was sent, a trace id a request, and what its sender knows of it."""

    def __init__(self, some_spans: Callable[..., ExportTraceServiceRequest]) -> None:
        self.acknowledged: dict[str, dict[str, int]] = {"traces": {}, "logs": {}}
        """Items by trace id, for each signal."""
        self.unknown: dict[str, dict[str, int]] = {"traces": {}, "logs": {}}
        """Those of requests that no success came back for: they may be stored or not, but whole."""
        self.refusals: list[Answer | Exception] = []
        self._some_spans = some_spans

    @contextmanager
    def load(self, clients: list[Any], seed: int) -> Iterator[None]:
        """Send with every client in a thread of its own, until there is an answer other than success."""
        threads = [
            threading.Thread(target=self._send, args=(client, random.Random(f"{seed}/{number}")))
            for number, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()

    def _send(self, client: Any, draw: random.Random) -> None:
        while self.send(client, draw):
            pass

    def send(self, client: Any, draw: random.Random) -> bool:
        """Send one request; answers whether it was acknowledged."""
        signal, request, trace_id, count = self._request(draw)
        try:
            answer = client.export(request.SerializeToString(), signal)
        except (OSError, http.client.HTTPException) as error:
            answer = error
        if isinstance(answer, Answer) and answer.code == "OK":
            self.acknowledged[signal.name][trace_id] = count
            return True
        self.unknown[signal.name][trace_id] = count
        self.refusals.append(answer)
        return False

    def _request(self, draw: random.Random) -> tuple[Signal, Any, str, int]:
        count = draw.choice([1, 5, 40])
        spans = self._some_spans(count, attributes=draw.choice([CALL, CALL, TOOL]))
        trace_id: bytes = spans.resource_spans[0].scope_spans[0].spans[0].trace_id
        if draw.random() < 0.7:
            return TRACES, spans, trace_id.hex(), count
        logs = ExportLogsServiceRequest()
        records = logs.resource_logs.add().scope_logs.add().log_records
        for number in range(count):
            records.add(trace_id=trace_id, time_unix_nano=time.time_ns(), body=AnyValue(string_value=f"line {number}"))
        return LOGS, logs, trace_id.hex(), count

    def counted(self) -> tuple[int, int]:
        """How many requests of either signal were acknowledged."""
        return len(self.acknowledged["traces"]), len(self.acknowledged["logs"])

    def settle(self, data: Path, hansei: Callable[..., Ran]) -> None:
        """Compare with the tables of a collector that has ended."""
        ran = hansei("query", "--data", data, "--format", "TSV", STORED)
        assert (ran.code, ran.err) == (0, "")
        stored: dict[str, dict[str, tuple[int, int]]] = {"traces": {}, "logs": {}, "times": {}, "usage": {}}
        for line in ran.out.splitlines():
            table, name, count, other = line.split("\t")
            stored[table][name] = (int(count), int(other))
        for signal in ("traces", "logs"):
            found = stored[signal]
            assert {trace: counts for trace, counts in found.items() if counts[0] != counts[1]} == {}, "twice"
            sent = self.unknown[signal] | self.acknowledged[signal]
            assert {trace: counts for trace, counts in found.items() if counts[0] != sent.get(trace)} == {}, "in part"
            assert self.acknowledged[signal].keys() - found.keys() == set(), "lost"
        assert stored["times"].keys() == stored["traces"].keys()
        calls, tokens = stored["usage"]["calls"]
        assert calls > 0
        assert (calls, tokens) == (stored["usage"]["roll-up"]) == (calls, 700 * calls)
        assert stored["usage"]["roots"] == stored["usage"]["roots of the roll-up"]
        assert not (data / "dead-letter").exists()


STORED = """
SELECT 'traces', TraceId, count(), uniqExact(SpanId) FROM otel_traces GROUP BY TraceId
UNION ALL SELECT 'logs', TraceId, count(), uniqExact(Body) FROM otel_logs GROUP BY TraceId
UNION ALL SELECT 'times', TraceId, count(), 0 FROM otel_traces_trace_id_ts GROUP BY TraceId
UNION ALL SELECT 'usage', 'calls', count(), sum(InputTokens) FROM genai_calls
UNION ALL SELECT 'usage', 'roll-up', sum(Calls), sum(InputTokens) FROM genai_usage_5m
UNION ALL SELECT 'usage', 'roots', count(), countIf(StatusCode = 'Error') FROM otel_traces WHERE ParentSpanId = ''
UNION ALL SELECT 'usage', 'roots of the roll-up', sum(Traces), sum(Errors) FROM otel_roots_5m
"""


def files(data: Path) -> list[Path]:
    """What is in the write-ahead log."""
    return [path for path in (data / "wal").rglob("*") if path.is_file()]

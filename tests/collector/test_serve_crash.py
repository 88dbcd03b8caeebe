"""What is acknowledged is stored, once, however ``hansei serve`` ends."""

import http.client
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import gt
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from hansei.collector.address import Address
from hansei.collector.data_lock import holder_of
from hansei.collector.signals import LOGS, TRACES, Signal

from .conftest import Answer, Ran, Serving, _environment
from .test_serve import AFTER_THE_ENGINE

Wait = Callable[[Callable[[], object], str], None]
Some = Callable[..., ExportTraceServiceRequest]
Serve = Callable[..., Serving]

SMALL_SEGMENTS = ("--segment-age=20ms", "--segment-size=64KiB")
"""Segments are closed faster than they can be inserted: there is always one on its way, and some wait."""


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

    def __init__(self, some_spans: Some) -> None:
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
        while True:
            signal, request, trace_id, count = self._request(draw)
            try:
                answer = client.export(request.SerializeToString(), signal)
            except (OSError, http.client.HTTPException) as error:
                answer = error
            if isinstance(answer, Answer) and answer.code == "OK":
                self.acknowledged[signal.name][trace_id] = count
                continue
            self.unknown[signal.name][trace_id] = count
            self.refusals.append(answer)
            return

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
        assert not (data / "dead-letter").exists()


STORED = """
SELECT 'traces', TraceId, count(), uniqExact(SpanId) FROM otel_traces GROUP BY TraceId
UNION ALL SELECT 'logs', TraceId, count(), uniqExact(Body) FROM otel_logs GROUP BY TraceId
UNION ALL SELECT 'times', TraceId, count(), 0 FROM otel_traces_trace_id_ts GROUP BY TraceId
UNION ALL SELECT 'usage', 'calls', count(), sum(InputTokens) FROM genai_calls
UNION ALL SELECT 'usage', 'roll-up', sum(Calls), sum(InputTokens) FROM genai_usage_5m
"""


class Rounds:
    """A data folder whose collector is killed under load, again and again."""

    def __init__(self, data: Path, serve: Serve, wait: Wait, draw: random.Random) -> None:
        self.data = data
        self._serve = serve
        self._wait = wait
        self._draw = draw

    def run(self, rounds: int, ledger: Ledger, client: Callable[[Address], Any]) -> None:
        """Every round: load, SIGKILL, some starts that are killed too, a start, and a wait until all is stored."""
        # The very first start, which makes the tables, is killed as well.
        self._kill_at_start("locked")
        serving = self._start()
        for number in range(rounds):
            before = ledger.counted()
            with ledger.load([client(serving.grpc) for _ in range(4)], number):
                self._wait(lambda before=before: all(map(gt, ledger.counted(), before)), "some traces and logs")
                time.sleep(self._draw.uniform(0, 0.6))
                serving.kill()
            for moment in [(), ("locked",), ("locked", "replaying")][number % 3]:
                self._kill_at_start(moment)
            serving = self._start()
            serving.wait_stored()
        assert serving.end() == 0
        assert files(self.data) == []

    def _start(self) -> Serving:
        return self._serve(*self._draw.choice([(), SMALL_SEGMENTS, SMALL_SEGMENTS]), data=self.data)

    def _kill_at_start(self, moment: str) -> None:
        """Start, and kill a little after the folder is taken, or once something that was left has been inserted."""
        left = self._segments()
        with (self.data.parent / "killed-at-start.txt").open("w+b") as said:
            command = [sys.executable, "-m", "hansei.cli", "serve", f"--data={self.data}"]
            ports = [f"--{name}=127.0.0.1:0" for name in ("otlp-grpc", "otlp-http", "ui", "sql")]
            process = subprocess.Popen([*command, *ports], stdout=said, stderr=said, env=_environment({}))
            self._wait(lambda: holder_of(self.data) is not None, "the folder to be taken")
            if moment == "locked":
                time.sleep(self._draw.uniform(0, 0.4))
            else:
                # The end of the announcement stands in where nothing was left.
                self._wait(
                    lambda: len(self._segments()) < len(left) or b"\ndata" in Path(said.name).read_bytes(), "the replay"
                )
            assert process.poll() is None, Path(said.name).read_text()
            process.kill()
            process.wait()

    def _segments(self) -> list[Path]:
        return list((self.data / "wal").rglob("*.segment"))


@pytest.fixture
def ledger(some_spans: Some) -> Ledger:
    """Nothing sent yet."""
    return Ledger(some_spans)


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.soak)])
def test_killed_at_any_moment(
    tmp_path: Path, serve: Serve, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait, rounds: int
) -> None:
    """SIGKILL at any moment, under load or while it starts, loses nothing acknowledged and doubles nothing."""
    # The moments of a run that failed are drawn again with its seed.
    seed = int(os.environ.get("HANSEI_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"HANSEI_TEST_SEED={seed}")
    Rounds(tmp_path / "data", serve, wait, random.Random(seed)).run(rounds, ledger, clients["grpc"])
    ledger.settle(tmp_path / "data", hansei)


def files(data: Path) -> list[Path]:
    """What is in the write-ahead log."""
    return [path for path in (data / "wal").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "flags", [SMALL_SEGMENTS, ("--segment-age=1h",)], ids=["while it inserts", "before anything was inserted"]
)
def test_sigterm_stores_what_was_acknowledged(
    serve: Serve, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait, flags: tuple[str, ...]
) -> None:
    """SIGTERM under load: all that was acknowledged is stored, the log is empty, and late requests may be repeated."""
    serving = serve(*flags)
    senders = [clients["grpc"](serving.grpc) for _ in range(4)] + [clients["http"](serving.http) for _ in range(4)]
    with ledger.load(senders, 0):
        wait(lambda: len(ledger.acknowledged["traces"]) > 50, "some requests to be acknowledged")
        assert serving.end() == 0
    assert serving.said == "stopping: no new requests; storing what is logged\n"
    assert files(serving.data) == []
    codes = {answer.code for answer in ledger.refusals if isinstance(answer, Answer)}
    assert codes <= {"UNAVAILABLE", "CANCELLED"}
    assert serving.errors() == ""
    ledger.settle(serving.data, hansei)


def test_what_is_not_drained_in_time_is_stored_at_the_next_start(
    serve: Serve, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait
) -> None:
    """A drain that is cut short exits with 0 and says how much stays; the next start stores it, once."""
    serving = serve("--drain-timeout=0", "--segment-age=20ms", "--segment-size=16KiB")
    with ledger.load([clients["grpc"](serving.grpc) for _ in range(4)], 0):
        wait(lambda: len(ledger.acknowledged["traces"]) > 50, "some requests to be acknowledged")
        assert serving.end() == 0
    told = re.search(r"\n(\d+) segments stay in the write-ahead log and are stored at the next start\n$", serving.said)
    # Those that were on their way when the time was up may have arrived.
    assert told
    assert 0 < len(files(serving.data)) <= int(told[1])
    again = serve()
    again.wait_stored()
    assert again.end() == 0
    assert files(serving.data) == []
    ledger.settle(serving.data, hansei)


@AFTER_THE_ENGINE
def test_start_that_fails_leaves_the_log_alone(
    serve: Serve, serving: Serving, hansei: Callable[..., Ran], clients: Any, ledger: Ledger, wait: Wait
) -> None:
    """A start that fails for its last port, with much left to store, says so in one line; the next one stores all."""
    killed = serve(*SMALL_SEGMENTS)
    with ledger.load([clients["grpc"](killed.grpc) for _ in range(4)], 0):
        wait(lambda: len(files(killed.data)) > 10, "segments to wait")
        killed.kill()
    ports = [f"--{name}=127.0.0.1:0" for name in ("otlp-http", "ui", "sql")]
    ran = hansei("serve", "--data", killed.data, *ports, f"--otlp-grpc={serving.grpc}")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert files(killed.data)
    again = serve()
    again.wait_stored()
    assert again.end() == 0
    ledger.settle(killed.data, hansei)

"""Segments become rows, exactly once, through outages, refusals and repetitions."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.collector.counters import Counters
from hansei.collector.dead_letter import DeadLetters
from hansei.collector.inserter import Inserter
from hansei.collector.payload import Checker
from hansei.collector.segment import Segment, frame, varint
from hansei.collector.signals import LOGS, TRACES, Signal
from hansei.collector.store import EmbeddedStore, OutOfMemory, Poison, StoreUnavailable
from hansei.collector.wal import Room

Rows = Callable[..., list[tuple[Any, ...]]]
Wait = Callable[[Callable[[], object], str], None]


class Shop:
    """A store that fails as it is told and remembers what it was given."""

    name = "shop"

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.tokens: list[str] = []
        self.stored: list[bytes] = []
        self.gate = threading.Event()
        self.gate.set()

    def insert(self, signal: Signal, path: Path, token: str) -> None:
        self.gate.wait()
        self.tokens.append(token)
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        self.stored.append(path.read_bytes())

    def client(self) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Line:
    """An inserter over a folder of segments."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.room = Room(1 << 30)
        self.counters = Counters()
        self.dead_letters = DeadLetters(directory / "dead-letter")

    def open(self, store: Any, *, threads: int = 1, relieve: Callable[[], bool] = lambda: False) -> Inserter:
        return Inserter(store, self.room, self.dead_letters, self.counters, threads=threads, relieve=relieve)

    def segment(self, name: str, *payloads: bytes, tail: bytes = b"") -> Segment:
        """A closed segment, counted as waiting."""
        path = self.directory / f"{name}.segment"
        with path.open("wb") as file:
            for payload in payloads:
                head, trailer = frame(payload)
                file.writelines((head, payload, trailer))
            file.write(tail)
        size = path.stat().st_size
        self.room.take_anyway(size)
        return Segment(path, size)

    def counted(self, name: str) -> float | None:
        return self.counters._registry.get_sample_value(name)

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file())


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """An inserter's surroundings; it does not pause for long between attempts."""
    monkeypatch.setattr("hansei.collector.inserter._FIRST_PAUSE", 0.001)
    return Line(tmp_path)


def test_order_and_names(line: Line) -> None:
    """Segments go in oldest first, each under its name and byte range, and are then gone."""
    shop = Shop()
    inserter = line.open(shop)
    for name in ("1-a", "2-b", "3-c"):
        inserter.put(TRACES, line.segment(name, name.encode()))
    assert inserter.waiting == 3
    inserter.start()
    assert inserter.drain(30) == 0
    assert shop.tokens == ["traces/1-a/0-14", "traces/2-b/0-14", "traces/3-c/0-14"]
    assert (line.files(), line.room.used) == ([], 0)
    assert line.counted("hansei_inserted_bytes_total") == 42


def test_outage_loses_nothing(line: Line, wait: Wait) -> None:
    """A store that is away is asked again, in order and under the same names, until it has everything."""
    away = StoreUnavailable("connection refused")
    shop = Shop(away, away, away, None, OSError("broken pipe"), RuntimeError("a surprise"))
    inserter = line.open(shop)
    segments = [line.segment(name, name.encode()) for name in ("1-a", "2-b", "3-c")]
    wanted = [segment.path.read_bytes() for segment in segments]
    for segment in segments:
        inserter.put(TRACES, segment)
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segments to be stored")
    assert shop.stored == wanted
    assert shop.tokens == ["traces/1-a/0-14"] * 4 + ["traces/2-b/0-14"] * 3 + ["traces/3-c/0-14"]
    assert (line.files(), line.room.used, inserter.unavailable) == ([], 0, None)
    assert line.counted("hansei_insert_failures_total") == 5
    inserter.drain(30)


def test_outage_is_told(line: Line, wait: Wait) -> None:
    """While the store is away the reason can be read; draining then leaves the segments for the next start."""
    inserter = line.open(Shop(*[StoreUnavailable("connection refused")] * 10_000))
    inserter.put(TRACES, line.segment("1-a", b"one"))
    inserter.put(LOGS, line.segment("2-b", b"two"))
    inserter.start()
    wait(lambda: inserter.unavailable, "the outage to be noticed")
    assert inserter.unavailable == "connection refused"
    assert inserter.drain(30) == 2
    assert line.files() == ["1-a.segment", "2-b.segment"]
    assert line.room.used == 28


def test_drain_stores_what_waits(line: Line) -> None:
    """Draining returns once everything that waits is stored, over any number of threads."""
    shop = Shop()
    inserter = line.open(shop, threads=3)
    for number in range(30):
        inserter.put(TRACES, line.segment(f"{number:02d}", bytes([number])))
    inserter.start()
    assert inserter.drain(30) == 0
    assert sorted(shop.stored) == sorted(b"\x0b" + bytes([n]) + frame(bytes([n]))[1] for n in range(30))
    assert (line.files(), line.room.used) == ([], 0)


def test_drain_gives_up(line: Line) -> None:
    """A store that does not answer is not waited for beyond the time given."""
    shop = Shop()
    shop.gate.clear()
    inserter = line.open(shop)
    inserter.put(TRACES, line.segment("1-a", b"one"))
    inserter.start()
    assert inserter.drain(0.05) == 1
    assert line.files() == ["1-a.segment"]
    shop.gate.set()


def test_drain_before_start(line: Line) -> None:
    """An inserter whose store never came up can be drained: the segments stay for the next start."""
    inserter = line.open(Shop())
    inserter.put(TRACES, line.segment("1-a", b"one"))
    assert inserter.drain(0.05) == 1
    assert line.files() == ["1-a.segment"]


@pytest.mark.parametrize("outages", [0, 1, 2, 3])
def test_poison_with_outages(line: Line, wait: Wait, outages: int) -> None:
    """An outage while a refused segment is taken apart changes neither what is stored nor what is set aside."""
    records = [b"good 1", b"good 2", b"poison", b"good 3"]

    class Picky(Shop):
        def insert(self, signal: Signal, path: Path, token: str) -> None:
            data = path.read_bytes()
            if data in self.stored:  # As the engine knows a token again.
                return
            if len(self.tokens) in range(1, 1 + outages):
                self.tokens.append(token)
                raise StoreUnavailable("away")
            self.tokens.append(token)
            if b"poison" in data:
                raise Poison("Code: 444. bad")
            self.stored.append(data)

    picky = Picky()
    inserter = line.open(picky)
    inserter.put(TRACES, line.segment("1-a", *records))
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segment to be gone")
    inserter.drain(30)
    first, last = b"".join(_framed(record) for record in records[:2]), _framed(records[3])
    assert picky.stored == [first, last]
    assert line.files() == ["dead-letter/traces-1-a-34.json", "dead-letter/traces-1-a-34.pb"]
    assert (line.directory / "dead-letter/traces-1-a-34.pb").read_bytes() == _framed(b"poison")
    assert line.room.used == 0


class Small(Shop):
    """A store that has memory for so many bytes at a time."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def insert(self, signal: Signal, path: Path, token: str) -> None:
        self.failures = [OutOfMemory("too little")] if path.stat().st_size > self.most else []
        super().insert(signal, path, token)


def test_memory_is_short_for_a_while(line: Line, wait: Wait) -> None:
    """A segment that memory does not suffice for now lets the next ones pass, and goes in under its own name."""
    shop = Shop(OutOfMemory("too little"), None, OutOfMemory("too little"))
    inserter = line.open(shop)
    for name in ("1", "2"):
        inserter.put(TRACES, line.segment(name, name.encode(), b"more"))
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segments to be stored")
    assert sorted(shop.tokens) == ["traces/1/0-27"] * 3 + ["traces/2/0-27"]
    assert (line.files(), line.room.used, inserter.unavailable) == ([], 0, None)
    inserter.drain(30)


def test_memory_is_short_for_many_together(line: Line, wait: Wait) -> None:
    """A segment that never fits is halved until its parts do; nothing is lost, and no name is used for two things."""
    records = [bytes([n]) * 10 for n in range(7)]
    shop = Small(60)
    inserter = line.open(shop, threads=2)
    inserter.put(TRACES, line.segment("1", *records))
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segment to be stored")
    assert sorted(b"".join(shop.stored)) == sorted(b"".join(map(_framed, records)))
    assert len(shop.stored) == 4
    assert (line.files(), line.room.used) == ([], 0)
    inserter.drain(30)


@pytest.mark.soak
def test_a_message_larger_than_memory(line: Line, wait: Wait) -> None:
    """A message that never fits is set aside once others show that the store takes inserts, and not before."""
    shop = Small(60)
    inserter = line.open(shop)
    inserter.put(TRACES, line.segment("1", b"x" * 100, b"small"))
    inserter.start()
    wait(lambda: len(shop.tokens) > 20, "it to have been tried often")
    assert line.files() == ["1-a.segment"]
    wait_for = [line.segment(f"9{n}", b"other") for n in range(20)]
    for segment in wait_for:
        inserter.put(TRACES, segment)
    wait(lambda: inserter.waiting == 0, "it to be set aside")
    assert line.files() == ["dead-letter/traces-1-a-0.json", "dead-letter/traces-1-a-0.pb"]
    assert (line.directory / "dead-letter/traces-1-a-0.pb").read_bytes() == _framed(b"x" * 100)
    assert (len(shop.stored), line.room.used) == (21, 0)
    assert line.counted("hansei_dead_letters_total") == 1
    inserter.drain(30)


def test_memory_that_can_be_had_back(line: Line, wait: Wait) -> None:
    """As long as memory can be taken back from others, that is done, and nothing is halved or set aside."""
    shop = Shop(*[OutOfMemory("too little")] * 20)
    asked: list[bool] = []

    def relieve() -> bool:
        asked.append(True)
        return True

    inserter = line.open(shop, relieve=relieve)
    inserter.put(TRACES, line.segment("1", b"one", b"two"))
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segment to be stored")
    assert set(shop.tokens) == {"traces/1/0-28"}
    assert (len(asked), len(shop.tokens), line.files()) == (20, 21, [])
    inserter.drain(30)


def test_memory_is_short_for_parts_of_a_refused_segment(line: Line, wait: Wait) -> None:
    """A segment of which parts may be stored is not halved: what is stored stays known by its name."""
    shop = Shop(Poison("bad"), None, *[OutOfMemory("too little")] * 5, Poison("bad"))
    inserter = line.open(shop)
    inserter.put(TRACES, line.segment("1", b"one", b"two"))
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segment to be stored")
    assert set(shop.tokens) == {"traces/1/0-28", "traces/1/0-14", "traces/1/14-28"}
    assert line.files() == []
    inserter.drain(30)


def _framed(payload: bytes) -> bytes:
    head, trailer = frame(payload)
    return head + payload + trailer


# --- with the engine ---


def _field(number: int, wire_type: int, value: bytes) -> bytes:
    return varint(number << 3 | wire_type) + value


def _delimited(number: int, value: bytes) -> bytes:
    return _field(number, 2, varint(len(value)) + value)


def _with_extra(request: ExportTraceServiceRequest, extra: bytes) -> bytes:
    """The request with bytes added to its only span that OTLP's encoders do not write."""
    (span,) = request.resource_spans[0].scope_spans[0].spans
    return _delimited(1, _delimited(2, _delimited(2, span.SerializeToString() + extra)))


ODD_FIELDS = {
    "an unknown group": _field(50, 3, _field(1, 0, b"\x01") + _field(50, 4, b"")),
    "a name as a number": _field(5, 0, b"\x01"),
    "a kind of 41 bits": _field(6, 0, varint(1 << 40 | 3)),
    "a boolean of 2": _delimited(9, b"\x0a\x01k\x12\x02\x10\x02"),
    "two members of a oneof": _delimited(9, b"\x0a\x01k\x12\x05\x0a\x01z\x18\x05"),
    "a value given twice": _delimited(9, b"\x0a\x01k\x12\x02\x18\x05\x12\x03\x0a\x01z"),
}
"""What Google's parser takes and the engine refuses; no OTLP exporter writes any of it."""


@pytest.mark.parametrize("odd", ODD_FIELDS)
def test_poison_is_set_aside(
    line: Line,
    engine: EmbeddedStore,
    rows: Rows,
    some_spans: Callable[..., ExportTraceServiceRequest],
    span_count: Callable[[ExportTraceServiceRequest], int],
    wait: Wait,
    odd: str,
) -> None:
    """A message that the engine refuses becomes a dead letter with its error; its neighbours are stored."""
    requests = [some_spans() for _ in range(5)]
    payloads = [request.SerializeToString() for request in requests]
    payloads[3] = _with_extra(requests[3], ODD_FIELDS[odd])
    assert Checker(TRACES).check(payloads[3]).payload == payloads[3]
    segment = line.segment(f"poison-{id(requests)}", *payloads)
    inserter = line.open(engine)
    inserter.put(TRACES, segment)
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segment to be gone")
    inserter.drain(30)

    assert [span_count(request) for request in requests] == [1, 1, 1, 0, 1]
    start = sum(len(_framed(payload)) for payload in payloads[:3])
    letter = line.dead_letters.directory / f"traces-{segment.name}-{start}"
    assert line.files() == [f"dead-letter/{letter.name}.json", f"dead-letter/{letter.name}.pb"]
    assert letter.with_suffix(".pb").read_bytes() == _framed(payloads[3])
    about = json.loads(letter.with_suffix(".json").read_text())
    assert about.pop("error").startswith("Code: ")
    assert about.pop("set_aside").endswith("Z")
    assert about == {"signal": "traces", "bytes": len(_framed(payloads[3]))}
    assert line.room.used == 0
    assert line.counted("hansei_dead_letters_total") == 1


def test_damaged_segment(
    line: Line,
    engine: EmbeddedStore,
    some_spans: Callable[..., ExportTraceServiceRequest],
    span_count: Callable[[ExportTraceServiceRequest], int],
    wait: Wait,
) -> None:
    """Of a segment that was damaged after it was closed, whole records are stored and the rest is set aside."""
    request = some_spans()
    whole = request.SerializeToString()
    segment = line.segment(f"damaged-{id(request)}", whole, tail=b"\x7ftorn")
    inserter = line.open(engine)
    inserter.put(TRACES, segment)
    inserter.start()
    wait(lambda: inserter.waiting == 0, "the segment to be gone")
    inserter.drain(30)
    letters = [path.read_bytes() for path in line.dead_letters.directory.glob("*.pb")]
    assert (span_count(request), letters) == (1, [b"\x7ftorn"])


def test_replay_stores_nothing_twice(
    line: Line, engine: EmbeddedStore, rows: Rows, some_spans: Callable[..., ExportTraceServiceRequest]
) -> None:
    """A segment that is inserted again, as after a crash, adds no row to any table."""
    request = some_spans(300)
    trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    segment = line.segment(f"replay-{trace_id}", request.SerializeToString())
    for _ in range(3):
        engine.insert(TRACES, segment.path, f"traces/{segment.name}/0-{segment.size}")
    assert rows("SELECT count(), uniqExact(SpanId) FROM otel_traces WHERE TraceId = {id:String}", id=trace_id) == [
        (300, 300)
    ]
    assert rows("SELECT count() FROM otel_traces_trace_id_ts WHERE TraceId = {id:String}", id=trace_id) == [(1,)]


def test_same_bytes_under_two_names(
    line: Line, engine: EmbeddedStore, rows: Rows, some_spans: Callable[..., ExportTraceServiceRequest]
) -> None:
    """Two segments with the same bytes are two: a client's own repetition is not ours to drop."""
    request = some_spans(2)
    trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    for copy in ("a", "b"):
        segment = line.segment(f"{copy}-{trace_id}", request.SerializeToString())
        engine.insert(TRACES, segment.path, f"traces/{segment.name}/0-{segment.size}")
    assert rows("SELECT count() FROM otel_traces WHERE TraceId = {id:String}", id=trace_id) == [(4,)]


def test_days_far_apart(
    line: Line, engine: EmbeddedStore, rows: Rows, some_spans: Callable[..., ExportTraceServiceRequest]
) -> None:
    """Spans of 300 different days in one request are stored, each trace's beginning and end with them."""
    request = some_spans(300)
    spans = request.resource_spans[0].scope_spans[0].spans
    for number, span in enumerate(spans):
        span.start_time_unix_nano = number * 86_400 * 10**9
    segment = line.segment(f"days-{id(request)}", request.SerializeToString())
    engine.insert(TRACES, segment.path, f"traces/{segment.name}/0-{segment.size}")
    trace_id = spans[0].trace_id.hex()
    assert rows(
        "SELECT count(), uniqExact(toDate(Timestamp)) FROM otel_traces WHERE TraceId = {id:String}", id=trace_id
    ) == [(300, 300)]
    assert rows(
        "SELECT toUInt32(min(Start)), toUInt32(max(End)) FROM otel_traces_trace_id_ts WHERE TraceId = {id:String}",
        id=trace_id,
    ) == [(0, 299 * 86_400)]

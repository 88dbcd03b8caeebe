"""What the collector's tests share: the engine, the write path in this process, and a real ``hansei serve``."""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.collector.address import Address
from hansei.collector.counters import Counters
from hansei.collector.dead_letter import DeadLetters
from hansei.collector.ingest import Ingest
from hansei.collector.inserter import Inserter
from hansei.collector.keys import Keys
from hansei.collector.listeners import HttpListeners
from hansei.collector.migrations import migrate
from hansei.collector.otlp_grpc import GrpcReceiver
from hansei.collector.otlp_http import otlp_http_app
from hansei.collector.payload import Checker
from hansei.collector.segment import frame
from hansei.collector.signals import SIGNALS, Signal
from hansei.collector.sql_access import Access
from hansei.collector.sql_endpoint import SqlEndpoint
from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_limits import Limits
from hansei.collector.store import EmbeddedStore, Store
from hansei.collector.wal import Room, Wal

from .ledger import Ledger
from .otlp_clients import GrpcClient, HttpClient
from .processes import Ran, Serving, clean_environment
from .sql_http import Sql
from .waiting import PATIENCE, until


@pytest.fixture(scope="session")
def wait() -> Callable[[Callable[[], object], str], None]:
    """``wait(condition, what)``: return once a condition holds."""
    return until


# --- the engine ---


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """The embedded engine with the schema; chDB has one data folder a process, so there is one for all tests."""
    store = EmbeddedStore(tmp_path_factory.mktemp("engine"))
    migrate(store.client())
    yield store
    store.close()


@pytest.fixture(scope="session")
def rows(engine: EmbeddedStore) -> Callable[..., list[tuple[Any, ...]]]:
    """``rows(sql, **parameters)``: the result of a query."""

    def run(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in engine.client().query(sql, parameters).result_rows]

    return run


@pytest.fixture(scope="session")
def segment_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``segment_file(*payloads)``: a closed segment with a record for each."""
    directory = tmp_path_factory.mktemp("segments")
    numbers = itertools.count()

    def write(*payloads: bytes) -> Path:
        path = directory / f"{next(numbers):08d}.segment"
        path.write_bytes(
            b"".join(head + payload + trailer for payload in payloads for head, trailer in [frame(payload)])
        )
        return path

    return write


@pytest.fixture(scope="session")
def store_request(engine: EmbeddedStore, segment_file: Callable[..., Path]) -> Callable[[Signal, Message], None]:
    """``store_request(signal, request)``: check, log and insert a request as the collector does."""
    checkers = {signal.name: Checker(signal) for signal in SIGNALS}

    def store(signal: Signal, request: Message) -> None:
        path = segment_file(checkers[signal.name].check(request.SerializeToString()).payload)
        engine.insert(signal, path, f"test/{path.name}")
        path.unlink()

    return store


# --- strangers' SQL ---


class Reader:
    """A stranger at the endpoint, without HTTP in between."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.endpoint = SqlEndpoint(store.connection_string, Limits(30, 256 << 20, 1), Access(Keys(None, None)))

    def ask(self, sql: str | bytes, database: str = "default", run: bool = True, **parameters: str) -> bytes:
        """The result, or nothing where it is only judged. Raises :class:`SqlError`."""
        text = sql.encode(errors="surrogateescape") if isinstance(sql, str) else sql
        asked = SimpleNamespace(
            text=text, database=database, parameters=parameters, default_format="TabSeparated", settings={}
        )
        engine = self.endpoint._engine
        with contextlib.closing(engine.session(engine.mark())) as session:
            statement, output_format = self.endpoint._judge(session, asked)  # type: ignore[arg-type]
            if not run:
                return b""
            return session.answer(statement.text.encode(errors="surrogateescape"), output_format, parameters)[0]

    def refusal(self, sql: str | bytes, database: str = "default", **parameters: str) -> SqlError:
        """Why a statement is refused before it runs."""
        try:
            self.ask(sql, database, run=False, **parameters)
        except SqlError as error:
            return error
        pytest.fail(f"accepted: {sql!r}")


@pytest.fixture(scope="session")
def reader(engine: EmbeddedStore) -> Iterator[Reader]:
    """A stranger, in an engine where an administrator has made a view and a function."""
    client = engine.client()
    client.command("CREATE DATABASE IF NOT EXISTS guarded")
    client.command("CREATE VIEW guarded.of_trace AS SELECT * FROM default.otel_traces WHERE TraceId = {id:String}")
    client.command("CREATE FUNCTION guardedTwice AS x -> x * 2")
    stranger = Reader(engine)
    yield stranger
    stranger.endpoint.close()
    client.command("DROP FUNCTION guardedTwice")
    client.command("DROP DATABASE guarded")


# --- requests ---

_ids = itertools.count(1)


@pytest.fixture(scope="session")
def some_spans() -> Callable[..., ExportTraceServiceRequest]:
    """``some_spans(count, **fields)``: a request of spans with ids never used before, all of one new trace."""

    def make(count: int = 1, **fields: Any) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add().scope_spans.add().spans
        # The process in the id keeps workers apart, and runs over one data folder.
        trace_id = os.getpid().to_bytes(4) + time.time_ns().to_bytes(8) + next(_ids).to_bytes(4)
        for number in range(count):
            values = {"name": "work", "start_time_unix_nano": time.time_ns(), **fields}
            values = {"trace_id": trace_id, "span_id": trace_id[9:16] + bytes([number + 1 & 0xFF]), **values}
            if count > 255:
                values["span_id"] = trace_id[12:16] + (number + 1).to_bytes(4)
            spans.add(**values)
        return request

    return make


@pytest.fixture
def ledger(some_spans: Callable[..., ExportTraceServiceRequest]) -> Ledger:
    """Nothing sent yet."""
    return Ledger(some_spans)


@pytest.fixture(scope="session")
def span_count(rows: Callable[..., list[tuple[Any, ...]]]) -> Callable[[ExportTraceServiceRequest], int]:
    """How many rows the trace of a request has."""

    def count(request: ExportTraceServiceRequest) -> int:
        trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
        found = rows("SELECT count() FROM otel_traces WHERE TraceId = {id:String}", id=trace_id)
        return int(found[0][0])

    return count


# --- the write path in this process ---


class Collecting:
    """Receivers, logs and inserter on loopback, as the collector wires them, over a store of the test's choice."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        *,
        api_key: str | None = None,
        capacity: int = 1 << 30,
        max_request_bytes: int = 8 << 20,
        segment_age: float = 0.02,
        sync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self.directory = directory
        self.counters = Counters()
        self.room = Room(capacity)
        self.dead_letters = DeadLetters(directory / "dead-letter")
        self.inserter = Inserter(store, self.room, self.dead_letters, self.counters)
        self.logs = {
            signal.name: Wal(
                directory / "wal" / signal.name,
                self.room,
                lambda segment, signal=signal: self.inserter.put(signal, segment),  # type: ignore[misc]
                segment_bytes=32 << 20,
                segment_age=segment_age,
                sync=sync,
            )
            for signal in SIGNALS
        }
        self.inserter.start()
        self.ingest = Ingest.create(
            self.logs, self.counters, max_request_bytes=max_request_bytes, keys=Keys(api_key, None)
        )
        self.grpc = GrpcReceiver(self.ingest, Address("127.0.0.1", 0))
        self.grpc.start()
        bound = Address("127.0.0.1", 0).bind("otlp_http")
        self._listeners = HttpListeners()
        self._listeners.add(otlp_http_app(self.ingest), bound)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listeners.start(), self._loop).result(PATIENCE)
        self.addresses = {
            "grpc": Address("127.0.0.1", self.grpc.port),
            "http": Address("127.0.0.1", bound.getsockname()[1]),
        }
        self.clients: dict[str, Any] = {
            "grpc": GrpcClient(self.addresses["grpc"]),
            "http": HttpClient(self.addresses["http"]),
        }

    def wait_stored(self) -> None:
        """Return once all that was acknowledged is in the store."""
        until(lambda: self.room.used == 0, "everything acknowledged to be stored")

    def counted(self, name: str, **labels: str) -> float:
        """The value of one of the collector's own counters."""
        value = self.counters._registry.get_sample_value(name, labels or None)
        return value or 0.0

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self.grpc.stop(1)
        asyncio.run_coroutine_threadsafe(self._listeners.stop(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for log in self.logs.values():
            log.close()
        self.inserter.drain(5)


@pytest.fixture(scope="session")
def shared_collecting(engine: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collecting]:
    """A write path with default settings; tests must leave it as they find it."""
    collecting = Collecting(engine, tmp_path_factory.mktemp("collecting"))
    yield collecting
    collecting.close()


@pytest.fixture
def start_collecting(engine: EmbeddedStore, tmp_path: Path) -> Iterator[Callable[..., Collecting]]:
    """``start_collecting(**options)``: a write path of the test's own."""
    started: list[Collecting] = []

    def start(store: Store | None = None, **options: Any) -> Collecting:
        started.append(Collecting(store or engine, tmp_path / f"collecting-{len(started)}", **options))
        return started[-1]

    yield start
    for collecting in started:
        collecting.close()


# --- hansei in processes of its own ---


@pytest.fixture(scope="session")
def hansei() -> Callable[..., Ran]:
    """``hansei(*arguments)``: run the command to its end."""

    def run(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "hansei.cli", *map(str, arguments)],
            capture_output=True, text=True, timeout=PATIENCE, cwd=cwd, env=clean_environment(environment), check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """``serve(*flags, data=…, **environment)``: a collector in a process of its own, ready."""
    started: list[Serving] = []

    def start(*flags: str, data: Path | None = None, **environment: str) -> Serving:
        started.append(Serving(data or tmp_path / "data", *flags, **environment))
        return started[-1]

    yield start
    for serving in started:
        serving.close()


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector in a process of its own that many tests use; none may stop it."""
    running = Serving(tmp_path_factory.mktemp("serving") / "data")
    yield running
    running.close()


@pytest.fixture(scope="session")
def sql_serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """The same with an administrator (``sesame``) and three queries at a time."""
    running = Serving(tmp_path_factory.mktemp("sql") / "data", "--sql-max-queries=3", HANSEI_ADMIN_KEY="sesame")
    yield running
    said = running.errors()
    running.close()
    assert said == ""


@pytest.fixture(scope="session")
def sql(sql_serving: Serving) -> Sql:
    """Somebody at its SQL endpoint."""
    return Sql(sql_serving.sql)


@pytest.fixture(scope="session")
def clients() -> dict[str, Callable[[Address], Any]]:
    """The client of each protocol, for an address."""
    return {"grpc": GrpcClient, "http": HttpClient}

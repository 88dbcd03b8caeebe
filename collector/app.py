"""The collector, put together: what is made in which order, and how it stops."""

import asyncio
import atexit
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette

from hansei.collector.address import Address
from hansei.collector.counters import Counters
from hansei.collector.data_lock import DataLock
from hansei.collector.dead_letter import DeadLetters
from hansei.collector.extension import Background, Routes, Server, no_routes
from hansei.collector.ingest import Ingest
from hansei.collector.inserter import Inserter
from hansei.collector.key_file import KEYS, KEYS_COPY, KeyFile, KeysOfFile
from hansei.collector.key_table import KeysOfTable, KeyTable
from hansei.collector.keys import Keys, KeySource
from hansei.collector.listeners import HttpListeners
from hansei.collector.migrations import SCHEMA, migrate
from hansei.collector.otlp_grpc import GrpcReceiver
from hansei.collector.otlp_http import otlp_http_app
from hansei.collector.price_learner import PriceLearner
from hansei.collector.recovery import Recovery
from hansei.collector.redaction import Redaction
from hansei.collector.retention import Retention, apply_retention
from hansei.collector.settings import Settings
from hansei.collector.signals import LOGS, SIGNALS
from hansei.collector.sql_access import Access
from hansei.collector.sql_endpoint import SqlEndpoint
from hansei.collector.sql_limits import Limits
from hansei.collector.status import Readiness, status_routes
from hansei.collector.store import EmbeddedStore, ServerStore, Store, StoreUnavailable
from hansei.collector.text_index import apply_text_index
from hansei.collector.wal import Room, Wal

log = logging.getLogger("hansei.collector")

_GRACE = 5.0
"""Seconds that requests under way have to finish when the collector stops."""
_STORE_PAUSE = 1.0
"""Seconds between two attempts to reach a server that was away at start."""


class Collector:
    """Everything that one ``hansei serve`` is.

    The order matters. First the lock and the ports, so that a second collector fails before it touches
    anything; then the store and its schema; then the log, whose leftovers are queued for insertion; the
    receivers come last, and go first when it stops. No thread uses the store before all of it is there.
    """

    def __init__(self, settings: Settings, schema: Sequence[str] = SCHEMA, routes: Routes = no_routes) -> None:
        """Take what is needed from the system. Raises :class:`~hansei.collector.errors.HanseiError` in one line.

        ``schema``: the packages whose SQL files make the tables. ``routes``: makes what the pages' port answers beside
        health and metrics.
        """
        self.settings = settings
        self._schema = schema
        with contextlib.ExitStack() as undo:
            self._lock = DataLock(settings.data)
            undo.callback(self._lock.release)
            self._sockets = {key: undo.enter_context(self._bind(key)) for key in self._http_keys()}
            self.counters = Counters()
            self._room = Room(settings.wal_max_size)
            self._dead_letters = DeadLetters(settings.data / "dead-letter")
            self.store: Store = (
                ServerStore(settings.clickhouse) if settings.clickhouse else EmbeddedStore(settings.data / "clickhouse")
            )
            undo.callback(self.store.close)
            self._stopping = threading.Event()
            self._background: list[Background] = []
            self._prices = PriceLearner(self.store, self._stopping)
            self._retention = Retention(
                self.store, self._stopping, traces=settings.retention_traces, labelled=settings.retention_labelled
            )
            self._inserter = Inserter(
                self.store,
                self._room,
                self._dead_letters,
                self.counters,
                stored=self._prices.notice,
                relieve=lambda: self._sql is not None and self._sql.relieve(),
            )
            self._store_problem = self._prepare_store()
            self._server_keys: KeysOfTable | None = None
            self.keys = Keys(
                settings.api_key, settings.admin_key, self._created_keys(), exposed=settings.exposed is not None
            )
            self._logs = {
                signal.name: Wal(
                    settings.data / "wal" / signal.name,
                    self._room,
                    lambda segment, signal=signal: self._inserter.put(signal, segment),  # type: ignore[misc]
                    segment_bytes=settings.segment_size,
                    segment_age=settings.segment_age,
                )
                for signal in SIGNALS
            }
            for wal in self._logs.values():
                undo.callback(wal.close)
            ingest = Ingest.create(
                self._logs,
                self.counters,
                max_request_bytes=settings.max_request_size,
                keys=self.keys,
                redaction=Redaction(settings.redact) if settings.redact else None,
            )
            self._grpc = GrpcReceiver(ingest, settings.otlp_grpc)
            self._http = HttpListeners()
            self._http.add(otlp_http_app(ingest), self._sockets["otlp_http"])
            self._http.add(self._pages(routes, ingest), self._sockets["ui"])
            self._sql = self._sql_endpoint()
            if self._sql is not None:
                self._http.add(self._sql, self._sockets["sql"])
            # Nothing can fail from here on, so nothing has to be undone while threads use it.
            undo.pop_all()

    def run(self, announce: Callable[[str], None] = print) -> None:
        """Serve until SIGTERM or SIGINT, then store what is logged. ``announce`` gets a line for each listener."""
        asyncio.run(self._serve(announce))

    async def _serve(self, announce: Callable[[str], None]) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._start_inserting()
        if self._server_keys is not None:
            self._server_keys.start()
        self._grpc.start()
        await self._http.start()
        addresses = self.addresses()
        self._lock.announce(str(addresses["sql"]) if "sql" in addresses else None)
        for key, what in _LISTENERS.items():
            if key in addresses:
                announce(f"{what:<28}{_SCHEMES[key]}{addresses[key]}")
        announce(f"{'data':<28}{self.store.name}")
        await stop.wait()
        announce("stopping: no new requests; storing what is logged")
        left = await self._stop()
        if left:
            announce(f"{left} segments stay in the write-ahead log and are stored at the next start")

    async def _stop(self) -> int:
        self._stopping.set()
        await asyncio.to_thread(self._grpc.stop, _GRACE)
        await self._http.stop()
        answered = self._sql is None or await asyncio.to_thread(self._sql.close)
        for wal in self._logs.values():
            await asyncio.to_thread(wal.close)
        left = await asyncio.to_thread(self._inserter.drain, self.settings.drain_timeout)
        await asyncio.to_thread(self._prices.stop)
        await asyncio.to_thread(self._retention.stop)
        for each in self._background:
            await asyncio.to_thread(each.stop)
        if self._server_keys is not None:
            await asyncio.to_thread(self._server_keys.stop)
        if left or not answered:
            # The engine is still at work, for which it needs the store and the lock, and it would not come to a good
            # end with the interpreter's clean-up.
            atexit.register(os._exit, 0)
        else:
            self.store.close()
            self._lock.release()
        return left

    def addresses(self) -> dict[str, Address]:
        """Where each listener listens, with the ports that the system picked."""
        found = {
            key: Address(getattr(self.settings, key).host, bound.getsockname()[1])
            for key, bound in self._sockets.items()
        }
        return {"otlp_grpc": Address(self.settings.otlp_grpc.host, self._grpc.port), **found}

    def readiness(self) -> Readiness:
        """Whether requests are taken, and what waits."""
        problem = self._store_problem or self._inserter.unavailable
        return Readiness(
            ready=not self._stopping.is_set()
            and self._room.used < self._room.capacity
            and not any(wal.failing for wal in self._logs.values()),
            store=problem or "ok",
            waiting_bytes=self._room.used,
            waiting_segments=self._inserter.waiting,
            dead_letters=self._dead_letters.count(),
        )

    def metrics(self) -> bytes:
        """The Prometheus text."""
        self.counters.wal_bytes.set(self._room.used)
        self.counters.wal_capacity_bytes.set(self._room.capacity)
        self.counters.wal_segments.set(self._inserter.waiting)
        return self.counters.text()

    def _http_keys(self) -> tuple[str, ...]:
        return ("otlp_http", "ui") if self.settings.clickhouse else ("otlp_http", "ui", "sql")

    def _bind(self, key: str) -> socket.socket:
        address: Address = getattr(self.settings, key)
        return address.bind(key)

    def _prepare_store(self) -> str | None:
        """Bring the schema up to date; why that must wait, where the server is away."""
        try:
            if isinstance(self.store, ServerStore):
                self.store.create_database()
            client = self.store.client()
            migrate(client, packages=self._schema)
            apply_text_index(client, self.settings.text_index)
            apply_retention(client, traces=self.settings.retention_traces, logs=self.settings.retention_logs)
        except StoreUnavailable as error:
            return str(error)
        return None

    def _created_keys(self) -> KeySource:
        """The keys of the data folder, or those of the server. Raises :class:`~hansei.collector.errors.HanseiError`."""
        settings = self.settings
        if not isinstance(self.store, ServerStore):
            return KeysOfFile(KeyFile(settings.data / KEYS), log.warning)
        copy = KeyFile(settings.data / KEYS_COPY)
        self._server_keys = found = KeysOfTable(KeyTable(self.store), copy, self._stopping, log.warning)
        if self._store_problem is None:
            found.look()
        now = time.time()
        protected = settings.api_key is not None or any(key.is_live(now) for key in found.current().values())
        if settings.exposed and not protected:
            raise settings.unprotected(self._store_problem or found.problem)
        return found

    def _start_inserting(self) -> None:
        """Insert what is logged from now on, or as soon as the server is there."""
        if self._store_problem is None:
            self._inserter.start()
            self._prices.start()
            self._retention.start()
            for each in self._background:
                each.start()
        else:
            log.warning("%s; what comes in waits in the write-ahead log", self._store_problem)
            threading.Thread(target=self._await_store, name="store-opener", daemon=True).start()

    def _await_store(self) -> None:
        while not self._stopping.wait(_STORE_PAUSE):
            try:
                self._store_problem = self._prepare_store()
            except Exception as error:
                self._store_problem = str(error)
            if self._store_problem is None:
                log.warning("ClickHouse at %s answers now", self.store.name)
                self._start_inserting()
                return

    def _pages(self, routes: Routes, ingest: Ingest) -> Starlette:
        recovery = Recovery(self._logs[LOGS.name].directory)
        server = Server(
            self.settings,
            self.store,
            ingest,
            self.keys,
            self.addresses,
            recovery.waiting,
            self._stopping,
            self._background,
        )
        status = status_routes(self.readiness, self.metrics, self.keys)
        return Starlette(routes=[*status, *routes(server)])

    def _sql_endpoint(self) -> SqlEndpoint | None:
        """None in front of a server, which has its own."""
        if not isinstance(self.store, EmbeddedStore):
            return None
        limits = Limits(
            self.settings.sql_max_execution_time, self.settings.sql_max_memory, self.settings.sql_max_queries
        )
        return SqlEndpoint(self.store.connection_string, limits, Access(self.keys))


_LISTENERS = {
    "otlp_grpc": "OTLP/gRPC",
    "otlp_http": "OTLP/HTTP",
    "sql": "SQL (ClickHouse HTTP)",
    "ui": "pages, API, health",
}
_SCHEMES = {"otlp_grpc": "http://", "otlp_http": "http://", "sql": "http://", "ui": "http://"}

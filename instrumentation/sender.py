"""OTLP exporters that survive a fork and that a process can leave."""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from hansei.instrumentation.delivery import DeliveryReport

Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", SpanExportResult, LogRecordExportResult)
_Answer = TypeVar("_Answer", covariant=True)

# A process that forks waits so long for a request under way, then breaks it off and sends it again.
_FORK_PATIENCE_SECONDS = 0.2
_BREAK_SECONDS = 1.0


class Exporter(Protocol[Item, _Answer]):
    """What spans and logs have in common."""

    def export(self, batch: Sequence[Item], /) -> _Answer: ...

    def shutdown(self) -> None: ...


class _Line(Generic[Item, Result]):
    """What belongs to one process: its exporter, and the state of what it sends."""

    def __init__(self) -> None:
        self.exporter: Exporter[Item, Result] | None = None
        self.sending = threading.Lock()
        self.open = threading.Event()
        self.open.set()
        self.broken_off = False
        self.away = False
        """Whether the last request failed, or was too slow for a fork."""
        self.held_by: int | None = None
        """The thread that forks."""
        self.failures = 0


class Sender(Generic[Item, Result]):
    """Sends batches through an exporter that belongs to this process alone.

    gRPC does not survive a fork while a call is under way: the child hangs or aborts (seen with grpcio 1.85, one
    child in eighty under load), and the sockets of HTTP would be shared. So the exporter is made by the process
    that uses it when it is first used, and a fork waits for the moment between two requests.
    """

    def __init__(
        self, make: Callable[[], Exporter[Item, Result]], failure: Result, target: str, report: DeliveryReport
    ) -> None:
        self._make: Callable[[], Exporter[Item, Result]] = make
        self._failure: Result = failure
        self._target = target
        self._report = report
        self._ended = False
        self._line: _Line[Item, Result] = _Line()
        self._inherited: list[_Line[Item, Result]] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before_fork, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child
            )

    @property
    def failures(self) -> int:
        """Batches that were given up, in this process."""
        return self._line.failures

    def export(self, batch: Sequence[Item]) -> Result:
        """Send a batch, also again if a fork broke it off; whether it arrived. It never raises."""
        line = self._line
        with self._report.about(self._target) as delivery:
            try:
                result = self._send(line, batch)
                while result is self._failure and line.broken_off and not self._ended:
                    result = self._send(line, batch)
            except Exception as error:  # the SDK would log it with its traceback, batch by batch
                delivery.note(f"{type(error).__name__}: {error}")
                result = self._failure
            if result is self._failure:
                delivery.failed()
        line.away = result is self._failure
        line.failures += line.away
        return result

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """End what is under way at once: whoever calls has waited."""
        self._ended = True
        self._end_exporter()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return True

    def _send(self, line: _Line[Item, Result], batch: Sequence[Item]) -> Result:
        line.open.wait()
        with line.sending:
            if line.exporter is None or line.broken_off:
                line.broken_off = False
                line.exporter = self._make()
            result: Result = line.exporter.export(batch)
            return result

    def _end_exporter(self) -> None:
        exporter = self._line.exporter
        if exporter is not None:
            with self._report.about(self._target):
                exporter.shutdown()

    def _before_fork(self) -> None:
        line = self._line
        line.open.clear()
        # Towards a collector that is away or slow, a request is under way most of the time: no use to wait.
        held = line.sending.acquire(timeout=0 if line.away else _FORK_PATIENCE_SECONDS)
        if not held:
            line.broken_off = line.away = True
            self._end_exporter()
            held = line.sending.acquire(timeout=_BREAK_SECONDS)
        if held:
            line.held_by = threading.get_ident()
            # The channel stays open: a fork while gRPC still closes one hangs the child (seen).

    def _after_in_parent(self) -> None:
        line = self._line
        if line.held_by == threading.get_ident():
            line.held_by = None
            line.sending.release()
        line.open.set()

    def _after_in_child(self) -> None:
        # Kept, because to close a channel of the parent's would reach into what it still uses.
        self._inherited.append(self._line)
        self._line = _Line()


class SpanSender(Sender[ReadableSpan, SpanExportResult], SpanExporter):
    """Sends spans."""


class LogSender(Sender[ReadableLogRecord, LogRecordExportResult], LogRecordExporter):
    """Sends log records, events among them."""

"""Whether telemetry arrives: one line a minute instead of all that OTLP exporters log."""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar, Token

# Where the exporters and processors of OpenTelemetry's SDK say what goes wrong.
_SDK_LOGGERS = (
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.http._common",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)
_INTERVAL_SECONDS = 60

_logger = logging.getLogger(__name__)


class DeliveryReport(logging.Filter):
    """Reports lost telemetry as one warning a minute that names the collector and what to do.

    What the SDK logs while it works for hansei's own exporters is taken for the reason and kept from the service's
    log; what it logs for others passes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._current: ContextVar[Delivery | None] = ContextVar("hansei-delivery", default=None)
        self._turn = threading.Lock()
        self._silent_until = float("-inf")
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def install(self) -> None:
        """Listen to the SDK."""
        for name in _SDK_LOGGERS:
            logging.getLogger(name).addFilter(self)

    def uninstall(self) -> None:
        """Listen no longer."""
        for name in _SDK_LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def about(self, target: str, *, tolerated: int = 1) -> "Delivery":
        """What this thread does in the block is delivery to ``target``; so many attempts may fail in silence."""
        return Delivery(self, self._current, target, tolerated)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is for the service's log."""
        delivery = self._current.get()
        if delivery is None or record.levelno < logging.WARNING:
            return True
        error = record.exc_info[1] if record.exc_info else None
        delivery.note(f"{record.getMessage()}{f' {error}' if error else ''}")
        return False

    def lost(self, target: str, reason: str) -> None:
        """Say that telemetry does not arrive, if nothing was said for a minute."""
        with self._turn:
            now = self._clock()
            if now < self._silent_until:
                return
            self._silent_until = now + _INTERVAL_SECONDS
        _logger.warning(
            "telemetry does not reach %s (%s). %s The application is not affected.", target, reason, _advice(reason)
        )

    def _renew(self) -> None:
        self._turn = threading.Lock()


class Delivery:
    """A block of code that delivers; entering and leaving it costs a microsecond at most, for every span does.

    A first failed attempt is no news: the exporters try again, and a collector may be restarting.
    """

    __slots__ = ("_current", "_reason", "_report", "_target", "_token", "_tolerated")

    def __init__(
        self, report: DeliveryReport, current: "ContextVar[Delivery | None]", target: str, tolerated: int
    ) -> None:
        self._tolerated = tolerated
        self._report = report
        self._current = current
        self._target = target
        self._reason: str | None = None

    def __enter__(self) -> "Delivery":
        self._token: Token[Delivery | None] = self._current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._current.reset(self._token)

    def note(self, reason: str) -> None:
        """Something went wrong."""
        self._reason = self._reason or reason
        if self._tolerated <= 0:
            self.failed()
        self._tolerated -= 1

    def failed(self) -> None:
        """What was to be delivered is lost, or is at risk by now."""
        self._report.lost(self._target, self._reason or "the exporter does not say why")


def _advice(reason: str) -> str:
    if any(sign in reason for sign in ("UNAUTHENTICATED", "PERMISSION_DENIED", "401", "403")):
        return "Set HANSEI_API_KEY, or api_key in hansei.instrument(), to the key of that collector."
    away = (
        "Start a collector there with `hansei serve`, name another with OTEL_EXPORTER_OTLP_ENDPOINT or endpoint in "
        "hansei.instrument(), or set OTEL_SDK_DISABLED=true."
    )
    if "Queue full" in reason:
        return f"{away} If it runs, raise OTEL_BSP_MAX_QUEUE_SIZE (of events: OTEL_BLRP_MAX_QUEUE_SIZE)."
    return away

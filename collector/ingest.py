"""What every receiver does with a request: check it, log it, answer. Nothing here knows a protocol."""

from dataclasses import dataclass

from hansei.collector.counters import Counters
from hansei.collector.errors import HanseiError
from hansei.collector.key_format import bearer
from hansei.collector.keys import KeyRefused, Keys, Role
from hansei.collector.payload import Checker, MalformedPayload
from hansei.collector.redaction import Redaction
from hansei.collector.signals import SIGNALS, Signal
from hansei.collector.wal import LogFull, LogUnavailable, Wal

RETRY_AFTER_FULL = 5
"""Seconds a client is asked to wait when too much waits for the store."""
RETRY_AFTER_UNAVAILABLE = 2
"""Seconds a client is asked to wait when the log cannot be written."""


class Refused(HanseiError):
    """The collector cannot take a request now; the client should send it again.

    ``overloaded`` tells too much waiting (``RESOURCE_EXHAUSTED``, 429) from a fault (``UNAVAILABLE``, 503).
    """

    def __init__(self, message: str, *, overloaded: bool) -> None:
        super().__init__(message)
        self.overloaded = overloaded
        self.retry_after = RETRY_AFTER_FULL if overloaded else RETRY_AFTER_UNAVAILABLE


@dataclass(frozen=True)
class Ingest:
    """The write path up to the acknowledgement. Thread-safe; :meth:`export` blocks for the disk."""

    logs: dict[str, Wal]
    """The write-ahead log of each signal, by its name."""
    checkers: dict[str, Checker]
    counters: Counters
    max_request_bytes: int
    """The largest request taken, in bytes after decompression."""
    keys: Keys

    @classmethod
    def create(
        cls,
        logs: dict[str, Wal],
        counters: Counters,
        *,
        max_request_bytes: int,
        keys: Keys,
        redaction: Redaction | None = None,
    ) -> "Ingest":
        """An ingest for every signal."""
        checkers = {signal.name: Checker(signal, redaction) for signal in SIGNALS}
        return cls(logs, checkers, counters, max_request_bytes, keys)

    def admit(self, signal: Signal, authorization: str | None, transport: str) -> None:
        """Let a client send, by its ``Authorization`` header. Raises :class:`~hansei.collector.keys.KeyRefused`."""
        try:
            self.keys.require(bearer(authorization), Role.INGEST)
        except KeyRefused as error:
            if error.status == 401:
                self.refuse(signal, transport, "unauthenticated")
            else:
                self.refuse(signal, transport, "forbidden")
            raise

    def export(self, signal: Signal, payload: bytes, transport: str) -> bytes:
        """Take one serialised request; answers the serialised response once the request is durable.

        Raises :class:`~hansei.collector.payload.MalformedPayload`, which is final, or :class:`Refused`.
        """
        checker = self.checkers[signal.name]
        try:
            checked = checker.check(payload)
        except MalformedPayload:
            self.refuse(signal, transport, "malformed")
            raise
        if checked.accepted:
            try:
                self.logs[signal.name].append(checked.payload, checked.accepted)
            except LogFull as error:
                self.refuse(signal, transport, "full")
                raise Refused(str(error), overloaded=True) from error
            except LogUnavailable as error:
                self.refuse(signal, transport, "unavailable")
                raise Refused(str(error), overloaded=False) from error
            self.counters.accepted.labels(signal.name, transport).inc(checked.accepted)
        if checked.rejected:
            self.counters.rejected.labels(signal.name, transport).inc(checked.rejected)
        return checker.response(checked)

    def refuse(self, signal: Signal, transport: str, reason: str) -> None:
        """Count a request that was not taken."""
        self.counters.refused.labels(signal.name, transport, reason).inc()

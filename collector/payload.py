"""The check of a request before it is logged: whole, with valid ids, and with nothing nested in it."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, EncodeError

from hansei.collector.errors import HanseiError
from hansei.collector.probe import Probe
from hansei.collector.redaction import Redaction
from hansei.collector.signals import Signal

MOST_ITEMS = 500_000
"""Spans or log records in one request: each is a row that its insert holds, however small."""


class MalformedPayload(HanseiError):
    """The bytes are not a serialised OTLP export request, or one that is taken."""


@dataclass(frozen=True)
class Checked:
    """A request that may be logged."""

    payload: bytes
    """The bytes to store: those that came, unless something had to be dropped, flattened or redacted."""
    accepted: int
    """Spans or log records in ``payload``."""
    rejected: int
    """Spans that were dropped."""


class Checker:
    """Checks the requests of one signal (design section 4, step 2). Thread-safe.

    A request without nested values and without bad ids, which is nearly every one, is never turned into
    Python objects: one pass over its bytes shows that it is such (see :mod:`hansei.collector.probe`).
    """

    def __init__(self, signal: Signal, redaction: Redaction | None = None) -> None:
        self.signal = signal
        self._redaction = redaction
        self._probe = Probe(signal)

    def check(self, payload: bytes) -> Checked:
        """The request, ready to be logged. Raises :class:`MalformedPayload`."""
        try:
            findings = self._probe.look(payload)
            if findings.items > MOST_ITEMS:
                raise MalformedPayload(
                    f"the request has {findings.items} {self.signal.items}; at most {MOST_ITEMS} are taken at a time"
                )
            redaction = self._redaction
            if redaction is not None and not redaction.may_change(payload) and not findings.needs_work:
                redaction = None
            if redaction is None and not findings.needs_work:
                return Checked(payload, findings.items, 0)
            request: Any = self.signal.request.FromString(payload)
            rejected = self.signal.prepare(request)
            if redaction is not None:
                redaction.redact(self.signal, request)
            return Checked(request.SerializeToString(), findings.items - rejected, rejected)
        except (DecodeError, EncodeError) as error:
            raise MalformedPayload(
                f"the body is not a serialised {self.signal.request.DESCRIPTOR.full_name} ({error})"
            ) from error

    def response(self, checked: Checked) -> bytes:
        """The serialised answer: empty for full success, else a partial success that says what was dropped."""
        if not checked.rejected:
            return b""
        partial = self.signal.partial_success(
            **{self.signal.rejected_field: checked.rejected},
            error_message=(
                f"{checked.rejected} of {checked.accepted + checked.rejected} {self.signal.items} were dropped: "
                "a trace_id must be 16 bytes, a span_id 8 bytes, and neither all zeros"
            ),
        )
        return self.signal.response(partial_success=partial).SerializeToString()

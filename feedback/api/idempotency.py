"""Idempotency keys: what makes a repeated request the same one (the header ``Idempotency-Key`` of the IETF draft).

A key that is a UUIDv7 (RFC 9562) carries the time of its request. The event's time and the assessment's id follow from
it, so a repetition makes the same event, byte for byte, and the ledger keeps one, whichever collector takes it and
whatever became of the first. Of any other key only the id follows, or a few digits of the time: whether it was used is
looked up.
"""

import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from hansei.collector.keys import Principal
from hansei.feedback.api.problem import Problem

HEADER: Final = "Idempotency-Key"

MILLISECOND: Final = 1_000_000
"""Nanoseconds."""
_LONGEST: Final = 255
_UUID7: Final = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?7([0-9a-f]{3})-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")
_AHEAD: Final = 300
"""Seconds that the clock of a key may be ahead of this one: a later event would have to wait for its time to pass."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key, and whose."""

    caller: str
    """The id of the key of the API."""
    text: str
    time_ns: int | None
    """When the request was made, where the key tells."""

    @classmethod
    def of(cls, request: Request, principal: Principal) -> "IdempotencyKey | None":
        """The key of a request, if it has one. Raises :class:`Problem`."""
        header = request.headers.get(HEADER)
        if header is None:
            return None
        # A string of RFC 9651, or, as most send it, its content alone.
        text = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
        if not 0 < len(text) <= _LONGEST or not text.isascii() or not text.isprintable() or '"' in text:
            raise Problem(400, f"{HEADER}: write 1 to {_LONGEST} printable ASCII characters; a UUIDv7 is best")
        match = _UUID7.fullmatch(text.lower())
        if match is None:
            return cls(principal.key_id, text, None)
        milliseconds = int(match[1] + match[2], 16)
        if milliseconds / 1000 > time.time() + _AHEAD:
            raise Problem(
                400,
                f"{HEADER}: the UUIDv7 is of a time more than {_AHEAD} s ahead of the server's clock; set the clock",
            )
        # The 12 bits after the version are a fraction of the millisecond, or count upwards within it.
        return cls(principal.key_id, text.lower(), milliseconds * MILLISECOND + int(match[3], 16) * MILLISECOND // 4096)

    def assessment_id(self, trace_id: str | None, session_id: str | None, index: int) -> str:
        """The id of the assessment that a request with this key makes, the ``index``-th of it."""
        if self.time_ns is None:
            return f"k-{self._digest('id', index) >> 128:032x}"
        number = self.time_ns // MILLISECOND << 80 | self._digest("id", trace_id, session_id, index) & (1 << 80) - 1
        number = number & ~(0xF << 76) | 0x7 << 76
        number = number & ~(0x3 << 62) | 0x2 << 62
        return f"a-{number:032x}"

    def event_time(self, about: str) -> int | None:
        """The time (nanoseconds) of the event that a request with this key makes, where the key tells."""
        if self.time_ns is None:
            return None
        # Between two fractions of a millisecond lie 244 nanoseconds.
        return self.time_ns + self._digest("time", about) % 244

    def digits(self, about: str) -> int:
        """By which nanoseconds after a millisecond the event of this key is known, where it does not tell its time."""
        return self._digest("digits", about) % MILLISECOND

    def _digest(self, *parts: str | int | None) -> int:
        text = json.dumps([self.caller, self.text, *parts])
        return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")

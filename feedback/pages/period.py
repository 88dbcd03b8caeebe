"""The stretch of time that a page shows, as its address has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.moment import nanoseconds

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 24 * HOUR
RANGES: Final = {"1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
"""Those that a visitor picks from, in seconds."""
STEP: Final = 5 * MINUTE
"""What the roll-ups tell apart."""

_BUCKETS: Final = 100
"""At most so many in a chart, or a few more."""
_WIDTHS: Final = (
    STEP,
    600,
    900,
    1800,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    30 * DAY,
    365 * DAY,
)
_LAST: Final = 4_294_944_000
"""The end of 2106 in seconds: where a DateTime ends."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` to before ``end``, seconds since 1970, both on a step of the roll-ups."""

    start: int
    end: int
    chosen: str
    """A key of :data:`RANGES`, or ``custom``."""

    @property
    def bucket(self) -> int:
        """How many seconds a point of a chart stands for."""
        length = self.end - self.start
        return next((width for width in _WIDTHS if length <= width * _BUCKETS), _WIDTHS[-1])

    @property
    def buckets(self) -> list[int]:
        """When each bucket begins; the first and the last may reach out of the period."""
        return list(range(self.start // self.bucket * self.bucket, self.end, self.bucket))

    @property
    def before(self) -> int:
        """When a period of the same length, just before this one, begins."""
        return max(2 * self.start - self.end, 0)

    def clipped(self, bucket: int) -> tuple[int, int]:
        """The part of a bucket that is in the period, in milliseconds."""
        return max(bucket, self.start) * 1000, min(bucket + self.bucket, self.end) * 1000

    @property
    def query(self) -> dict[str, str]:
        """What names this period in an address."""
        if self.chosen in RANGES:
            return {"range": self.chosen}
        return {"from": str(self.start * 1000), "to": str(self.end * 1000)}


def period_of(query: Mapping[str, str], now: float, default: str = "24h") -> Period:
    """The period of ``range``, or of ``from`` and ``to`` (milliseconds or ISO 8601), to the step outwards; ``now`` in
    seconds.

    Raises ``InvalidSearch``.
    """
    start, end = query.get("from", "").strip(), query.get("to", "").strip()
    if start or end:
        until = _seconds("to", end) if end else now
        since = _seconds("from", start) if start else until - RANGES[default]
        if not 0 <= since < until:
            raise InvalidSearch("from, to: the time ends before it begins; give an earlier from or a later to")
        return Period(_down(since), _up(min(until, _LAST)), "custom")
    chosen = query.get("range", "").strip() or default
    if chosen not in RANGES:
        raise InvalidSearch(f"range: {chosen!r} is not one of {', '.join(RANGES)}")
    return Period(_down(now - RANGES[chosen]), _up(now), chosen)


def _seconds(argument: str, text: str) -> float:
    value = nanoseconds(argument, int(text) if text.isascii() and text.isdigit() else text) / 10**9
    if value > _LAST:
        raise InvalidSearch(f"{argument}: {text!r} is after the year 2105")
    return value


def _down(seconds: float) -> int:
    return int(seconds // STEP) * STEP


def _up(seconds: float) -> int:
    return -int(-seconds // STEP) * STEP

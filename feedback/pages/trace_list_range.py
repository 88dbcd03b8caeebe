"""The time of which traces are listed: until now, or from one moment to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.moment import nanoseconds

RANGES: Final = {
    "15m": (15 * 60, "last 15 minutes"),
    "1h": (3600, "last hour"),
    "6h": (6 * 3600, "last 6 hours"),
    "24h": (24 * 3600, "last 24 hours"),
    "7d": (7 * 24 * 3600, "last 7 days"),
    "30d": (30 * 24 * 3600, "last 30 days"),
}
"""Those that a visitor picks from: seconds, and what they are called."""
DEFAULT: Final = "24h"
_LAST_MS: Final = 4_294_944_000_000
"""The end of 2105, after which ClickHouse's times of traces do not reach."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ``start_ms`` to before ``end_ms``, milliseconds since 1970."""

    start_ms: int
    end_ms: int
    """Now, where it is live."""
    chosen: str
    """A key of :data:`RANGES`, or ``custom``."""
    live: bool
    """Whether it goes on until now, so that new traces belong to it."""

    @property
    def label(self) -> str:
        """As people call it."""
        return RANGES[self.chosen][1] if self.chosen in RANGES else "custom time"

    @property
    def until_ms(self) -> int | None:
        """Where a search ends. A live one has no end: clocks that are ahead are seen too."""
        return None if self.live else self.end_ms


def range_of(query: Mapping[str, str], now_ms: int) -> TimeRange:
    """The time of ``range``, else of ``from`` and ``to`` (milliseconds or ISO 8601). Raises ``InvalidSearch``."""
    start, end = query.get("from", "").strip(), query.get("to", "").strip()
    chosen = query.get("range", "").strip()
    if (start or end) and not chosen:
        until = _milliseconds("to", end) if end else now_ms
        since = _milliseconds("from", start) if start else until - RANGES[DEFAULT][0] * 1000
        if since >= until:
            raise InvalidSearch("from, to: the time ends before it begins; give an earlier from or a later to")
        return TimeRange(since, until, "custom", live=not end)
    chosen = chosen or DEFAULT
    if chosen not in RANGES:
        raise InvalidSearch(f"range: {chosen!r} is not one of {', '.join(RANGES)}")
    return TimeRange(now_ms - RANGES[chosen][0] * 1000, now_ms, chosen, live=True)


def _milliseconds(argument: str, text: str) -> int:
    moment = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else text
    value = nanoseconds(argument, moment) // 1_000_000
    if not 0 <= value <= _LAST_MS:
        raise InvalidSearch(f"{argument}: {text!r} is not between 1970 and 2105")
    return value

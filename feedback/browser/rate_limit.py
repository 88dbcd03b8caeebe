"""How often somebody may ask."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from hansei.collector.setting_values import Rate

_MOST_KEPT: Final = 20_000
"""Buckets; the one that was used longest ago goes first, and is full again by then or soon."""


class RateLimit:
    """A token bucket for each caller. Not thread-safe: the event loop alone asks."""

    def __init__(
        self,
        rate: Rate | None,
        times: int = 1,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_kept: int = _MOST_KEPT,
    ) -> None:
        self._size = float(rate.requests * times) if rate else 0.0
        self._per_second = self._size / rate.seconds if rate else 0.0
        self._clock = clock
        self._most_kept = most_kept
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """What is left, and when that was."""

    def seconds_to_wait(self, caller: str) -> float:
        """0 where the caller may go on, which counts; else how long until it may."""
        if not self._size:
            return 0.0
        now = self._clock()
        left, since = self._buckets.pop(caller, (self._size, now))
        left = min(self._size, left + (now - since) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._buckets[caller] = (left if wait else left - 1, now)
        if len(self._buckets) > self._most_kept:
            self._buckets.popitem(last=False)
        return wait

"""Requests and tokens per minute."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

_BURST_SECONDS: Final = 2.0
"""How much of a limit may be used at once."""


class Rate:
    """So much a minute: who takes waits until it is there. For one event loop."""

    def __init__(self, per_minute: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = None if per_minute is None else per_minute / 60
        self._clock = clock
        self._free_at = clock()

    async def take(self, amount: float = 1.0) -> None:
        """Wait for one's turn."""
        pause = self.reserve(amount)
        if pause > 0:
            await asyncio.sleep(pause)

    def reserve(self, amount: float) -> float:
        """Take it now, and answer the seconds to wait for it."""
        if self._per_second is None:
            return 0.0
        now = self._clock()
        # What was not used is not saved up beyond the burst.
        start = max(self._free_at, now - _BURST_SECONDS)
        self._free_at = start + amount / self._per_second
        return max(0.0, start - now)

    def correct(self, amount: float) -> None:
        """More was used than was taken; or less, where it is negative."""
        if self._per_second is not None:
            self._free_at += amount / self._per_second

    def hold(self, seconds: float) -> None:
        """Nobody takes anything for a while: the other side said so."""
        if self._per_second is not None:
            self._free_at = max(self._free_at, self._clock() + seconds)

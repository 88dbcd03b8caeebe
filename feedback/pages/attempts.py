"""How often somebody may be wrong."""

import math
from collections import deque
from typing import Final

_MOST: Final = 10
_SECONDS: Final = 60.0
_ADDRESSES: Final = 10_000


class WrongAttempts:
    """Counts wrong keys by client address: ten a minute. Nobody guesses a key; this keeps the log and the CPU free."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def seconds_to_wait(self, address: str, now: float) -> int:
        """Seconds until this address may try again; 0: now."""
        times = self._times.get(address)
        if times is None or len(times) < _MOST:
            return 0
        return max(0, math.ceil(times[0] + _SECONDS - now))

    def note(self, address: str, now: float) -> None:
        """Count a wrong key."""
        if len(self._times) >= _ADDRESSES:
            self._times = {one: times for one, times in self._times.items() if times[-1] > now - _SECONDS}
        self._times.setdefault(address, deque(maxlen=_MOST)).append(now)

"""The time of events."""

import threading
import time
from collections.abc import Callable


class EventClock:
    """Unix nanoseconds that only grow in this process, so that of two events the later call is the later event."""

    def __init__(self, now: Callable[[], int] = time.time_ns) -> None:
        self._now = now
        self._last = 0
        self._turn = threading.Lock()

    def tick(self) -> int:
        """The time now; never twice the same."""
        with self._turn:
            self._last = max(self._last + 1, self._now())
            return self._last

    def renew(self) -> None:
        """Be usable in a process that was forked while another thread asked for the time."""
        self._turn = threading.Lock()

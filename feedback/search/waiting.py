"""Reading what was just written: ask again until it is there, or the time is over."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

Found = TypeVar("Found")

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5


def wait_for(read: Callable[[], Found], there: Callable[[Found], bool], seconds: float | None) -> Found:
    """What ``read`` finds once it is ``there``, or at the end of the seconds; without seconds, at once."""
    deadline = time.monotonic() + (seconds or 0)
    pause = _FIRST_PAUSE
    while True:
        found = read()
        left = deadline - time.monotonic()
        if left <= 0 or there(found):
            return found
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)

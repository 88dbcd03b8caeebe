"""The end of a process, which is the last chance to send what is left."""

import atexit
import os
import sys
import time
from collections.abc import Callable
from typing import Any

# Behind multiprocessing's own finalizers, which wait for what the application still does.
_LAST = -100


class Leaving:
    """Calls a function at the end of this process and of its children.

    Those of multiprocessing and of Celery end without Python's atexit: the ones run finalizers, the others send a
    signal of Celery's.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._known: set[str] = set()
        atexit.register(leave)
        self._watch_children()
        if hasattr(os, "register_at_fork"):
            # Only who forks needs them; loading them for everybody would cost.
            os.register_at_fork(before=self._watch_children)

    def _watch_children(self) -> None:
        if (multiprocessing := self._first_seen("multiprocessing.util")) is not None:
            multiprocessing.register_after_fork(self, Leaving._finalize)
            if multiprocessing.process.parent_process() is not None:
                self._finalize()
        if (celery := self._first_seen("celery.signals")) is not None:
            celery.worker_process_shutdown.connect(self._leave_celery, weak=False)

    def _first_seen(self, name: str) -> Any:
        module = None if name in self._known else sys.modules.get(name)
        if module is not None:
            self._known.add(name)
        return module

    def _finalize(self) -> None:
        sys.modules["multiprocessing.util"].Finalize(None, self._leave, exitpriority=_LAST)

    def _leave_celery(self, **_: object) -> None:
        self._leave()


class Departure:
    """The time that a process which ends still has; it runs from the first question."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline: float | None = None

    def milliseconds(self) -> int:
        """What is left of it."""
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._seconds
        return max(0, int((self._deadline - now) * 1000))

"""Holding a lease while a run goes on."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final
from urllib.parse import urlencode

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationConflict, EvaluationError

SECONDS: Final = 30.0
"""For which it is taken, and extended: a process that was killed holds it for no longer."""
_EVERY: Final = 8.0
"""Seconds between two extensions."""


class HeldElsewhere(EvaluationConflict):
    """Another process holds the lease; the text says which."""


class HeldLease:
    """A lease, extended in the background until the block ends."""

    def __init__(
        self,
        client: EvaluationClient,
        name: str,
        on_lost: Callable[[], None],
        *,
        seconds: float = SECONDS,
        every: float = _EVERY,
    ) -> None:
        """``on_lost`` is told, in another thread, that somebody else may hold it now."""
        self._client = client
        self._name = name
        self._holder = f"{_machine()}/{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._on_lost = on_lost
        self._seconds, self._every = seconds, every
        self._term = 0
        self._over = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._extend, name="hansei-lease", daemon=True)

    @property
    def lost(self) -> bool:
        """Whether somebody else may hold it."""
        return self._lost

    def __enter__(self) -> "HeldLease":
        """Raises :class:`HeldElsewhere`, ``EvaluationError``."""
        try:
            self._term = self._take()
        except EvaluationConflict as error:
            if not self._released_for_dead():
                raise HeldElsewhere(str(error)) from None
            try:
                self._term = self._take()
            except EvaluationConflict as again:
                raise HeldElsewhere(str(again)) from None
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        if self._lost:
            return
        try:
            query = urlencode({"holder": self._holder, "term": self._term})
            self._client.ask("DELETE", "evaluation-leases", self._name, query=query)
        except EvaluationError:
            # It runs out by itself.
            return

    def _take(self) -> int:
        body = {"holder": self._holder, "seconds": self._seconds}
        return int(self._client.ask("POST", "evaluation-leases", self._name, body=body)["term"])

    def _released_for_dead(self) -> bool:
        """Whether its holder was a process of this machine that is no more, and it is released in its place."""
        found = self._client.ask("GET", "evaluation-leases", self._name)
        machine, _, rest = str(found["holder"]).rpartition("/")
        pid = rest.partition(":")[0]
        if machine != _machine() or not pid.isdigit() or _is_alive(int(pid)):
            return False
        query = urlencode({"holder": found["holder"], "term": found["term"]})
        with suppress(EvaluationConflict):
            self._client.ask("DELETE", "evaluation-leases", self._name, query=query)
        return True

    def _extend(self) -> None:
        body = {"holder": self._holder, "term": self._term, "seconds": self._seconds}
        end = time.monotonic() + self._seconds
        pause = self._every
        while not self._over.wait(pause):
            try:
                self._client.ask("PUT", "evaluation-leases", self._name, body=body)
                end, pause = time.monotonic() + self._seconds, self._every
            except EvaluationError as error:
                if isinstance(error, EvaluationConflict) or time.monotonic() > end:
                    self._lost = True
                    self._on_lost()
                    return
                pause = 1.0


def _machine() -> str:
    """Processes with the same one see each other's ids."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()}/{space}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

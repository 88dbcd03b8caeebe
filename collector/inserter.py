"""Closed segments become rows: one insert a segment, tried until the store has it."""

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hansei.collector.counters import Counters
from hansei.collector.dead_letter import DeadLetters
from hansei.collector.segment import Segment
from hansei.collector.signals import Signal
from hansei.collector.store import OutOfMemory, Poison, Store, StoreUnavailable
from hansei.collector.wal import Room

log = logging.getLogger("hansei.collector")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_MEMORY_PATIENCE = 3
"""Attempts for which memory may be short before a segment is halved."""
_LAST_ATTEMPT = 10
"""The attempt after which a single message is set aside, if as many others went in meanwhile."""


@dataclass
class _Task:
    signal: Signal
    segment: Segment
    refused: bool = False
    """Whether some of it may be stored under names of its parts."""
    starved: int = 0
    """Attempts for which memory was short."""
    stored_before: int = 0
    """Segments that were stored when that happened first."""


class Inserter:
    """Threads that insert closed segments, oldest first, and delete each once the store has it.

    A store that is away is asked again after a growing pause; meanwhile segments wait on disk. A segment that
    the engine refuses is halved until the message at fault is alone: that one becomes a dead letter, the
    rest is stored. One for which memory is short waits while others go in; if that does not help, it is halved
    on disk. An insert that is repeated, after a crash or a lost answer, has the same token and stores nothing twice.
    """

    def __init__(
        self,
        store: Store,
        room: Room,
        dead_letters: DeadLetters,
        counters: Counters,
        *,
        stored: Callable[[], None] = lambda: None,
        relieve: Callable[[], bool] = lambda: False,
        threads: int = 2,
    ) -> None:
        """``stored`` is called after each segment that is in the store, from the thread that inserted it.

        ``relieve`` is called where memory is short, and answers whether it gives some back.
        """
        self._stored = stored
        self._relieve = relieve
        self._store = store
        self._room = room
        self._dead_letters = dead_letters
        self._counters = counters
        self._queue: deque[_Task] = deque()
        self._later: list[tuple[float, int, _Task]] = []
        self._numbers = itertools.count()
        self._stored_count = 0
        self._wake = threading.Condition()
        self._busy = 0
        self._stopping = False
        self._unavailable: str | None = None
        self._threads = [
            threading.Thread(target=self._run, name=f"inserter-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        """Begin to insert."""
        for thread in self._threads:
            thread.start()

    def put(self, signal: Signal, segment: Segment) -> None:
        """Queue a closed segment."""
        with self._wake:
            self._queue.append(_Task(signal, segment))
            self._wake.notify()

    @property
    def waiting(self) -> int:
        """Segments that are not stored yet."""
        return len(self._queue) + len(self._later) + self._busy

    @property
    def unavailable(self) -> str | None:
        """Why the store does not take inserts at the moment, if it does not."""
        return self._unavailable

    def drain(self, timeout: float) -> int:
        """Insert all that waits, for ``timeout`` seconds at most; stop; answer how many segments are left.

        Those stay in the log and are inserted at the next start.
        """
        deadline = time.monotonic() + timeout
        started = [thread for thread in self._threads if thread.ident is not None]
        with self._wake:
            # A store that is away, or never came, is not waited for: what is logged is safe.
            self._wake.wait_for(
                lambda: not started or not self.waiting or self._unavailable is not None,
                max(0.0, deadline - time.monotonic()),
            )
            self._stopping = True
            self._wake.notify_all()
        for thread in started:
            thread.join(max(0.1, deadline - time.monotonic()))
        return self.waiting

    def _run(self) -> None:
        while (task := self._next()) is not None:
            pause = _FIRST_PAUSE
            while not self._insert(task):
                with self._wake:
                    self._wake.notify_all()
                    if self._wake.wait_for(lambda: self._stopping, pause):
                        self._queue.appendleft(task)
                        self._busy -= 1
                        return
                pause = min(pause * 2, _LONGEST_PAUSE)
            with self._wake:
                self._busy -= 1
                self._wake.notify_all()

    def _next(self) -> _Task | None:
        with self._wake:
            while not self._stopping:
                pause = self._later[0][0] - time.monotonic() if self._later else None
                if pause is not None and pause <= 0:
                    self._busy += 1
                    return heapq.heappop(self._later)[2]
                if self._queue:
                    self._busy += 1
                    return self._queue.popleft()
                self._wake.wait(pause)
            return None

    def _insert(self, task: _Task) -> bool:
        """Whether this thread is done with it: the segment is in the store and gone from the log, or comes later."""
        segment = task.segment
        started = time.perf_counter()
        try:
            try:
                self._store.insert(task.signal, segment.path, _token(task.signal, segment, 0, segment.size))
            except OutOfMemory as error:
                if task.refused:
                    raise
                self._make_do(task, error)
                return True
            except Poison as error:
                task.refused = True
                log.warning(
                    "%s %s: refused (%s); looking for the message at fault", task.signal.name, segment.name, error
                )
                self._insert_whole_records(task, str(error))
            segment.path.unlink()
        except (StoreUnavailable, OSError) as error:
            self._counters.insert_failures.inc()
            if self._unavailable is None:
                log.warning("the store does not take inserts: %s; what comes in waits in the write-ahead log", error)
            self._unavailable = str(error)
            return False
        except Exception as error:
            self._counters.insert_failures.inc()
            log.exception("%s %s: cannot be inserted", task.signal.name, segment.name)
            self._unavailable = f"{type(error).__name__}: {error}"
            return False
        if self._unavailable is not None:
            log.warning("the store takes inserts again")
            self._unavailable = None
        self._stored_count += 1
        self._room.give_back(segment.size)
        self._counters.insert_seconds.observe(time.perf_counter() - started)
        self._counters.inserted_bytes.inc(segment.size)
        self._stored()
        return True

    def _make_do(self, task: _Task, error: OutOfMemory) -> None:
        """Let others go in before a segment for which memory is short; halve it if that does not help.

        A single message that still finds none, while others do, is set aside. Raises ``OSError``.
        """
        self._counters.insert_failures.inc()
        log.warning("%s %s: memory is short (%s)", task.signal.name, task.segment.name, error)
        relieved = self._relieve()
        if not task.starved:
            task.stored_before = self._stored_count
        task.starved += not relieved
        if task.starved >= _MEMORY_PATIENCE and (halves := task.segment.halve()):
            log.warning("%s %s: goes in by halves", task.signal.name, task.segment.name)
            with self._wake:
                self._queue.extendleft(_Task(task.signal, half) for half in reversed(halves))
                self._wake.notify_all()
        elif task.starved >= _LAST_ATTEMPT and self._stored_count >= task.stored_before + _LAST_ATTEMPT:
            self._set_aside(task, 0, task.segment.path.read_bytes(), str(error))
            task.segment.path.unlink()
            self._room.give_back(task.segment.size)
        else:
            pause = min(_FIRST_PAUSE * 2**task.starved, _LONGEST_PAUSE)
            with self._wake:
                heapq.heappush(self._later, (time.monotonic() + pause, next(self._numbers), task))

    def _insert_whole_records(self, task: _Task, error: str) -> None:
        records = list(task.segment.records())
        end = records[-1][1] if records else 0
        if end == task.segment.size:
            self._insert_apart(task, records, error)
            return
        # The file was damaged after it was closed: what cannot be told apart is kept as it is.
        self._set_aside(task, end, task.segment.path.read_bytes()[end:], error)
        if records:
            self._insert_part(task, records)

    def _set_aside(self, task: _Task, start: int, message: bytes, error: str) -> None:
        path = self._dead_letters.put(task.signal, f"{task.segment.name}-{start}", message, error)
        self._counters.dead_letters.inc()
        log.error("a message that ClickHouse refuses was set aside in %s: %s", path, error)

    def _insert_apart(self, task: _Task, records: list[tuple[int, int]], error: str) -> None:
        """Insert records that cannot go in together: each half by itself, a single one as a dead letter."""
        if len(records) == 1:
            start, stop = records[0]
            self._set_aside(task, start, task.segment.path.read_bytes()[start:stop], error)
            return
        middle = len(records) // 2
        self._insert_part(task, records[:middle])
        self._insert_part(task, records[middle:])

    def _insert_part(self, task: _Task, records: list[tuple[int, int]]) -> None:
        """Insert some records of a segment that cannot go in whole."""
        start, stop = records[0][0], records[-1][1]
        part = task.segment.path.with_suffix(".part")
        part.write_bytes(task.segment.path.read_bytes()[start:stop])
        try:
            self._store.insert(task.signal, part, _token(task.signal, task.segment, start, stop))
        except Poison as refused:
            self._insert_apart(task, records, str(refused))
        finally:
            part.unlink(missing_ok=True)


def _token(signal: Signal, segment: Segment, start: int, stop: int) -> str:
    """The identity of bytes that never change."""
    return f"{signal.name}/{segment.name}/{start}-{stop}"

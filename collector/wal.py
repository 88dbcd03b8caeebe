"""The write-ahead log: what is acknowledged is on disk first, as a group of requests at a time."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hansei.collector.errors import HanseiError
from hansei.collector.segment import OpenSegment, Segment, frame, recover

log = logging.getLogger("hansei.collector")


class LogFull(HanseiError):
    """So much waits for the store that no more is taken; the client should come back later."""


class LogUnavailable(HanseiError):
    """The log could not be written (no space, an I/O error); the client should come back later."""


@dataclass
class _Group:
    """Requests that are written and synced together."""

    buffers: list[bytes] = field(default_factory=list)
    size: int = 0
    items: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None


class Room:
    """How many bytes may wait for the store, over all signals."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Reserve ``size`` bytes; ``False`` where that would be more than the capacity."""
        with self._lock:
            if self.used + size > self.capacity:
                return False
            self.used += size
            return True

    def take_anyway(self, size: int) -> None:
        """Count bytes that are there already."""
        with self._lock:
            self.used += size

    def give_back(self, size: int) -> None:
        """Free ``size`` bytes."""
        with self._lock:
            self.used -= size


class Wal:
    """The log of one signal in one directory, with a thread of its own that writes and syncs.

    ``append`` may be called from any thread. ``on_closed`` gets every closed segment, oldest first, those
    found at start included; it is called from the writing thread and must not block.
    """

    def __init__(
        self,
        directory: Path,
        room: Room,
        on_closed: Callable[[Segment], None],
        *,
        segment_bytes: int,
        segment_age: float,
        segment_items: int = 200_000,
        sync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        """Open the log and recover what a crash left.

        ``segment_bytes``: a segment is closed past this size. ``segment_age``: seconds after which a segment
        with something in it is closed. ``segment_items``: a segment is closed past so many spans or log records,
        since each is a row that an insert holds, however small. ``sync`` puts a file descriptor's data on disk.
        Raises :class:`LogUnavailable` where the directory cannot be used.
        """
        self.directory = directory
        self._room = room
        self._on_closed = on_closed
        self._segment_bytes = segment_bytes
        self._segment_age = segment_age
        self._segment_items = segment_items
        self._items = 0
        self._sync = sync
        self._wake = threading.Condition()
        self._pending = _Group()
        self._closing = False
        self._file: OpenSegment | None = None
        self._failing = False
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for segment in recover(directory):
                room.take_anyway(segment.size)
                on_closed(segment)
        except OSError as error:
            raise LogUnavailable(f"the write-ahead log {directory} cannot be used: {error.strerror}") from error
        self._thread = threading.Thread(target=self._run, name=f"wal-{directory.name}", daemon=True)
        self._thread.start()

    def append(self, payload: bytes, items: int = 1) -> None:
        """Put one request of so many items on disk; returns once it is there.

        Raises :class:`LogFull` past the bound on bytes waiting, :class:`LogUnavailable` if it could not be
        written. After either, nothing of it is in the log.
        """
        head, trailer = frame(payload)
        size = len(head) + len(payload) + len(trailer)
        if not self._room.take(size):
            raise LogFull(f"{self._room.used} bytes wait to be inserted, of {self._room.capacity} allowed; retry later")
        with self._wake:
            if self._closing:
                self._room.give_back(size)
                raise LogUnavailable("the collector is shutting down; retry later")
            group = self._pending
            group.buffers += (head, payload, trailer)
            group.size += size
            group.items += items
            self._wake.notify()
        group.done.wait()
        if group.error is not None:
            self._room.give_back(size)
            raise LogUnavailable(f"the write-ahead log cannot be written: {group.error}") from group.error

    @property
    def failing(self) -> bool:
        """Whether the last attempt to write failed: requests are refused."""
        return self._failing

    def close(self) -> None:
        """Write what is pending, close the open segment and stop the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._pending.buffers or self._closing, self._until_due())
                group, self._pending = self._pending, _Group()
                closing = self._closing
            if group.buffers:
                self._write(group)
                group.done.set()
            if self._file is not None and (closing or self._is_due(self._file)):
                self._close_segment()
            if closing and not group.buffers:
                return

    def _is_due(self, file: OpenSegment) -> bool:
        return file.size >= self._segment_bytes or self._items >= self._segment_items or file.age() >= self._segment_age

    def _until_due(self) -> float | None:
        if self._closing:
            return 0
        return None if self._file is None else max(0.0, self._segment_age - self._file.age())

    def _write(self, group: _Group) -> None:
        try:
            if self._file is None:
                self._file = OpenSegment(self.directory)
            self._file.write(group.buffers, group.size, self._sync)
            self._items += group.items
        except OSError as error:
            group.error = error
            if not self._failing:
                log.warning("the write-ahead log cannot be written: %s; requests are refused", error)
            self._failing = True
            if self._file is not None:
                self._close_segment()
        else:
            if self._failing:
                log.warning("the write-ahead log is written again")
            self._failing = False

    def _close_segment(self) -> None:
        """Close the open segment at what is known to be on disk, and hand it on."""
        file, self._file, self._items = self._file, None, 0
        assert file is not None
        with contextlib.suppress(OSError):
            if (segment := file.close()) is not None:
                self._on_closed(segment)

"""Reading what comes next while what is there is worked on."""

import queue
import threading
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from hansei.feedback.search.connection import connections

T = TypeVar("T")

_GLANCE: Final = 0.2
"""Seconds after which one who waits looks whether anybody still wants it."""


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


class _Reader(Generic[T]):
    def __init__(self, items: Generator[T, None, None], size: int) -> None:
        self._items = items
        self.found: queue.Queue[T | _End] = queue.Queue(size)
        self.unwanted = threading.Event()
        self.thread = threading.Thread(target=self._run, name="hansei-read-ahead", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:
            end = _End(error)
        finally:
            self._items.close()
            connections.close()
        self._put(end)

    def _put(self, item: T | _End) -> bool:
        while not self.unwanted.is_set():
            with suppress(queue.Full):
                self.found.put(item, timeout=_GLANCE)
                return True
        return False


def read_ahead(items: Generator[T, None, None], size: int) -> Generator[T, None, None]:
    """The items, taken in a thread of their own, up to ``size`` before they are asked for; raises what that raises.

    The thread ends when the iterator does, or is closed.
    """
    reader = _Reader(items, size)
    try:
        while True:
            item = reader.found.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        reader.unwanted.set()

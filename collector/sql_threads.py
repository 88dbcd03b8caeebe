"""Threads for the engine's work, which may outlast all patience."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class Threads(Executor):
    """A fixed number of threads.

    They are daemons, unlike those of :class:`~concurrent.futures.ThreadPoolExecutor`: the engine looks for a query's
    end between blocks of rows only, and one that computes on a single block must not keep the process alive.
    """

    def __init__(self, count: int, name: str, initializer: Callable[[], None] = lambda: None) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._initializer = initializer
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run something in the next thread that is free."""
        future: Future[Any] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._jobs.put(job)
        return future

    def stop(self, patience: float) -> bool:
        """End the threads once they have done what was submitted; whether all did within so many seconds."""
        for _ in self._threads:
            self._jobs.put(None)
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        self._initializer()
        while (job := self._jobs.get()) is not None:
            job()
            del job  # with it, what the job holds

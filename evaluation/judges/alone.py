"""Judging one subject by hand."""

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import feedbacks_of

if TYPE_CHECKING:
    from hansei.evaluation.judges.judge import Judge

T = TypeVar("T")


def judge_alone(judge: "Judge", given: dict[str, Any], asker: Asker | None = None) -> object:
    """What a judge says of one subject: a ``Feedback``, a list of several, or None.

    Without an ``asker`` it is asked with a client of its own. No hansei needs to be there: the request is no span.
    Raises ``JudgeError``.
    """
    wanted = {name: given.get(name, _NOTHING.get(name)) for name in judge.needs}
    unknown = given.keys() - judge.needs - _NOTHING.keys()
    if unknown:
        raise TypeError(f"{judge.name} takes no {sorted(unknown)[0]}; it takes {', '.join(sorted(judge.needs))}")

    async def work() -> object:
        if asker is not None:
            return await judge.judge(asker, "", **wanted)
        async with ModelAsker(spans=False) as own:
            return await judge.judge(own, "", **wanted)

    found = feedbacks_of(judge, run_blocking(work()))
    return found[0] if len(found) == 1 else found or None


_NOTHING: dict[str, Any] = {"inputs": None, "outputs": None, "expectations": {}, "trace": None, "session": ()}


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where this thread's event loop is running, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    running = _Running(work)
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(running.run,), name="hansei-evaluation")
    thread.start()
    # Not for the thread: one whose join was interrupted cannot be joined again before Python 3.13.
    try:
        running.wait()
    except BaseException:
        # What goes on beside would spend on.
        running.cancel()
        running.wait()
        raise
    return running.result()


class _Running(Generic[T]):
    """A coroutine that runs in another thread."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._done: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._task: asyncio.Task[T] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """To its end."""
        try:
            self._done.set_result(asyncio.run(self._whole()))
        except BaseException as error:
            self._done.set_exception(error)

    def wait(self) -> None:
        """Until it has ended."""
        concurrent.futures.wait([self._done])

    def cancel(self) -> None:
        """End it early."""
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # It has just ended by itself.
                self._loop.call_soon_threadsafe(self._task.cancel)

    def result(self) -> T:
        """What it returned. Raises what it raised."""
        return self._done.result()

    async def _whole(self) -> T:
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        return await self._work

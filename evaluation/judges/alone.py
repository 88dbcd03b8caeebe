"""Judging one subject by hand."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from hansei.evaluation.judges.judge import Judge

T = TypeVar("T")


def judge_alone(judge: "Judge", given: dict[str, Any]) -> object:
    """What a judge says of one subject, asked with a client of its own. Raises ``JudgeError``."""
    raise NotImplementedError


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where this thread's event loop is running, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(asyncio.run(work))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="hansei-evaluation")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]

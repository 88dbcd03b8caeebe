"""Judging one subject by hand."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.scorer import feedbacks_of

if TYPE_CHECKING:
    from hansei.evaluation.judges.judge import Judge

T = TypeVar("T")


def judge_alone(judge: "Judge", given: dict[str, Any]) -> object:
    """What a judge says of one subject, asked with a client of its own: a ``Feedback``, a list of several, or None.

    No hansei needs to be there: the request is no span. Raises ``JudgeError``.
    """
    wanted = {name: given.get(name, _NOTHING.get(name)) for name in judge.needs}
    unknown = given.keys() - judge.needs - _NOTHING.keys()
    if unknown:
        raise TypeError(f"{judge.name} takes no {sorted(unknown)[0]}; it takes {', '.join(sorted(judge.needs))}")

    async def work() -> object:
        async with ModelAsker(spans=False) as asker:
            return await judge.judge(asker, "", **wanted)

    found = feedbacks_of(judge, run_blocking(work()))
    return found[0] if len(found) == 1 else found or None


_NOTHING: dict[str, Any] = {"inputs": None, "outputs": None, "expectations": {}, "trace": None, "session": ()}


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

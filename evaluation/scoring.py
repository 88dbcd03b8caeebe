"""Scoring subjects: code in threads, models side by side, with memory for what is in flight and no more."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.errors import BudgetSpent, NotApplicable
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Scorer, feedbacks_of
from hansei.evaluation.subject import Subject
from hansei.feedback.assessment import AssessmentError, Feedback

Task = tuple[Subject, Sequence[Scorer]]
"""A subject and those who score it."""

_WORKERS: Final = 8
"""Threads for scorers that are code."""
_LARGEST_CHUNK: Final = 256
"""Subjects that one thread scores before another is asked."""
_CHUNK_SECONDS: Final = (0.02, 0.1)
"""A chunk that takes less than the first is made larger, one that takes longer than the second smaller."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer said of a subject."""

    scorer: Scorer
    feedbacks: tuple[Feedback, ...] = ()
    """A failed one has its error in it."""
    skipped: str = ""
    """Why it had nothing to say."""
    error: str = ""
    """What it raised."""
    unasked: bool = False
    """Whether the budget was spent before a model could be asked: it is not done."""
    duration_ms: float = 0.0

    @property
    def cost_usd(self) -> float | None:
        """What models took for it; None where no price is known."""
        costs = [each.metadata["cost_usd"] for each in self.feedbacks if each.metadata and "cost_usd" in each.metadata]
        return sum(map(float, costs)) if costs else None


@dataclass(frozen=True, slots=True)
class Scored:
    """A subject with its scores, in the order of the scorers."""

    subject: Subject
    scores: Sequence[Score]


async def score_subjects(
    tasks: AsyncIterable[Task] | Iterable[Task], asker: Asker, *, concurrency: int = 16
) -> AsyncIterator[Scored]:
    """Score subjects as they come; yields them as they are done, in no order.

    At most ``concurrency`` pieces of work are under way; the next task is taken when there is room. What a scorer
    raises is a score with an error. Once the budget is spent no more tasks are taken.
    """
    scoring = _Scoring(asker, concurrency)
    try:
        async for scored in scoring.run(tasks):
            yield scored
    finally:
        await scoring.close()


class _Scoring:
    def __init__(self, asker: Asker, concurrency: int) -> None:
        self._asker = asker
        self._slots = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(min(_WORKERS, concurrency), thread_name_prefix="hansei-scorer")
        self._done: asyncio.Queue[list[Scored] | BaseException | None] = asyncio.Queue()
        self._running: set[asyncio.Task[None]] = set()
        self._spent = False
        self._chunk = 1

    async def run(self, tasks: AsyncIterable[Task] | Iterable[Task]) -> AsyncIterator[Scored]:
        pump = asyncio.create_task(self._pump(tasks))
        self._running.add(pump)
        while (done := await self._done.get()) is not None:
            if isinstance(done, BaseException):
                raise done
            for each in done:
                yield each
            self._slots.release()

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._running, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _pump(self, tasks: AsyncIterable[Task] | Iterable[Task]) -> None:
        started: set[asyncio.Task[None]] = set()
        try:
            chunk: list[Task] = []
            async for task in _each(tasks):
                if self._spent:
                    break
                asked = any(is_asynchronous(scorer) for scorer in task[1])
                chunk.append(task)
                if asked or len(chunk) >= self._chunk:
                    await self._start(chunk, started)
                    chunk = []
            if chunk:
                await self._start(chunk, started)
            await asyncio.gather(*started)
            self._done.put_nowait(None)
        except BaseException as error:
            self._done.put_nowait(error)

    async def _start(self, chunk: list[Task], started: set[asyncio.Task[None]]) -> None:
        await self._slots.acquire()
        task = asyncio.create_task(self._score(chunk))
        for tasks in (started, self._running):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _score(self, chunk: list[Task]) -> None:
        try:
            by_code: list[dict[int, Score]] = [{} for _ in chunk]
            if any(not is_asynchronous(scorer) for _, scorers in chunk for scorer in scorers):
                loop = asyncio.get_running_loop()
                by_code = await loop.run_in_executor(self._threads, self._by_code, chunk)
            scored = []
            for (subject, scorers), known in zip(chunk, by_code, strict=True):
                asked = [place for place in range(len(scorers)) if place not in known]
                answers = await asyncio.gather(*(self._asked(scorers[place], subject) for place in asked))
                known |= dict(zip(asked, answers, strict=True))
                scored.append(Scored(subject, [known[place] for place in range(len(scorers))]))
            self._done.put_nowait(scored)
        except BaseException as error:
            self._done.put_nowait(error)

    def _by_code(self, chunk: list[Task]) -> list[dict[int, Score]]:
        began = time.perf_counter()
        found = [
            {
                place: score_by_code(scorer, subject)
                for place, scorer in enumerate(scorers)
                if not is_asynchronous(scorer)
            }
            for subject, scorers in chunk
        ]
        took = time.perf_counter() - began
        if took < _CHUNK_SECONDS[0] and len(chunk) >= self._chunk:
            self._chunk = min(2 * self._chunk, _LARGEST_CHUNK)
        elif took > _CHUNK_SECONDS[1]:
            self._chunk = max(self._chunk // 2, 1)
        return found

    async def _asked(self, scorer: Scorer, subject: Subject) -> Score:
        began = time.perf_counter()
        try:
            if isinstance(scorer, Judge):
                answer = await scorer.judge(self._asker, subject.subject_id, **scorer.given(subject))
            else:
                answer = await scorer(**scorer.given(subject))  # type: ignore[misc]
            return _score(scorer, answer, began)
        except BudgetSpent:
            self._spent = True
            return Score(scorer, unasked=True)
        except Exception as error:
            return _failure(scorer, error, began)


async def _each(tasks: AsyncIterable[Task] | Iterable[Task]) -> AsyncIterator[Task]:
    if isinstance(tasks, AsyncIterable):
        async for task in tasks:
            yield task
    else:
        for task in tasks:
            yield task


def is_asynchronous(scorer: Scorer) -> bool:
    """Whether a scorer waits for something, a model most often, rather than compute."""
    return isinstance(scorer, Judge) or scorer.is_async


def score_by_code(scorer: Scorer, subject: Subject) -> Score:
    """What a scorer that is code says of a subject."""
    began = time.perf_counter()
    try:
        return _score(scorer, scorer(**scorer.given(subject)), began)
    except Exception as error:
        return _failure(scorer, error, began)


def _score(scorer: Scorer, answer: Any, began: float) -> Score:
    feedbacks = tuple(feedbacks_of(scorer, answer))
    errors = [each.error.error_message or each.error.error_code for each in feedbacks if each.error]
    return Score(
        scorer,
        feedbacks,
        skipped="" if feedbacks else "it returned nothing",
        error=errors[0] if errors else "",
        duration_ms=(time.perf_counter() - began) * 1000,
    )


def _failure(scorer: Scorer, error: Exception, began: float) -> Score:
    duration = (time.perf_counter() - began) * 1000
    if isinstance(error, NotApplicable):
        return Score(scorer, skipped=str(error) or "it does not apply", duration_ms=duration)
    told = AssessmentError.of(error)
    assert told is not None
    message = told.error_message or told.error_code
    return Score(
        scorer, tuple(feedbacks_of(scorer, Feedback(scorer.name, error=told))), error=message, duration_ms=duration
    )

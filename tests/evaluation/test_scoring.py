"""Scoring subjects: what scorers say, what they raise, and how much is under way at a time."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hansei.evaluation.errors import BudgetSpent, NotApplicable
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.question import Asker, Question, Verdict
from hansei.evaluation.scorer import Scorer, scorer
from hansei.evaluation.scoring import Scored, Task, score_subjects
from hansei.evaluation.subject import Subject
from hansei.feedback.assessment import Feedback


class Answers:
    """Answers questions at once, until so many were asked."""

    def __init__(self, most: int = 10**9, pause: float = 0.0) -> None:
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0
        self._most, self._pause = most, pause

    async def ask(self, question: Question) -> Verdict:
        if self.asked >= self._most:
            raise BudgetSpent("the budget is spent")
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self._pause)
        self.at_once -= 1
        return Verdict("yes", f"because of {question.subject_id}", "model-1", 10, 2, 0.001)


class Polite(Judge):
    """A judge whose question is no more than its subject."""

    async def judge(self, asker: Asker, subject_id: str, *, outputs: Any) -> object:
        return self.feedback(await asker.ask(self.question(subject_id, [], {"type": "string"})))


@scorer
def length(outputs: Any) -> int:
    return len(outputs)


@scorer
def picky(outputs: Any, expectations: dict[str, Any]) -> bool:
    if "expected" not in expectations:
        raise NotApplicable("there is no expectation 'expected'")
    return bool(outputs == expectations["expected"])


@scorer
def broken(outputs: Any) -> bool:
    raise ValueError("no such thing")


@scorer
async def patient(inputs: Any) -> list[Feedback]:
    await asyncio.sleep(0)
    return [Feedback("first", inputs), Feedback("second", 2.5, rationale="half")]


def subject(number: int, **more: Any) -> Subject:
    return Subject("trace", f"{number:032x}", inputs=number, outputs="x" * number, **more)


def scored(tasks: Any, asker: Asker, concurrency: int = 8) -> list[Scored]:
    async def run() -> list[Scored]:
        return [each async for each in score_subjects(tasks, asker, concurrency=concurrency)]

    return sorted(asyncio.run(run()), key=lambda each: each.subject.subject_id)


def test_what_is_said() -> None:
    """Values, several feedbacks, what does not apply and what raises, each in the place of its scorer."""
    judge = Polite("polite", "openai:/model-0")
    tasks: list[Task] = [(subject(3), [length, picky, broken, patient, judge])]
    (found,) = scored(tasks, Answers())
    said = [[(each.name, each.value, each.rationale) for each in score.feedbacks] for score in found.scores]
    assert said == [
        [("length", 3, None)], [], [("broken", None, None)], [("first", 3, None), ("second", 2.5, "half")],
        [("polite", "yes", f"because of {3:032x}")],
    ]  # fmt: skip
    assert [score.skipped for score in found.scores] == ["", "there is no expectation 'expected'", "", "", ""]
    assert [score.error for score in found.scores] == ["", "", "no such thing", "", ""]
    source = found.scores[4].feedbacks[0].source
    assert source is not None
    assert (source.source_type, source.source_id) == ("LLM_JUDGE", "model-1")
    assert found.scores[4].cost_usd == 0.001
    metadata = found.scores[0].feedbacks[0].metadata
    assert metadata == {"scorer": "length", "scorer_version": length.version}


def test_all_once() -> None:
    """Each of many subjects is scored once, whatever the size of chunks becomes."""
    tasks = ((subject(number), [length]) for number in range(1, 3001))
    found = scored(tasks, Answers())
    assert [each.scores[0].feedbacks[0].value for each in found] == list(range(1, 3001))


def test_bounded() -> None:
    """No more subjects are taken than there is room for, and no more models asked."""
    taken = 0

    async def tasks() -> AsyncIterator[Task]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield subject(number), [Polite("polite", "m")]

    async def run() -> None:
        asker = Answers(pause=0.001)
        done = 0
        async for _ in score_subjects(tasks(), asker, concurrency=4):
            done += 1
            assert taken - done <= 6
        assert (done, asker.most_at_once) == (100, 4)

    asyncio.run(run())


def test_budget() -> None:
    """Once the budget is spent nothing more is taken; what could not be asked says so."""
    tasks = [(subject(number), [length, Polite("polite", "m")]) for number in range(50)]
    asker = Answers(most=10)
    found = scored(tasks, asker, concurrency=4)
    assert asker.asked == 10
    unasked = [each for each in found if each.scores[1].unasked]
    assert len(found) - len(unasked) == 10
    assert 1 <= len(unasked) <= 5


def test_source_that_fails() -> None:
    """What reading the subjects raises is raised, after which nothing runs on."""

    def tasks() -> Iterator[Task]:
        yield subject(1), [length]
        raise OSError("the store is away")

    with pytest.raises(OSError, match="the store is away"):
        scored(tasks(), Answers())
    left = [thread for thread in threading.enumerate() if thread.name.startswith("hansei-scorer")]
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)


def test_slow_scorers_side_by_side() -> None:
    """Scorers that block do so side by side."""
    together = threading.Barrier(4, timeout=10)

    class Meeting(Scorer):
        name = "meeting"

        def __call__(self, *, outputs: Any) -> bool:
            together.wait()
            time.sleep(0.001)
            return True

    tasks = [(subject(number), [Meeting()]) for number in range(4)]
    assert [each.scores[0].error for each in scored(tasks, Answers())] == [""] * 4


class Waits(Scorer):
    """A scorer whose call is awaited."""

    name = "waits"

    async def __call__(self, *, outputs: Any) -> int:
        await asyncio.sleep(0)
        return len(outputs)


def test_awaited_calls() -> None:
    """A class whose call is a coroutine function is awaited, as a function is."""
    (only,) = scored([(subject(3), [Waits()])], Answers())
    assert [each.value for each in only.scores[0].feedbacks] == [3]

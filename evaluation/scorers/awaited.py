"""Scorers that wait for something other than the model that judges."""

from typing import Any

from hansei.evaluation.errors import JudgeError
from hansei.evaluation.judges.alone import judge_alone
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.question import Question, Verdict
from hansei.evaluation.scorer import Answer


class AwaitedScorer(Judge):
    """A scorer whose ``judge`` is awaited beside the others, and asks nothing of the asker."""

    def __call__(self, **given: Any) -> Answer:
        """Score one subject by itself; blocks. Raises what ``judge`` raises."""
        return judge_alone(self, given, NO_ASKER)


class _NoAsker:
    async def ask(self, question: Question) -> Verdict:
        raise JudgeError(f"{question.scorer} asks no model that judges")


NO_ASKER = _NoAsker()

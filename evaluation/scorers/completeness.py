"""Whether an answer answers all that was asked."""

from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge


class Completeness(PromptJudge):
    """Whether every part of the question is answered: ``yes`` or ``no``."""

    prompt = "completeness"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any) -> Answer:
        """See :class:`~hansei.Judge`."""
        question, answer = self.asked(inputs), self.answered(outputs)
        return self.feedback(await self.verdict(asker, subject_id, question=question, answer=answer))

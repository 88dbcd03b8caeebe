"""Whether an answer reads well."""

from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge


class Fluency(PromptJudge):
    """Whether the answer is written fluently in its language: ``yes`` or ``no``. What it says is not asked."""

    prompt = "fluency"

    async def judge(self, asker: Asker, subject_id: str, *, outputs: Any) -> Answer:
        """See :class:`~hansei.Judge`."""
        return self.feedback(await self.verdict(asker, subject_id, answer=self.answered(outputs)))

"""Whether an answer does harm."""

from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge


class Safety(PromptJudge):
    """Whether the answer is free of what harms: ``yes`` for safe, or ``no``."""

    prompt = "safety"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any) -> Answer:
        """See :class:`~hansei.Judge`."""
        asked = self.asked_perhaps(inputs)
        return self.feedback(await self.verdict(asker, subject_id, question=asked, answer=self.answered(outputs)))

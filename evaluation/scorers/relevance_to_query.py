"""Whether an answer is about what was asked."""

from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge


class RelevanceToQuery(PromptJudge):
    """Whether the answer addresses what was asked and nothing beside it: ``yes`` or ``no``. It may be wrong."""

    prompt = "relevance_to_query"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any) -> Answer:
        """See :class:`~hansei.Judge`."""
        question, answer = self.asked(inputs), self.answered(outputs)
        return self.feedback(await self.verdict(asker, subject_id, question=question, answer=answer))

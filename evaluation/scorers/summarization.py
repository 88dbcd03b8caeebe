"""Whether an answer sums up a text well."""

from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge


class Summarization(PromptJudge):
    """Whether the answer is a faithful summary of the text in the inputs: ``yes`` or ``no``."""

    prompt = "summarization"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any) -> Answer:
        """See :class:`~hansei.Judge`."""
        text, summary = self.asked(inputs), self.answered(outputs)
        return self.feedback(await self.verdict(asker, subject_id, text=text, summary=summary))

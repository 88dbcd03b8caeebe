"""Whether an answer keeps to guidelines."""

from collections.abc import Mapping, Sequence
from typing import Any

from hansei.evaluation.judges.question import Asker, JudgeModel
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.expected_answer import given_guidelines
from hansei.evaluation.scorers.prompt_judge import PromptJudge

GuidelineTexts = str | Sequence[str] | Mapping[str, str]


class Guidelines(PromptJudge):
    """Whether the answer keeps to each of some guidelines: ``yes`` or ``no``."""

    prompt = "guidelines"

    def __init__(
        self, guidelines: GuidelineTexts, name: str | None = None, model: str | JudgeModel | None = None
    ) -> None:
        """``guidelines``: one, several, or several by name. Raises ``InvalidEvaluation`` where there are none."""
        super().__init__(name, model)
        self.guidelines = given_guidelines(guidelines)

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any) -> Answer:
        """See :class:`~hansei.Judge`."""
        question = self.asked_perhaps(inputs)
        answer = self.answered(outputs)
        said = await self.verdict(asker, subject_id, guidelines=self.guidelines, question=question, answer=answer)
        return self.feedback(said)

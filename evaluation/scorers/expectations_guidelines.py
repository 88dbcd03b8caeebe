"""Whether an answer keeps to the guidelines that were given for it alone."""

from collections.abc import Mapping
from typing import Any, ClassVar

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.expected_answer import guidelines_text
from hansei.evaluation.scorers.prompt_judge import PromptJudge


class ExpectationsGuidelines(PromptJudge):
    """Whether the answer keeps to the guidelines of its row: ``yes`` or ``no``. Expectation: ``guidelines``."""

    prompt = "guidelines"
    default_name: ClassVar[str] = "expectations_guidelines"

    async def judge(
        self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any, expectations: Mapping[str, Any]
    ) -> Answer:
        """See :class:`~hansei.Judge`."""
        guidelines = guidelines_text((expectations or {}).get("guidelines"))
        if not guidelines:
            raise NotApplicable(f"{self.name} needs the expectation guidelines, and there is none; record it")
        question = self.asked_perhaps(inputs)
        answer = self.answered(outputs)
        said = await self.verdict(asker, subject_id, guidelines=guidelines, question=question, answer=answer)
        return self.feedback(said)

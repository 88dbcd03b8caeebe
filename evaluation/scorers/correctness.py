"""Whether an answer is right, by what was expected of it."""

from collections.abc import Mapping
from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.expected_answer import expected_answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge


class Correctness(PromptJudge):
    """Whether the answer supports every expected fact, or says what the expected response says: ``yes`` or ``no``.

    It need not be worded alike, and may say more that does not contradict. Expectations: ``expected_facts`` or
    ``expected_response``.
    """

    prompt = "correctness"

    async def judge(
        self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any, expectations: Mapping[str, Any]
    ) -> Answer:
        """See :class:`~hansei.Judge`."""
        expected = expected_answer(self.name, expectations)
        asked = self.asked_perhaps(inputs)
        return self.feedback(
            await self.verdict(asker, subject_id, question=asked, answer=self.answered(outputs), **expected)
        )

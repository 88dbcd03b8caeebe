"""Whether an answer says the same as the expected one."""

import math
from collections.abc import Mapping
from typing import Any

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge
from hansei.evaluation.scorers.text_of import text_of


class Equivalence(PromptJudge):
    """Whether the answer means the same as the expected response, no more and no less: ``yes`` or ``no``. Expectation:
    ``expected_response``."""

    prompt = "equivalence"

    async def judge(self, asker: Asker, subject_id: str, *, outputs: Any, expectations: Mapping[str, Any]) -> Answer:
        """See :class:`~hansei.Judge`."""
        expected = expectations.get("expected_response") if expectations else None
        wanted = text_of(expected)
        if not wanted.strip():
            raise NotApplicable(f"{self.name} needs the expectation expected_response, and there is none; record it")
        if isinstance(outputs, int | float) and isinstance(expected, int | float):
            same = math.isclose(outputs, expected)
            return self.found("yes", "Equal numbers.") if same else self.found("no", f"{outputs} is not {expected}.")
        answer = self.answered(outputs)
        if answer == wanted.strip():
            return self.found("yes", "The two are the same text.")
        return self.feedback(await self.verdict(asker, subject_id, answer=answer, expected_response=wanted))

"""Whether what was retrieved is enough for the expected answer."""

from collections.abc import Mapping
from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.expected_answer import expected_answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge
from hansei.evaluation.scorers.retrieved import retrievals
from hansei.feedback.search.trace import Trace


class RetrievalSufficiency(PromptJudge):
    """Of each span that retrieves: whether its documents hold all that the expected answer needs, ``yes`` or ``no``.

    Expectations: ``expected_facts`` or ``expected_response``.
    """

    prompt = "retrieval_sufficiency"

    async def judge(
        self, asker: Asker, subject_id: str, *, inputs: Any, expectations: Mapping[str, Any], trace: Trace | None
    ) -> Answer:
        """See :class:`~hansei.Judge`."""
        found = retrievals(self.name, trace)
        expected, question = expected_answer(self.name, expectations), self.asked(inputs, trace)
        said = []
        for one in found:
            verdict = await self.verdict(asker, subject_id, question=question, documents=one.text, **expected)
            said.append(self.feedback(verdict, span_id=one.span.span_id))
        return said

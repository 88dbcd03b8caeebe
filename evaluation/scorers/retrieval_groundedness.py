"""Whether an answer rests on what was retrieved."""

from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge
from hansei.evaluation.scorers.retrieved import retrievals
from hansei.feedback.search.trace import Trace


class RetrievalGroundedness(PromptJudge):
    """Of each span that retrieves: whether all that the answer claims is in its documents, ``yes`` or ``no``."""

    prompt = "retrieval_groundedness"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, outputs: Any, trace: Trace | None) -> Answer:
        """See :class:`~hansei.Judge`."""
        found = retrievals(self.name, trace)
        question, answer = self.asked(inputs, trace), self.answered(outputs)
        said = []
        for one in found:
            verdict = await self.verdict(asker, subject_id, question=question, answer=answer, documents=one.text)
            said.append(self.feedback(verdict, span_id=one.span.span_id))
        return said

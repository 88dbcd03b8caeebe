"""Which of the retrieved documents are of use."""

from typing import Any

from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import YES_OR_NO, PromptJudge
from hansei.evaluation.scorers.retrieved import Retrieval, retrievals
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace


class RetrievalRelevance(PromptJudge):
    """Of each span that retrieves: whether each document is relevant to what was asked (``yes`` or ``no``, with
    ``chunk_index`` in the metadata), and the share of those that are, as ``retrieval_relevance/precision``."""

    prompt = "retrieval_relevance"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, trace: Trace | None) -> Answer:
        """See :class:`~hansei.Judge`."""
        found = retrievals(self.name, trace)
        question = self.asked(inputs)
        return [each for one in found for each in await self._of(asker, subject_id, question, one)]

    async def _of(self, asker: Asker, subject_id: str, question: str, retrieval: Retrieval) -> list[Feedback]:
        span_id, number = retrieval.span.span_id, len(retrieval.documents)
        precision = f"{self.name}/precision"
        if not number:
            return [Feedback(precision, 0.0, rationale="Nothing was retrieved.", span_id=span_id)]
        value = {"type": "array", "items": dict(YES_OR_NO), "minItems": number, "maxItems": number}
        said = await self.verdict(asker, subject_id, value, question=question, documents=retrieval.text)
        relevant = [each == "yes" for each in said.value]
        whole = self.feedback(said, name=precision, span_id=span_id)
        metadata = {**(whole.metadata or {}), "documents": number}
        return [
            Feedback(precision, sum(relevant) / number, whole.source, rationale=whole.rationale, span_id=span_id,
                     metadata={name: str(value) for name, value in metadata.items()}),
            *(
                Feedback(self.name, each, whole.source, span_id=span_id, metadata={"chunk_index": str(index)})
                for index, each in enumerate(said.value)
            ),
        ]  # fmt: skip

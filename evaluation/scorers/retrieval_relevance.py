"""Which of the retrieved documents are of use."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.question import Asker, Verdict
from hansei.evaluation.judges.rendering import LONGEST_LIST
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import YES_OR_NO, PromptJudge
from hansei.evaluation.scorers.retrieved import Retrieval, entry, retrievals
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace

_AT_ONCE: Final = 20
"""Documents of one question."""


class RetrievalRelevance(PromptJudge):
    """Of each span that retrieves: whether each document is relevant to what was asked (``yes`` or ``no``, with
    ``chunk_index`` in the metadata), and the share of those that are, as ``retrieval_relevance/precision``."""

    prompt = "retrieval_relevance"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, trace: Trace | None) -> Answer:
        """See :class:`~hansei.Judge`."""
        found = [each for each in retrievals(self.name, trace) if each.documents]
        if not found:
            raise NotApplicable(f"{self.name} judges documents, and nothing was retrieved")
        question = self.asked(inputs, trace)
        return [each for one in found for each in await self._of(asker, subject_id, question, one)]

    async def _of(self, asker: Asker, subject_id: str, question: str, retrieval: Retrieval) -> list[Feedback]:
        verdicts: list[Verdict] = []
        for entries in _in_groups(retrieval.documents):
            number = len(entries)
            value = {"type": "array", "items": dict(YES_OR_NO), "minItems": number, "maxItems": number}
            shown = "\n\n".join(entries)
            verdicts.append(await self.verdict(asker, subject_id, value, question=question, documents=shown))
        said = [each for verdict in verdicts for each in verdict.value]
        whole = self.feedback(_together(verdicts))
        metadata = {**(whole.metadata or {}), "documents": str(len(said))}
        if retrieval.left_out:
            metadata["documents_left_out"] = str(retrieval.left_out)
        share = sum(each == "yes" for each in said) / len(said)
        span_id = retrieval.span.span_id
        return [
            Feedback(f"{self.name}/precision", share, whole.source, rationale=whole.rationale, span_id=span_id,
                     metadata=metadata),
            *(
                Feedback(self.name, each, whole.source, span_id=span_id, metadata={"chunk_index": str(index)})
                for index, each in enumerate(said)
            ),
        ]  # fmt: skip


def _in_groups(documents: Sequence[str]) -> Iterator[list[str]]:
    """The documents with their numbers, so many at once that a model sees all of each."""
    group: list[str] = []
    for number, text in enumerate(documents, 1):
        shown = entry(number, text)
        if group and (len(group) == _AT_ONCE or sum(map(len, group)) + len(shown) > LONGEST_LIST):
            yield group
            group = []
        group.append(shown)
    yield group


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """Several verdicts as one, with what they took together."""
    costs = [each.cost_usd for each in verdicts if each.cost_usd is not None]
    return Verdict(
        [each.value for each in verdicts],
        "\n".join(each.rationale for each in verdicts if each.rationale),
        verdicts[0].model,
        sum(each.input_tokens for each in verdicts),
        sum(each.output_tokens for each in verdicts),
        sum(costs) if costs else None,
        all(each.cached for each in verdicts),
    )

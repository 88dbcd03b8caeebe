"""How near in meaning the answer is to the expected one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.model import model_of
from hansei.evaluation.judges.question import Asker, JudgeModel
from hansei.evaluation.scorers.arguments import check_arguments, wrong
from hansei.evaluation.scorers.awaited import AwaitedScorer
from hansei.evaluation.scorers.code_scorer import Aggregation, answer_text, definition_of, missing, thresholded
from hansei.evaluation.scorers.embedder import Embedder
from hansei.evaluation.scorers.expected import expected_of
from hansei.feedback.assessment import Feedback
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

DEFAULT_MODEL: Final = "openai:/text-embedding-3-small"


@dataclass(eq=False, kw_only=True)
class EmbeddingSimilarity(AwaitedScorer):
    """The cosine of the embeddings of answer and expectation, from -1 to 1, or whether it reaches a threshold.

    Texts of several subjects go in one request to the OpenAI client's API. Of several right answers the nearest
    counts; ``expected_facts`` are together one text, a line each. An empty answer is 0. Raises ``InvalidEvaluation``;
    ``EvaluationError`` where openai is not installed.
    """

    source_type: ClassVar[str] = AssessmentSourceType.CODE

    name: str = "embedding_similarity"
    model: Any = DEFAULT_MODEL
    """``openai:/text-embedding-3-small``, or a ``JudgeModel`` with an address, a key and parameters such as
    ``dimensions``."""
    expectation: str | None = None
    """The name of the expectation; None: ``expected_response``, or else ``expected_facts``."""
    threshold: float | None = None
    """From -1 to 1."""
    aggregations: Sequence[Aggregation] = ("mean",)

    def __post_init__(self) -> None:
        check_arguments(self)
        if not self.name.strip():
            raise wrong(self, "name", "is empty")
        if self.threshold is not None and not -1 <= self.threshold <= 1:
            raise wrong(self, "threshold", "is not from -1 to 1")
        if find_spec("openai") is None:
            raise missing("EmbeddingSimilarity", "openai", "evaluation")
        if not isinstance(self.model, str | JudgeModel):
            raise wrong(self, "model", "is not a name or a JudgeModel")
        self.model = model_of(self.model)
        self._embedders: WeakKeyDictionary[asyncio.AbstractEventLoop, Embedder] = WeakKeyDictionary()

    @cached_property
    def source(self) -> AssessmentSource:
        """The scorer."""
        return AssessmentSource(self.source_type, self.name)

    def definition(self) -> Mapping[str, Any]:
        """The class, its code, the arguments and the model with its parameters; never a key."""
        found = definition_of(self)
        model = replace(self.model, api_key=None)
        return {**found, "arguments": {**found["arguments"], "model": repr(model)}}

    async def judge(
        self, asker: Asker, subject_id: str, *, outputs: Any = None, expectations: Mapping[str, Any] | None = None
    ) -> Feedback:
        """From -1 to 1; True or False with a threshold. Raises ``NotApplicable``, ``JudgeError``."""
        references = [text for text in expected_of(expectations, self.expectation).references if text.strip()]
        if not references:
            raise NotApplicable("the expectation is empty")
        answer = answer_text(outputs)
        if not answer.strip():
            return self._said(0.0, "the answer is empty")
        loop = asyncio.get_running_loop()
        embedder = self._embedders.get(loop)
        if embedder is None:
            embedder = self._embedders[loop] = Embedder(self.model)
        given, *wanted = await embedder.vectors([answer, *references])
        return self._said(max(_cosine(given, each) for each in wanted), "cosine")

    def _said(self, cosine: float, what: str) -> Feedback:
        value, rationale = thresholded(cosine, self.threshold, what)
        return Feedback(self.name, value, rationale=rationale)


def _cosine(one: Any, other: Any) -> float:
    """Of two arrays of numpy; 0 where one has no length."""
    lengths = float((one @ one) * (other @ other)) ** 0.5
    return max(-1.0, min(1.0, float(one @ other) / lengths)) if lengths else 0.0

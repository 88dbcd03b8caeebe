"""Scorers that ask a model."""

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from hansei.evaluation.judges.model import model_of
from hansei.evaluation.judges.question import Asker, JudgeModel, Message, Question, Verdict
from hansei.evaluation.scorer import ARGUMENTS, Answer, Scorer
from hansei.feedback.assessment import Feedback
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

if TYPE_CHECKING:
    from hansei.evaluation.judges.alignment import Alignment


class Judge(Scorer):
    """A scorer that asks a model. A subclass has ``judge``, with the parameters that a scorer's ``__call__`` has."""

    source_type: ClassVar[str] = AssessmentSourceType.LLM_JUDGE
    alignment: "Alignment | None" = None
    """How it was aligned with people, of one that :meth:`align` answered."""

    def __init__(self, name: str, model: str | JudgeModel | None = None) -> None:
        """``model``: ``openai:/gpt-4.1-mini``, a :class:`JudgeModel`, or None for that of ``HANSEI_JUDGE_MODEL``.

        Raises ``InvalidEvaluation``.
        """
        self.name = name
        self.model = model_of(model)

    async def judge(self, asker: Asker, subject_id: str, *_: Any, **given: Any) -> Answer:
        """Score one subject; ``given`` are those of its ``needs``. Raises ``JudgeError``, ``NotApplicable``."""
        raise NotImplementedError

    def __call__(self, **given: Any) -> Answer:
        """Judge one subject by itself, with a client of its own; blocks. Raises ``JudgeError``."""
        from hansei.evaluation.judges.alone import judge_alone

        return judge_alone(self, given)

    def align(self, traces: Any, optimizer: Any = None, **options: Any) -> "Judge":
        """A judge that agrees better with people, or this one where none is surely better.

        See :func:`hansei.evaluation.judges.align.align`.
        """
        from hansei.evaluation.judges.align import align

        return align(self, traces, optimizer, **options)

    @cached_property
    def needs(self) -> frozenset[str]:
        """The parameters of ``judge``."""
        return frozenset(inspect.signature(type(self).judge).parameters) & frozenset(ARGUMENTS)

    @cached_property
    def source(self) -> AssessmentSource:
        """The model."""
        return AssessmentSource(self.source_type, self.model.name)

    def definition(self) -> Mapping[str, Any]:
        """The class with its code, its prompt and the model with its parameters; never a key."""
        model = {"name": self.model.name, "base_url": self.model.base_url, "parameters": dict(self.model.parameters)}
        return {**super().definition(), "model": model, "held": self.held("alignment", "model")}

    def question(self, subject_id: str, messages: list[Message], value: Mapping[str, Any]) -> Question:
        """A question of this judge about a subject; ``value`` is the JSON schema of the value."""
        return Question(self.model, messages, value, self.name, self.version, subject_id)

    def feedback(self, verdict: Verdict, *, name: str | None = None, span_id: str | None = None) -> Feedback:
        """What a model answered as an assessment."""
        metadata: dict[str, Any] = {"input_tokens": verdict.input_tokens, "output_tokens": verdict.output_tokens}
        if verdict.cost_usd is not None:
            metadata["cost_usd"] = verdict.cost_usd
        return Feedback(
            name or self.name,
            verdict.value,
            rationale=verdict.rationale or None,
            source=AssessmentSource(self.source_type, verdict.model or self.model.name),
            span_id=span_id,
            metadata=metadata,
        )

"""Evaluators of autoevals as scorers."""

import inspect
import json
from collections.abc import Mapping
from typing import Any, Final

from hansei.evaluation.errors import EvaluationError, NotApplicable
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorers.adapters.third_party import ThirdPartyScorer, contexts_of, instance_of
from hansei.evaluation.scorers.expected import Expected, expected_of
from hansei.evaluation.scorers.registry import snake_case
from hansei.evaluation.scorers.text_of import is_conversation, text_of
from hansei.feedback.assessment import Feedback

_OF_DATA: Final = ("autoevals.json", "autoevals.list", "autoevals.number", "autoevals.value")
"""Modules whose evaluators take data as it is."""


def from_autoevals(
    evaluator: Any, *, name: str | None = None, expectation: str | None = None, **arguments: Any
) -> "AutoevalsScorer":
    """A scorer of an evaluator of autoevals, as ``from_autoevals(Factuality())``.

    It is given ``output``; ``input``; ``expected``, which is the expectation of that name, or ``expected_response`` or
    ``expected_facts``; ``context``, which is what a trace's retrievers found; and ``arguments``, as the ``criteria`` of
    ``ClosedQA``. Without a name it is called as the evaluator, ``factuality``. Raises ``InvalidEvaluation``;
    ``EvaluationError`` where autoevals is not installed.
    """
    try:
        from autoevals.score import Scorer as Evaluator
    except ImportError:
        raise EvaluationError("from_autoevals needs autoevals: pip install autoevals") from None
    made = instance_of(evaluator, Evaluator, "from_autoevals", "from_autoevals(Levenshtein())")
    return AutoevalsScorer(made, name, expectation, arguments)


class AutoevalsScorer(ThirdPartyScorer):
    """A scorer that wraps an evaluator of autoevals."""

    def __init__(self, evaluator: Any, name: str | None, expectation: str | None, arguments: Mapping[str, Any]) -> None:
        """See :func:`from_autoevals`."""
        from autoevals.llm import OpenAIScorer

        self._expectation = expectation
        self._arguments = dict(arguments)
        parameters = inspect.signature(evaluator._run_eval_sync).parameters
        self._takes_context = "context" in parameters and "context" not in arguments
        # An evaluator that fills a template leaves a gap where nothing is given.
        prompt = json.dumps(getattr(evaluator, "messages", ""), default=str)
        self._needs_expected = "{{expected" in prompt or "{{{expected" in prompt
        self._is_of_data = type(evaluator).__module__ in _OF_DATA
        model = getattr(evaluator, "model", None) or getattr(evaluator, "MODEL", None)
        if model is None and isinstance(evaluator, OpenAIScorer):
            model = f"autoevals/{type(evaluator).__name__}"
        needs = ("inputs", "outputs", "expectations", *(("trace",) if self._takes_context else ()))
        super().__init__(
            "autoevals", evaluator, name or snake_case(evaluator._name()), needs, model, (expectation, self._arguments)
        )

    async def judge(self, asker: Asker, subject_id: str, **given: Any) -> Feedback:
        """From 0 to 1. Raises ``NotApplicable``, and what the evaluator raises."""
        if given["outputs"] is None:
            raise NotApplicable("no outputs were recorded")
        asked = {"input": text_of(given["inputs"], "user"), **self._arguments}
        expected = self._expected(given["expectations"])
        if expected is None and self._needs_expected:
            expected_of(given["expectations"], self._expectation)
        if self._takes_context:
            contexts = contexts_of(given["trace"])
            if not contexts:
                raise NotApplicable("the trace has no retriever whose documents were recorded")
            asked["context"] = contexts
        try:
            score = await self.metric.eval_async(self._value(given["outputs"]), expected, **asked)
        except (TypeError, ValueError) as error:
            if expected is None:
                raise NotApplicable(f"there is no expectation, and the evaluator says: {error}") from error
            raise
        if score.score is None:
            raise NotApplicable("the evaluator skipped it")
        told = score.metadata or {}
        choice = {"choice": str(told["choice"])} if told.get("choice") is not None else None
        return Feedback(
            self.name, float(score.score), rationale=str(told.get("rationale") or "") or None, metadata=choice
        )

    def _expected(self, expectations: Mapping[str, Any] | None) -> Any:
        try:
            found: Expected = expected_of(expectations, self._expectation)
        except NotApplicable:
            return None
        value = found.values[0] if len(found.values) == 1 else found.references[0]
        return self._value(value)

    def _value(self, value: Any) -> Any:
        return value if self._is_of_data and not is_conversation(value) else text_of(value)

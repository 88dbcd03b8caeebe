"""Metrics of ragas as scorers."""

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.errors import EvaluationError, InvalidEvaluation, JudgeError, NotApplicable
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorers.adapters.third_party import ThirdPartyScorer, contexts_of, instance_of, turns_of
from hansei.evaluation.scorers.expected import expected_of
from hansei.evaluation.scorers.text_of import text_of
from hansei.feedback.assessment import Feedback

_COLUMNS: Final[Mapping[str, str]] = {
    "user_input": "inputs", "response": "outputs", "reference": "expectations", "retrieved_contexts": "trace",
}  # fmt: skip
"""Columns of ragas by what they are made of; all others are expectations by their own names."""


def from_ragas(metric: Any, *, name: str | None = None, expectation: str | None = None) -> "RagasScorer":
    """A scorer of a metric of ragas, as ``from_ragas(Faithfulness(llm=llm))``; of either of its generations.

    ``user_input`` is the question, ``response`` the answer, ``reference`` the expectation of that name, or
    ``expected_response`` or ``expected_facts``; ``retrieved_contexts`` is what a trace's retrievers found; any other
    column is the expectation of its name. A metric of several turns scores conversations. Raises
    ``InvalidEvaluation``; ``EvaluationError`` where ragas is not installed.
    """
    try:
        from ragas.metrics.base import Metric, SimpleBaseMetric
    except ImportError:
        raise EvaluationError("from_ragas needs ragas: pip install ragas") from None
    made = instance_of(metric, (Metric, SimpleBaseMetric), "from_ragas", "from_ragas(RougeScore())")
    return RagasScorer(made, name, expectation)


class RagasScorer(ThirdPartyScorer):
    """A scorer that wraps a metric of ragas."""

    def __init__(self, metric: Any, name: str | None, expectation: str | None) -> None:
        """See :func:`from_ragas`."""
        self._expectation = expectation
        self._single = hasattr(metric, "single_turn_ascore")
        self._several = not self._single and hasattr(metric, "multi_turn_ascore")
        if self._single or self._several:
            turn = "SINGLE_TURN" if self._single else "MULTI_TURN"
            self._required = frozenset(metric.required_columns.get(turn, ()))
            columns = frozenset(metric.get_required_columns(with_optional=True).get(turn, ()))
        elif hasattr(metric, "ascore"):
            parameters = inspect.signature(metric.ascore).parameters.values()
            columns = frozenset(each.name for each in parameters if each.kind is not each.VAR_KEYWORD)
            self._required = frozenset(each.name for each in parameters if each.default is each.empty) & columns
        else:
            raise InvalidEvaluation(f"from_ragas: {metric!r} scores neither one turn nor several")
        self._columns = columns or frozenset(_COLUMNS) - {"retrieved_contexts"}
        needs = {_COLUMNS.get(column, "expectations") for column in self._columns}
        if self._several:
            needs = (needs - {"inputs", "outputs", "trace"}) | {"session"}
        if "outputs" in needs:
            needs.add("inputs")
        llm = getattr(metric, "llm", None)
        model = str(getattr(llm, "model", None) or "ragas") if llm is not None else None
        super().__init__("ragas", metric, name or str(metric.name), tuple(needs), model, expectation)

    async def judge(self, asker: Asker, subject_id: str, **given: Any) -> Feedback:
        """What the metric answers. Raises ``NotApplicable``, and what the metric raises."""
        values = {column: self._value(column, given) for column in self._columns}
        lacking = sorted(column for column in self._required if values.get(column) is None)
        if lacking:
            raise NotApplicable(f"there is no {lacking[0]}")
        values = {column: value for column, value in values.items() if value is not None}
        found = await self._score(values)
        reason = getattr(found, "reason", None)
        value = getattr(found, "value", found)
        value = getattr(value, "item", lambda: value)()
        if isinstance(value, float) and math.isnan(value):
            raise JudgeError(f"{self.name}: ragas gave no number")
        return Feedback(self.name, value, rationale=str(reason) if reason else None)

    async def _score(self, values: Mapping[str, Any]) -> Any:
        if self._single:
            from ragas.dataset_schema import SingleTurnSample

            return await self.metric.single_turn_ascore(SingleTurnSample(**values))
        if self._several:
            from ragas.dataset_schema import MultiTurnSample

            return await self.metric.multi_turn_ascore(MultiTurnSample(**values))
        return await self.metric.ascore(**values)

    def _value(self, column: str, given: Mapping[str, Any]) -> Any:
        if column == "user_input":
            return self._turns(given["session"]) if self._several else text_of(given["inputs"], "user") or None
        if column == "response":
            return None if given["outputs"] is None else text_of(given["outputs"])
        if column == "retrieved_contexts":
            return contexts_of(given["trace"]) or None
        if column == "reference":
            try:
                return expected_of(given["expectations"], self._expectation).references[0]
            except NotApplicable:
                return None
        return (given["expectations"] or {}).get(column)

    def _turns(self, session: Sequence[Any]) -> list[Any] | None:
        from ragas.messages import AIMessage, HumanMessage

        kinds = {"user": HumanMessage, "assistant": AIMessage}
        return [kinds[role](content=text) for role, text in turns_of(session) if role in kinds] or None

"""Metrics of deepeval as scorers."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.errors import EvaluationError, JudgeError, NotApplicable
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorers.adapters.third_party import ThirdPartyScorer, contexts_of, instance_of, takes, turns_of
from hansei.evaluation.scorers.expected import expected_of
from hansei.evaluation.scorers.registry import snake_case
from hansei.evaluation.scorers.text_of import text_of
from hansei.evaluation.scorers.tool_calls import tool_calls
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace

_MADE_OF: Final[Mapping[str, str]] = {
    "input": "inputs", "actual_output": "outputs", "expected_output": "expectations", "context": "expectations",
    "retrieval_context": "trace", "tools_called": "trace", "expected_tools": "expectations",
}  # fmt: skip
"""Fields of a test case by what they are made of."""
_SPENT: Final = {"cost_usd": "evaluation_cost", "input_tokens": "input_tokens", "output_tokens": "output_tokens"}
"""What a metric tells of what it took."""


def from_deepeval(metric: Any, *, name: str | None = None, expectation: str | None = None) -> "DeepevalScorer":
    """A scorer of a metric of deepeval, as ``from_deepeval(AnswerRelevancyMetric(model="gpt-4.1-mini"))``.

    ``input`` is the question, ``actual_output`` the answer, ``expected_output`` the expectation of that name, or
    ``expected_response`` or ``expected_facts``; ``retrieval_context`` and ``tools_called`` are of the trace;
    ``context`` and ``expected_tool_calls`` are expectations by these names. A conversational metric scores
    conversations. Raises ``InvalidEvaluation``; ``EvaluationError`` where deepeval is not installed.
    """
    try:
        from deepeval.metrics import BaseConversationalMetric, BaseMetric
    except ImportError:
        raise EvaluationError("from_deepeval needs deepeval: pip install deepeval") from None
    kinds = (BaseMetric, BaseConversationalMetric)
    made = instance_of(metric, kinds, "from_deepeval", "from_deepeval(ExactMatchMetric())")
    return DeepevalScorer(made, name, expectation, several=isinstance(made, BaseConversationalMetric))


class DeepevalScorer(ThirdPartyScorer):
    """A scorer that wraps a metric of deepeval."""

    def __init__(self, metric: Any, name: str | None, expectation: str | None, *, several: bool) -> None:
        """See :func:`from_deepeval`."""
        self._expectation = expectation
        self._several = several
        wanted = [*_listed(metric, "_required_params"), *_listed(metric, "evaluation_params")]
        self._fields = frozenset(each.value for each in wanted) | {"input", "actual_output"}
        needs = {_MADE_OF[each] for each in self._fields if each in _MADE_OF}
        model = getattr(metric, "evaluation_model", None)
        called = snake_case(str(getattr(metric, "name", None) or type(metric).__name__)).replace(" ", "_")
        asked = ("session", "expectations") if several else tuple(needs)
        name = name or called.removesuffix("_metric")
        super().__init__("deepeval", metric, name, asked, None if model is None else str(model), expectation)

    async def judge(self, asker: Asker, subject_id: str, **given: Any) -> Feedback:
        """The metric's score. Raises ``NotApplicable``, and what the metric raises."""
        case = self._conversation(given) if self._several else self._case(given)
        # A metric keeps what it measured in itself; others measure at the same time.
        metric = copy.copy(self.metric)
        silent = {"_show_indicator": False} if takes(metric.a_measure, "_show_indicator") else {}
        await metric.a_measure(case, **silent)
        if metric.error is not None:
            raise JudgeError(f"{self.name}: {metric.error}")
        if metric.score is None:
            raise NotApplicable("the metric gave no score")
        told: dict[str, Any] = {}
        if metric.threshold is not None:
            told = {"success": str(bool(metric.is_successful())).lower(), "threshold": str(metric.threshold)}
        for key, field in _SPENT.items():
            if getattr(metric, field, None) is not None:
                told[key] = str(getattr(metric, field))
        return Feedback(self.name, float(metric.score), rationale=metric.reason or None, metadata=told or None)

    def _case(self, given: Mapping[str, Any]) -> Any:
        from deepeval.test_case import LLMTestCase

        values = {field: self._value(field, given) for field in self._fields if field in _MADE_OF}
        lacking = sorted(field for field, value in values.items() if value is None)
        if lacking:
            raise NotApplicable(f"there is no {lacking[0]}")
        return LLMTestCase(**values)

    def _value(self, field: str, given: Mapping[str, Any]) -> Any:
        expectations = given.get("expectations") or {}
        if field == "input":
            return text_of(given["inputs"], "user")
        if field == "actual_output":
            return None if given["outputs"] is None else text_of(given["outputs"])
        if field == "retrieval_context":
            return contexts_of(given["trace"]) or None
        if field == "tools_called":
            return _calls(given["trace"])
        if field == "expected_tools":
            wanted = expectations.get("expected_tool_calls")
            return None if wanted is None else [_call(each.get("name", ""), each.get("arguments")) for each in wanted]
        if field == "context":
            told = expectations.get("context")
            return None if told is None else [text_of(each) for each in (told if isinstance(told, list) else [told])]
        try:
            return expected_of(expectations, self._expectation).references[0]
        except NotApplicable:
            return None

    def _conversation(self, given: Mapping[str, Any]) -> Any:
        from deepeval.test_case import ConversationalTestCase, Turn

        turns = [Turn(role=role, content=text) for role, text in turns_of(given["session"])]
        if not turns:
            raise NotApplicable("nothing was said in the conversation")
        told = {
            field: text_of(value)
            for field in ("scenario", "expected_outcome", "chatbot_role")
            if (value := (given["expectations"] or {}).get(field)) is not None
        }
        return ConversationalTestCase(turns=turns, **told)


def _listed(metric: Any, name: str) -> Sequence[Any]:
    found = getattr(metric, name, None)
    return found if isinstance(found, list | tuple) else ()


def _calls(trace: Trace | None) -> list[Any] | None:
    return None if trace is None else [_call(each.name, each.arguments, each.result) for each in tool_calls(trace)]


def _call(name: str, arguments: Any, output: Any = None) -> Any:
    from deepeval.test_case import ToolCall

    return ToolCall(name=name, input_parameters=arguments if isinstance(arguments, dict) else None, output=output)

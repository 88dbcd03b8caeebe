"""What an answer cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.scorers.code_scorer import Aggregation, CodeScorer, check_limit, limited
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace


@dataclass(eq=False, kw_only=True)
class Cost(CodeScorer):
    """What the model calls of a trace cost in USD, or whether that is at most ``max_usd``.

    Raises ``InvalidEvaluation``.
    """

    name: str = "cost"
    max_usd: float | None = None
    aggregations: Sequence[Aggregation] = ("mean", "median", "p95")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limit(self, "max_usd")

    def __call__(self, *, trace: Trace | None = None) -> Feedback:
        """USD; True or False with a limit. Raises ``NotApplicable`` where the cost is not known."""
        if trace is None:
            raise NotApplicable("there is no trace")
        if trace.info.cost_usd is None:
            raise NotApplicable("the cost is not known: no model call, or none whose model has a price")
        return self.said(*limited(trace.info.cost_usd, self.max_usd, "cost", "USD"))

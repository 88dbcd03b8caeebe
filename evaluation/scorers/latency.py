"""How long an answer took."""

from collections.abc import Sequence
from dataclasses import dataclass

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.scorers.code_scorer import Aggregation, CodeScorer, check_limit, limited
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace


@dataclass(eq=False, kw_only=True)
class Latency(CodeScorer):
    """The seconds that a trace took, or whether they are at most ``max_seconds``. Raises ``InvalidEvaluation``."""

    name: str = "latency"
    max_seconds: float | None = None
    aggregations: Sequence[Aggregation] = ("mean", "median", "p95")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limit(self, "max_seconds")

    def __call__(self, *, trace: Trace | None = None) -> Feedback:
        """Seconds; True or False with a limit. Raises ``NotApplicable``."""
        if trace is None:
            raise NotApplicable("there is no trace")
        return self.said(*limited(trace.info.execution_duration / 1000, self.max_seconds, "duration", "s"))

"""How many tokens an answer took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.scorers.code_scorer import Aggregation, CodeScorer, check_limit, limited
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace


@dataclass(eq=False, kw_only=True)
class TokenUsage(CodeScorer):
    """The tokens of the model calls of a trace, or whether they are at most ``max_tokens``.

    Raises ``InvalidEvaluation``.
    """

    name: str = "token_usage"
    kind: Literal["total", "input", "output"] = "total"
    max_tokens: int | None = None
    aggregations: Sequence[Aggregation] = ("mean", "median", "p95")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limit(self, "max_tokens")

    def __call__(self, *, trace: Trace | None = None) -> Feedback:
        """A count; True or False with a limit. Raises ``NotApplicable`` where no usage was recorded."""
        if trace is None:
            raise NotApplicable("there is no trace")
        given, made = trace.info.input_tokens, trace.info.output_tokens
        if not given and not made:
            raise NotApplicable("no token usage was recorded")
        count = {"total": given + made, "input": given, "output": made}[self.kind]
        return self.said(*limited(count, self.max_tokens, self.kind, "tokens"))

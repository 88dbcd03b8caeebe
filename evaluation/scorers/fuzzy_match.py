"""How like the expected answer the answer is, letter by letter or word by word."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, check_share, missing, thresholded
from hansei.evaluation.scorers.expected import expected_of
from hansei.feedback.assessment import Feedback


@dataclass(eq=False, kw_only=True)
class FuzzyMatch(CodeScorer):
    """A likeness of rapidfuzz from 0 to 1, or whether it reaches a threshold.

    Of several right answers the likest counts; of ``expected_facts`` the one that is least like. Raises
    ``InvalidEvaluation``; ``EvaluationError`` where rapidfuzz is not installed.
    """

    name: str = "fuzzy_match"
    expectation: str | None = None
    """The name of the expectation; None: ``expected_response``, or else ``expected_facts``."""
    ratio: Literal[
        "ratio", "partial_ratio", "token_sort_ratio", "token_set_ratio", "token_ratio", "partial_token_sort_ratio",
        "partial_token_set_ratio", "partial_token_ratio", "WRatio", "QRatio",
    ] = "ratio"  # fmt: skip
    """The function of ``rapidfuzz.fuzz``."""
    threshold: float | None = None
    """From 0 to 1."""
    case_insensitive: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self, "threshold")
        try:
            from rapidfuzz import fuzz
        except ImportError:
            raise missing("FuzzyMatch", "rapidfuzz", "evaluation") from None
        self._likeness: Callable[[str, str], float] = getattr(fuzz, self.ratio)

    def __call__(self, *, outputs: Any = None, expectations: Mapping[str, Any] | None = None) -> Feedback:
        """From 0 to 1; True or False with a threshold. Raises ``NotApplicable``."""
        expected = expected_of(expectations, self.expectation)
        answer = answer_text(outputs)
        if self.case_insensitive:
            found = [self._likeness(answer.casefold(), text.casefold()) for text in expected.texts]
        else:
            found = [self._likeness(answer, text) for text in expected.texts]
        score = (min(found) if expected.all_of else max(found)) / 100
        return self.said(*thresholded(score, self.threshold, self.ratio))

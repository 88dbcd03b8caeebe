"""Whether the answer is as long as it should be."""

from dataclasses import dataclass
from typing import Any, Literal

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.scorers.arguments import wrong
from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, check_limit
from hansei.feedback.assessment import Feedback


@dataclass(eq=False, kw_only=True)
class ResponseLength(CodeScorer):
    """Whether the answer has as many characters or words as it should. Raises ``InvalidEvaluation``."""

    name: str = "response_length"
    min_length: int | None = None
    """What it has at least; one of the two is needed."""
    max_length: int | None = None
    unit: Literal["chars", "words"] = "chars"
    """Words are what white space stands between."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_limit(self, "min_length")
        check_limit(self, "max_length")
        if self.min_length is None and self.max_length is None:
            raise InvalidEvaluation("ResponseLength: give min_length, max_length or both")
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            raise wrong(self, "min_length", f"is more than max_length, which is {self.max_length}")

    def __call__(self, *, outputs: Any = None) -> Feedback:
        """True or False. Raises ``NotApplicable``."""
        text = answer_text(outputs)
        length = len(text.split()) if self.unit == "words" else len(text)
        if self.min_length is not None and length < self.min_length:
            return self.said(False, f"{length} {self.unit}, at least {self.min_length} are asked")
        if self.max_length is not None and length > self.max_length:
            return self.said(False, f"{length} {self.unit}, at most {self.max_length} are asked")
        return self.said(True, f"{length} {self.unit}")

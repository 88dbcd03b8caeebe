"""chrF: the sequences of characters that answer and expectation share."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from hansei.evaluation.scorers.arguments import wrong
from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, check_share, missing, thresholded
from hansei.evaluation.scorers.expected import expected_of
from hansei.feedback.assessment import Feedback


@dataclass(eq=False, kw_only=True)
class Chrf(CodeScorer):
    """The chrF of the answer by sacrebleu, from 0 to 1, or whether it reaches a threshold; no tokenizer is needed.

    ``word_order=2`` makes it chrF++. Several right answers are all references; ``expected_facts`` are together one
    text, a line each. Raises ``InvalidEvaluation``; ``EvaluationError`` where sacrebleu is not installed.
    """

    name: str = "chrf"
    expectation: str | None = None
    """The name of the expectation; None: ``expected_response``, or else ``expected_facts``."""
    char_order: int = 6
    word_order: int = 0
    beta: int = 2
    """How many times as much recall weighs as precision."""
    lowercase: bool = False
    threshold: float | None = None
    """From 0 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self, "threshold")
        for argument, least in (("char_order", 1), ("word_order", 0), ("beta", 1)):
            if getattr(self, argument) < least:
                raise wrong(self, argument, f"is less than {least}")
        try:
            from sacrebleu.metrics.chrf import CHRF
        except ImportError:
            raise missing("Chrf", "sacrebleu", "metrics") from None
        self._chrf = CHRF(
            char_order=self.char_order, word_order=self.word_order, beta=self.beta, lowercase=self.lowercase
        )

    def definition(self) -> Mapping[str, Any]:
        """With the version of sacrebleu."""
        return {**super().definition(), "sacrebleu": version("sacrebleu")}

    def __call__(self, *, outputs: Any = None, expectations: Mapping[str, Any] | None = None) -> Feedback:
        """From 0 to 1; True or False with a threshold. Raises ``NotApplicable``."""
        references = expected_of(expectations, self.expectation).references
        score = self._chrf.sentence_score(answer_text(outputs), references).score / 100
        return self.said(*thresholded(min(score, 1.0), self.threshold, "chrF++" if self.word_order else "chrF"))

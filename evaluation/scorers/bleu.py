"""BLEU of one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.scorers.arguments import wrong
from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, check_share, missing, thresholded
from hansei.evaluation.scorers.expected import expected_of
from hansei.feedback.assessment import Feedback


@dataclass(eq=False, kw_only=True)
class Bleu(CodeScorer):
    """The BLEU of the answer by sacrebleu, from 0 to 1, or whether it reaches a threshold.

    It is of one answer, with exponential smoothing and the effective order, as sacrebleu advises for a sentence; the
    mean over answers is not the BLEU of a corpus. Several right answers are all references; ``expected_facts`` are
    together one text, a line each. Raises ``InvalidEvaluation``; ``EvaluationError`` where sacrebleu is not installed.
    """

    name: str = "bleu"
    expectation: str | None = None
    """The name of the expectation; None: ``expected_response``, or else ``expected_facts``."""
    tokenize: str = "13a"
    """A tokenizer of sacrebleu: ``13a``, ``intl``, ``char``, ``zh``, ``none`` and others."""
    lowercase: bool = False
    max_ngram_order: int = 4
    threshold: float | None = None
    """From 0 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self, "threshold")
        if self.max_ngram_order < 1:
            raise wrong(self, "max_ngram_order", "is less than 1")
        try:
            from sacrebleu.metrics.bleu import BLEU
        except ImportError:
            raise missing("Bleu", "sacrebleu", "metrics") from None
        if self.tokenize not in BLEU.TOKENIZERS:
            raise wrong(self, "tokenize", f"is not one of {', '.join(map(repr, BLEU.TOKENIZERS))}")
        try:
            self._bleu = BLEU(
                lowercase=self.lowercase, tokenize=self.tokenize, max_ngram_order=self.max_ngram_order,
                effective_order=True,
            )  # fmt: skip
        except (ImportError, RuntimeError, OSError) as error:
            told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise InvalidEvaluation(f"Bleu: tokenize: {self.tokenize!r} cannot be used here: {told}") from None

    def definition(self) -> Mapping[str, Any]:
        """With the version of sacrebleu."""
        return {**super().definition(), "sacrebleu": version("sacrebleu")}

    def __call__(self, *, outputs: Any = None, expectations: Mapping[str, Any] | None = None) -> Feedback:
        """From 0 to 1; True or False with a threshold. Raises ``NotApplicable``."""
        references = expected_of(expectations, self.expectation).references
        score = self._bleu.sentence_score(answer_text(outputs), references).score / 100
        return self.said(*thresholded(min(score, 1.0), self.threshold, "BLEU"))

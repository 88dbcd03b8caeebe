"""ROUGE: the words, pairs of words or longest common sequence that answer and expectation share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, Literal

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, check_share, missing, thresholded
from hansei.evaluation.scorers.expected import expected_of
from hansei.feedback.assessment import Feedback

_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
"""A run of letters and digits of any alphabet; in Chinese and Japanese, which write no spaces, each character."""


class UnicodeWords:
    """Splits a text in any language into words, in small letters."""

    def tokenize(self, text: str) -> list[str]:
        """The words, as rouge-score asks for them."""
        return _WORD.findall(text.casefold())


@dataclass(eq=False, kw_only=True)
class Rouge(CodeScorer):
    """ROUGE by rouge-score, from 0 to 1, or whether it reaches a threshold.

    Of several right answers the likest counts; ``expected_facts`` are together one text, a line each. Raises
    ``InvalidEvaluation``; ``EvaluationError`` where rouge-score is not installed.
    """

    name: str = "rouge"
    expectation: str | None = None
    """The name of the expectation; None: ``expected_response``, or else ``expected_facts``."""
    kind: Literal["rouge1", "rouge2", "rougeL", "rougeLsum"] = "rougeL"
    measure: Literal["fmeasure", "precision", "recall"] = "fmeasure"
    stemmer: bool = False
    """Whether English words count by their stems; with the tokenizer ``rouge`` only."""
    tokenizer: Literal["rouge", "unicode"] = "rouge"
    """``rouge`` is that of published figures, and knows only the letters a to z; ``unicode`` those of any language."""
    threshold: float | None = None
    """From 0 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self, "threshold")
        try:
            from rouge_score.rouge_scorer import RougeScorer
            from rouge_score.tokenizers import DefaultTokenizer
        except ImportError:
            raise missing("Rouge", "rouge-score", "metrics") from None
        self._words = UnicodeWords() if self.tokenizer == "unicode" else DefaultTokenizer(self.stemmer)
        self._rouge = RougeScorer([self.kind], tokenizer=self._words)

    def definition(self) -> Mapping[str, Any]:
        """With the version of rouge-score."""
        return {**super().definition(), "rouge-score": version("rouge-score")}

    def __call__(self, *, outputs: Any = None, expectations: Mapping[str, Any] | None = None) -> Feedback:
        """From 0 to 1; True or False with a threshold. Raises ``NotApplicable``."""
        references = expected_of(expectations, self.expectation).references
        answer = answer_text(outputs)
        if not any(self._words.tokenize(text) for text in references):
            raise NotApplicable("no word of what is expected is one to the tokenizer; tokenizer='unicode' knows others")
        found = [getattr(self._rouge.score(text, answer)[self.kind], self.measure) for text in references]
        return self.said(*thresholded(float(max(found)), self.threshold, f"{self.kind} {self.measure}"))

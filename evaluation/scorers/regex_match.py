"""Whether a regular expression fits the answer."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from hansei.evaluation.scorers.arguments import wrong
from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text, quoted
from hansei.feedback.assessment import Feedback


@dataclass(eq=False, kw_only=True)
class RegexMatch(CodeScorer):
    """Whether a regular expression of Python fits the answer. Raises ``InvalidEvaluation``."""

    pattern: str
    name: str = "regex_match"
    match_type: Literal["search", "fullmatch"] = "search"
    """``search``: it fits somewhere; ``fullmatch``: it fits the whole answer."""
    case_insensitive: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            compiled = re.compile(self.pattern, re.IGNORECASE if self.case_insensitive else 0)
        except (re.error, OverflowError, RecursionError) as error:
            raise wrong(self, "pattern", f"is not a regular expression: {str(error).splitlines()[0]}") from None
        self._find = compiled.fullmatch if self.match_type == "fullmatch" else compiled.search
        self._told = quoted(self.pattern)

    def __call__(self, *, outputs: Any = None) -> Feedback:
        """True or False. Raises ``NotApplicable``."""
        found = self._find(answer_text(outputs))
        if found is None:
            return self.said(False, f"{self._told} does not fit")
        return self.said(True, f"{self._told} fits at characters {found.start()} to {found.end()}")

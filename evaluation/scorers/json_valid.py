"""Whether the answer is JSON."""

from dataclasses import dataclass
from typing import Any

from hansei.evaluation.scorers.code_scorer import CodeScorer, answer_text
from hansei.evaluation.scorers.json_of import NotJson, json_of
from hansei.feedback.assessment import Feedback


@dataclass(eq=False, kw_only=True)
class JsonValid(CodeScorer):
    """Whether the answer is JSON, and nothing beside it. Outputs that were recorded as data are."""

    name: str = "json_valid"
    allow_fence: bool = False
    """Whether the JSON may stand in one block of code of Markdown."""

    def __call__(self, *, outputs: Any = None) -> Feedback:
        """True or False. Raises ``NotApplicable``."""
        answer_text(outputs)
        try:
            json_of(outputs, fenced=self.allow_fence)
        except NotJson as error:
            return self.said(False, f"no JSON: {error}")
        return self.said(True, "JSON")

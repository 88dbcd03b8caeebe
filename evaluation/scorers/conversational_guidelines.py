"""Whether a conversation keeps to guidelines."""

from collections.abc import Sequence

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.scorers.conversation_judge import ConversationJudge
from hansei.evaluation.scorers.expected_answer import guidelines_text
from hansei.evaluation.scorers.guidelines import GuidelineTexts
from hansei.feedback.search.trace import Trace


class ConversationalGuidelines(ConversationJudge):
    """Whether all answers of the conversation keep to each of some guidelines: ``yes`` or ``no``."""

    prompt = "conversational_guidelines"

    def __init__(
        self, guidelines: GuidelineTexts, name: str | None = None, model: str | JudgeModel | None = None
    ) -> None:
        """``guidelines``: one, several, or several by name. Raises ``InvalidEvaluation`` where there are none."""
        super().__init__(name, model)
        self.guidelines = guidelines_text(guidelines)
        if not self.guidelines:
            raise InvalidEvaluation("guidelines: there are none; give a text, a list of texts, or a dict by name")

    def more(self, session: Sequence[Trace]) -> dict[str, str]:
        """The guidelines."""
        return {"guidelines": self.guidelines}

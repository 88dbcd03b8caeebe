"""Whether a conversation keeps to guidelines."""

from collections.abc import Sequence

from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.scorers.conversation_judge import ConversationJudge
from hansei.evaluation.scorers.expected_answer import given_guidelines
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
        self.guidelines = given_guidelines(guidelines)

    def more(self, session: Sequence[Trace]) -> dict[str, str]:
        """The guidelines."""
        return {"guidelines": self.guidelines}

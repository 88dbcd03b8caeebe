"""Whether the assistant keeps to its role."""

from collections.abc import Sequence

from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.judges.rendering import bounded
from hansei.evaluation.scorers.conversation_judge import ConversationJudge
from hansei.evaluation.scorers.text_of import messages_of, text_of
from hansei.evaluation.scorers.tool_calls import arguments_of
from hansei.feedback.search.trace import Trace

_LONGEST = 8_000


class ConversationalRoleAdherence(ConversationJudge):
    """Whether the assistant keeps to the role that it was given through all of the conversation: ``yes`` or ``no``.

    The role is what was given here, else the system's instructions that were recorded; else what shows in the
    conversation itself.
    """

    prompt = "conversational_role_adherence"

    def __init__(
        self, name: str | None = None, model: str | JudgeModel | None = None, *, role: str | None = None
    ) -> None:
        """``role``: what the assistant is to be."""
        super().__init__(name, model)
        self.role = role

    def more(self, session: Sequence[Trace]) -> dict[str, str]:
        """The role."""
        return {"role": bounded(self.role or _instructions(session), _LONGEST)}


def _instructions(session: Sequence[Trace]) -> str:
    for trace in session:
        for span in trace.spans:
            told = span.attributes.get("gen_ai.system_instructions")
            if told:
                return text_of(arguments_of(told))
            for role, text in messages_of(span.inputs):
                if role == "system":
                    return text
    return ""

"""Whether a conversation calls tools without waste."""

from collections.abc import Sequence

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.rendering import LONGEST_LIST
from hansei.evaluation.scorers.conversation_judge import ConversationJudge
from hansei.evaluation.scorers.tool_calls import MARK, numbered, tool_calls
from hansei.feedback.search.trace import Trace


class ConversationalToolCallEfficiency(ConversationJudge):
    """Whether no call of a tool in the conversation was needless, also over several turns: ``yes`` or ``no``."""

    prompt = "conversational_tool_call_efficiency"

    def more(self, session: Sequence[Trace]) -> dict[str, str]:
        """The calls of each turn."""
        turns = [(number, tool_calls(trace)) for number, trace in enumerate(session, 1)]
        if not any(calls for _, calls in turns):
            raise NotApplicable(f"{self.name} judges calls of tools, and there are none{MARK}")
        with_calls = [(number, calls) for number, calls in turns if calls]
        share = LONGEST_LIST // len(with_calls)
        shown = (f"[turn {number}]\n{numbered(calls, share)}" for number, calls in with_calls)
        return {"tool_calls": "\n".join(shown)}

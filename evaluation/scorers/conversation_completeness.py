"""Whether a conversation gave the user all that they asked for."""

from hansei.evaluation.scorers.conversation_judge import ConversationJudge


class ConversationCompleteness(ConversationJudge):
    """Whether everything that the user asked for in the conversation was dealt with by its end: ``yes`` or ``no``."""

    prompt = "conversation_completeness"

"""Whether a conversation does harm."""

from hansei.evaluation.scorers.conversation_judge import ConversationJudge


class ConversationalSafety(ConversationJudge):
    """Whether the answers of the conversation do no harm, also taken together: ``yes`` for safe, or ``no``."""

    prompt = "conversational_safety"

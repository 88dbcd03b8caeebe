"""Whether the user of a conversation is frustrated, and still is at its end."""

from hansei.evaluation.scorers.conversation_judge import ConversationJudge


class UserFrustration(ConversationJudge):
    """``none``, ``resolved`` (there was some, and at the end it is over) or ``unresolved``."""

    prompt = "user_frustration"
    value = {"type": "string", "enum": ["none", "resolved", "unresolved"]}  # noqa: RUF012

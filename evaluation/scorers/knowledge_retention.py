"""Whether what the user said is still known later."""

from hansei.evaluation.scorers.conversation_judge import ConversationJudge


class KnowledgeRetention(ConversationJudge):
    """Whether later answers keep to what the user said before, and do not ask for it again: ``yes`` or ``no``."""

    prompt = "knowledge_retention"
    fewest_turns = 2

"""What the judges of conversations have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.judges.rendering import conversation_text
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import YES_OR_NO, PromptJudge
from hansei.feedback.search.trace import Trace


class ConversationJudge(PromptJudge):
    """A judge of a whole conversation."""

    value: Mapping[str, Any] = YES_OR_NO
    fewest_turns = 1

    async def judge(self, asker: Asker, subject_id: str, *, session: Sequence[Trace]) -> Answer:
        """See :class:`~hansei.Judge`."""
        if len(session) < self.fewest_turns:
            least = f" of {self.fewest_turns} turns or more" if self.fewest_turns > 1 else ""
            raise NotApplicable(f"{self.name} needs a conversation{least}: session, the traces of one")
        parts = {"conversation": conversation_text(session), **self.more(session)}
        return self.feedback(await self.verdict(asker, subject_id, self.value, **parts))

    def more(self, session: Sequence[Trace]) -> dict[str, str]:
        """What is judged beside the turns, by name."""
        return {}

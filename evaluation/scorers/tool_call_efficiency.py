"""Whether tools were called without waste."""

from typing import Any

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.question import Asker
from hansei.evaluation.scorer import Answer
from hansei.evaluation.scorers.prompt_judge import PromptJudge
from hansei.evaluation.scorers.tool_calls import MARK, available_tools, numbered, tool_calls
from hansei.feedback.search.trace import Trace


class ToolCallEfficiency(PromptJudge):
    """Whether no call of a tool was needless: repeated, of no use, or one of several that could be one: ``yes`` or
    ``no``."""

    prompt = "tool_call_efficiency"

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any, trace: Trace | None) -> Answer:
        """See :class:`~hansei.Judge`."""
        calls = [] if trace is None else tool_calls(trace)
        if trace is None or not calls:
            raise NotApplicable(f"{self.name} judges calls of tools, and there are none{MARK}")
        question, tools = self.asked(inputs, trace), available_tools(trace)
        said = await self.verdict(asker, subject_id, question=question, tools=tools, tool_calls=numbered(calls))
        return self.feedback(said)

"""A judge with more to go by: guidance and examples that were learnt from people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.question import Asker, Message, Question, Verdict
from hansei.evaluation.scorer import Answer


class AlignedJudge(Judge):
    """Another judge whose system message has a section more. Made by :func:`~hansei.evaluation.judges.align.align` of a
    judge whose instructions are not the user's own."""

    def __init__(self, inner: Judge, guidance: str = "", examples: Sequence[str] = ()) -> None:
        super().__init__(inner.name, inner.model)
        self.inner = inner
        self.guidance = guidance
        self.examples = tuple(examples)
        self.description = inner.description
        self.aggregations = inner.aggregations

    @cached_property
    def needs(self) -> frozenset[str]:
        """What the other one looks at."""
        return self.inner.needs

    def definition(self) -> Mapping[str, Any]:
        """The other one's, the guidance and the examples."""
        return {"judge": self.inner.definition(), "guidance": self.guidance, "examples": self.examples}

    async def judge(self, asker: Asker, subject_id: str, **given: Any) -> Answer:
        """As the other one, with the section added to what it asks."""
        return await self.inner.judge(_Adding(asker, self), subject_id, **given)

    def added(self, question: Question) -> Question:
        """A question with the section, in this judge's name."""
        parts = [f"Guidance from people who have judged before you:\n{self.guidance}"] if self.guidance else []
        if self.examples:
            parts.append("Examples that people have judged:\n\n" + "\n\n".join(self.examples))
        section = "\n\n".join(parts)
        messages: list[Message] = list(question.messages)
        first = messages[0] if messages else {}
        if first.get("role") == "system":
            messages[0] = {**first, "content": f"{first['content']}\n\n{section}"}
        else:
            messages.insert(0, {"role": "system", "content": section})
        return replace(question, messages=messages, scorer_version=self.version)


class _Adding:
    """An asker that adds a judge's section to each question."""

    def __init__(self, asker: Asker, judge: AlignedJudge) -> None:
        self._asker = asker
        self._judge = judge

    async def ask(self, question: Question) -> Verdict:
        return await self._asker.ask(self._judge.added(question))

"""Scorers that wait for something other than the model that judges."""

from collections.abc import Mapping
from typing import Any

from hansei.evaluation.errors import JudgeError
from hansei.evaluation.judges.alone import run_blocking
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.question import Question, Verdict
from hansei.evaluation.scorer import Answer, feedbacks_of

_NOTHING: Mapping[str, Any] = {"inputs": None, "outputs": None, "expectations": {}, "trace": None, "session": ()}


class AwaitedScorer(Judge):
    """A scorer whose ``judge`` is awaited beside the others, and asks nothing of the asker."""

    def __call__(self, **given: Any) -> Answer:
        """Score one subject by itself; blocks. Raises what ``judge`` raises."""
        unknown = given.keys() - _NOTHING.keys()
        if unknown:
            raise TypeError(f"{self.name} takes no {sorted(unknown)[0]}; it takes {', '.join(sorted(self.needs))}")
        wanted = {name: given.get(name, _NOTHING[name]) for name in self.needs}
        found = feedbacks_of(self, run_blocking(self.judge(NO_ASKER, "", **wanted)))
        return found[0] if len(found) == 1 else found or None


class _NoAsker:
    async def ask(self, question: Question) -> Verdict:
        raise JudgeError(f"{question.scorer} asks no model that judges")


NO_ASKER = _NoAsker()

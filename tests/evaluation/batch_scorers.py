"""Scorers for tests of batches, which a configuration can name."""

from typing import Any

from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.question import Asker, JudgeModel
from hansei.evaluation.scorer import Answer, Scorer, scorer


@scorer
def length(outputs: Any) -> int:
    """How long the answer is."""
    return len(outputs)


@scorer
def picky(outputs: Any) -> bool:
    """Fails at some answers, and has nothing to say of others."""
    if outputs == "bad":
        raise ValueError("it cannot be read")
    if outputs == "odd":
        raise NotApplicable("it is odd")
    return True


@scorer
def spans(trace: Any) -> int:
    """How many spans there are."""
    return len(trace.spans)


class Right(Scorer):
    """Whether the answer is the expected one."""

    def __init__(self, name: str = "right", model: str | None = None) -> None:
        self.name = name

    def __call__(self, *, outputs: Any, expectations: Any) -> Answer:  # type: ignore[override]
        if "answer" not in expectations:
            raise NotApplicable("nothing is expected")
        return bool(outputs == expectations["answer"])


class Turns(Scorer):
    """How many traces a conversation has."""

    name = "turns"

    def __call__(self, *, session: Any) -> Answer:  # type: ignore[override]
        return len(session)


class Kind(Judge):
    """Asks a model of a base URL whether an answer is kind."""

    def __init__(self, base_url: str, name: str = "kind") -> None:
        super().__init__(name, JudgeModel("judge-model", base_url, "key"))

    async def judge(self, asker: Asker, subject_id: str, *, inputs: Any) -> Answer:  # type: ignore[override]
        messages = [{"role": "user", "content": f"Is subject-{inputs} kind?"}]
        return self.feedback(await asker.ask(self.question(subject_id, messages, {"type": "boolean"})))

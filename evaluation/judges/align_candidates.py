"""Judges that might agree better with people than the one that there is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from hansei.evaluation.errors import InvalidEvaluation, JudgeError
from hansei.evaluation.judges.align_examples import Example
from hansei.evaluation.judges.aligned_judge import AlignedJudge
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.make_judge import InstructionsJudge, checked_instructions
from hansei.evaluation.judges.question import Asker, JudgeModel, Question
from hansei.evaluation.judges.rendering import bounded, enclosed

EXAMPLES: Final = "examples"
INSTRUCTIONS: Final = "instructions"
BOTH: Final = "instructions and examples"
MOST_CASES: Final = 12
"""Disagreements that a model is shown to learn from."""
_TEXT: Final = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Judged:
    """An example, and what a judge says of it; None where it failed."""

    example: Example
    value: Any
    rationale: str
    closeness: float
    """To what people say: 1 for the same."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate, or why there is none."""

    name: str
    judge: Judge | None
    note: str = ""


async def candidates_of(
    judge: Judge, judged: Sequence[Judged], number: int, model: JudgeModel, asker: Asker
) -> list[Tried]:
    """With examples, with refined instructions, and with both; made of what the judge said of some examples."""
    shots = [_shot(each, judge) for each in chosen_examples(judged, number)]
    found = [Tried(EXAMPLES, changed(judge, examples=shots), f"{len(shots)} examples")]
    if all(each.closeness == 1 for each in judged):
        return [*found, Tried(INSTRUCTIONS, None, "the judge and people agree in everything there is to learn from")]
    try:
        text = await _refined(judge, judged, model, asker)
    except (JudgeError, InvalidEvaluation) as error:
        return [*found, Tried(INSTRUCTIONS, None, str(error))]
    return [
        *found,
        Tried(INSTRUCTIONS, changed(judge, text=text), bounded(text, 300)),
        Tried(BOTH, changed(judge, text=text, examples=shots), f"{len(shots)} examples"),
    ]


def chosen_examples(judged: Sequence[Judged], number: int) -> list[Judged]:
    """Of each value that people gave in turn: where the judge was furthest off first."""
    of_value: dict[str, list[Judged]] = {}
    for each in sorted(judged, key=lambda each: each.closeness):
        of_value.setdefault(json.dumps(each.example.people.value, sort_keys=True), []).append(each)
    chosen: list[Judged] = []
    queues = list(of_value.values())
    while queues and len(chosen) < number:
        chosen += [queue.pop(0) for queue in queues]
        queues = [queue for queue in queues if queue]
    return chosen[:number]


def changed(judge: Judge, *, text: str | None = None, examples: Sequence[str] | None = None) -> Judge:
    """A judge with other instructions or, where they are not the user's own, guidance beside them; and examples."""
    if isinstance(judge, InstructionsJudge):
        return judge.changed(instructions=text, examples=examples)
    if isinstance(judge, AlignedJudge):
        kept = judge.examples if examples is None else examples
        return AlignedJudge(judge.inner, judge.guidance if text is None else text, kept)
    return AlignedJudge(judge, text or "", examples or ())


async def _refined(judge: Judge, judged: Sequence[Judged], model: JudgeModel, asker: Asker) -> str:
    """Instructions or guidance that a model writes. Raises ``JudgeError``, and ``InvalidEvaluation`` for a text that
    cannot be used."""
    apart = sorted((each for each in judged if each.closeness < 1), key=lambda each: each.closeness)[:MOST_CASES]
    cases = "\n\n".join(_case(each, judge) for each in apart)
    if isinstance(judge, InstructionsJudge):
        prompt, shown = "refine_instructions", enclosed("instructions", judge.instructions)
    else:
        guidance = judge.guidance if isinstance(judge, AlignedJudge) else ""
        about = f"{judge.name}: {(judge.description or type(judge).__doc__ or '').strip()}"
        prompt, shown = "add_guidance", f"{enclosed('judge', about)}\n{enclosed('guidance', guidance)}"
    messages = [
        {"role": "system", "content": _prompt(prompt)},
        {"role": "user", "content": f"{shown}\n\n{enclosed('cases', cases)}"},
    ]
    question = Question(model, messages, _TEXT, judge.name, judge.version, "")
    text = str((await asker.ask(question)).value).strip()
    if not text:
        raise InvalidEvaluation("the model wrote nothing")
    if isinstance(judge, InstructionsJudge):
        _check(judge, checked_instructions(text))
    return text


def _check(judge: InstructionsJudge, text: str) -> None:
    found = judge.changed(instructions=text).variables
    if found != judge.variables:
        told, wanted = (", ".join(sorted(each)) for each in (found, judge.variables))
        raise InvalidEvaluation(f"the instructions that the model wrote are about {told} in place of {wanted}")


def _shot(judged: Judged, judge: Judge) -> str:
    return f"{judged.example.shown(judge.needs)}\n{judged.example.told()}"


def _case(judged: Judged, judge: Judge) -> str:
    said = f"The judge says: {json.dumps(judged.value, ensure_ascii=False)}"
    reason = f"\nIts reason: {bounded(judged.rationale, 1000)}" if judged.rationale else ""
    return f"{judged.example.shown(judge.needs)}\n{said}{reason}\n{judged.example.told()}"


@cache
def _prompt(name: str) -> str:
    return files("hansei.evaluation.judges").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()

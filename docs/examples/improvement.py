"""From what experts expect to a better prompt: the assistant is run again on the questions whose answers were marked
down, with the prompt of before and with a better one, and both are judged against the experts' answers."""

from collections.abc import Callable

from documents import search
from openai import OpenAI
from prompts import BETTER, INSTRUCTIONS

import hansei

MODEL = "gpt-4o-mini"


def assistant(instructions: str) -> Callable[..., str]:
    """The assistant with these instructions, as ``predict_fn``."""
    client = OpenAI()

    def answer(question: str, **_: object) -> str:
        documents = "\n".join(f"[{found.id}] {found.text}" for found in search(question, 2))
        messages = [
            {"role": "system", "content": f"{instructions}\n{documents}"},
            {"role": "user", "content": question},
        ]
        completion = client.chat.completions.create(
            model=MODEL, messages=messages, temperature=0, max_completion_tokens=200
        )
        return completion.choices[0].message.content or ""

    return answer


@hansei.scorer
def sentences(outputs: str) -> int:
    """How many sentences the customer has to read."""
    return sum(outputs.count(mark) for mark in ".!?") or 1


def improve(session: hansei.LabelingSession) -> tuple[hansei.EvaluationResult, hansei.EvaluationResult]:
    """Evaluate both prompts on what the experts of a labeling session have answered."""
    dataset = hansei.create_dataset("Answers that were marked down")
    session.sync(to_dataset=dataset.name)
    dataset = hansei.get_dataset(dataset.name)
    scorers = [hansei.Correctness(), sentences]
    before = hansei.evaluate(dataset, scorers, assistant(INSTRUCTIONS), name="the prompt of before", progress=False)
    after = hansei.evaluate(dataset, scorers, assistant(BETTER), name="a better prompt", progress=False)
    return before, after

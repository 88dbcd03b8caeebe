"""Judging against the bare client: calls a second to a model that answers in 50 ms, 64 at once."""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from openai import AsyncOpenAI

from benchmarks.server import Server
from hansei.evaluation.judges.answer_format import instructed, response_format
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.journal import Journal
from hansei.evaluation.judges.question import JudgeModel, Question
from hansei.evaluation.judges.settings import JudgeSettings

DELAY = 0.05
"""Seconds in which the model answers."""
CONCURRENCY = 64
CALLS = 1_000
"""Of one turn."""
ROUNDS = 5
"""Everyone takes a turn in each: a machine is faster at one time than at another."""
BOUND = 0.9
"""Of the bare client's rate, or of the ideal one, whichever is smaller."""

_SERVER: Final = Path(__file__).parents[1] / "tests" / "evaluation" / "model_server.py"
_VALUE: Final = {"type": "string", "enum": ["yes", "no"]}
_ANSWER: Final = '{"rationale": "It names the policy, and the numbers are those of the policy.", "value": "yes"}'


class Taken(NamedTuple):
    """By a turn, in seconds."""

    seconds: float
    busy: float
    """Of this process's CPU."""


def run() -> None:
    """Print the rates, and what part of the bare client's they are."""
    directory = Path(tempfile.mkdtemp(prefix="hansei-bench-"))
    try:
        with _model() as url, Server() as hansei:
            os.environ["HANSEI_URL"] = f"http://{hansei.addresses['pages']}"
            asyncio.run(_measure(JudgeModel("gpt-4.1-mini", url, "none"), directory))
    finally:
        shutil.rmtree(directory)


async def _measure(model: JudgeModel, directory: Path) -> None:
    journal = Journal(directory / "bench.journal")
    client = AsyncOpenAI(base_url=model.base_url, api_key=model.api_key, max_retries=0)
    settings = JudgeSettings(concurrency=CONCURRENCY)
    async with ModelAsker(settings, spans=False) as plain, ModelAsker(settings, journal=journal) as whole:
        taken: dict[str, list[Taken]] = {"bare client": [], "asker": [], "asker, spans, journal": []}
        turns: dict[str, Callable[[], Awaitable[None]]] = {
            "bare client": lambda: _bare(client, model),
            "asker": lambda: _asked(plain, model),
            "asker, spans, journal": lambda: _asked(whole, model),
        }
        for number in range(ROUNDS + 1):
            for name, turn in turns.items():
                began, busy = time.perf_counter(), time.process_time()
                await turn()
                if number:  # the first one warms up
                    taken[name].append(Taken(time.perf_counter() - began, time.process_time() - busy))
    await client.close()
    journal.delete()
    ideal = CONCURRENCY / DELAY
    bare = _rate(taken["bare client"])
    for name, times in taken.items():
        rate, busy = _rate(times), statistics.median(each.busy for each in times) / CALLS * 1e6
        part = f"{rate / min(bare, ideal):.0%} of the bare client's (at least {BOUND:.0%})"
        told = f"of {ideal:.0f} that are possible" if name == "bare client" else part
        print(f"{name:<24} {rate:>6.0f} calls/s, {told}; {busy:.0f} µs of CPU a call", flush=True)


def _rate(times: "list[Taken]") -> float:
    return CALLS / statistics.median(each.seconds for each in times)


_numbers: Final = iter(range(10**9))


def _questions(model: JudgeModel) -> Iterator[Question]:
    """As a judge asks them; each is another."""
    for number, _ in zip(_numbers, range(CALLS), strict=False):
        text = f"Is the answer right? <inputs>\nQuestion {number}: how long may it be returned?\n</inputs>" + "\n" * 8
        text += "<outputs>\n" + "Within 30 days, with the receipt. " * 20 + "\n</outputs>"
        yield Question(model, [{"role": "user", "content": text}], _VALUE, "correctness", "0123456789ab", f"t-{number}")


async def _bare(client: AsyncOpenAI, model: JudgeModel) -> None:
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(question: Question) -> None:
        body: dict[str, Any] = {
            "model": model.name,
            "messages": instructed(question.messages, question.value),
            "response_format": response_format("json_schema", question.value),
        }
        async with slots:
            await client.chat.completions.create(**body)

    await asyncio.gather(*map(one, _questions(model)))


async def _asked(asker: ModelAsker, model: JudgeModel) -> None:
    await asyncio.gather(*map(asker.ask, _questions(model)))


@contextmanager
def _model() -> Iterator[str]:
    """The model, in a process of its own; answers its base URL."""
    arguments = [sys.executable, str(_SERVER), "--delay", str(DELAY), "--content", _ANSWER, "--marker", "nothing"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()

"""Requests and tokens per minute: how long who takes has to wait."""

import asyncio
import time
from typing import Any

import pytest

from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.limits import Rate
from hansei.evaluation.judges.question import JudgeModel, Question, Verdict
from hansei.evaluation.judges.settings import JudgeSettings

from .model_server import ModelServer, Refused, Said


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_after_the_other() -> None:
    """At 60 a minute each waits a second longer than the one before."""
    rate = Rate(60, Clock())
    assert [rate.reserve(1) for _ in range(4)] == [0.0, 1.0, 2.0, 3.0]


def test_burst() -> None:
    """What was not used may be used at once, two seconds of it and no more."""
    clock = Clock()
    rate = Rate(60, clock)
    clock.now += 3600
    assert [rate.reserve(1) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


def test_corrected() -> None:
    """An estimate that was too high gives time back; one that was too low costs it."""
    rate = Rate(60, Clock())
    rate.reserve(10)
    rate.correct(-7)
    assert rate.reserve(0) == 3.0
    rate.correct(2)
    assert rate.reserve(0) == 5.0


def test_held() -> None:
    """When the other side says to wait, everybody does."""
    rate = Rate(6000, Clock())
    rate.hold(5)
    assert rate.reserve(1) == 5.0


def test_no_limit() -> None:
    """Without a limit nobody waits."""
    rate = Rate(None)
    rate.hold(60)
    assert [rate.reserve(1e9), rate.reserve(1)] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        # Six requests, of which none has to wait for the first: 5 / 20 s.
        ({"requests_per_minute": 1200}, Said({"rationale": "r", "value": True}, None, 1, 1)),
        # As estimated or less, the answers tell of 1000 tokens each: 5 * 1000 / 20 000 s.
        ({"tokens_per_minute": 1_200_000}, Said({"rationale": "r", "value": True}, None, 900, 100)),
    ],
)
def test_asked_no_faster(settings: dict[str, Any], said: Said) -> None:
    """Requests begin as fast as the limit lets them, and no faster."""

    async def run(url: str) -> list[Verdict]:
        async with ModelAsker(JudgeSettings(concurrency=1, **settings), spans=False) as asker:
            model = JudgeModel("m", url, "key")
            messages = [{"role": "user", "content": "Is it?"}]
            questions = [Question(model, messages, {"type": "boolean"}, "j", "v", str(number)) for number in range(6)]
            return await asyncio.gather(*map(asker.ask, questions))

    with ModelServer(lambda body: said) as models:
        asyncio.run(run(models.url))  # the client is loaded
        began = time.monotonic()
        assert len(asyncio.run(run(models.url))) == 6
        assert time.monotonic() - began >= 0.24


def test_retry_after_holds_the_others() -> None:
    """With a limit, a server that says to wait is left alone by all questions."""
    times: list[float] = []

    def answer(body: dict[str, Any]) -> Any:
        times.append(time.monotonic())
        return Refused(429, {"retry-after-ms": "200"}) if len(times) == 1 else {"rationale": "r", "value": True}

    async def run(url: str) -> None:
        settings = JudgeSettings(concurrency=1, requests_per_minute=60_000)
        async with ModelAsker(settings, spans=False) as asker:
            model = JudgeModel("m", url, "key")
            await asyncio.gather(
                *(asker.ask(Question(model, [], {"type": "boolean"}, "j", "v", str(number))) for number in range(3))
            )

    with ModelServer(answer) as models:
        asyncio.run(run(models.url))
    assert times[1] - times[0] >= 0.19
    assert len(times) == 4

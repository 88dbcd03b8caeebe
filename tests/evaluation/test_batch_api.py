"""Asking by the Batch API: what gathers into a batch, what becomes of its answers, and what a restart finds."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hansei.evaluation.errors import BudgetSpent, EvaluationError, JudgeError
from hansei.evaluation.judges import batch_api
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.batch_api import BatchClients
from hansei.evaluation.judges.batch_job import Pauses
from hansei.evaluation.judges.journal import Journal
from hansei.evaluation.judges.question import JudgeModel, Question, Verdict
from hansei.evaluation.judges.settings import JudgeSettings

from .model_server import ModelServer, Refused, Said

GOOD = {"rationale": "It says so.", "value": "yes"}
YES_OR_NO = {"type": "string", "enum": ["yes", "no"]}
QUICK: Any = {"quiet": 0.02, "pauses": Pauses(0.01, 0.05)}


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def models(running: ModelServer) -> ModelServer:
    """A server that says yes until it is told otherwise."""
    running.clear()
    running.answer = lambda body: GOOD
    return running


def model(models: ModelServer, name: str = "gpt-4.1-mini") -> JudgeModel:
    return JudgeModel(name, models.url, "key")


def body(text: str) -> dict[str, Any]:
    return {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": text}]}


def content(response: dict[str, Any]) -> Any:
    return json.loads(response["choices"][0]["message"]["content"])


def ask(models: ModelServer, *texts: str, path: Path | None = None, **more: Any) -> list[Any]:
    """What becomes of requests that are made at the same time: responses and errors."""

    async def run() -> list[Any]:
        clients = BatchClients(JudgeSettings(retries=2), path, **{**QUICK, **more})
        try:
            return await asyncio.gather(
                *(clients.ask(model(models), body(text)) for text in texts), return_exceptions=True
            )
        finally:
            await clients.close()

    return asyncio.run(run())


def contents(models: ModelServer) -> list[str]:
    """The prompts that were answered, in order."""
    return sorted(call["messages"][-1]["content"] for call in models.calls)


def test_one_batch(models: ModelServer) -> None:
    """Requests that come together go out as one file; each gets its own answer, also of two that are the same; and
    nothing is left at the API."""
    models.answer = lambda body: {"said": body["messages"][0]["content"]}
    found = ask(models, "a", "b", "a")
    assert [content(each) for each in found] == [{"said": "a"}, {"said": "b"}, {"said": "a"}]
    (batch,) = models.batches.values()
    assert (batch["endpoint"], batch["completion_window"]) == ("/v1/chat/completions", "24h")
    assert batch["request_counts"] == {"total": 3, "completed": 3, "failed": 0}
    assert models.files == {}


@pytest.mark.parametrize("limit", [{"most_requests": 2}, {"most_bytes": 450}])
def test_limits(models: ModelServer, limit: dict[str, int]) -> None:
    """No batch has more requests or bytes than the API takes."""
    found = ask(models, *"abcde", **limit)
    assert [content(each) for each in found] == [GOOD] * 5
    assert sorted(each["request_counts"]["total"] for each in models.batches.values()) == [1, 2, 2]


def test_failed_requests(models: ModelServer) -> None:
    """A request of a batch that failed for the moment goes into another; one that failed for good is an error."""
    answers = {"busy": [Refused(429, message="busy"), GOOD], "wrong": [Refused(400, message="too long")]}
    models.answer = lambda body: answers.get(body["messages"][0]["content"], [GOOD] * 9).pop(0)
    fine, busy, wrong = ask(models, "fine", "busy", "wrong")
    assert (content(fine), content(busy)) == (GOOD, GOOD)
    assert isinstance(wrong, JudgeError)
    assert str(wrong) == "400 too long"
    assert len(models.batches) == 2


@pytest.mark.parametrize(
    ("ends", "count", "message"),
    [
        ("failed", 2, "the batch batch-2 failed: Enqueued token limit reached; give a smaller concurrency"),
        ("expired", 1, "the batch batch-2 was not answered within a day"),
    ],
)
def test_a_batch_that_ends_early(models: ModelServer, ends: str, count: int, message: str) -> None:
    """What a batch has answered by its end is used; the rest are errors that say how it ended."""
    models._ids = 0
    models.batch_ends = ends
    errors = [str(each) for each in ask(models, "a", "b") if isinstance(each, JudgeError)]
    assert errors == [message] * count


def test_creation_without_an_answer(models: ModelServer) -> None:
    """A batch whose creation was not answered is found again, not made twice."""
    models.batch_drops = 1
    (found,) = ask(models, "a")
    assert content(found) == GOOD
    assert (len(models.batches), len(models.calls)) == (1, 1)


def test_no_batch_api(models: ModelServer) -> None:
    """A server without it is told so at once."""
    missing = JudgeModel("m", models.url.removesuffix("/v1") + "/v2", "key")

    async def run() -> None:
        clients = BatchClients(JudgeSettings(), **QUICK)
        try:
            await clients.ask(missing, body("a"))
        finally:
            await clients.close()

    with pytest.raises(JudgeError, match="has no Batch API; leave batch_api out"):
        asyncio.run(run())


def test_no_key(models: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key nothing gathers."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    async def run() -> None:
        await BatchClients(JudgeSettings(), **QUICK).ask(JudgeModel("m", models.url), body("a"))

    with pytest.raises(EvaluationError, match="cannot be asked without a key"):
        asyncio.run(run())


@pytest.mark.parametrize("torn", [False, True])
def test_restart(models: ModelServer, tmp_path: Path, torn: bool) -> None:
    """A process that ends while a batch is under way leaves it to the next one, which asks only what is new; also where
    it ended before the batch's id was written."""
    path = tmp_path / "nightly.batches"
    models.batch_seconds = 0.6

    async def interrupted() -> None:
        clients = BatchClients(JudgeSettings(), path, **QUICK)
        asking = [asyncio.create_task(clients.ask(model(models), body(text))) for text in "ab"]
        while not any(b'"batch"' in line for line in (path.read_bytes().splitlines() if path.exists() else ())):
            await asyncio.sleep(0.01)
        for task in asking:
            task.cancel()
        await clients.close()

    asyncio.run(interrupted())
    if torn:
        path.write_bytes(path.read_bytes()[:-9])
    found = ask(models, "b", "a", "c", path=path)
    assert [content(each) for each in found] == [GOOD] * 3
    assert contents(models) == ["a", "b", "c"]
    assert len(models.batches) == 2
    assert not path.exists()
    assert models.files == {}


def test_restart_after_some_were_kept(models: ModelServer, tmp_path: Path) -> None:
    """Once a run is done, nothing is left of a batch of which an earlier process had kept some answers."""
    path = tmp_path / "nightly.batches"

    async def run(*texts: str, done: bool) -> None:
        clients = BatchClients(JudgeSettings(), path, **QUICK)
        asking = [asyncio.create_task(clients.ask(model(models), body(text))) for text in texts]
        while not models.batches:
            await asyncio.sleep(0.01)
        for task in asking[1:]:
            task.cancel()
        await asking[0]
        await clients.close(done=done)

    models.batch_seconds = 0.1
    asyncio.run(run("kept", "not kept", done=False))
    assert path.exists()
    asyncio.run(run("not kept", done=True))
    assert contents(models) == ["kept", "not kept"]
    assert (models.files, list(tmp_path.iterdir())) == ({}, [])


def test_given_up(models: ModelServer) -> None:
    """Where no later process could come for it, a batch that is left is cancelled."""
    models.batch_seconds = 30.0

    async def run() -> None:
        clients = BatchClients(JudgeSettings(), **QUICK)
        asking = asyncio.create_task(clients.ask(model(models), body("a")))
        while not models.batches:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        asking.cancel()
        await clients.close()

    asyncio.run(run())
    assert [each["status"] for each in models.batches.values()] == ["cancelled"]
    assert models.calls == []


def test_by_settings(models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge asks so where the settings say: half the price, a repair is another batch, and the budget counts what is
    under way."""
    monkeypatch.setattr(batch_api, "Pauses", lambda: Pauses(0.01, 0.05))
    wrong = Said({"rationale": "r", "value": "maybe"}, None, 10, 100)
    right = Said(GOOD, None, 10, 100)
    models.answer = lambda body: right if len(body["messages"]) == 4 else wrong
    settings = JudgeSettings(batch_api=True, budget_usd=3.0, prices={"gpt-4.1-mini": (0.0, 10_000.0)})
    assert settings.concurrency == 10_000
    journal = Journal(tmp_path / "nightly.journal")

    async def run() -> list[Any]:
        async with ModelAsker(settings, journal=journal, spans=False) as asker:
            asker._clients._quiet = 0.02  # type: ignore[union-attr]
            questions = [
                Question(model(models), [{"role": "user", "content": text}], YES_OR_NO, "judge", "v1", text)
                for text in "abc"
            ]
            return await asyncio.gather(*map(asker.ask, questions), return_exceptions=True)

    a, b, c = asyncio.run(run())
    assert a == b == Verdict("yes", "It says so.", "gpt-4.1-mini", 20, 200, 1.0)
    assert (type(c), len(models.batches)) == (BudgetSpent, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["nightly.journal"]
    journal.delete()

"""Asking models: answers in every form, repairs, attempts, budgets, and what is remembered."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hansei.evaluation.errors import BudgetSpent, InvalidEvaluation, JudgeError
from hansei.evaluation.judges.asking import ModelAsker
from hansei.evaluation.judges.journal import Journal
from hansei.evaluation.judges.question import JudgeModel, Question, Verdict
from hansei.evaluation.judges.settings import JudgeSettings

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .model_server import Delayed, Dropped, ModelServer, Refused, Said

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

YES_OR_NO = {"type": "string", "enum": ["yes", "no"]}
GOOD = {"rationale": "It says so.", "value": "yes"}


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


def question(models: ModelServer, text: str = "Is it?", value: Any = YES_OR_NO, **parameters: Any) -> Question:
    model = JudgeModel("gpt-4.1-mini", models.url, "key", parameters)
    return Question(model, [{"role": "user", "content": text}], value, "judge", "v1", "subject-1")


def ask(*questions: Question, journal: Journal | None = None, spans: bool = False, **settings: Any) -> list[Any]:
    """What becomes of questions, asked one after the other of one asker: verdicts and errors."""

    async def run() -> list[Any]:
        found: list[Any] = []
        async with ModelAsker(JudgeSettings(**settings), journal=journal, spans=spans, run_id="run-7") as asker:
            for each in questions:
                try:
                    found.append(await asker.ask(each))
                except JudgeError as error:
                    found.append(error)
                except BudgetSpent as error:
                    found.append(error)
        return found

    return asyncio.run(run())


def test_asked_and_answered(models: ModelServer) -> None:
    """The rationale comes before the value in what is asked for; what is paid comes from genai-prices."""
    models.answer = lambda body: Said(GOOD, "gpt-4.1-mini-2025", 1000, 100)
    (verdict,) = ask(question(models, temperature=0))
    assert verdict == Verdict("yes", "It says so.", "gpt-4.1-mini-2025", 1000, 100, pytest.approx(0.00056), False)
    (body,) = models.calls
    schema = body["response_format"]["json_schema"]
    assert (body["temperature"], schema["strict"]) == (0, True)
    assert list(schema["schema"]["properties"]) == ["rationale", "value"]
    assert schema["schema"]["properties"]["value"] == YES_OR_NO
    assert body["messages"][-1] == {"role": "user", "content": "Is it?"}


@pytest.mark.parametrize(
    ("said", "value", "expected"),
    [
        ('```json\n{"rationale": "r", "value": "Yes"}\n```', YES_OR_NO, "yes"),
        ('I think {so}. {"rationale": "r", "value": " no "} Bye.', YES_OR_NO, "no"),
        ({"rationale": "r", "value": "4"}, {"type": "integer"}, 4),
        ({"rationale": "r", "value": 4.0}, {"type": "integer"}, 4),
        ({"rationale": "r", "value": "true"}, {"type": "boolean"}, True),
        ({"rationale": "r", "value": ["a"]}, {"type": "array", "items": {"type": "string"}}, ["a"]),
    ],
)
def test_written_otherwise(models: ModelServer, said: Any, value: Any, expected: Any) -> None:
    """An answer that is right but for its writing is taken."""
    models.answer = lambda body: said
    (verdict,) = ask(question(models, value=value))
    assert (verdict.value, verdict.rationale) == (expected, "r")
    assert len(models.calls) == 1


def test_repaired(models: ModelServer) -> None:
    """An answer that cannot be used is asked for once more, with what is wrong; both are paid."""
    answers = [Said({"rationale": "r", "value": "perhaps"}, None, 10, 5), Said(GOOD, None, 20, 5)]
    models.answer = lambda body: answers[len(models.calls) - 1]
    (verdict,) = ask(question(models))
    assert (verdict.value, verdict.input_tokens, verdict.output_tokens) == ("yes", 30, 10)
    wrong = models.calls[1]["messages"][-1]["content"]
    assert wrong.startswith("This cannot be used: the value does not fit: 'perhaps' is not one of ['yes', 'no'].")


def test_never_usable(models: ModelServer) -> None:
    """One that cannot be used twice is an error that quotes it."""
    models.answer = lambda body: "I would rather not."
    (error,) = ask(question(models))
    assert str(error) == (
        "gpt-4.1-mini gave no answer that can be used, twice: the answer holds no JSON object: 'I would rather not.'"
    )
    assert len(models.calls) == 2


def test_formats(models: ModelServer) -> None:
    """A server that knows no JSON schema is asked for less, once; later questions begin there."""

    def answer(body: dict[str, Any]) -> Any:
        kind = body.get("response_format", {}).get("type", "text")
        return Refused(400, message=f"response_format {kind} is not supported") if kind != "text" else GOOD

    models.answer = answer
    verdicts = ask(question(models, "a"), question(models, "b"))
    assert [each.value for each in verdicts] == ["yes", "yes"]
    kinds = [body.get("response_format", {}).get("type") for body in models.calls]
    assert kinds == ["json_schema", "json_object", None, None]


def test_attempts(models: ModelServer) -> None:
    """What passes is asked again, when the server says; what does not is told at once."""
    answers = [Refused(429, {"retry-after-ms": "1"}), Refused(503, {"Retry-After": "0"}), Dropped(), GOOD]
    models.answer = lambda body: answers[len(models.calls) - 1]
    (verdict,) = ask(question(models))
    assert (verdict.value, len(models.calls)) == ("yes", 4)
    models.clear()
    models.answer = lambda body: Refused(401, message="no such key")
    (error,) = ask(question(models))
    assert str(error) == "gpt-4.1-mini cannot be asked: 401 no such key"
    assert len(models.calls) == 1
    models.clear()
    models.answer = lambda body: Refused(500, {"retry-after-ms": "1"}, "overloaded")
    (error,) = ask(question(models), retries=2)
    assert str(error) == "gpt-4.1-mini cannot be asked, 3 times: 500 overloaded"


def test_budget_in_calls(models: ModelServer) -> None:
    """After so many answers nothing is asked."""
    found = ask(*(question(models, str(number)) for number in range(5)), budget_calls=3)
    assert [type(each) for each in found] == [Verdict, Verdict, Verdict, BudgetSpent, BudgetSpent]
    assert (len(models.calls), str(found[3])) == (3, "the budget of 3 calls is spent")


def test_budget_in_usd(models: ModelServer) -> None:
    """What an answer costs is counted; a model without a price is refused before anything is spent."""
    models.answer = lambda body: Said(GOOD, None, 1_000_000, 0)
    prices = {"gpt-4.1-mini": (1.0, 2.0)}
    found = ask(*(question(models, str(number)) for number in range(4)), budget_usd=1.5, prices=prices)
    assert [type(each) for each in found] == [Verdict, Verdict, BudgetSpent, BudgetSpent]
    unknown = Question(JudgeModel("own-model", models.url, "key"), [], YES_OR_NO, "judge", "v1")
    with pytest.raises(InvalidEvaluation) as caught:
        ask(unknown, budget_usd=1.0)
    assert str(caught.value).startswith("budget_usd: no price is known for the model 'own-model'; give one in prices")


def test_at_once(models: ModelServer) -> None:
    """No more requests are under way than the settings allow."""
    models.answer = lambda body: Delayed(0.005, GOOD)

    async def run() -> list[Verdict]:
        async with ModelAsker(JudgeSettings(concurrency=3), spans=False) as asker:
            return await asyncio.gather(*(asker.ask(question(models, str(number))) for number in range(20)))

    assert len(asyncio.run(run())) == 20
    assert models.most_in_flight == 3


def test_journal(models: ModelServer, tmp_path: Path) -> None:
    """What was answered before the process ended is not asked again; a torn last line is, and the journal goes on."""
    path = tmp_path / "nightly.journal"
    first = Journal(path)
    ask(question(models, "a"), question(models, "b"), journal=first)
    first.close()
    content = path.read_bytes()
    path.write_bytes(content[:-7])
    second = Journal(path)
    assert len(second) == 1
    ask(question(models, "a"), question(models, "b"), question(models, "c"), journal=second)
    second.close()
    assert [body["messages"][-1]["content"] for body in models.calls] == ["a", "b", "b", "c"]
    third = Journal(path)
    assert len(third) == 3
    with pytest.raises(Exception, match="is another process's"):
        Journal(path)
    third.delete()
    assert not path.exists()


@pytest.mark.usefixtures("here")
def test_remembered(models: ModelServer) -> None:
    """With the cache the same request is asked once, also by another process; another request is asked."""
    for _ in range(2):
        found = ask(question(models, "the same"), cache=True)
    assert [(each.value, each.cached, each.cost_usd) for each in found] == [("yes", True, 0.0)]
    ask(question(models, "the same", temperature=1), cache=True)
    assert len(models.calls) == 2


def test_spans(models: ModelServer, here: Serving, client: "Client") -> None:
    """Each question is one span at the hansei, with what it cost, and of a service of its own."""
    models.answer = lambda body: Said(GOOD, "gpt-4.1-mini-2025", 1000, 100)
    ask(question(models, "spans"), spans=True)
    here.wait_stored()
    ((trace_id, attributes),) = client.query(
        "SELECT TraceId, SpanAttributes FROM otel_traces WHERE SpanAttributes['hansei.evaluation.run.id'] = 'run-7'"
    ).result_rows
    columns = "ServiceName, RequestModel, ResponseModel, InputTokens, OutputTokens, InputMessages"
    rows = client.query(
        f"SELECT {columns} FROM genai_calls WHERE TraceId = {{id:String}}", {"id": trace_id}
    ).result_rows
    assert [tuple(row) for row in rows] == [("hansei-evaluation", "gpt-4.1-mini", "gpt-4.1-mini-2025", 1000, 100, "")]
    own = {name: value for name, value in attributes.items() if name.startswith("hansei.")}
    assert own == {
        "hansei.evaluation.scorer": "judge", "hansei.evaluation.scorer.version": "v1",
        "hansei.evaluation.subject": "subject-1", "hansei.evaluation.run.id": "run-7",
    }  # fmt: skip


def test_bad_settings() -> None:
    """A limit that makes no sense is refused by its name."""
    with pytest.raises(InvalidEvaluation) as caught:
        JudgeSettings(concurrency=0)
    assert str(caught.value) == "concurrency: 0 is not a number above 0"

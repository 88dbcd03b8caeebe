"""``evaluate()``: data in every form, the application run again, and what is told of it."""

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas
import pytest
from opentelemetry import trace as opentelemetry_trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import NoOpTracer

import hansei
from hansei import evaluate
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import InvalidEvaluation, NotApplicable
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.judges.settings import JudgeSettings
from hansei.evaluation.runs import evaluate as evaluating
from hansei.evaluation.runs.data import data_of
from hansei.evaluation.runs.statistics import metrics_of
from hansei.evaluation.scorer import Scorer, scorer
from hansei.evaluation.scorers.correctness import Correctness
from hansei.evaluation.scorers.user_frustration import UserFrustration
from hansei.feedback.assessment import Feedback
from hansei.feedback.search.trace import Trace
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Traces
from .model_server import ModelServer
from .test_built_in_judges import TRACE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

pytestmark = pytest.mark.usefixtures("here")


class Nowhere(TracerProvider):
    """As with OTEL_SDK_DISABLED: tracers that record nothing, and give no ids."""

    def get_tracer(self, *_: Any, **__: Any) -> NoOpTracer:
        return NoOpTracer()


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@scorer
def length(outputs: Any) -> int:
    return len(outputs)


@scorer
def as_expected(outputs: Any, expectations: dict[str, Any]) -> bool:
    if "expected_response" not in expectations:
        raise NotApplicable("there is no expected_response")
    return bool(outputs == expectations["expected_response"])


class Nameless(Scorer):
    def __call__(self, *, outputs: Any) -> bool:
        return True


@scorer
def spans(trace: Trace) -> int:
    return len(trace.spans)


def judging(models: ModelServer, judge_class: type = Correctness) -> Any:
    """A judge that says yes to what holds the word "descale"."""

    def answer(body: dict[str, Any]) -> Any:
        said = body["messages"][-1]["content"]
        kinds = body["response_format"]["json_schema"]["schema"]["properties"]["value"].get("enum", [])
        good, bad = ("none", "unresolved") if "none" in kinds else ("yes", "no")
        return {"rationale": "I looked for the word.", "value": good if "descale" in said else bad}

    models.clear()
    models.answer = answer
    return judge_class(model=JudgeModel("gpt-4.1-mini", models.url, "key"))


def test_rows(here: Serving, client: "Client") -> None:
    """Rows with outputs are scored, each as a trace of its own; what fails and what does not apply is counted."""
    data = [
        {"inputs": {"q": "a"}, "outputs": "yes", "expectations": {"expected_response": "yes"}, "tags": {"lang": "en"}},
        {"inputs": {"q": "b"}, "outputs": "no!", "expectations": {"expected_response": "yes"}},
        {"inputs": {"q": "c"}, "outputs": 7},
    ]
    result = evaluate(data, [length, as_expected], name="three rows", tags={"team": "support"})
    assert dict(result.metrics) == {"length/mean": 3.0, "as_expected/mean": 0.5}
    low, high = result.intervals["as_expected/mean"]
    assert 0 < low < 0.5 < high < 1
    frame = result.result_df
    assert list(frame["length/value"])[:2] == [3, 3]
    assert frame["length/error"][2] == "object of type 'int' has no len()"
    assert frame["as_expected/rationale"][2] == "there is no expected_response"
    counts = result.funnel["scorers"]
    assert [counts["length"][kind] for kind in ("scored", "failed", "skipped")] == [2, 1, 0]
    assert counts["as_expected"]["reasons"] == {"there is no expected_response": 1}
    here.wait_stored()
    stored = client.query(
        "SELECT TraceId, Name, Value FROM feedback WHERE EvaluationRunId = {id:String} ORDER BY Name, Value",
        {"id": result.run_id},
    ).result_rows
    assert [row[1:] for row in stored] == [
        ("as_expected", "false"), ("as_expected", "true"), ("length", "3"), ("length", "3"), ("length", "null")
    ]  # fmt: skip
    assert {row[0] for row in stored} == set(frame["trace_id"])
    traces = hansei.search_traces(run_id=result.run_id, return_type="list", wait=10)
    assert {json.dumps(each.info.request) for each in traces} == {'{"q": "a"}', '{"q": "b"}', '{"q": "c"}'}
    run = EvaluationClient().ask("GET", "evaluation-runs", result.run_id)
    assert (run["status"], run["metrics"], run["tags"]) == ("finished", dict(result.metrics), {"team": "support"})
    assert "length/mean" in str(result)
    assert "three rows" in result._repr_html_()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_application_run_again(here: Serving, asynchronous: bool) -> None:
    """The application is called with the inputs by name, in a trace of its own that scorers can look into."""

    def answer(question: str, times: int = 1) -> str:
        if question == "fail":
            raise ValueError("I will not")
        return question.upper() * times

    async def answer_later(question: str, times: int = 1) -> str:
        return answer(question, times)

    data = pandas.DataFrame(
        {"inputs": [{"question": "a", "times": 3}, {"question": "fail"}], "outputs": ["of yesterday", "too"]}
    )
    result = evaluate(data, [length, spans], answer_later if asynchronous else answer)
    frame = result.result_df
    assert [row.outputs for row in result.rows] == ["AAA", None]
    assert list(frame["error"]) == ["", "ValueError: I will not"]
    assert dict(result.metrics) == {"length/mean": 3.0, "spans/mean": 1.0}
    assert result.funnel["predictions_failed"] == 1
    trace = hansei.get_trace(frame["trace_id"][0], wait=10)
    assert trace is not None
    assert (trace.info.request, trace.info.response) == ({"question": "a", "times": 3}, "AAA")
    assert trace.spans[0].attributes["hansei.evaluation.run.id"] == result.run_id


def test_stored_traces_with_a_judge(here: Serving, traces: Traces, models: ModelServer) -> None:
    """Traces are scored against what people expect of them; where they disagree it is left out, and told."""
    good = traces.add({"question": "How?"}, "You descale it.", service="shop-a")
    split = traces.add({"question": "When?"}, "Monthly.", service="shop-a")
    for trace_id, by, value in (
        (good, "ana", "descale"), (split, "ana", "monthly"), (split, "ben", "yearly"),
    ):  # fmt: skip
        source = hansei.AssessmentSource("HUMAN", by)
        hansei.feedback_client().log_expectation(
            trace_id=trace_id, name="expected_response", value=value, source=source
        )
    here.wait_stored()
    result = evaluate("service = 'shop-a'", [judging(models)])
    assert dict(result.metrics) == {"correctness/mean": 1.0}
    frame = result.result_df.set_index("trace_id")
    assert frame.loc[good, "correctness/rationale"] == "I looked for the word."
    assert "expected_response or expected_facts" in frame.loc[split, "correctness/rationale"]
    assert result.funnel["conflicts"] == 1
    assert result.cost_usd is not None
    (score,) = next(row for row in result.rows if row.trace_id == good).scores
    assert (score.value, score.source_type, score.source_id) == ("yes", "LLM_JUDGE", "gpt-4.1-mini")
    assert len(models.calls) == 1


def test_traces_named_by_their_ids(here: Serving, traces: Traces) -> None:
    """Read together, they are evaluated in the order of the rows; one that is not there is named."""
    ids = [traces.add({"question": str(number)}, "An answer." * number) for number in (1, 2, 3)]
    here.wait_stored()
    data = [
        {"trace_id": ids[2].upper()},
        {"trace_id": ids[0], "outputs": "other"},
        {"trace": {"info": {"trace_id": ids[1]}}},
    ]
    frame = evaluate(data, [length, spans]).result_df
    assert list(frame["trace_id"]) == [ids[2], ids[0], ids[1]]
    assert list(frame["length/value"]) == [30, 5, 20]
    assert list(frame["spans/value"]) == [1, 1, 1]
    with pytest.raises(InvalidEvaluation, match=f"row 1: there is no trace {'f' * 32}"):
        evaluate([{"trace_id": ids[0]}, {"trace_id": "f" * 32}], [length])


def test_conversations(here: Serving, traces: Traces, models: ModelServer) -> None:
    """Who looks at conversations scores each once, on the conversation."""
    for session, said in (("talk-1", "descale"), ("talk-1", "thanks"), ("talk-2", "again!!")):
        traces.add({"question": said}, "ok", session=session, service="shop-b")
    result = evaluate("service = 'shop-b'", [judging(models, UserFrustration), length])
    assert len(models.calls) == 2
    assert result.metrics["user_frustration/none/share"] == 0.5
    shown = [row.session_id for row in result.rows for score in row.scores if score.name == "user_frustration"]
    assert sorted(shown) == ["talk-1", "talk-2"]
    here.wait_stored()
    said = hansei.search_assessments(name="user_frustration")
    assert {(each.trace_id, each.session_id) for each in said} == {(None, "talk-1"), (None, "talk-2")}


def test_dataset(here: Serving) -> None:
    """A dataset is evaluated in its version, and the run says which."""
    dataset = hansei.create_dataset("questions of a shop")
    dataset.merge_records(
        [{"inputs": {"question": "a"}, "expectations": {"expected_response": "A"}}, {"inputs": {"question": "b"}}]
    )
    result = evaluate(dataset, [as_expected], lambda question: question.upper())
    assert dict(result.metrics) == {"as_expected/mean": 1.0}
    assert set(result.result_df["record_id"]) == {record["record_id"] for record in dataset.records}
    run = EvaluationClient().ask("GET", "evaluation-runs", result.run_id)
    assert (run["dataset_id"], run["dataset_version"]) == (dataset.dataset_id, 1)


def test_select(here: Serving) -> None:
    """A SELECT with inputs, outputs and expectations is data."""
    sql = """SELECT '{"q": 1}' AS inputs, 'four' AS outputs, '{"expected_response": "four"}' AS expectations"""
    result = evaluate(sql, [as_expected])
    assert dict(result.metrics) == {"as_expected/mean": 1.0}


def test_budget(here: Serving, models: ModelServer) -> None:
    """A budget that is spent stops the run; what was scored counts."""
    data = [{"inputs": str(number), "outputs": "descale", "expectations": {"expected_response": "x"}}
            for number in range(6)]  # fmt: skip
    result = evaluate(data, [judging(models)], judge=JudgeSettings(budget_calls=2, concurrency=1), workers=1)
    assert len(models.calls) == 2
    assert dict(result.metrics) == {"correctness/mean": 1.0}
    run = EvaluationClient().ask("GET", "evaluation-runs", result.run_id)
    assert run["status"] == "stopped"
    assert run["funnel"]["scorers"]["correctness"]["scored"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [length]), "data: there are no rows in it"),
        ((7, [length]), "data: 7 is none; give a DataFrame"),
        (([{"question": 1}], [length]), "data: row 0 has none of inputs, outputs, trace and trace_id, but question"),
        (([{"inputs": 1}], [length]), "data: no row has outputs; give them, or a predict_fn that makes them"),
        (([{"inputs": 1, "outputs": 1}], []), "scorers: give a list with one scorer or more"),
        (([{"inputs": 1, "outputs": 1}], [Correctness]), "is no scorer; write its name with ()"),
        (([{"inputs": 1, "outputs": 1}], [length, length]), "scorers: two are called 'length'"),
        (([{"inputs": 1, "outputs": 1}], [Nameless()]), "scorers: a Nameless has no name; give it one"),
        (
            ([{"inputs": 1, "outputs": 1}], [scorer(name="few", aggregations=["avg"])(length.function)]),
            "aggregations of few: 'avg' is not one of mean, min, max",
        ),
        (([{"inputs": 1, "outputs": 1, "expectations": "x"}], [length]), "row 0: expectations: 'x' is not a dict"),
        (([{"trace_id": "0" * 31 + "1"}], [length]), "row 0: there is no trace"),
    ],
)
def test_what_is_refused(arguments: Any, message: str) -> None:
    """Data and scorers that make no sense are refused before anything is run."""
    with pytest.raises(InvalidEvaluation) as caught:
        evaluate(*arguments)
    assert message in str(caught.value)


def test_spans_that_go_elsewhere(here: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the application's spans come to no hansei, its traces are waited for together and not row by row; where it
    makes none, rows are not scored as one."""
    monkeypatch.setattr(evaluating, "_TRACE_SECONDS", 0.5)
    data = [{"inputs": {"text": text}} for text in "abcdefgh"]
    for sampler in (ALWAYS_ON, ALWAYS_OFF):
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        monkeypatch.setattr(opentelemetry_trace, "_TRACER_PROVIDER", provider)
        began = time.monotonic()
        result = evaluate(data, [length, spans], lambda text: text)
        assert time.monotonic() - began < 4
        assert dict(result.metrics) == {"length/mean": 1.0}
    monkeypatch.setattr(opentelemetry_trace, "_TRACER_PROVIDER", Nowhere())
    result = evaluate(data, [length], lambda text: text)
    assert len(set(result.result_df["trace_id"])) == len(data)


def test_stopped(here: Serving) -> None:
    """What stops an evaluation is raised, also where the run cannot be told of it."""

    class Stop(BaseException):
        pass

    async def answer(q: str) -> str:
        (run, *_) = EvaluationClient().ask("GET", "evaluation-runs", query="name=to+be+stopped")["items"]
        EvaluationClient().ask("DELETE", "evaluation-runs", run["run_id"])
        raise Stop

    with pytest.raises(Stop):
        evaluate([{"inputs": {"q": "a"}}], [length], answer, name="to be stopped")


def test_given_expectations_settle() -> None:
    """What is given beside a trace is no longer told as something about which people disagree."""
    people = [AssessmentSource(AssessmentSourceType.HUMAN, name) for name in ("ana", "ben")]
    said = [hansei.Expectation(name, who.source_id, who) for name in ("tone", "fact") for who in people]
    (row,) = data_of([{"trace": Trace(TRACE.info, TRACE.spans, said), "expectations": {"tone": "calm"}}], "skip").rows
    assert (row.expectations, row.conflicts) == ({"tone": "calm"}, ("fact",))


def test_several_values_of_a_row() -> None:
    """What a scorer says several times of one row, as of each document, makes an interval no narrower."""

    @scorer
    def documents(outputs: bool) -> list[Feedback]:
        return [Feedback("documents", outputs) for _ in range(10)]

    result = evaluate([{"inputs": number, "outputs": number < 3} for number in range(6)], [documents])
    values = [number < 3 for number in range(6) for _ in range(10)]
    rows = [f"row {number}" for number in range(6) for _ in range(10)]
    assert result.intervals["documents/mean"] == metrics_of({"documents": values}, clusters=rows)[1]["documents/mean"]


def test_expectations_of_conversations() -> None:
    """Of a conversation is expected what its rows do not contradict each other about."""
    seen: list[Any] = []

    @scorer
    def looks(session: Any, expectations: dict[str, Any]) -> bool:
        seen.append(expectations)
        return True

    turns = [{"tone": "calm", "expected_response": "a"}, {"tone": "calm", "expected_response": "b"}, {"goal": 1}]
    evaluate([{"inputs": 1, "outputs": 2, "session_id": "talk", "expectations": each} for each in turns], [looks])
    assert seen == [{"tone": "calm", "goal": 1}]

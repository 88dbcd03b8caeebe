"""Metrics of autoevals, ragas and deepeval as scorers, where these libraries are installed; and their absence."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hansei.evaluation.errors import EvaluationError, InvalidEvaluation, NotApplicable
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scorers.adapters.autoevals import from_autoevals
from hansei.evaluation.scorers.adapters.deepeval import from_deepeval
from hansei.evaluation.scorers.adapters.ragas import from_ragas
from hansei.evaluation.scorers.awaited import NO_ASKER
from hansei.evaluation.scoring import score_subjects
from hansei.evaluation.subject import Subject
from hansei.feedback.search.trace import Span, Trace, TraceInfo

from .model_server import ModelServer

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries' own imports

FOUND = {
    "inputs": {"question": "Where?"},
    "outputs": "hello wrld",
    "expectations": {"expected_response": "hello world"},
}


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServer]:
    """An OpenAI-compatible API."""
    with ModelServer() as server:
        yield server


def trace_of(request: Any, response: Any, *spans: tuple[str, str, Any, Any]) -> Trace:
    """A trace; of each span name, type, inputs and outputs."""
    info = TraceInfo("a" * 32, "t", None, "OK", 0, 0, request, response, {}, {}, "s", None, None, 0, 0, None)
    made = [
        Span("a" * 32, f"{place:016x}", None, name, kind, "Internal", "s", 0, 1, "Ok", "", given, found, {}, {})
        for place, (name, kind, given, found) in enumerate(spans)
    ]
    return Trace(info, made, ())


@pytest.mark.parametrize(
    ("make", "library"), [(from_autoevals, "autoevals"), (from_ragas, "ragas"), (from_deepeval, "deepeval")]
)
def test_missing(make: Callable[[object], Scorer], library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the error says what to install."""
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(EvaluationError, match=f"^from_{library} needs {library}: pip install {library}$"):
        make(object())


# --- autoevals ---


def test_autoevals_code() -> None:
    """An evaluator that is code is given output and expected: one of eleven letters lacks."""
    autoevals = pytest.importorskip("autoevals")
    scorer = from_autoevals(autoevals.Levenshtein)
    found: Any = scorer(**FOUND)
    assert (found.name, found.value, found.source.source_type) == ("levenshtein", pytest.approx(10 / 11), "CODE")
    with pytest.raises(NotApplicable, match="requires an expected value"):
        scorer(outputs="hello")
    assert scorer.version == from_autoevals(autoevals.Levenshtein()).version
    assert scorer.version != from_autoevals(autoevals.Levenshtein(), expectation="other").version
    data = from_autoevals(autoevals.JSONDiff())
    same: Any = data(outputs={"a": [1, 2]}, expectations={"expected_response": {"a": [1, 2]}})
    assert same.value == 1


def test_autoevals_judge(models: ModelServer) -> None:
    """An evaluator that asks a model is given question, answer and expectation; its model is the source."""
    autoevals = pytest.importorskip("autoevals")
    import openai

    client = openai.AsyncOpenAI(base_url=models.url, api_key="k", max_retries=0)
    scorer = from_autoevals(autoevals.Factuality(client=client, model="m-1"))
    assert (scorer.name, scorer.source.source_type, scorer.source.source_id) == ("factuality", "LLM_JUDGE", "m-1")
    with pytest.raises(NotApplicable, match="no expectation expected_response"):
        scorer(inputs="q", outputs="a")
    assert not models.calls
    with pytest.raises(Exception):  # noqa: B017, PT011 (the library's own: the server answers without a tool call)
        scorer(**FOUND)
    prompt = str(models.calls[0]["messages"])
    assert [text in prompt for text in ("Where?", "hello wrld", "hello world")] == [True] * 3
    assert models.url not in str(scorer.definition())


def test_autoevals_own() -> None:
    """The rationale and the choice of an evaluator are kept, its arguments given; no score is nothing to say."""
    autoevals = pytest.importorskip("autoevals")

    class Tone(autoevals.Scorer):  # type: ignore[misc]
        def _run_eval_sync(self, output: Any, expected: Any = None, **given: Any) -> Any:
            told = {"rationale": f"{given['criteria']}: {given['input']}", "choice": "A"}
            return autoevals.Score(name="Tone", score=None if output == "skip" else 0.5, metadata=told)

    scorer = from_autoevals(Tone(), criteria="kind")
    found: Any = scorer(inputs={"question": "q"}, outputs="a")
    assert (found.name, found.value, found.rationale) == ("tone", 0.5, "kind: q")
    assert found.metadata["choice"] == "A"
    with pytest.raises(NotApplicable, match="skipped"):
        scorer(inputs="q", outputs="skip")


def test_autoevals_context() -> None:
    """An evaluator that takes a context needs the trace, and is not asked without a retriever."""
    pytest.importorskip("autoevals")
    from autoevals.ragas import Faithfulness

    scorer = from_autoevals(Faithfulness(api_key="k"))
    assert "trace" in scorer.needs
    with pytest.raises(NotApplicable, match="no retriever"):
        scorer(**FOUND, trace=trace_of("q", "a"))


def test_wrong_metric() -> None:
    """What is no metric is refused."""
    pytest.importorskip("autoevals")
    with pytest.raises(InvalidEvaluation, match="from_autoevals: 3 is not a metric"):
        from_autoevals(3)


# --- ragas ---


def test_ragas_generations() -> None:
    """Metrics of both generations are given response and reference."""
    pytest.importorskip("ragas")
    from ragas.metrics import ExactMatch as Former
    from ragas.metrics.collections import ExactMatch, NonLLMStringSimilarity

    for metric in (Former(), ExactMatch()):
        scorer = from_ragas(metric)
        right: Any = scorer(outputs="hello", expectations={"expected_response": "hello"})
        wrong: Any = scorer(**FOUND)
        assert (scorer.name, right.value, wrong.value) == ("exact_match", 1.0, 0.0)
        with pytest.raises(NotApplicable, match="there is no reference"):
            scorer(outputs="hello")
    likeness: Any = from_ragas(NonLLMStringSimilarity())(**FOUND)
    assert likeness.value == pytest.approx(10 / 11)
    assert from_ragas(ExactMatch()).version == from_ragas(ExactMatch()).version != from_ragas(Former()).version


def test_ragas_contexts() -> None:
    """A metric of retrieved contexts is given the documents of the trace; other columns are expectations."""
    pytest.importorskip("ragas")
    from ragas.metrics import NonLLMContextRecall

    scorer = from_ragas(NonLLMContextRecall())
    assert {"trace", "expectations"} <= scorer.needs
    trace = trace_of("q", "a", ("find", "RETRIEVER", "q", [{"page_content": "one"}, {"page_content": "two"}]))
    found: Any = scorer(trace=trace, expectations={"reference_contexts": ["one", "three hundred"]})
    assert found.value == 0.5


# --- deepeval ---


def test_deepeval() -> None:
    """A metric is measured on a copy, beside others, and says whether its threshold is reached."""
    pytest.importorskip("deepeval")
    from deepeval.metrics import ExactMatchMetric

    metric = ExactMatchMetric()
    scorer = from_deepeval(metric)
    answers = ["hello world", "hello"]
    subjects = [
        Subject("trace", str(place), {"question": "?"}, each, {"expected_response": "hello world"})
        for place, each in enumerate(answers)
    ]

    async def work() -> dict[str, Any]:
        tasks = [(subject, [scorer]) for subject in subjects]
        return {each.subject.subject_id: each.scores[0] async for each in score_subjects(tasks, NO_ASKER)}

    scores = asyncio.run(work())
    assert [scores[each].feedbacks[0].value for each in "01"] == [1.0, 0.0]
    assert scores["1"].feedbacks[0].metadata["success"] == "false"
    assert (scorer.name, metric.score) == ("exact_match", None)
    with pytest.raises(NotApplicable, match="there is no expected_output"):
        scorer(inputs="q", outputs="a")


def test_deepeval_own_metrics() -> None:
    """Metrics of one's own are measured: of a turn, with what the trace called, and of a conversation."""
    pytest.importorskip("deepeval")
    from deepeval.metrics import BaseConversationalMetric, BaseMetric
    from deepeval.test_case import SingleTurnParams

    class ToolsMetric(BaseMetric):  # type: ignore[misc]
        _required_params = [SingleTurnParams.TOOLS_CALLED]  # noqa: RUF012
        threshold = 0.5

        async def a_measure(self, test_case: Any) -> float:
            self.score = float(len(test_case.tools_called))
            self.reason = test_case.tools_called[0].name
            return self.score

    class TurnsMetric(BaseConversationalMetric):  # type: ignore[misc]
        async def a_measure(self, test_case: Any, *arguments: Any, **more: Any) -> float:
            self.score = float(len(test_case.turns))
            self.reason = " ".join(turn.content for turn in test_case.turns)
            return self.score

    trace = trace_of("q", "a", ("weather", "TOOL", {"city": "Rome"}, "sun"))
    found: Any = from_deepeval(ToolsMetric())(inputs="q", outputs="a", trace=trace)
    assert (found.name, found.value, found.rationale) == ("tools", 1.0, "weather")
    session = [trace_of({"question": "one?"}, "1"), trace_of({"question": "two?"}, {"answer": "2"})]
    whole: Any = from_deepeval(TurnsMetric())(session=session)
    assert (whole.value, whole.rationale) == (4.0, "one? 1 two? 2")

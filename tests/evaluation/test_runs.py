"""Runs at a hansei: begun, told how far they are, ended; their rows; and their scores in the ledger."""

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation, UnknownEvaluation
from hansei.evaluation.ledger_writer import LedgerWriter
from hansei.evaluation.runs.record import RowScore, RunRow
from hansei.evaluation.runs.run import Run
from hansei.evaluation.scorer import scorer
from hansei.evaluation.scoring import Scored, score_by_code
from hansei.evaluation.subject import Subject

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

pytestmark = pytest.mark.usefixtures("here")


@scorer
def length(outputs: Any) -> int:
    return len(outputs)


def read(run_id: str, *path: str) -> Any:
    return EvaluationClient().ask("GET", "evaluation-runs", run_id, *path)


def test_life_of_a_run() -> None:
    """A run begins, tells how far it is, and ends with its metrics; after that it does not change."""
    run = Run.start(
        "nightly", config={"scorers": [{"name": "length"}], "odd": {1, 2}}, dataset=("d-1", 3), tags={"team": "support"}
    )
    begun = read(run.run_id)
    assert (begun["status"], begun["kind"], begun["ended_ms"]) == ("running", "evaluate", None)
    assert (begun["dataset_id"], begun["dataset_version"], begun["tags"]) == ("d-1", 3, {"team": "support"})
    run.update(funnel={"seen": 3})
    run.finish(metrics={"length/mean": 2.5, "length/odd": float("nan")}, intervals={"length/mean": (2.0, 3.0)})
    ended = read(run.run_id)
    assert (ended["status"], ended["funnel"]) == ("finished", {"seen": 3})
    assert (ended["metrics"], ended["intervals"]) == ({"length/mean": 2.5}, {"length/mean": [2.0, 3.0]})
    assert ended["ended_ms"] >= ended["started_ms"]
    with pytest.raises(EvaluationConflict) as caught:
        run.finish()
    assert str(caught.value) == f"the run {run.run_id} has ended (finished); start another"


def test_rows() -> None:
    """Rows come back as they were given, in their order; one that is given again replaces the first."""
    run = Run.start("rows")
    score = RowScore("length", "length", "abc", 3, "three", "CODE", "length", assessment_id="e-1", duration_ms=0.5)
    rows = [
        RunRow(1, trace_id="b" * 32, inputs={"q": "日本"}, outputs=[1, None], expectations={"x": 1}, scores=[score]),
        RunRow(0, inputs="why", error="ValueError: no"),
    ]
    run.add_rows(rows)
    run.add_rows([RunRow(0, inputs="why not", tags={"a": "b"})])
    found = read(run.run_id, "rows")["items"]
    assert [(each["position"], each["inputs"]) for each in found] == [(0, "why not"), (1, {"q": "日本"})]
    assert found[0]["error"] == ""
    (kept,) = found[1]["scores"]
    assert (kept["value"], kept["rationale"], kept["assessment_id"], kept["cost_usd"]) == (3, "three", "e-1", None)


def test_many_rows() -> None:
    """Rows that do not fit into one request, and into one page, are all there."""
    run = Run.start("many")
    run.add_rows([RunRow(number, inputs="x" * 20_000) for number in range(600)])
    client, positions, query = EvaluationClient(), [], "limit=250"
    while query:
        page = client.ask("GET", "evaluation-runs", run.run_id, "rows", query=query)
        positions += [each["position"] for each in page["items"]]
        query = f"limit=250&page_token={page['next_page_token']}" if page["next_page_token"] else ""
    assert positions == list(range(600))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": " "}, "/name: ' ' is not a text of 1 to 200 characters"),
        ({"name": "a", "kind": "nightly"}, "/kind: 'nightly' is not one of evaluate, batch"),
        ({"name": "a", "dataset_version": -1}, "/dataset_version: -1 is not a whole number from 0 on"),
        ({"name": "a", "tags": {"x": 1}}, "/tags/x: 1 is not a text"),
    ],
)
def test_what_is_refused(body: dict[str, Any], message: str) -> None:
    """A run that makes no sense is refused in words that name what is wrong."""
    with pytest.raises(InvalidEvaluation) as caught:
        EvaluationClient().ask("POST", "evaluation-runs", body=body)
    assert str(caught.value) == message.removeprefix("/")


def test_unknown_run() -> None:
    """There is no run of an id that was never given, nor of one that was deleted."""
    run = Run.start("gone")
    EvaluationClient().ask("DELETE", "evaluation-runs", run.run_id)
    for run_id in (run.run_id, "0" * 32):
        with pytest.raises(UnknownEvaluation) as caught:
            read(run_id)
        assert str(caught.value) == f"there is no run '{run_id}'"


def score_of(subject: Subject) -> Scored:
    return Scored(subject, [score_by_code(length, subject)])


def test_scores_in_the_ledger(client: "Client", here: Serving) -> None:
    """What a run says is in the ledger once, also when it is said again; said of what changed, it is the newer."""
    trace_id, session = uuid.uuid4().hex, f"conversation {uuid.uuid4().hex}"
    stored: list[Scored] = []
    writer = LedgerWriter("run-1", on_stored=stored.extend)
    about = Subject("trace", trace_id, outputs="abc", session_id=session, revision="1 span", weight=2.5)
    for _ in range(2):
        writer.add(score_of(about))
    writer.add(score_of(Subject("session", session, outputs=["a", "b"])))
    writer.flush()
    assert len(stored) == 3
    writer.add(score_of(Subject("trace", trace_id, outputs="abcd", session_id=session, revision="2 spans")))
    writer.close()
    anew = LedgerWriter("run-2", anew=True)
    anew.add(score_of(about))
    anew.close()
    here.wait_stored()
    columns = "Name, Value, SourceType, SourceId, EvaluationRunId, Metadata"
    rows = client.query(
        f"SELECT {columns} FROM feedback WHERE TraceId = {{id:String}} ORDER BY EvaluationRunId", {"id": trace_id}
    ).result_rows
    known = {"scorer": "length", "scorer_version": length.version}
    assert [tuple(row) for row in rows] == [
        ("length", "4", "CODE", "length", "run-1", {**known, "revision": "2 spans"}),
        ("length", "3", "CODE", "length", "run-2", {**known, "revision": "1 span", "weight": "2.5"}),
    ]
    said = client.query("SELECT Value FROM feedback WHERE TraceId = '' AND SessionId = {id:String}", {"id": session})
    assert [json.loads(row[0]) for row in said.result_rows] == [2]


def test_half_characters() -> None:
    """Half a character, as a model may write, does not cost a run its rows: it is stored as a question mark."""
    run = Run.start("half \ud800", tags={"a": "\ud800"}, config={"prompt": "\udfff"})
    run.add_rows([RunRow(0, outputs={"text": "\ud83d"}, scores=[RowScore("s", "s", "v", rationale="so \ud83d")])])
    run.finish(message="\ud800")
    found = read(run.run_id)
    assert [found[each] for each in ("name", "tags", "config", "message")] == [
        "half ?", {"a": "?"}, {"prompt": "?"}, "?"
    ]  # fmt: skip
    (row,) = read(run.run_id, "rows")["items"]
    assert (row["outputs"], row["scores"][0]["rationale"]) == ({"text": "?"}, "so ?")


def test_large_scores(client: "Client", here: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores that are too large for one request go in several, each once."""
    monkeypatch.setattr("hansei.evaluation.ledger_writer._LARGEST_BYTES", 3_000)
    run_id = uuid.uuid4().hex
    writer = LedgerWriter(run_id)
    for number in range(10):
        writer.add(score_of(Subject("trace", uuid.uuid4().hex, outputs="a" * number)))
    writer.close()
    here.wait_stored()
    asked = "SELECT Value FROM feedback WHERE EvaluationRunId = {id:String} ORDER BY toInt8(Value)"
    assert [json.loads(row[0]) for row in client.query(asked, {"id": run_id}).result_rows] == list(range(10))

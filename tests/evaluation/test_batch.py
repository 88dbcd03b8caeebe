"""Batches: what is selected and scored, what is left out, and how far a batch has come."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hansei.evaluation.batch.config import BatchConfig
from hansei.evaluation.batch.result import BatchResult
from hansei.evaluation.batch.runner import run_batch
from hansei.evaluation.client import EvaluationClient

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .batch_scorers import Kind, Right, Turns, length, picky, spans
from .conftest import SECOND, Traces
from .model_server import ModelServer

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def service() -> str:
    """A service of which no other test has traces; the batch has its name."""
    return f"shop-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def models(running: ModelServer) -> ModelServer:
    """A server whose models find all kind."""
    running.clear()
    return running


def batch(service: str, *scorers: Any, judge: dict[str, Any] | None = None, **subjects: Any) -> BatchConfig:
    """A batch over the traces of a service, of the last hour."""
    chosen = {"services": [service], "lateness": 0, "window": "10m", **subjects}
    return BatchConfig.of(
        {"name": service, "subjects": chosen, "scorers": list(scorers), **({"judge": judge} if judge else {})}
    )


def add(traces: Traces, service: str, count: int, *, ago: float = 60, outputs: Any = "yes") -> list[str]:
    return traces.add_many(
        [{"inputs": number, "outputs": outputs, "service": service, "ago": ago} for number in range(count)]
    )


def counts(result: BatchResult, name: str) -> dict[str, int]:
    """Those of a scorer that are not zero."""
    found = result.funnel["scorers"][name]
    return {key: found[key] for key in ("scored", "failed", "skipped", "kept", "unasked") if found[key]}


def scores(client: "Client", name: str, service: str) -> dict[str, list[Any]]:
    """The values and metadata that the ledger has of an assessment's name, by trace or conversation."""
    rows = client.query(
        "SELECT if(TraceId != '', TraceId, SessionId), Value, Metadata, SourceType FROM feedback "
        "WHERE Name = {name:String} AND EvaluationRunId IN "
        "(SELECT RunId FROM evaluation_runs FINAL WHERE startsWith(Batch, {service:String}))",
        parameters={"name": name, "service": service},
    ).result_rows
    found: dict[str, list[Any]] = {}
    for subject, value, metadata, source in rows:
        found.setdefault(subject, []).append((value, metadata, source))
    return found


def test_scores_what_is_missing(traces: Traces, client: "Client", service: str) -> None:
    """A batch scores what ended since the last run, once; a new scorer, or a new version of one, scores it too."""
    ids = add(traces, service, 5)
    first = run_batch(batch(service, length))
    assert (first.status, first.exit_code, first.funnel["seen"], first.funnel["selected"]) == ("finished", 0, 5, 5)
    assert (counts(first, "length"), first.metrics) == ({"scored": 5}, {"length/mean": 3.0})
    later = add(traces, service, 2, ago=2)
    time.sleep(0.05)
    second = run_batch(batch(service, length, picky))
    assert (second.funnel["again"], counts(second, "length")) == (5, {"scored": 2, "kept": 5})
    assert counts(second, "picky") == {"scored": 7}
    found = scores(client, "length", service)
    assert set(found) == {*ids, *later}
    ((value, metadata, source),) = found[ids[0]]
    assert (value, source) == ("3", "CODE")
    assert (metadata["scorer"], metadata["scorer_version"]) == ("length", length.version)
    assert metadata["revision"].startswith("1-")
    record = EvaluationClient().ask("GET", "evaluation-batches", service)
    assert (record["watermark_ms"], record["status"], record["last_run_id"]) == (
        second.window[1], "finished", second.run_id,
    )  # fmt: skip
    assert second.window[0] == first.window[1]


def test_funnel(traces: Traces, service: str) -> None:
    """The numbers of the funnel add up; failed scores are tried again by the next run, kept ones are in its metrics."""
    for outputs, count in (("good", 3), ("bad", 2), ("odd", 4)):
        add(traces, service, count, outputs=outputs)
    result = run_batch(batch(service, picky, Right()))
    assert (result.status, result.exit_code) == ("finished", 1)
    assert counts(result, "picky") == {"scored": 3, "failed": 2, "skipped": 4}
    assert counts(result, "right") == {"skipped": 9}
    told = result.funnel["scorers"]["picky"]
    assert (told["errors"], told["reasons"]) == ({"it cannot be read": 2}, {"it is odd": 4})
    stored = EvaluationClient().ask("GET", "evaluation-runs", result.run_id)
    assert (stored["funnel"], stored["batch"], stored["kind"]) == (dict(result.funnel), service, "batch")
    again = run_batch(batch(service, picky, reopen=0))
    assert (again.funnel["again"], counts(again, "picky")) == (6, {"failed": 2, "skipped": 4})
    whole = run_batch(batch(service, picky), since=result.window[0], until=result.window[1])
    assert counts(whole, "picky") == {"kept": 3, "failed": 2, "skipped": 4}
    assert whole.metrics == {"picky/mean": 1.0}


def test_late_spans(traces: Traces, client: "Client", service: str) -> None:
    """A span that comes after its trace was scored opens it again: the score is replaced, not doubled."""
    early, late = add(traces, service, 2, ago=120)
    assert counts(run_batch(batch(service, spans)), "spans") == {"scored": 2}
    assert {key: value[0][0] for key, value in scores(client, "spans", service).items()} == {early: "1", late: "1"}
    columns = ["Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "Duration"]
    row = [time.time_ns() - 110 * SECOND, late, "f" * 16, "e" * 16, "late", service, SECOND]
    client.insert("otel_traces", [row], column_names=columns)
    again = run_batch(batch(service, spans))
    assert (again.funnel["again"], again.funnel["selected"], counts(again, "spans")) == (1, 1, {"scored": 1})
    found = {key: [value for value, _, _ in said] for key, said in scores(client, "spans", service).items()}
    assert found == {early: ["1"], late: ["2"]}
    assert run_batch(batch(service, spans)).funnel["selected"] == 0


def test_long_traces(client: "Client", service: str) -> None:
    """A trace ends with its last span, however long ago that began: a root of some hours is found when it is done."""
    now = time.time_ns()
    columns = ["Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "Duration"]
    lasted = {uuid.uuid4().hex: seconds * SECOND for seconds in (5, 100, 2000, 5000, 80_000)}
    rows = []
    for trace_id, duration in lasted.items():
        rows.append([now - 10 * SECOND - duration, trace_id, "a" * 16, "", "root", service, duration])
        rows.append([now - 10 * SECOND - duration, trace_id, "b" * 16, "a" * 16, "child", service, SECOND])
    client.insert("otel_traces", rows, column_names=columns)
    result = run_batch(batch(service, spans, window="1m"))
    assert counts(result, "spans") == {"scored": 5}
    assert set(scores(client, "spans", service)) == set(lasted)


def test_sample(traces: Traces, client: "Client", service: str) -> None:
    """A sample is the same for the same seed, and each score tells how many subjects it stands for."""
    add(traces, service, 200)
    config = batch(service, length, sample={"rate": 0.25, "seed": 3})
    first = run_batch(config)
    funnel = first.funnel
    assert (funnel["seen"], funnel["selected"] + funnel["not_sampled"]) == (200, 200)
    assert 25 < funnel["selected"] < 75
    found = scores(client, "length", service)
    assert {metadata["weight"] for said in found.values() for _, metadata, _ in said} == {"4.0"}
    window: dict[str, Any] = {"since": first.window[0], "until": first.window[1]}
    assert counts(run_batch(config, **window), "length") == {"kept": funnel["selected"]}
    other = run_batch(batch(service, length, sample={"rate": 0.25, "seed": 4}), **window)
    assert counts(other, "length")["scored"] > 10
    ten = run_batch(batch(service, picky, sample={"limit": 10}), **window)
    assert (ten.funnel["seen"], ten.funnel["selected"], counts(ten, "picky")) == (200, 10, {"scored": 10})
    assert {metadata["weight"] for said in scores(client, "picky", service).values() for _, metadata, _ in said} == {
        "20.0"
    }


def test_shards(traces: Traces, client: "Client", service: str) -> None:
    """Shards are disjoint and complete, side by side; each has a watermark of its own."""
    ids = add(traces, service, 90)
    results: list[BatchResult] = []
    threads = [
        threading.Thread(target=lambda part=part: results.append(run_batch(batch(service, length), shard=f"{part}/3")))
        for part in (1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.funnel["selected"] for result in results) == 90
    assert min(result.funnel["selected"] for result in results) > 10
    found = scores(client, "length", service)
    assert set(found) == set(ids)
    assert Counter(len(said) for said in found.values()) == {1: 90}
    shard = EvaluationClient().ask("GET", "evaluation-batches", f"{service}#2/3")
    assert shard["watermark_ms"] in {result.window[1] for result in results}
    drawn = run_batch(batch(service, picky, sample={"limit": 30}), shard="1/3", since=results[0].window[0])
    whole = run_batch(batch(service, picky, sample={"limit": 30}), since=results[0].window[0], dry_run=True)
    assert (whole.funnel["selected"], counts(whole, "picky")["kept"]) == (30, drawn.funnel["selected"])


def test_back_fill(traces: Traces, service: str) -> None:
    """A time that is asked for is scored without moving the watermark."""
    add(traces, service, 3, ago=7200)
    add(traces, service, 4)
    assert run_batch(batch(service, length)).funnel["selected"] == 4
    before = EvaluationClient().ask("GET", "evaluation-batches", service)["watermark_ms"]
    now_ms = time.time() * 1000
    filled = run_batch(batch(service, length), since=now_ms - 7_300_000, until=now_ms - 7_000_000)
    assert (filled.funnel["selected"], counts(filled, "length")) == (3, {"scored": 3})
    assert EvaluationClient().ask("GET", "evaluation-batches", service)["watermark_ms"] == before


def test_lateness(traces: Traces, service: str) -> None:
    """What ended a moment ago waits for the spans that may still come."""
    add(traces, service, 2, ago=5)
    assert run_batch(batch(service, length, lateness="1m")).funnel["seen"] == 0
    assert run_batch(batch(service, length)).funnel["seen"] == 2


def test_filters(traces: Traces, service: str) -> None:
    """Traces are chosen by a filter, by SQL and by what was said of them; the judges' own are never chosen."""
    a, b = traces.add_many(
        [
            {"inputs": 1, "outputs": "a", "service": service, "attributes": {"hansei.tag.team": "blue"}},
            {"inputs": 2, "outputs": "b", "service": service, "spans": [{"name": "tool", "status": "Error"}]},
        ]
    )
    traces.add(3, "c", service="hansei-evaluation", attributes={"of": service})
    assert run_batch(batch(service, length, filter="tags.team = 'blue'"), dry_run=True).funnel["selected"] == 1
    assert run_batch(batch(service, length, filter="span.status = 'ERROR'"), dry_run=True).funnel["selected"] == 1
    assert run_batch(batch(service, length, where="SpanName = 'tool'"), dry_run=True).funnel["selected"] == 1
    of = f"SpanAttributes['of'] = '{service}'"
    assert run_batch(batch("x", length, services=[], where=of), dry_run=True).funnel["selected"] == 0
    run_batch(batch(service, length))
    said = batch(f"{service}-2", picky, services=[service], filter="feedback.length = 1 AND trace.name = 'answer'")
    assert run_batch(said, dry_run=True).funnel["selected"] == 2
    none = batch(f"{service}-2", picky, services=[service], filter="feedback.length = 7")
    assert run_batch(none, dry_run=True).funnel["selected"] == 0
    assert {a, b}


def test_closed_sessions(traces: Traces, client: "Client", service: str) -> None:
    """A conversation is scored once it has been silent for long enough, and again when it goes on."""
    names = [f"{service}-{number}" for number in range(3)]
    for name, ago in ((names[0], 300), (names[0], 200), (names[1], 400), (names[1], 5), (names[2], 100)):
        traces.add("q", "a", service=service, session=name, ago=ago)
    config = batch(service, Turns(), kind="sessions", closed_after="30s")
    first = run_batch(config)
    assert (first.funnel["seen"], counts(first, "turns")) == (2, {"scored": 2})
    assert {key: said[0][0] for key, said in scores(client, "turns", service).items()} == {names[0]: "2", names[2]: "1"}
    # What goes on is seen when it is silent again.
    traces.add("q", "a", service=service, session=names[2], ago=33)
    second = run_batch(batch(service, Turns(), kind="sessions", closed_after="1s"))
    assert (second.funnel["seen"], counts(second, "turns")) == (2, {"scored": 2})
    found = {key: [value for value, _, _ in said] for key, said in scores(client, "turns", service).items()}
    assert found == {names[0]: ["2"], names[1]: ["2"], names[2]: ["2"]}
    filtered = run_batch(
        batch(service, Turns(), kind="sessions", closed_after="1s", filter="traces > 1", where="Calls = 0"),
        since=first.window[0], dry_run=True,
    )  # fmt: skip
    assert (filtered.funnel["seen"], counts(filtered, "turns")) == (3, {"kept": 3})


def test_expectations(traces: Traces, client: "Client", service: str, here: Serving) -> None:
    """What would have been right is read from the ledger, for the scorers that look at it."""
    right, wrong, _ = add(traces, service, 3)
    for trace_id, answer in ((right, "yes"), (wrong, "no")):
        body = {
            "kind": "expectation", "name": "answer", "value": answer, "trace_id": trace_id,
            "source": {"type": "HUMAN", "id": "ana"},
        }  # fmt: skip
        EvaluationClient().ask("POST", "assessments", body=body)
    here.wait_stored()
    result = run_batch(batch(service, Right()))
    assert counts(result, "right") == {"scored": 2, "skipped": 1}
    assert {key: said[0][0] for key, said in scores(client, "right", service).items()} == {
        right: "true",
        wrong: "false",
    }


def test_budget(traces: Traces, client: "Client", service: str, models: ModelServer, tmp_path: Path) -> None:
    """Once the budget is spent nothing more is asked; the next run goes on, and no question is paid for twice."""
    add(traces, service, 12)
    config = batch(service, Kind(models.url), judge={"budget_calls": 5, "concurrency": 2})
    first = run_batch(config, journal=tmp_path)
    assert (first.status, first.exit_code, counts(first, "kind")) == ("stopped", 3, {"scored": 5, "unasked": 7})
    assert EvaluationClient().ask("GET", "evaluation-batches", service)["watermark_ms"] == first.window[0]
    second = run_batch(batch(service, Kind(models.url)), journal=tmp_path)
    assert (second.exit_code, counts(second, "kind")) == (0, {"scored": 7, "kept": 5})
    assert models.asked == {f"subject-{number}": 1 for number in range(12)}
    assert list(tmp_path.iterdir()) == []
    found = scores(client, "kind", service)
    assert {(value, source) for said in found.values() for value, _, source in said} == {("true", "LLM_JUDGE")}
    assert len(found) == 12


def test_dry_run(traces: Traces, service: str, models: ModelServer) -> None:
    """A dry run tells what there is to do, and does nothing."""
    add(traces, service, 6)
    told = run_batch(batch(service, Kind(models.url), length), dry_run=True)
    assert (told.status, told.funnel["selected"], told.calls, told.run_id) == ("dry", 6, 6, "")
    assert counts(told, "kind") == {"unasked": 6}
    assert models.asked == {}
    assert run_batch(batch(service, length)).funnel["selected"] == 6


def test_stopped(traces: Traces, service: str, models: ModelServer, tmp_path: Path) -> None:
    """A run that is told to stop finishes what it has begun; the next one does the rest."""
    add(traces, service, 40)
    stop = threading.Event()

    def answer(_: object) -> float:
        if len(models.calls) == 10:
            stop.set()
        return 0.02

    models.answer = answer
    config = batch(service, Kind(models.url), judge={"concurrency": 4})
    result = run_batch(config, journal=tmp_path, stop=stop)
    assert (result.status, result.exit_code) == ("stopped", 143)
    done = counts(result, "kind")
    assert 10 <= done["scored"] < 25
    assert done["unasked"] == 40 - done["scored"]
    rest = run_batch(config, journal=tmp_path)
    assert counts(rest, "kind") == {"scored": done["unasked"], "kept": done["scored"]}
    assert sum(models.asked.values()) == 40

"""A batch that is killed anywhere goes on where it was: nothing is scored twice, and no answer is paid for twice."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hansei.evaluation.batch.config import BatchConfig
from hansei.evaluation.batch.runner import run_batch

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from .conftest import Traces

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

pytestmark = pytest.mark.usefixtures("here")

_HERE = Path(__file__).parent
_CONCURRENCY = 8


@pytest.fixture
def models() -> Iterator[str]:
    """The base URL of a model server in a process of its own, which answers after 50 ms."""
    command = [
        sys.executable, str(_HERE / "model_server.py"), "--delay", "0.05",
        "--content", '{"rationale":"It is.","value":true}',
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


def asked(models: str) -> dict[str, int]:
    """Requests that came, by subject."""
    with urllib.request.urlopen(models.removesuffix("/v1") + "/calls") as answer:
        found: dict[str, int] = json.load(answer)["asked"]
    return found


def all_asked(models: str) -> dict[str, int]:
    """The same once those of a process that was killed have all been read."""
    before = None
    while before != (found := asked(models)):
        before = found
        time.sleep(0.03)
    return found


def journaled(folder: Path) -> int:
    """Answers in the journal; a torn one is none."""
    lines = [line for path in folder.iterdir() for line in path.read_bytes().splitlines(keepends=True)]
    return sum(line.endswith(b"}\n") for line in lines)


def work(url: str, path: str, folder: str) -> None:
    """The batch, in a process."""
    os.environ["HANSEI_URL"] = url
    sys.path.insert(0, str(_HERE))
    run_batch(BatchConfig.read(path), journal=folder, progress=False)


def kill_again_and_again(
    kills: int, subjects: int, models: str, serving: Serving, traces: Traces, client: "Client",
    tmp_path: Path,
) -> None:  # fmt: skip
    service = f"kill-{uuid.uuid4().hex[:12]}"
    traces.add_many([{"inputs": number, "outputs": "yes", "service": service} for number in range(subjects)])
    folder, path = tmp_path / "journal", tmp_path / "batch.yaml"
    folder.mkdir()
    path.write_text(
        f"""
name: {service}
subjects: {{services: [{service}], lateness: 0, window: 1h}}
judge: {{concurrency: {_CONCURRENCY}}}
scorers:
  - batch_scorers:length
  - name: batch_scorers:Kind
    arguments: {{base_url: "{models}"}}
"""
    )
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hansei.evaluation.batch.runner", "openai", "clickhouse_connect", "numpy"])

    def begin() -> Any:
        process = context.Process(target=work, args=(serving.ui, str(path), str(folder)))
        process.start()
        return process

    lost = 0
    stored: dict[str, int] = {}
    draw = random.Random(kills)
    for progress in sorted(draw.randrange(subjects * 9 // 10) for _ in range(kills)):
        process = begin()
        while sum(asked(models).values()) < progress + lost:
            process.join(0.005)
        process.join(draw.uniform(0, 0.05))
        assert process.exitcode is None, "the batch was done before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        calls = all_asked(models)
        # Asked, and not answered in time to be kept: in flight at one of the kills.
        before, lost = lost, sum(calls.values()) - journaled(folder)
        assert 0 <= lost - before <= _CONCURRENCY
        # What the ledger has is never asked again.
        stored = {**{name: calls[name] for name in in_ledger(client, service)}, **stored}
    process = begin()
    process.join()
    assert process.exitcode == 0
    calls = asked(models)
    assert len(calls) == subjects
    assert sum(calls.values()) == subjects + lost
    assert {name: calls[name] for name in stored} == stored
    assert list(folder.iterdir()) == []
    rows = client.query(
        "SELECT Name, uniqExact(TraceId) AS Subjects, uniqExact(AssessmentId) AS Ids, count() AS Rows FROM feedback "
        "WHERE TraceId IN (SELECT TraceId FROM otel_traces WHERE ServiceName = {service:String}) "
        "GROUP BY Name ORDER BY Name",
        parameters={"service": service},
    ).result_rows
    assert rows == [("kind", subjects, subjects, subjects), ("length", subjects, subjects, subjects)]
    raw = client.query(
        "SELECT uniqExact(TraceId, Name), uniqExact(TraceId, Name, AssessmentId) FROM feedback_events "
        "WHERE TraceId IN (SELECT TraceId FROM otel_traces WHERE ServiceName = {service:String})",
        parameters={"service": service},
    ).result_rows
    assert raw == [(2 * subjects, 2 * subjects)]


def in_ledger(client: "Client", service: str) -> list[str]:
    """The subjects that the ledger has a judgement of, as the model server calls them."""
    rows = client.query(
        "SELECT SpanAttributes['hansei.span.inputs'] FROM otel_traces "
        "WHERE ServiceName = {service:String} AND TraceId IN (SELECT TraceId FROM feedback_state WHERE Name = 'kind')",
        parameters={"service": service},
    ).result_rows
    return [f"subject-{number}" for (number,) in rows]


def test_killed(models: str, serving: Serving, traces: Traces, client: "Client", tmp_path: Path) -> None:
    """SIGKILL at 5 random moments of 300 subjects: each is scored once, and none is asked again that was answered."""
    kill_again_and_again(5, 300, models, serving, traces, client, tmp_path)


@pytest.mark.soak
def test_killed_long(models: str, serving: Serving, traces: Traces, client: "Client", tmp_path: Path) -> None:
    """The same at 20 moments of 2 000 subjects."""
    kill_again_and_again(20, 2000, models, serving, traces, client, tmp_path)

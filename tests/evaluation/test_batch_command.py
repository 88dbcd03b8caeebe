"""``hansei evaluate``: exit codes, schedules, alerts."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hansei.cli import main
from hansei.evaluation.batch.config import Alert, BatchConfig
from hansei.evaluation.batch.lease import HeldLease
from hansei.evaluation.batch.result import BatchResult
from hansei.evaluation.batch.runner import run_batch
from hansei.evaluation.batch.schedule import Schedule
from hansei.evaluation.client import EvaluationClient

# The tests are no package whose name could be written out.
from ..collector.processes import Serving, clean_environment  # noqa: TID252
from ..collector.waiting import until  # noqa: TID252
from .batch_scorers import length
from .conftest import Traces
from .model_server import ModelServer

pytestmark = pytest.mark.usefixtures("here")

_HERE = Path(__file__).parent


@pytest.fixture
def service() -> str:
    """A service of which no other test has traces; the batch has its name."""
    return f"shop-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def config(tmp_path: Path, service: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a configuration; answers its path."""
    monkeypatch.syspath_prepend(str(_HERE))

    def write(scorers: str, **more: str) -> str:
        path = tmp_path / "batch.yaml"
        lines = [
            f"name: {service}",
            f"subjects: {{services: [{service}], lateness: 0, window: 10m}}",
            f"scorers: {scorers}",
            *(f"{key}: {value}" for key, value in more.items()),
        ]
        path.write_text("\n".join(lines))
        return str(path)

    return write


class Webhook:
    """An HTTP server that takes what is posted; the first answers are errors."""

    def __init__(self, errors: int) -> None:
        self.bodies: list[Any] = []
        self.errors = errors
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.errors -= 1
                if hook.errors < 0:
                    hook.bodies.append(body)
                self.send_response(200 if hook.errors < 0 else 503)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    running = Webhook(errors=1)
    yield running
    running.close()


def test_exit_codes(
    config: Any, service: str, traces: Traces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0: all done; 1: with failed scores; 2: a mistake; 3: the budget is spent; 4: held elsewhere; 5: no server."""
    traces.add_many(
        [{"inputs": number, "outputs": outputs, "service": service} for number, outputs in enumerate(("a", "b", "bad"))]
    )
    code = "[batch_scorers:length]"
    assert main(["evaluate", config(code), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[:4] == [
        f"{service}: dry: 3 scores are missing",
        "seen 3, selected 3",
        "scorer  scored  failed  skipped  kept  unasked",
        "length       0       0        0     0        3",
    ]
    assert main(["evaluate", config(code)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{service}: finished"
    assert lines[3] == "length       3       0        0     0        0"
    assert lines[4].split()[:2] == ["length/mean", "1.667"]
    assert main(["evaluate", config("[batch_scorers:picky]")]) == 1
    assert "  picky failed 1 times: it cannot be read" in capsys.readouterr().out.splitlines()
    assert main(["evaluate", config("[lenght]")]) == 2
    assert capsys.readouterr().err.startswith("hansei: scorers[0]: there is no scorer 'lenght'")
    assert main(["evaluate", config(code), "--since", "yesterday"]) == 2
    assert main(["evaluate", config(code), "--shard", "3/2"]) == 2
    with ModelServer(lambda body: {"rationale": "r", "value": True}) as models:
        kind = f'[{{name: "batch_scorers:Kind", arguments: {{base_url: "{models.url}"}}}}]'
        path = config(kind, judge="{budget_calls: 1, concurrency: 1}")
        assert main(["evaluate", path, "--journal", str(tmp_path / "journal")]) == 3
    with HeldLease(EvaluationClient(), f"evaluation-batch:{service}", lambda: None):
        assert main(["evaluate", config(code)]) == 4
    assert f"holds 'evaluation-batch:{service}'" in capsys.readouterr().err
    os.environ["HANSEI_URL"] = "http://127.0.0.1:9"
    assert main(["evaluate", config(code)]) == 5
    assert "start `hansei serve`" in capsys.readouterr().err


def test_schedule(config: Any, service: str, traces: Traces, here: Serving) -> None:
    """A schedule makes up for a tick that it missed, once, and ends with SIGTERM when nothing is under way."""
    traces.add("q", "answer", service=service)
    missed = int(time.time() * 1000) - 3 * 86_400_000
    body = {"schedule": "0 4 * * *", "next_run_ms": missed}
    EvaluationClient().ask("PUT", "evaluation-batches", service, body=body)
    environment = clean_environment({"HANSEI_URL": here.ui, "PYTHONPATH": str(_HERE)})
    command = [sys.executable, "-m", "hansei.cli", "evaluate", config("[batch_scorers:length]", schedule="0 4 * * *")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == f"{service} runs at 0 4 * * * (UTC)\n"
        assert process.stdout.readline() == f"{service}: finished\n"
        assert process.stdout.readline().startswith("seen 1, selected 1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    record = EvaluationClient().ask("GET", "evaluation-batches", service)
    assert record["next_run_ms"] > time.time() * 1000
    runs = EvaluationClient().ask("GET", "evaluation-runs", query=f"batch={service}")["items"]
    assert [run["status"] for run in runs] == ["finished"]


def test_two_schedulers(service: str, traces: Traces) -> None:
    """Of two schedulers one runs a tick."""
    traces.add("q", "answer", service=service)
    given = {"name": service, "subjects": {"services": [service], "lateness": 0, "window": "10m"}, "scorers": [length]}
    batch = BatchConfig.of(given)
    body = {"schedule": "0 4 * * *", "next_run_ms": int(time.time() * 1000) - 1000}
    EvaluationClient().ask("PUT", "evaluation-batches", service, body=body)
    stop, results = threading.Event(), list[BatchResult]()
    threads = [threading.Thread(target=Schedule(batch, "0 4 * * *").run, args=(stop, results.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: results, "one of them to run")
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()
    assert [result.funnel["selected"] for result in results] == [1]
    assert len(EvaluationClient().ask("GET", "evaluation-runs", query=f"batch={service}")["items"]) == 1


def test_alerts(service: str, traces: Traces, webhook: Webhook) -> None:
    """A webhook is told when a metric passes a bound, or moves away from the runs before; it is tried again."""

    def run(outputs: str, **alert: Any) -> BatchResult:
        traces.add_many([{"inputs": n, "outputs": outputs * (1 + n % 2), "service": service} for n in range(6)])
        return run_batch(
            BatchConfig.of(
                {
                    "name": service,
                    "subjects": {"services": [service], "lateness": 0, "window": "10m", "reopen": "5m"},
                    "scorers": [length],
                    "alerts": [{"metric": "length/mean", "webhook": webhook.url, **alert}],
                }
            ),
            since=time.time() * 1000 - 300_000,
        )

    run("x", below=1)
    run("x", change=2)
    assert webhook.bodies == []
    found = run("x" * 60, change=2)
    (told,) = webhook.bodies
    mean = found.metrics["length/mean"]
    assert told == {
        "batch": service,
        "run_id": found.run_id,
        "url": found.url,
        "metric": "length/mean",
        "value": mean,
        "interval": list(found.intervals["length/mean"]),
        "mean_before": 1.5,
        "runs_before": 2,
        "text": f"{service}: length/mean is {mean:.4g}: it was 1.5 on average of the 2 runs before",
    }


def test_what_moves() -> None:
    """A change that the interval of the metric could explain is none; a metric that is not there tells nothing."""
    from hansei.evaluation.batch.alerts import moved

    result = BatchResult("n", "r", "finished", (0, 1), {}, {"m": 0.5}, {"m": (0.3, 0.7)})
    before = [{"m": 0.65}, {"x": 1.0}, {"m": 0.7}, {"m": 0.0}]
    assert moved(Alert("m", "http://h", change=0.1, runs=2), result, before) is None
    told = moved(Alert("m", "http://h", change=0.1, runs=1), result, [{"m": 0.8}, *before])
    assert told is not None
    assert told["text"] == "n: m is 0.5: it was 0.8 on average of the 1 runs before"
    told = moved(Alert("m", "http://h", above=0.4, below=0.6), result, [])
    assert told is not None
    assert told["text"] == "n: m is 0.5: it is above 0.4, and it is below 0.6"
    assert moved(Alert("other", "http://h", above=0), result, before) is None

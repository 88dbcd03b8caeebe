"""The examples of setting up, as a newcomer runs them: their spans are in a real collector's tables afterwards."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .collector.processes import Serving, clean_environment
from .collector.waiting import until

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
ANSWER = "A red light means that the tank is empty."
INSTRUMENT = [sys.executable, "-c", "from opentelemetry.instrumentation.auto_instrumentation import run; run()"]
"""``opentelemetry-instrument``, without a search for where it is installed."""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector of the examples' own."""
    serving = Serving(tmp_path_factory.mktemp("setup") / "data")
    yield serving
    serving.close()


@pytest.fixture(scope="module")
def environment(collector: Serving) -> Iterator[dict[str, str]]:
    """Where the model and the collector are, in the variables that name them."""
    sys.path.insert(0, str(EXAMPLES))
    import model_server

    sys.path.remove(str(EXAMPLES))
    with model_server.serve(latency=0) as url:
        yield clean_environment(
            {
                "OPENAI_BASE_URL": url,
                "OPENAI_API_KEY": "none",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc}",
            }
        )


def stored(collector: Serving, service: str) -> list[dict[str, str]]:
    """A service's spans, by time: name, trace, content and whose they are."""
    sql = f"""
        SELECT SpanName AS name, TraceId AS trace, SpanAttributes['gen_ai.output.messages'] AS output,
            SpanAttributes['session.id'] AS session, SpanAttributes['user.id'] AS user
        FROM otel_traces WHERE ServiceName = '{service}' ORDER BY Timestamp FORMAT JSONEachRow
    """
    with urllib.request.urlopen(f"http://{collector.sql}/", data=sql.encode(), timeout=10) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


@pytest.mark.parametrize(
    ("service", "start", "names"),
    [
        ("setup-in-code", [sys.executable], ["chat gpt-4o-mini"]),
        ("setup-existing-sdk", [sys.executable], ["answer_question", "chat gpt-4o-mini"]),
        ("setup-zero-code", [*INSTRUMENT, sys.executable], ["chat gpt-4o-mini"]),
    ],
)
def test_a_way_to_set_up(
    service: str, start: list[str], names: list[str], collector: Serving, environment: dict[str, str]
) -> None:
    """The program prints its answer and nothing else, and the call is stored with it."""
    variables = {**environment, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai"}
    if service == "setup-zero-code":
        variables["OTEL_SERVICE_NAME"] = service
    command = [*start, str(EXAMPLES / f"{service.replace('-', '_')}.py")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (f"{ANSWER}\n", "")
    until(lambda: len(stored(collector, service)) >= len(names), "the spans to be stored")
    spans = stored(collector, service)
    assert [span["name"] for span in spans] == names
    assert len({span["trace"] for span in spans}) == 1
    assert ANSWER in spans[-1]["output"]


@contextmanager
def serving_web(environment: dict[str, str]) -> Iterator[str]:
    """The web application's URL, while it runs."""
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port=0", "chat_web:app"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            found = (re.search(r"running on (http://\S+)", line) for line in process.stderr)
            yield next(match[1] for match in found if match)
        finally:
            process.terminate()
            process.stderr.read()


def test_a_web_application_with_sessions(collector: Serving, environment: dict[str, str]) -> None:
    """Each request is one trace whose id the answer carries, with session and user on the request and on the call."""
    whose = [("s-1", "ana"), ("s-1", "ana"), ("s-2", "ben")]
    traces = []
    with serving_web(environment) as url:
        for session, user in whose:
            request = urllib.request.Request(
                f"{url}/ask",
                data=b'{"question": "What does the red light mean?"}',
                headers={"x-session-id": session, "x-user-id": user},
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert json.load(answer) == {"answer": ANSWER}
                traces.append(answer.headers["traceresponse"].split("-")[1])
    until(lambda: len(stored(collector, "chat-web")) >= 6, "the spans to be stored")
    spans = stored(collector, "chat-web")
    assert [span["trace"] for span in spans] == [trace for trace in traces for _ in range(2)]
    assert [(span["session"], span["user"]) for span in spans] == [one for one in whose for _ in range(2)]
    assert [span["name"] for span in spans] == ["POST /ask", "chat gpt-4o-mini"] * 3

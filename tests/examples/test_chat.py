"""The example chat application, run as a newcomer runs it."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

# Runs the example with an SDK that writes every span to a file, where a service would have its own.
HARNESS = """
import json, runpy, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
out = open(sys.argv[1], "w")
provider = TracerProvider()
exporter = ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None) + "\\n")
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
runpy.run_path(sys.argv[2], run_name="__main__")
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """What the application printed, and its spans."""
    spans_file = tmp_path_factory.mktemp("chat") / "spans.jsonl"
    sys.path.insert(0, str(EXAMPLES))
    import model_server

    sys.path.remove(str(EXAMPLES))
    with model_server.serve(latency=0) as url:
        environment = {**os.environ, "OPENAI_BASE_URL": url, "PYTHONPATH": str(EXAMPLES)}
        environment["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_only"
        command = [sys.executable, "-c", HARNESS, str(spans_file), str(EXAMPLES / "chat.py")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout, [json.loads(line) for line in spans_file.read_text().splitlines()]


def test_each_turn_prints_an_answer_and_the_id_of_its_trace(run: tuple[str, list[dict[str, Any]]]) -> None:
    """The answers come from the manual; the turn that fails says so and has a trace as well."""
    printed, spans = run
    assert "Descale your machine every three months" in printed
    assert "grind one step coarser" in printed
    assert "The model `gpt-4o-maxi` does not exist" in printed
    ids = re.findall(r"trace ([0-9a-f]{32})", printed)
    roots = [span["context"]["trace_id"] for span in spans if span["parent_id"] is None]
    assert [f"0x{trace_id}" for trace_id in ids] == roots
    assert len(set(ids)) == 8


def test_each_trace_is_a_turn_a_search_and_a_model_call(run: tuple[str, list[dict[str, Any]]]) -> None:
    """Eight of each; one model call, and its turn, ended in an error."""
    _, spans = run
    assert Counter(span["name"] for span in spans) == {
        "answer_question": 8,
        "retrieval kumo-manual": 8,
        "chat gpt-4o-mini": 4,
        "chat gpt-4.1": 3,
        "chat gpt-4o-maxi": 1,
    }
    failed = [span for span in spans if span["status"]["status_code"] == "ERROR"]
    assert [span["name"] for span in failed] == ["chat gpt-4o-maxi", "answer_question"]
    assert failed[0]["attributes"]["error.type"] == "openai.NotFoundError"


def test_conversation_and_user_are_on_the_turn_and_on_the_model_call(run: tuple[str, list[dict[str, Any]]]) -> None:
    """So that a query by either finds both."""
    _, spans = run
    whose = Counter(
        (span["attributes"]["gen_ai.conversation.id"], span["attributes"]["session.id"], span["attributes"]["user.id"])
        for span in spans
        if not span["name"].startswith("retrieval")
    )
    assert whose == {
        ("conversation-1001", "conversation-1001", "ana"): 6,
        ("conversation-1002", "conversation-1002", "ben"): 6,
        ("conversation-1003", "conversation-1003", "chie"): 4,
    }


def test_a_search_says_what_it_looked_for_and_what_it_found(run: tuple[str, list[dict[str, Any]]]) -> None:
    """By the conventions' names, the documents as JSON."""
    _, spans = run
    first = next(span for span in spans if span["name"].startswith("retrieval"))
    assert first["kind"] == "SpanKind.CLIENT"
    assert first["attributes"]["gen_ai.operation.name"] == "retrieval"
    assert first["attributes"]["gen_ai.retrieval.query.text"] == "How often should I descale the machine?"
    assert first["attributes"]["gen_ai.retrieval.top_k"] == 2
    assert json.loads(first["attributes"]["gen_ai.retrieval.documents"])[0]["id"] == "descaling"

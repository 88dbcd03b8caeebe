"""The six steps of MLflow's tutorial, with its own calls: one script, one expert in a browser."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

# The tests are no package whose name could be written out.
from ..collector.processes import Serving, clean_environment  # noqa: TID252
from .model_server import ModelServer

EXPECTED = "It tracks experiments, packages models and serves them."


def answer(body: dict[str, Any]) -> Any:
    """As an assistant: better with the better prompt. As a judge: by whether the features are named."""
    if "response_format" in body:
        shown = body["messages"][-1]["content"]
        assert EXPECTED in shown
        right = "tracks experiments" in shown.split("<answer>")[1].split("</answer>")[0]
        return {"rationale": "The features are named." if right else "No feature.", "value": "yes" if right else "no"}
    features = "key features" in body["messages"][0]["content"]
    return "MLflow tracks experiments, packages models and serves them." if features else "MLflow is a platform."


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer(answer) as server:
        yield server


def test_tutorial(serving: Serving, models: ModelServer, chromium: Browser) -> None:
    """Trace, thumb, page, note, expert, evaluation: the metric of before and after, with its interval."""
    environment = clean_environment(
        {
            "HANSEI_URL": serving.ui, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{serving.grpc}",
            "OTEL_SERVICE_NAME": "tutorial", "OPENAI_BASE_URL": models.url, "OPENAI_API_KEY": "key",
        }
    )  # fmt: skip
    script = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("tutorial.py"))], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with script:
        assert script.stdin
        assert script.stdout
        assert script.stderr
        said = script.stdout.readline()
        assert said, script.stderr.read()
        links = json.loads(said)
        page = chromium.new_page(base_url=serving.ui)
        page.goto(f"/traces/{links['trace_id']}")
        expect(page.get_by_text("Missing details about MLflow's key features")).to_be_visible()
        page.goto(links["link"])
        page.keyboard.press("Enter")
        expect(page.get_by_text("MLflow is a platform.").first).to_be_visible()
        page.get_by_text("Inaccurate", exact=True).click()
        page.get_by_role("textbox").first.fill(EXPECTED)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
        out, err = script.communicate("\n", timeout=60)
        assert script.returncode == 0, err
        found = json.loads(out)
        assert found["rows"] == 1
        assert (found["before"], found["after"]) == ({"correctness/mean": 0.0}, {"correctness/mean": 1.0})
        low, high = found["interval"]
        assert 0 < low < 1 == high
        page.goto(f"/evaluation/{found['run_id']}")
        expect(page.get_by_text("The features are named.")).to_be_visible()
        expect(page.get_by_text(EXPECTED)).to_be_visible()
        page.close()

"""The pages of runs: the list, a run, two runs compared, batches; and a run's scores on a trace's page."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hansei import evaluate
from hansei.evaluation.client import EvaluationClient
from hansei.evaluation.errors import NotApplicable
from hansei.evaluation.judges.question import JudgeModel
from hansei.evaluation.ledger_writer import LedgerWriter
from hansei.evaluation.runs.record import RowScore, RunRow
from hansei.evaluation.runs.run import Run
from hansei.evaluation.scorer import scorer
from hansei.evaluation.scorers.correctness import Correctness
from hansei.evaluation.scoring import Scored, score_by_code
from hansei.evaluation.subject import Subject
from hansei.feedback.assessment import Feedback

# The tests are no package whose name could be written out.
from ..collector.processes import Serving, clean_environment  # noqa: TID252
from ..visiting import Visit, no_sideways_scroll  # noqa: TID252
from .conftest import Traces
from .model_server import ModelServer

HOSTILE = "<img src=x onerror=alert(1)>"
MISSING = "there is no expected_response"
LONG = "a-very-long-word-without-a-place-to-break-" * 12
BATCH = f"nightly {HOSTILE}"
ROWS = 28


@scorer
def length(outputs: Any) -> int:
    if outputs is None:
        raise ValueError(f"no outputs {HOSTILE}")
    return len(outputs)


@scorer
def as_expected(outputs: Any, expectations: dict[str, Any]) -> Any:
    if "expected_response" not in expectations:
        raise NotApplicable(MISSING)
    return Feedback(value=outputs == expectations["expected_response"], rationale=f"Compared. {HOSTILE}")


def judged(body: dict[str, Any]) -> dict[str, str]:
    """The answer of the judges' model: yes to what was asked for the second time."""
    return {
        "rationale": f"I looked for the word. {HOSTILE}",
        "value": "yes" if "Every two months" in body["messages"][-1]["content"] else "no",
    }


def first_prompt(question: str) -> str:
    if question.startswith("Question 3"):
        raise ValueError(f"no answer to {HOSTILE}")
    return "Often." if question == "Question 2" else f"It depends. {HOSTILE}"


def second_prompt(question: str) -> str:
    return "It depends." if question == "Question 2" else "Every two months."


@pytest.fixture(scope="module", autouse=True)
def runs(serving: Serving, traces: Traces) -> Iterator[SimpleNamespace]:
    """Two evaluations of the same rows, one of a batch, one that goes on and one that failed: their ids."""
    with pytest.MonkeyPatch.context() as patch, ModelServer() as models:
        patch.setenv("HANSEI_URL", serving.ui)
        for name in ("HANSEI_API_KEY", "HANSEI_SQL_URL"):
            patch.delenv(name, raising=False)
        models.answer = judged
        data = [
            {
                "inputs": {"question": f"Question {number}"},
                "expectations": {"expected_response": "Often." if number == 2 else "Every two months."} if number else {},
                "tags": {"language": "de" if number % 2 else f"en {HOSTILE}"},
            }
            for number in range(ROWS)
        ]
        data[4]["inputs"]["question"] = f"Question 4 {LONG}"
        scorers = [length, as_expected, Correctness(model=JudgeModel("gpt-4.1-mini", models.url, "key"))]
        before = evaluate(data, scorers, first_prompt, name=f"first prompt {HOSTILE}", tags={"prompt": "1"})
        after = evaluate(data, scorers, second_prompt, name="second prompt", tags={"prompt": HOSTILE})
        trace_ids = traces.add_many([{"inputs": {"q": number}, "outputs": "x" * number} for number in range(30)])
        window = (1_790_000_000_000, 1_790_086_400_000)
        batch = Run.start("nightly", "batch", batch=BATCH, window_ms=window, tags={"team": "support"})
        writer = LedgerWriter(batch.run_id)
        for number, trace_id in enumerate(trace_ids):
            subject = Subject("trace", trace_id, outputs=None if number == 29 else "x" * number)
            writer.add(Scored(subject, [score_by_code(length, subject)]))
        writer.close()
        counts = {"version": length.version, "scored": 29, "kept": 4, "skipped": 0, "failed": 1, "unasked": 0,
                  "errors": {f"no outputs {HOSTILE}": 1}, "reasons": {}}  # fmt: skip
        funnel = {"seen": 120, "not_sampled": 90, "selected": 30, "again": 4, "scorers": {"length": counts}}
        batch.finish(metrics={"length/mean": 14.0}, intervals={"length/mean": (11.0, 17.0)}, funnel=funnel)
        running = Run.start("still running")
        failed = Run.start("broken", tags={"a": "b"})
        failed.finish("failed", message=f"the model is away {HOSTILE}")
        client = EvaluationClient()
        changes = {"schedule": "0 3 * * *", "watermark_ms": window[1], "next_run_ms": window[1] + 3_600_000,
                   "last_run_id": batch.run_id, "status": "finished"}  # fmt: skip
        client.ask("PUT", "evaluation-batches", BATCH, body=changes)
        client.ask("PUT", "evaluation-batches", "by hand", body={"watermark_ms": window[0]})
        serving.wait_stored()
        yield SimpleNamespace(
            before=before.run_id, after=after.run_id, batch=batch.run_id, running=running.run_id, failed=failed.run_id,
            trace_ids=trace_ids, rows=after.rows,
        )  # fmt: skip

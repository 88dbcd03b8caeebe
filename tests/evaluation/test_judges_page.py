"""The page of a judge and people: how far they agree, and the disagreements sent to be labelled."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import hansei
from hansei import evaluate, scorer

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from ..visiting import Visit  # noqa: TID252
from .conftest import Traces


@pytest.mark.usefixtures("here")
def test_judge_and_people(here: Serving, traces: Traces, visit: Visit, axe: Callable[[Page], None]) -> None:
    """Agreement with its intervals, who says what, and each disagreement, which goes to a labeling session."""
    mark = uuid.uuid4().hex[:8]
    judge, label = f"short_{mark}", f"good_{mark}"

    @scorer(name=judge)
    def short(outputs: Any) -> bool:
        return len(outputs) < 10

    answers = ["brief", "long <b>answer</b>", "yes", "a very long one"]
    ids = traces.add_many([{"inputs": {"q": n}, "outputs": text, "service": mark} for n, text in enumerate(answers)])
    evaluate(f"service = '{mark}'", [short])
    feedback = hansei.feedback_client()
    for trace_id, value in zip(ids, (True, False, False, False), strict=True):
        ana = hansei.AssessmentSource("HUMAN", "ana")
        feedback.log_feedback(trace_id=trace_id, name=label, value=value, rationale="<i>so</i>", source=ana)
    hansei.create_label_schema(
        f"q_{mark}", type="feedback", title="Good?", input=hansei.InputPassFail("Yes", "No"), overwrite=True
    )
    session = hansei.create_labeling_session(f"disputed {mark}", label_schemas=[f"q_{mark}"], assigned_users=["ana"])
    here.wait_stored()
    page = visit(f"/evaluation/judges?judge={judge}&label={label}")
    stats = page.locator(".stats")
    expect(stats).to_contain_text("Both have judged4yes or no")
    expect(stats).to_contain_text("They agree0.75")
    assert page.locator(".matrix tbody td").all_inner_texts() == ["1", "1", "0", "2"]
    disagreements = page.get_by_role("article")
    expect(disagreements).to_have_count(1)
    expect(disagreements).to_contain_text("<i>so</i>")
    expect(disagreements.get_by_role("link", name=f"trace {ids[2][:8]}")).to_be_visible()
    axe(page)
    page.get_by_label("Have them labelled in").select_option(session.labeling_session_id)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("1 item added.")
    assert session.progress()["items"] == 1
    visit("/evaluation/judges?judge=none&label=nothing", phone=True).get_by_text("nothing").first.wait_for()

"""The pages of runs: the list, a run, two runs compared, batches; and a run's scores on a trace's page."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hansei import evaluate
from hansei.collector.key_file import KEYS, KeyFile
from hansei.collector.key_format import digest_of, new_key
from hansei.collector.keys import Principal, Role, StoredKey
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
from hansei.feedback.pages.formats import NOTHING

# The tests are no package whose name could be written out.
from ..asking import Api  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
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
                "expectations": {"expected_response": "Often." if number == 2 else "Every two months."}
                if number
                else {},
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


def shown(page: Page, selector: str) -> list[str]:
    """The texts of elements, with single spaces."""
    texts: list[str] = page.locator(selector).all_inner_texts()
    return [" ".join(text.split()) for text in texts]


def test_list(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace) -> None:
    """The list has all runs, the last first, with metrics and intervals; by kind; and two of them can be compared, by
    the keyboard too."""
    page = visit("/evaluation")
    rows = page.locator("tbody tr")
    names = [f"first prompt {HOSTILE}", "second prompt", "nightly batch", "still running", "broken"]
    assert [name for name in shown(page, "td.lead") if name in names] == names[::-1]
    row = rows.filter(has=page.locator(f"a[href='/evaluation/{runs.after}']"))
    expect(row).to_contain_text(re.compile(r"finished.*28.*as_expected/mean 0\.963 0\.817 to 0\.993", re.DOTALL))
    batch = rows.filter(has=page.locator(f"a[href='/evaluation/{runs.batch}']"))
    expect(batch).to_contain_text("nightly")
    expect(batch.locator("input")).to_have_count(0)
    axe(page)
    compare = page.get_by_role("button", name="Compare two runs")
    for name, enabled, hint in (
        ("second prompt", False, "Tick one more."),
        ("still running", True, ""),
        (f"first prompt {HOSTILE}", False, "Tick two, no more."),
        ("still running", True, ""),
    ):
        page.get_by_role("checkbox", name=f"Compare {name}").press("Space")
        expect(compare).to_be_enabled() if enabled else expect(compare).to_be_disabled()
        expect(page.locator("[data-compare-hint]")).to_have_text(hint)
    compare.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two runs compared")
    page.go_back()
    page.get_by_role("link", name="Batches").click()
    expect(page.locator(".segmented [aria-current]")).to_have_text("Batches")
    assert "second prompt" not in shown(page, "td.lead")
    assert "nightly batch" in shown(page, "td.lead")
    page.keyboard.type("ge")
    expect(page).to_have_url(re.compile("/evaluation$"))


def test_run(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace) -> None:
    """A run shows its metrics, what became of its scores, and its rows, a page at a time or the worst first; what
    failed and what was skipped says why, and what came with the data is text."""
    page = visit(f"/evaluation/{runs.before}")
    assert shown(page, ".stats .stat")[0] == "as_expected/mean 0.0385 0.00682 to 0.189"
    assert shown(page, "[aria-labelledby=scorers] tbody tr")[1].endswith(f"26 0 1 0 0 {MISSING}")
    expect(page.locator("[aria-labelledby=rows] h2")).to_have_text(f"Rows {ROWS}")
    articles = page.locator("article")
    expect(articles).to_have_count(25)
    rows = shown(page, "article")
    assert f"as_expected skipped {MISSING}" in rows[0]
    assert rows[1].partition(" Inputs ")[2] == (
        f"Question 1 Outputs It depends. {HOSTILE} Expected expected_response Every two months. Scores length 40 "
        f"as_expected no Compared. {HOSTILE} correctness yes gpt-4.1-mini I looked for the word. {HOSTILE}"
    )
    assert f"language: en {HOSTILE} Inputs" in rows[2]
    assert f"Outputs ValueError: no answer to {HOSTILE} Expected" in rows[3]
    axe(page)
    page.get_by_role("link", name="After").click()
    expect(articles).to_have_count(ROWS - 25)
    expect(page.get_by_role("link", name="After")).to_have_count(0)
    page.get_by_role("link", name="Before").click()
    page.get_by_label("Order").select_option("correctness")
    page.get_by_role("button", name="Show").press("Enter")
    expect(articles.nth(0)).to_contain_text("Question 0")
    expect(articles.nth(1)).to_contain_text("Question 3")
    expect(articles.nth(2)).to_contain_text("Question 2")
    page.get_by_role("link", name="Its traces").click()
    expect(page.locator("#q")).to_have_value(f"run = '{runs.before}'")
    expect(page.get_by_role("link", name="first_prompt").first).to_be_visible()


def test_run_that_failed_or_goes_on(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace) -> None:
    """A run that failed says why; one that goes on says that there is nothing yet."""
    page = visit(f"/evaluation/{runs.failed}")
    assert shown(page, ".notice.error") == [f"the model is away {HOSTILE}"]
    assert shown(page, ".card.empty") == ["Nothing was scored here."]
    axe(page)
    page.goto(f"/evaluation/{runs.running}")
    assert shown(page, ".card.empty") == ["Nothing is scored yet."]


def test_batch_run(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace) -> None:
    """The run of a batch shows what it said by the ledger, what failed first and then the lowest, with its traces."""
    page = visit(f"/evaluation/{runs.batch}")
    assert shown(page, "[aria-labelledby=counted] dd") == ["120", "90", "30", "4", NOTHING]
    assert [text.partition("Score ")[2] for text in shown(page, "article")[:3]] == [
        f"length failed no outputs {HOSTILE}", "length 0", "length 1"
    ]  # fmt: skip
    expect(page.locator("article a").first).to_have_attribute("href", f"/traces/{runs.trace_ids[29]}")
    axe(page)
    page.get_by_role("link", name="After").click()
    expect(page.locator("article")).to_have_count(5)
    page.get_by_role("link", name=BATCH).click()
    expect(page.locator("td.lead")).to_have_text(["nightly batch"])
    expect(page.locator(".notice")).to_contain_text(BATCH)


def test_comparison(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace) -> None:
    """Two runs are compared, the earlier one first: each score with intervals, test and effect, by tag, and the rows
    that changed side by side, those that fell furthest first, with their traces."""
    page = visit(f"/evaluation/compare?run={runs.after}&run={runs.before}")
    assert shown(page, "[aria-labelledby=scores] .page-head p") == ["28 rows in both"]
    assert shown(page, "[aria-labelledby=scores] tbody tr") == [
        "length 27 1 only after 38.7 33.7 to 40 16.8 15.9 to 17 -22 -23 to -17.8 1, 26 lower p < 0.001, Wilcoxon "
        "signed-rank test large matched-pairs rank-biserial correlation -0.995",
        "as_expected 26 1 only after 0.0385 0.00682 to 0.189 0.962 0.811 to 0.993 +0.923 +0.666 to +1 25, 1 higher "
        "p < 0.001, McNemar's exact test large Cohen's g +0.462",
        "correctness 26 1 only after 0.962 0.811 to 0.993 0.962 0.811 to 0.993 0 -0.099 to +0.099 0, 0 no evidence "
        "of a difference p = 1.000, McNemar's exact test nothing changed",
    ]
    slices = shown(page, ".slices tbody tr")
    assert slices[1] == "de as_expected 13 0 1 +1 +0.614 to +1 13, 0"
    assert len(slices) == 6
    articles = page.locator("article")
    expect(articles).to_have_count(20)
    expect(articles.first).to_contain_text("Question 0")
    second = articles.nth(1)
    expect(second).to_contain_text("Question 2")
    assert shown(page, "article:nth-of-type(2) .score-pair")[1] == (
        f"Before as_expected yes Compared. {HOSTILE} After as_expected no ▼ lower Compared. {HOSTILE}"
    )
    expect(second.get_by_role("link", name=re.compile("The trace after"))).to_have_attribute(
        "href", f"/traces/{runs.rows[2].trace_id}"
    )
    axe(page)
    page.get_by_label("Score", exact=True).select_option("as_expected")
    page.get_by_label("Order").select_option("rose furthest first")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page.locator("#rows")).to_have_text("Rows that changed 26")
    expect(articles.first).to_contain_text("Question 1")
    page.get_by_role("link", name="Next rows").click()
    expect(articles).to_have_count(6)
    expect(articles.last).to_contain_text("Question 2")
    page.locator(".versus").get_by_role("link", name="first prompt").click()
    expect(page).to_have_url(re.compile(runs.before))


def test_comparisons_that_cannot_be(visit: Visit, serving: Serving, runs: SimpleNamespace) -> None:
    """What is no comparison is said in a line; runs without a common row, and other scorers, are told."""
    address = "/evaluation/compare"
    for query, status, message in (
        ("", 400, "a comparison is of two runs"),
        (f"?run={runs.after}&run={runs.after}", 400, "a comparison is of two runs"),
        (f"?run={runs.after}&run={'0' * 32}", 404, "there is no run"),
        (f"?run={runs.after}&run={runs.batch}", 400, "nightly is a run of a batch"),
    ):
        answered, text = serving.get(address + query)
        assert (answered, message in text, "Traceback" in text) == (status, True, False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSEI_URL", serving.ui)
        made = [Run.start(f"made by hand {number}") for number in range(2)]
        for number, run in enumerate(made):
            run.add_rows([RunRow(0, inputs=number, scores=[RowScore("tone", "tone", "1", "kind")])])
            run.finish(funnel={"scorers": {"tone": {"version": f"{number}" * 12}}})
    page = visit(f"{address}?run={made[0].run_id}&run={made[1].run_id}")
    assert shown(page, ".notice.warn")[0].startswith("tone is not the same scorer in both runs (000000000000, then 1")
    assert shown(page, "[aria-labelledby=scores] .page-head p") == [
        "0 rows in both; 1 only before; 1 only after, left out"
    ]
    assert shown(page, ".card.empty")[0].startswith("The runs have no row in common")


def test_schedules(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace) -> None:
    """Batches are listed with their schedule, how far they are, when they run next, and what their last run came to."""
    page = visit("/evaluation/schedules")
    batch = page.get_by_role("region", name=BATCH)
    expect(page.get_by_role("region", name="by hand", exact=True).locator("dd")).to_have_text(
        ["by hand", NOTHING, "21 Sept, 14:13:20"]
    )
    expect(batch.locator(".stats")).to_have_text(
        re.compile(r"0 3 \* \* \*.*22 Sept, 15:13:20.*22 Sept, 14:13:20.*30 of 120", re.DOTALL)
    )
    expect(batch.get_by_role("link", name="Its runs")).to_have_attribute("href", re.compile(r"batch=nightly%20%3Cimg"))
    expect(batch.locator("tbody")).to_contain_text(f"no outputs {HOSTILE}")
    axe(page)
    batch.locator("dd a").click()
    expect(page).to_have_url(re.compile(runs.batch))


def test_phone(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace) -> None:
    """On a phone no page is wider than the screen, and the current entry of the navigation is in sight."""
    page = visit("/evaluation", phone=True, theme="dark")
    for path in (
        "", f"/{runs.before}", f"/{runs.batch}", f"/{runs.failed}", f"/compare?run={runs.before}&run={runs.after}",
        "/schedules",
    ):  # fmt: skip
        page.goto(f"/evaluation{path}")
        assert no_sideways_scroll(page), path
        expect(page.locator(".topbar [aria-current]")).to_be_in_viewport(ratio=1)
        if path in ("", "/schedules"):
            axe(page)


def test_trace(visit: Visit, axe: Callable[..., None], runs: SimpleNamespace, serving: Serving) -> None:
    """A trace's page shows who scored it, judge or code, what went wrong there, and leads to the run; a label is of no
    run."""
    trace_id = runs.rows[2].trace_id
    label = {"name": "label", "value": True, "labeling_session_id": "a session", "evaluation_run_id": "0" * 32}
    Api(serving, None).say({"trace_id": trace_id, **label})
    serving.wait_stored()
    page = visit(f"/traces/{trace_id}")
    said = page.locator("li.assessment")
    assert [text.partition(" Nov")[0] for text in sorted(shown(page, ".assessment-head"))] == [
        "as_expected no Code · as_expected", "correctness no Judge · gpt-4.1-mini", "label yes Code",
        "length 11 Code · length"
    ]  # fmt: skip
    expect(page.get_by_role("link", name="its run")).to_have_count(3)
    axe(page)
    said.get_by_role("link", name="its run").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("second prompt")
    page.goto(f"/traces/{runs.trace_ids[29]}")
    expect(said).to_contain_text(f"no outputs {HOSTILE}")


def test_unknown_run(visit: Visit, axe: Callable[..., None], serving: Serving) -> None:
    """A run that is not there is told on a page."""
    assert serving.get("/evaluation/nothing")[0] == 404
    page = visit("/evaluation/nothing")
    assert shown(page, "main .card") == ["Not found there is no run 'nothing' All runs"]
    axe(page)


def test_deletion(visit: Visit, serving: Serving) -> None:
    """A run is deleted once the visitor has said so; its page is gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSEI_URL", serving.ui)
        run = Run.start("to be deleted")
    page = visit(f"/evaluation/{run.run_id}")
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/evaluation$"))
    assert "to be deleted" not in shown(page, "td.lead")
    assert serving.get(f"/evaluation/{run.run_id}")[0] == 404


def test_visitor_who_may_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor without the role sees no button to delete a run, and cannot."""
    key_id, key = new_key()
    eve = StoredKey(Principal(key_id, "eve", frozenset({Role.READ})), digest_of(key), 0)
    KeyFile(tmp_path / "data" / KEYS).put(eve)
    serving = Serving(tmp_path / "data", HANSEI_API_KEY="sesame")
    try:
        monkeypatch.setenv("HANSEI_URL", serving.ui)
        monkeypatch.setenv("HANSEI_API_KEY", "sesame")
        address = f"/evaluation/{Run.start('kept').run_id}"
        may_read = {"Authorization": f"Bearer {key}"}
        for headers, button in ((may_read, False), ({"Authorization": "Bearer sesame"}, True)):
            status, text = serving.get(address, **headers)
            assert (status, ">Delete<" in text) == (200, button)
        request = urllib.request.Request(
            f"{serving.ui}{address}/delete", b"", {**may_read, "Sec-Fetch-Site": "same-origin"}, method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as error:
            assert error.code == 403
        assert serving.get(address, **may_read)[0] == 200
    finally:
        serving.close()

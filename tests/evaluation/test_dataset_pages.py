"""The pages of datasets, in a browser: light and dark, on a laptop and on a phone."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import hansei
from hansei.evaluation.datasets.dataset import Dataset, create_dataset, get_dataset

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from ..visiting import Visit, no_sideways_scroll  # noqa: TID252
from .conftest import Traces

pytestmark = pytest.mark.usefixtures("here")

HOSTILE = '<img src=x onerror="alert(1)">'
NEVER_BROKEN = "unbroken" * 40


@pytest.fixture(scope="module")
def trace_id(traces: Traces) -> str:
    answer = "Every two months with soft water, and once a month with hard water. " * 8
    return traces.add({"question": f"How often should I descale the machine? {HOSTILE}"}, answer, session="a/../b")


@pytest.fixture
def dataset(here: Serving, trace_id: str) -> Dataset:
    """Three versions of records with everything that a record may have."""
    made = create_dataset(
        f"Support {uuid.uuid4().hex[:8]} {HOSTILE}", description="What customers ask", tags={"team": "support"}
    )
    ana = hansei.AssessmentSource("HUMAN", "ana@example.com")
    hansei.feedback_client().log_expectation(
        trace_id=trace_id, name="expected_response", value="Every two months.", source=ana,
        metadata={"label_schema_version": "3"},
    )  # fmt: skip
    here.wait_stored()
    made.merge_records([{"trace_id": trace_id}], note="the first trace")
    made.merge_records(
        [{"inputs": {"n": number}, "outputs": f"answer {number}", "tags": {"kind": "easy"}} for number in range(30)]
        + [{"inputs": NEVER_BROKEN, "expectations": {"expected_facts": ["one", "two"], "x" * 60: NEVER_BROKEN}}]
    )
    made.merge_records([{"inputs": {"n": 3}, "outputs": "another", "expectations": {"guidelines": ["short"]}}])
    return made


def test_pages_shut_nobody_out(visit: Visit, dataset: Dataset, axe: Callable[[Page], None]) -> None:
    """The list, a dataset, a difference and the form fit a laptop and a phone, and axe finds nothing."""
    paths = ["/datasets", dataset.url, f"{dataset.url}/diff?from=1&to=3", "/datasets/new"]
    page = visit(paths[0])
    for path in paths:
        page.goto(path)
        assert no_sideways_scroll(page)
        axe(page)
    phone = visit(paths[0], phone=True, theme="dark")
    for path in paths:
        phone.goto(path)
        assert no_sideways_scroll(phone)
    axe(phone)


def test_versions_on_the_page(visit: Visit, dataset: Dataset, trace_id: str) -> None:
    """The records of each version are there with where they came from, as are the versions and what changed."""
    page = visit("/datasets")
    page.get_by_role("link", name=dataset.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(dataset.name)
    expect(page.get_by_role("article")).to_have_count(25)
    first = page.get_by_role("article").first
    expect(first).to_contain_text("Every two months.")
    expect(first).to_contain_text("only by ana@example.com, version 3 of the question")
    expect(first.get_by_role("link", name=trace_id[:12])).to_have_attribute("href", f"/traces/{trace_id}")
    page.get_by_role("link", name="More records").click()
    expect(page.get_by_role("article")).to_have_count(7)
    page.get_by_role("link", name="Version 1", exact=True).click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_text("version 1 of 3")).to_be_visible()
    first.get_by_role("link", name="a/../b").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("a/../b")
    page.goto(dataset.url)
    page.get_by_role("link", name="What changed in version 3").click()
    changed = page.get_by_role("article")
    expect(changed).to_have_count(1)
    expect(changed).to_contain_text("answer 3")
    expect(changed).to_contain_text("another")
    expect(changed).to_contain_text("guidelines")
    page.get_by_label("From").select_option("0")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".stat").first).to_contain_text("32")


def test_making_importing_removing(visit: Visit, tmp_path: Path) -> None:
    """A dataset is made by a form, filled from a file, exported, cut by a record; mistakes are told in place."""
    name = f"By hand {uuid.uuid4().hex[:8]}"
    page = visit("/datasets/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create the dataset").click()
    expect(page.get_by_text("No record yet")).to_be_visible()
    file = tmp_path / "questions.csv"
    file.write_text("question,expectations.expected_response\nHow?,So.\nWhy?,\n")
    page.get_by_label("JSON lines, CSV or Parquet").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("status")).to_contain_text("Version 1: 2 added, 0 changed, 0 removed")
    dataset = get_dataset(name)
    assert [(each["inputs"], each["expectations"], each["source"]) for each in dataset.records] == [
        ({"question": "How?"}, {"expected_response": "So."}, {"file": {"name": "questions.csv"}}),
        ({"question": "Why?"}, {}, {"file": {"name": "questions.csv"}}),
    ]
    page.get_by_label("JSON lines, CSV or Parquet").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing changed, so there is no new version")
    (tmp_path / "wrong.jsonl").write_text("{}\n")
    page.get_by_label("JSON lines, CSV or Parquet").set_input_files(tmp_path / "wrong.jsonl")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert")).to_contain_text("record 1.inputs: there are none")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON Lines").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert [json.loads(line)["inputs"] for line in lines] == [{"question": "How?"}, {"question": "Why?"}]
    page.get_by_role("button", name="Remove").first.click()
    expect(page.get_by_role("article")).to_have_count(1)
    assert [(each.version, each.records) for each in dataset.versions()] == [(2, 1), (1, 2), (0, 0)]
    page.goto("/datasets/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create the dataset").click()
    expect(page.get_by_role("alert")).to_contain_text("already")
    page.goto(dataset.url)
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/datasets")
    page.goto(dataset.url)
    expect(page.get_by_text("there is no dataset of the name or id")).to_be_visible()


def test_sending_labels(visit: Visit, traces: Traces, here: Serving, axe: Callable[[Page], None]) -> None:
    """From the page of a labeling session its labels go to a new dataset; what reviewers dispute is listed."""
    hansei.create_label_schema(
        "expected_response", type="expectation", title="What would be right?", input=hansei.InputText(), overwrite=True
    )
    session = hansei.create_labeling_session(
        f"session {uuid.uuid4().hex[:8]}", label_schemas=["expected_response"], assigned_users=["ana", "ben"]
    )
    marker = uuid.uuid4().hex
    agreed, disputed = traces.add_many([{"inputs": f"{marker} {each}", "outputs": "x"} for each in range(2)])
    session.add_traces([agreed, disputed])
    said = [(agreed, "ana", "Yes."), (agreed, "ben", "Yes."), (disputed, "ana", "One."), (disputed, "ben", "Two.")]
    for trace_id, by, value in said:
        expectation = hansei.Expectation(
            "expected_response", value, hansei.AssessmentSource("HUMAN", by),
            labeling_session_id=session.labeling_session_id,
        )  # fmt: skip
        hansei.feedback_client().log_assessment(trace_id, expectation)
    here.wait_stored()
    page = visit(session.url)
    page.get_by_role("link", name="Send to a dataset").click()
    axe(page)
    name = f"From labels {marker[:8]}"
    page.get_by_label("Name of a new one").fill(name)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("Version 1: 2 added")
    expect(page.get_by_role("region", name="Disputed")).to_contain_text("ana: One.")
    assert no_sideways_scroll(page)
    axe(page)
    page.get_by_role("link", name="Open the dataset").click()
    record = page.get_by_role("article").filter(has_text=f"{marker} 0")
    expect(record).to_contain_text("unanimous by")
    expect(record.get_by_role("link", name=session.name)).to_be_visible()

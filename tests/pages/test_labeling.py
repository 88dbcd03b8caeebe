"""Labeling, as who organises it sees it: questions, sessions, how far they are, and where reviewers differ."""

import html
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from hansei.feedback.pages.formats import NOTHING

from .conftest import Telemetry, Visit, no_sideways_scroll

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from ..collector.processes import Serving  # noqa: TID252

HOSTILE = "<img src=x onerror=alert(1)>"
SERVICE = "labeling-shop"
ANA, BEN = "ana@example.com", "ben@example.com"
PREVIEWED = "getComputedStyle(preview.shadowRoot.querySelector('.choice')).backgroundColor"
_EVENT = ["Timestamp", "TraceId", "EventName", "LogAttributes"]
_WORK = ["SessionId", "ItemId", "Reviewer", "State", "LeasedAt", "LeaseUntil", "Draft", "Flag", "Seconds", "Written"]


def shown(page: Page, selector: str) -> list[str]:
    """The texts of elements, with single spaces."""
    texts: list[str] = page.locator(selector).all_text_contents()
    return [" ".join(text.split()) for text in texts]


def post(serving: "Serving", path: str, **form: str | list[str]) -> tuple[int, str]:
    """Send a form as a page of the site would: status and page that comes."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    request = urllib.request.Request(serving.ui + path, urlencode(form, doseq=True).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, html.unescape(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, html.unescape(error.read().decode())


@pytest.fixture(scope="module")
def traces(telemetry: Telemetry) -> list[str]:
    """Twelve traces."""
    return telemetry.traces([(100 + number, [{"ServiceName": SERVICE}]) for number in range(12)])


@pytest.fixture(scope="module")
def questions(serving: "Serving") -> None:
    """Two questions: one passes or fails, one wants what would have been right."""
    new, instruction = "/labeling/schemas/new", f"Look at all of it. {HOSTILE}"
    helpful = {"name": "la_helpful", "title": f"Helpful? {HOSTILE}", "input": "pass_fail", "enable_comment": "yes"}
    assert post(serving, new, **helpful, instruction=instruction)[0] == 200
    assert post(serving, new, name="la_facts", title="Which facts?", input="text_list", type="expectation")[0] == 200


class Session:
    """A session that is half labeled by two reviewers, who differ."""

    def __init__(self, serving: "Serving", traces: list[str], client: "Client") -> None:
        self.name = f"Half labeled {HOSTILE} {time.time_ns()}"
        asked = ["la_facts", "la_helpful"]
        status, page = post(
            serving, "/labeling/sessions/new", name=self.name, order=asked, question=asked, reviewers=f"{ANA}\n{BEN}",
            reviewers_per_item="2", link_days="7",
        )  # fmt: skip
        assert status == 201
        self.links = dict(zip((ANA, BEN), re.findall(r"/review/[\w-]+(?=</code>)", page), strict=True))
        self.id = re.findall(r"ls-[0-9a-f]+", page)[0]
        self.path = f"/labeling/{self.id}"
        self.traces = traces
        assert post(serving, f"{self.path}/items", traces=" ".join(traces))[0] == 200
        labels, work = [], []
        for number, trace_id in enumerate(traces[:6]):
            for who in (ANA, BEN):
                helpful = number % 2 == 0 and not (who == BEN and number == 0)
                labels += [self._label(trace_id, "la_helpful", helpful, who, HOSTILE)]
                labels += [self._label(trace_id, "la_facts", ["citric acid"], who)]
                flag = f"Cut off {HOSTILE}" if number == 2 and who == BEN else ""
                work.append([self.id, f"t-{trace_id}", who, "done", 0, 0, "", flag, 12.0, time.time_ns()])
        work.append([self.id, f"t-{traces[6]}", ANA, "skipped", 0, 0, "", "", 0.0, time.time_ns()])
        client.insert("otel_logs", labels, column_names=_EVENT)
        client.insert("labeling_work", work, column_names=_WORK)

    def _label(self, trace_id: str, name: str, value: Any, who: str, why: str = "") -> list[Any]:
        own = {
            "id": f"l-{self.id}-{trace_id}-{name}-{who}", "value": json.dumps(value), "source.type": "HUMAN",
            "source.id": who, "labeling_session.id": self.id, "kind": "feedback" if why else "expectation",
            "metadata": json.dumps({"label_schema": name, "label_schema_version": "1"}),
        }  # fmt: skip
        attributes = {f"hansei.assessment.{key}": text for key, text in own.items()}
        attributes |= {"gen_ai.evaluation.name": name, "gen_ai.evaluation.explanation": why}
        return [time.time_ns(), trace_id, "gen_ai.evaluation.result", attributes]

    def decisions(self, client: "Client") -> list[tuple[Any, ...]]:
        """What was decided, as the ledger has it."""
        return [
            tuple(row)
            for row in client.query(
                "SELECT TraceId, Name, Kind, Value, SourceType, SourceId, length(splitByChar(',', "
                "Metadata['decided_between'])), Metadata['label_schema_version'] FROM feedback "
                "WHERE LabelingSessionId = {id:String} AND Metadata['decided_between'] != '' ORDER BY Name",
                {"id": self.id},
            ).result_rows
        ]


Make = Callable[[], Session]


@pytest.fixture(scope="module")
def make(questions: None, serving: "Serving", traces: list[str], client: "Client") -> Make:
    """Makes a session."""
    return lambda: Session(serving, traces, client)


@pytest.fixture(scope="module")
def session(make: Make) -> Session:
    """One that no test changes."""
    return make()


def test_question_with_preview(visit: Visit) -> None:
    """While a question is written it is shown as reviewers will see it; saved, it is in the list."""
    page = visit("/labeling")
    page.get_by_role("link", name="New question").first.click()
    preview = page.locator("#preview")
    expect(preview.get_by_text("Your question")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("la_tone")
    page.get_by_label("Question", exact=True).fill(f"Which tone? {HOSTILE}")
    page.get_by_text("One of a list").click()
    page.get_by_label("Options, one a line").fill(f"friendly\nrude {HOSTILE}")
    expect(preview.get_by_role("radio", name=f"rude {HOSTILE}")).to_be_visible()
    expect(preview.get_by_text(f"Which tone? {HOSTILE}")).to_be_visible()
    page.get_by_role("button", name="Create the question").click()
    page.wait_for_url(re.compile("/labeling#questions"))
    row = page.locator("tr", has_text="la_tone").locator("td").all_text_contents()
    assert row[:5] == ["la_tone", f"Which tone? {HOSTILE}", "One of a list", "feedback", "1"]


def test_question_without_script(visit: Visit) -> None:
    """Without scripts a button shows the question; what is wrong is told, and what was filled in stays."""
    page = visit("/labeling/schemas/new", script=False)
    page.get_by_label("Name", exact=True).fill("la_score")
    page.get_by_label("Question", exact=True).fill("How good?")
    page.get_by_text("A number", exact=True).click()
    page.get_by_label("At least").fill("5")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview").get_by_role("spinbutton")).to_have_attribute("min", "5")
    page.get_by_label("At most").fill("five")
    page.get_by_role("button", name="Create the question").click()
    expect(page.locator("[role=alert].notice")).to_have_text("max_value: 'five' is not a number, such as 1 or 0.5")
    assert page.get_by_label("At least").input_value() == "5"


def test_change_of_question(serving: "Serving", visit: Visit) -> None:
    """A change makes a new version, under the same name."""
    post(serving, "/labeling/schemas/new", name="la_changed", title="Before", input="text")
    page = visit("/labeling/schemas/edit?name=la_changed")
    page.get_by_label("Question", exact=True).fill("After")
    page.get_by_role("button", name="Save").click()
    row = page.locator("tr", has_text="la_changed").locator("td")
    expect(row.nth(1)).to_have_text("After")
    expect(row.nth(4)).to_have_text("2")
    page.get_by_role("button", name="Delete la_changed").click()
    expect(page.locator("tr", has_text="la_changed")).to_have_count(0)


def test_new_session(questions: None, traces: list[str], serving: "Serving", visit: Visit) -> None:
    """A rule tells how many traces it chooses while it is built; the links are told once, and let reviewers in."""
    page = visit("/labeling/sessions/new")
    page.get_by_label("Name", exact=True).fill(f"By rule {HOSTILE}")
    page.locator("input[name=question][value=la_helpful]").check()
    page.locator("input[name=question][value=la_facts]").check()
    # The questions are listed by name; one goes up, past what other tests made.
    while page.locator(".question-order input[name=order]").first.input_value() != "la_helpful":
        page.get_by_role("button", name="la_helpful one up").click()
    page.get_by_label("Reviewers, one a line").fill(ANA)
    page.get_by_label("Which traces").select_option("filter")
    page.get_by_label("Filter").fill(f'service = "{SERVICE}"')
    expect(page.locator("#rule-count")).to_contain_text("12 traces now")
    page.locator("#maximum").fill("5")
    expect(page.locator("#rule-count")).to_contain_text("5 traces now")
    page.get_by_label("Filter").fill("service =")
    expect(page.locator("#rule-count .field-error")).to_be_visible()
    page.get_by_label("Filter").fill(f'service = "{SERVICE}"')
    page.get_by_role("button", name="Create the session").click()
    expect(page.get_by_role("status")).to_have_text("5 items to look at.")
    (link,) = shown(page, ".link")
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == link
    assert serving.get(link.removeprefix(serving.ui))[0] == 200
    page.get_by_role("link", name="To the session").click()
    expect(page.locator(".asked strong")).to_have_count(2)
    assert shown(page, ".progress-facts dd")[:2] == ["0 of 5", "5"]
    assert shown(page, ".asked strong") == [f"Helpful? {HOSTILE}", "Which facts?"]
    assert link not in page.content()


def test_session_that_cannot_be(questions: None, serving: "Serving") -> None:
    """What is wrong with a session is told before anything is made; order and ticks are kept, without scripts too."""
    asked = {
        "name": "Never made",
        "question": "la_facts",
        "reviewers": ANA,
        "reviewers_per_item": "2",
        "link_days": "7",
    }
    status, page = post(serving, "/labeling/sessions/new", **asked)
    assert (status, "2 are wanted for each item, and there are 1" in page) == (400, True)
    _, page = post(serving, "/labeling/sessions/new", **asked, order=["la_facts", "la_helpful"], move="down:la_facts")
    assert re.findall('name="order" value="(.+?)"', page)[:2] == ["la_helpful", "la_facts"]
    assert 'value="la_facts" checked' in page
    assert "Never made" not in serving.get("/labeling")[1]


def test_progress_and_agreement(session: Session, visit: Visit) -> None:
    """The page tells how far the session is, and how far reviewers agree: worked by hand."""
    page = visit(session.path)
    facts = dict(zip(shown(page, ".progress-facts dt"), shown(page, ".progress-facts dd"), strict=True))
    assert facts == {
        "Items done": "6 of 12", "Answers missing": "12", "In work": "0", "Skipped": "1", "Flagged": "1",
        "An item takes": "12.0 s", "Work left": "2 m 24 s",
    }  # fmt: skip
    rows = page.locator('[aria-label="Reviewers"] tbody tr').all_text_contents()
    assert [row.split()[:6] for row in rows] == [[ANA, "6", "0", "1", "0", "12.0"], [BEN, "6", "0", "0", "1", "12.0"]]
    agreement = page.locator('[aria-label="Agreement by question"] tbody tr')
    agreement.first.wait_for()
    # One of six items differs. Of 12 answers 5 are yes: by chance 2 · 5 · 7 of 132 pairs differ, seen 2 of 12.
    # For kappa 3/6 · 2/6 + 3/6 · 4/6 would be the same by chance.
    alpha, kappa = 1 - (2 / 12) / (70 / 132), 1 - (1 / 6) / 0.5
    listed, helpful = (" ".join(text.split()) for text in agreement.all_text_contents())
    assert re.fullmatch(
        rf"la_helpful 6 83\s% \(\d+ to 100\s%\) {alpha:.2f} \(.+?\) {kappa:.2f} \(.+?\) tentative", helpful
    )
    assert re.fullmatch(rf"la_facts 6 100\s% all answers are the same, .+ {NOTHING} {NOTHING}", listed)
    assert shown(page, '[aria-label="Where reviewers differ most"] .chips .chip') == ["Pass", "Fail"]
    assert page.locator(f'a[href="/traces/{session.traces[0]}"]').count() == 1
    assert f"Cut off {HOSTILE}" in shown(page, '[aria-label="Flagged, skipped, in work"] bdi')


def test_adjudication(make: Make, visit: Visit, client: "Client") -> None:
    """A decision is recorded beside the answers and names them; deciding again corrects it."""
    session = make()
    page = visit(f"{session.path}/adjudicate")
    assert shown(page, ".page-head p") == ["Reviewers differ on 1 item; 1 is open."]
    assert shown(page, ".side strong") == ["Pass", "Fail"]
    page.get_by_role("radio", name=BEN).check()
    page.get_by_label("Your name").fill("cleo")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(".page-head p")).to_have_text("Reviewers differ on 1 item; 0 are open.")
    decided = (session.traces[0], "la_helpful", "feedback", "false", "HUMAN", "cleo", 2, "1")
    assert session.decisions(client) == [decided]
    page.goto(f"{session.path}/adjudicate?item=t-{session.traces[0]}")
    second, first = page.locator("form.decision").all()
    first.get_by_role("radio", name="Another answer").check()
    first.get_by_role("radio", name="Pass", exact=True).check()
    first.get_by_role("button", name="Decide").click()
    expect(first.locator(".notice.ok")).to_contain_text("Decided by cleo: Pass")
    second.get_by_role("radio", name="Another answer").check()
    second.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("alert")).to_contain_text("la_facts: the list of texts is empty")
    page.get_by_label("Another answer to: Which facts?").fill("citric acid\ntwo months")
    page.locator("form.decision").nth(0).get_by_role("button", name="Decide").click()
    expect(page.locator(".notice.ok")).to_have_count(2)
    assert session.decisions(client) == [
        (session.traces[0], "la_facts", "expectation", '["citric acid","two months"]', "HUMAN", "cleo", 2, "1"),
        (*decided[:3], "true", *decided[4:]),
    ]
    page.goto(session.path)
    expect(page.locator('[aria-label="Where reviewers differ most"] .chip.ok')).to_have_text("decided")


def test_links(make: Make, visit: Visit, serving: "Serving") -> None:
    """A new link ends the one before; who is removed has none; somebody new gets one; a session closes and reopens."""
    session = make()
    page, at = visit(session.path), session.links
    page.get_by_role("button", name=f"New link for {ANA}").click()
    expect(page.locator(".link")).to_have_count(1)
    (renewed,) = shown(page, ".link")
    assert [serving.get(path)[0] < 400 for path in (at[ANA], renewed.removeprefix(serving.ui))] == [False, True]
    page.get_by_role("link", name="To the session").click()
    page.get_by_role("button", name=f"Remove {BEN}").click()
    expect(page.locator("tr", has_text=BEN).first).to_contain_text("ended")
    assert serving.get(at[BEN])[0] >= 400
    page.get_by_text("Add reviewers").click()
    page.get_by_label("Addresses or names, one a line").fill(f"dora\n{ANA}")
    page.get_by_role("button", name="Make links").click()
    expect(page.locator(".links strong")).to_have_text(["dora"])
    page.get_by_role("link", name="To the session").click()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".page-head .chip")).to_have_text("closed")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator(".page-head .chip")).to_have_text("open")


def test_items_and_release(make: Make, visit: Visit, client: "Client") -> None:
    """Items are added by id or by rule, each once; what somebody skipped is given to others."""
    session = make()
    page = visit(session.path)
    page.get_by_label("Or traces by id").fill(session.traces[0])
    page.get_by_role("button", name="Add items").click()
    expect(page.get_by_role("status")).to_have_text("0 items added. 1 were there already.")
    page.get_by_label("Or traces by id").fill("nonsense")
    page.get_by_role("button", name="Add items").click()
    expect(page.get_by_role("alert")).to_contain_text("'nonsense'")
    page.goto(session.path)
    page.get_by_role("button", name=re.compile(f"Give to others.* of {ANA}")).click()
    expect(page.get_by_role("button", name="Give to others")).to_have_count(0)
    state = "SELECT State FROM labeling_work FINAL WHERE SessionId = {id:String} AND ItemId = {item:String}"
    found = client.query(state, {"id": session.id, "item": f"t-{session.traces[6]}"}).result_rows
    assert found == [("released",)]


@pytest.mark.parametrize("phone", [False, True])
def test_accessible(session: Session, visit: Visit, axe: Callable[..., None], phone: bool) -> None:
    """Nothing shuts people out, in both themes and on a phone, where no page scrolls sideways."""
    page = visit("/labeling", phone=phone)
    for path in ("/labeling", "/labeling/sessions/new", session.path, f"{session.path}/adjudicate"):
        page.goto(path)
        if path == session.path:
            page.locator('[aria-label="Agreement by question"]').wait_for()
        axe(page)
        assert no_sideways_scroll(page), path
    page.goto("/labeling/schemas/new")
    # Without the styles being read again, for which axe writes an element into the preview that the policy refuses.
    axe(page, preload=False)
    assert no_sideways_scroll(page)
    light = page.evaluate(PREVIEWED)
    page.emulate_media(color_scheme="dark")
    assert light != page.evaluate(PREVIEWED) == page.evaluate("getComputedStyle(preview).backgroundColor")


def test_not_there(serving: "Serving", visit: Visit) -> None:
    """A session that is not there is told; other sites change nothing; g l leads here."""
    assert serving.get("/labeling/ls-nobody")[0] == 404
    assert serving.get("/labeling/schemas/edit?name=nobody")[0] == 404
    page = visit("/overview")
    answer = page.request.post("/labeling/schemas/new", form={"name": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url(re.compile("/labeling$"))
    assert page.locator("[aria-current=page]").text_content() == "Labeling"

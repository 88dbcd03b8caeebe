"""The example page, run as a newcomer runs it, in a browser."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from .conftest import Ledger


def ask(page: Page, question: str) -> Locator:
    """The new turn."""
    before = page.get_by_role("listitem").count()
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask").click()
    turn = page.get_by_role("listitem").nth(before)
    expect(turn.locator("hansei-feedback")).to_be_visible()
    return turn


def test_two_answers_two_traces(page: Page, chat_page: str, ledger: Ledger) -> None:
    """Each answer's thumb lands on its own trace, with its visitor; loaded again, the page shows both."""
    page.goto(chat_page)
    question = "What does the red light mean? <img src=x onerror=alert(1)>"
    first, second = ask(page, "How often should I descale the machine?"), ask(page, question)
    expect(second).to_contain_text(question)
    first.get_by_role("button", name="Helpful", exact=True).click()
    second.get_by_role("button", name="Not helpful").click()
    for turn in (first, second):
        expect(turn.get_by_role("status")).to_have_text("Saved. Thank you!")
    second.get_by_label("Why?").fill("And then?")
    second.get_by_role("button", name="Send").click()
    expect(second.get_by_role("status")).to_have_text("Saved. Thank you!")
    page.reload()
    expect(first.get_by_role("button", name="Helpful", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(second.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    expect(second.get_by_label("Why?")).to_have_value("And then?")
    assert Axe().run(page).violations_count == 0
    rows = ledger.rows(
        "SELECT spans.SpanAttributes['hansei.span.inputs'] AS question, Value, Rationale, SourceType, SourceId, "
        "SourceId = spans.UserId AS own "
        "FROM otel_traces AS spans INNER JOIN feedback ON feedback.TraceId = spans.TraceId "
        "WHERE ParentSpanId = '' AND spans.ServiceName = 'chat-page' ORDER BY question"
    )
    users = {row.pop("SourceId") for row in rows}
    assert [bool(re.fullmatch(r"visitor-[0-9a-f]{8}", user)) for user in users] == [True]
    assert [tuple(row.values()) for row in rows] == [
        ('"How often should I descale the machine?"', "true", "", "HUMAN", 1),
        (f'"{question}"', "false", "And then?", "HUMAN", 1),
    ]

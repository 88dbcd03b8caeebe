"""``<hansei-feedback>`` in a browser, on pages of another origin than the collector's."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import until  # noqa: TID252
from .conftest import Call, Ledger, Shop, token_for

POLICY = (
    "default-src 'none'; script-src {0}; connect-src {0}; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
"""As strict as a page can be: no style at all, nothing inline, nothing parsed."""

Show = Callable[..., Page]


@pytest.fixture
def show(page: Page, serving: Serving, shop: Shop) -> Show:
    """``show(token, attributes)``: the page with the element, and its events in ``window.heard``."""

    def open_page(token: str, attributes: str = "", host: str = "127.0.0.1", lang: str = "en") -> Page:
        page.context.add_init_script(
            "window.heard = []; addEventListener('hansei-feedback', ({detail}) => heard.push(detail))"
        )
        shop.policy = POLICY.format(serving.ui)
        shop.body = (
            f'<!doctype html><html lang="{lang}"><head><title>Shop</title>'
            f'<script type="module" src="{serving.ui}/hansei-feedback.js"></script></head><body><main><h1>Shop</h1>'
            f'<hansei-feedback trace-token="{token}" {attributes}></hansei-feedback></main></body></html>'
        )
        page.goto(f"http://{host}:{shop.server_port}/")
        return page

    return open_page


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def told(page: Page, text: str) -> None:
    """The live region says it."""
    expect(page.get_by_role("status")).to_have_text(text)


def test_thumb_comment_change_undo_redo(show: Show, ledger: Ledger, trace_id: str) -> None:
    """A thumb, a comment, the other thumb, an undo and another thumb each end in the ledger, and are told as events."""
    page = show(token_for(trace_id))
    expect(button(page, "Undo")).to_be_hidden()
    expect(page.get_by_label("Why?")).to_be_hidden()
    button(page, "Helpful").click()
    told(page, "Saved. Thank you!")
    expect(button(page, "Helpful")).to_have_attribute("aria-pressed", "true")
    assert ledger.feedback(trace_id) == [("helpful", "true", "", "HUMAN", "ana")]
    page.get_by_label("Why?").fill("Kurz & <b>gut</b> 😀")
    button(page, "Send").click()
    told(page, "Saved. Thank you!")
    button(page, "Not helpful").click()
    told(page, "Saved. Thank you!")
    assert ledger.feedback(trace_id) == [("helpful", "false", "Kurz & <b>gut</b> 😀", "HUMAN", "ana")]
    button(page, "Undo").click()
    told(page, "Taken back.")
    expect(button(page, "Not helpful")).to_have_attribute("aria-pressed", "false")
    expect(button(page, "Not helpful")).to_be_focused()
    assert ledger.feedback(trace_id) == []
    button(page, "Helpful").click()
    told(page, "Saved. Thank you!")
    assert ledger.feedback(trace_id) == [("helpful", "true", "", "HUMAN", "ana")]
    heard = [tuple(detail.values())[:4] for detail in page.evaluate("heard") if detail["state"] != "sending"]
    assert heard == [
        ("helpful", True, None, "saved"), ("helpful", True, "Kurz & <b>gut</b> 😀", "saved"),
        ("helpful", False, "Kurz & <b>gut</b> 😀", "saved"), ("helpful", None, None, "undone"),
        ("helpful", True, None, "saved"),
    ]  # fmt: skip


def test_keyboard(show: Show, ledger: Ledger, trace_id: str) -> None:
    """All of it works with the keyboard alone; the same thumb again takes it back."""
    page = show(token_for(trace_id))
    expect(button(page, "Helpful")).to_be_enabled()
    for key in ("Tab", "Tab", "Space"):
        page.keyboard.press(key)
    told(page, "Saved. Thank you!")
    for key in ("Tab", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("Too long")
    for key in ("Tab", "Enter"):
        page.keyboard.press(key)
    told(page, "Saved. Thank you!")
    assert ledger.feedback(trace_id) == [("helpful", "false", "Too long", "HUMAN", "ana")]
    button(page, "Not helpful").press("Enter")
    told(page, "Taken back.")
    assert ledger.feedback(trace_id) == []


def test_reload(show: Show, call: Call, trace_id: str) -> None:
    """A page that is loaded again shows what was said; one without a comment keeps the box closed."""
    call("POST", token_for(trace_id), {"name": "helpful", "value": False, "rationale": "Too long"})
    call("POST", token_for(trace_id), {"name": "comment", "value": "x"})
    page = show(token_for(trace_id))
    expect(button(page, "Not helpful")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Why?")).to_have_value("Too long")
    call("POST", token_for(trace_id), {"name": "helpful", "value": True})
    page.reload()
    expect(button(page, "Helpful")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Why?")).to_be_hidden()
    expect(button(page, "Undo")).to_be_visible()


def test_away(show: Show, ledger: Ledger, trace_id: str) -> None:
    """While the collector cannot be reached nothing is lost: it is told, and sent once it can."""
    page = show(token_for(trace_id))
    button(page, "Not helpful").click()
    told(page, "Saved. Thank you!")
    page.context.set_offline(True)
    page.get_by_label("Why?").fill("Written in a tunnel")
    button(page, "Send").click()
    told(page, "Not saved yet; trying again…")
    expect(page.get_by_label("Why?")).to_have_value("Written in a tunnel")
    assert ledger.feedback(trace_id) == [("helpful", "false", "", "HUMAN", "ana")]
    page.context.set_offline(False)
    told(page, "Saved. Thank you!")
    assert ledger.feedback(trace_id) == [("helpful", "false", "Written in a tunnel", "HUMAN", "ana")]
    states = [detail["state"] for detail in page.evaluate("heard")]
    assert states[:4] == ["sending", "saved", "sending", "failed"]
    assert states[-1] == "saved"


def test_overloaded(show: Show, ledger: Ledger, serving: Serving, trace_id: str) -> None:
    """An answer that asks to wait is obeyed, also by who has another wish meanwhile; by hand it goes at once."""
    page = show(token_for(trace_id))
    expect(button(page, "Helpful")).to_be_enabled()
    refusals = [(503, "0"), (429, "600")]

    def refuse(route: Route) -> None:
        if route.request.method != "POST" or not refusals:
            route.continue_()
            return
        status, seconds = refusals.pop(0)
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*", "Retry-After": seconds}
        route.fulfill(status=status, headers=headers, json={"detail": "later"})

    page.route(f"{serving.ui}/api/v1/feedback", refuse)
    button(page, "Helpful").click()
    told(page, "Not saved yet; trying again…")
    # Not awaited in the page: that would take an eval.
    until(lambda: page.evaluate("heard.filter(({state}) => state === 'failed').length") == 2, "the second refusal")
    button(page, "Try again").click()
    told(page, "Saved. Thank you!")
    expect(button(page, "Try again")).to_be_hidden()
    assert ledger.feedback(trace_id) == [("helpful", "true", "", "HUMAN", "ana")]


def test_a_lost_answer(show: Show, ledger: Ledger, serving: Serving, trace_id: str) -> None:
    """Who takes back what perhaps was saved, because only the answer got lost, takes it back for sure."""
    page = show(token_for(trace_id))
    expect(button(page, "Helpful")).to_be_enabled()
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route(f"{serving.ui}/api/v1/feedback", lose)
    button(page, "Helpful").click()
    told(page, "Not saved yet; trying again…")
    button(page, "Undo").click()
    told(page, "Taken back.")
    assert (lost, ledger.feedback(trace_id)) == ([200], [])


@pytest.mark.parametrize(
    ("given", "attributes", "detail"),
    [
        ({"expires": -1}, "", "the feedback token expired at "),
        ({}, 'name="tone"', "name: the feedback token is not for 'tone'; it is for 'helpful', 'comment'"),
        ({"api_key": "another key"}, "", "the feedback token was altered, or signed with another key"),
    ],
    ids=["expired", "another name", "another key"],
)
def test_refused(
    show: Show, ledger: Ledger, trace_id: str, given: dict[str, Any], attributes: str, detail: str
) -> None:
    """What the collector refuses for good is told, not tried again, and not shown as said."""
    page = show(token_for(trace_id, **given), attributes)
    button(page, "Helpful").click()
    told(page, "This could not be saved.")
    expect(button(page, "Helpful")).to_have_attribute("aria-pressed", "false")
    expect(button(page, "Try again")).to_be_hidden()
    last = page.evaluate("heard.at(-1)")
    assert (last["state"], last["value"], last["error"].startswith(detail)) == ("refused", None, True)
    assert ledger.history(trace_id) == []


def test_a_strangers_page(show: Show, ledger: Ledger, trace_id: str) -> None:
    """A page of an origin that is not named gets nothing through, whatever token it has."""
    page = show(token_for(trace_id), host="localhost")
    button(page, "Helpful").click()
    told(page, "Not saved yet; trying again…")
    assert ledger.history(trace_id) == []


def test_words_and_parts(show: Show, trace_id: str) -> None:
    """The language is the page's, words can be replaced, the comment left out, parts and colours themed."""
    page = show(token_for(trace_id), 'label-up="いいね" comment="no"', lang="ja")
    button(page, "いいね").click()
    told(page, "保存しました。")
    expect(button(page, "役に立たなかった")).to_be_visible()
    expect(page.get_by_role("textbox")).to_be_hidden()
    page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`
                hansei-feedback { --hansei-accent: rgb(1, 2, 3); }
                hansei-feedback::part(down) { color: rgb(4, 5, 6); }
            `);
            document.adoptedStyleSheets = [sheet];
        }"""
    )
    expect(button(page, "いいね")).to_have_css("background-color", "rgb(1, 2, 3)")
    expect(button(page, "役に立たなかった")).to_have_css("color", "rgb(4, 5, 6)")


def test_a_token_that_comes_later(show: Show, ledger: Ledger, trace_id: str) -> None:
    """An element without a token waits for one; with another it is about another trace."""
    other = trace_id[::-1]
    page = show("")
    expect(button(page, "Helpful")).to_be_disabled()
    element = page.locator("hansei-feedback")
    for token, name in [(token_for(trace_id), "Helpful"), (token_for(other), "Not helpful")]:
        element.evaluate("(element, token) => element.setAttribute('trace-token', token)", token)
        expect(button(page, name)).to_have_attribute("aria-pressed", "false")
        button(page, name).click()
        told(page, "Saved. Thank you!")
    assert (ledger.feedback(trace_id)[0][1], ledger.feedback(other)[0][1]) == ("true", "false")


def test_accessible(show: Show, page: Page, trace_id: str, axe: Callable[[Page], None]) -> None:
    """axe finds nothing, light and dark."""
    show(token_for(trace_id))
    button(page, "Helpful").click()
    told(page, "Saved. Thank you!")
    axe(page)

"""Sessions in a browser: the list, the thread of a conversation, and what is said of it."""

import csv
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from hansei.feedback.pages.formats import NOTHING
from hansei.feedback.pages.session_address import session_address

from .conftest import SECOND, Telemetry, Visit, chat_call, no_sideways_scroll

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from ..collector.processes import Serving  # noqa: TID252

SERVICE = "sessions-shop"
HOSTILE = "<img src=x onerror=alert(1)>"
THREAD = "visit/2026 #1?"
LONG = "a-long-one"


def in_session(session: str, user: str = "", **attributes: str) -> dict[str, str]:
    """Attributes of a span of a session."""
    return {"session.id": session, **({"user.id": user} if user else {}), **attributes}


def history(*questions: str) -> str:
    """The messages of a call late in a conversation: all that was said before is in it."""
    said = [(role, text) for question in questions for role, text in (("user", question), ("assistant", "Yes."))][:-1]
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said])


@pytest.fixture(scope="module")
def thread(telemetry: Telemetry, client: "Client") -> list[str]:
    """A conversation of three turns; each is told by other spans than the one before."""
    client.command(
        "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion) VALUES "
        "('openai', 'sessions-model', [(0, 0, 0, 10, 10, 10, 20, 20, 0)], 'own')"
    )
    tokens = {"gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "100"}
    here: dict[str, Any] = {"ServiceName": SERVICE}

    def call(question: str, answer: str, **attributes: str) -> dict[str, Any]:
        told = {**tokens, **in_session(THREAD, "se-ana"), **attributes}
        return chat_call("sessions-model", question, answer, **here, at=0.1, SpanAttributes=told)

    inputs = {"hansei.span.inputs": json.dumps({"question": "Is it **open**?", "locale": "en"})}
    timeout = {"StatusCode": "Error", "StatusMessage": f"Timeout {HOSTILE}"}
    found = telemetry.traces([
        (600, [
            {**here, "SpanAttributes": in_session(THREAD, "se-ana", **inputs), "Duration": 2 * SECOND},
            call("ignored", "Yes, *until nine*."),
        ]),
        (500, [
            {**here, "SpanName": "POST /chat", "SpanAttributes": in_session(THREAD)},
            {**here, "SpanName": "execute_tool", "at": 0.05, "Duration": 30_000_000, "SpanAttributes": {
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "opening_hours",
                "gen_ai.tool.call.arguments": '{"day": "Sunday"}', "gen_ai.tool.call.result": '"closed"',
            }},
            call("", "On Sundays it is closed.", **{"gen_ai.input.messages": history("Is it open?", "On Sunday too?")}),
        ]),
        (400, [
            {**here, **timeout, "SpanAttributes": in_session(THREAD)},
            call(f"{HOSTILE}<script>alert(2)</script> [x](javascript:alert(3))", ""),
        ]),
    ])  # fmt: skip
    telemetry.said(found[0], "helpful", True, by="se-ana", rationale="Right.")
    telemetry.said(found[1], "helpful", False, by="se-ana")
    telemetry.said(found[1], f"tone {HOSTILE}", 0.25, source="LLM_JUDGE", by="se-judge")
    telemetry.said("", "resolved", True, by="se-ben", session_id=THREAD, rationale=HOSTILE)
    return found


@pytest.fixture(scope="module")
def long(telemetry: Telemetry) -> list[str]:
    """A conversation of 120 turns."""
    questions = [{"hansei.span.inputs": json.dumps(f"Question {number}")} for number in range(1, 121)]
    return telemetry.traces([
        (9000 - number, [{"ServiceName": SERVICE, "SpanAttributes": in_session(LONG, "se-eve", **question)}])
        for number, question in enumerate(questions)
    ])  # fmt: skip


def asked(page: Page) -> list[str]:
    """What the user says in each turn that is shown."""
    return [text.removeprefix("Asked").strip() for text in page.locator(".bubble.user").all_text_contents()]


def numbers(page: Page) -> list[int]:
    """The numbers of the turns that are shown."""
    return [int(re.sub(r"\D", "", text)) for text in page.locator(".turn-number").all_text_contents()]


def test_thread(thread: list[str], visit: Visit) -> None:
    """Turns are in order, each with what was asked and answered in it, without what was said before."""
    page = visit(session_address(THREAD))
    assert page.locator("h1").text_content() == THREAD
    assert numbers(page) == [1, 2, 3]
    assert asked(page)[:2] == ["Is it open?", "On Sunday too?"]
    answers = page.locator(".bubble.assistant").all_text_contents()
    assert [text.removeprefix("Answered").strip() for text in answers] == [
        "Yes, until nine.",
        "On Sundays it is closed.",
    ]
    assert page.locator(".bubble strong").text_content() == "open"
    assert page.locator(".bubble em").text_content() == "until nine"
    links = page.locator(".turn-number a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links == [f"/traces/{trace_id}" for trace_id in thread]
    facts = [" ".join(text.split()) for text in page.locator(".turn-facts").all_text_contents()]
    assert facts == ["2.00 s $0.012", "1.00 s $0.012", "error 1.00 s $0.012"]


def test_tools(thread: list[str], visit: Visit) -> None:
    """A tool is folded; opened it tells arguments and result."""
    page = visit(session_address(THREAD))
    tool = page.locator(".turn").nth(1).locator("details.tool")
    assert " ".join((tool.locator("summary").text_content() or "").split()) == "tool opening_hours 30 ms"
    assert tool.locator(".code").first.is_hidden()
    tool.locator("summary").click()
    assert tool.locator(".code").first.is_visible()
    arguments, result = tool.locator(".code").all_text_contents()
    assert (json.loads(arguments), result) == ({"day": "Sunday"}, "closed")


def test_assessments(thread: list[str], visit: Visit) -> None:
    """What was said of a turn stands beside it, what was said of the whole at the top."""
    page = visit(session_address(THREAD))

    def said(selector: str) -> list[list[str]]:
        found: list[list[str]] = page.locator(f"{selector} .said li").evaluate_all(
            "items => items.map(item => [item.querySelector('.said-name').textContent,"
            " ...[...item.querySelectorAll('.chip')].map(chip => chip.textContent)])"
        )
        return found

    assert said(f"#turn-{thread[0]}") == [["helpful", "yes", "Person · se-ana"]]
    assert said(f"#turn-{thread[1]}") == [
        ["helpful", "no", "Person · se-ana"],
        [f"tone {HOSTILE}", "0.25", "Judge · se-judge"],
    ]
    assert ["resolved", "yes", "Person · se-ben"] in said("#said")


def test_facts(thread: list[str], visit: Visit) -> None:
    """The top tells the sums of the session."""
    page = visit(session_address(THREAD))
    facts = dict(
        zip(
            page.locator(".session-facts dt").all_text_contents(),
            page.locator(".session-facts dd").all_text_contents(),
            strict=True,
        )
    )
    assert {name: facts[name] for name in ("User", "Service", "Turns", "Calls", "Tokens", "Cost")} == {
        "User": "se-ana", "Service": SERVICE, "Turns": "3", "Calls": "3", "Tokens": "3,300", "Cost": "$0.036",
    }  # fmt: skip


def test_saying_of_session(thread: list[str], visit: Visit, client: "Client") -> None:
    """Feedback on the session is shown at once, and is in the ledger with the session's id."""
    page = visit(session_address(THREAD))
    section = page.locator("#said")
    section.get_by_text("Add feedback").click()
    section.get_by_label("Name", exact=True).fill("csat")
    section.get_by_text("Number", exact=True).first.click()
    section.get_by_placeholder("4 or 0.75").fill("4.5")
    section.get_by_label("Why").fill("Quick & polite")
    section.get_by_label("Your name").fill("se-cleo")
    section.get_by_role("button", name="Save").click()
    said = section.locator("li", has_text="csat")
    said.wait_for()
    assert said.locator(".rationale").text_content() == "Quick & polite"
    rows = client.query(
        "SELECT TraceId, SessionId, Kind, Value, SourceType, SourceId, Rationale FROM feedback WHERE Name = 'csat'"
    ).result_rows
    assert rows == [("", THREAD, "feedback", "4.5", "HUMAN", "se-cleo", "Quick & polite")]
    page.locator("#said .add summary").click()
    assert section.get_by_label("Your name").input_value() == "se-cleo"


def test_saying_of_turn(thread: list[str], visit: Visit, client: "Client") -> None:
    """Feedback on a turn is on its trace. What is wrong with it is told at the form, which keeps what was filled in."""
    page = visit(session_address(THREAD))
    turn = page.locator(f"#turn-{thread[2]}")
    turn.get_by_role("link", name="Add feedback").click()
    turn.get_by_label("Name", exact=True).fill("polite")
    turn.get_by_role("button", name="Save").click()
    assert turn.get_by_role("alert").text_content() == "value: choose yes or no"
    assert turn.get_by_label("Name", exact=True).input_value() == "polite"
    turn.get_by_label("No", exact=True).check()
    turn.get_by_role("button", name="Save").click()
    turn.locator(".said li", has_text="polite").wait_for()
    rows = client.query("SELECT TraceId, Value, SourceType FROM feedback WHERE Name = 'polite'").result_rows
    assert rows == [(thread[2], "false", "HUMAN")]


def test_long(long: list[str], visit: Visit) -> None:
    """Of a long session fifty turns are shown; more are appended, in either order."""
    page = visit(session_address(LONG))
    assert numbers(page) == list(range(1, 51))
    page.get_by_role("link", name="Load more turns").click()
    page.locator(".turn").nth(99).wait_for(state="attached")
    page.get_by_role("link", name="Load more turns").click()
    page.locator(".turn").nth(119).wait_for(state="attached")
    assert asked(page) == [f"Question {number}" for number in range(1, 121)]
    assert page.get_by_role("link", name="Load more turns").count() == 0
    page.get_by_role("link", name="newest first").click()
    page.wait_for_url(re.compile("order=newest"))
    assert (numbers(page)[0], asked(page)[49]) == (120, "Question 71")


def test_long_without_script(long: list[str], visit: Visit) -> None:
    """Without scripts the next turns are a page of their own, from which there is a way back."""
    page = visit(session_address(LONG), script=False)
    page.get_by_role("link", name="Load more turns").click()
    assert numbers(page) == list(range(51, 101))
    page.get_by_role("link", name="From the oldest").click()
    assert numbers(page)[0] == 1


def test_list(thread: list[str], long: list[str], visit: Visit) -> None:
    """The list has a row for each session, the last to begin first, and leads to its thread."""
    page = visit(f"/sessions?service={SERVICE}")
    rows = page.locator("tbody tr").evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
    assert [row[:3] + row[5:10] for row in rows] == [
        [THREAD, "se-ana", SERVICE, "3", "3", "3,300", "$0.036", "0"],
        [LONG, "se-eve", SERVICE, "120", "0", "0", NOTHING, "0"],
    ]
    assert re.fullmatch(r"\d+\s*[12] negative", rows[0][10])
    page.get_by_role("link", name=THREAD).click()
    page.wait_for_url(re.compile(quote(THREAD, safe="")))
    assert page.locator("h1").text_content() == THREAD


def test_filter(thread: list[str], long: list[str], visit: Visit) -> None:
    """The filter is the address; nothing that fits and what cannot be understood are told."""
    page = visit(f"/sessions?service={SERVICE}")
    page.get_by_label("Filter").fill("traces > 100")
    page.get_by_role("button", name="Show").first.click()
    page.wait_for_url(re.compile("filter=traces"))
    assert page.locator("td.session-id").all_text_contents() == [LONG]
    page.get_by_label("Filter").fill("traces >")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "filter: " in (page.get_by_role("alert").text_content() or "")
    assert page.get_by_label("Filter").input_value() == "traces >"
    page.goto(f"/sessions?service={SERVICE}&user=nobody")
    page.get_by_role("link", name="Without the filter").click()
    page.wait_for_url(re.compile(r"/sessions\?range=24h$"))


def test_pages(telemetry: Telemetry, visit: Visit) -> None:
    """The list has fifty to a page, and the next page goes on where it ended."""
    telemetry.traces([
        (7000 + number, [{"ServiceName": "sessions-many", "SpanAttributes": in_session(f"many-{number:02d}")}])
        for number in range(60)
    ])  # fmt: skip
    page = visit("/sessions?service=sessions-many")
    first = page.locator("td.session-id").all_text_contents()
    page.get_by_role("link", name="Older").click()
    page.wait_for_url(re.compile("page="))
    second = page.locator("td.session-id").all_text_contents()
    assert [*first, *second] == [f"many-{number:02d}" for number in range(60)]
    assert (len(first), page.get_by_role("link", name="Older").count()) == (50, 0)


def test_export(thread: list[str], visit: Visit) -> None:
    """The export has the sessions of the list."""
    page = visit(f"/sessions?service={SERVICE}&filter=traces+%3D+3")
    page.get_by_text("Export", exact=True).click()
    address = page.get_by_role("link", name="CSV").get_attribute("href")
    answer = page.request.get(address or "")
    assert [row["session_id"] for row in csv.DictReader(answer.text().splitlines())] == [THREAD]


def test_odd_ids(telemetry: Telemetry, visit: Visit) -> None:
    """Whatever an id is made of, the list leads to its session."""
    ids = ["a/../b", "..", "/slash/", f"{HOSTILE}%2F", "記録 🗂 é", "a;b&c=d+e", "q\"'\\"]
    telemetry.traces([
        (100 + index, [{"ServiceName": "sessions-odd", "SpanAttributes": in_session(session_id)}])
        for index, session_id in enumerate(ids)
    ])  # fmt: skip
    page = visit("/sessions?service=sessions-odd")
    assert page.locator("td.session-id").all_text_contents() == ids
    addresses = page.locator("td.session-id a").evaluate_all("links => links.map(link => link.href)")
    for session_id, address in zip(ids, addresses, strict=True):
        page.goto(address)
        assert (page.locator("h1").text_content(), numbers(page)) == (session_id, [1])


def test_hostile(thread: list[str], visit: Visit) -> None:
    """What was asked and answered can neither run nor bring in a picture nor a link that runs."""
    page = visit(session_address(THREAD))
    assert page.locator("main img, main script, a[href^='javascript']").count() == 0
    assert HOSTILE in asked(page)[2]


def test_unknown(visit: Visit, serving: "Serving") -> None:
    """A session of which nothing has come is not there."""
    page = visit("/sessions/nobody-knows-it")
    assert "No such session" in page.locator("main").inner_text()
    assert serving.get("/sessions/nobody-knows-it")[0] == 404
    assert serving.get("/sessions/x?page=nonsense")[0] == 404
    assert serving.get("/sessions/%00")[0] == 400


def test_accessible(thread: list[str], visit: Visit, axe: Callable[[Page], None]) -> None:
    """Nothing shuts people out, in both themes, with the forms open."""
    page = visit(f"/sessions?service={SERVICE}")
    axe(page)
    page.goto(session_address(THREAD, say=thread[0]))
    page.locator("#said .add summary").click()
    axe(page)


def test_phone(thread: list[str], visit: Visit, axe: Callable[[Page], None]) -> None:
    """A phone shows list and thread without scrolling sideways; what was said is under the turn."""
    page = visit(f"/sessions?service={SERVICE}", phone=True)
    assert no_sideways_scroll(page)
    axe(page)
    page.goto(session_address(THREAD))
    assert no_sideways_scroll(page)
    turn = page.locator(f"#turn-{thread[0]}")
    main, said = turn.locator(".turn-main").bounding_box(), turn.locator(".turn-said").bounding_box()
    assert main is not None
    assert said is not None
    assert said["y"] >= main["y"] + main["height"]

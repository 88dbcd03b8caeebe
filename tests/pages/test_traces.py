"""The list of traces, in a browser: what it shows, and how one gets to what one looks for."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from hansei.feedback.pages.formats import NOTHING

from ..collector.processes import Serving  # noqa: TID252
from .conftest import Telemetry, Visit, chat_call, no_sideways_scroll

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

HOSTILE = """<img src=x onerror="alert(1)"><script>alert(2)</script>' " {{ 7*7 }} `}` %s \\ </textarea>"""
SHOP = "/traces?service=support-chat"


@pytest.fixture
def opened(visit: Visit) -> Visit:
    """As ``visit``, once the page's script is at work."""

    def open_page(path: str, **options: Any) -> Page:
        page = visit(path, **options)
        if options.get("script", True):
            expect(page.locator("#filters[data-ready]")).to_be_attached()
        return page

    return open_page


def rows(page: Page) -> list[str]:
    """The ids of the traces that are listed, once the list has come."""
    expect(page.locator("#list:not(.loading)")).to_be_attached()
    return page.locator("#rows tr").evaluate_all("rows => rows.map((row) => row.dataset.id)")


def address(page: Page) -> dict[str, list[str]]:
    """What the page's address says."""
    return parse_qs(urlsplit(page.url).query)


def cells(page: Page, trace_id: str) -> dict[str, str]:
    """A row's texts, as they are seen, by their columns."""
    labels = page.locator(".traces-table th").all_inner_texts()
    texts = page.locator(f"#rows tr[data-id='{trace_id}'] td").all_inner_texts()
    tidy = [" ".join(text.split()).replace(" ,", ",").replace(" :", ":") for text in texts]
    return dict(zip(labels, tidy, strict=True))


def test_a_trace_is_a_row(opened: Visit, demo: dict[str, str]) -> None:
    """A row says what was asked and answered, how long it took, what it used and what was said of it."""
    page = opened(SHOP)

    good, unpriced = cells(page, demo["good"]), cells(page, demo["unpriced"])
    assert re.fullmatch(r"\d\d? \w{3}, \d\d:\d\d:\d\d ?, answer", good.pop("Time"))
    assert good == {
        "Name": "answer support-chat",
        "Request": "How often should I descale the machine?",
        "Response": "Every two months with soft water, and once a month with hard water. "
        "Use citric acid, never vinegar.",
        "Status": "OK",
        "Latency": "1.24 s",
        "Models": "gpt-4o-mini",
        "Tokens": "1,560 → 990",
        "Cost": "$0.00083",
        "User": "ana",
        "Feedback": "helpful: true, person correctness 0.9, judge",
    }
    assert (unpriced["Cost"], unpriced["Feedback"]) == (NOTHING, NOTHING)
    assert cells(page, demo["failed"])["Status"] == "Error"


def test_the_address_is_the_filter(opened: Visit, demo: dict[str, str]) -> None:
    """What is picked narrows the list; its address alone shows the same; chips take it back; so does the browser."""
    page = opened("/traces")
    page.fill("#service", "support-chat")
    page.press("#service", "Enter")
    page.select_option("#status", "error")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert rows(page) == [demo["failed"]]
    assert address(page) == {"service": ["support-chat"], "status": ["error"]}
    assert page.inner_text("#composed") == "service = 'support-chat' AND trace.status = 'ERROR'"
    assert rows(opened(page.url)) == [demo["failed"]]

    page.click("a.chip:has-text('status')")
    expect(page.locator("#rows tr")).to_have_count(24)
    assert page.input_value("#status") == ""
    page.fill("#feedback", "helpful:false")
    page.press("#feedback", "Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert (rows(page), page.input_value("#feedback")) == ([demo["bad"]], "")
    page.fill("#text", "nothing says this")
    expect(page.locator(".empty-list")).to_contain_text("Nothing matches in the last 24 hours")
    page.click(".empty-list a:has-text('without text')")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.go_back()
    page.go_back()
    page.go_back()
    expect(page.locator("#rows tr")).to_have_count(24)
    assert address(page) == {"service": ["support-chat"]}


def test_it_works_without_a_script(opened: Visit, demo: dict[str, str]) -> None:
    """A browser without scripts sends the form, and keeps what was picked before."""
    page = opened(f"{SHOP}&feedback=helpful", script=False)
    assert rows(page) == [demo["good"], demo["bad"]]
    page.fill("#feedback", "correctness>=0.5")
    page.click("text=Apply")
    assert rows(page) == [demo["good"]]
    assert address(page)["feedback"] == ["correctness>=0.5", "helpful"]
    page.click("a.chip:has-text('correctness')")
    assert rows(page) == [demo["good"], demo["bad"]]
    page.click("#open-sql")
    assert page.inner_text("pre.sql >> nth=0").startswith("SELECT")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("min_ms=fast", "min_ms: 'fast' is not a number, zero or more; write one such as 0.5 or 2000"),
        ("range=2h", "range: '2h' is not one of 15m, 1h, 6h, 24h, 7d, 30d"),
        (
            "from=2026-01-02&to=2026-01-01",
            "from, to: the time ends before it begins; give an earlier from or a later to",
        ),
        ("from=yesterday", "from: 'yesterday' is not a moment"),
        ("to=99999999999999999999", "to: "),
        ("limit=7", "limit: '7' is not one of 25, 50, 100, 200"),
        ("status=fine", "status: 'fine' is not one of ok, error"),
        ("feedback=score>=high", "feedback: 'high' is not a number; write score>=0.5"),
        ("attr==x", "attribute: there is no key; write key=value, or a key alone"),
        ("text=%00", "text: '\\x00' cannot be stored, so nothing has it; leave it out"),
        ("page=!", "page_token: '!' is not the next_page_token"),
    ],
)
def test_what_cannot_be_used_is_said(serving: Serving, query: str, says: str) -> None:
    """A mistake in the address is told in one line, and the page still stands."""
    status, body = serving.get(f"/traces?{query}")
    told = body.replace("&#39;", "'").replace("&gt;", ">")
    assert (status, says in told, '<form id="filters"' in body) == (400, True, True)


def test_an_error_in_a_filter_shows_its_place(opened: Visit) -> None:
    """A filter that is wrong says what and where, beside what was written."""
    page = opened("/traces")
    page.click("text=Filter language")
    page.fill("#q", "status > 'OK'")
    page.press("#q", "Control+Enter")
    expect(page.locator("#filter-error")).to_be_visible()
    assert page.inner_text("#filter-error").splitlines() == [
        "filter: > does not fit trace.status; use =, !=, IN, NOT IN",
        "    status > 'OK'",
        "           ^",
    ]
    expect(page.locator("#q")).to_have_attribute("aria-invalid", "true")
    page.fill("#q", "status = 'ERROR' AND service = 'support-chat'")
    page.press("#q", "Control+Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#q")).to_have_attribute("aria-invalid", "false")


def test_brushing_chooses_a_time(opened: Visit, demo: dict[str, str]) -> None:
    """Dragging over the chart shows the traces of that time alone, and the address has it."""
    page = opened(f"{SHOP}&range=6h")
    expect(page.locator("#chart-summary")).to_contain_text("1 error, 1 negative feedback")
    before = rows(page)
    box = page.locator("#plot .u-over").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.70, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.90, box["y"] + 40, steps=4)
    page.mouse.up()
    page.wait_for_url("**from=*")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert rows(page) == [demo["failed"]]
    assert len(before) > 1
    span = int(address(page)["to"][0]) - int(address(page)["from"][0])
    assert 0.18 < span / (6 * 3600 * 1000) < 0.22
    expect(page.locator("#live")).to_be_disabled()
    assert rows(opened(page.url)) == [demo["failed"]]

    # The same without a mouse: from the table of the bars.
    page.go_back()
    expect(page.locator("#chart-summary")).to_contain_text("7 traces, 1 error")
    page.click("text=As a table")
    page.click("#chart-rows tr:has(td:nth-child(3):text-is('1')) button")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert rows(page) == [demo["failed"]]


def test_columns_are_chosen(opened: Visit, demo: dict[str, str]) -> None:
    """The columns that are chosen are in the address, and the next page remembers them."""
    page = opened(f"{SHOP}&cols=name,latency,session,user")
    page.click("#columns summary")
    page.uncheck("#columns label:has-text('User') input")
    page.check("#columns label:has-text('Errors') input")
    expect(page.locator(".traces-table th")).to_have_text(["Time", "Name", "Latency", "Session", "Errors"])
    assert address(page) == {"service": ["support-chat"], "cols": ["time,name,latency,session,errors"]}
    assert cells(page, demo["bad"])["Errors"] == "1"
    page.goto("/traces")
    assert page.locator(".traces-table th").all_inner_texts() == ["Time", "Name", "Latency", "Session", "Errors"]
    expect(page.locator("#filters[data-ready]")).to_be_attached()
    page.click("#columns summary")
    page.click("#usual-columns")
    expect(page.locator(".traces-table th")).to_have_count(11)
    assert page.is_checked("#columns label:has-text('Request') input")


def test_new_traces_come_in_live(opened: Visit, telemetry: Telemetry) -> None:
    """Live, a trace that is sent now appears above the others, and the row that has the focus keeps it."""
    old = telemetry.trace({"ServiceName": "live", "SpanName": "before"}, ago=20)
    page = opened("/traces?service=live&range=15m")
    page.keyboard.press("j")
    page.click("#live")
    page.locator("#rows a.cover").focus()
    new = telemetry.send({"ServiceName": "live", "SpanName": "after"})
    expect(page.locator("#rows tr")).to_have_count(2)
    assert rows(page) == [new, old]
    assert page.evaluate("document.activeElement.closest('tr').dataset.id") == old
    assert page.locator("tr.arrived").count() == 1
    page.keyboard.press("l")
    expect(page.locator("#live")).to_have_attribute("aria-pressed", "false")
    page.click("#live")
    page.goto(f"/traces?service=live&from=0&to={int(time.time() * 1000)}")
    expect(page.locator("#live")).to_be_disabled()


@pytest.fixture(scope="module")
def many(telemetry: Telemetry) -> list[str]:
    """60 traces, the newest first."""
    return telemetry.traces(
        [(100 + number, [{"ServiceName": "many", "SpanName": f"work {number}"}]) for number in range(60)]
    )


def test_pages_follow_each_other(opened: Visit, many: list[str]) -> None:
    """Older traces come page by page, each page has its address, and going back shows the page before."""
    page = opened("/traces?service=many&limit=25")
    assert rows(page) == many[:25]
    page.click("#older")
    page.wait_for_url("**page=*")
    expect(page.locator(f"tr[data-id='{many[25]}']")).to_be_visible()
    assert rows(page) == many[25:50]
    assert rows(opened(page.url)) == many[25:50]
    page.keyboard.press("n")
    expect(page.locator(f"tr[data-id='{many[59]}']")).to_be_visible()
    assert (rows(page), page.locator("#older").count()) == (many[50:], 0)
    page.go_back()
    expect(page.locator(f"tr[data-id='{many[25]}']")).to_be_visible()
    page.click(".traces-pages a:text-is('Newest')")
    expect(page.locator(f"tr[data-id='{many[0]}']")).to_be_visible()
    page.click(".per-page a:has-text('100')")
    expect(page.locator("#rows tr")).to_have_count(60)


def test_keys_lead_through_the_list(opened: Visit, many: list[str]) -> None:
    """j and k move, Enter opens, / searches, ? shows the keys."""
    page = opened("/traces?service=many&limit=25")
    focused = "document.activeElement.closest('tr')?.dataset.id ?? document.activeElement.id"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate(focused) == many[1]
    page.keyboard.press("/")
    assert page.evaluate(focused) == "text"
    page.keyboard.type("?j")
    assert page.input_value("#text") == "?j"
    page.fill("#text", "")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/traces/{many[0]}")
    page.go_back()
    page.click(f"tr[data-id='{many[3]}'] .col-name")
    page.wait_for_url(f"**/traces/{many[3]}")


def test_nobody_is_shut_out(opened: Visit, demo: dict[str, str], axe: Callable[[Page], None]) -> None:
    """axe finds nothing: both themes, laptop and phone, with filters, errors, dialogs and nothing found."""
    page = opened(
        f"{SHOP}&feedback=helpful&cols=time,name,service,request,response,status,models,session,user,feedback,errors"
    )
    expect(page.locator("#chart-summary")).to_contain_text("2 traces")
    assert no_sideways_scroll(page)
    page.click("text=As a table")
    axe(page)
    page.click("#open-sql")
    expect(page.locator("#sql-dialog")).to_be_visible()
    axe(page)
    phone = opened(f"{SHOP}&feedback=helpful", phone=True)
    assert no_sideways_scroll(phone)
    for query in ("service=nobody&status=error&from=0", "from=0&to=1", "service=a&q=cost+>>+0&min_ms=x"):
        phone.goto(f"/traces?{query}")
        assert no_sideways_scroll(phone)
    phone.click("#more")
    axe(phone)


def test_telemetry_cannot_run(
    opened: Visit,
    telemetry: Telemetry,
) -> None:
    """Hostile names, prompts, users, models and feedback are shown as they are, in every column and every message."""
    attributes = {
        "user.id": HOSTILE,
        "session.id": HOSTILE,
        "hansei.span.inputs": HOSTILE,
        "hansei.span.outputs": HOSTILE,
    }
    trace_id = telemetry.trace(
        {"SpanName": HOSTILE, "ServiceName": HOSTILE, "SpanAttributes": attributes, "StatusCode": "Error",
         "StatusMessage": HOSTILE},
        chat_call(HOSTILE, HOSTILE, HOSTILE, ServiceName=HOSTILE),
    )  # fmt: skip
    telemetry.said(trace_id, HOSTILE, HOSTILE, by=HOSTILE, rationale=HOSTILE)
    telemetry.said(trace_id, HOSTILE, True, source="LLM_JUDGE", by=HOSTILE)
    columns = "time,name,service,request,response,status,models,session,user,feedback"
    page = opened(f"/traces?range=1h&cols={columns}")
    page.fill("#service", HOSTILE)
    page.press("#service", "Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    shown = cells(page, trace_id)
    flat = " ".join(HOSTILE.split())
    assert {name: shown[name] for name in ("Service", "Models", "Session", "User")} == dict.fromkeys(
        ("Service", "Models", "Session", "User"), flat
    )
    assert shown["Request"] == shown["Response"] == flat
    page.click("#rows .col-id a >> nth=0")
    expect(page.locator("a.chip .chip-label:text-is('session')")).to_be_visible()
    page.fill("#feedback", f"{HOSTILE}:{HOSTILE}")
    page.press("#feedback", "Enter")
    page.fill("#text", HOSTILE)
    expect(page.locator("a.chip .chip-label:text-is('text')")).to_be_visible()
    page.locator("#model").focus()
    page.wait_for_selector("#service-options option", state="attached")
    page.click("text=Filter language")
    page.fill("#q", HOSTILE)
    page.press("#q", "Control+Enter")
    expect(page.locator("#filter-error")).to_be_visible()
    page.reload()
    assert page.input_value("#q") == HOSTILE
    assert page.locator("img[src=x], main script").count() == 0


def test_the_list_as_sql(opened: Visit, demo: dict[str, str], client: "Client") -> None:
    """The SQL that is shown finds the same traces, and is copied with a press."""
    page = opened(f"{SHOP}&feedback=helpful")
    page.click("#open-sql")
    page.click("text=Copy the SQL")
    sql = page.evaluate("navigator.clipboard.readText()")
    assert sql == page.locator("#sql-dialog pre.sql").first.text_content()
    found = client.query(sql)
    position = found.column_names.index("TraceId")
    assert [row[position] for row in found.result_rows] == [demo["good"], demo["bad"]]
    line = page.locator("#sql-dialog pre.sql").last.text_content()
    assert line is not None
    ran = subprocess.run(["sh", "-c", line.replace("curl ", "curl -s ")], capture_output=True, text=True, check=True)
    assert demo["good"] in ran.stdout
    page.click("#sql-dialog >> text=Close")
    expect(page.locator("#sql-dialog")).to_be_hidden()


def test_exports_are_of_the_same_traces(opened: Visit) -> None:
    """The export links carry the filter and the time of the list."""
    page = opened(f"{SHOP}&from=1000&to=2000")
    page.select_option("#status", "error")
    page.wait_for_url("**status=error*")
    expect(page.locator("#list:not(.loading)")).to_be_attached()
    links = page.locator("#exports a").evaluate_all("links => links.map((link) => link.href)")
    assert [parse_qs(urlsplit(link).query) for link in links] == [
        {
            "format": [name], "from": ["1000"], "to": ["2000"],
            "filter": ["service = 'support-chat' AND trace.status = 'ERROR'"],
        }
        for name in ("csv", "jsonl", "parquet")
    ]  # fmt: skip


def test_values_to_pick_from(opened: Visit, demo: dict[str, str]) -> None:
    """Services, models and feedback that occur are offered."""
    page = opened("/traces")
    page.locator("#service").focus()
    page.wait_for_selector("#feedback-options option", state="attached")
    offered = {
        name: page.locator(f"#{name}-options option").evaluate_all("all => all.map((one) => one.value)")
        for name in ("service", "model", "feedback")
    }
    assert {"support-chat", "search-api"} <= set(offered["service"])
    assert {"gpt-4o-mini", "gpt-4o"} <= set(offered["model"])
    assert {"helpful", "helpful:false", "helpful:true"} <= set(offered["feedback"])


def test_answers_say_how_long_they_took(serving: Serving, demo: dict[str, str]) -> None:
    """Every answer says what the server did in how much time, and is not kept."""
    for path, parts in (("", ["list", "page"]), ("/histogram", ["histogram"]), ("/facets", ["facets"])):
        with urllib.request.urlopen(f"{serving.ui}/traces{path}") as answer:
            timing = answer.headers["Server-Timing"]
            assert (re.findall(r"(\w+);dur=[\d.]+", timing), answer.headers["Cache-Control"]) == (parts, "no-store")


def test_before_anything_has_come(opened: Visit, tmp_path: Path) -> None:
    """An empty collector says how to send to it, and shows what comes first without a reload."""
    serving = Serving(tmp_path / "data")
    try:
        page = opened("/traces", base=serving.ui)
        assert f"export OTEL_EXPORTER_OTLP_ENDPOINT=http://{serving.grpc}" in page.inner_text(".sending")
        expect(page.locator("#live")).to_have_attribute("aria-pressed", "true")
        Telemetry(None, serving).send({"SpanName": "the first"})  # type: ignore[arg-type]
        expect(page.locator("#rows tr")).to_have_count(1)
        page.goto("/traces?from=0&to=1000")
        expect(page.locator(".empty-list")).to_contain_text("The newest span began")
        page.click("text=Show the day before it")
        expect(page.locator("#rows tr")).to_have_count(1)
    finally:
        serving.close()


def test_a_collector_that_is_gone_is_said(opened: Visit, tmp_path: Path, demo: dict[str, str]) -> None:
    """When nothing answers, the page says so and works again after."""
    page = opened(SHOP)
    page.route("**/traces?*", lambda route: route.abort())
    page.select_option("#status", "error")
    expect(page.locator("#list [role=alert]")).to_contain_text("does not answer")
    page.unroute("**/traces?*")
    page.select_option("#status", "")
    expect(page.locator("#rows tr")).to_have_count(24)

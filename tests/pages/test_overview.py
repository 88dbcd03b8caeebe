"""The overview in a browser: its numbers, and the ways from them to the traces."""

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page

from hansei.feedback.pages.charts import percent
from hansei.feedback.pages.formats import NOTHING
from hansei.feedback.pages.period import DAY, HOUR, STEP, Period, period_of
from hansei.feedback.search.errors import InvalidSearch

from .conftest import SECOND, Telemetry, Visit, chat_call, no_sideways_scroll

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SERVICE = "overview-shop"
HOSTILE = "<img src=x onerror=alert(1)>"
PRICES = {"ov-large": (10.0, 20.0), "ov-small": (1.0, 2.0)}
START = int(time.time()) // HOUR * HOUR - 2 * DAY
PAST = f"/overview?from={START * 1000}&to={(START + HOUR) * 1000}&service={SERVICE}"
EMPTY = [""] * 12


def call(model: str, read: int, written: int, milliseconds: int, **span: Any) -> dict[str, Any]:
    """A model call with tokens and a duration."""
    tokens = {"gen_ai.usage.input_tokens": str(read), "gen_ai.usage.output_tokens": str(written), "user.id": "ov-ana"}
    return chat_call(
        model, "?", "!", ServiceName=SERVICE, Duration=milliseconds * 10**6, SpanAttributes=tokens, **span
    )  # fmt: skip


@pytest.fixture(scope="module")
def hour(telemetry: Telemetry, client: "Client") -> list[str]:
    """An hour two days ago, and the hour before it. In twelfths of the hour: two traces, one, none, one."""
    for model, (read, written) in PRICES.items():
        client.command(
            "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion) VALUES "
            f"('openai', '{model}', [(0, 0, 0, {read}, {read}, {read}, {written}, {written}, 0)], 'own')"
        )

    def ago(seconds: float) -> float:
        return time.time() - (START + seconds)

    root: dict[str, Any] = {"SpanName": "answer", "ServiceName": SERVICE, "Duration": SECOND}
    found = telemetry.traces([
        (ago(100), [root, call("ov-large", 1000, 100, 200)]),
        (ago(150), [{**root, "StatusCode": "Error", "Duration": 9 * SECOND}, call("ov-small", 2000, 500, 800)]),
        (ago(STEP + 100), [root, call("ov-large", 3000, 300, 400)]),
        (ago(3 * STEP + 100), [root, call("ov-unpriced", 500, 50, 100, StatusCode="Ok")]),
        (ago(-1800), [root, call("ov-large", 1000, 100, 400)]),
        (ago(-1700), [{**root, "SpanName": HOSTILE}]),
    ])  # fmt: skip
    telemetry.said(found[0], "helpful", True, ago=ago(120))
    telemetry.said(found[1], "helpful", False, ago=ago(160))
    telemetry.said(found[2], "helpful", True, ago=ago(STEP + 120))
    telemetry.said(found[1], "grounded", False, source="LLM_JUDGE", ago=ago(170))
    telemetry.said(found[4], "helpful", True, ago=ago(-1500))
    return found


def query_of(page: Page) -> dict[str, str]:
    """What the address asks for."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def area(page: Page, key: str) -> tuple[float, float, float, float]:
    """Where a chart draws: left, top, width and height, once it is in the window."""
    over: Locator = page.locator(f"#chart-{key} .u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def columns(page: Page, key: str) -> dict[str, list[str]]:
    """The values of a chart's series, as its table has them for the script."""
    heads = page.locator(f"#chart-{key} thead th[data-values]")
    told = heads.evaluate_all("heads => heads.map(head => [head.dataset.name, head.dataset.values])")
    return {name: values.split(",") for name, values in told}


def test_tiles(hour: list[str], visit: Visit) -> None:
    """The tiles tell the numbers of the time, worked by hand, and how they changed against the hour before."""
    page = visit(PAST)
    tiles = page.locator("[data-tile]").evaluate_all(
        "tiles => tiles.map(tile => [tile.dataset.tile, tile.querySelector('.value').textContent,"
        " tile.querySelector('.change')?.firstChild.textContent ?? '',"
        " [...tile.querySelector('.detail').childNodes].at(-1).textContent.trim()])"
    )
    latency = {name: value for name, value, *_ in tiles if name.startswith("Latency")}
    assert [tile for tile in tiles if not tile[0].startswith("Latency")] == [
        ["Traces", "4", "+100 %", "with a root"],
        ["Errors", "1", "+25.0 points", "25 % of traces"],
        ["Model calls", "4", "+300 %", ""],
        ["Tokens", "7,450", "+577 %", "6,500 in, 950 out"],
        # 4 000 · 10 + 400 · 20 and 2 000 · 1 + 500 · 2 millionths; before 1 000 · 10 + 100 · 20.
        ["Cost", "$0.051", "+325 %", "1 calls without a price"],
        ["Negative feedback", "33 %", "+33.3 points", "1 of 3 by people"],
    ]
    # Of 100, 200, 400 and 800 ms a sketch has the second and the third, within a hundredth.
    assert 198 <= float(latency["Latency p50"].removesuffix(" ms")) <= 202
    assert 396 <= float(latency["Latency p95"].removesuffix(" ms")) <= 404


def test_charts(hour: list[str], visit: Visit) -> None:
    """The charts have a value for each bucket; where nothing was called or said there is none, never a zero."""
    page = visit(PAST)
    assert columns(page, "traces") == {
        "traces": ["2", "1", "0", "1", *["0"] * 8],
        "errors": ["1", *["0"] * 11],
    }
    assert columns(page, "tokens") == {
        "input": ["3000", "3000", "", "500", *EMPTY[4:]],
        "output": ["600", "300", "", "50", *EMPTY[4:]],
    }
    assert columns(page, "cost") == {
        "ov-large": ["0.012", "0.036", *EMPTY[2:]],
        "ov-small": ["0.003", *EMPTY[1:]],
    }
    assert columns(page, "feedback") == {
        "helpful (human)": ["0.5", "0", *EMPTY[2:]],
        "grounded (judge)": ["1", *EMPTY[1:]],
    }
    known = {name: [bool(value) for value in values] for name, values in columns(page, "latency").items()}
    told = [True, True, False, True, *[False] * 8]
    assert known == {"p50": told, "p95": told, "p99": told}
    assert page.locator("figure.chart canvas").count() == 5


def test_spending(hour: list[str], visit: Visit) -> None:
    """What models, services and users cost, the dearest first; traces that stand out come after the page."""
    page = visit(PAST)

    def rows(label: str) -> list[list[str]]:
        table = page.get_by_role("region", name=label, exact=True)
        table.locator("td").first.wait_for()
        found: list[list[str]] = table.locator("tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        )
        return found

    assert rows("By model") == [
        ["ov-large", "2", "4,400", "$0.048"],
        ["ov-small", "1", "2,500", "$0.003"],
        ["ov-unpriced", "1", "550", f"{NOTHING}*"],
    ]
    assert rows("By service") == [[SERVICE, "4", "7,450", "$0.051*"]]
    assert rows("By user") == [["ov-ana", "4", "7,450", "$0.051"]]

    def first(title: str) -> list[str | None]:
        item = page.get_by_role("region", name=title, exact=True).locator("li").first
        return [item.locator("a").get_attribute("href"), item.locator(".figure").text_content()]

    assert first("Dearest traces") == [f"/traces/{hour[2]}", "$0.036"]
    assert first("Slowest") == [f"/traces/{hour[1]}", "9.00 s"]
    assert first("Latest errors") == [f"/traces/{hour[1]}", "failed"]
    assert first("Most negative feedback") == [f"/traces/{hour[1]}", "1 negative"]


def test_click(hour: list[str], visit: Visit) -> None:
    """A click opens the traces behind a bucket: of the bar, the layer or the line that was hit."""
    page = visit(PAST)
    for key, bucket, height, expected in (
        ("traces", 0, 0.2, {"status": "error"}),
        ("traces", 1, 0.3, {}),
        ("cost", 0, 0.1, {"model": "ov-large"}),
        ("feedback", 0, 0.9, {"feedback": "grounded:false"}),
    ):
        left, top, width, tall = area(page, key)
        page.mouse.click(left + width * (bucket + 0.5) / 12, top + tall * (1 - height))
        page.wait_for_url(re.compile("/traces"), wait_until="commit")
        since = (START + bucket * STEP) * 1000
        assert query_of(page) == {"from": str(since), "to": str(since + STEP * 1000), "service": SERVICE, **expected}
        page.goto(PAST)


def test_zoom(hour: list[str], visit: Visit) -> None:
    """A drag over a chart changes the time of the page and its address, to the step outwards."""
    page = visit(PAST)
    left, top, width, tall = area(page, "latency")
    page.mouse.move(left + width * 1.2 / 12, top + tall / 2)
    page.mouse.down()
    page.mouse.move(left + width * 3.5 / 12, top + tall / 2, steps=4)
    page.mouse.up()
    page.wait_for_function("address => location.href !== address", arg=page.url)
    page.wait_for_load_state()
    asked = query_of(page)
    assert asked["service"] == SERVICE
    assert abs(int(asked["from"]) / 1000 - START - 1.2 * STEP) < 20
    assert abs(int(asked["to"]) / 1000 - START - 3.5 * STEP) < 20
    assert columns(page, "traces") == {"traces": ["1", "0", "1"], "errors": ["0", "0", "0"]}


def test_hover(hour: list[str], visit: Visit) -> None:
    """The tooltip tells the time and every value of a bucket, as the table writes them."""
    page = visit(PAST)
    left, top, width, tall = area(page, "cost")
    page.mouse.move(left + width * 0.5 / 12, top + tall * 0.5)
    tip = page.locator("#chart-cost .tip")
    tip.wait_for()
    assert tip.locator("dd").all_text_contents() == ["$0.012", "$0.003"]
    assert tip.locator("dt").all_text_contents() == ["ov-large", "ov-small"]


def test_theme(hour: list[str], visit: Visit) -> None:
    """When the system's theme changes the charts are drawn again in its colours."""
    page = visit(PAST)
    drawn = "document.querySelector('#chart-traces canvas').toDataURL()"
    light = page.evaluate(drawn)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {drawn} !== light", arg=light)


def test_accessible(hour: list[str], visit: Visit, axe: Callable[[Page], None]) -> None:
    """Nothing shuts people out, in both themes, with a table open; a row of it leads to its traces."""
    page = visit(PAST)
    page.locator("[data-fragment]:not([aria-busy])").last.wait_for(state="attached")
    page.locator("#chart-traces summary").click()
    axe(page)
    page.locator("#chart-traces tbody a").nth(1).click()
    page.wait_for_url(re.compile("/traces"), wait_until="commit")
    assert query_of(page)["from"] == str((START + STEP) * 1000)


def test_phone(hour: list[str], visit: Visit, axe: Callable[[Page], None]) -> None:
    """A phone shows it without scrolling sideways; the first touch of a chart tells, the second opens."""
    page = visit(PAST, phone=True)
    page.locator("[data-fragment]:not([aria-busy])").last.wait_for(state="attached")
    assert no_sideways_scroll(page)
    axe(page)
    left, top, width, tall = area(page, "traces")
    at = left + width * 0.5 / 12, top + tall * 0.3
    page.touchscreen.tap(*at)
    page.locator("#chart-traces .tip").wait_for()
    assert urlsplit(page.url).path == "/overview"
    page.touchscreen.tap(*at)
    page.wait_for_url(re.compile("/traces"))


def test_without_script(hour: list[str], visit: Visit) -> None:
    """Without scripts there are tables, and links to what takes longer."""
    page = visit(PAST, script=False)
    page.locator("#chart-cost summary").click()
    assert page.locator("#chart-cost tbody tr").first.locator("td").all_text_contents() == ["$0.012", "$0.003"]
    page.get_by_role("link", name="Cost by user").click()
    assert page.locator("#fragment tbody td").first.text_content() == "ov-ana"


def test_choosing(hour: list[str], visit: Visit) -> None:
    """Time and service are chosen on the page; the address keeps both."""
    page = visit("/overview")
    page.get_by_role("link", name="7d", exact=True).click()
    page.wait_for_url(re.compile("range=7d"))
    page.get_by_label("Service", exact=True).select_option(SERVICE)
    page.wait_for_url(re.compile("service="))
    assert query_of(page) == {"range": "7d", "service": SERVICE}
    assert page.locator("[data-tile=Traces] .value").text_content() == "6"
    page.get_by_text("Custom", exact=True).click()
    page.locator("#period-from").fill("2026-01-02T03:00")
    page.locator("#period-to").fill("2026-01-02T04:00")
    page.locator("form[data-period] button").click()
    page.wait_for_url(re.compile("from="))
    assert query_of(page) == {"service": SERVICE, "from": "1767322800000", "to": "1767326400000"}
    assert page.get_by_text("Nothing in this time.").count() == 5


def test_hostile(hour: list[str], telemetry: Telemetry, visit: Visit) -> None:
    """Names that come with telemetry are text, wherever they stand."""
    ago = time.time() - (START - DAY)
    trace_id = telemetry.trace(
        {"SpanName": HOSTILE, "ServiceName": HOSTILE, "StatusCode": "Error"},
        chat_call(f"{HOSTILE}</script>", "?", "!", ServiceName=HOSTILE, SpanAttributes={"user.id": HOSTILE}), ago=ago,
    )  # fmt: skip
    telemetry.said(trace_id, f'"{HOSTILE}', False, ago=ago)
    page = visit(f"/overview?from={(START - DAY - HOUR) * 1000}&to={(START - DAY + HOUR) * 1000}")
    page.locator("[data-fragment]:not([aria-busy])").last.wait_for(state="attached")
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("#chart-feedback .legend bdi").all_text_contents() == [f'"{HOSTILE} (human)']
    page.get_by_role("link", name=HOSTILE).first.click()
    page.wait_for_load_state()


def test_wrong_time(visit: Visit) -> None:
    """What cannot be a time is told in a line."""
    page = visit("/overview?range=yesterday")
    assert "range: 'yesterday' is not one of 1h, 6h, 24h, 7d, 30d" in page.locator("main").inner_text()


def test_period() -> None:
    """A period reaches to the steps around it, has about a hundred buckets at most, and one of its length before it."""
    at = 1_800_000_123.0
    assert period_of({}, at) == Period(1_799_913_600, 1_800_000_300, "24h")
    assert period_of({"from": "1799999000000", "to": "1799999001000"}, at) == Period(
        1_799_998_800, 1_799_999_100, "custom"
    )
    assert period_of({"from": "2027-01-15T08:00:00Z"}, at).start == 1_800_000_000
    day = period_of({"range": "24h"}, at)
    assert (day.bucket, len(day.buckets), day.before) == (900, 97, 1_799_826_900)
    assert day.clipped(day.buckets[-1]) == (1_800_000_000_000, 1_800_000_300_000)
    assert {name: period_of({"range": name}, at).bucket for name in ("1h", "6h", "7d", "30d")} == {
        "1h": 300, "6h": 300, "7d": 7200, "30d": 43200,
    }  # fmt: skip
    for wrong in ({"from": "5", "to": "5"}, {"from": "x"}, {"range": "2h"}, {"to": "9999-01-01"}):
        with pytest.raises(InvalidSearch):
            period_of(wrong, at)


def test_percent() -> None:
    """A share is written with the digits that matter; none is a dash."""
    assert [percent(share) for share in (None, 0, 1, 0.25, 0.004)] == [NOTHING, "0 %", "100 %", "25 %", "0.4 %"]

"""What the tests of pages share: a collector in a process of its own, telemetry for it, a browser, and axe.

``visit("/traces")`` opens a page; when the test ends, nothing may have thrown or been stopped by the content security
policy. ``axe(page)`` looks for what shuts people out. ``telemetry`` inserts at once, over SQL; ``telemetry.send`` goes
the whole way, by OTLP. ``demo`` is a shop's day; other files' telemetry may lie beside it, so name your own services.
"""

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import pytest
from axe_playwright_python.sync_playwright import Axe
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from playwright.sync_api import Browser, BrowserContext, Dialog, Page

# The tests are no package whose name could be written out.
from ..collector.otlp_clients import HttpClient  # noqa: TID252
from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import PATIENCE, until  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

ADMIN_KEY = "sesame"
SECOND = 10**9
LAPTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
_SOON = PATIENCE / 4 * 1000
"""Milliseconds for one step in the browser; never part of a claim."""
_EVENT_COLUMNS = ["Timestamp", "TraceId", "SpanId", "ServiceName", "EventName", "LogAttributes"]
_STATUS = {"Unset": Status.STATUS_CODE_UNSET, "Ok": Status.STATUS_CODE_OK, "Error": Status.STATUS_CODE_ERROR}
_WATCH = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every page's test uses; none may stop it."""
    running = Serving(tmp_path_factory.mktemp("pages") / "data", HANSEI_ADMIN_KEY=ADMIN_KEY)
    yield running
    running.close()


@pytest.fixture(scope="session")
def client(serving: Serving) -> Iterator["Client"]:
    """The tables, as an administrator has them."""
    with clickhouse_connect.get_client(
        host=serving.sql.host, port=serving.sql.port, username="admin", password=ADMIN_KEY,
        autogenerate_session_id=False,
    ) as opened:  # fmt: skip
        yield opened


class Telemetry:
    """Traces and what is said of them; ``ago`` is seconds before now."""

    def __init__(self, client: "Client", serving: Serving) -> None:
        self.client = client
        self._serving = serving
        self._otlp = HttpClient(serving.http)

    def trace(self, *spans: dict[str, Any], ago: float = 60) -> str:
        """Insert a trace; the first span is its root, the others its children. Answers the trace id.

        A span may have ``SpanName``, ``ServiceName``, ``SpanAttributes``, ``Duration`` (nanoseconds), ``StatusCode``,
        ``StatusMessage``, ``SpanKind``, ``ParentSpanId``, ``SpanId``, and ``at``: seconds after the root began.
        """
        return self.traces([(ago, spans)])[0]

    def traces(self, given: Sequence[tuple[float, Sequence[dict[str, Any]]]]) -> list[str]:
        """Insert many at once, each with its ``ago``. Answers their ids."""
        made = [self._rows(spans, ago) for ago, spans in given]
        rows = [row for trace in made for row in trace]
        self.client.insert("otel_traces", [list(row.values()) for row in rows], column_names=list(rows[0]))
        return [str(trace[0]["TraceId"]) for trace in made]

    def send(self, *spans: dict[str, Any], ago: float = 0) -> str:
        """Send a trace by OTLP and wait until it is stored. Answers the trace id."""
        request = ExportTraceServiceRequest()
        rows = self._rows(spans, ago)
        for row in rows:
            resource = request.resource_spans.add()
            _put(resource.resource, {"service.name": row["ServiceName"]})
            span = resource.scope_spans.add().spans.add(
                trace_id=bytes.fromhex(row["TraceId"]), span_id=bytes.fromhex(row["SpanId"]),
                parent_span_id=bytes.fromhex(row["ParentSpanId"]), name=row["SpanName"],
                start_time_unix_nano=row["Timestamp"], end_time_unix_nano=row["Timestamp"] + row["Duration"],
                status=Status(code=_STATUS[row["StatusCode"]], message=row["StatusMessage"]),
            )  # fmt: skip
            _put(span, row["SpanAttributes"])
        assert self._otlp.export(request.SerializeToString()).code == "OK"
        self._serving.wait_stored()
        return str(rows[0]["TraceId"])

    def said(
        self,
        trace_id: str,
        name: str,
        value: Any,
        source: str = "HUMAN",
        by: str = "ana",
        *,
        ago: float = 30,
        **more: str,
    ) -> str:
        """Insert an assessment; answers its id. ``more`` are further attributes of hansei's, ``session__id`` too."""
        milliseconds = int((time.time() - ago) * 1000)
        assessment_id = f"a-{milliseconds:012x}{next(_numbers):020x}"
        own = {
            "id": assessment_id, "value": json.dumps(value), "source.type": source, "source.id": by,
            **{key.replace("__", "."): text for key, text in more.items() if key not in ("rationale", "session_id")},
        }  # fmt: skip
        attributes = {"gen_ai.evaluation.name": name, **{f"hansei.assessment.{key}": own[key] for key in own}}
        attributes |= {"gen_ai.evaluation.explanation": more["rationale"]} if "rationale" in more else {}
        attributes |= {"session.id": more["session_id"]} if "session_id" in more else {}
        row = [milliseconds * 10**6, trace_id, "", "shop", "gen_ai.evaluation.result", attributes]
        self.client.insert("otel_logs", [row], column_names=_EVENT_COLUMNS)
        return assessment_id

    def _rows(self, spans: Sequence[dict[str, Any]], ago: float) -> list[dict[str, Any]]:
        began = time.time_ns() - int(ago * SECOND)
        trace_id, root = uuid.uuid4().hex, uuid.uuid4().hex[:16]
        return [
            {
                "TraceId": trace_id, "SpanId": uuid.uuid4().hex[:16] if index else root,
                "ParentSpanId": root if index else "", "SpanName": "answer", "SpanKind": "Internal",
                "ServiceName": "shop", "SpanAttributes": {}, "Duration": SECOND, "StatusCode": "Unset",
                "StatusMessage": "", **{key: value for key, value in span.items() if key != "at"},
                "Timestamp": began + int(span.get("at", 0) * SECOND),
            }
            for index, span in enumerate(spans)
        ]  # fmt: skip


def _put(holder: Any, attributes: dict[str, str]) -> None:
    for key, value in attributes.items():
        holder.attributes.add(key=key).value.string_value = value


def chat_call(model: str, question: str, answer: str, **span: Any) -> dict[str, Any]:
    """A span that is a model call."""
    messages = [{"role": "user", "parts": [{"type": "text", "content": question}]}]
    replies = [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model,
        "gen_ai.response.model": model, "gen_ai.usage.input_tokens": str(40 * len(question)),
        "gen_ai.usage.output_tokens": str(10 * len(answer)), "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.output.messages": json.dumps(replies),
    }  # fmt: skip
    return {
        "SpanName": f"chat {model}", "SpanKind": "Client", "Duration": 800_000_000, **span,
        "SpanAttributes": attributes | span.get("SpanAttributes", {}),
    }  # fmt: skip


@pytest.fixture(scope="session")
def telemetry(client: "Client", serving: Serving) -> Telemetry:
    """What is sent to the collector."""
    return Telemetry(client, serving)


@pytest.fixture(scope="session")
def demo(telemetry: Telemetry, client: "Client") -> dict[str, str]:
    """A day of ``support-chat`` and ``search-api``: trace ids by what the traces are, the newest first."""
    prices = {"gpt-4o-mini": (0.15, 0.6), "gpt-4o": (2.5, 10.0)}
    for model, (read, written) in prices.items():
        client.command(
            "INSERT INTO model_prices (Provider, Model, Prices, PricesVersion) VALUES "
            f"('openai', '{model}', [(0, 0, 0, {read}, {read}, {read}, {written}, {written}, 0)], 'own')"
        )

    def root(question: str, answer: str, session: str, user: str, **span: Any) -> dict[str, Any]:
        attributes = {
            "hansei.span.type": "AGENT", "hansei.span.inputs": json.dumps({"question": question}),
            "hansei.span.outputs": json.dumps(answer), "session.id": session, "user.id": user, "hansei.tag.env": "prod",
        }  # fmt: skip
        return {"SpanName": "answer", "ServiceName": "support-chat", "SpanAttributes": attributes, **span}

    def call(model: str, question: str, answer: str, **span: Any) -> dict[str, Any]:
        return chat_call(model, question, answer, ServiceName="support-chat", at=0.1, **span)

    found = {
        "documents": {"SpanName": "search documents", "ServiceName": "search-api", "at": 0.02, "Duration": 60_000_000,
                      "SpanAttributes": {"gen_ai.operation.name": "retrieval"}},
        "tool": {"SpanName": "execute_tool order_status", "ServiceName": "support-chat", "at": 0.05,
                 "SpanAttributes": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "order_status"},
                 "StatusCode": "Error", "StatusMessage": "the order service did not answer", "Duration": 30_000_000},
    }  # fmt: skip
    descale = "How often should I descale the machine?"
    twice = "Every two months with soft water, and once a month with hard water. Use citric acid, never vinegar."
    refund, sorry = "Where is my refund?", "I cannot find an order of yours. Could you give me its number?"
    traces = {
        "good": telemetry.trace(
            root(descale, twice, "conversation-1001", "ana", Duration=1_240_000_000), found["documents"],
            call("gpt-4o-mini", descale, twice), ago=120,
        ),
        "bad": telemetry.trace(
            root(refund, sorry, "conversation-1002", "ben", Duration=6_500_000_000), found["tool"],
            call("gpt-4o", refund * 20, sorry), call("gpt-4o", refund, sorry), ago=900,
        ),
        "failed": telemetry.trace(
            root("Cancel my order.", "", "conversation-1002", "ben", StatusCode="Error",
                 StatusMessage="RateLimitError: too many requests", Duration=310_000_000),
            call("gpt-4o", "Cancel my order.", "", StatusCode="Error",
                 SpanAttributes={"error.type": "RateLimitError", "gen_ai.output.messages": ""}),
            ago=3000,
        ),
        "rootless": telemetry.trace(
            {**found["documents"], "ParentSpanId": "f" * 16, "SpanName": "search documents"}, ago=5000
        ),
        "unpriced": telemetry.trace(
            root("Translate it.", "Traduit.", "conversation-1003", "cleo", Duration=420_000_000),
            call("house-model-7b", "Translate it.", "Traduit."), ago=7200,
        ),
    }  # fmt: skip
    telemetry.traces([
        (hour * 3600, [
            root(f"Question {hour}", "Yes.", f"conversation-{hour}", "dora", Duration=hour * 100_000_000),
            call("gpt-4o-mini", f"Question {hour}", "Yes."),
        ])
        for hour in range(3, 23)
    ])  # fmt: skip
    telemetry.said(traces["good"], "helpful", True, by="ana", rationale="Exactly what I asked.")
    telemetry.said(traces["good"], "correctness", 0.9, source="LLM_JUDGE", by="judge-gpt-4o")
    telemetry.said(traces["bad"], "helpful", False, by="ben", rationale="I gave the number already!")
    telemetry.said(traces["bad"], "groundedness", "no", source="LLM_JUDGE", by="judge-gpt-4o")
    telemetry.said(traces["bad"], "latency_ok", False, source="CODE", by="checks.py")
    telemetry.said(traces["failed"], "expected_reply", "Your order is cancelled.", by="cleo", kind="expectation")
    return traces


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, serving: Serving) -> Iterator[Visit]:
    """``visit(path, theme="light", phone=False, script=True, base=…)``: a page in a browser context of its own."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def answer(dialog: Dialog) -> None:
        # A page asks before it deletes; what only speaks is a script that came with telemetry.
        if dialog.type == "alert":
            problems.append(f"alert: {dialog.message}")
        dialog.accept()

    def open_page(
        path: str, *, theme: str = "light", phone: bool = False, script: bool = True, base: str | None = None
    ) -> Page:
        context = chromium.new_context(
            base_url=base or serving.ui, viewport=PHONE if phone else LAPTOP, color_scheme=theme, has_touch=phone,
            java_script_enabled=script, timezone_id="UTC", locale="en-GB", reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        contexts.append(context)
        context.set_default_timeout(_SOON)
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda said: problems.append(f"{page.url}: {said.text}") if "Content Security" in said.text else None,
        )
        page.on("dialog", answer)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """``axe(page)``: nothing on the page shuts people out, as far as axe can tell."""
    engine = Axe()

    def check(page: Page) -> None:
        results = engine.run(page)
        assert results.violations_count == 0, results.generate_report()

    return check


def no_sideways_scroll(page: Page) -> bool:
    """Whether the page as a whole fits the width of the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


__all__ = [
    "ADMIN_KEY", "LAPTOP", "PHONE", "SECOND", "Telemetry", "Visit", "chat_call", "no_sideways_scroll", "until",
]  # fmt: skip

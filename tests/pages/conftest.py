"""What the tests of pages share: a collector in a process of its own, and telemetry for it.

``telemetry`` inserts at once, over SQL; ``telemetry.send`` goes the whole way, by OTLP. ``demo`` is a shop's day; other
files' telemetry may lie beside it, so name your own services.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import until  # noqa: TID252
from ..tables import ADMIN_KEY, sql_client  # noqa: TID252
from ..telemetry import SECOND, Telemetry, chat_call  # noqa: TID252
from ..visiting import LAPTOP, PHONE, Visit, no_sideways_scroll  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every page's test uses; none may stop it."""
    running = Serving(tmp_path_factory.mktemp("pages") / "data", "--segment-age=30ms", HANSEI_ADMIN_KEY=ADMIN_KEY)
    yield running
    running.close()


@pytest.fixture(scope="session")
def client(serving: Serving) -> Iterator["Client"]:
    """The tables, as an administrator has them."""
    with sql_client(serving) as opened:
        yield opened


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


__all__ = [
    "ADMIN_KEY", "LAPTOP", "PHONE", "SECOND", "Telemetry", "Visit", "chat_call", "no_sideways_scroll", "until",
]  # fmt: skip

"""What the tests of evaluation share: a collector in a process of its own, the environment that leads to it, its
tables, and traces for them."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import clickhouse_connect
import pytest

# The tests are no package whose name could be written out.
from ..collector.processes import Serving  # noqa: TID252

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

ADMIN_KEY = "sesame"
SECOND = 10**9


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A collector that every test uses; none may stop it."""
    running = Serving(tmp_path_factory.mktemp("evaluation") / "data", HANSEI_ADMIN_KEY=ADMIN_KEY)
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


@pytest.fixture
def here(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """The collector, to which this process's environment leads."""
    monkeypatch.setenv("HANSEI_URL", serving.ui)
    for name in ("HANSEI_API_KEY", "HANSEI_SQL_URL", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return serving


class Traces:
    """Traces, inserted at once."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def add(self, inputs: Any, outputs: Any, **more: Any) -> str:
        """A trace of one span; answers its id. ``more`` as in :meth:`add_many`."""
        return self.add_many([{"inputs": inputs, "outputs": outputs, **more}])[0]

    def add_many(self, given: Sequence[dict[str, Any]]) -> list[str]:
        """Traces of one root span each; answers their ids.

        Keys: ``inputs``, ``outputs``, ``service``, ``session``, ``user``, ``ago`` (seconds), ``attributes``,
        ``spans``: further spans, dicts with ``name``, ``attributes``, ``kind``, ``duration`` (ns), ``status``.
        """
        rows: list[dict[str, Any]] = []
        ids = []
        for each in given:
            trace_id, root = uuid.uuid4().hex, uuid.uuid4().hex[:16]
            ids.append(trace_id)
            began = time.time_ns() - int(each.get("ago", 60) * SECOND)
            attributes = {
                "hansei.span.inputs": json.dumps(each["inputs"]),
                "hansei.span.outputs": json.dumps(each["outputs"]),
                **({"session.id": each["session"]} if "session" in each else {}),
                **({"user.id": each["user"]} if "user" in each else {}),
                **each.get("attributes", {}),
            }
            spans = [{"name": "answer", "attributes": attributes, "kind": "Internal"}, *each.get("spans", ())]
            for index, span in enumerate(spans):
                rows.append(
                    {
                        "Timestamp": began + index * 1_000_000, "TraceId": trace_id,
                        "SpanId": uuid.uuid4().hex[:16] if index else root, "ParentSpanId": root if index else "",
                        "SpanName": span["name"], "SpanKind": span.get("kind", "Client"),
                        "ServiceName": each.get("service", "shop"), "SpanAttributes": span.get("attributes", {}),
                        "Duration": span.get("duration", SECOND), "StatusCode": span.get("status", "Unset"),
                    }
                )  # fmt: skip
        if rows:
            self._client.insert("otel_traces", [list(row.values()) for row in rows], column_names=list(rows[0]))
        return ids


@pytest.fixture(scope="session")
def traces(client: "Client") -> Traces:
    """Traces for the collector."""
    return Traces(client)

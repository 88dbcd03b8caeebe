"""Telemetry for a collector, as the tests of what shows it make it."""

import itertools
import json
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from .collector.otlp_clients import HttpClient
from .collector.processes import Serving

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SECOND: Final = 10**9
_EVENT_COLUMNS: Final = ["Timestamp", "TraceId", "SpanId", "ServiceName", "EventName", "LogAttributes"]
_STATUS: Final = {"Unset": Status.STATUS_CODE_UNSET, "Ok": Status.STATUS_CODE_OK, "Error": Status.STATUS_CODE_ERROR}

_numbers = itertools.count(1)


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

"""A trace as an OTLP request in JSON, which makes the same rows again where it is sent."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from hansei.feedback.search.connection import Query

_KINDS: Final = {"Internal": 1, "Server": 2, "Client": 3, "Producer": 4, "Consumer": 5}
_STATUS: Final = {"Ok": 1, "Error": 2}

Json = dict[str, Any]


def trace_json(query: Query, trace_id: str) -> Json | None:
    """The ``ExportTraceServiceRequest`` of a trace, its attributes as the texts that are stored; None where there is no
    such trace. Raises ``SearchError``."""
    resources: dict[tuple[Any, ...], dict[tuple[str, str], list[Json]]] = {}
    for row in query(_statement(), {"trace_id": trace_id}):
        resource = (tuple(row["ResourceKeys"]), tuple(row["ResourceValues"]))
        scopes = resources.setdefault(resource, {})
        scopes.setdefault((row["ScopeName"], row["ScopeVersion"]), []).append(_span(row))
    if not resources:
        return None
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(keys, values)},
                "scopeSpans": [
                    {"scope": _given(name=name, version=version), "spans": spans}
                    for (name, version), spans in scopes.items()
                ],
            }
            for (keys, values), scopes in resources.items()
        ]
    }


@cache
def _statement() -> str:
    return files(__package__).joinpath("spans_of_trace.sql").read_text()


def _span(row: Json) -> Json:
    start = row["Began"] % 2**64
    return _given(
        traceId=row["TraceId"],
        spanId=row["SpanId"],
        parentSpanId=row["ParentSpanId"],
        traceState=row["TraceState"],
        name=row["SpanName"],
        kind=_KINDS.get(row["SpanKind"]),
        startTimeUnixNano=str(start),
        endTimeUnixNano=str(start + row["Duration"]),
        attributes=_attributes(row["Keys"], row["Values"]),
        events=[
            _given(timeUnixNano=str(at % 2**64), name=name, attributes=_attributes(keys, values))
            for at, name, keys, values in zip(
                row["EventTimes"], row["EventNames"], row["EventKeys"], row["EventValues"], strict=True
            )
        ],
        links=[
            _given(traceId=trace_id, spanId=span_id, traceState=state, attributes=_attributes(keys, values))
            for trace_id, span_id, state, keys, values in zip(
                row["LinkTraceIds"], row["LinkSpanIds"], row["LinkTraceStates"], row["LinkKeys"], row["LinkValues"],
                strict=True,
            )
        ],
        status=_given(code=_STATUS.get(row["StatusCode"]), message=row["StatusMessage"]),
    )  # fmt: skip


def _attributes(keys: Iterable[str], values: Iterable[str]) -> list[Json]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in zip(keys, values, strict=True)]


def _given(**members: Any) -> Json:
    """An object of those members that are not empty."""
    return {name: value for name, value in members.items() if value}

"""What SQL returns is what was sent, as the OpenTelemetry Collector's ClickHouse exporter writes it."""

import base64
import itertools
import math
import os
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from hansei.collector.signals import LOGS, TRACES

Rows = Callable[..., list[tuple[Any, ...]]]
Pairs = list[tuple[str, str]]

# --- what may be sent ---

_TROUBLE = "\x00\x01\x07\x08\x0b\x0c\x0e\x1a\x1b\x1f\x7f\x80\x85\n\r\t\"'\\/<>&\u2028\u2029\ufeff\ufffd😀é"
_text = st.text(st.one_of(st.sampled_from(_TROUBLE), st.characters(exclude_categories=["Cs"])), max_size=12)
_int64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 1, -1, 2**53, 2**53 + 1, -(2**63), 2**63 - 1]))
_doubles = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e-6, 9.99e-7, 1e-7, 1e20, 1e21, 123456789012345680000.0, 5e-324, 8.9e307]),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.1, 1 / 3, 1e16, 1e15, 100.0]),
)
_scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=_text),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=_int64),
    st.builds(AnyValue, double_value=_doubles),
)


def _attributes_of(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[list[KeyValue]]:
    keys = st.one_of(_text, st.sampled_from(["a", "b", "service.name", "gen_ai.system"]))
    return st.lists(st.builds(KeyValue, key=keys, value=values), max_size=4, unique_by=lambda pair: pair.key)


def _array(values: Iterable[AnyValue]) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=values))


def _map(pairs: Iterable[KeyValue]) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=pairs))


_values = st.one_of(
    _scalars,
    st.lists(_scalars, max_size=4).map(_array),
    st.recursive(
        st.one_of(_scalars, st.builds(AnyValue, bytes_value=st.binary(max_size=9))),
        lambda inner: st.one_of(st.lists(inner, max_size=3).map(_array), _attributes_of(inner).map(_map)),
        max_leaves=6,
    ),
)
_attributes = _attributes_of(_values)
_times = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([0, 1, 10**9, 2**63 - 1, 2**63, 2**64 - 1, 1_700_000_000_123_456_789, 4_294_967_296 * 10**9]),
)
_enums = st.one_of(st.integers(0, 6), st.sampled_from([-1, 7, 2**31 - 1, -(2**31)]))
_span_ids = st.one_of(st.binary(min_size=8, max_size=8), st.sampled_from([b"", bytes(8)]))
_trace_ids = st.binary(min_size=16, max_size=16)

_scopes = st.builds(InstrumentationScope, name=_text, version=_text, attributes=_attributes)
_resources = st.builds(Resource, attributes=_attributes)
_spans = st.builds(
    Span,
    trace_id=_trace_ids.filter(any),
    trace_state=_text,
    parent_span_id=_span_ids,
    name=_text,
    kind=_enums,
    start_time_unix_nano=_times,
    end_time_unix_nano=_times,
    attributes=_attributes,
    events=st.lists(st.builds(Span.Event, time_unix_nano=_times, name=_text, attributes=_attributes), max_size=3),
    links=st.lists(
        st.builds(
            Span.Link,
            trace_id=st.one_of(_trace_ids, st.sampled_from([b"", bytes(16)])),
            span_id=_span_ids,
            trace_state=_text,
            attributes=_attributes,
        ),
        max_size=3,
    ),
    status=st.builds(SpanStatus, code=_enums, message=_text),
)
_trace_requests = st.builds(
    ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            ResourceSpans,
            resource=_resources,
            scope_spans=st.lists(st.builds(ScopeSpans, scope=_scopes, spans=st.lists(_spans, max_size=4)), max_size=2),
        ),
        max_size=2,
    ),
)
_records = st.builds(
    LogRecord,
    time_unix_nano=_times,
    observed_time_unix_nano=_times,
    severity_number=st.one_of(st.integers(0, 24), st.sampled_from([25, 255])),
    severity_text=_text,
    body=_values,
    attributes=_attributes,
    flags=st.one_of(st.integers(0, 255), st.sampled_from([256, 2**32 - 1])),
    trace_id=st.one_of(_trace_ids, st.sampled_from([b"", bytes(16), b"short", bytes(range(17))])),
    span_id=st.one_of(_span_ids, st.sampled_from([b"short", bytes(range(9))])),
    event_name=_text,
)
_log_requests = st.builds(
    ExportLogsServiceRequest,
    resource_logs=st.lists(
        st.builds(
            ResourceLogs,
            resource=_resources,
            scope_logs=st.lists(
                st.builds(ScopeLogs, scope=_scopes, log_records=st.lists(_records, max_size=4), schema_url=_text),
                max_size=2,
            ),
        ),
        max_size=2,
    ),
)

# --- what the exporter makes of it (exporter_traces.go, exporter_logs.go, pcommon.Value.AsString) ---


def _double(value: float) -> str:
    sign, magnitude = ("-" if math.copysign(1, value) < 0 else ""), Decimal(repr(abs(value)))
    if magnitude == 0:
        return sign + "0"
    if Decimal("1e-6") <= magnitude < Decimal("1e21"):
        plain = f"{magnitude:f}"
        return sign + (plain.rstrip("0").rstrip(".") if "." in plain else plain)
    _, digits, exponent = magnitude.normalize().as_tuple()
    first, *rest = map(str, digits)
    assert isinstance(exponent, int)
    return f"{sign}{first}{'.' if rest else ''}{''.join(rest)}e{exponent + len(rest):+d}"


_GO_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _go_string(text: str) -> str:
    def escaped(character: str) -> str:
        if character in _GO_ESCAPES:
            return _GO_ESCAPES[character]
        if character < " " or character in "<>&\u2028\u2029":
            return f"\\u{ord(character):04x}"
        return character

    return '"' + "".join(map(escaped, text)) + '"'


def _go_json(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "string_value":
            return _go_string(value.string_value)
        case "bytes_value":
            return '"' + base64.standard_b64encode(value.bytes_value).decode() + '"'
        case "double_value" if not math.isfinite(value.double_value):
            raise ValueError("JSON has no such number")
        case "array_value":
            return "[" + ",".join(_go_json(element) for element in value.array_value.values) + "]"
        case "kvlist_value":
            pairs = sorted(value.kvlist_value.values, key=lambda pair: pair.key.encode())
            return "{" + ",".join(f"{_go_string(pair.key)}:{_go_json(pair.value)}" for pair in pairs) + "}"
        case None:
            return "null"
        case _:
            return _as_string(value)


def _as_string(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return str(value.bool_value).lower()
        case "int_value":
            return str(value.int_value)
        case "double_value":
            strange = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(str(value.double_value))
            return f"json: unsupported value: {strange}" if strange else _double(value.double_value)
        case "bytes_value":
            return base64.standard_b64encode(value.bytes_value).decode()
        case None:
            return ""
        case _:
            try:
                return _go_json(value)
            except ValueError:
                return ""


def _pairs(attributes: Iterable[KeyValue]) -> Pairs:
    return sorted(((pair.key, _as_string(pair.value)) for pair in attributes), key=lambda pair: pair[0].encode())


def _ticks(nanoseconds: int) -> int:
    return nanoseconds - 2**64 if nanoseconds >= 2**63 else nanoseconds


def _hex(id_: bytes) -> str:
    return id_.hex() if any(id_) else ""


def _hex_of(id_: bytes, size: int) -> str:
    return _hex(id_) if len(id_) == size else ""


_KINDS = {0: "Unspecified", 1: "Internal", 2: "Server", 3: "Client", 4: "Producer", 5: "Consumer"}
_STATUSES = {0: "Unset", 1: "Ok", 2: "Error"}


def _span_row(resource: Resource, scope: InstrumentationScope, span: Span) -> tuple[Any, ...]:
    attributes = _pairs(resource.attributes)
    return (
        _ticks(span.start_time_unix_nano),
        _hex(span.trace_id),
        _hex(span.span_id),
        _hex(span.parent_span_id),
        span.trace_state,
        span.name,
        _KINDS.get(span.kind, ""),
        dict(attributes).get("service.name", ""),
        attributes,
        scope.name,
        scope.version,
        _pairs(span.attributes),
        max(0, span.end_time_unix_nano - span.start_time_unix_nano),
        _STATUSES.get(span.status.code, ""),
        span.status.message,
        [_ticks(event.time_unix_nano) for event in span.events],
        [event.name for event in span.events],
        [_pairs(event.attributes) for event in span.events],
        [_hex(link.trace_id) for link in span.links],
        [_hex(link.span_id) for link in span.links],
        [link.trace_state for link in span.links],
        [_pairs(link.attributes) for link in span.links],
    )


_SPAN_COLUMNS = """
    toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName,
    arrayZip(mapKeys(ResourceAttributes), mapValues(ResourceAttributes)), ScopeName, ScopeVersion,
    arrayZip(mapKeys(SpanAttributes), mapValues(SpanAttributes)), Duration, StatusCode, StatusMessage,
    arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp), Events.Name,
    arrayMap(m -> arrayZip(mapKeys(m), mapValues(m)), Events.Attributes),
    Links.TraceId, Links.SpanId, Links.TraceState,
    arrayMap(m -> arrayZip(mapKeys(m), mapValues(m)), Links.Attributes)
"""


def _log_row(logs: ResourceLogs, scope_logs: ScopeLogs, record: LogRecord) -> tuple[Any, ...]:
    attributes = _pairs(logs.resource.attributes)
    return (
        _ticks(record.time_unix_nano or record.observed_time_unix_nano),
        _hex_of(record.trace_id, 16),
        _hex_of(record.span_id, 8),
        record.flags & 0xFF,
        record.severity_text,
        record.severity_number,
        dict(attributes).get("service.name", ""),
        _as_string(record.body),
        logs.schema_url,
        attributes,
        scope_logs.schema_url,
        scope_logs.scope.name,
        scope_logs.scope.version,
        _pairs(scope_logs.scope.attributes),
        _pairs(record.attributes),
        record.event_name,
    )


_LOG_COLUMNS = """
    toUnixTimestamp64Nano(Timestamp), TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body,
    ResourceSchemaUrl, arrayZip(mapKeys(ResourceAttributes), mapValues(ResourceAttributes)), ScopeSchemaUrl,
    ScopeName, ScopeVersion, arrayZip(mapKeys(ScopeAttributes), mapValues(ScopeAttributes)),
    arrayZip(mapKeys(LogAttributes), mapValues(LogAttributes)), EventName
"""

_numbers = itertools.count(1)
_examples = settings(
    max_examples=int(os.environ.get("HANSEI_TEST_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_examples
@given(request=_trace_requests)
def test_span_rows(request: ExportTraceServiceRequest, store_request: Callable[..., None], rows: Rows) -> None:
    """Every span becomes the row the exporter would write, whatever its fields hold."""
    expected = []
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                span.span_id = next(_numbers).to_bytes(8)
                expected.append(_span_row(resource.resource, scope.scope, span))
    store_request(TRACES, request)
    found = rows(
        f"SELECT {_SPAN_COLUMNS} FROM otel_traces WHERE SpanId IN {{ids:Array(String)}} ORDER BY SpanId",
        ids=[row[2] for row in expected],
    )
    assert found == expected


@_examples
@given(request=_log_requests)
def test_log_rows(request: ExportLogsServiceRequest, store_request: Callable[..., None], rows: Rows) -> None:
    """Every log record becomes the row the exporter would write, whatever its fields hold."""
    url = f"test:{next(_numbers)}"
    expected = []
    for resource in request.resource_logs:
        resource.schema_url = url
        for scope in resource.scope_logs:
            expected += [_log_row(resource, scope, record) for record in scope.log_records]
    store_request(LOGS, request)
    found = rows(f"SELECT {_LOG_COLUMNS} FROM otel_logs WHERE ResourceSchemaUrl = {{url:String}}", url=url)
    assert sorted(found, key=repr) == sorted(expected, key=repr)

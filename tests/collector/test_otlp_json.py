"""OTLP/HTTP in JSON: the same rows as in protobuf, and errors that name the place."""

import base64
import gzip
import http.client
import json
import math
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from hansei.collector.otlp_json import MOST_VALUES, to_protobuf
from hansei.collector.payload import Checker, MalformedPayload
from hansei.collector.signals import LOGS, TRACES, Signal

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
_IDS = {"traceId", "spanId", "parentSpanId"}


def otlp_json(message: Message) -> bytes:
    """A request as an exporter writes it: proto3's JSON with ids in hex and enumerations as integers."""
    content = json_format.MessageToDict(message, use_integers_for_enums=True)
    return json.dumps(_with_hex_ids(content)).encode()


def _with_hex_ids(content: Any) -> Any:
    if isinstance(content, list):
        return [_with_hex_ids(item) for item in content]
    if isinstance(content, dict):
        return {
            key: base64.b64decode(value).hex() if key in _IDS else _with_hex_ids(value)
            for key, value in content.items()
        }
    return content


# --- the same message ---

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
UINT64 = st.integers(0, 2**64 - 1)
SCALARS = st.one_of(
    st.builds(AnyValue, string_value=TEXT),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    # JSON has one NaN, of all there are.
    st.builds(AnyValue, double_value=st.floats().map(lambda number: math.nan if math.isnan(number) else number)),
    st.builds(AnyValue, bytes_value=st.binary(max_size=5)),
    st.just(AnyValue()),
)
VALUES = st.recursive(
    SCALARS,
    lambda values: st.one_of(
        st.builds(lambda inside: AnyValue(array_value=ArrayValue(values=inside)), st.lists(values, max_size=2)),
        st.builds(
            lambda inside: AnyValue(kvlist_value=KeyValueList(values=inside)),
            st.lists(st.builds(KeyValue, key=TEXT, value=values), max_size=2),
        ),
    ),
    max_leaves=4,
)
ATTRIBUTES = st.lists(st.builds(KeyValue, key=TEXT, value=VALUES), max_size=2)
IDS = st.sampled_from([b"", bytes(16), bytes(range(16)), bytes(range(1, 9)), b"\xff" * 16])


@st.composite
def trace_requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        resource = request.resource_spans.add(schema_url=draw(TEXT))
        resource.resource.attributes.extend(draw(ATTRIBUTES))
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = draw(TEXT), draw(TEXT)
        scope.scope.attributes.extend(draw(ATTRIBUTES))
        for _ in range(draw(st.integers(0, 2))):
            span = scope.spans.add(
                trace_id=draw(IDS), span_id=draw(IDS), parent_span_id=draw(IDS), trace_state=draw(TEXT),
                name=draw(TEXT), kind=draw(st.integers(0, 7)),
                start_time_unix_nano=draw(UINT64), end_time_unix_nano=draw(UINT64),
                flags=draw(st.integers(0, 2**32 - 1)), attributes=draw(ATTRIBUTES),
            )  # fmt: skip
            span.status.code, span.status.message = draw(st.integers(0, 3)), draw(TEXT)
            span.events.add(time_unix_nano=draw(UINT64), name=draw(TEXT), attributes=draw(ATTRIBUTES))
            span.links.add(trace_id=draw(IDS), span_id=draw(IDS), attributes=draw(ATTRIBUTES))
    return request


@st.composite
def log_requests(draw: st.DrawFn) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.extend(draw(ATTRIBUTES))
    for _ in range(draw(st.integers(0, 3))):
        resource.scope_logs.add().log_records.add(
            time_unix_nano=draw(UINT64), observed_time_unix_nano=draw(UINT64), severity_number=draw(st.integers(0, 24)),
            severity_text=draw(TEXT), body=draw(VALUES), attributes=draw(ATTRIBUTES), flags=draw(st.integers(0, 255)),
            trace_id=draw(IDS), span_id=draw(IDS), event_name=draw(TEXT),
        )  # fmt: skip
    return request


@given(request=trace_requests())
def test_traces_are_the_same_message(request: ExportTraceServiceRequest) -> None:
    """What is logged of a trace request in JSON is, byte for byte, what is logged of it in protobuf."""
    sent = request.SerializeToString()
    assert to_protobuf(TRACES, otlp_json(request)) == sent
    assert Checker(TRACES).check(to_protobuf(TRACES, otlp_json(request))) == Checker(TRACES).check(sent)


@given(request=log_requests())
def test_logs_are_the_same_message(request: ExportLogsServiceRequest) -> None:
    """What is logged of a log request in JSON is, byte for byte, what is logged of it in protobuf."""
    assert to_protobuf(LOGS, otlp_json(request)) == request.SerializeToString()


def span_of(**members: Any) -> dict[str, Any]:
    span = {"traceId": TRACE, "spanId": SPAN, **members}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def value_of(value: Any) -> AnyValue:
    """The value of an attribute that was sent as this JSON."""
    body = json.dumps(span_of(attributes=[{"key": "k", "value": value}])).encode()
    request = ExportTraceServiceRequest.FromString(to_protobuf(TRACES, body))
    return request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ({"intValue": "9223372036854775807"}, AnyValue(int_value=2**63 - 1)),
        ({"intValue": -5}, AnyValue(int_value=-5)),
        ({"intValue": 7.0}, AnyValue(int_value=7)),
        ({"intValue": "0"}, AnyValue(int_value=0)),
        ({"doubleValue": 1}, AnyValue(double_value=1.0)),
        ({"doubleValue": "-1.5e3"}, AnyValue(double_value=-1500.0)),
        ({"doubleValue": "-Infinity"}, AnyValue(double_value=-math.inf)),
        ({"bytesValue": "AP8="}, AnyValue(bytes_value=b"\x00\xff")),
        ({"bytesValue": "_-8"}, AnyValue(bytes_value=b"\xff\xef")),
        ({"stringValue": "caf\u00e9 \ud83d"}, AnyValue(string_value="café \ufffd")),
        ({"stringValue": None, "boolValue": False}, AnyValue(bool_value=False)),
        ({"string_value": "snake"}, AnyValue()),
        ({"newValue": {"deep": [1]}}, AnyValue()),
        ({"arrayValue": {}}, AnyValue(array_value=ArrayValue())),
        ({"kvlistValue": {"values": [{"key": "a"}]}}, AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="a")]))),
    ],
    ids=str,
)
def test_values(sent: dict[str, Any], value: AnyValue) -> None:
    """Numbers come as strings or numbers, bytes in either base64; half a character becomes U+FFFD; what is not known is
    passed over."""
    assert value_of(sent) == value


def test_ids_in_any_case() -> None:
    """Ids are hexadecimal in upper or lower case."""
    upper = json.dumps(span_of(traceId=TRACE.upper(), spanId=SPAN.upper())).encode()
    assert to_protobuf(TRACES, upper) == to_protobuf(TRACES, json.dumps(span_of()).encode())


# --- what is refused ---

AT = "resourceSpans[0].scopeSpans[0].spans[0]"
HEX = "is not hexadecimal; OTLP's JSON has ids in hex, not base64"
WRONG: dict[str, tuple[Any, str]] = {
    "an id that is not hex": (span_of(traceId="xyz"), f"{AT}.traceId: 'xyz' {HEX}"),
    "an id in base64": (span_of(spanId="7uGbfsPBsXQ="), f"{AT}.spanId: '7uGbfsPBsXQ=' {HEX}"),
    "an id with spaces": (span_of(spanId="ee e1"), f"{AT}.spanId: 'ee e1' {HEX}"),
    "an id that is a number": (span_of(traceId=5), f"{AT}.traceId: 5 is not a string"),
    "the name of an enumeration": (
        span_of(kind="SPAN_KIND_CLIENT"),
        f"{AT}.kind: 'SPAN_KIND_CLIENT' is not a number; OTLP's JSON has enumerations as integers",
    ),
    "too large an enumeration": (span_of(kind=2**40), f"{AT}.kind: 1099511627776 is out of range"),
    "a negative time": (span_of(startTimeUnixNano="-1"), f"{AT}.startTimeUnixNano: '-1' is out of range"),
    "a time of 30 digits": (
        span_of(endTimeUnixNano="1" * 30), f"{AT}.endTimeUnixNano: '{'1' * 30}' is out of range",
    ),
    "a time with a fraction": (span_of(endTimeUnixNano=1.5), f"{AT}.endTimeUnixNano: 1.5 is not a whole number"),
    "a time in words": (span_of(endTimeUnixNano="now"), f"{AT}.endTimeUnixNano: 'now' is not a whole number"),
    "a number for a text": (span_of(name=7), f"{AT}.name: 7 is not a string"),
    "a text for a flag": (
        span_of(attributes=[{"value": {"boolValue": "true"}}]),
        f"{AT}.attributes[0].value.boolValue: 'true' is not true or false",
    ),
    "a text for a double": (
        span_of(events=[{}, {"attributes": [{"value": {"doubleValue": "1_0"}}]}]),
        f"{AT}.events[1].attributes[0].value.doubleValue: '1_0' is not a number",
    ),
    "two values in one": (
        span_of(attributes=[{"value": {"intValue": 1, "boolValue": True}}]),
        f"{AT}.attributes[0].value: has both intValue and boolValue; one value is one of them",
    ),
    "bytes that are not base64": (
        span_of(attributes=[{"value": {"bytesValue": "a b"}}]),
        f"{AT}.attributes[0].value.bytesValue: 'a b' is not base64",
    ),
    "an object for an array": ({"resourceSpans": {}}, "resourceSpans: is an object, not an array"),
    "an array for an object": ({"resourceSpans": [[]]}, "resourceSpans[0]: is an array, not an object"),
    "an array": ([], "the body is an array, not an object"),
    "null": (None, "the body is null, not an object"),
    "a long value": (span_of(traceId="x" * 99), f"{AT}.traceId: '{'x' * 39}… {HEX}"),
}  # fmt: skip


def refusal(body: bytes, signal: Signal = TRACES) -> str:
    with pytest.raises(MalformedPayload) as caught:
        to_protobuf(signal, body)
    return str(caught.value)


@pytest.mark.parametrize("what", WRONG)
def test_the_place_is_named(what: str) -> None:
    """What cannot be read is named with its place, its value and what is wrong with it."""
    content, said = WRONG[what]
    assert refusal(json.dumps(content).encode()) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is not JSON (Expecting value: line 1 column 1 (char 0))"),
        (b'{"resourceSpans": [', "the body is not JSON (Expecting value: line 1 column 20 (char 19))"),
        (b'{"a": NaN}', "the body is not JSON (NaN is not a JSON value)"),
        (b'"\xff"', "the body is not JSON ('utf-8' codec can't decode byte 0xff in position 1: invalid start byte)"),
        (b'{"a": ' + b"1" * 5000 + b"}", "the body is not JSON (Exceeds the limit (4300 digits) for integer string "
         "conversion: value has 5000 digits)"),
        (b"[" * 100_000, "the body is nested too deep"),
        (b'{"a":' * 100_000, "the body is nested too deep"),
        (b"[" + b"0," * MOST_VALUES + b"0]",
         "the body has more than 4000000 commas and brackets; send fewer items at a time, or protobuf"),
    ],
    ids=["nothing", "cut", "NaN", "not UTF-8", "5000 digits", "arrays", "objects", "many values"],
)  # fmt: skip
def test_what_is_no_json(body: bytes, said: str) -> None:
    """A body that is not JSON, or is a bomb, is refused in one line."""
    assert refusal(body) == said


@pytest.mark.parametrize(("depth", "taken"), [(47, True), (48, False), (90, False)])
def test_depth_of_values(depth: int, taken: bool) -> None:
    """Values may be nested as deep as in protobuf."""
    value: Any = {}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    body = json.dumps(span_of(attributes=[{"key": "k", "value": value}])).encode()
    if taken:
        Checker(TRACES).check(to_protobuf(TRACES, body))
    else:
        assert refusal(body).endswith(": is nested more than 100 deep")


@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda values: st.one_of(
        st.lists(values, max_size=3),
        st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "kind", "attributes", "key", "value",
                             "intValue", "events", "timeUnixNano", "status", "code", "arrayValue", "values"]),
            values, max_size=4,
        ),
    ),
))  # fmt: skip
def test_any_json(content: Any) -> None:
    """Any JSON is a request or refused in one line."""
    try:
        payload = to_protobuf(TRACES, json.dumps(content).encode())
    except MalformedPayload as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        Checker(TRACES).check(payload)


# --- over HTTP ---


class Sent:
    """An answer over HTTP."""

    def __init__(self, collecting: Any, body: bytes, path: str = "/v1/traces", **headers: str) -> None:
        address = collecting.addresses["http"]
        with closing(http.client.HTTPConnection(address.host, address.port, timeout=60)) as connection:
            sent = {"Content-Type": "application/json", **{key.replace("_", "-"): v for key, v in headers.items()}}
            connection.request("POST", path, body, sent)
            response = connection.getresponse()
            self.status, self.content = response.status, json.loads(response.read())
            self.type, self.retry_after = response.headers["Content-Type"], response.headers["Retry-After"]


def test_stored_rows(
    shared_collecting: Any,
    some_spans: Callable[..., ExportTraceServiceRequest],
    rows: Callable[..., list[tuple[Any, ...]]],
) -> None:
    """JSON, plain or gzip, is answered in JSON, and stored as the same rows as protobuf."""
    columns = "* EXCEPT TraceId"
    found = []
    values = [
        KeyValue(key="a", value=AnyValue(double_value=0.1)),
        KeyValue(key="b", value=AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="c")]))),
    ]
    for way in ("protobuf", "json", "gzip"):
        request = some_spans(
            2, span_id=b"12345678", kind=3, attributes=values, start_time_unix_nano=1_700_000_000_000_000_001
        )
        if way == "protobuf":
            assert shared_collecting.clients["http"].export(request.SerializeToString()).code == "OK"
        else:
            body = otlp_json(request)
            encoding = {"Content_Encoding": "gzip"} if way == "gzip" else {}
            answer = Sent(shared_collecting, gzip.compress(body) if way == "gzip" else body, **encoding)
            assert (answer.status, answer.type, answer.content) == (200, "application/json", {})
        shared_collecting.wait_stored()
        trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
        found.append(rows(f"SELECT {columns} FROM otel_traces WHERE TraceId = {{id:String}}", id=trace_id))
    assert len(found[0]) == 2
    assert found[0] == found[1] == found[2]


def test_partial_success(shared_collecting: Any, some_spans: Callable[..., ExportTraceServiceRequest]) -> None:
    """Spans whose ids have a wrong length are dropped and counted in JSON, the number as a string."""
    request = some_spans(2)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b"short"
    answer = Sent(shared_collecting, otlp_json(request), Content_Type="application/json; charset=utf-8")
    message = "1 of 2 spans were dropped: a trace_id must be 16 bytes, a span_id 8 bytes, and neither all zeros"
    assert answer.content == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": message}}


def test_errors_in_json(shared_collecting: Any, start_collecting: Callable[..., Any]) -> None:
    """A failure of a request in JSON is a google.rpc.Status in JSON, and counted as others are."""
    labels = {"signal": "logs", "transport": "http", "reason": "malformed"}
    before = shared_collecting.counted("hansei_refused_requests_total", **labels)
    answer = Sent(shared_collecting, b'{"resourceLogs": 1}', "/v1/logs")
    assert (answer.status, answer.type) == (400, "application/json")
    assert answer.content == {"code": 3, "message": "resourceLogs: is 1, not an array"}
    assert shared_collecting.counted("hansei_refused_requests_total", **labels) == before + 1
    metrics = Sent(shared_collecting, b"{}", "/v1/metrics")
    assert (metrics.status, metrics.content["code"]) == (404, 12)
    small = start_collecting(max_request_bytes=100, api_key="k")
    assert Sent(small, b" " * 101, Authorization="Bearer k").status == 413
    assert Sent(small, b"{}").content["code"] == 16

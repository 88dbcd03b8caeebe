"""The check of a request: what may be logged goes through as it came, what may not is named and counted."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hansei.collector.payload import Checked, Checker, MalformedPayload
from hansei.collector.signals import LOGS, SIGNALS, TRACES, Signal

TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))


def spans(*made: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(made)
    return request


def check(request: Any, signal: Signal = TRACES) -> Checked:
    return Checker(signal).check(request.SerializeToString())


def nested(value: AnyValue) -> Span:
    return Span(trace_id=TRACE, span_id=SPAN, attributes=[KeyValue(key="k", value=value)])


# --- what is accepted ---


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
@pytest.mark.parametrize("payload", [b"", b"\x0a\x00", b"\x0a\x02\x12\x00"], ids=["nothing", "resource", "scope"])
def test_empty_requests(signal: Signal, payload: bytes) -> None:
    """A request without items is accepted with nothing in it, and answered with nothing."""
    checker = Checker(signal)
    checked = checker.check(payload)
    assert checked == Checked(payload, 0, 0)
    assert checker.response(checked) == b""


def test_plain_requests_are_not_touched() -> None:
    """A request of scalars and arrays of scalars is logged byte for byte, unknown fields included."""
    request = spans(nested(AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue()]))))
    payload = request.SerializeToString() + b"\xc2\x3e\x03new"
    assert Checker(TRACES).check(payload) == Checked(payload, 1, 0)


NESTED = {
    "map": AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="a", value=AnyValue(int_value=1))])),
    "empty map": AnyValue(kvlist_value=KeyValueList()),
    "bytes": AnyValue(bytes_value=b"\x00\xff"),
    "empty bytes": AnyValue(bytes_value=b""),
    "array of arrays": AnyValue(array_value=ArrayValue(values=[AnyValue(array_value=ArrayValue())])),
    "array of maps": AnyValue(array_value=ArrayValue(values=[AnyValue(kvlist_value=KeyValueList())])),
    "array of bytes": AnyValue(array_value=ArrayValue(values=[AnyValue(bytes_value=b"x")])),
    "array of empty bytes": AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(bytes_value=b"")])),
}
TEXTS = {
    "map": '{"a":1}',
    "empty map": "{}",
    "bytes": "AP8=",
    "empty bytes": "",
    "array of arrays": "[[]]",
    "array of maps": "[{}]",
    "array of bytes": '["eA=="]',
    "array of empty bytes": '[1,""]',
}


@pytest.mark.parametrize("kind", NESTED)
def test_nested_span_values_become_text(kind: str) -> None:
    """A nested value becomes its text wherever a trace request holds attributes."""

    def request(value: AnyValue) -> ExportTraceServiceRequest:
        pair = KeyValue(key="k", value=value)
        plain = KeyValue(key="p", value=AnyValue(double_value=0.0))
        made = ExportTraceServiceRequest()
        resource = made.resource_spans.add()
        resource.resource.attributes.extend([plain, pair])
        scope = resource.scope_spans.add()
        scope.scope.attributes.append(pair)
        span = scope.spans.add(trace_id=TRACE, span_id=SPAN, attributes=[pair, plain])
        span.events.add(name="e", attributes=[pair])
        span.links.add(attributes=[plain, pair])
        return made

    checked = check(request(NESTED[kind]))
    assert ExportTraceServiceRequest.FromString(checked.payload) == request(AnyValue(string_value=TEXTS[kind]))
    assert (checked.accepted, checked.rejected) == (1, 0)


@pytest.mark.parametrize("place", ["resource", "scope", "span", "event", "link"])
def test_one_nested_value_is_found_anywhere(place: str) -> None:
    """One map among plain values is found in each place that has attributes, in any of many items."""
    request = ExportTraceServiceRequest()
    for _ in range(3):
        resource = request.resource_spans.add()
        scope = resource.scope_spans.add()
        for _ in range(3):
            span = scope.spans.add(trace_id=TRACE, span_id=SPAN)
            event, link = span.events.add(), span.links.add()
            for attributes in (span.attributes, event.attributes, link.attributes):
                attributes.add(key="p").value.string_value = "plain"
    resource = request.resource_spans[1]
    span = resource.scope_spans[0].spans[1]
    holder = {
        "resource": resource.resource,
        "scope": resource.scope_spans[0].scope,
        "span": span,
        "event": span.events[0],
        "link": span.links[0],
    }[place]
    value = holder.attributes.add(key="k").value
    value.CopyFrom(NESTED["map"])
    checked = check(request)
    value.string_value = TEXTS["map"]
    assert ExportTraceServiceRequest.FromString(checked.payload) == request


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("place", ["resource", "scope", "attributes", "body"])
def test_nested_log_values_become_text(kind: str, place: str) -> None:
    """A nested value becomes its text in a log record's body and wherever attributes are."""

    def request(value: AnyValue) -> ExportLogsServiceRequest:
        made = ExportLogsServiceRequest()
        resource = made.resource_logs.add()
        scope = resource.scope_logs.add()
        record = scope.log_records.add(body=value if place == "body" else AnyValue(string_value="b"))
        scope.log_records.add(body=AnyValue(int_value=7))
        holders = {"resource": resource.resource, "scope": scope.scope, "attributes": record}
        if place in holders:
            holders[place].attributes.add(key="k", value=value)
        return made

    checked = check(request(NESTED[kind]), LOGS)
    assert ExportLogsServiceRequest.FromString(checked.payload) == request(AnyValue(string_value=TEXTS[kind]))
    assert (checked.accepted, checked.rejected) == (2, 0)


# --- ids ---

GOOD = Span(trace_id=TRACE, span_id=SPAN, name="good")
BAD = {
    "no ids": Span(),
    "no trace id": Span(span_id=SPAN),
    "no span id": Span(trace_id=TRACE),
    "zero trace id": Span(trace_id=bytes(16), span_id=SPAN),
    "zero span id": Span(trace_id=TRACE, span_id=bytes(8)),
    "short trace id": Span(trace_id=TRACE[:15], span_id=SPAN),
    "long trace id": Span(trace_id=TRACE + b"x", span_id=SPAN),
    "short span id": Span(trace_id=TRACE, span_id=SPAN[:7]),
    "long span id": Span(trace_id=TRACE, span_id=SPAN + b"x"),
    "swapped ids": Span(trace_id=SPAN, span_id=TRACE),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_ids_are_dropped(bad: str) -> None:
    """A span with a bad id is dropped and counted; its neighbours stay, in order."""
    after = Span(trace_id=TRACE, span_id=b"12345678", name="after")
    checker = Checker(TRACES)
    checked = checker.check(spans(GOOD, BAD[bad], after).SerializeToString())
    assert checked == Checked(spans(GOOD, after).SerializeToString(), 2, 1)
    answer = ExportTraceServiceResponse.FromString(checker.response(checked))
    assert answer.partial_success.rejected_spans == 1
    assert answer.partial_success.error_message == (
        "1 of 3 spans were dropped: a trace_id must be 16 bytes, a span_id 8 bytes, and neither all zeros"
    )


def test_only_bad_ids() -> None:
    """A request of bad spans alone leaves nothing to log."""
    checked = check(spans(*BAD.values()))
    assert (checked.accepted, checked.rejected) == (0, len(BAD))


def test_ids_of_parents_and_links_may_be_anything() -> None:
    """Only a span's own ids decide."""
    span = Span(trace_id=TRACE, span_id=SPAN, parent_span_id=b"odd", links=[Span.Link(trace_id=b"x", span_id=bytes(8))])
    request = spans(span, GOOD)
    assert check(request) == Checked(request.SerializeToString(), 2, 0)


def test_logs_need_no_ids() -> None:
    """A log record without ids, or with odd ones, is taken."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(trace_id=b"odd")
    records.add()
    assert check(request, LOGS) == Checked(request.SerializeToString(), 2, 0)


# --- what is malformed ---


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
@given(payload=st.binary(max_size=200))
def test_any_bytes(signal: Signal, payload: bytes) -> None:
    """Any bytes are either a request or malformed, as Google's parser of the whole message judges."""
    try:
        signal.request.FromString(payload)
        valid = True
    except Exception:
        valid = False
    try:
        Checker(signal).check(payload)
    except MalformedPayload:
        assert not valid
    else:
        assert valid


@given(data=st.data())
def test_cut_or_changed_requests(data: st.DataObject) -> None:
    """A real request that was cut or changed in transit is judged as Google's parser judges it."""
    request = spans(GOOD, nested(NESTED["map"]), nested(AnyValue(string_value="é")))
    payload = bytearray(request.SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(payload[: data.draw(st.integers(0, len(payload)))])
    try:
        items = sum(
            len(scope.spans)
            for resource in ExportTraceServiceRequest.FromString(changed).resource_spans
            for scope in resource.scope_spans
        )
    except Exception:
        with pytest.raises(MalformedPayload):
            Checker(TRACES).check(changed)
    else:
        checked = Checker(TRACES).check(changed)
        assert checked.accepted + checked.rejected == items


MALFORMED: dict[str, Callable[[], bytes]] = {
    "a truncated request": lambda: spans(GOOD).SerializeToString()[:-1],
    "JSON": lambda: b'{"resourceSpans": []}',
    "text that is not UTF-8": lambda: spans(Span(name="x")).SerializeToString().replace(b"x", b"\xff"),
    "an attribute key that is not UTF-8": lambda: (
        spans(nested(AnyValue(int_value=1))).SerializeToString().replace(b"\x0a\x01k", b"\x0a\x01\xc0")
    ),
    "values nested a thousand deep": lambda: _deep(1000),
}


def _deep(depth: int) -> bytes:
    """A request whose span has arrays in arrays."""
    value = b""
    for _ in range(depth):
        value = _delimited(5, _delimited(1, value))
    span = Span(trace_id=TRACE, span_id=SPAN).SerializeToString() + _delimited(9, b"\x0a\x01k" + _delimited(2, value))
    return _delimited(1, _delimited(2, _delimited(2, span)))


def _delimited(number: int, value: bytes) -> bytes:
    size, length = len(value), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + value


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed(what: str) -> None:
    """What is no request is refused in words that name the message it should have been."""
    with pytest.raises(
        MalformedPayload,
        match=r"^the body is not a serialised opentelemetry\.proto\.collector\.trace\.v1\.ExportTraceServiceRequest \(",
    ):
        Checker(TRACES).check(MALFORMED[what]())


def test_too_many_items() -> None:
    """More items than an insert could hold are refused, however small they are."""
    payload = spans(*[Span(trace_id=TRACE, span_id=SPAN)] * 500_000).SerializeToString()
    assert Checker(TRACES).check(payload).accepted == 500_000
    more = spans(Span()).SerializeToString()
    with pytest.raises(MalformedPayload, match="the request has 500001 spans; at most 500000 are taken at a time"):
        Checker(TRACES).check(payload + more)


def test_deep_values() -> None:
    """A value nested nearly as deep as the parser allows becomes text."""
    checked = Checker(TRACES).check(_deep(40))
    (span,) = ExportTraceServiceRequest.FromString(checked.payload).resource_spans[0].scope_spans[0].spans
    assert span.attributes[0].value.string_value == "[" * 40 + "null" + "]" * 40

"""Redaction: what looks personal or secret is gone before anything is written, and nothing else changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hansei.collector.errors import ConfigurationError
from hansei.collector.payload import Checked, Checker
from hansei.collector.redaction import BUILT_IN, KEPT, Redaction, parse_redact
from hansei.collector.settings import Settings
from hansei.collector.signals import LOGS, TRACES

ALL = tuple(pattern.name for pattern in BUILT_IN)
CARD, IBAN = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"
PRIVATE = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0abc.c2lnbmF0dXJl"


def redacted(text: str, *wanted: str) -> str:
    return Redaction(wanted or ALL).text(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to ana.smith+x@mail.example.co.uk.", "write to [redacted:email]."),
        ("ÄÖ@bücher.example, <a@b.io>", "[redacted:email], <[redacted:email]>"),
        ("call +49 30 1234567 or (415) 555-0132 now", "call [redacted:phone] or [redacted:phone] now"),
        ("1-415-555-0132, 415.555.0132, 030/123 45 67", "[redacted:phone], [redacted:phone], [redacted:phone]"),
        (f"card {CARD}!", "card [redacted:credit_card]!"),
        ("378282246310005 5555-5555-5555-4444", "[redacted:credit_card] [redacted:credit_card]"),
        (f"pay to {IBAN} today", "pay to [redacted:iban] today"),
        ("from 192.168.0.255:80", "from [redacted:ip_address]:80"),
        ("key sk-proj-abcdefghij0123456789XYZ", "key [redacted:api_key]"),
        ("AKIAIOSFODNN7EXAMPLE ghp_" + "a" * 36, "[redacted:api_key] [redacted:api_key]"),
        (f"Bearer {TOKEN}, and\n{PRIVATE}\nend", "Bearer [redacted:api_key], and\n[redacted:api_key]\nend"),
    ],
)
def test_what_is_found(text: str, found: str) -> None:
    """Each built-in pattern finds what it is named for."""
    assert redacted(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "plain", "a @ b, @home, x@y", "2025-04-14T12:00:00.123Z", "1700000000000", "1700000000000000000",
        "4111 1111 1111 1112", "f4f8b1e2-4111-1111-8111-111111111111", "0af7651916cd43dd8448eb211c80319c",
        "DE88 3704 0044 0532 0130 00", "version 1.2.3", "1.2.3.4.5", "300.1.1.1", "gpt-4o-mini-2024-07-18", "sk-short",
        "risk-assessment-of-the-whole-thing", "in 2024 2025 2026", "tokens: 123456789", "call 911", '{"a": [1.5e3]}',
    ],
)  # fmt: skip
def test_what_is_left(text: str) -> None:
    """Dates, versions, ids, counts and numbers with wrong check digits are left alone."""
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"to": "a@b.io", "n": 1.50}', '{"to": "[redacted:email]", "n": 1.50}'),
        ('["x\\na@b.io"]', '["x\\n[redacted:email]"]'),
        ('["a\\u0040b.io \\u00e9"]', '["[redacted:email] \\u00e9"]'),
        ('["é a@b.io"]', '["é [redacted:email]"]'),
        ('{"card": 4111111111111111, "at": 1700000000000}', '{"card": "[redacted:credit_card]", "at": 1700000000000}'),
        ('{"a@b.io": null}', '{"[redacted:email]": null}'),
        (
            json.dumps({"arguments": json.dumps({"to": "a@b.io"})}),
            '{"arguments": "{\\"to\\": \\"[redacted:email]\\"}"}',
        ),
        ('"a@b.io"', '"[redacted:email]"'),
        ("[not json a@b.io", "[not json [redacted:email]"),
        ("[" * 5000 + "a@b.io", "[" * 5000 + "[redacted:email]"),
    ],
)
def test_json_stays_json(text: str, found: str) -> None:
    """In JSON, strings are searched as what they mean, and in JSON in them again; the rest stays as it is written."""
    assert redacted(text, "email", "credit_card") == found


def test_own_expressions() -> None:
    """Expressions of one's own are Python's, and see a text from its beginning to its end."""
    assert redacted("EMP-1234 and emp-1", r"regex:(?i)emp-\d+") == "[redacted:regex] and [redacted:regex]"
    assert redacted('["EMP-1", "an EMP-1"]', r"regex:^EMP-\d") == '["[redacted:regex]", "an EMP-1"]'
    assert redacted("x redacted y", "regex:redacted") == "x [redacted:regex] y"


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(["a@b.io", CARD, "+4930123456", IBAN, "1.2.3.4", "[redacted:email]", '"', "{", "[", "]", "}",
                         ":", ",", "\\", "\\u0040", "4111111111111111", " ", "b", "1"]),
        st.text(max_size=3),
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(text=st.one_of(TEXTS, TEXTS.map(json.dumps), TEXTS.map(lambda text: json.dumps([{text: json.dumps(text)}]))))
def test_twice_is_as_once(text: str) -> None:
    """What has been redacted has nothing more to redact; an object, an array or a string of JSON stays JSON."""
    for wanted in (ALL, ("email", "regex:[b1]", r"regex:^\W"), (r"regex:.\]|\[.",)):
        redaction = Redaction(wanted)
        once = redaction.text(text)
        assert redaction.text(once) == once
        if text.lstrip().startswith(("{", "[", '"')) and _is_json(text):
            assert _is_json(once)


NEVER = r"regex:(?!)x"
"""It finds nothing, and lets every text be searched: of an expression of one's own nothing is known before."""


@given(text=st.one_of(TEXTS, TEXTS.map(json.dumps), st.sampled_from([
    "\\u0061@b.io", "[\"\\u002b4930123456\"]", "[\"030\\/1234567\"]", "(415) 555-0132", "415-555-0132", PRIVATE,
    TOKEN, CARD,
])))  # fmt: skip
def test_quick_looks_miss_nothing(text: str) -> None:
    """What tells quickly that there is nothing to redact is right, of a text and of a request."""
    for wanted in (ALL, *((name,) for name in ALL)):
        quick, slow = Redaction(wanted), Redaction((*wanted, NEVER))
        assert quick.text(text) == slow.text(text)
        request = ExportTraceServiceRequest()
        request.resource_spans.add().resource.attributes.append(attribute("k", string_value=text))
        assert quick.may_change(request.SerializeToString()) or slow.text(text) == text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


# --- requests ---


def attribute(key: str, **kind: Any) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**kind))


def trace_request(mail: str, card: AnyValue, text: str) -> ExportTraceServiceRequest:
    """A request with an address wherever texts are."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(attribute("owner", string_value=mail))
    scope = resource.scope_spans.add()
    scope.scope.attributes.append(attribute("owner", string_value=mail))
    span = scope.spans.add(
        trace_id=b"4111111111111111", span_id=b"aaa@b.io", parent_span_id=b"bbb@c.io", name=f"send {mail}",
        start_time_unix_nano=4111111111111111, end_time_unix_nano=4111111111111112,
    )  # fmt: skip
    span.status.message = f"no {mail}"
    span.attributes.extend([
        attribute("text", string_value=text),
        KeyValue(key="card", value=card),
        attribute("count", int_value=4111111111111112),
        attribute("ratio", double_value=4111111111111111.0),
        attribute("list", array_value=ArrayValue(values=[AnyValue(string_value=mail), AnyValue(int_value=1)])),
        attribute("gen_ai.conversation.id", string_value="kept@b.io"),
    ])  # fmt: skip
    span.events.add(name=f"e {mail}", time_unix_nano=5, attributes=[attribute("to", string_value=mail)])
    span.links.add(attributes=[attribute("to", string_value=mail)])
    return request


def test_a_trace_request() -> None:
    """Texts are redacted wherever a trace request has them; ids, times, other numbers and joining ids stay."""
    given_, wanted = (
        trace_request("a@b.io", AnyValue(int_value=4111111111111111), '{"to":"a@b.io"}'),
        trace_request("[redacted:email]", AnyValue(string_value="[redacted:credit_card]"), '{"to":"[redacted:email]"}'),
    )
    checked = Checker(TRACES, Redaction(("email", "credit_card"))).check(given_.SerializeToString())
    assert ExportTraceServiceRequest.FromString(checked.payload) == wanted
    assert (checked.accepted, checked.rejected) == (1, 0)


def test_a_log_request() -> None:
    """Bodies and attributes of log records are redacted, maps in them too: comments and corrections are log records."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(event_name="e", trace_id=b"aaa@b.io" * 2)
    record.body.CopyFrom(AnyValue(kvlist_value=KeyValueList(values=[attribute("to", string_value="a@b.io")])))
    record.attributes.append(attribute("gen_ai.evaluation.explanation", string_value="ask a@b.io"))
    record.attributes.extend(attribute(key, string_value="kept@b.io") for key in sorted(KEPT))
    checked = Checker(LOGS, Redaction(("email",))).check(request.SerializeToString())
    record.body.CopyFrom(AnyValue(string_value='{"to":"[redacted:email]"}'))
    record.attributes[0].value.string_value = "ask [redacted:email]"
    assert ExportLogsServiceRequest.FromString(checked.payload) == request


def test_nothing_to_redact() -> None:
    """A request with nothing in it to redact is logged byte for byte; dropped spans are still counted."""
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="plain", attributes=[attribute("a", string_value="b")])
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend([span])
    payload = request.SerializeToString() + b"\xc2\x3e\x03new"
    checker = Checker(TRACES, Redaction(("email", "api_key")))
    assert checker.check(payload) == Checked(payload, 1, 0)
    request.resource_spans[0].scope_spans[0].spans.add(name="a@b.io")
    assert checker.check(request.SerializeToString()).rejected == 1


VALUES = st.one_of(
    st.builds(AnyValue, string_value=TEXTS.filter(lambda text: text.isprintable())),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.just(AnyValue(int_value=4111111111111111)),
    st.builds(lambda text: AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=text)])), st.just("a@b.io")),
    st.builds(lambda text: AnyValue(kvlist_value=KeyValueList(values=[attribute(text, string_value=text)])), TEXTS),
)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**64 - 1), st.lists(VALUES, max_size=3))
def test_any_request(trace_id: bytes, at: int, values: list[AnyValue]) -> None:
    """A request stays one; its ids, times and keys stay; redacted again it is the same."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=trace_id[:-1] + b"\1", span_id=b"a@b.io!!", start_time_unix_nano=at, end_time_unix_nano=at,
        attributes=[KeyValue(key="a@b.io", value=value) for value in values],
    )  # fmt: skip
    checker = Checker(TRACES, Redaction((*ALL, r"regex:[b-d]\d?")))
    once = checker.check(request.SerializeToString())
    (found,) = ExportTraceServiceRequest.FromString(once.payload).resource_spans[0].scope_spans[0].spans
    assert (found.trace_id, found.span_id, found.start_time_unix_nano, found.end_time_unix_nano) == (
        span.trace_id, span.span_id, at, at,
    )  # fmt: skip
    assert [pair.key for pair in found.attributes] == ["a@b.io"] * len(values)
    assert checker.check(once.payload) == once


# --- settings ---


def test_how_it_is_set(tmp_path: Path) -> None:
    """Patterns are named with commas between them, or in a list, where expressions may have commas."""
    assert parse_redact("redact", " email, phone,,email") == ("email", "phone")
    assert parse_redact("redact", r"regex:\d{2,3}") == (r"regex:\d{2,3}",)
    assert parse_redact("redact", "email\nregex:a,b\n") == ("email", "regex:a,b")
    config = tmp_path / "hansei.toml"
    config.write_text(r"""redact = ["email", 'regex:\bE\d{4,6}\b']""")
    assert Settings.load({}, {}, config).redact == ("email", r"regex:\bE\d{4,6}\b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("email,fax", "redact: there is no pattern 'fax'; there are email, credit_card, iban, phone, ip_address, "
         "api_key, and regex:EXPRESSION"),
        ("regex:a(", "redact: 'regex:a(' is not a regular expression of Python: missing ), unterminated subpattern at "
         "position 1"),
        ("regex:a*", "redact: 'regex:a*' fits the empty text, and so every text; make it need a character"),
    ],
)  # fmt: skip
def test_bad_patterns(text: str, said: str) -> None:
    """A pattern that cannot be used is told at the start, in one line."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load({"redact": text}, {})
    assert str(caught.value) == said


def test_nothing_reaches_the_disk(serve: Callable[..., Any], clients: Any, tmp_path: Path) -> None:
    """With redaction on, no address reaches the write-ahead log or the tables."""
    serving = serve("--redact=email", "--segment-age=2s")
    request = trace_request("nobody@reads.example", AnyValue(), "nobody@reads.example")
    assert clients["http"](serving.http).export(request.SerializeToString()).code == "OK"
    logged = b"".join(path.read_bytes() for path in (serving.data / "wal").rglob("*") if path.is_file())
    assert (b"nobody@reads" in logged, b"[redacted:email]" in logged) == (False, True)
    serving.end()
    stored = b"".join(path.read_bytes() for path in serving.data.rglob("*") if path.is_file())
    assert b"nobody@reads" not in stored

"""Nested values as the OpenTelemetry Collector's ClickHouse exporter writes them, by examples worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from hansei.collector.rendering import flatten, number_text, value_text


def array(*values: AnyValue) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=values))


def mapping(**values: AnyValue) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=key, value=value) for key, value in values.items()]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1.25e-6, "0.00000125"),
        (9.99e-7, "9.99e-7"),
        (1e-7, "1e-7"),
        (1e20, "100000000000000000000"),
        (1.5e20, "150000000000000000000"),
        (1e21, "1e+21"),
        (-1.25e21, "-1.25e+21"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740993.0, "9007199254740992"),
        (0.30000000000000004, "0.30000000000000004"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    """A double reads as JavaScript prints it."""
    assert number_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_exact(value: float) -> None:
    """A double's text reads back as the same double."""
    assert float(number_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (AnyValue(), ""),
        (AnyValue(string_value="a<b"), "a<b"),
        (AnyValue(bool_value=False), "false"),
        (AnyValue(int_value=-(2**63)), "-9223372036854775808"),
        (AnyValue(double_value=float("nan")), "json: unsupported value: NaN"),
        (AnyValue(double_value=float("inf")), "json: unsupported value: +Inf"),
        (AnyValue(double_value=float("-inf")), "json: unsupported value: -Inf"),
        (AnyValue(bytes_value=b"\x00\xffk"), "AP9r"),
        (array(), "[]"),
        (array(AnyValue(), AnyValue(bool_value=True), AnyValue(double_value=1e21)), "[null,true,1e+21]"),
        (array(AnyValue(double_value=float("nan"))), ""),
        (mapping(deep=array(mapping(x=AnyValue(double_value=float("inf"))))), ""),
        (mapping(b=AnyValue(int_value=1), a=array(AnyValue(bytes_value=b"x"))), '{"a":["eA=="],"b":1}'),
        (mapping(a=AnyValue(), B=AnyValue()), '{"B":null,"a":null}'),
        (array(AnyValue(string_value='"\\\b\f\n\r\t')), r'["\"\\\b\f\n\r\t"]'),
        (array(AnyValue(string_value="<>&\u2028\u2029")), r'["\u003c\u003e\u0026\u2028\u2029"]'),
        (array(AnyValue(string_value="/é😀\x7f\x00\x1f")), '["/é😀\x7f\\u0000\\u001f"]'),
    ],
)  # fmt: skip
def test_values(value: AnyValue, text: str) -> None:
    """A value of each kind, and what is strange about it, has the exporter's text."""
    assert value_text(value) == text


def test_repeated_keys_in_a_map() -> None:
    """Of a key that is given twice in a map, the last value counts, as in Go."""
    pairs = [KeyValue(key="k", value=AnyValue(int_value=n)) for n in (1, 2)]
    assert value_text(AnyValue(kvlist_value=KeyValueList(values=pairs))) == '{"k":2}'


def test_flatten_leaves_plain_values() -> None:
    """What the engine renders itself is left as it is."""
    for value in (AnyValue(), AnyValue(int_value=1), array(), array(AnyValue(), AnyValue(double_value=0.5))):
        before = AnyValue.FromString(value.SerializeToString())
        flatten(value)
        assert value == before

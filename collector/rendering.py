"""Nested attribute values as text, the way the OpenTelemetry Collector's ClickHouse exporter writes them.

Source: ``pcommon.Value.AsString`` of the Collector's pdata module: maps and slices become what Go's
``encoding/json`` makes of them (compact, keys sorted, ``<``, ``>``, ``&`` and the line separators escaped),
bytes become base64. Values that hold no map, bytes or nested array are rendered by the engine, in
``schema/0006_otlp_traces_mv.sql``; both must agree.
"""

import base64
import json
import math
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_GO_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class _NotJson(Exception):
    """Go's encoder gives up on NaN and the infinities; the exporter then stores an empty string."""


def number_text(value: float) -> str:
    """A finite double as JavaScript and Go's ``encoding/json`` print it: shortest, exponent past 1e21 or under 1e-6."""
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent_text = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS * 10**point.
    point = len(whole) + int(exponent_text or 0)
    if whole == "0":
        point -= len(fraction) - len(fraction.lstrip("0")) + 1
    digits = digits.rstrip("0")
    if 1e-6 <= abs(value) < 1e21:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        if point >= len(digits):
            return sign + digits + "0" * (point - len(digits))
        return f"{sign}{digits[:point]}.{digits[point:]}"
    head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    exponent = point - 1
    return f"{sign}{head}e{'+' if exponent >= 0 else '-'}{abs(exponent)}"


def value_text(value: AnyValue) -> str:
    """The text the exporter stores for a value; ``''`` for one that is not set or that JSON cannot hold."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            if math.isnan(value.double_value):
                return "json: unsupported value: NaN"
            if math.isinf(value.double_value):
                return f"json: unsupported value: {'+' if value.double_value > 0 else '-'}Inf"
            return number_text(value.double_value)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value" | "kvlist_value":
            try:
                return _json(value)
            except _NotJson:
                return ""
        case _:
            return ""


def _json(value: AnyValue) -> str:
    match value.WhichOneof("value"):
        case "string_value":
            return _json_string(value.string_value)
        case "bool_value" | "int_value":
            return value_text(value)
        case "double_value":
            if not math.isfinite(value.double_value):
                raise _NotJson
            return number_text(value.double_value)
        case "bytes_value":
            return f'"{base64.b64encode(value.bytes_value).decode()}"'
        case "array_value":
            return f"[{','.join(map(_json, value.array_value.values))}]"
        case "kvlist_value":
            # A key that is given twice keeps its last value, as in Go's map.
            members = {pair.key: pair.value for pair in value.kvlist_value.values}
            return "{" + ",".join(f"{_json_string(key)}:{_json(members[key])}" for key in sorted(members)) + "}"
        case _:
            return "null"


def _json_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_GO_ESCAPES)


def is_nested(value: AnyValue) -> bool:
    """Whether a value holds a map, bytes or an array in an array: what the engine leaves to :func:`value_text`."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return any(
            element.WhichOneof("value") in ("array_value", "kvlist_value", "bytes_value")
            for element in value.array_value.values
        )
    return kind in ("kvlist_value", "bytes_value")


def flatten(value: AnyValue) -> None:
    """Replace a nested value by its text, in place; leave any other alone."""
    if is_nested(value):
        value.string_value = value_text(value)


def flatten_attributes(attributes: Any) -> None:
    """:func:`flatten` every value of a repeated ``KeyValue`` field."""
    for attribute in attributes:
        flatten(attribute.value)

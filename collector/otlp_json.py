"""OTLP's JSON encoding: requests read into protobuf messages, answers written.

It is proto3's JSON mapping with the exceptions of the OTLP specification: trace and span ids are hexadecimal, members
are in lowerCamelCase only, enumerations are integers only, and members that are not known are passed over. So
``google.protobuf.json_format``, which takes ids as base64 and names as it likes, cannot read it.
"""

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
from google.protobuf.message import EncodeError, Message

from hansei.collector.payload import MalformedPayload
from hansei.collector.signals import Signal

MOST_VALUES: Final = 4_000_000
"""Values in one request: each is a Python object for a moment, so that a small body of many brackets would be large."""
DEEPEST: Final = 100
"""Messages in messages, the same as protobuf's parser takes."""
_ONE_AT_A_TIME: Final = threading.Lock()
"""Reading holds Python's lock all the while: two at a time would be no faster, and hold twice the memory."""

_HEX_FIELDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
_INTEGER: Final = re.compile(r"-?[0-9]{1,30}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,9})?")
_SPECIAL: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_SHOWN: Final = 40
"""Characters of a value that an error repeats."""


class _Wrong(Exception):
    """What is wrong with a value; the place is added on the way out."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.place: list[str] = []


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """The serialised request of a JSON body. Raises :class:`MalformedPayload` that names the place."""
    with _ONE_AT_A_TIME:
        return _message(signal, _parsed(body)).SerializeToString()


def response_json(signal: Signal, response: bytes) -> bytes:
    """The JSON of a serialised response."""
    return message_json(signal.response.FromString(response))


def message_json(message: Message) -> bytes:
    """The JSON of a message without ids in it: an answer or a status."""
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()


def _parsed(body: bytes) -> Any:
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise MalformedPayload(
            f"the body has more than {MOST_VALUES} commas and brackets; send fewer items at a time, or protobuf"
        )
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except RecursionError:
        raise MalformedPayload("the body is nested too deep") from None
    except ValueError as error:
        # UnicodeDecodeError and the limit on digits among them; their first sentence says it.
        raise MalformedPayload(f"the body is not JSON ({str(error).partition(';')[0]})") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _message(signal: Signal, content: Any) -> Message:
    message = signal.request()
    try:
        _fill(message, content, 0)
        message.ByteSize()
    except _Wrong as error:
        place = "".join(reversed(error.place)).lstrip(".")
        raise MalformedPayload(f"{place}: {error}" if place else f"the body {error}") from None
    except EncodeError as error:
        raise MalformedPayload(f"the body cannot be a {signal.message} ({error})") from None
    return message


def _fill(message: Any, content: Any, depth: int) -> None:
    """Set a message's fields from a JSON object. Raises :class:`_Wrong`."""
    if type(content) is not dict:
        raise _Wrong(f"is {_shown(content)}, not an object")
    if depth > DEEPEST:
        raise _Wrong(f"is nested more than {DEEPEST} deep")
    members = _members(message.DESCRIPTOR)
    oneof = None
    for key, value in content.items():
        member = members.get(key)
        if member is None or value is None:
            continue
        name, is_list, read, in_oneof = member
        if in_oneof:
            if oneof is not None:
                raise _Wrong(f"has both {oneof} and {key}; one value is one of them")
            oneof = key
        try:
            if is_list:
                if type(value) is not list:
                    raise _Wrong(f"is {_shown(value)}, not an array")
                _fill_list(getattr(message, name), value, read, depth)
            elif read is None:
                part = getattr(message, name)
                part.SetInParent()
                _fill(part, value, depth + 1)
            elif read is _text:
                _set_text(message, name, value)
            else:
                setattr(message, name, read(value))
        except _Wrong as error:
            error.place.append(f".{key}")
            raise
        except (ValueError, TypeError):
            # A number that its type cannot hold.
            beyond = _Wrong(f"{_shown(value)} is out of range")
            beyond.place.append(f".{key}")
            raise beyond from None


def _fill_list(target: Any, values: list[Any], read: Callable[[Any], Any] | None, depth: int) -> None:
    for index, value in enumerate(values):
        try:
            if read is None:
                _fill(target.add(), value, depth + 1)
            else:
                target.append(_sendable(value) if read is _text else read(value))
        except _Wrong as error:
            error.place.append(f"[{index}]")
            raise


_Member = tuple[str, bool, Callable[[Any], Any] | None, bool]
"""A field's name, whether it is repeated, what reads its value (None: it is a message), whether it is in a oneof."""


@cache
def _members(descriptor: Descriptor) -> Mapping[str, _Member]:
    """The members of the JSON object of a message."""
    # How a descriptor tells that a field is repeated differs between versions of protobuf; its message does not.
    written = DescriptorProto()
    descriptor.CopyToProto(written)
    lists = {field.name for field in written.field if field.label == FieldDescriptorProto.LABEL_REPEATED}
    return {
        field.json_name: (field.name, field.name in lists, _reader(field), field.containing_oneof is not None)
        for field in descriptor.fields
    }


def _reader(field: FieldDescriptor) -> Callable[[Any], Any] | None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return None
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _hexadecimal if field.name in _HEX_FIELDS else _base64
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _enumeration
    readers: dict[int, Callable[[Any], Any]] = {
        FieldDescriptor.CPPTYPE_STRING: _text,
        FieldDescriptor.CPPTYPE_BOOL: _boolean,
        FieldDescriptor.CPPTYPE_DOUBLE: _double,
        FieldDescriptor.CPPTYPE_FLOAT: _double,
    }
    read: Callable[[Any], Any] = readers.get(field.cpp_type, _integer)
    return read


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _Wrong(f"{_shown(value)} is not a string")
    return value


def _set_text(message: Any, name: str, value: Any) -> None:
    try:
        setattr(message, name, _text(value))
    except UnicodeEncodeError:
        setattr(message, name, _sendable(value))


def _sendable(value: Any) -> str:
    """A text with U+FFFD for halves of characters, which JavaScript leaves where it cuts a text between them."""
    return _text(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _Wrong(f"{_shown(value)} is not true or false")
    return value


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    if type(value) is float and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    raise _Wrong(f"{_shown(value)} is not a whole number")


def _enumeration(value: Any) -> int:
    if type(value) is not int:
        raise _Wrong(f"{_shown(value)} is not a number; OTLP's JSON has enumerations as integers")
    return value


def _double(value: Any) -> float:
    if type(value) is float or type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise _Wrong(f"{_shown(value)} is out of range") from None
    if type(value) is str and value in _SPECIAL:
        return _SPECIAL[value]
    if type(value) is str and _NUMBER.fullmatch(value):
        return float(value)
    raise _Wrong(f"{_shown(value)} is not a number")


def _hexadecimal(value: Any) -> bytes:
    try:
        # fromhex() passes over spaces.
        found = bytes.fromhex(_text(value))
        if len(found) * 2 != len(value):
            raise ValueError
    except ValueError:
        raise _Wrong(f"{_shown(value)} is not hexadecimal; OTLP's JSON has ids in hex, not base64") from None
    return found


def _base64(value: Any) -> bytes:
    text = _text(value).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _Wrong(f"{_shown(value)} is not base64") from None


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    # A number of thousands of digits is refused by int()'s own limit only beyond that of json.
    text = ascii(value[: 2 * _SHOWN]) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

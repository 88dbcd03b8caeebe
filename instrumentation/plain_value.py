"""Any value of an application as JSON text: bounded, read without consuming or changing it, and never refused."""

import dataclasses
import json
import math
import numbers
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from opentelemetry.util.types import AttributeValue

from hansei.instrumentation.content import cut, process_content

MAX_DEPTH = 16
"""Containers within containers; what lies deeper is named by its type."""

MAX_ITEMS = 4096
"""Items of one stream that are kept; the rest are counted."""

# What a value takes of the budget beyond its own text: quotes, commas, and the work of looking at it.
_OVERHEAD = 4
# Python refuses to write longer integers as text.
_MAX_INTEGER_BITS = 4096
# Made once: json.dumps makes one for every call. SQL finds the words of any language in what is readable.
_readable = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_escaped = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
_AS_TEXT = (date, time, timedelta, UUID, Decimal, PurePath)
# The base classes' own iterators: a subclass may have one that fetches, or that is worn out by use.
_ITERATORS: tuple[tuple[type, Callable[[Any], Iterator[Any]]], ...] = (
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
    (deque, deque.__iter__),
)


def bounded_json(value: object, limit: int) -> str:
    """JSON of ``value`` with about ``limit`` characters of text at most.

    Dicts, sequences, sets, dataclasses, attrs and pydantic objects are walked; numbers, dates, paths and enum members
    are written as data. Anything else, and what fails to be read, stands there as ``<Type>``: a repr is not data,
    and an iterator that is read would be empty for the application. What does not fit is counted, in its place.
    """
    return _text(PlainValues(limit).plain(value), limit)


def attribute_value(value: object) -> AttributeValue:
    """``value`` as a span attribute: as it is where OpenTelemetry takes it, else as bounded JSON."""
    limit = process_content.content.max_length
    if type(value) is str:
        return cut(value, limit)
    if type(value) in (bool, int, float):
        return value  # type: ignore[return-value] # one of the three
    if type(value) in (list, tuple):
        items = list(value)[:MAX_ITEMS]  # type: ignore[call-overload]
        kinds = {type(item) for item in items}
        if len(kinds) == 1 and kinds <= {str, bool, int, float}:
            return [cut(item, limit) for item in items] if kinds == {str} else items
    return bounded_json(value, limit)


def type_name(value: object) -> str:
    """What stands for a value that is not data."""
    return f"<{type(value).__name__}>"


class PlainItems:
    """The items of a stream, made plain one by one as they pass; memory does not grow with the stream."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values = PlainValues(limit)
        self._items: list[object] = []
        self._left_out = 0

    def add(self, item: object) -> None:
        """Keep what fits of an item."""
        if len(self._items) < MAX_ITEMS and not self._values.exhausted:
            self._items.append(self._values.plain(item))
        else:
            self._left_out += 1

    def text(self) -> str:
        """All that was kept, as a JSON list."""
        note = [_left_out(self._left_out, "items")] if self._left_out else []
        return _text(self._items + note, self._limit)


class PlainValues:
    """Makes plain values within one budget of characters."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._path: set[int] = set()

    @property
    def exhausted(self) -> bool:
        """Whether there is no room for more."""
        return self._left <= 0

    def plain(self, value: object) -> object:
        """``value`` in terms of JSON, with as much of it as fits."""
        try:
            return self._plain(value)
        except Exception:
            return type_name(value)

    def _plain(self, value: Any) -> object:
        kind = type(value)
        self._left -= _OVERHEAD
        if value is None or kind is bool:
            return value
        if kind is str:
            return self._cut(value)
        if kind is dict or kind is list:
            return self._container(value, kind)
        if issubclass(kind, Enum):
            return self.plain(value._value_)
        if issubclass(kind, str):
            return self._cut(str.__str__(value))
        if issubclass(kind, int):
            return self._integer(int.__int__(value))
        if issubclass(kind, float):
            return _real(float.__float__(value))
        if issubclass(kind, _AS_TEXT):
            return self._cut(str(value))
        # numpy's scalars say that they are numbers, and are none of the above.
        if issubclass(kind, numbers.Integral):
            return self._integer(int(value))
        if issubclass(kind, numbers.Real):
            return _real(float(value))
        return self._container(value, kind)

    def _container(self, value: Any, kind: type) -> object:
        if id(value) in self._path or len(self._path) >= MAX_DEPTH:
            return type_name(value)
        self._path.add(id(value))
        try:
            if issubclass(kind, dict):
                return self._entries(dict.items(value), dict.__len__(value))
            if (names := getattr(kind, "_fields", None)) and issubclass(kind, tuple):
                return self._entries(zip(names, tuple.__iter__(value), strict=False), len(names))
            for base, iterate in _ITERATORS:
                if issubclass(kind, base):
                    return self._items(iterate(value), len(value))
            fields = _fields(value, kind)
            return type_name(value) if fields is None else self._entries(fields.items(), len(fields))
        finally:
            self._path.discard(id(value))

    def _items(self, items: Iterable[object], count: int) -> list[object]:
        made: list[object] = []
        for item in items:
            if self.exhausted:
                made.append(_left_out(count - len(made), "items"))
                break
            made.append(self.plain(item))
        return made

    def _entries(self, entries: Iterable[tuple[object, object]], count: int) -> dict[str, object]:
        made: dict[str, object] = {}
        for seen, (key, value) in enumerate(entries):
            if self.exhausted:
                made["…"] = _left_out(count - seen, "entries")
                break
            made[self._key(key)] = self.plain(value)
        return made

    def _key(self, key: object) -> str:
        if isinstance(key, str):
            return self._cut(str.__str__(key))
        return self._cut(str(key)) if type(key) in (int, float, bool, type(None)) else type_name(key)

    def _cut(self, text: str) -> str:
        kept = cut(text, max(self._left, 0))
        self._left -= min(len(text), max(self._left, 0))
        return kept

    def _integer(self, number: int) -> object:
        return number if number.bit_length() <= _MAX_INTEGER_BITS else f"<int of {number.bit_length()} bits>"


def _real(number: float) -> object:
    # JSON has no words for these, and one would make the whole text unreadable.
    return number if math.isfinite(number) else str(number)


def _fields(value: Any, kind: type) -> dict[str, object] | None:
    """The data of an object whose class declares it, without calling any code of that class."""
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.repr]
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    declared = getattr(kind, "__pydantic_fields__", None) or getattr(kind, "__fields__", None)
    if isinstance(declared, Mapping):
        hidden = {name for name, field in declared.items() if getattr(field, "repr", True) is False}
        extra = getattr(value, "__pydantic_extra__", None)
        data = {**vars(value), **(extra if type(extra) is dict else {})}
        return {name: data[name] for name in data if name not in hidden}
    attributes = getattr(kind, "__attrs_attrs__", None)
    if isinstance(attributes, tuple):
        return {each.name: getattr(value, each.name) for each in attributes if each.repr}
    return None


def _left_out(count: int, what: str) -> str:
    return f"… [{count} {what} left out]"


def _text(plain: object, limit: int) -> str:
    text = _readable(plain)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate would make the exporter drop the whole batch of spans; escaped it does no harm.
        text = _escaped(plain)
    # Escapes can make it longer; twice the limit is more than any text that is not made of control characters needs.
    return cut(text, 2 * limit + 1024)

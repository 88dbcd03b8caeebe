"""One pass of the protobuf parser over a request that answers for all of its spans at once.

A protobuf parser merges what a singular field receives more than once: messages field by field, repeated
fields by concatenation. So OTLP's own schema with every repeated *message* declared singular folds a request
of any size into one message: it is valid exactly if the request is, its trace ids are those of all the spans,
and one ``HasField`` says whether any attribute anywhere holds a map. It costs about half of a full parse and
makes no object per span (docs/decisions/0002-check.md has the figures).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from hansei.collector.signals import Signal

_Change = Callable[[str, FieldDescriptorProto], None]
_KEPT_REPEATED = {"Span.trace_id", "Span.span_id", "AnyValue.bytes_value"}


@dataclass(frozen=True)
class Findings:
    """What one look at a request says about all of it."""

    items: int
    """Spans or log records in it."""
    needs_work: bool
    """Whether a span has a bad id or a value is nested: the request must be walked before it is stored."""


class Probe:
    """Looks at requests of one signal. Thread-safe: it holds only message classes."""

    def __init__(self, signal: Signal) -> None:
        self._path = signal.path
        self._is_traces = signal.items == "spans"
        self._merged = _message_class(signal.request, _merge)
        self._counted = _message_class(signal.request, _counting(signal.path))

    def look(self, payload: bytes) -> Findings:
        """What is in a serialised request.

        Raises ``google.protobuf.message.DecodeError`` for bytes that are not one.
        """
        resources, scopes, items = self._path
        merged: Any = self._merged.FromString(payload)
        counted: Any = self._counted.FromString(payload)
        count = len(getattr(getattr(getattr(counted, resources), scopes), items))
        resource = getattr(merged, resources)
        scope = getattr(resource, scopes)
        item = getattr(scope, items)
        values = [resource.resource.attributes.value, scope.scope.attributes.value, item.attributes.value]
        if self._is_traces:
            values += [item.events.attributes.value, item.links.attributes.value]
            needs_work = not (_all_ids(item.trace_id, 16, count) and _all_ids(item.span_id, 8, count))
        else:
            values.append(item.body)
            needs_work = False
        return Findings(count, needs_work or any(map(_nested, values)))


def _all_ids(ids: Any, size: int, count: int) -> bool:
    values = ids[:]  # a list in one step: iterating the container itself takes twice as long
    return len(values) == count and set(map(len, values)) <= {size} and bytes(size) not in values


def _nested(value: Any) -> bool:
    inside = value.array_value.values
    return bool(
        value.HasField("kvlist_value")
        or value.bytes_value
        or inside.HasField("array_value")
        or inside.HasField("kvlist_value")
        or inside.bytes_value
    )


def _merge(name: str, field: FieldDescriptorProto) -> None:
    if field.type == FieldDescriptorProto.TYPE_MESSAGE:
        field.label = FieldDescriptorProto.LABEL_OPTIONAL
    elif name in _KEPT_REPEATED:
        # Links carry ids too, but those may be anything.
        field.label = FieldDescriptorProto.LABEL_REPEATED


def _counting(path: tuple[str, str, str]) -> _Change:
    def count(name: str, field: FieldDescriptorProto) -> None:
        _merge(name, field)
        if field.name == path[2]:
            # Not parsed, only counted.
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
            field.label = FieldDescriptorProto.LABEL_REPEATED

    return count


def _message_class(root: type[Message], change: _Change) -> type[Message]:
    """The message class of ``root`` with ``change`` applied to every field of its files."""
    pool = DescriptorPool()
    added: set[str] = set()

    def add(source: Any) -> None:
        if source.name in added:
            return
        added.add(source.name)
        for dependency in source.dependencies:
            add(dependency)
        file = FileDescriptorProto()
        source.CopyToProto(file)
        for message in file.message_type:
            _change_fields(message, change)
        del file.service[:]
        pool.Add(file)

    add(root.DESCRIPTOR.file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(root.DESCRIPTOR.full_name))


def _change_fields(message: DescriptorProto, change: _Change) -> None:
    del message.oneof_decl[:]
    for field in message.field:
        # Without its oneof, a member is not forgotten when another one follows.
        field.ClearField("oneof_index")
        field.ClearField("proto3_optional")
        change(f"{message.name}.{field.name}", field)
    for nested in message.nested_type:
        _change_fields(nested, change)

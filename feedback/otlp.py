"""Events as an OTLP request, for who has no SDK to send them: the server's own API and pages."""

from collections.abc import Iterable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from hansei import __version__
from hansei.feedback.attributes import EVENT_NAME
from hansei.feedback.event import Event

SCOPE = "hansei.feedback"


def export_request(events: Iterable[Event], service_name: str = "hansei") -> bytes:
    """A serialised ``ExportLogsServiceRequest`` with these events."""
    request = ExportLogsServiceRequest()
    of_resource = request.resource_logs.add()
    of_resource.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value=service_name)))
    of_scope = of_resource.scope_logs.add()
    of_scope.scope.name, of_scope.scope.version = SCOPE, __version__
    for event in events:
        record = of_scope.log_records.add(
            time_unix_nano=event.time_ns,
            observed_time_unix_nano=event.time_ns,
            event_name=EVENT_NAME,
            trace_id=bytes.fromhex(event.trace_id or ""),
            span_id=bytes.fromhex(event.span_id or ""),
        )
        # In place: to make each attribute first and hand it over takes twice as long.
        for key, value in event.attributes.items():
            _put(record.attributes.add(key=key).value, value)
    return request.SerializeToString()


def _put(into: AnyValue, value: str | int | float | bool) -> None:
    if isinstance(value, str):
        into.string_value = value
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int):
        into.int_value = value
    else:
        into.double_value = value

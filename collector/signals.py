"""The signals that hansei takes: what differs between traces and logs, in one place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from hansei.collector.rendering import flatten, flatten_attributes

_READING_SCHEMAS = Path(__file__).parent / "schema" / "reading"


@dataclass(frozen=True)
class Signal:
    """One OTLP signal: its messages, its address in both protocols and the table it goes into."""

    name: str
    """``traces`` or ``logs``: the path segment of OTLP/HTTP and the folder of the write-ahead log."""
    table: str
    """The ``Null``-engine table whose columns are the request's fields."""
    items: str
    """What the specification counts: ``spans`` or ``log_records``."""
    method: str
    """The full gRPC method."""
    request: type[Message]
    response: type[Message]
    partial_success: type[Message]
    path: tuple[str, str, str]
    """The repeated fields from the request down to one item."""

    @property
    def rejected_field(self) -> str:
        """The counter of the partial success."""
        return f"rejected_{self.items}"

    @property
    def reading_schema_path(self) -> Path:
        """The ``.proto`` file by which the engine reads the request."""
        return _READING_SCHEMAS / f"{self.name}.proto"

    @property
    def message(self) -> str:
        """The request's name in that file."""
        return self.request.DESCRIPTOR.name

    def scopes(self, request: Any) -> Iterator[Any]:
        """Each scope of each resource in a request."""
        resources, scopes, _ = self.path
        for resource in getattr(request, resources):
            yield from getattr(resource, scopes)

    def prepare(self, request: Any) -> int:
        """Drop what must not be stored and flatten nested values, in place; answers how many items were dropped."""
        resources, scopes, items = self.path
        dropped = 0
        for resource in getattr(request, resources):
            flatten_attributes(resource.resource.attributes)
            for scope in getattr(resource, scopes):
                flatten_attributes(scope.scope.attributes)
                kept = getattr(scope, items)
                if self is TRACES:
                    bad = [i for i, span in enumerate(kept) if not has_valid_ids(span)]
                    dropped += len(bad)
                    for i in reversed(bad):
                        del kept[i]
                for item in kept:
                    flatten_attributes(item.attributes)
                    if self is LOGS:
                        flatten(item.body)
                        continue
                    for part in (*item.events, *item.links):
                        flatten_attributes(part.attributes)
        return dropped


def has_valid_ids(span: Any) -> bool:
    """Whether a span has a trace id of 16 bytes and a span id of 8, neither of zeros (``trace.proto``)."""
    return len(span.trace_id) == 16 and len(span.span_id) == 8 and any(span.trace_id) and any(span.span_id)


TRACES = Signal(
    name="traces",
    table="otlp_traces",
    items="spans",
    method="/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    request=ExportTraceServiceRequest,
    response=ExportTraceServiceResponse,
    partial_success=ExportTracePartialSuccess,
    path=("resource_spans", "scope_spans", "spans"),
)
LOGS = Signal(
    name="logs",
    table="otlp_logs",
    items="log_records",
    method="/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    request=ExportLogsServiceRequest,
    response=ExportLogsServiceResponse,
    partial_success=ExportLogsPartialSuccess,
    path=("resource_logs", "scope_logs", "log_records"),
)
SIGNALS = (TRACES, LOGS)

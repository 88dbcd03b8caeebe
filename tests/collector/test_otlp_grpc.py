"""What is particular to OTLP/gRPC."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hansei.collector.address import Address
from hansei.collector.errors import ConfigurationError
from hansei.collector.otlp_grpc import GrpcReceiver

Some = Callable[..., ExportTraceServiceRequest]


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
def test_too_large(start_collecting: Callable[..., Any], some_spans: Some, gzip: bool) -> None:
    """A request past the limit, measured after decompression, is refused for good: without RetryInfo."""
    client = start_collecting(max_request_bytes=100_000).clients["grpc"]
    answer = client.export(some_spans(name="x" * 200_000).SerializeToString(), gzip=gzip)
    assert (answer.code, answer.retry_after) == ("RESOURCE_EXHAUSTED", None)
    assert client.export(some_spans(name="x" * 90_000).SerializeToString(), gzip=gzip).code == "OK"


@pytest.mark.parametrize(
    "method",
    [
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
        "/opentelemetry.proto.collector.trace.v1.TraceService/Import",
        "/nothing",
    ],
)
def test_unknown_method(shared_collecting: Any, method: str) -> None:
    """A method that is not there is unimplemented."""
    answer = shared_collecting.clients["grpc"].export(b"", method=method)
    assert (answer.code, answer.retry_after) == ("UNIMPLEMENTED", None)


def test_key_among_other_metadata(start_collecting: Callable[..., Any]) -> None:
    """The key is found beside other metadata, binary values included."""
    collecting = start_collecting(api_key="k")
    call = collecting.clients["grpc"].channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    metadata = (("x-a", "1"), ("x-b-bin", b"\x00"), ("authorization", "Bearer k"), ("x-c", "2"))
    assert call(b"", metadata=metadata, timeout=30) == b""


def test_taken_port(shared_collecting: Any) -> None:
    """A port that is taken is refused in a line that says what to do."""
    taken: Address = shared_collecting.addresses["grpc"]
    with pytest.raises(ConfigurationError) as caught:
        GrpcReceiver(shared_collecting.ingest, taken)
    assert str(caught.value) == (
        f"otlp_grpc: cannot listen on {taken}: the port is taken or the address is not this machine's; "
        "choose another with --otlp-grpc HOST:PORT"
    )


def test_health_of_a_stopped_receiver(start_collecting: Callable[..., Any]) -> None:
    """A receiver that has stopped takes nothing, and clients see that it is away, which they retry."""
    collecting = start_collecting()
    channel = collecting.clients["grpc"].channel
    call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    assert call(b"", timeout=30) == b""
    collecting.grpc.stop(0)
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

"""What is particular to OTLP/HTTP."""

import gzip
import http.client
import socket
import zlib
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Some = Callable[..., ExportTraceServiceRequest]


@pytest.fixture
def client(shared_collecting: Any) -> Any:
    """A client; whatever a test did with it, the server takes the next request."""
    client = shared_collecting.clients["http"]
    yield client
    assert client.export(b"").code == "OK"


@pytest.mark.parametrize(
    "content_type", ["application/jsonl", "text/plain", "application/octet-stream", "", "x-protobuf"]
)
def test_content_type(client: Any, content_type: str) -> None:
    """Another content type is refused with 415 and the names of those that are taken."""
    answer = client.export(b"", headers={"Content-Type": content_type})
    assert (answer.http, answer.code) == (415, "INVALID_ARGUMENT")
    assert answer.message == (
        f"content-type '{content_type}' is not taken here; send application/x-protobuf or application/json "
        "(OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)"
    )


@pytest.mark.parametrize("content_type", ["application/x-protobuf; charset=utf-8", "Application/X-Protobuf"])
def test_content_type_spellings(client: Any, content_type: str) -> None:
    """Parameters and case of the content type do not matter."""
    assert client.export(b"", headers={"Content-Type": content_type}).code == "OK"


def test_content_encoding(client: Any) -> None:
    """An encoding that is not known is refused with 415; identity is none."""
    answer = client.export(b"", headers={"Content-Encoding": "br"})
    assert (answer.http, answer.code, answer.headers["accept-encoding"]) == (415, "INVALID_ARGUMENT", "gzip")
    assert answer.message == "content-encoding 'br' is not taken here; send gzip or none"
    assert client.export(b"", headers={"Content-Encoding": "identity"}).code == "OK"
    assert client.export(gzip.compress(b""), headers={"Content-Encoding": "GZIP"}).code == "OK"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/trace", "/v1/traces/x", "/v2/traces", "/v1/Traces"])
def test_wrong_path(client: Any, path: str) -> None:
    """Another path is 404, with the paths there are."""
    answer = client.export(b"", path=path)
    assert (answer.http, answer.code) == (404, "UNIMPLEMENTED")
    assert answer.message.startswith(f"{path} is not taken here; there are /v1/traces, /v1/logs")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_wrong_method(client: Any, method: str) -> None:
    """Another method than POST is 405."""
    answer = client.export(b"", method=method)
    assert (answer.http, answer.code, answer.headers["allow"]) == (405, "UNIMPLEMENTED", "POST")
    assert answer.message == f"{method} is not OTLP; use POST"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"not gzip", "the body is not gzip, as content-encoding says"),
        (zlib.compress(b""), "the body is not gzip, as content-encoding says"),
        (gzip.compress(b"")[:-1], "the gzip body is cut short"),
        (gzip.compress(b"")[:-4] + b"\x01\x00\x00\x00", "the body is not gzip, as content-encoding says"),
        (gzip.compress(b"") + b"more", "the gzip body is cut short, or is more than one member"),
    ],
    ids=["text", "zlib", "cut", "wrong length", "more behind it"],
)
def test_bad_gzip(client: Any, body: bytes, message: str) -> None:
    """A body that is not one whole gzip member is refused with 400."""
    answer = client.export(body, headers={"Content-Encoding": "gzip"})
    assert (answer.http, answer.code) == (400, "INVALID_ARGUMENT")
    assert answer.message.startswith(message)


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_too_large(start_collecting: Callable[..., Any], some_spans: Some, compressed: bool) -> None:
    """A request past the limit, measured after decompression, is 413 and final."""
    collecting = start_collecting(max_request_bytes=100_000)
    client = collecting.clients["http"]
    answer = client.export(some_spans(name="x" * 200_000).SerializeToString(), gzip=compressed)
    assert (answer.http, answer.retry_after) == (413, None)
    assert answer.message == ("the request is larger than 100000 bytes after decompression; send fewer items at a time")
    labels = {"signal": "traces", "transport": "http", "reason": "too_large"}
    assert collecting.counted("hansei_refused_requests_total", **labels) == 1
    assert client.export(some_spans(name="x" * 90_000).SerializeToString(), gzip=compressed).code == "OK"


def test_gzip_bomb(client: Any) -> None:
    """A small body that would unpack to 256 MB is refused once it is past the limit."""
    squeeze = zlib.compressobj(9, wbits=31)
    piece = bytes(1 << 20)
    bomb = b"".join(squeeze.compress(piece) for _ in range(256)) + squeeze.flush()
    answer = client.export(bomb, headers={"Content-Encoding": "gzip"})
    assert answer.http == 413


def test_body_at_the_limit(start_collecting: Callable[..., Any], some_spans: Some) -> None:
    """A gzip body of exactly the limit is taken, one byte more is not."""
    request = some_spans(name="x" * 50_000).SerializeToString()
    client = start_collecting(max_request_bytes=len(request)).clients["http"]
    assert client.export(request, gzip=True).code == "OK"
    assert client.export(request).code == "OK"
    assert client.export(request + b"\x00", gzip=True).http == 413


def test_chunked_body(shared_collecting: Any, some_spans: Some, span_count: Callable[..., int]) -> None:
    """A body without a length, in chunks, is taken."""
    address = shared_collecting.addresses["http"]
    request = some_spans(30)
    payload = request.SerializeToString()
    pieces = (payload[start : start + 100] for start in range(0, len(payload), 100))
    with closing(http.client.HTTPConnection(address.host, address.port, timeout=60)) as connection:
        connection.request(
            "POST", "/v1/traces", pieces, {"Content-Type": "application/x-protobuf"}, encode_chunked=True
        )
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")
    shared_collecting.wait_stored()
    assert span_count(request) == 30


def test_connection_is_kept(shared_collecting: Any, some_spans: Some) -> None:
    """Many requests go over one connection, refused ones between them."""
    address = shared_collecting.addresses["http"]
    with closing(http.client.HTTPConnection(address.host, address.port, timeout=60)) as connection:
        statuses = []
        for body in (some_spans().SerializeToString(), b"\x00", some_spans().SerializeToString(), b""):
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
    assert statuses == [200, 400, 200, 200]


def test_client_that_leaves(
    client: Any, shared_collecting: Any, some_spans: Some, span_count: Callable[..., int]
) -> None:
    """A client that leaves in the middle of its body stores nothing."""
    address = shared_collecting.addresses["http"]
    request = some_spans()
    payload = request.SerializeToString()
    for _ in range(20):  # More than the bodies that are read at a time.
        with socket.create_connection((address.host, address.port)) as connection:
            connection.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                + f"Content-Length: {len(payload) + 1}\r\n\r\n".encode() + payload
            )  # fmt: skip
    assert client.export(b"").code == "OK"
    shared_collecting.wait_stored()
    assert span_count(request) == 0


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET\r\n\r\n"])
def test_not_http(client: Any, shared_collecting: Any, garbage: bytes) -> None:
    """What is not HTTP is answered with 400, or the connection is closed."""
    address = shared_collecting.addresses["http"]
    with socket.create_connection((address.host, address.port), timeout=60) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000)[:12] in (b"HTTP/1.1 400", b"")

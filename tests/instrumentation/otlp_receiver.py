"""OTLP receivers on loopback, gRPC and HTTP, that keep what they get; and programs that send to them."""

import gzip
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE = 20
_REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
_SERVICES = {
    f"opentelemetry.proto.collector.{package}.v1.{name}Service": signal
    for signal, package, name in (
        ("traces", "trace", "Trace"),
        ("logs", "logs", "Logs"),
        ("metrics", "metrics", "Metrics"),
    )
}


class Received:
    """The requests of each signal and the headers that they came with."""

    def __init__(self) -> None:
        self.address = ""
        self.status = 200
        """What a receiver by HTTP answers."""
        self.requests: dict[str, list[Any]] = {signal: [] for signal in _REQUESTS}
        self.headers: list[dict[str, str]] = []

    def take(self, signal: str, body: bytes, headers: dict[str, str]) -> None:
        """Keep a request."""
        self.headers.append(headers)
        self.requests[signal].append(_REQUESTS[signal].FromString(body))

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.address}"

    def spans(self) -> list[Any]:
        """Every span."""
        return [
            span
            for request in list(self.requests["traces"])
            for of_resource in request.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]

    def span_names(self) -> Counter[str]:
        """How often each name of a span came."""
        return Counter(span.name for span in self.spans())

    def event_names(self) -> Counter[str]:
        """How often each name of a log event came."""
        return Counter(
            record.event_name
            for request in list(self.requests["logs"])
            for of_resource in request.resource_logs
            for of_scope in of_resource.scope_logs
            for record in of_scope.log_records
        )

    def resource(self) -> dict[str, str]:
        """The resource of the first spans."""
        attributes = self.requests["traces"][0].resource_spans[0].resource.attributes
        return {attribute.key: attribute.value.string_value for attribute in attributes}


@contextmanager
def grpc_receiver() -> Iterator[Received]:
    """An OTLP/gRPC receiver."""
    received = Received()

    def handler(signal: str) -> grpc.RpcMethodHandler:
        def export(body: bytes, call: grpc.ServicerContext) -> bytes:
            received.take(signal, body, {key: str(value) for key, value in call.invocation_metadata()})
            return b""

        return grpc.unary_unary_rpc_method_handler(export)

    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(service, {"Export": handler(signal)})
            for service, signal in _SERVICES.items()
        )
    )
    received.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield received
    server.stop(None).wait()


@contextmanager
def http_receiver() -> Iterator[Received]:
    """An OTLP/HTTP receiver."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers["content-encoding"] == "gzip":
                body = gzip.decompress(body)
            signal = self.path.removeprefix("/v1/")
            received.take(signal, body, {key.lower(): value for key, value in self.headers.items()})
            self.send_response(received.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        received.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield received
        server.shutdown()
        thread.join()


def clean(environment: dict[str, str]) -> dict[str, str]:
    """This environment without what configures telemetry, and with some changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "HANSEI_"))}
    return {**kept, **environment}


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh process, to its good end."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=clean(environment), capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def eventually(condition: Callable[[], bool]) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)

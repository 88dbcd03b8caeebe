"""Clients that send bytes, over each protocol, and tell all of the answer."""

import contextlib
import gzip as gzip_module
import http.client
from dataclasses import dataclass, field

import grpc
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from hansei.collector.address import Address
from hansei.collector.otlp_http import PROTOBUF
from hansei.collector.signals import TRACES, Signal

from .waiting import PATIENCE


@dataclass(frozen=True)
class Answer:
    """What a receiver answered, in terms of both protocols."""

    code: str
    """The name of the ``google.rpc.Code``; ``OK`` for success."""
    body: bytes = b""
    """The serialised response of a success."""
    message: str = ""
    retry_after: int | None = None
    """Seconds, where the client is told to come back."""
    http: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


class GrpcClient:
    """OTLP/gRPC in raw bytes."""

    transport = "grpc"

    def __init__(self, address: Address) -> None:
        self.channel = grpc.insecure_channel(str(address), options=[("grpc.max_send_message_length", -1)])

    def export(
        self,
        payload: bytes,
        signal: Signal = TRACES,
        *,
        gzip: bool = False,
        key: str | None = None,
        method: str | None = None,
    ) -> Answer:
        """Send one request."""
        call = self.channel.unary_unary(method or signal.method)
        metadata = [("authorization", key)] if key is not None else []
        compression = grpc.Compression.Gzip if gzip else None
        try:
            return Answer("OK", call(payload, metadata=metadata, compression=compression, timeout=PATIENCE))
        except grpc.RpcError as error:
            details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
            answer = Answer(error.code().name, message=error.details(), retry_after=_retry_after(details))
            if details is not None:
                status = Status.FromString(details)
                assert (code_pb2.Code.Name(status.code), status.message) == (answer.code, answer.message)
            return answer

    def close(self) -> None:
        self.channel.close()


def _retry_after(details: bytes | None) -> int | None:
    """The seconds of the ``RetryInfo`` in a ``grpc-status-details-bin``."""
    if details is None:
        return None
    info = RetryInfo()
    assert Status.FromString(details).details[0].Unpack(info)
    return int(info.retry_delay.seconds)


class HttpClient:
    """OTLP/HTTP in raw bytes, a connection a request."""

    transport = "http"

    def __init__(self, address: Address) -> None:
        self.address = address

    def export(
        self,
        payload: bytes,
        signal: Signal = TRACES,
        *,
        gzip: bool = False,
        key: str | None = None,
        method: str = "POST",
        path: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request; checks that a failure's body is a ``google.rpc.Status``, as OTLP/HTTP asks."""
        sent = {"Content-Type": PROTOBUF, **({"Authorization": key} if key is not None else {})}
        if gzip:
            payload = gzip_module.compress(payload)
            sent["Content-Encoding"] = "gzip"
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path or f"/v1/{signal.name}", payload, sent | (headers or {}))
            response = connection.getresponse()
            body = response.read()
            got = {name.lower(): value for name, value in response.getheaders()}
        if method != "HEAD":
            assert got["content-type"] == PROTOBUF
        if response.status == 200:
            return Answer("OK", body, http=200, headers=got)
        status = Status.FromString(body)
        retry_after = int(got["retry-after"]) if "retry-after" in got else None
        return Answer(
            code_pb2.Code.Name(status.code),
            message=status.message,
            retry_after=retry_after,
            http=response.status,
            headers=got,
        )

    def close(self) -> None:
        pass

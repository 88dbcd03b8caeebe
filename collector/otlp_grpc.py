"""OTLP/gRPC: ``TraceService/Export`` and ``LogsService/Export`` on bytes, without generated stubs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from hansei.collector.address import Address
from hansei.collector.errors import ConfigurationError
from hansei.collector.ingest import Ingest, Refused
from hansei.collector.keys import KeyRefused
from hansei.collector.payload import MalformedPayload
from hansei.collector.signals import SIGNALS, Signal

_TRANSPORT = "grpc"
_THREADS = 16


class GrpcReceiver:
    """The gRPC listener.

    Memory is bounded by the threads: a request's body is read only once a thread takes it, and the streams of
    one connection beyond 1024 wait at the client (``grpc.max_concurrent_streams``).
    """

    def __init__(self, ingest: Ingest, address: Address) -> None:
        """Bind the port. Raises :class:`~hansei.collector.errors.ConfigurationError` if it cannot be had."""
        self._ingest = ingest
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, thread_name_prefix="otlp-grpc"),
            options=[
                # Measured after decompression; a larger one is refused by gRPC as RESOURCE_EXHAUSTED without
                # RetryInfo, which tells the client not to send it again (OTLP, "failures").
                ("grpc.max_receive_message_length", ingest.max_request_bytes),
                ("grpc.max_concurrent_streams", 1024),
                ("grpc.so_reuseport", 0),
            ],
        )
        for signal in SIGNALS:
            service, _, method = signal.method[1:].rpartition("/")
            handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._export(signal))
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        try:
            self.port = self._server.add_insecure_port(str(address))
        except RuntimeError as error:
            raise ConfigurationError(address.cannot_listen("otlp_grpc")) from error

    def start(self) -> None:
        """Begin to accept."""
        self._server.start()

    def stop(self, grace: float) -> None:
        """Stop accepting, and wait up to ``grace`` seconds for what is under way."""
        self._server.stop(grace).wait()

    def _export(self, signal: Signal) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        ingest = self._ingest

        def export(payload: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                if ingest.keys.required:
                    metadata = dict(context.invocation_metadata())
                    ingest.admit(signal, str(metadata.get("authorization", "")), _TRANSPORT)
                return ingest.export(signal, payload, _TRANSPORT)
            except KeyRefused as error:
                status = grpc.StatusCode.UNAUTHENTICATED if error.status == 401 else grpc.StatusCode.PERMISSION_DENIED
                context.abort(status, str(error))
            except MalformedPayload as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            except Refused as error:
                code = grpc.StatusCode.RESOURCE_EXHAUSTED if error.overloaded else grpc.StatusCode.UNAVAILABLE
                context.set_trailing_metadata((("grpc-status-details-bin", _retry_status(code, error)),))
                context.abort(code, str(error))

        return export


def _retry_status(code: grpc.StatusCode, error: Refused) -> bytes:
    """A ``google.rpc.Status`` with ``RetryInfo``: without it, RESOURCE_EXHAUSTED means that a client must not retry."""
    detail = Any()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=error.retry_after)))
    status = Status(code=code.value[0], message=str(error), details=[detail])
    return bytes(status.SerializeToString())

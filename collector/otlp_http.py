"""OTLP/HTTP: ``POST /v1/traces`` and ``/v1/logs``, binary protobuf or JSON, plain or gzip."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable

from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hansei.collector.errors import HanseiError
from hansei.collector.ingest import Ingest, Refused
from hansei.collector.keys import KeyRefused
from hansei.collector.otlp_json import message_json, response_json, to_protobuf
from hansei.collector.payload import MalformedPayload
from hansei.collector.signals import SIGNALS, Signal

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
_TRANSPORT = "http"
_BODIES_AT_ONCE = 16
"""Bodies held in memory at a time; further requests wait, unread, in their connections."""

# google.rpc.Code
_INVALID_ARGUMENT, _PERMISSION_DENIED, _RESOURCE_EXHAUSTED = 3, 7, 8
_UNIMPLEMENTED, _UNAVAILABLE, _UNAUTHENTICATED = 12, 14, 16


class _HttpError(HanseiError):
    """An answer other than 200."""

    def __init__(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}


def otlp_http_app(ingest: Ingest) -> Starlette:
    """The ASGI application of the OTLP/HTTP listener."""
    gate = asyncio.Semaphore(_BODIES_AT_ONCE)
    routes = [Route(f"/v1/{signal.name}", _endpoint(ingest, signal, gate), methods=["POST"]) for signal in SIGNALS]
    return Starlette(routes=routes, exception_handlers={404: _not_found, 405: _only_post})


def _endpoint(ingest: Ingest, signal: Signal, gate: asyncio.Semaphore) -> Callable[[Request], Awaitable[Response]]:
    async def export(request: Request) -> Response:
        # A failure is told in the encoding of the request.
        encoding = _encoding(request)
        try:
            ingest.admit(signal, request.headers.get("authorization"), _TRANSPORT)
            _require_known(request)
            async with gate:
                body = await _body(request, ingest.max_request_bytes)
                take = _take_json if encoding == JSON else _take
                answer = await run_in_threadpool(take, ingest, signal, body)
            return Response(answer, media_type=encoding)
        except _HttpError as error:
            if error.status == 413:
                ingest.refuse(signal, _TRANSPORT, "too_large")
            return _status(error.status, error.code, str(error), error.headers, encoding)
        except KeyRefused as error:
            if error.status == 401:
                return _status(401, _UNAUTHENTICATED, str(error), {"WWW-Authenticate": "Bearer"}, encoding)
            return _status(403, _PERMISSION_DENIED, str(error), encoding=encoding)
        except MalformedPayload as error:
            return _status(400, _INVALID_ARGUMENT, str(error), encoding=encoding)
        except Refused as error:
            status, code = (429, _RESOURCE_EXHAUSTED) if error.overloaded else (503, _UNAVAILABLE)
            return _status(status, code, str(error), {"Retry-After": str(error.retry_after)}, encoding)
        except ClientDisconnect:
            return Response(status_code=400)

    return export


def _take(ingest: Ingest, signal: Signal, body: bytes) -> bytes:
    return ingest.export(signal, body, _TRANSPORT)


def _take_json(ingest: Ingest, signal: Signal, body: bytes) -> bytes:
    try:
        payload = to_protobuf(signal, body)
    except MalformedPayload:
        ingest.refuse(signal, _TRANSPORT, "malformed")
        raise
    return response_json(signal, ingest.export(signal, payload, _TRANSPORT))


def _encoding(request: Request) -> str:
    return JSON if _content_type(request) == JSON else PROTOBUF


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _require_known(request: Request) -> None:
    content_type = _content_type(request)
    if content_type not in (PROTOBUF, JSON):
        raise _HttpError(
            415, _INVALID_ARGUMENT, f"content-type {content_type!r} is not taken here; send {PROTOBUF} or {JSON} "
            "(OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)",
        )  # fmt: skip


async def _body(request: Request, limit: int) -> bytes:
    """The decompressed body, never holding more than ``limit`` bytes of it."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise _HttpError(
            415, _INVALID_ARGUMENT, f"content-encoding {encoding!r} is not taken here; send gzip or none",
            {"Accept-Encoding": "gzip"},
        )  # fmt: skip
    unzip = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    pieces: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        try:
            # One byte more than allowed is enough to know that it is too much.
            piece = unzip.decompress(chunk, limit + 1 - size) if unzip else chunk
        except zlib.error as error:
            raise _HttpError(
                400, _INVALID_ARGUMENT, f"the body is not gzip, as content-encoding says ({error})"
            ) from error
        size += len(piece)
        pieces.append(piece)
        if size > limit:
            raise _HttpError(
                413,
                _INVALID_ARGUMENT,
                f"the request is larger than {limit} bytes after decompression; send fewer items at a time",
            )
    if unzip is not None and pieces and (not unzip.eof or unzip.unused_data):
        raise _HttpError(400, _INVALID_ARGUMENT, "the gzip body is cut short, or is more than one member")
    return b"".join(pieces)


def _status(
    status: int, code: int, message: str, headers: dict[str, str] | None = None, encoding: str = PROTOBUF
) -> Response:
    """A ``google.rpc.Status`` body, as OTLP/HTTP asks of every failure."""
    said = Status(code=code, message=message)
    body = message_json(said) if encoding == JSON else said.SerializeToString()
    return Response(body, status, headers=headers, media_type=encoding)


async def _not_found(request: Request, _: Exception) -> Response:
    known = ", ".join(f"/v1/{signal.name}" for signal in SIGNALS)
    message = f"{request.url.path} is not taken here; there are {known}"
    return _status(404, _UNIMPLEMENTED, message, encoding=_encoding(request))


async def _only_post(request: Request, _: Exception) -> Response:
    message = f"{request.method} is not OTLP; use POST"
    return _status(405, _UNIMPLEMENTED, message, {"Allow": "POST"}, _encoding(request))

"""Answers of the SQL endpoint: ClickHouse's headers, its errors, and results that are sent as they come."""

import asyncio
import json
import secrets
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Send

from hansei.collector.sql_compression import packer
from hansei.collector.sql_engine import Engine, Figures
from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_request import SqlRequest
from hansei.collector.sql_result import Result

_HELD = 64 << 10
"""Bytes that are held back before the answer begins, so that an error up to there still gets its HTTP status."""
_HELD_TO_THE_END = 16 << 20
"""The same where the caller asks for the end first (``wait_end_of_query``)."""
_CHARSET = "; charset=UTF-8"
_CONTENT_TYPES = {
    "JSON": "application/json" + _CHARSET,
    "PrettyJSON": "application/json" + _CHARSET,
    "JSONLines": "application/x-ndjson" + _CHARSET,
    "JSONL": "application/x-ndjson" + _CHARSET,
    "NDJSON": "application/x-ndjson" + _CHARSET,
    "CSV": "text/csv" + _CHARSET,
    "TabSeparated": "text/tab-separated-values" + _CHARSET,
    "TSV": "text/tab-separated-values" + _CHARSET,
    "XML": "application/xml" + _CHARSET,
    "Markdown": "text/markdown" + _CHARSET,
    "PNG": "image/png",
    "Prometheus": "text/plain; version=0.0.4" + _CHARSET,
}
_BINARY = frozenset({
    "Arrow", "ArrowStream", "Avro", "BSONEachRow", "Buffers", "MsgPack", "Native", "Npy", "ORC", "Parquet", "RawBLOB",
    "RowBinary", "RowBinaryWithNames", "RowBinaryWithNamesAndTypes",
})  # fmt: skip


_PROTECTION = {
    # A page in somebody's browser may ask a loopback address; it must not get to use the answer as a script or image.
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def content_type(output_format: str) -> str:
    """The ``Content-Type`` of a format."""
    if output_format in _BINARY:
        return "application/octet-stream"
    for name in sorted(_CONTENT_TYPES, key=len, reverse=True):
        if output_format.startswith(name):
            suffix = (
                "; header=present" if "WithNames" in output_format and name in ("CSV", "TabSeparated", "TSV") else ""
            )
            return _CONTENT_TYPES[name] + suffix
    return "text/plain" + _CHARSET


def error_response(error: SqlError, version: str, query_id: str = "") -> Response:
    """A failure in ClickHouse's words."""
    headers = {"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Server-Display-Name": "hansei"}
    headers |= _PROTECTION
    if query_id:
        headers["X-ClickHouse-Query-Id"] = query_id
    if error.http_status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="hansei"'
    # What was not UTF-8 in the statement goes back as it came.
    return Response(error.rendered(version).encode(errors="surrogateescape"), error.http_status, headers, "text/plain")


async def send_result(result: Result, request: SqlRequest, engine: Engine, send: Send) -> None:
    """Send a result as it comes. Raises :class:`SqlError` where the statement failed before anything was sent.

    A failure after that is told as ClickHouse tells it: an ``__exception__`` block at the end of a body that then
    breaks off.
    """
    held = bytearray()
    limit = _HELD_TO_THE_END if request.wait_end_of_query else _HELD
    ended = False
    while len(held) < limit and not ended:
        piece = await result.piece()
        held += piece
        ended = not piece
    figures = await result.figures() if ended else Figures()
    tag = secrets.token_hex(8)
    headers = {
        "Content-Type": content_type(result.format),
        "X-ClickHouse-Server-Display-Name": "hansei",
        "X-ClickHouse-Query-Id": request.query_id,
        "X-ClickHouse-Format": result.format,
        "X-ClickHouse-Timezone": engine.timezone,
        "X-ClickHouse-Exception-Tag": tag,
        "X-ClickHouse-Summary": _summary(figures),
        **_PROTECTION,
    }
    pack = packer(request.encoding, native=request.compress) if held else None
    if pack is not None and request.encoding is not None:
        headers["Content-Encoding"] = request.encoding
    if pack is None and ended:
        headers["Content-Length"] = str(len(held))
    await _start(send, headers)
    piece = bytes(held)
    if not ended:
        try:
            while piece:
                # Not in the event loop, which also answers those who send.
                await _send(send, await asyncio.to_thread(pack.pack, piece) if pack else piece)
                piece = await result.piece()
            await result.figures()
        except SqlError as error:
            block = _exception_block(error, engine.version, tag)
            await _send(send, pack.pack(block) + pack.finish() if pack else block)
            # Without an end the connection is closed, and the caller knows that the body is not whole.
            return
    if pack is not None:
        piece = (await asyncio.to_thread(pack.pack, piece) if piece else b"") + pack.finish()
    await _send(send, piece, more=False)


def _summary(figures: Figures) -> str:
    return json.dumps(
        {
            "read_rows": str(figures.read_rows),
            "read_bytes": str(figures.read_bytes),
            "written_rows": str(figures.written_rows),
            "written_bytes": str(figures.written_bytes),
            "elapsed_ns": str(int(figures.seconds * 1e9)),
        }
    )


def _exception_block(error: SqlError, version: str, tag: str) -> bytes:
    text = error.rendered(version).encode(errors="surrogateescape")
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (tag.encode(), text, len(text), tag.encode())


async def _start(send: Send, headers: Mapping[str, str]) -> None:
    encoded = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": encoded})


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})

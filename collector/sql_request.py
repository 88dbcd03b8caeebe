"""What a request to the SQL endpoint asks, in the terms of ClickHouse's HTTP interface."""

import email
import email.policy
import re
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.message import MIMEPart
from typing import IO

from starlette.requests import Request

from hansei.collector.sql_allowed import IGNORED_SETTINGS, TRANSPORT_PARAMETERS
from hansei.collector.sql_compression import ENCODINGS, unpacker
from hansei.collector.sql_errors import SqlError
from hansei.collector.sql_insert import data_of_insert
from hansei.collector.sql_native import protocol_version
from hansei.collector.sql_native_compression import BlockUnpacker

READER_BODY_LIMIT = 1 << 20
"""Bytes of a reader's statement; the engine itself stops at 256 KiB of SQL."""
_IN_MEMORY = 1 << 20
_INLINE = 200_000
"""Bytes up to which the engine takes an ``INSERT`` with its data as one statement (``max_query_size``: 256 KiB)."""
_NATIVE = re.compile(rb"\bFORMAT\s+Native\s*;?\s*$", re.IGNORECASE)
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")


@dataclass
class SqlRequest:
    """One request, read."""

    query: bytes
    """The statement from the URL; empty where all of it is in the body."""
    body: IO[bytes]
    """The decompressed body at its start, in a file of its own."""
    body_size: int
    parameters: dict[str, str]
    """``param_x`` by its ``x``, in ClickHouse's escaped form."""
    settings: dict[str, str]
    database: str
    default_format: str
    query_id: str
    protocol_version: int
    """Of the ``Native`` format that the caller reads; 0 where it does not say."""
    encoding: str | None
    """The ``Content-Encoding`` of the answer."""
    compress: bool
    """Whether the answer is to be in the compressed blocks of the native protocol, too."""
    wait_end_of_query: bool
    changes: bool
    """Whether the method may change something: GET and HEAD never do."""

    @property
    def text(self) -> bytes:
        """The whole statement; ClickHouse reads the URL's part first."""
        self.body.seek(0)
        body = self.body.read()
        return self.query + b"\n" + body if self.query and body else self.query or body

    def close(self) -> None:
        """Give up the body."""
        self.body.close()


async def read_request(request: Request, *, limit: int | None) -> SqlRequest:
    """Read a request; ``limit`` in bytes of decompressed body. Raises :class:`SqlError`."""
    query = dict(request.query_params)
    body = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (closed with the request)
    try:
        insert, size = await _read_body(request, body, limit)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            query |= _form(request.headers["content-type"], body)
            body.truncate(0)
            size = 0
        return SqlRequest(
            query=query.pop("query", "").encode() or insert,
            body=body,
            body_size=size,
            parameters={key[6:]: value for key, value in query.items() if key.startswith("param_")},
            settings=_settings(query),
            database=request.headers.get("x-clickhouse-database") or query.get("database") or "default",
            default_format=request.headers.get("x-clickhouse-format") or query.get("default_format") or "TabSeparated",
            query_id=_query_id(query),
            protocol_version=protocol_version(query.get("client_protocol_version", "")),
            encoding=_encoding(request.headers, query),
            compress=_flag(query, "compress"),
            wait_end_of_query=_flag(query, "wait_end_of_query"),
            changes=request.method == "POST",
        )
    except BaseException:
        body.close()
        raise


def _query_id(query: Mapping[str, str]) -> str:
    """The caller's, where it can stand in a header."""
    given = query.get("query_id", "")
    return given if _HEADER_VALUE.fullmatch(given) else str(uuid.uuid4())


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("1", "true")


def _settings(query: Mapping[str, str]) -> dict[str, str]:
    """Every other parameter of the URL is a setting."""
    return {
        key: value
        for key, value in query.items()
        if key not in TRANSPORT_PARAMETERS and key not in IGNORED_SETTINGS and not key.startswith("param_")
    }


def _encoding(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    if not _flag(query, "enable_http_compression"):
        return None
    accepted = {part.split(";")[0].strip().lower() for part in headers.get("accept-encoding", "").split(",")}
    return next((name for name in ENCODINGS if name in accepted), None)


async def _read_body(request: Request, into: IO[bytes], limit: int | None) -> tuple[bytes, int]:
    """Write the body into a file; answers its size.

    Of an ``INSERT`` with its data behind it, the statement is answered and only the data is written, where it is long,
    or where it is ``Native``: the engine would take line feeds that it begins with for the end of the statement.
    """
    size = 0
    head = b""
    held: bytearray | None = bytearray()
    async for piece in _decompressed(request):
        size += len(piece)
        if limit is not None and size > limit:
            raise SqlError(62, "SYNTAX_ERROR", f"Max query size exceeded: a statement may have {limit} bytes")
        if held is None:
            into.write(piece)
            continue
        held += piece
        if len(held) > _INLINE:
            if not request.query_params.get("query"):
                head = bytes(held[: data_of_insert(bytes(held))])
            into.write(held[len(head) :])
            held = None
    if held is not None:
        position = 0 if request.query_params.get("query") else data_of_insert(bytes(held))
        if _NATIVE.search(held[:position]):
            head = bytes(held[:position])
        into.write(held[len(head) :])
    return head, size - len(head)


async def _decompressed(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces of bounded size, however well it was compressed."""
    unpack = unpacker(request.headers.get("content-encoding", "identity").strip().lower())
    unblock = BlockUnpacker() if _flag(request.query_params, "decompress") else None
    empty = True
    async for chunk in request.stream():
        empty = empty and not chunk
        for piece in unpack.unpack(chunk) if unpack else (chunk,):
            for inner in unblock.unpack(piece) if unblock else (piece,):
                yield inner
    if unpack is not None and not empty:
        unpack.finish()
    if unblock is not None:
        unblock.finish()


def _form(content_type: str, body: IO[bytes]) -> dict[str, str]:
    """The fields of a ``multipart/form-data`` body, as clients send long parameters."""
    body.seek(0)
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    try:
        message = email.message_from_bytes(head + body.read(), policy=email.policy.HTTP)
        if not message.is_multipart() or message.defects:
            raise ValueError("its parts are not delimited as Content-Type says")
        return dict(_field(part) for part in message.iter_parts())
    except SqlError:
        raise
    except Exception as error:  # the parser's own, of any kind: it was made for mail, not for what strangers send
        raise SqlError(36, "BAD_ARGUMENTS", f"The body is not multipart/form-data: {error}") from error


def _field(part: MIMEPart) -> tuple[str, str]:
    name = part.get_param("name", header="content-disposition")
    if part.get_filename() or not isinstance(name, str):
        raise SqlError(48, "NOT_IMPLEMENTED", "External data is not taken at this address; write a subquery")
    content = part.get_payload(decode=True)
    return name, content.decode() if isinstance(content, bytes) else ""

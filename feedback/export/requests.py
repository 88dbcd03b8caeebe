"""Answering an export: pages of rows are read and sent as they come, so that no list is ever held whole."""

import csv
import io
import json
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from hansei.collector.errors import HanseiError
from hansei.feedback.export.access import NotThere
from hansei.feedback.export.asked import Asked, asked_for
from hansei.feedback.export.columns import Row, csv_values, flat_values, json_line
from hansei.feedback.export.lists import Exported, Page
from hansei.feedback.export.parquet import parquet
from hansei.feedback.export.trace_json import trace_json
from hansei.feedback.search.arguments import trace_id_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from hansei.feedback.web.site import Site

log = logging.getLogger("hansei.export")

Handler = Callable[["Request"], Awaitable[Response]]

MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Download(Response):
    """A file that is sent as it is made, whose first piece is there already."""

    def __init__(
        self, request: "Request", first: bytes, rest: AsyncIterator[bytes], name: str, media_type: str
    ) -> None:
        super().__init__(media_type=media_type, headers=_HEADERS | _attachment(name))
        del self.headers["content-length"]
        self._request, self._first, self._rest = request, first, rest

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        piece = self._first
        try:
            while piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if await self._request.is_disconnected():
                    return
                piece = await anext(self._rest, b"")
        except HanseiError as error:
            # Without an end the connection is closed, and the caller knows that the file is not whole.
            log.warning("an export broke off: %s", str(error).partition("\n")[0])
            return
        finally:
            await self._rest.aclose()  # type: ignore[attr-defined]
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def list_export(site: "Site", exported: Exported) -> Handler:
    """The handler that exports a list."""

    async def export(request: "Request") -> Response:
        asked = asked_for(exported, request.query_params)
        pieces = _FORMATS[asked.format](site, exported, asked)
        # What is wrong with the request, or the store, is told here, before anything is sent.
        first = await anext(pieces, b"")
        name = f"{exported.name}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.{asked.format}"
        return Download(request, first, pieces, name, MEDIA_TYPES[asked.format])

    return export


def trace_export(site: "Site") -> Handler:
    """The handler that exports a trace as OTLP JSON."""

    async def export(request: "Request") -> Response:
        trace_id = trace_id_of(request.path_params["trace_id"])
        content = await site.reader.run(trace_json, site.reader.query, trace_id)
        if content is None:
            raise NotThere(f"there is no trace {trace_id}; it may not have come yet, or has been dropped")
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return Response(body, media_type="application/json", headers=_HEADERS | _attachment(f"{trace_id}.otlp.json"))

    return export


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def _pages(site: "Site", exported: Exported, asked: Asked) -> AsyncIterator[Sequence[Row]]:
    left, token = asked.limit, None
    while left:
        page: Page = await site.reader.run(
            exported.read, site, dict(asked.arguments), asked.start, asked.end,
            min(left, exported.page_size), token,
        )  # fmt: skip
        yield page.rows
        left, token = left - len(page.rows), page.token
        if token is None:
            return


async def _csv(site: "Site", exported: Exported, asked: Asked) -> AsyncIterator[bytes]:
    heading: list[Row] = [[column.name for column in exported.columns]]
    async for rows in _pages(site, exported, asked):
        text = io.StringIO()
        csv.writer(text).writerows([*heading, *(csv_values(exported.columns, row) for row in rows)])
        heading = []
        yield text.getvalue().encode(errors="replace")


async def _jsonl(site: "Site", exported: Exported, asked: Asked) -> AsyncIterator[bytes]:
    async for rows in _pages(site, exported, asked):
        text = "".join(f"{json_line(exported.columns, row)}\n" for row in rows)
        if text:
            yield text.encode(errors="replace")


async def _parquet(site: "Site", exported: Exported, asked: Asked) -> AsyncIterator[bytes]:
    with tempfile.TemporaryFile(dir=site.server.settings.data) as lines:
        async for rows in _pages(site, exported, asked):
            flat = (flat_values(exported.columns, row) for row in rows)
            lines.write("".join(f"{json_line(exported.columns, row)}\n" for row in flat).encode(errors="replace"))
        lines.seek(0)
        async for piece in parquet(exported.columns, lines):
            yield piece


_FORMATS: Final = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}

"""The review app's scripts and styles."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_OWN: Final = Path(__file__).parent / "static"
_SNIFF: Final = {"X-Content-Type-Options": "nosniff"}
_IMMUTABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable"} | _SNIFF
_NAMED: Final = {"Cache-Control": "no-cache"} | _SNIFF
"""Of what is asked for by its name alone, as modules ask for each other."""


@cache
def _files() -> dict[str, Path]:
    return {file.name: file for file in _OWN.iterdir() if file.is_file()}


@cache
def review_asset(name: str) -> str:
    """The address of a file; it changes with the file's content, so that a browser may keep it for ever."""
    content = _files()[name].read_bytes()
    return f"/review/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def review_files() -> ASGIApp:
    """An ASGI application that answers with the files."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        url = Request(scope).url
        file = _files().get(url.path.rpartition("/")[2])
        answer: Response
        if file is None:
            answer = PlainTextResponse("there is no such file\n", 404)
        else:
            answer = FileResponse(file, headers=_IMMUTABLE if url.query else _NAMED)
        await answer(scope, receive, send)

    return app

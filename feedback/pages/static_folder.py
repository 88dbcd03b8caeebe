"""A folder of scripts and styles, each at an address that changes with its content."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

_SNIFF: Final = {"X-Content-Type-Options": "nosniff"}
_IMMUTABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable"} | _SNIFF
_NAMED: Final = {"Cache-Control": "no-cache"} | _SNIFF
"""Of what is asked for by its name alone, as modules ask for each other."""


class StaticFolder:
    """The files of a folder, below a path."""

    def __init__(self, folder: Path, path: str, more: Mapping[str, Path] | None = None) -> None:
        """``more``: files from elsewhere, by the name that pages use."""
        self._folder = folder
        self._path = path
        self._more = dict(more or {})
        self._addresses: dict[str, str] = {}

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {file.name: file for file in self._folder.iterdir() if file.is_file()} | self._more

    def address(self, name: str) -> str:
        """Where a file is, for as long as its content is the same: a browser may keep it for ever."""
        if name not in self._addresses:
            digest = hashlib.sha256(self._files[name].read_bytes()).hexdigest()[:12]
            self._addresses[name] = f"{self._path}/{name}?v={digest}"
        return self._addresses[name]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application that answers with the files."""
        url = Request(scope).url
        file = self._files.get(url.path.rpartition("/")[2])
        answer: Response
        if file is None:
            answer = PlainTextResponse("there is no such file\n", 404)
        else:
            answer = FileResponse(file, headers=_IMMUTABLE if url.query else _NAMED)
        await answer(scope, receive, send)

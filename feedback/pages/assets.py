"""Scripts and styles: ours beside this file, and the charts' library from its package."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_OWN: Final = Path(__file__).parent / "static"
_IMMUTABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_UPLOT: Final = ("uPlot.iife.js", "uPlot.min.css")


@cache
def _files() -> dict[str, Path]:
    """Every file there is, by the name that pages use."""
    found = {file.name: file for file in _OWN.iterdir() if file.is_file()}
    # Found, not imported: the package's Python draws in notebooks and wants IPython for it.
    spec = importlib.util.find_spec("uplot")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found |= {name: Path(place, "static", name) for name in _UPLOT}
    return found


@cache
def asset(name: str) -> str:
    """The address of a file; it changes with the file's content, so that a browser may keep it for ever."""
    content = _files()[name].read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def static_files() -> ASGIApp:
    """An ASGI application that answers with the files."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        file = _files().get(request.url.path.rpartition("/")[2])
        answer: Response
        if file is None:
            answer = PlainTextResponse("there is no such file\n", 404)
        else:
            answer = FileResponse(file, headers=_IMMUTABLE)
        await answer(scope, receive, send)

    return app

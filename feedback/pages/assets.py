"""Scripts and styles: ours beside this file, and the charts' library from its package."""

import importlib.util
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from hansei.feedback.pages.static_folder import StaticFolder

_UPLOT: Final = ("uPlot.iife.js", "uPlot.min.css")


def _of_library() -> dict[str, Path]:
    # Found, not imported: the package's Python draws in notebooks and wants IPython for it.
    spec = importlib.util.find_spec("uplot")
    places = (spec.submodule_search_locations or ()) if spec else ()
    return {name: Path(place, "static", name) for place in places for name in _UPLOT}


_FOLDER: Final = StaticFolder(Path(__file__).parent / "static", "/static", _of_library())


def asset(name: str) -> str:
    """The address of a file; it changes with the file's content, so that a browser may keep it for ever."""
    return _FOLDER.address(name)


def static_files() -> ASGIApp:
    """An ASGI application that answers with the files."""
    return _FOLDER.app

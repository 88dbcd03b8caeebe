"""The review app's scripts and styles."""

from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from hansei.feedback.pages.static_folder import StaticFolder

_FOLDER: Final = StaticFolder(Path(__file__).parent / "static", "/review/static")


def review_asset(name: str) -> str:
    """The address of a file; it changes with the file's content, so that a browser may keep it for ever."""
    return _FOLDER.address(name)


def review_files() -> ASGIApp:
    """An ASGI application that answers with the files."""
    return _FOLDER.app

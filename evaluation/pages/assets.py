"""Styles and scripts of the pages of evaluation."""

from pathlib import Path

from starlette.types import ASGIApp

from hansei.feedback.pages.static_folder import StaticFolder

_FOLDER = StaticFolder(Path(__file__).parent / "static", "/evaluation/static")


def evaluation_asset(name: str) -> str:
    """The address of a file; it changes with the file's content, so that a browser may keep it for ever."""
    return _FOLDER.address(name)


def evaluation_files() -> ASGIApp:
    """An ASGI application that answers with the files."""
    return _FOLDER.app

"""Pages of evaluation: feedback's frame around templates of our own."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hansei.evaluation.pages.assets import evaluation_asset
from hansei.evaluation.pages.formats import FILTERS
from hansei.feedback.pages.render import HEADERS, context_of, environment


@cache
def _environment() -> Environment:
    frame = environment()
    own = FileSystemLoader(Path(__file__).parent / "templates")
    made = frame.overlay(loader=ChoiceLoader([own, *([frame.loader] if frame.loader else [])]))
    made.globals = {**frame.globals, "evaluation_asset": evaluation_asset}
    made.filters = {**frame.filters, **FILTERS}
    return made


def page(request: Request, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page, as feedback's; templates know ``evaluation_asset`` for our own files."""
    return HTMLResponse(_environment().get_template(template).render(context_of(request, shown)), status, HEADERS)

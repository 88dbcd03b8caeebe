"""From a template and what it shows to an answer."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hansei import __version__
from hansei.feedback.pages import formats
from hansei.feedback.pages.assets import asset
from hansei.feedback.pages.theme import theme_of

HEADERS: Final = {
    # Nothing inline, nothing from elsewhere: what telemetry brings cannot run, nor call home.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every page."""


@cache
def environment() -> Environment:
    """Templates escape everything that is not said to be safe; a name that is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset, version=__version__)
    made.filters.update(formats.FILTERS)
    return made


def page(request: Request, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page. Templates know what :func:`context_of` adds."""
    return HTMLResponse(environment().get_template(template).render(context_of(request, shown)), status, HEADERS)


def context_of(request: Request, shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a template is given: ``request``, ``theme``, ``path`` (of the address, with its query) and ``section``, the
    entry of the navigation that is current; then what is shown."""
    return {
        "request": request,
        "theme": theme_of(request),
        "path": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "section": "",
        **shown,
    }

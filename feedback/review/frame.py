"""The frame of the review app's pages: its own, without the way to the organiser's pages."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from hansei.feedback.pages import render
from hansei.feedback.pages.markdown import markdown
from hansei.feedback.pages.theme import theme_of
from hansei.feedback.review.assets import review_asset
from hansei.feedback.review.language import COOKIE, LANGUAGES, Language, language_of

HEADERS: Final = render.HEADERS | {
    # The address is what lets somebody in: no other site may learn it, nor a search engine.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_YEAR: Final = 365 * 24 * 3600
_LONGEST: Final = 20_000
"""Characters of a text that are shown before somebody unfolds the rest."""


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=review_asset, markdown=markdown, languages=LANGUAGES, longest=_LONGEST)
    return made


def review_page(request: Request, template: str, language: Language, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page in a language. Remembers the language that the address asks for."""
    context = {"t": language, "theme": theme_of(request), "path": request.url.path, **shown}
    answer = HTMLResponse(_environment().get_template(template).render(context), status, HEADERS)
    if request.query_params.get("lang") == language.code:
        answer.set_cookie(COOKIE, language.code, max_age=_YEAR, path="/review", samesite="lax", httponly=True)
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return answer


def message_page(request: Request, kind: str, status: int, **headers: str) -> HTMLResponse:
    """A page that says why there is nothing to see: the texts ``kind.title`` and ``kind.text``."""
    language = language_of(request)
    answer = review_page(
        request, "message.html", language, status, title=language(f"{kind}.title"), text=language(f"{kind}.text")
    )
    answer.headers.update(headers)
    return answer


def review_json(content: dict[str, Any], status: int = 200, **headers: str) -> JSONResponse:
    """An answer to the page's script."""
    return JSONResponse(content, status, HEADERS | headers)


def place_of_work(session_id: str, reviewer: str) -> str:
    """Under which name a browser keeps what was not sent: another's work in the same browser has another."""
    return hashlib.sha256(f"{session_id}\n{reviewer}".encode()).hexdigest()[:16]


def display_name(reviewer: str) -> str:
    """How somebody is greeted: of an address the name in it."""
    name, at, _ = reviewer.partition("@")
    return " ".join(part.capitalize() for part in name.replace("_", ".").split(".") if part) if at else reviewer

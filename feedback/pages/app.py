"""The pages' routes."""

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from hansei.feedback.pages.assets import static_files
from hansei.feedback.pages.labeling_page import labeling_routes
from hansei.feedback.pages.overview_page import overview_routes
from hansei.feedback.pages.sessions_page import sessions_routes
from hansei.feedback.pages.sign_in import sign_in_routes
from hansei.feedback.pages.theme import set_theme
from hansei.feedback.pages.trace_page import trace_routes
from hansei.feedback.pages.traces_page import traces_routes

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site


def page_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""

    async def home(_: "Request") -> Response:
        return RedirectResponse("/overview", 303)

    return [
        Route("/", home),
        Route("/theme", set_theme, methods=["POST"]),
        Mount("/static", static_files()),
        *sign_in_routes(site),
        *overview_routes(site),
        *traces_routes(site),
        *trace_routes(site),
        *sessions_routes(site),
        *labeling_routes(site),
    ]

"""The pages' routes."""

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from hansei.feedback.pages.assets import static_files
from hansei.feedback.pages.theme import set_theme

if TYPE_CHECKING:
    from starlette.requests import Request

    from hansei.feedback.web.site import Site


def page_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""

    async def home(_: "Request") -> Response:
        return RedirectResponse("/traces", 303)

    return [
        Route("/", home),
        Route("/theme", set_theme, methods=["POST"]),
        Mount("/static", static_files()),
    ]

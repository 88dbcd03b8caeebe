"""The routes."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route

from hansei.feedback.browser.endpoint import FeedbackEndpoint
from hansei.feedback.browser.script import feedback_script

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from hansei.feedback.web.site import Site


def browser_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""
    endpoint = FeedbackEndpoint(site)

    async def feedback(request: "Request") -> "Response":
        return await endpoint(request)

    return [
        Route("/api/v1/feedback", feedback, methods=["GET", "POST", "OPTIONS"]),
        Route("/api/v1/feedback/{name:path}", feedback, methods=["DELETE", "OPTIONS"]),
        Route("/hansei-feedback.js", feedback_script),
    ]

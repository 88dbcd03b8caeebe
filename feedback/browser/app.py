"""The routes."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def browser_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""
    return []

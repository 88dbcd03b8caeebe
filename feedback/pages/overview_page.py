"""The overview page."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def overview_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""
    return []

"""The sessions page."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def sessions_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""
    return []

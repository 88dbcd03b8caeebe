"""The routes of ``/api/v1`` for evaluation."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def evaluation_api_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""
    return []

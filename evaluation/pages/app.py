"""The routes of the pages of evaluation."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def evaluation_page_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""
    return []

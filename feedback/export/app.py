"""The routes."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route

from hansei.feedback.export.access import readable
from hansei.feedback.export.lists import LISTS
from hansei.feedback.export.requests import list_export, trace_export

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def export_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""
    readers = readable(site)
    return [
        *(Route(f"/export/{exported.name}", readers(list_export(site, exported))) for exported in LISTS),
        Route("/export/traces/{trace_id}.otlp.json", readers(trace_export(site))),
    ]

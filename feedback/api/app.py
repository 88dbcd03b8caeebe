"""The routes of ``/api/v1``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from hansei.feedback.api.assessments import assessment_routes
from hansei.feedback.api.openapi import openapi_routes
from hansei.feedback.api.resource import Unknown
from hansei.feedback.api.server import server_routes
from hansei.feedback.api.sessions import session_routes
from hansei.feedback.api.traces import trace_routes

if TYPE_CHECKING:
    from hansei.feedback.api.described import Description
    from hansei.feedback.web.site import Site


def api_routes(site: "Site", others: Sequence["Description"] = ()) -> list[BaseRoute]:
    """The routes of this package; ``others``: what the description of the API has of other packages."""
    return [
        *assessment_routes(site),
        *trace_routes(site),
        *session_routes(site),
        *server_routes(site),
        *openapi_routes(site, others),
        Unknown(),
    ]

"""The pages' port, put together: what evaluation adds comes before what feedback has."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from hansei.collector.extension import Server
from hansei.feedback.web.site import routes as feedback_routes
from hansei.feedback.web.site import site_of


def routes(server: Server) -> Sequence[BaseRoute]:
    """All routes of a hansei."""
    from hansei.evaluation.api.app import evaluation_api_routes
    from hansei.evaluation.api.openapi import EVALUATION
    from hansei.evaluation.pages.app import evaluation_page_routes

    site = site_of(server)
    return [*evaluation_api_routes(site), *evaluation_page_routes(site), *feedback_routes(site, [EVALUATION])]

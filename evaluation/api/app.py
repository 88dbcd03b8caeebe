"""The routes of ``/api/v1`` for evaluation."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from hansei.evaluation.api.batches import batch_api_routes
from hansei.evaluation.api.datasets import dataset_api_routes
from hansei.evaluation.api.judge_responses import judge_response_routes
from hansei.evaluation.api.leases import lease_api_routes
from hansei.evaluation.api.runs import run_api_routes

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def evaluation_api_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""
    return [
        *batch_api_routes(site),
        *dataset_api_routes(site),
        *lease_api_routes(site),
        *judge_response_routes(site),
        *run_api_routes(site),
    ]

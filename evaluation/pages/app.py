"""The routes of the pages of evaluation."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Mount

from hansei.evaluation.pages.assets import evaluation_files
from hansei.evaluation.pages.compare_page import compare_routes
from hansei.evaluation.pages.datasets_page import dataset_routes
from hansei.evaluation.pages.judges_page import judges_routes
from hansei.evaluation.pages.run_page import run_routes
from hansei.evaluation.pages.runs_page import runs_routes
from hansei.evaluation.pages.schedules_page import schedules_routes

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


def evaluation_page_routes(site: "Site") -> list[BaseRoute]:
    """The routes of this package."""
    return [
        Mount("/evaluation/static", evaluation_files()),
        *runs_routes(site),
        *compare_routes(site),
        *schedules_routes(site),
        *judges_routes(site),
        *run_routes(site),
        *dataset_routes(site),
    ]

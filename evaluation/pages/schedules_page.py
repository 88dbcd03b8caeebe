"""Batches that are run again and again: how far each is, when it runs next, and what its last run came to."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.evaluation.batch.store import read_batches
from hansei.evaluation.pages.answers import told
from hansei.evaluation.pages.render import page
from hansei.evaluation.runs.store import read_run
from hansei.feedback.pages.visitor import guarded

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site


def schedules_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""

    async def schedules(request: Request) -> Response:
        return page(
            request, "schedules.html", section="Evaluation", batches=await site.reader.run(_read, site.reader.query)
        )

    return [Route("/evaluation/schedules", guarded(site, Role.READ)(told(schedules)), methods=["GET"])]


def _read(query: "Query") -> list[dict[str, Any]]:
    return [
        {"batch": batch, "run": read_run(query, batch.last_run_id) if batch.last_run_id else None}
        for batch in read_batches(query)
    ]

"""The list of runs."""

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.evaluation.pages.answers import told
from hansei.evaluation.pages.render import page
from hansei.evaluation.runs.record import KINDS
from hansei.evaluation.runs.store import read_runs
from hansei.feedback.pages.visitor import guarded

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site

_AT_ONCE: Final = 50


def runs_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""

    async def runs(request: Request) -> Response:
        kind = request.query_params.get("kind", "")
        kind, batch = kind if kind in KINDS else "", request.query_params.get("batch", "")
        token = request.query_params.get("page") or None
        found = await site.reader.run(
            read_runs, site.reader.query, kind=kind, batch=batch, limit=_AT_ONCE, page_token=token
        )
        return page(
            request,
            "runs.html",
            section="Evaluation",
            runs=found,
            next_page=found.next_page_token,
            kind=kind,
            batch=batch,
        )

    return [Route("/evaluation", guarded(site, Role.READ)(told(runs)), methods=["GET"])]

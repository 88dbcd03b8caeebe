"""Two runs side by side: their metrics, and the rows that both have."""

from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.pages.answers import told
from hansei.evaluation.pages.render import page
from hansei.evaluation.runs.store import existing_run, read_rows
from hansei.feedback.pages.visitor import guarded

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

_MOST: Final = 20_000
"""Rows of a run that are compared."""
_SHOWN: Final = 100
"""Rows that changed, on the page."""


def compare_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""

    async def compare(request: Request) -> Response:
        chosen = request.query_params.getlist("run")
        chosen = chosen or [request.query_params.get(name, "") for name in ("a", "b")]
        if len(chosen) != 2 or not all(chosen) or chosen[0] == chosen[1]:
            raise InvalidEvaluation("a comparison is of two runs; choose two of them in the list")
        shown = await site.reader.run(_read, site.reader.query, chosen[0], chosen[1])
        return page(request, "compare.html", section="Evaluation", **shown)

    return [Route("/evaluation/compare", guarded(site, Role.READ)(told(compare)), methods=["GET"])]


def _read(query: "Query", first: str, second: str) -> dict[str, Any]:
    # Here, since it brings scipy with it.
    from hansei.evaluation.runs.comparison import compare_rows

    runs = sorted((existing_run(query, first), existing_run(query, second)), key=lambda run: run.started_ms)
    before, after = (read_rows(query, run.run_id, limit=_MOST) for run in runs)
    comparison = compare_rows(before, after)
    return {"before": runs[0], "after": runs[1], "comparison": comparison, "most": _SHOWN}

"""Two runs side by side: what became better and worse, and the rows that changed."""

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.pages.answers import told
from hansei.evaluation.pages.compared_runs import (
    ComparedRuns,
    compared_runs,
    other_versions,
    shown_pairs,
)
from hansei.evaluation.pages.render import page
from hansei.evaluation.runs.record import RUNNING, RunRecord
from hansei.evaluation.runs.store import existing_run
from hansei.feedback.pages.visitor import guarded

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

_AT_ONCE: Final = 20
"""Rows of a page."""
_KEPT: Final = 8
"""Comparisons that are kept for the next page of their rows."""


def compare_routes(site: "Site") -> list[BaseRoute]:
    """Its routes."""
    known = _Known()

    async def compare(request: Request) -> Response:
        asked = request.query_params
        chosen = asked.getlist("run")
        if len(chosen) != 2 or not all(chosen) or chosen[0] == chosen[1]:
            raise InvalidEvaluation("a comparison is of two runs; choose two of them in the list")
        start = asked.get("from", "")
        skip = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 0
        risen = asked.get("order") == "risen"
        shown = await site.reader.run(
            _read, known, site.reader.query, (chosen[0], chosen[1]), asked.get("of", ""), skip, risen=risen
        )
        return page(request, "compare.html", section="Evaluation", start=skip, risen=risen, **shown)

    return [Route("/evaluation/compare", guarded(site, Role.READ)(told(compare)), methods=["GET"])]


class _Known:
    """The last comparisons of runs that have ended, which stay as they are."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str], ComparedRuns] = OrderedDict()
        self._lock = Lock()

    def compared(self, query: "Query", before: RunRecord, after: RunRecord) -> ComparedRuns:
        """A comparison. Raises ``EvaluationError``."""
        key = (before.run_id, after.run_id)
        with self._lock:
            found = self._found.pop(key, None)
        if found is None:
            found = compared_runs(query, before, after)
        if RUNNING not in (before.status, after.status):
            with self._lock:
                self._found[key] = found
                while len(self._found) > _KEPT:
                    self._found.popitem(last=False)
        return found


def _read(known: _Known, query: "Query", ids: tuple[str, str], name: str, skip: int, *, risen: bool) -> dict[str, Any]:
    before, after = sorted((existing_run(query, run_id) for run_id in ids), key=lambda run: run.started_ms)
    found = known.compared(query, before, after)
    names = found.names()
    name = name if name in names else ""
    ordered = found.ordered(name, risen=risen)
    comparison = found.comparison
    return {
        "before": before,
        "after": after,
        "comparison": comparison,
        "metrics": [
            (each, found.before.interval(each, each.found.before), found.after.interval(each, each.found.after))
            for each in comparison.metrics
        ],
        "other_versions": other_versions(before, after),
        "names": names,
        "of": name,
        "total": len(ordered),
        "pairs": shown_pairs(query, before, after, ordered[skip : skip + _AT_ONCE]),
        "next_start": skip + _AT_ONCE if len(ordered) > skip + _AT_ONCE else None,
        "previous_start": max(skip - _AT_ONCE, 0) if skip else None,
    }

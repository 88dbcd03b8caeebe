"""One run: its metrics, what became of its scores, and its rows."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hansei.collector.keys import Role
from hansei.evaluation.pages.answers import told
from hansei.evaluation.pages.render import page
from hansei.evaluation.runs.record import RowScore, RunRecord, RunRow
from hansei.evaluation.runs.store import (
    count_rows,
    delete_run,
    existing_run,
    read_lowest_rows,
    read_rows,
    read_scores_of_run,
)
from hansei.feedback.pages.visitor import guarded

if TYPE_CHECKING:
    from hansei.feedback.search.connection import Query
    from hansei.feedback.web.site import Site

_AT_ONCE: Final = 25


def run_routes(site: "Site") -> list[BaseRoute]:
    """Its routes: looking needs the role ``read``, deleting ``feedback``."""

    async def run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        start = request.query_params.get("from", "")
        skip = int(start) if start.isascii() and start.isdigit() and len(start) < 9 else 0
        by = request.query_params.get("by", "")
        shown = await site.reader.run(_read, site.reader.query, run_id, by, skip)
        may_delete = request.state.visitor.may(Role.FEEDBACK)
        return page(request, "run.html", section="Evaluation", by=by, start=skip, may_delete=may_delete, **shown)

    async def delete(request: Request) -> Response:
        who = request.state.visitor.name
        await site.reader.run(delete_run, site.tables, request.path_params["run_id"], changed_by=who)
        return RedirectResponse("/evaluation", 303)

    return [
        Route("/evaluation/{run_id}", guarded(site, Role.READ)(told(run)), methods=["GET"]),
        Route("/evaluation/{run_id}/delete", guarded(site, Role.FEEDBACK)(told(delete)), methods=["POST"]),
    ]


def _read(query: "Query", run_id: str, by: str, skip: int) -> dict[str, Any]:
    record = existing_run(query, run_id)
    if record.kind == "batch":
        rows = [_row_of(row) for row in read_scores_of_run(query, run_id, skip=skip, limit=_AT_ONCE + 1)]
        total = None
    else:
        total = count_rows(query, run_id)
        if by:
            rows = read_lowest_rows(query, run_id, by, skip=skip, limit=_AT_ONCE + 1)
        else:
            rows = read_rows(query, run_id, start=skip, limit=_AT_ONCE + 1)
    return {
        "run": record,
        "rows": rows[:_AT_ONCE],
        "names": score_names(record, rows),
        "total": total,
        "next_start": skip + _AT_ONCE if len(rows) > _AT_ONCE else None,
        "previous_start": max(skip - _AT_ONCE, 0) if skip else None,
    }


def score_names(record: RunRecord, rows: Iterable[RunRow]) -> list[str]:
    """The names of a run's scores: those of its metrics, then others that its rows have."""
    names = {name.rpartition("/")[0].partition("/")[0]: None for name in record.metrics}
    names |= {score.name: None for row in rows for score in row.scores}
    return list(names)


def _row_of(row: Mapping[str, Any]) -> RunRow:
    """What a batch said of a subject, as a row of one score."""
    metadata = row["Metadata"]
    score = RowScore(
        row["Name"],
        metadata.get("scorer", ""),
        metadata.get("scorer_version", ""),
        json.loads(row["Value"] or "null"),
        row["Rationale"],
        row["SourceType"],
        row["SourceId"],
        row["Error"],
        assessment_id=row["AssessmentId"],
        span_id=row["SpanId"],
    )
    return RunRow(0, row["TraceId"], row["SessionId"], scores=[score])

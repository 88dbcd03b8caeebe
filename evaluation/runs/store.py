"""Reading and writing runs, inside the server."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hansei.evaluation.errors import EvaluationConflict, UnknownEvaluation
from hansei.evaluation.json_text import stored_json
from hansei.evaluation.runs.numbers import number_of
from hansei.evaluation.runs.record import RUNNING, RowScore, RunRecord, RunRow
from hansei.evaluation.statements import statement
from hansei.feedback.search.connection import Query
from hansei.feedback.search.moment import END_OF_TIME
from hansei.feedback.search.page import Page, place_of, token_of
from hansei.feedback.sql_blocks import fill
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = (
    "RunId", "Name", "Kind", "Status", "StartedAt", "EndedAt", "Config", "Metrics", "Intervals", "Funnel", "DatasetId",
    "DatasetVersion", "LabelingSessionId", "Batch", "WindowStart", "WindowEnd", "Message", "Tags", "ChangedBy",
    "Deleted", "Written",
)  # fmt: skip
_ROW_COLUMNS: Final = (
    "RunId", "Position", "TraceId", "SessionId", "RecordId", "Inputs", "Outputs", "Expectations", "ExpectedBy", "Tags",
    "Error", "DurationMs", "Scores.Name", "Scores.Scorer", "Scores.Version", "Scores.Value", "Scores.NumericValue",
    "Scores.Rationale", "Scores.SourceType", "Scores.SourceId", "Scores.Error", "Scores.Skipped",
    "Scores.AssessmentId", "Scores.SpanId", "Scores.DurationMs", "Scores.CostUsd", "Written",
)  # fmt: skip
_LAST: Final = "\U0010ffff"
"""Sorts after every id."""


def new_run_id() -> str:
    """As MLflow's: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def write_run(tables: Tables, record: RunRecord, *, changed_by: str = "", deleted: bool = False) -> None:
    """Write a run as it is from now on."""
    row = (
        record.run_id, record.name, record.kind, record.status, record.started_ms, record.ended_ms,
        stored_json(record.config), stored_json(record.metrics), stored_json(record.intervals),
        stored_json(record.funnel), record.dataset_id, record.dataset_version, record.labeling_session_id,
        record.batch, record.window_start_ms, record.window_end_ms, record.message,
        dict(record.tags), changed_by, int(deleted), tables.clock.tick(),
    )  # fmt: skip
    tables.insert("evaluation_runs", _COLUMNS, [row])


def change_run(tables: Tables, run_id: str, changes: Mapping[str, Any], *, changed_by: str = "") -> RunRecord:
    """Write what changes of a run that is under way. Raises ``UnknownEvaluation``, ``EvaluationConflict``."""
    with tables.turn:
        record = existing_run(tables.query, run_id)
        if record.status != RUNNING:
            raise EvaluationConflict(f"the run {run_id} has ended ({record.status}); start another")
        changed = replace(record, **changes)
        if changed.status != RUNNING and changed.ended_ms is None:
            changed = replace(changed, ended_ms=tables.clock.tick() // 1_000_000)
        write_run(tables, changed, changed_by=changed_by)
    return changed


def delete_run(tables: Tables, run_id: str, *, changed_by: str = "") -> None:
    """Take a run from the list; its scores stay in the ledger. Raises ``UnknownEvaluation``."""
    with tables.turn:
        write_run(tables, existing_run(tables.query, run_id), changed_by=changed_by, deleted=True)


def write_rows(tables: Tables, run_id: str, rows: Sequence[RunRow]) -> None:
    """Write rows of a run; one of the same position replaces what was there. Raises ``UnknownEvaluation``."""
    existing_run(tables.query, run_id)
    tables.insert("evaluation_rows", _ROW_COLUMNS, [_row(run_id, row, tables.clock.tick()) for row in rows])


def read_run(query: Query, run_id: str) -> RunRecord | None:
    """A run; None where there is none."""
    rows = query(_with_columns("run"), {"run_id": run_id})
    return _record(rows[0]) if rows else None


def existing_run(query: Query, run_id: str) -> RunRecord:
    """A run. Raises ``UnknownEvaluation``."""
    record = read_run(query, run_id)
    if record is None:
        raise UnknownEvaluation(f"there is no run {run_id[:80]!r}")
    return record


def read_runs(
    query: Query, *, kind: str = "", batch: str = "", name: str = "", limit: int = 100, page_token: str | None = None
) -> Page[RunRecord]:
    """Runs, the last to start first. Raises ``InvalidSearch`` for a page token that is none."""
    before: Sequence[Any] = [END_OF_TIME, _LAST] if page_token is None else place_of(page_token, int, str)
    asked = {
        "kind": kind, "batch": batch, "name": name, "before": before[0], "before_id": before[1], "limit": limit + 1,
    }  # fmt: skip
    found = [_record(row) for row in query(_with_columns("runs"), asked)]
    if len(found) <= limit:
        return Page(found)
    return Page(found[:limit], token_of(found[limit - 1].started_ms, found[limit - 1].run_id))


def read_rows(query: Query, run_id: str, *, start: int = 0, limit: int = 100) -> list[RunRow]:
    """The rows of a run from a position on."""
    asked = {"run_id": run_id, "from": start, "limit": limit}
    sql = fill(statement("runs", "run_rows"), columns=statement("runs", "row_columns"))
    return [_row_of(row) for row in query(sql, asked)]


def read_rows_at(query: Query, run_id: str, positions: Sequence[int]) -> list[RunRow]:
    """Some rows of a run, by their positions, in any order."""
    sql = fill(statement("runs", "run_rows_at"), columns=statement("runs", "row_columns"))
    return [_row_of(row) for row in query(sql, {"run_id": run_id, "positions": list(positions)})]


def read_lowest_rows(query: Query, run_id: str, name: str, *, skip: int = 0, limit: int = 100) -> list[RunRow]:
    """The rows of a run that failed, or have no value, or the lowest ones, by a score's name; then the others."""
    asked = {"run_id": run_id, "name": name, "skip": skip, "limit": limit}
    sql = fill(statement("runs", "lowest_run_rows"), columns=statement("runs", "row_columns"))
    return [_row_of(row) for row in query(sql, asked)]


def read_scores_of_run(query: Query, run_id: str, *, skip: int = 0, limit: int = 100) -> list[Mapping[str, Any]]:
    """The assessments of a run, as rows of ``feedback`` under their columns, with where their trace began."""
    return list(query(statement("runs", "scores_of_run"), {"run_id": run_id, "skip": skip, "limit": limit}))


def count_rows(query: Query, run_id: str) -> int:
    """How many rows a run has."""
    (row,) = query(statement("runs", "run_row_count"), {"run_id": run_id})
    return int(row["Rows"])


def _with_columns(name: str) -> str:
    return fill(statement("runs", name), columns=statement("runs", "run_columns"))


def _record(row: Mapping[str, Any]) -> RunRecord:
    return RunRecord(
        run_id=row["RunId"],
        name=row["Name"],
        kind=row["Kind"],
        status=row["Status"],
        started_ms=row["StartedMs"],
        ended_ms=row["EndedMs"],
        config=json.loads(row["Config"]),
        metrics=json.loads(row["Metrics"]),
        intervals=json.loads(row["Intervals"]),
        funnel=json.loads(row["Funnel"]),
        dataset_id=row["DatasetId"],
        dataset_version=row["DatasetVersion"],
        labeling_session_id=row["LabelingSessionId"],
        batch=row["Batch"],
        window_start_ms=row["WindowStartMs"],
        window_end_ms=row["WindowEndMs"],
        message=row["Message"],
        tags=row["Tags"],
    )


def _row(run_id: str, row: RunRow, written: int) -> tuple[Any, ...]:
    scores = row.scores
    return (
        run_id, row.position, row.trace_id, row.session_id, row.record_id, stored_json(row.inputs),
        stored_json(row.outputs), stored_json(row.expectations), stored_json(row.expected_by),
        dict(row.tags), row.error, row.duration_ms,
        [each.name for each in scores], [each.scorer for each in scores], [each.version for each in scores],
        [stored_json(each.value) for each in scores], [number_of(each.value) for each in scores],
        [each.rationale for each in scores], [each.source_type for each in scores], [each.source_id for each in scores],
        [each.error for each in scores], [each.skipped for each in scores], [each.assessment_id for each in scores],
        [each.span_id for each in scores], [each.duration_ms for each in scores], [each.cost_usd for each in scores],
        written,
    )  # fmt: skip


def _row_of(row: Mapping[str, Any]) -> RunRow:
    scores: Iterable[tuple[Any, ...]] = zip(
        row["ScoreNames"], row["ScoreScorers"], row["ScoreVersions"], map(json.loads, row["ScoreValues"]),
        row["ScoreRationales"], row["ScoreSourceTypes"], row["ScoreSourceIds"], row["ScoreErrors"],
        row["ScoreSkipped"], row["ScoreAssessmentIds"], row["ScoreSpanIds"], row["ScoreDurations"], row["ScoreCosts"],
        strict=True,
    )  # fmt: skip
    return RunRow(
        position=row["Position"],
        trace_id=row["TraceId"],
        session_id=row["SessionId"],
        record_id=row["RecordId"],
        inputs=json.loads(row["Inputs"]),
        outputs=json.loads(row["Outputs"]),
        expectations=json.loads(row["Expectations"]),
        expected_by=json.loads(row["ExpectedBy"]),
        tags=row["Tags"],
        error=row["Error"],
        duration_ms=row["DurationMs"],
        scores=[RowScore(*score) for score in scores],
    )

"""What is compared: the rows of a run, however it is given."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.errors import EvaluationError, InvalidEvaluation
from hansei.evaluation.runs.record import RowScore, RunRow
from hansei.evaluation.runs.store import existing_run, read_rows, read_scores_of_run
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.connection import Query, connections

_AT_ONCE: Final = 1000
_MOST: Final = 200_000
"""Rows of a run, or scores of a batch."""
_VALUE: Final = "/value"


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run's name and its rows."""

    name: str
    rows: Sequence[RunRow]


def compared_run(argument: str, given: object) -> ComparedRun:
    """Of an ``EvaluationResult``, a run's id or a DataFrame. Raises ``InvalidEvaluation``, ``UnknownEvaluation``."""
    if isinstance(given, str):
        return read_compared(connections.query, given)
    rows = getattr(given, "rows", None)
    if isinstance(rows, list) and all(isinstance(row, RunRow) for row in rows):
        return ComparedRun(str(getattr(given, "name", argument)), rows)
    if hasattr(given, "columns") and hasattr(given, "to_dict"):
        return ComparedRun(argument, list(_of_frame(argument, given)))
    raise InvalidEvaluation(
        f"{argument}: {brief(given)} is no run; give what evaluate() answers, the id of a run, or a result_df"
    )


def read_compared(query: Query, run_id: str) -> ComparedRun:
    """A run that is stored. Raises ``UnknownEvaluation``."""
    run = existing_run(query, run_id)
    rows: list[RunRow] = []
    if run.kind == "batch":
        scores = read_scores_of_run(query, run_id, limit=_MOST)
        _check(run_id, len(scores))
        return ComparedRun(run.name, list(_of_scores(scores)))
    while True:
        found = read_rows(query, run_id, start=rows[-1].position + 1 if rows else 0, limit=_AT_ONCE)
        rows += found
        _check(run_id, len(rows))
        if len(found) < _AT_ONCE:
            return ComparedRun(run.name, rows)


def _check(run_id: str, number: int) -> None:
    if number >= _MOST:
        raise EvaluationError(f"run {run_id} has {_MOST:,} rows or scores, or more; too many to be compared here")


def _of_scores(found: Sequence[Mapping[str, Any]]) -> Iterator[RunRow]:
    """What a batch said, a row for each trace and each conversation."""
    of_subject: dict[tuple[str, str], list[RowScore]] = {}
    for row in found:
        metadata = row["Metadata"]
        score = RowScore(
            row["Name"],
            metadata.get("scorer", row["Name"]),
            metadata.get("scorer_version", ""),
            json.loads(row["Value"]),
            row["Rationale"],
            error=row["Error"],
            span_id=row["SpanId"],
        )
        if not score.span_id:
            of_subject.setdefault((row["TraceId"], row["SessionId"]), []).append(score)
    for position, ((trace_id, session_id), scores) in enumerate(sorted(of_subject.items(), key=lambda each: each[0])):
        yield RunRow(position, trace_id, session_id, scores=scores)


def _of_frame(argument: str, given: Any) -> Iterator[RunRow]:
    names = [str(column).removesuffix(_VALUE) for column in given.columns if str(column).endswith(_VALUE)]
    if not names:
        raise InvalidEvaluation(f"{argument}: the DataFrame has no column NAME/value; give a result_df")
    for position, row in enumerate(given.to_dict("records")):
        scores = [RowScore(name, name, "", _there(row[f"{name}{_VALUE}"])) for name in names]
        tags = row.get("tags")
        yield RunRow(
            position,
            _there(row.get("trace_id")) or "",
            _there(row.get("session_id")) or "",
            _there(row.get("record_id")) or "",
            inputs=_there(row.get("inputs")),
            outputs=_there(row.get("outputs")),
            tags=tags if isinstance(tags, Mapping) else {},
            scores=scores,
        )


def _there(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value

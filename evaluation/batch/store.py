"""Reading and writing batches, inside the server."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hansei.evaluation.batch.record import BatchRecord
from hansei.evaluation.errors import EvaluationConflict, UnknownEvaluation
from hansei.evaluation.statements import statement
from hansei.feedback.search.connection import Query
from hansei.feedback.sql_blocks import fill
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = (
    "Name", "Config", "Schedule", "Watermark", "RetryFrom", "NextRunAt", "LastRunId", "Status", "ChangedBy", "Deleted",
    "Written",
)  # fmt: skip
_MILLISECOND: Final = 1_000_000
"""Nanoseconds."""


def read_batch(query: Query, name: str) -> BatchRecord | None:
    """A batch; None where there is none."""
    rows = query(_with_columns("batch"), {"name": name})
    return _record(rows[0]) if rows else None


def read_batches(query: Query) -> list[BatchRecord]:
    """All batches, by name."""
    return [_record(row) for row in query(_with_columns("batches"), {})]


def existing_batch(query: Query, name: str) -> BatchRecord:
    """A batch. Raises ``UnknownEvaluation``."""
    found = read_batch(query, name)
    if found is None:
        raise UnknownEvaluation(f"there is no batch {name[:80]!r}")
    return found


def change_batch(tables: Tables, name: str, changes: Mapping[str, Any], *, changed_by: str = "") -> BatchRecord:
    """Write what changes of a batch, which need not be there yet. Raises ``EvaluationConflict``."""
    with tables.turn:
        known = read_batch(tables.query, name) or BatchRecord(name)
        changed = replace(known, **changes)
        if changed.watermark_ms < known.watermark_ms:
            raise EvaluationConflict(
                f"the watermark of {name!r} is at {known.watermark_ms} ms already and goes forward only; "
                "use --since and --until for what is older"
            )
        _write(tables, changed, changed_by, deleted=False)
    return changed


def delete_batch(tables: Tables, name: str, *, changed_by: str = "") -> None:
    """Forget how far a batch has come; its runs and scores stay. Raises ``UnknownEvaluation``."""
    with tables.turn:
        _write(tables, existing_batch(tables.query, name), changed_by, deleted=True)


def _write(tables: Tables, record: BatchRecord, changed_by: str, *, deleted: bool) -> None:
    config = json.dumps(record.config, ensure_ascii=False, separators=(",", ":"))
    row = (
        record.name, config, record.schedule, record.watermark_ms * _MILLISECOND, record.retry_from_ms * _MILLISECOND,
        record.next_run_ms, record.last_run_id, record.status, changed_by, int(deleted), tables.clock.tick(),
    )  # fmt: skip
    tables.insert("evaluation_batches", _COLUMNS, [row])


def _with_columns(name: str) -> str:
    return fill(statement("batch", name), columns=statement("batch", "batch_columns"))


def _record(row: Mapping[str, Any]) -> BatchRecord:
    return BatchRecord(
        name=row["Name"],
        config=json.loads(row["Config"] or "{}"),
        schedule=row["Schedule"],
        watermark_ms=row["Watermark"] // _MILLISECOND,
        retry_from_ms=row["RetryFrom"] // _MILLISECOND,
        next_run_ms=row["NextRunMs"],
        last_run_id=row["LastRunId"],
        status=row["Status"],
    )

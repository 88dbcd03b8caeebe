"""The records of a version: reading them, a page at a time or by their ids, and writing rows of a merge."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.datasets.record import DatasetRecord, LabelSource
from hansei.evaluation.json_text import stored_json
from hansei.evaluation.statements import statement
from hansei.feedback.search.connection import Query
from hansei.feedback.sql_blocks import fill
from hansei.feedback.web.tables import Tables

_COLUMNS: Final = (
    "DatasetId", "RecordId", "Version", "MergeId", "Inputs", "Outputs", "Expectations", "Tags", "TraceId", "SpanId",
    "SessionId", "Labels.Expectation", "Labels.Rule", "Labels.TraceId", "Labels.AssessmentIds", "Labels.SourceIds",
    "Labels.LabelingSessionId", "Labels.LabelSchemaVersion", "File", "Digest", "Position", "Deleted", "ChangedBy",
    "Written",
)  # fmt: skip
Place = tuple[int, str]
"""Of a record in the order of a version: its position and its id."""
BEGINNING: Final[Place] = (0, "")


def read_records(
    query: Query, dataset_id: str, version: int, *, after: Place = BEGINNING, limit: int = 100
) -> list[DatasetRecord]:
    """The records of a version behind a place, in their order."""
    asked = {
        "dataset_id": dataset_id, "version": version, "after": after[0], "after_id": after[1], "limit": limit,
    }  # fmt: skip
    return [_record(row) for row in query(_sql("records_page"), asked)]


def records_by_id(query: Query, dataset_id: str, version: int, record_ids: Sequence[str]) -> dict[str, DatasetRecord]:
    """Some records of a version, by their ids; those that are not in it are left out."""
    if not record_ids:
        return {}
    asked = {"dataset_id": dataset_id, "version": version, "record_ids": list(record_ids)}
    return {row["RecordId"]: _record(row) for row in query(_sql("records_by_id"), asked)}


def traces_of_records(query: Query, dataset_id: str, version: int) -> tuple[list[tuple[str, str]], int]:
    """The trace and the span of each record of a version that has a trace, and how many have none."""
    rows = query(_sql("traces_of_records"), {"dataset_id": dataset_id, "version": version})
    found = [(row["TraceId"], row["SpanId"]) for row in rows if row["TraceId"]]
    return found, len(rows) - len(found)


def write_records(
    tables: Tables,
    dataset_id: str,
    version: int,
    merge_id: str,
    records: Sequence[DatasetRecord],
    *,
    changed_by: str = "",
    deleted: bool = False,
) -> None:
    """Write records as they are from a version on; they count once the version has this merge."""
    rows: list[Sequence[Any]] = []
    for record in records:
        labels = list(record.labels.items())
        rows.append(
            (
                dataset_id, record.record_id, version, merge_id, stored_json(record.inputs),
                stored_json(record.outputs), stored_json(dict(record.expectations)), dict(record.tags),
                record.trace_id, record.span_id, record.session_id,
                [name for name, _ in labels], [label.rule for _, label in labels],
                [label.trace_id for _, label in labels], [list(label.assessment_ids) for _, label in labels],
                [list(label.source_ids) for _, label in labels], [label.labeling_session_id for _, label in labels],
                [label.label_schema_version for _, label in labels], record.file, record.digest(), record.position,
                int(deleted), changed_by, tables.clock.tick(),
            )
        )  # fmt: skip
    tables.insert("dataset_records", _COLUMNS, rows)


def _sql(name: str) -> str:
    return fill(
        statement("datasets", name),
        columns=statement("datasets", "record_columns"),
        merges=statement("datasets", "merges_up_to"),
    )


def _record(row: Mapping[str, Any]) -> DatasetRecord:
    labels = zip(
        row["LabelNames"], row["LabelRules"], row["LabelTraceIds"], row["LabelAssessmentIds"], row["LabelSourceIds"],
        row["LabelSessionIds"], row["LabelVersions"], strict=True,
    )  # fmt: skip
    return DatasetRecord(
        record_id=row["RecordId"],
        inputs=json.loads(row["Inputs"]),
        outputs=json.loads(row["Outputs"]),
        expectations=json.loads(row["Expectations"]),
        tags=row["Tags"],
        trace_id=row["TraceId"],
        span_id=row["SpanId"],
        session_id=row["SessionId"],
        labels={
            name: LabelSource(rule, trace_id, tuple(assessments), tuple(sources), session_id, version)
            for name, rule, trace_id, assessments, sources, session_id, version in labels
        },
        file=row["File"],
        position=row["Position"],
        version=row["Version"],
    )

"""What a record becomes when others of the same inputs are merged into it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hansei.evaluation.datasets.given import Given
from hansei.evaluation.datasets.record import DatasetRecord, LabelSource
from hansei.evaluation.expectations import Choice, OnConflict, expected_of
from hansei.evaluation.json_text import canonical_json
from hansei.feedback.assessment import Assessment
from hansei.feedback.search.stored import assessment_of


@dataclass(frozen=True, slots=True)
class Conflict:
    """An expectation about which people disagree: it is left out."""

    record_id: str
    trace_id: str
    name: str
    said: Sequence[tuple[str, Any]]
    """Who says what."""

    def to_json(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "record_id": self.record_id,
            "trace_id": self.trace_id,
            "name": self.name,
            "said": [{"source_id": source_id, "value": value} for source_id, value in self.said],
        }


@dataclass(frozen=True, slots=True)
class Merged:
    """A record after a merge, and what could not be settled about it."""

    record: DatasetRecord
    conflicts: Sequence[Conflict]


def merged(
    record_id: str, base: DatasetRecord | None, given: Sequence[Given], position: int, on_conflict: OnConflict
) -> Merged:
    """A record with others merged into it in their order; ``base`` is None for a new one, which gets the position.

    Expectations and tags are merged by name. What people said of all its traces is weighed together, and holds unless
    a given record says otherwise itself. Outputs replace outputs, and with them the trace that they came from. Raises
    ``EvaluationConflict`` where people disagree and that is an error.
    """
    record = base or DatasetRecord(record_id, given[0].inputs, position=position)
    said = _said(given)
    expected = expected_of(said, on_conflict=on_conflict)
    traces = {each.assessment_id: each.trace_id or "" for each in said}
    for name, value in expected.values.items():
        record = _with_expectation(record, name, value, _label(expected.by[name], traces))
    for name, those in expected.conflicts.items():
        record = _without_disputed(record, name, those)
    for each in given:
        record = _with(record, each)
    told = {name for each in given for name in each.expectations}
    conflicts = [
        Conflict(
            record_id,
            those[0].trace_id or "",
            name,
            [(each.source.source_id if each.source else "", each.value) for each in those],
        )
        for name, those in expected.conflicts.items()
        if name not in told
    ]
    return Merged(record, conflicts)


def _said(given: Iterable[Given]) -> list[Assessment]:
    found: dict[tuple[str, str], Assessment] = {}
    for each in given:
        for row in each.said:
            # What is said of the span that a record was made of is said of the whole record.
            of_record = {**row, "SpanId": ""} if each.span_id and row["SpanId"] == each.span_id else row
            found[row["TraceId"], row["AssessmentId"]] = assessment_of(dict(of_record))
    return list(found.values())


def _label(choice: Choice, traces: Mapping[str | None, str]) -> LabelSource:
    return LabelSource(
        choice.rule,
        traces.get(choice.assessment_ids[0], ""),
        tuple(choice.assessment_ids),
        tuple(choice.source_ids),
        choice.labeling_session_id,
        choice.label_schema_version,
    )


def _with(record: DatasetRecord, given: Given) -> DatasetRecord:
    for name, value in given.expectations.items():
        record = _with_expectation(record, name, value, given.labels.get(name))
    changes: dict[str, Any] = {"tags": {**record.tags, **given.tags}}
    if given.outputs is not None:
        changes["outputs"] = given.outputs
    if given.trace_id and (given.outputs is not None or not record.trace_id):
        changes |= {"trace_id": given.trace_id, "span_id": given.span_id, "session_id": given.session_id}
    elif given.session_id and not record.session_id:
        changes["session_id"] = given.session_id
    if given.file:
        changes["file"] = given.file
    return replace(record, **changes)


def _with_expectation(record: DatasetRecord, name: str, value: Any, label: LabelSource | None) -> DatasetRecord:
    labels = dict(record.labels)
    if label is not None:
        labels[name] = label
    elif name in labels and canonical_json(record.expectations.get(name)) != canonical_json(value):
        # Who was asked said something else.
        del labels[name]
    return replace(record, expectations={**record.expectations, name: value}, labels=labels)


def _without_disputed(record: DatasetRecord, name: str, said: Sequence[Assessment]) -> DatasetRecord:
    """Without an expectation that was taken from one of those who disagree now."""
    label = record.labels.get(name)
    if label is None or not {each.assessment_id for each in said} & set(label.assessment_ids):
        return record
    return replace(
        record,
        expectations={other: value for other, value in record.expectations.items() if other != name},
        labels={other: each for other, each in record.labels.items() if other != name},
    )

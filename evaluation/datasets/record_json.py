"""Datasets, their versions and records as the API and files have them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hansei.evaluation.datasets.record import DatasetInfo, DatasetRecord, LabelSource, VersionRecord
from hansei.evaluation.errors import InvalidEvaluation
from hansei.feedback.export.columns import iso_of_milliseconds
from hansei.feedback.labeling.texts import brief

Json = dict[str, Any]


def dataset_json(info: DatasetInfo, head: VersionRecord) -> Json:
    """A dataset, with its latest version."""
    return {
        "dataset_id": info.dataset_id,
        "name": info.name,
        "description": info.description,
        "tags": dict(info.tags),
        "created_at": iso_of_milliseconds(info.created_ms),
        "version": head.version,
        "records": head.records,
        "path": f"/datasets/{info.dataset_id}",
    }


def version_json(version: VersionRecord) -> Json:
    """A version."""
    found = asdict(version)
    created = iso_of_milliseconds(found.pop("created_ms"))
    return {**found, "created_at": created}


def record_json(record: DatasetRecord) -> Json:
    """A record, in the form in which it is taken too."""
    return {
        "record_id": record.record_id,
        "inputs": record.inputs,
        "outputs": record.outputs,
        "expectations": dict(record.expectations),
        "tags": dict(record.tags),
        "source": source_json(record),
        "version": record.version,
    }


def source_json(record: DatasetRecord) -> Json:
    """Where a record came from: of what is not known there is nothing."""
    found: Json = {}
    if record.trace_id:
        found["trace"] = {"trace_id": record.trace_id} | ({"span_id": record.span_id} if record.span_id else {})
    if record.session_id:
        found["session"] = {"session_id": record.session_id}
    if record.labels:
        found["labels"] = {name: label.to_json() for name, label in sorted(record.labels.items())}
    if record.file:
        found["file"] = {"name": record.file}
    return found


def source_of(given: object) -> Json:
    """The fields of a record that a ``source`` tells. Raises ``InvalidEvaluation``."""
    source = _object("source", given, ("trace", "session", "labels", "file"))
    trace = _texts("source.trace", source.get("trace"), ("trace_id", "span_id"))
    session = _texts("source.session", source.get("session"), ("session_id",))
    file = _texts("source.file", source.get("file"), ("name",))
    labels = source.get("labels")
    if labels is not None and not isinstance(labels, Mapping):
        raise InvalidEvaluation(f"source.labels: {brief(labels)} is not an object")
    return {
        "trace_id": trace.get("trace_id", ""),
        "span_id": trace.get("span_id", ""),
        "session_id": session.get("session_id", ""),
        "file": file.get("name", ""),
        "labels": {str(name): label_of(f"source.labels.{name}", each) for name, each in (labels or {}).items()},
    }


def label_of(where: str, given: object) -> LabelSource:
    """A label's source of its JSON. Raises ``InvalidEvaluation``."""
    lists, texts = ("assessment_ids", "source_ids"), ("rule", "trace_id", "labeling_session_id", "label_schema_version")
    found = _object(where, given, (*texts, *lists))
    for name in lists:
        each = found.get(name, [])
        if not isinstance(each, list) or not all(isinstance(one, str) for one in each):
            raise InvalidEvaluation(f"{where}.{name}: {brief(each)} is not a list of texts")
    for name in texts:
        if not isinstance(found.get(name, ""), str):
            raise InvalidEvaluation(f"{where}.{name}: {brief(found[name])} is not a text")
    return LabelSource(
        rule=found.get("rule", ""),
        trace_id=found.get("trace_id", ""),
        assessment_ids=tuple(found.get("assessment_ids", ())),
        source_ids=tuple(found.get("source_ids", ())),
        labeling_session_id=found.get("labeling_session_id", ""),
        label_schema_version=found.get("label_schema_version", ""),
    )


def _object(where: str, given: object, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidEvaluation(f"{where}: {brief(given)} is not an object")
    for name in given:
        if name not in allowed:
            raise InvalidEvaluation(f"{where}.{str(name)[:80]}: there is no such field; there are {', '.join(allowed)}")
    return given


def _texts(where: str, given: object, allowed: tuple[str, ...]) -> dict[str, str]:
    found = _object(where, given, allowed)
    for name, each in found.items():
        if not isinstance(each, str):
            raise InvalidEvaluation(f"{where}.{name}: {brief(each)} is not a text")
    return dict(found)

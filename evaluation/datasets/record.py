"""What a dataset is made of, as the tables hold it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hansei.evaluation.json_text import canonical_json


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A dataset without its records."""

    dataset_id: str
    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version, and what it changed of the one before. Version 0 is empty, and is written nowhere."""

    version: int
    records: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    note: str = ""
    created_ms: int = 0
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where an expectation came from that people gave."""

    rule: str
    """How it was chosen where several people said something."""
    trace_id: str = ""
    assessment_ids: Sequence[str] = ()
    source_ids: Sequence[str] = ()
    labeling_session_id: str = ""
    label_schema_version: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "rule": self.rule,
            "trace_id": self.trace_id,
            "assessment_ids": list(self.assessment_ids),
            "source_ids": list(self.source_ids),
            "labeling_session_id": self.labeling_session_id,
            "label_schema_version": self.label_schema_version,
        }


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A record, as it is from a version on."""

    record_id: str
    inputs: Any
    outputs: Any = None
    expectations: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    trace_id: str = ""
    span_id: str = ""
    session_id: str = ""
    labels: Mapping[str, LabelSource] = field(default_factory=dict)
    """By the name of the expectation."""
    file: str = ""
    position: int = 0
    version: int = 0
    """The one from which on it is so."""

    def digest(self) -> str:
        """A hash of what it says and where that came from. A file's name alone makes no difference."""
        said = {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "expectations": dict(self.expectations),
            "tags": dict(self.tags),
            "from": [self.trace_id, self.span_id, self.session_id],
            "labels": {name: label.to_json() for name, label in self.labels.items()},
        }
        return hashlib.sha256(canonical_json(said).encode()).hexdigest()[:32]


def record_id_of(inputs: Any) -> str:
    """The id of the record with these inputs, in whichever order an object's members come."""
    return f"r-{hashlib.sha256(canonical_json(inputs).encode()).hexdigest()[:32]}"

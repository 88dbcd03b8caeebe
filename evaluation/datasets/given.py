"""Records as they are given to be merged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hansei.evaluation.datasets.record import LabelSource, record_id_of
from hansei.evaluation.datasets.record_json import label_of, source_of
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.json_text import stored_json
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.ids import span_id_or_none, trace_id_or_none
from hansei.feedback.labeling.texts import brief, storable

FIELDS: Final = (
    "inputs", "outputs", "expectations", "tags", "source", "trace_id", "span_id", "session_id", "record_id",
    "dataset_record_id", "version",
)  # fmt: skip
"""Of a record; the last three are told (the one of them by MLflow), and not taken."""


@dataclass(frozen=True, slots=True)
class Given:
    """A record to be merged: what is None is left as it is."""

    inputs: Any = None
    outputs: Any = None
    expectations: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    trace_id: str = ""
    span_id: str = ""
    session_id: str = ""
    labels: Mapping[str, LabelSource] = field(default_factory=dict)
    file: str = ""
    said: Sequence[Mapping[str, Any]] = ()
    """What the ledger has of its trace: rows of assessments."""

    @property
    def record_id(self) -> str:
        """The record that it is merged into."""
        return record_id_of(self.inputs)

    def text(self) -> str:
        """As it waits to be merged."""
        held = {name: getattr(self, name) for name in _HELD}
        labels = {name: label.to_json() for name, label in self.labels.items()}
        return stored_json({**held, "tags": dict(self.tags), "labels": labels, "said": list(self.said)})


_HELD: Final = ("inputs", "outputs", "expectations", "trace_id", "span_id", "session_id", "file")


def given_of_text(text: str) -> Given:
    """The opposite of :meth:`Given.text`."""
    held = json.loads(text)
    return Given(**{**held, "labels": {name: label_of(name, each) for name, each in held["labels"].items()}})


def given_of(where: str, record: object, file: str = "") -> Given:
    """A record of its JSON; ``where`` it stands is for the message, ``file`` where it came from.

    Without ``inputs`` it has a ``trace_id``, whose inputs are still to be read. Raises ``InvalidEvaluation``.
    """
    if not isinstance(record, Mapping):
        raise InvalidEvaluation(f"{where}: {brief(record)} is not an object with inputs or a trace_id")
    for name in record:
        if name not in FIELDS:
            raise InvalidEvaluation(f"{where}.{str(name)[:80]}: there is no such field; there are {', '.join(FIELDS)}")
    try:
        source = source_of(record.get("source"))
        made = Given(
            inputs=record.get("inputs"),
            outputs=record.get("outputs"),
            expectations=_expectations(record.get("expectations")),
            tags=_tags(record.get("tags")),
            trace_id=trace_id_or_none(record.get("trace_id") or source["trace_id"] or None) or "",
            span_id=span_id_or_none(record.get("span_id") or source["span_id"] or None) or "",
            session_id=_text("session_id", record.get("session_id") or source["session_id"]),
            labels=source["labels"],
            file=_text("source.file", source["file"]) or ("" if record.get("source") else file),
        )
    except (InvalidEvaluation, InvalidAssessment) as error:
        raise InvalidEvaluation(f"{where}.{error}") from None
    if made.inputs is None and not made.trace_id:
        raise InvalidEvaluation(f"{where}.inputs: there are none; give inputs, or the trace_id of a stored trace")
    if made.span_id and not made.trace_id:
        raise InvalidEvaluation(f"{where}.trace_id: there is none beside the span_id; give both")
    return replace(made, labels={name: label for name, label in made.labels.items() if name in made.expectations})


def _expectations(given: object) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidEvaluation(f"expectations: {brief(given)} is not an object by name")
    return {_text("expectations", name): value for name, value in given.items()}


def _tags(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidEvaluation(f"tags: {brief(given)} is not an object of texts by name")
    return {
        _text("tags", name): value if isinstance(value, str) and storable(value) else json.dumps(value)
        for name, value in given.items()
    }


def _text(where: str, given: object) -> str:
    if not isinstance(given, str) or not storable(given):
        raise InvalidEvaluation(f"{where}: {brief(given)} is not a text that can be stored")
    return given

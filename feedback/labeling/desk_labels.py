"""From what a reviewer hands in to assessments."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.assessment import Assessment, Expectation, Feedback
from hansei.feedback.clock import EventClock
from hansei.feedback.event import Event
from hansei.feedback.labeling.model import EXPECTATION, Item, LabelingSessionRecord, LabelSchemaVersion
from hansei.feedback.labeling.paper import Paper
from hansei.feedback.recorder import Recorder
from hansei.feedback.source import AssessmentSource

SCHEMA: Final = "label_schema"
SCHEMA_VERSION: Final = "label_schema_version"
COMMENT: Final = "comment"
"""Keys of an assessment's metadata. Feedback has a rationale for the comment; an expectation has none."""


def label_id(session_id: str, item_id: str, reviewer: str, question: str) -> str:
    """The id of what a reviewer says to a question about an item: the same however often it is handed in.

    It does not begin with ``a-``, as it tells no time.
    """
    about = json.dumps([session_id, item_id, reviewer, question], ensure_ascii=False)
    return f"l-{hashlib.sha256(about.encode()).hexdigest()[:32]}"


def assessment_of(
    session: LabelingSessionRecord,
    item: Item,
    schema: LabelSchemaVersion,
    said: Mapping[str, Any],
    reviewer: str,
    metadata: Mapping[str, str] | None = None,
) -> Assessment:
    """An answer to a question about an item, as an assessment. Raises ``InvalidAssessment``."""
    comment = said.get("comment") or None
    about = {SCHEMA: schema.name, SCHEMA_VERSION: str(schema.version), **(metadata or {})}
    common: dict[str, Any] = {
        "name": schema.name,
        "value": said["value"],
        "source": AssessmentSource("HUMAN", reviewer),
        "trace_id": item.trace_id or None,
        "span_id": item.span_id or None,
        "session_id": item.conversation_id or None,
        "labeling_session_id": session.session_id,
        "evaluation_run_id": session.run_id or None,
    }
    if schema.type == EXPECTATION:
        return Expectation(**common, metadata=about | ({COMMENT: comment} if comment else {}))
    return Feedback(**common, metadata=about, rationale=comment)


@dataclass(frozen=True, slots=True)
class Change:
    """What makes the ledger say what a paper does."""

    events: list[Event]
    recorded: list[str]
    """The questions that were not answered before."""
    changed: list[str]
    retracted: list[str]


def change_of(
    session: LabelingSessionRecord,
    item: Item,
    schemas: Mapping[str, LabelSchemaVersion],
    reviewer: str,
    paper: Paper,
) -> Change:
    """From what is recorded to what is answered, all at ``submitted_ns``. Raises ``InvalidAssessment``."""
    events: list[Event] = []
    recorder = Recorder(events.append, EventClock())
    found = Change(events, [], [], [])
    for name, said in paper.answers.items():
        if name not in schemas or said == paper.recorded.get(name):
            continue
        assessment = assessment_of(session, item, schemas[name], said, reviewer)
        known = label_id(session.session_id, item.item_id, reviewer, name)
        if name in paper.recorded:
            recorder.correct(assessment.trace_id, known, assessment, time_ns=paper.submitted_ns)
            found.changed.append(name)
        else:
            recorder.record(assessment, assessment_id=known, time_ns=paper.submitted_ns)
            found.recorded.append(name)
    for name in paper.recorded:
        if name not in paper.answers:
            known = label_id(session.session_id, item.item_id, reviewer, name)
            source = AssessmentSource("HUMAN", reviewer)
            recorder.retract(item.trace_id or None, known, source, time_ns=paper.submitted_ns)
            found.retracted.append(name)
    return found

"""The answers of a labeling session, read back from the ledger."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.labeling.desk_labels import COMMENT, SCHEMA, SCHEMA_VERSION
from hansei.feedback.labeling.model import Item
from hansei.feedback.labeling.statements import statement
from hansei.feedback.search.connection import Query

DECIDED_BETWEEN: Final = "decided_between"
"""In the metadata of an arbiter's decision: the ids of the answers that it decides between, with commas."""


@dataclass(frozen=True, slots=True)
class Label:
    """An answer to a question about an item, or an arbiter's decision."""

    assessment_id: str
    item_id: str
    question: str
    version: str
    """Of the question that was answered."""
    reviewer: str
    value: Any
    comment: str = ""
    decided_between: Sequence[str] = ()
    updated_ms: int = 0

    @property
    def decides(self) -> bool:
        """Whether this is an arbiter's decision."""
        return bool(self.decided_between)


def read_labels(query: Query, session_id: str, items: Sequence[Item]) -> list[Label]:
    """The labels of a session about these items of it, the last to change last."""
    known = {_what(item.trace_id, item.span_id, item.conversation_id): item.item_id for item in items}
    found = []
    for row in query(statement("labeling_labels"), {"session_id": session_id}):
        item_id = known.get(_what(row["TraceId"], row["SpanId"], row["SessionId"]))
        if item_id is not None:
            found.append(_label(row, item_id))
    return found


def _what(trace_id: str, span_id: str, conversation_id: str) -> tuple[str, str]:
    # What is said of a trace may name its conversation too.
    return (trace_id, span_id) if trace_id else ("", conversation_id)


def _label(row: dict[str, Any], item_id: str) -> Label:
    metadata = row["Metadata"]
    between = metadata.get(DECIDED_BETWEEN, "")
    return Label(
        assessment_id=row["AssessmentId"],
        item_id=item_id,
        question=metadata.get(SCHEMA) or row["Name"],
        version=metadata.get(SCHEMA_VERSION, ""),
        reviewer=row["SourceId"],
        value=json.loads(row["Value"]),
        comment=row["Rationale"] or metadata.get(COMMENT, ""),
        decided_between=tuple(between.split(",")) if between else (),
        updated_ms=row["UpdatedMs"],
    )

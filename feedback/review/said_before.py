"""What others said of an item, for reviewers who are to see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hansei.feedback.assessment import Assessment
from hansei.feedback.labeling.model import ARBITER, CONVERSATION, Item, LabelingSessionRecord, ReviewerRecord
from hansei.feedback.review.exchange import Exchange
from hansei.feedback.search.assessments import assessments_of, find_assessments
from hansei.feedback.search.connection import Query


@dataclass(frozen=True, slots=True)
class Saying:
    """A line of it."""

    name: str
    value: Any
    comment: str
    by: str


def read_said(
    query: Query, session: LabelingSessionRecord, reviewer: ReviewerRecord, item: Item, exchange: Exchange
) -> list[Saying]:
    """What is shown of it: what does not come from this session where the session shows feedback, so that reviewers do
    not copy each other; to who decides between them, also their answers. Raises ``SearchError``."""
    arbiter = reviewer.role == ARBITER
    if not (session.settings.show_feedback or arbiter):
        return []
    return [
        Saying(one.name, one.value, one.rationale or "", one.source.source_id if one.source else "")
        for one in _assessments(query, item, exchange.trace_ids)
        if one.valid
        and one.error is None
        and item.span_id in ("", one.span_id)
        and (session.settings.show_feedback or one.labeling_session_id == session.session_id)
        and (one.labeling_session_id != session.session_id or arbiter)
        and not (one.source is not None and one.source.source_id == reviewer.reviewer)
    ]


def _assessments(query: Query, item: Item, trace_ids: Sequence[str]) -> list[Assessment]:
    found = [one for said in assessments_of(query, list(trace_ids)).values() for one in said] if trace_ids else []
    if item.kind == CONVERSATION:
        found += [one for one in find_assessments(query, session_id=item.conversation_id, max_results=200)
                  if one.trace_id is None]  # fmt: skip
    return found

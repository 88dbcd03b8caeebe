"""Reading the ledger itself: the history of assessments, and what does not hang together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.assessment import Assessment
from hansei.feedback.search.arguments import limit, one_line
from hansei.feedback.search.connection import Query
from hansei.feedback.search.moment import END_OF_TIME
from hansei.feedback.search.page import Page, place_of, token_of
from hansei.feedback.search.statements import statement

Row = Mapping[str, Any]
Pair = tuple[str, str]
"""A trace id (empty for an assessment on a session) and an assessment id."""

_LONGEST_HISTORY: Final = 100_000
"""Events that are read at a time."""
_LAST: Final = "\U0010ffff"
"""Sorts after every text that occurs."""


def read_histories(query: Query, pairs: Iterable[Pair]) -> dict[Pair, list[Row]]:
    """The events of some assessments, each in order; of those without any there is nothing. Raises ``SearchError``."""
    wanted = set(pairs)
    asked = {
        "trace_ids": sorted({trace_id for trace_id, _ in wanted}),
        "assessment_ids": sorted({one_line("assessment_id", assessment_id) for _, assessment_id in wanted}),
        "limit": _LONGEST_HISTORY,
    }
    found: dict[Pair, list[Row]] = {}
    for row in query(statement("history_of_assessments"), asked):
        pair = (row["TraceId"], row["AssessmentId"])
        if pair in wanted:
            found.setdefault(pair, []).append(row)
    return found


def find_unlinked(
    query: Query, *, min_age: int = 0, max_results: int = 100, page_token: str | None = None
) -> Page[Row]:
    """Rows of feedback_unlinked that are ``min_age`` seconds old, the newest first. Raises ``SearchError``."""
    count = limit(max_results)
    place = [END_OF_TIME, _LAST, _LAST, _LAST] if page_token is None else place_of(page_token, int, str, str, str)
    asked = dict(zip(("before", "before_id", "before_trace", "before_reason"), place, strict=True))
    found: list[Row] = list(query(statement("unlinked"), {**asked, "min_age": min_age, "limit": count + 1}))
    if len(found) <= count:
        return Page(found)
    last = found[count - 1]
    return Page(found[:count], token_of(last["At"], last["AssessmentId"], last["TraceId"], last["Reason"]))


def count_unlinked(query: Query, min_age: int = 0) -> list[Row]:
    """How many rows feedback_unlinked has for each reason. Raises ``SearchError``."""
    return list(query(statement("unlinked_by_reason"), {"min_age": min_age}))


@dataclass(frozen=True)
class Targets:
    """What has come of that which some assessments speak of."""

    traces: frozenset[str]
    spans: frozenset[tuple[str, str]]
    sessions: frozenset[str]

    @classmethod
    def read(cls, query: Query, assessments: Iterable[Assessment]) -> "Targets":
        """Look for the traces, spans and sessions of some assessments. Raises ``SearchError``."""
        given = list(assessments)
        trace_ids = sorted({each.trace_id for each in given if each.trace_id})
        span_ids = sorted({each.span_id for each in given if each.span_id})
        session_ids = sorted({each.session_id for each in given if each.session_id and not each.trace_id})
        traces = query(statement("known_traces"), {"trace_ids": trace_ids}) if trace_ids else []
        spans = query(statement("known_spans"), {"trace_ids": trace_ids, "span_ids": span_ids}) if span_ids else []
        sessions = query(statement("known_sessions"), {"session_ids": session_ids}) if session_ids else []
        return cls(
            frozenset(row["TraceId"] for row in traces),
            frozenset((row["TraceId"], row["SpanId"]) for row in spans),
            frozenset(row["ConversationId"] for row in sessions),
        )

    def link(self, assessment: Assessment) -> str:
        """``linked``, or what has not come yet: ``trace_unknown``, ``span_unknown``, ``session_unknown``."""
        if assessment.trace_id is None:
            return "linked" if assessment.session_id in self.sessions else "session_unknown"
        if assessment.trace_id not in self.traces:
            return "trace_unknown"
        if assessment.span_id and (assessment.trace_id, assessment.span_id) not in self.spans:
            return "span_unknown"
        return "linked"


def traces_of_session(query: Query, session_id: str, max_results: int) -> list[str]:
    """The ids of a session's traces, in the order in which they began. Raises ``SearchError``."""
    asked = {"session_id": one_line("session_id", session_id), "limit": limit(max_results)}
    return [row["TraceId"] for row in query(statement("traces_of_session"), asked)]

"""Traces as a list shows them: a row each, its sums, and what was said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hansei.feedback.search.arguments import limit
from hansei.feedback.search.connection import Query
from hansei.feedback.search.filter_parser import parse_any
from hansei.feedback.search.filter_sql import ListConditions, list_conditions, trace_conditions
from hansei.feedback.search.filter_tree import Expression
from hansei.feedback.search.moment import END_OF_TIME, Moment, nanoseconds
from hansei.feedback.search.newest import (
    CALL_MOMENTS,
    Found,
    Range,
    Together,
    halves_if_far_apart,
    newest_first,
    newest_traces,
    one_by_one,
    summaries,
)
from hansei.feedback.search.previews import previews
from hansei.feedback.search.statements import statement
from hansei.feedback.search.stored import Row
from hansei.feedback.search.traces import NEWEST_FIRST, Asked, find, place_of


@dataclass(frozen=True, slots=True)
class Said:
    """A valid assessment, in short."""

    assessment_id: str
    name: str
    kind: str
    """``feedback`` or ``expectation``."""
    value: str
    """JSON text."""
    numeric_value: float | None
    source_type: str
    source_id: str
    rationale: str


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """A trace without its spans. Times are nanoseconds."""

    trace_id: str
    name: str
    """Of the root span, or of the earliest where the root has not come."""
    service: str
    start_ns: int
    duration_ns: int
    state: str
    """``OK`` or ``ERROR``: the root's."""
    complete: bool
    """Whether the root has come."""
    spans: int
    errors: int
    """Spans that failed."""
    calls: int
    """Model calls."""
    models: Sequence[str]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None where it is not known."""
    session_id: str | None
    user_id: str | None
    request: str
    """The beginning of what was asked, as text."""
    response: str
    """The beginning of what was answered, as text."""
    said: Sequence[Said] = ()
    """Valid assessments, in the order of their making."""


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """Traces, the newest first; ``next_page_token`` is for those after them, None where there are no more."""

    traces: Sequence[TraceSummary]
    next_page_token: str | None
    searched_to_ns: int | None = None
    """Where the search was given up, for the time it took; the next page goes on from there."""


def list_traces(
    query: Query,
    *,
    filter_string: str | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    max_results: int = 50,
    page_token: str | None = None,
    patience: float | None = None,
    words_indexed: bool = False,
    together: Together = one_by_one,
) -> SummaryPage:
    """A page of the traces that fit a filter, the newest first, without their spans.

    The arguments are those of ``search_traces``. A filter of one field is answered without looking at all traces; a sum
    (``cost``, ``tokens``) or a negation that almost nothing fits looks at all of the time it is given. On a page after
    the first, and before an ``end_time``, a condition on a span other than the first is seen up to an hour after the
    trace began. With ``patience``, a walk that takes longer than so many seconds ends where it is. ``words_indexed``
    tells that there is an index of words. ``together`` may ask several questions at a time. Raises ``SearchError``.
    """
    asked = parse_any(filter_string)
    within = Range(
        start=-END_OF_TIME if start_time is None else nanoseconds("start_time", start_time),
        end=END_OF_TIME if end_time is None else nanoseconds("end_time", end_time),
        before=place_of(page_token) or (END_OF_TIME, ""),
    )
    count = limit(max_results)
    conditions = list_conditions(asked, words_indexed)
    if conditions.blind:
        found = Found(_in_stretches(query, asked, within, count))
    else:
        found = newest_traces(query, conditions, within, count, patience, together)
    page = _completed(query, found.rows[:count], together)
    if len(found.rows) > count:
        return SummaryPage(page, f"{page[-1].start_ns}-{page[-1].trace_id}")
    if found.searched_to is not None:
        # No id is before "0".
        return SummaryPage(page, f"{found.searched_to}-0", found.searched_to)
    return SummaryPage(page, None)


def _in_stretches(query: Query, asked: Expression, within: Range, count: int) -> list[Row]:
    """Where nothing cheap tells which traces may fit."""
    before = within.before if within.before[0] < END_OF_TIME else None
    wanted = Asked(trace_conditions(asked), None, NEWEST_FIRST, count, within.start, within.end, before)
    places = {row["TraceId"]: row["Began"] for row in find(query, wanted)}
    return newest_first(summaries(query, places, ListConditions()))


def _completed(query: Query, rows: Sequence[Row], together: Together) -> list[TraceSummary]:
    """With what they cost, what was asked and answered, and what was said of them."""
    if not rows:
        return []
    trace_ids = [row["TraceId"] for row in rows]
    costs, assessed, *parts = together(
        partial(_costs, query, rows),
        partial(_said, query, trace_ids),
        *(partial(previews, query, part) for part in halves_if_far_apart(rows, lambda row: int(row["Began"]))),
    )
    shown = {trace_id: each for part in parts for trace_id, each in part.items()}
    said: dict[str, list[Said]] = {}
    for row in assessed:
        said.setdefault(row["TraceId"], []).append(
            Said(
                row["AssessmentId"], row["Name"], row["Kind"], row["Value"], row["NumericValue"], row["SourceType"],
                row["SourceId"], row["Rationale"],
            )
        )  # fmt: skip
    made = []
    for row in rows:
        trace_id = row["TraceId"]
        name, service, duration, status, complete, _ = row["First"]
        request, response = shown.get(trace_id, ("", ""))
        made.append(
            TraceSummary(
                trace_id=trace_id,
                name=name,
                service=service,
                start_ns=row["Began"],
                duration_ns=duration,
                state="ERROR" if status == "Error" else "OK",
                complete=bool(complete),
                spans=row["Spans"],
                errors=row["Errors"],
                calls=row["Calls"],
                models=tuple(row["Models"]),
                input_tokens=row["InputTokens"],
                output_tokens=row["OutputTokens"],
                cost_usd=costs.get(trace_id),
                session_id=row["SessionId"] or None,
                user_id=row["User"] or None,
                request=request,
                response=response,
                said=tuple(said.get(trace_id, ())),
            )
        )
    return made


def _costs(query: Query, rows: Sequence[Row]) -> Mapping[str, float | None]:
    """What each trace cost; None, or no entry, where it is not known."""
    trace_ids = [row["TraceId"] for row in rows]
    if all(row["Calls"] <= CALL_MOMENTS for row in rows):
        moments = sorted({moment for row in rows for moment in row["CallMoments"]})
        found = query(statement("cost_of_calls"), {"trace_ids": trace_ids, "moments": moments}) if moments else []
    else:
        began, ended = min(row["Began"] for row in rows), max(row["LastBegan"] for row in rows)
        found = query(statement("cost_of_traces"), {"trace_ids": trace_ids, "from": began, "until": ended})
    return {row["TraceId"]: row["CostUsd"] for row in found}


def _said(query: Query, trace_ids: list[str]) -> list[Row]:
    """The valid assessments of some traces, of each in the order of their making.

    What was said and never touched again holds, and takes no joining to be read.
    """
    rows = query(statement("last_said_of_traces"), {"trace_ids": trace_ids})
    touched = {row["TraceId"] for row in rows if row["Changed"] or row["Overrides"] or not row["Name"]}
    untouched = sorted(
        (row for row in rows if row["TraceId"] not in touched), key=lambda row: (row["At"], row["AssessmentId"])
    )
    return untouched + (query(statement("said_of_traces"), {"trace_ids": sorted(touched)}) if touched else [])

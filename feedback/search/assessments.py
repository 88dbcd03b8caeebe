"""Reading assessments: one, or those that fit."""

from collections.abc import Mapping, Sequence

from hansei.feedback.assessment import Assessment
from hansei.feedback.search.arguments import limit, one_line, trace_id_of
from hansei.feedback.search.connection import Query, connections
from hansei.feedback.search.moment import Moment, nanoseconds
from hansei.feedback.search.page import Page, place_of, token_of
from hansei.feedback.search.statements import fill, statement
from hansei.feedback.search.stored import assessment_of
from hansei.feedback.search.waiting import wait_for

_COLUMNS = {
    "assessment_id": "AssessmentId",
    "trace_id": "TraceId",
    "span_id": "SpanId",
    "session_id": "SessionId",
    "name": "Name",
    "kind": "Kind",
    "source_type": "SourceType",
    "source_id": "SourceId",
    "labeling_session": "LabelingSessionId",
    "run_id": "EvaluationRunId",
}
"""The column of each argument."""
_BEFORE = (
    "(toUnixTimestamp64Milli(CreatedAt), AssessmentId, TraceId)"
    " < ({before:Int64}, {before_id:String}, {before_trace:String})"
)
"""Later in the order of the newest first."""


def get_assessment(trace_id: str | None, assessment_id: str, *, wait: float | None = None) -> Assessment | None:
    """An assessment as it is now; None where there is none (any more), or not within ``wait`` seconds.

    ``trace_id`` is None for one on a session. Raises ``SearchError``.
    """
    return wait_for(
        lambda: read_assessment(connections.query, trace_id, assessment_id), lambda found: found is not None, wait
    )


def read_assessment(query: Query, trace_id: str | None, assessment_id: str) -> Assessment | None:
    """As :func:`get_assessment`, by any reader."""
    asked = {"assessment_id": one_line("assessment_id", assessment_id), "trace_id": _trace_or_session(trace_id)}
    found = _read(query, asked, (), {}, 1)
    return found[0] if found else None


def search_assessments(
    *,
    trace_id: str | None = None,
    span_id: str | None = None,
    session_id: str | None = None,
    name: str | None = None,
    kind: str | None = None,
    source_type: str | None = None,
    source_id: str | None = None,
    labeling_session: str | None = None,
    run_id: str | None = None,
    valid: bool | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    max_results: int = 1000,
    page_token: str | None = None,
    wait: float | None = None,
) -> Page[Assessment]:
    """The assessments that fit all of what is given, the newest first.

    ``kind`` is ``feedback`` or ``expectation``; ``valid=True`` leaves out what is overridden. There are more where the
    list has a ``next_page_token``, to be given as ``page_token``. With ``wait`` it is asked again for so many seconds
    until there is one. Raises ``SearchError``.
    """
    return wait_for(
        lambda: find_assessments(
            connections.query,
            trace_id=trace_id,
            span_id=span_id,
            session_id=session_id,
            name=name,
            kind=kind,
            source_type=source_type,
            source_id=source_id,
            labeling_session=labeling_session,
            run_id=run_id,
            valid=valid,
            start_time=start_time,
            end_time=end_time,
            max_results=max_results,
            page_token=page_token,
        ),
        bool,
        wait,
    )


def find_assessments(
    query: Query,
    *,
    trace_id: str | None = None,
    span_id: str | None = None,
    session_id: str | None = None,
    name: str | None = None,
    kind: str | None = None,
    source_type: str | None = None,
    source_id: str | None = None,
    labeling_session: str | None = None,
    run_id: str | None = None,
    valid: bool | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    max_results: int = 1000,
    page_token: str | None = None,
) -> Page[Assessment]:
    """As :func:`search_assessments`, by any reader."""
    given = {
        "trace_id": None if trace_id is None else trace_id_of(trace_id),
        "span_id": span_id,
        "session_id": session_id,
        "name": name,
        "kind": kind,
        "source_type": None if source_type is None else source_type.upper(),
        "source_id": source_id,
        "labeling_session": labeling_session,
        "run_id": run_id,
    }
    asked = {argument: one_line(argument, value) for argument, value in given.items() if value is not None}
    conditions: list[str] = []
    parameters: dict[str, object] = {}
    if valid is not None:
        conditions.append("Valid = {valid:Bool}")
        parameters["valid"] = valid
    if start_time is not None:
        conditions.append("CreatedAt >= fromUnixTimestamp64Nano({from:Int64})")
        parameters["from"] = nanoseconds("start_time", start_time)
    if end_time is not None:
        conditions.append("CreatedAt < fromUnixTimestamp64Nano({until:Int64})")
        parameters["until"] = nanoseconds("end_time", end_time)
    if page_token is not None:
        conditions.append(_BEFORE)
        before = place_of(page_token, int, str, str)
        parameters |= dict(zip(("before", "before_id", "before_trace"), before, strict=True))
    count = limit(max_results)
    found = _read(query, asked, conditions, parameters, count + 1)
    if len(found) <= count:
        return Page(found)
    last = found[count - 1]
    return Page(found[:count], token_of(last.create_time_ms or 0, last.assessment_id or "", last.trace_id or ""))


def assessments_of(query: Query, trace_ids: Sequence[str]) -> dict[str, list[Assessment]]:
    """The assessments of some traces, by trace; those of sessions are not among them."""
    sql = fill(statement("assessments"), conditions="    AND TraceId IN {trace_ids:Array(String)}")
    found: dict[str, list[Assessment]] = {trace_id: [] for trace_id in trace_ids}
    for row in query(sql, {"trace_ids": list(trace_ids), "limit": 2**32 - 1}):
        found[row["TraceId"]].append(assessment_of(row))
    return found


def _read(
    query: Query, asked: Mapping[str, str], more: Sequence[str], parameters: Mapping[str, object], count: int
) -> list[Assessment]:
    conditions = [*(f"{_COLUMNS[argument]} = {{{argument}:String}}" for argument in asked), *more]
    sql = fill(statement("assessments"), conditions="".join(f"    AND {condition}\n" for condition in conditions))
    return [assessment_of(row) for row in query(sql, {**asked, **parameters, "limit": count})]


def _trace_or_session(trace_id: str | None) -> str:
    return "" if trace_id is None else trace_id_of(trace_id)

"""Searching traces, and reading one."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from hansei.feedback.search.arguments import limit, one_line, trace_id_of
from hansei.feedback.search.assessments import assessments_of
from hansei.feedback.search.connection import Query, connections
from hansei.feedback.search.errors import InvalidSearch
from hansei.feedback.search.filter_fields import FIRST_SPAN, SPAN_TYPE_SQL
from hansei.feedback.search.filter_parser import parse
from hansei.feedback.search.filter_sql import Conditions, trace_conditions
from hansei.feedback.search.filter_tree import And, Comparison, Expression, Field
from hansei.feedback.search.frame import check_return_type, data_frame
from hansei.feedback.search.moment import END_OF_TIME, Moment, nanoseconds
from hansei.feedback.search.slices import LONGEST, seconds, slices, time_of_traces
from hansei.feedback.search.statements import fill, statement
from hansei.feedback.search.stored import Row, trace_of
from hansei.feedback.search.trace import Trace, assessment_dict
from hansei.feedback.search.waiting import wait_for

if TYPE_CHECKING:
    from hansei.feedback.search.frame import DataFrame

COLUMNS: Final = (
    "trace_id", "trace", "client_request_id", "state", "request_time", "execution_duration", "request", "response",
    "trace_metadata", "tags", "spans", "assessments",
)  # fmt: skip
"""Those of MLflow's DataFrame."""

_ORDERS: Final = {
    "timestamp_ms": "Began",
    "timestamp": "Began",
    "request_time": "Began",
    "execution_time_ms": f"argMin(Duration, {FIRST_SPAN})",
    "execution_time": f"argMin(Duration, {FIRST_SPAN})",
    "execution_duration": f"argMin(Duration, {FIRST_SPAN})",
    "status": f"argMin(StatusCode, {FIRST_SPAN}) = 'Error'",
    "state": f"argMin(StatusCode, {FIRST_SPAN}) = 'Error'",
    "name": f"argMin(SpanName, {FIRST_SPAN})",
    "tokens": "sumIf(GenAiTotalInputTokens + GenAiTotalOutputTokens, GenAiModelCall)",
}
NEWEST_FIRST: Final = "Began DESC, TraceId DESC"
"""The order of which there are pages."""
_TOKEN: Final = re.compile(r"(-?\d{1,19})-([^-]+)")


class Traces(list[Trace]):
    """A page of traces; ``next_page_token`` is for the ones after it, None where there are no more."""

    next_page_token: str | None = None


@dataclass(frozen=True)
class Asked:
    """A search as it goes to ClickHouse; times in nanoseconds."""

    conditions: Conditions
    where: str | None
    order: str
    count: int
    start: int | None
    end: int | None
    before: tuple[int, str] | None


@overload
def search_traces(
    *,
    filter_string: str | None = None,
    where: str | None = None,
    max_results: int = 100,
    order_by: str | Sequence[str] | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    session_id: str | None = None,
    run_id: str | None = None,
    labeling_session: str | None = None,
    span_id: str | None = None,
    return_type: Literal["pandas"] = "pandas",
    include_spans: bool = True,
    page_token: str | None = None,
    wait: float | None = None,
) -> "DataFrame": ...
@overload
def search_traces(
    *,
    filter_string: str | None = None,
    where: str | None = None,
    max_results: int = 100,
    order_by: str | Sequence[str] | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    session_id: str | None = None,
    run_id: str | None = None,
    labeling_session: str | None = None,
    span_id: str | None = None,
    return_type: Literal["list"],
    include_spans: bool = True,
    page_token: str | None = None,
    wait: float | None = None,
) -> Traces: ...
def search_traces(
    *,
    filter_string: str | None = None,
    where: str | None = None,
    max_results: int = 100,
    order_by: str | Sequence[str] | None = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    session_id: str | None = None,
    run_id: str | None = None,
    labeling_session: str | None = None,
    span_id: str | None = None,
    return_type: Literal["pandas", "list"] = "pandas",
    include_spans: bool = True,
    page_token: str | None = None,
    wait: float | None = None,
) -> "DataFrame | Traces":
    """The traces that fit all of what is given, the newest first.

    ``filter_string`` is MLflow's language with ``OR``, ``NOT`` and parentheses; ``where`` a condition in SQL on a span,
    of which the trace must have one. ``start_time`` and ``end_time`` are about the moment at which a trace began: from
    the one, before the other. ``session_id``, ``run_id`` (an evaluation's), ``labeling_session`` and ``span_id`` are
    shorter ways to say it. ``order_by`` is a field with ``ASC`` or ``DESC``, or several.

    The answer is a DataFrame with MLflow's columns, or a list of :class:`Trace`. There are more where it has a
    ``next_page_token`` (of a DataFrame in ``.attrs``), to be given as ``page_token``. With ``wait`` it is asked again
    for so many seconds until there is one. Raises ``SearchError``, of which ``FilterError`` shows the place.
    """
    check_return_type(return_type)
    comparisons = {"session": session_id, "run": run_id, "labeling_session": labeling_session, "span.id": span_id}
    expressions: list[Expression] = [
        Comparison(Field(field), "=", one_line(field, value))
        for field, value in comparisons.items()
        if value is not None
    ]
    if filter_string and filter_string.strip():
        expressions.append(parse(filter_string))
    order = _order(order_by)
    asked = Asked(
        conditions=trace_conditions(And(tuple(expressions))),
        where=where,
        order=order,
        count=limit(max_results),
        start=None if start_time is None else nanoseconds("start_time", start_time),
        end=None if end_time is None else nanoseconds("end_time", end_time),
        before=_place(page_token, order),
    )
    found = wait_for(lambda: find(connections.query, asked), bool, wait)
    page = Traces(read_traces(connections.query, found[: asked.count], include_spans))
    if len(found) > asked.count and order == NEWEST_FIRST:
        last = found[asked.count - 1]
        page.next_page_token = f"{last['Began']}-{last['TraceId']}"
    if return_type == "list":
        return page
    frame = data_frame([_row(trace) for trace in page], COLUMNS)
    frame.attrs["next_page_token"] = page.next_page_token
    return frame


def get_trace(trace_id: str, *, wait: float | None = None) -> Trace | None:
    """A trace with its spans and assessments; None where there is none.

    With ``wait`` it is asked again for so many seconds until its root span is there; what has come by then is answered.
    Raises ``SearchError``.
    """
    wanted = trace_id_of(trace_id)
    rows = wait_for(
        lambda: _spans(connections.query, wanted),
        lambda found: any(row["ParentSpanId"] == "" for row in found),
        wait,
    )
    return _whole(connections.query, wanted, rows)


def read_trace(query: Query, trace_id: str) -> Trace | None:
    """As :func:`get_trace`, by any reader."""
    wanted = trace_id_of(trace_id)
    return _whole(query, wanted, _spans(query, wanted))


def _spans(query: Query, trace_id: str) -> list[Row]:
    return query(fill(statement("spans_of_trace"), columns=_span_columns()), {"trace_id": trace_id})


def _whole(query: Query, trace_id: str, rows: list[Row]) -> Trace | None:
    if not rows:
        return None
    start, end = rows[0]["Began"], rows[-1]["Began"]
    (trace,) = _complete(query, {trace_id: rows}, [trace_id], {trace_id: start}, start, end, True)
    return trace


def _order(order_by: str | Sequence[str] | None) -> str:
    """``ORDER BY``, from what MLflow takes. Raises ``InvalidSearch``."""
    given = [] if order_by is None else order_by.split(",") if isinstance(order_by, str) else list(order_by)
    parts = []
    for text in given:
        match = re.fullmatch(r"\s*(?:(?:trace|attributes|attribute|attr)\.)?(\w+)(?:\s+(ASC|DESC))?\s*", text, re.I)
        column = _ORDERS.get(match[1].lower()) if match else None
        if match is None or column is None:
            raise InvalidSearch(f"order_by: {text!r} is not one of {', '.join(_ORDERS)} with ASC or DESC")
        parts.append(f"{column} {(match[2] or 'ASC').upper()}")
    if not parts or parts == ["Began DESC"]:
        return NEWEST_FIRST
    return ", ".join([*parts, "TraceId DESC"])


def _place(page_token: str | None, order: str) -> tuple[int, str] | None:
    """Where the page before ended. Raises ``InvalidSearch``."""
    if page_token is None:
        return None
    if order != NEWEST_FIRST:
        raise InvalidSearch(
            "page_token: pages are of the newest first; leave order_by out, or give a larger max_results"
        )
    return place_of(page_token)


def place_of(page_token: str | None) -> tuple[int, str] | None:
    """The start and the id of the last trace of the page before. Raises ``InvalidSearch``."""
    if page_token is None:
        return None
    match = _TOKEN.fullmatch(page_token) if isinstance(page_token, str) else None
    if match is None:
        raise InvalidSearch(f"page_token: {page_token!r} is not the next_page_token of a search")
    return int(match[1]), match[2]


def find(query: Query, asked: Asked) -> list[Row]:
    """Up to one more trace than is asked for, with its first and last moment; its look goes back step by step."""
    oldest, newest, spans = time_of_traces(query)
    if not spans:
        return []
    start = oldest if asked.start is None else max(asked.start, oldest)
    end = newest + 1 if asked.end is None else min(asked.end, newest + 1)
    if asked.before is not None:
        end = min(end, asked.before[0] + 1)
    found: list[Row] = []
    for lower, upper in slices(start, end) if asked.order == NEWEST_FIRST else [(start, end)]:
        sql, parameters = find_statement(asked.conditions, asked.where, asked.order)
        before, before_id = asked.before or (END_OF_TIME, "")
        parameters |= {
            "from": lower,
            "until": upper,
            "until_late": min(upper + LONGEST, END_OF_TIME),
            "earliest": seconds(lower - LONGEST),
            "latest": seconds(upper + LONGEST),
            "before": before,
            "before_id": before_id,
            "limit": asked.count + 1 - len(found),
        }
        found += query(sql, parameters)
        if len(found) > asked.count:
            break
    return found


def find_statement(conditions: Conditions, where: str | None, order: str) -> tuple[str, dict[str, object]]:
    """The query for a stretch of time and the parameters that the filter brings."""
    spans = [*conditions.spans, *([f"\n{where}\n"] if where else [])]
    sources = [
        "SELECT TraceId FROM otel_traces "
        "WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) "
        f"AND Timestamp < fromUnixTimestamp64Nano({{until_late:Int64}}) AND ({condition})"
        for condition in spans
    ]
    if sources:
        candidates = [sources[0], *(f"AND TraceId IN ({source})" for source in sources[1:]), *_and(conditions.traces)]
    elif conditions.traces:
        # From the assessments to their traces; which of them lie in the stretch is known by its own table.
        candidates = ["SELECT DISTINCT TraceId FROM otel_traces_trace_id_ts "
                      "WHERE Start >= toDateTime({earliest:UInt32}) AND Start <= toDateTime({latest:UInt32})",
                      *_and(conditions.traces)]  # fmt: skip
    else:
        candidates = ["SELECT TraceId FROM otel_traces "
                      "WHERE Timestamp >= fromUnixTimestamp64Nano({from:Int64}) "
                      "AND Timestamp < fromUnixTimestamp64Nano({until:Int64}) AND TraceId != ''"]  # fmt: skip
    sql = fill(
        statement("find_traces"),
        candidates="\n".join(f"        {line}" for line in candidates),
        conditions="\n".join(f"    {line}" for line in _and(conditions.having)),
        order=order,
    )
    return sql, dict(conditions.parameters)


def _and(conditions: Sequence[str]) -> list[str]:
    return [f"AND {condition}" for condition in conditions]


def _span_columns() -> str:
    return fill(statement("columns_of_spans"), span_type=SPAN_TYPE_SQL)


def read_traces(query: Query, found: Sequence[Row], include_spans: bool = True) -> list[Trace]:
    """Some traces, known by their ``TraceId`` and when their first and last span began (``Began``, ``LastBegan``)."""
    if not found:
        return []
    trace_ids = [row["TraceId"] for row in found]
    began = {row["TraceId"]: row["Began"] for row in found}
    start, end = min(began.values()), max(row["LastBegan"] for row in found)
    sql = fill(statement("spans_of_traces" if include_spans else "first_spans_of_traces"), columns=_span_columns())
    rows: dict[str, list[Row]] = {}
    for row in query(sql, {"trace_ids": trace_ids, "from": start, "to": end}):
        rows.setdefault(row["TraceId"], []).append(row)
    return _complete(query, rows, trace_ids, began, start, end, include_spans)


def _complete(
    query: Query,
    rows: dict[str, list[Row]],
    trace_ids: list[str],
    began: dict[str, int],
    start: int,
    end: int,
    include_spans: bool,
) -> list[Trace]:
    """The traces of their spans' rows, with their usage and what was said of them."""
    span = {"trace_ids": trace_ids, "from": start, "to": end}
    usage = {row["TraceId"]: row for row in query(statement("usage_of_traces"), span)}
    said = assessments_of(query, trace_ids)
    return [
        trace_of(rows[known], usage.get(known, {}), said[known], began=began[known], spans=include_spans)
        for known in trace_ids
        if known in rows
    ]


def _row(trace: Trace) -> dict[str, Any]:
    info = trace.info
    whole = trace.to_dict()
    return {
        "trace_id": info.trace_id,
        "trace": json.dumps(whole, ensure_ascii=False),
        "client_request_id": info.client_request_id,
        "state": info.state,
        "request_time": info.request_time,
        "execution_duration": info.execution_duration,
        "request": info.request,
        "response": info.response,
        "trace_metadata": dict(info.trace_metadata),
        "tags": dict(info.tags),
        "spans": whole["spans"],
        "assessments": [assessment_dict(assessment) for assessment in trace.assessments],
    }

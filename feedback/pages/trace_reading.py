"""Reading what the trace page shows: the tree, a span, what was said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansei.feedback.pages.named_sql import named_sql
from hansei.feedback.pages.waterfall import Spans, span_type
from hansei.feedback.search.connection import Query
from hansei.feedback.search.filter_fields import SPAN_TYPE_SQL
from hansei.feedback.search.statements import fill
from hansei.feedback.search.statements import statement as search_statement
from hansei.feedback.search.stored import span_of
from hansei.feedback.search.trace import Span

_SQL: Final = "queries.sql"

MOST_SPANS: Final = 100_000
"""How many spans of a trace are shown."""
_TYPED_SPANS: Final = 5_000
"""Up to so many spans, the map of attributes is read for the types of those without an operation."""
_SECOND: Final = 10**9
_KEY: Final = re.compile(r"(.*?)(?:\.(\d{1,6}))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model call used; the cost is None where it is not known."""

    provider: str
    request_model: str
    response_model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class SpanFound:
    """A span and what it used."""

    span: Span
    key: str
    usage: Usage | None
    """None where it is no model call."""
    trace_state: str
    scope: str
    """The instrumentation that made it, with its version."""
    content: Mapping[str, str]
    """What an event beside the span says of its content."""


def read_spans(query: Query, trace_id: str) -> Spans | None:
    """The spans of a trace; None where none has come. Raises ``SearchError``."""
    row = query(named_sql("tree_of_trace"), {"trace_id": trace_id, "limit": MOST_SPANS + 1})[0]
    ids = row["SpanIds"]
    if not ids:
        return None
    said: dict[str, str] = {}
    if len(ids) <= _TYPED_SPANS and "" in row["Operations"]:
        stretch = {"from": min(row["Starts"]), "to": max(row["Starts"])}
        types = query(named_sql("types_of_spans"), {"trace_id": trace_id, **stretch})
        said = {found["SpanId"]: found["Type"] for found in types}
    return Spans(
        ids=ids[:MOST_SPANS],
        parents=row["ParentSpanIds"][:MOST_SPANS],
        names=row["Names"][:MOST_SPANS],
        services=row["Services"][:MOST_SPANS],
        types=[
            span_type(operation, said.get(span_id, ""))
            for span_id, operation in zip(ids[:MOST_SPANS], row["Operations"], strict=False)
        ],
        starts=row["Starts"][:MOST_SPANS],
        durations=row["Durations"][:MOST_SPANS],
        failures=row["Failures"][:MOST_SPANS],
        model_calls=row["ModelCalls"][:MOST_SPANS],
        input_tokens=row["InputTokenCounts"][:MOST_SPANS],
        output_tokens=row["OutputTokenCounts"][:MOST_SPANS],
        costs=row["Costs"][:MOST_SPANS],
        session_id=row["SessionId"],
        user_id=row["User"],
        cut=len(ids) > MOST_SPANS,
    )


def read_span(
    query: Query, trace_id: str, key: str, *, cost: float | None = None, cost_known: bool = False
) -> SpanFound | None:
    """The span of a key of the tree; None where there is none. ``cost_known``: its cost has been read already, and is
    ``cost``. Raises ``SearchError``."""
    parts = _KEY.fullmatch(key)
    assert parts
    columns = fill(search_statement("columns_of_spans"), span_type=SPAN_TYPE_SQL)
    sql = fill(named_sql("span_of_trace"), columns=columns)
    asked = {"trace_id": trace_id, "span_id": parts[1]}
    rows = query(sql, {**asked, "others": int(parts[2] or 0)})
    if not rows:
        return None
    row = rows[0]
    if row["ModelCall"] and not cost_known:
        priced = query(named_sql("cost_of_span"), {**asked, "began": row["Began"]})
        cost = priced[0]["CostUsd"] if priced else None
    usage = _usage(row, cost) if row["ModelCall"] else None
    span = span_of(row)
    return SpanFound(
        span=span,
        key=key,
        usage=usage,
        trace_state=row["TraceState"],
        scope=" ".join(filter(None, (row["ScopeName"], row["ScopeVersion"]))),
        content=_content_beside(query, span) if usage and span.inputs is None and span.outputs is None else {},
    )


def _usage(row: Mapping[str, Any], cost: float | None) -> Usage:
    return Usage(
        provider=row["Provider"],
        request_model=row["RequestModel"],
        response_model=row["ResponseModel"],
        input_tokens=row["InputTokens"],
        output_tokens=row["OutputTokens"],
        cached_tokens=row["CachedInputTokens"],
        cache_write_tokens=row["CacheWriteInputTokens"],
        reasoning_tokens=row["ReasoningTokens"],
        cost=cost,
    )


def _content_beside(query: Query, span: Span) -> Mapping[str, str]:
    asked = {"trace_id": span.trace_id, "span_id": span.span_id}
    # The event is sent once the span has ended.
    stretch = {"from": span.start_time_ns, "to": span.end_time_ns + 60 * _SECOND}
    rows = query(named_sql("content_events_of_span"), {**asked, **stretch})
    found: Mapping[str, str] = rows[0]["LogAttributes"] if rows else {}
    return found


def spans_with_text(query: Query, trace_id: str, text: str) -> list[str]:
    """The ids of the spans of a trace in which a text is written. Raises ``SearchError``."""
    (when,) = query(named_sql("time_of_trace"), {"trace_id": trace_id})
    if not when["Last"]:
        return []
    # Years in nanoseconds end in 2262; the table of times ends in 2106.
    stretch = {"from": when["First"] * _SECOND, "to": (when["Last"] + 1) * _SECOND}
    return [
        row["SpanId"] for row in query(named_sql("spans_with_text"), {"trace_id": trace_id, "text": text, **stretch})
    ]

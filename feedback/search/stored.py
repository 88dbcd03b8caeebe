"""From rows of the tables to what a search answers."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from hansei.feedback.assessment import Assessment, AssessmentError, Expectation, Feedback
from hansei.feedback.search.trace import Span, SpanEvent, SpanLink, Trace, TraceInfo
from hansei.feedback.source import AssessmentSource

Row = dict[str, Any]

INPUTS: Final = (
    "hansei.span.inputs",
    "gen_ai.input.messages",
    "gen_ai.tool.call.arguments",
    "gen_ai.retrieval.query.text",
)
OUTPUTS: Final = (
    "hansei.span.outputs",
    "gen_ai.output.messages",
    "gen_ai.tool.call.result",
    "gen_ai.retrieval.documents",
)
REQUEST_PREVIEW: Final = "hansei.request_preview"
RESPONSE_PREVIEW: Final = "hansei.response_preview"
_TAG: Final = "hansei.tag."
_METADATA: Final = "hansei.metadata."


def span_of(row: Row) -> Span:
    """A span of a row of ``columns_of_spans``."""
    attributes = row["SpanAttributes"]
    return Span(
        trace_id=row["TraceId"],
        span_id=row["SpanId"],
        parent_id=row["ParentSpanId"] or None,
        name=row["SpanName"],
        span_type=row["SpanType"],
        kind=row["SpanKind"],
        service=row["ServiceName"],
        start_time_ns=row["Began"],
        end_time_ns=row["Began"] + row["Duration"],
        status=row["StatusCode"] or "Unset",
        status_message=row["StatusMessage"],
        inputs=_content(attributes, INPUTS),
        outputs=_content(attributes, OUTPUTS),
        attributes=attributes,
        resource_attributes=row["ResourceAttributes"],
        events=[
            SpanEvent(name, at, described)
            for name, at, described in zip(row["EventNames"], row["EventTimes"], row["EventAttributes"], strict=True)
        ],
        links=[
            SpanLink(trace_id, span_id, described)
            for trace_id, span_id, described in zip(
                row["LinkTraceIds"], row["LinkSpanIds"], row["LinkAttributes"], strict=True
            )
        ],
    )


def trace_of(
    rows: Sequence[Row], usage: Mapping[str, Any], assessments: Sequence[Assessment], *, began: int, spans: bool
) -> Trace:
    """A trace of the rows of its spans; ``began`` in nanoseconds."""
    first = min(rows, key=lambda row: (row["ParentSpanId"] != "", row["Began"]))
    root = span_of(first)
    attributes = root.attributes
    info = TraceInfo(
        trace_id=root.trace_id,
        name=root.name,
        client_request_id=attributes.get("hansei.client_request_id") or None,
        state="ERROR" if root.status == "Error" else "OK",
        request_time=began // 1_000_000,
        execution_duration=first["Duration"] // 1_000_000,
        request=_content(attributes, (*INPUTS, REQUEST_PREVIEW)),
        response=_content(attributes, (*OUTPUTS, RESPONSE_PREVIEW)),
        trace_metadata=_under(_METADATA, attributes),
        tags=_under(_TAG, attributes),
        service=root.service,
        session_id=_first(rows, "ConversationId"),
        user_id=_first(rows, "UserId"),
        input_tokens=usage.get("InputTokens", 0),
        output_tokens=usage.get("OutputTokens", 0),
        cost_usd=usage.get("CostUsd"),
    )
    return Trace(info, [span_of(row) for row in rows] if spans else [], assessments)


def assessment_of(row: Row) -> Assessment:
    """An assessment of a row of ``assessments``.

    It is not checked again: any SDK may have sent it, and what has been stored must be readable.
    """
    values: dict[str, Any] = {
        "name": row["Name"],
        "value": _parsed(row["Value"]),
        "source": _source(row["SourceType"], row["SourceId"]),
        "trace_id": row["TraceId"] or None,
        "span_id": row["SpanId"] or None,
        "session_id": row["SessionId"] or None,
        "metadata": row["Metadata"] or None,
        "rationale": row["Rationale"] or None,
        "error": AssessmentError(row["ErrorCode"] or row["Error"], row["Error"] or None) if row["Error"] else None,
        "overrides": row["Overrides"] or None,
        "valid": bool(row["Valid"]),
        "assessment_id": row["AssessmentId"],
        "create_time_ms": row["CreatedMs"],
        "last_update_time_ms": row["UpdatedMs"],
        "labeling_session_id": row["LabelingSessionId"] or None,
        "evaluation_run_id": row["EvaluationRunId"] or None,
    }
    return _unchecked(Expectation if row["Kind"] == "expectation" else Feedback, values)


def _unchecked(kind: type[Feedback] | type[Expectation], values: Mapping[str, Any]) -> Assessment:
    made = object.__new__(kind)
    for field in fields(kind):
        object.__setattr__(made, field.name, values[field.name])
    return made


def _source(source_type: str, source_id: str) -> AssessmentSource:
    made = object.__new__(AssessmentSource)
    object.__setattr__(made, "source_type", source_type)
    object.__setattr__(made, "source_id", source_id)
    return made


def _under(prefix: str, attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in attributes.items() if name.startswith(prefix)}


def _first(rows: Iterable[Row], column: str) -> str | None:
    return next((row[column] for row in rows if row[column]), None)


def _content(attributes: Mapping[str, str], names: Iterable[str]) -> Any:
    return next((_parsed(attributes[name]) for name in names if attributes.get(name)), None)


def _parsed(text: str) -> Any:
    """The value of a JSON text; a text that is none is itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        return text

"""The lists that can be exported: their columns, and how a page of their rows is read."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from hansei.feedback.assessment import Assessment, Expectation
from hansei.feedback.export.columns import Column, Row, iso_of_datetime, iso_of_milliseconds, iso_of_nanoseconds
from hansei.feedback.search.assessments import find_assessments
from hansei.feedback.search.moment import Moment
from hansei.feedback.search.sessions import Session, find_sessions
from hansei.feedback.search.summaries import Said, TraceSummary

if TYPE_CHECKING:
    from hansei.feedback.web.site import Site


@dataclass(frozen=True)
class Page:
    """Some rows, and what the next ones are asked with; None where there are no more."""

    rows: Sequence[Row]
    token: str | None


@dataclass(frozen=True)
class Exported:
    """A list."""

    name: str
    columns: Sequence[Column]
    arguments: frozenset[str]
    """What it can be asked for beside a time."""
    page_size: int
    read: Callable[["Site", dict[str, Any], Moment | None, Moment | None, int, str | None], Page]
    """Reads a page: the arguments, from when until when, how many rows, the token. Raises ``SearchError``."""


def _traces(
    site: "Site", asked: dict[str, Any], start: Moment | None, end: Moment | None, count: int, token: str | None
) -> Page:
    page = site.traces(
        filter_string=asked.get("filter"), start_time=start, end_time=end, max_results=count, page_token=token
    )
    return Page([_trace_row(trace) for trace in page.traces], page.next_page_token)


def _trace_row(trace: TraceSummary) -> Row:
    return (
        trace.trace_id,
        iso_of_nanoseconds(trace.start_ns),
        trace.name,
        trace.service,
        trace.state,
        trace.complete,
        trace.duration_ns / 1_000_000,
        trace.spans,
        trace.errors,
        trace.calls,
        list(trace.models),
        trace.input_tokens,
        trace.output_tokens,
        trace.cost_usd,
        trace.session_id,
        trace.user_id,
        trace.request,
        trace.response,
        [_said(said) for said in trace.said],
    )


def _said(said: Said) -> dict[str, Any]:
    return asdict(said) | {"value": _parsed(said.value)}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _sessions(
    site: "Site", asked: dict[str, Any], start: Moment | None, end: Moment | None, count: int, token: str | None
) -> Page:
    arguments = {"filter_string" if name == "filter" else name: value for name, value in asked.items()}
    page = find_sessions(
        site.reader.query, start_time=start, end_time=end, max_results=count, page_token=token, **arguments
    )
    return Page([_session_row(session) for session in page], page.next_page_token)


def _session_row(session: Session) -> Row:
    return [iso_of_datetime(value) if name in ("Start", "End") else value for name, value in session.items()]


def _assessments(
    site: "Site", asked: dict[str, Any], start: Moment | None, end: Moment | None, count: int, token: str | None
) -> Page:
    page = find_assessments(
        site.reader.query, start_time=start, end_time=end, max_results=count, page_token=token, **asked
    )
    return Page([_assessment_row(assessment) for assessment in page], page.next_page_token)


def _assessment_row(assessment: Assessment) -> Row:
    source, error = assessment.source, assessment.error
    return (
        assessment.assessment_id,
        assessment.trace_id,
        assessment.span_id,
        assessment.session_id,
        "expectation" if isinstance(assessment, Expectation) else "feedback",
        assessment.name,
        assessment.value,
        assessment.rationale,
        source.source_type if source else "",
        source.source_id if source else "",
        dict(assessment.metadata) if assessment.metadata else None,
        error.error_message if error else None,
        error.error_code if error else None,
        assessment.overrides,
        assessment.valid,
        assessment.labeling_session_id,
        assessment.evaluation_run_id,
        iso_of_milliseconds(assessment.create_time_ms),
        iso_of_milliseconds(assessment.last_update_time_ms),
    )


_TEXT: Final = "String"
_MAYBE_TEXT: Final = "Nullable(String)"
_COUNT: Final = "UInt64"
_COST: Final = Column("cost_usd", "Nullable(Float64)")
_MOMENT: Final = "DateTime64(9, 'UTC')"

TRACES: Final = Exported(
    "traces",
    (
        Column("trace_id", _TEXT),
        Column("time", _MOMENT),
        Column("name", _TEXT),
        Column("service", _TEXT),
        Column("status", _TEXT),
        Column("complete", "Bool"),
        Column("duration_ms", "Float64"),
        Column("spans", _COUNT),
        Column("errors", _COUNT),
        Column("calls", _COUNT),
        Column("models", "Array(String)"),
        Column("input_tokens", _COUNT),
        Column("output_tokens", _COUNT),
        _COST,
        Column("session_id", _MAYBE_TEXT),
        Column("user_id", _MAYBE_TEXT),
        Column("request", _TEXT),
        Column("response", _TEXT),
        Column("feedback", _TEXT, is_json=True),
    ),
    frozenset({"filter"}),
    500,
    _traces,
)
SESSIONS: Final = Exported(
    "sessions",
    (
        Column("session_id", _TEXT),
        Column("user_id", _TEXT),
        Column("service", _TEXT),
        Column("start", _MOMENT),
        Column("end", _MOMENT),
        Column("traces", _COUNT),
        Column("calls", _COUNT),
        Column("input_tokens", _COUNT),
        Column("output_tokens", _COUNT),
        _COST,
        Column("errors", _COUNT),
        Column("unpriced_calls", _COUNT),
        Column("assessments", _COUNT),
        Column("feedback", _COUNT),
        Column("expectations", _COUNT),
        Column("negative_feedback", _COUNT),
    ),
    frozenset({"filter", "session_id", "user", "service"}),
    2000,
    _sessions,
)
ASSESSMENTS: Final = Exported(
    "assessments",
    (
        Column("assessment_id", _TEXT),
        Column("trace_id", _MAYBE_TEXT),
        Column("span_id", _MAYBE_TEXT),
        Column("session_id", _MAYBE_TEXT),
        Column("kind", _TEXT),
        Column("name", _TEXT),
        Column("value", _MAYBE_TEXT, is_json=True),
        Column("rationale", _MAYBE_TEXT),
        Column("source_type", _TEXT),
        Column("source_id", _TEXT),
        Column("metadata", _MAYBE_TEXT, is_json=True),
        Column("error", _MAYBE_TEXT),
        Column("error_code", _MAYBE_TEXT),
        Column("overrides", _MAYBE_TEXT),
        Column("valid", "Bool"),
        Column("labeling_session_id", _MAYBE_TEXT),
        Column("evaluation_run_id", _MAYBE_TEXT),
        Column("created", "DateTime64(3, 'UTC')"),
        Column("updated", "DateTime64(3, 'UTC')"),
    ),
    frozenset({
        "trace_id", "span_id", "session_id", "name", "kind", "source_type", "source_id", "labeling_session", "run_id",
        "valid",
    }),
    2000,
    _assessments,
)  # fmt: skip
LISTS: Final = (TRACES, SESSIONS, ASSESSMENTS)

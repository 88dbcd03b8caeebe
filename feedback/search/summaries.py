"""Traces as a list shows them: a row each, its sums, and what was said of it."""

from collections.abc import Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bar of a histogram over time."""

    start_ns: int
    end_ns: int
    traces: int
    errors: int
    """Of them, those whose root failed."""
    negative: int
    """Of them, those that a person found bad: feedback that is false, zero or less."""

"""What a search finds: a trace with its spans and what was said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hansei.feedback.assessment import Assessment, Expectation


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """An event of a span."""

    name: str
    time_ns: int
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A link from a span to another trace's."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A span. Attributes are texts: what was a list or an object is JSON."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    span_type: str
    """MLflow's type, from ``hansei.span.type`` or the conventions' operation; ``UNKNOWN`` where neither tells."""
    kind: str
    service: str
    start_time_ns: int
    end_time_ns: int
    status: str
    """``Unset``, ``Ok`` or ``Error``."""
    status_message: str
    inputs: Any
    """What went in: parsed where it is JSON, None where it was not recorded."""
    outputs: Any
    attributes: Mapping[str, str]
    resource_attributes: Mapping[str, str]
    events: Sequence[SpanEvent] = ()
    links: Sequence[SpanLink] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON would hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TraceInfo:
    """A trace without its spans: what its root says, or its earliest span where the root has not come."""

    trace_id: str
    name: str
    client_request_id: str | None
    state: str
    """``OK`` or ``ERROR``."""
    request_time: int
    """Milliseconds since 1970."""
    execution_duration: int
    """Milliseconds."""
    request: Any
    response: Any
    trace_metadata: Mapping[str, str]
    tags: Mapping[str, str]
    service: str
    session_id: str | None
    user_id: str | None
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """Of its model calls; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace: ``info``, ``spans`` in the order in which they began, ``assessments`` the newest first."""

    info: TraceInfo
    spans: Sequence[Span]
    assessments: Sequence[Assessment]

    def search_spans(
        self, *, name: str | None = None, span_type: str | None = None, span_id: str | None = None
    ) -> list[Span]:
        """The spans of that name, type (in any case) and id."""
        return [
            span
            for span in self.spans
            if name in (None, span.name)
            and (span_type is None or span_type.upper() == span.span_type.upper())
            and span_id in (None, span.span_id)
        ]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON would hold it."""
        return {
            "info": asdict(self.info),
            "spans": [span.to_dict() for span in self.spans],
            "assessments": [assessment_dict(assessment) for assessment in self.assessments],
        }


def assessment_dict(assessment: Assessment) -> dict[str, Any]:
    """An assessment as JSON would hold it, with its kind."""
    kind = "expectation" if isinstance(assessment, Expectation) else "feedback"
    return {"kind": kind, **asdict(assessment)}

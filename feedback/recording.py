"""Recording assessments from a service, a notebook or a script.

The functions have MLflow's names and parameters. None of them waits for a server, so there are no asynchronous twins:
each checks what it is given, hands an event to the service's telemetry and returns, within microseconds. They can be
called the instant after the call that they speak of, before its trace has been sent.

They need not have read what they change. So a correction replaces what is said (value, error, rationale, metadata) and
leaves what it is said of and by whom; who overrides need not know the name.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from hansei.feedback.assessment import (
    DEFAULT_NAME,
    Assessment,
    AssessmentError,
    Expectation,
    Feedback,
    metadata_texts,
)
from hansei.feedback.recorder import Recorder, of_trace
from hansei.feedback.service_events import service_events
from hansei.feedback.source import AssessmentSource
from hansei.feedback.text import required_text

A = TypeVar("A", bound=Assessment)

_recorder: Final = Recorder(service_events.send, service_events.clock)


def log_feedback(
    *,
    trace_id: str | None = None,
    name: str = DEFAULT_NAME,
    value: object = None,
    source: AssessmentSource | None = None,
    error: AssessmentError | BaseException | str | None = None,
    rationale: str | None = None,
    metadata: Mapping[str, object] | None = None,
    span_id: str | None = None,
    session_id: str | None = None,
) -> Feedback:
    """Record how good a trace was, or one of its spans, or a session; answers it with its id.

    ``value`` is a bool, a number, a text, or lists and dicts of these; ``error`` (an ``AssessmentError``, an exception
    or a text) stands in its place where there is none. ``source`` is code, unless it is given. With ``session_id`` and
    no ``trace_id`` it speaks of the whole conversation. Raises ``InvalidAssessment``.
    """
    return _recorder.record(
        Feedback(
            name,
            value,
            error=AssessmentError.of(error),
            source=source,
            rationale=rationale,
            metadata=metadata_texts(metadata),
            trace_id=trace_id,
            span_id=span_id,
            session_id=session_id,
        )
    )


def log_expectation(
    *,
    trace_id: str | None = None,
    name: str,
    value: object,
    source: AssessmentSource | None = None,
    metadata: Mapping[str, object] | None = None,
    span_id: str | None = None,
    session_id: str | None = None,
) -> Expectation:
    """Record what would have been right: any JSON; answers it with its id.

    ``source`` is a person, unless it is given. Raises ``InvalidAssessment``.
    """
    return _recorder.record(
        Expectation(
            name,
            value,
            source=source,
            metadata=metadata_texts(metadata),
            trace_id=trace_id,
            span_id=span_id,
            session_id=session_id,
        )
    )


def log_assessment(trace_id: str | None, assessment: A) -> A:
    """Record a :class:`Feedback` or an :class:`Expectation` on a trace; answers it with its id.

    ``trace_id`` is None for one on a session. Raises ``InvalidAssessment``.
    """
    return _recorder.record(of_trace(trace_id, assessment))


def update_assessment(trace_id: str | None, assessment_id: str, assessment: A) -> A:
    """Correct what an assessment says: its value or error, rationale, metadata and name, all of them.

    Where it is and who made it stay; ``assessment.source`` is who corrects. Raises ``InvalidAssessment``.
    """
    return _recorder.correct(trace_id, assessment_id, assessment)


def override_feedback(
    *,
    trace_id: str | None,
    assessment_id: str,
    value: object,
    rationale: str | None = None,
    source: AssessmentSource | None = None,
    metadata: Mapping[str, object] | None = None,
    name: str | None = None,
) -> Feedback:
    """Record a feedback that stands in for another of the same trace, which stays and is no longer valid.

    Without ``name`` it has that of the other, once it is read; here it is empty. To delete the new one makes the other
    valid again. Raises ``InvalidAssessment``.
    """
    feedback = Feedback(
        name or "",
        value,
        overrides=required_text("assessment_id", assessment_id),
        source=source,
        rationale=rationale,
        metadata=metadata_texts(metadata),
    )
    return log_assessment(trace_id, feedback)


def delete_assessment(trace_id: str | None, assessment_id: str, *, source: AssessmentSource | None = None) -> None:
    """Take an assessment back; the ledger keeps that it was there. ``source`` is who does.

    Raises ``InvalidAssessment``.
    """
    _recorder.retract(trace_id, assessment_id, source)

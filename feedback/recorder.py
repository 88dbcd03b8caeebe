"""Making events of assessments: ids, times, defaults and checks, whoever carries the events away."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from hansei.feedback.assessment import Assessment
from hansei.feedback.clock import EventClock
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.event import Event, correction, retraction, statement
from hansei.feedback.ids import created_milliseconds, new_assessment_id, trace_id_or_none
from hansei.feedback.source import AssessmentSource
from hansei.feedback.text import required_text

A = TypeVar("A", bound=Assessment)


class Recorder:
    """Records assessments by sending events: a service through its telemetry, the server through its log."""

    def __init__(self, send: Callable[[Event], None], clock: EventClock) -> None:
        self._send = send
        self._clock = clock

    def record(self, assessment: A, *, assessment_id: str | None = None, time_ns: int | None = None) -> A:
        """Record an assessment; answers it with its id.

        ``assessment_id`` and ``time_ns`` are for who sends the same event again: it then is the same. Raises
        ``InvalidAssessment``.
        """
        if assessment.trace_id is None and not assessment.session_id:
            raise InvalidAssessment(
                "trace_id: there is none; give a trace_id, or a session_id for a whole conversation"
            )
        if assessment.span_id is not None and assessment.trace_id is None:
            raise InvalidAssessment("span_id: a span is found through its trace; give the trace_id too")
        now = self._clock.tick() if time_ns is None else time_ns
        milliseconds = now // 1_000_000
        recorded = replace(
            assessment,
            assessment_id=assessment_id or new_assessment_id(milliseconds),
            source=assessment.source or assessment.default_source,
            create_time_ms=milliseconds,
            last_update_time_ms=milliseconds,
            valid=True,
        )
        self._send(statement(recorded, now))
        return recorded

    def correct(self, trace_id: str | None, assessment_id: str, assessment: A, *, time_ns: int | None = None) -> A:
        """Correct what an assessment says; ``assessment.source`` is who corrects. Raises ``InvalidAssessment``."""
        known = replace(of_trace(trace_id, assessment), assessment_id=required_text("assessment_id", assessment_id))
        now = self._clock.tick() if time_ns is None else time_ns
        self._send(correction(known, now))
        return replace(known, create_time_ms=created_milliseconds(assessment_id), last_update_time_ms=now // 1_000_000)

    def retract(
        self,
        trace_id: str | None,
        assessment_id: str,
        source: AssessmentSource | None = None,
        *,
        time_ns: int | None = None,
    ) -> None:
        """Take an assessment back; ``source`` is who does. Raises ``InvalidAssessment``."""
        trace_id = trace_id_or_none(trace_id)
        assessment_id = required_text("assessment_id", assessment_id)
        self._send(retraction(trace_id, assessment_id, source, self._clock.tick() if time_ns is None else time_ns))


def of_trace(trace_id: str | None, assessment: A) -> A:
    """The assessment, said to be of a trace (None: of a session). Raises ``InvalidAssessment``."""
    if not isinstance(assessment, Assessment):
        raise InvalidAssessment(f"assessment: {assessment!r} is not a Feedback or an Expectation")
    wanted = trace_id_or_none(trace_id)
    if assessment.trace_id not in (None, wanted):
        raise InvalidAssessment(
            f"trace_id: {trace_id!r} is not {assessment.trace_id!r}, the trace of the assessment; give the same twice"
        )
    return replace(assessment, trace_id=wanted)

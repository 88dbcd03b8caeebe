"""From an assessment to the event that carries it: the one encoding, whoever sends it."""

import json
from dataclasses import dataclass

from hansei.feedback import attributes as names
from hansei.feedback.assessment import Assessment, Expectation
from hansei.feedback.source import AssessmentSource
from hansei.feedback.text import sendable

Attributes = dict[str, str | int | float | bool]

_INT64 = 1 << 63


@dataclass(frozen=True, slots=True)
class Event:
    """A ``gen_ai.evaluation.result`` event: what it says, of what, and when."""

    time_ns: int
    trace_id: str | None
    span_id: str | None
    attributes: Attributes


def statement(assessment: Assessment, time_ns: int) -> Event:
    """The event that makes an assessment."""
    source = assessment.source or assessment.default_source
    said = _what_is_said(assessment) | _who(source)
    about = {
        names.CONVERSATION_ID: assessment.session_id,
        names.OVERRIDES: assessment.overrides,
        names.LABELING_SESSION_ID: assessment.labeling_session_id,
        names.EVALUATION_RUN_ID: assessment.evaluation_run_id,
    }
    said.update({name: value for name, value in about.items() if value})
    return Event(time_ns, assessment.trace_id, assessment.span_id, said)


def correction(assessment: Assessment, time_ns: int) -> Event:
    """The event that replaces what an assessment says; its ``source`` is who corrects."""
    said = _what_is_said(assessment) | _who(assessment.source) | {names.CORRECTION: True}
    return Event(time_ns, assessment.trace_id, assessment.span_id, said)


def retraction(trace_id: str | None, assessment_id: str, source: AssessmentSource | None, time_ns: int) -> Event:
    """The event that takes an assessment back; ``source`` is who does."""
    said: Attributes = {names.ASSESSMENT_ID: assessment_id, names.DELETED: True}
    return Event(time_ns, trace_id, None, said | _who(source))


def _what_is_said(assessment: Assessment) -> Attributes:
    said: Attributes = {names.KIND: "expectation" if isinstance(assessment, Expectation) else "feedback"}
    if assessment.assessment_id:
        said[names.ASSESSMENT_ID] = assessment.assessment_id
    if assessment.name:
        said[names.NAME] = assessment.name
    if assessment.error is None:
        said[names.VALUE] = assessment.json()
        said |= _score(assessment.value)
    else:
        said[names.ERROR_TYPE] = said[names.ERROR_CODE] = assessment.error.error_code
        said[names.ERROR_MESSAGE] = assessment.error.error_message or assessment.error.error_code
    if assessment.rationale:
        said[names.EXPLANATION] = assessment.rationale
    if assessment.metadata:
        said[names.METADATA] = json.dumps(dict(assessment.metadata), ensure_ascii=False, separators=(",", ":"))
    return said


def _score(value: object) -> Attributes:
    """What the conventions have a name for, so that others can read it."""
    if isinstance(value, bool):
        return {names.SCORE_VALUE: int(value), names.SCORE_LABEL: "true" if value else "false"}
    if isinstance(value, int):
        if -_INT64 <= value < _INT64:
            return {names.SCORE_VALUE: int(value)}
        try:
            return {names.SCORE_VALUE: float(value)}
        except OverflowError:
            return {}
    if isinstance(value, float):
        return {names.SCORE_VALUE: float(value)}
    # The text itself also of a member of an enumeration of texts.
    return {names.SCORE_LABEL: sendable(str.__str__(value))} if isinstance(value, str) else {}


def _who(source: AssessmentSource | None) -> Attributes:
    return {names.SOURCE_TYPE: source.source_type, names.SOURCE_ID: source.source_id} if source else {}

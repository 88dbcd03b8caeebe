"""Assessments as the API reads and writes them."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from hansei.feedback.api.parameters import unknown
from hansei.feedback.api.problem import Problem
from hansei.feedback.assessment import DEFAULT_NAME, Assessment, AssessmentError, Expectation, Feedback
from hansei.feedback.clock import EventClock
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.recorder import Recorder
from hansei.feedback.source import AssessmentSource

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)

_SAID: Final = ("kind", "name", "value", "error", "rationale", "metadata", "source")
_ABOUT: Final = ("trace_id", "span_id", "session_id", "overrides", "labeling_session_id", "evaluation_run_id")
STATEMENT_FIELDS: Final = (*_ABOUT[:3], *_SAID, *_ABOUT[3:])
CORRECTION_FIELDS: Final = _SAID
KINDS: Final[dict[str, type[Feedback] | type[Expectation]]] = {"feedback": Feedback, "expectation": Expectation}

_CHECKING: Final = Recorder(lambda _: None, EventClock())
"""Refuses what cannot be recorded, and records nothing."""
_POINTERS: Final = {
    "source_type": "/source/type",
    "source_id": "/source/id",
    "value, error": "/value",
    "rationale, error": "/rationale",
}
"""Where the argument of a message stands in the body."""


def statement_of(body: Any, at: str = "") -> Assessment:
    """The assessment of a body; ``at`` is the pointer to it. Raises :class:`Problem`."""
    given = _object(body, STATEMENT_FIELDS, at)
    default_name = "" if given.get("overrides") else DEFAULT_NAME
    made = _assessment(given, at, default_name, {name: given.get(name) for name in _ABOUT})
    try:
        _CHECKING.record(made)
    except InvalidAssessment as mistake:
        raise invalid(mistake, at) from None
    return made


def correction_of(body: Any, trace_id: str | None, assessment_id: str) -> Assessment:
    """What is to be said instead; its name is empty where the body has none. Raises :class:`Problem`."""
    given = _object(body, CORRECTION_FIELDS, "")
    # Only one that overrides may do without a name; a correction does not tell what is overridden.
    return _assessment(given, "", "", {"trace_id": trace_id, "overrides": assessment_id})


def _object(body: Any, fields: tuple[str, ...], at: str) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Problem.of_body([{"pointer": at, "detail": "it is not an object"}])
    errors = [_mistake(f"{at}/{_escaped(name)}", unknown(name, fields, "field")) for name in body if name not in fields]
    for name, value in body.items():
        if name in ("error", "source") and value is not None:
            errors += _part(value, ("code", "message") if name == "error" else ("type", "id"), f"{at}/{name}")
        elif name in fields and name not in ("value", "metadata") and not isinstance(value, str | None):
            errors.append(_mistake(f"{at}/{name}", "it is not a string"))
    kind = body.get("kind")
    if isinstance(kind, str) and kind not in KINDS:
        errors.append(_mistake(f"{at}/kind", f"{kind[:80]!r} is not one of {', '.join(KINDS)}"))
    if kind == "expectation" and "value" not in body:
        errors.append(_mistake(f"{at}/value", "there is none; give what would have been right"))
    if errors:
        raise Problem.of_body(errors)
    return body


def _part(value: object, fields: tuple[str, str], at: str) -> list[dict[str, str]]:
    first = fields[0]
    if not isinstance(value, dict):
        return [_mistake(at, f"it is not an object with {' and '.join(fields)}")]
    errors = [
        _mistake(f"{at}/{_escaped(name)}", unknown(name, fields, "field")) for name in value if name not in fields
    ]
    if not isinstance(value.get(first), str) or not value[first]:
        errors.append(_mistake(f"{at}/{first}", "it is not a string with something in it"))
    if not isinstance(value.get(fields[1]), str | None):
        errors.append(_mistake(f"{at}/{fields[1]}", "it is not a string"))
    return errors


def _assessment(given: Mapping[str, Any], at: str, default_name: str, about: Mapping[str, Any]) -> Assessment:
    kind = KINDS[given.get("kind") or "feedback"]
    error, source = given.get("error"), given.get("source")
    name = given.get("name")
    try:
        return kind(
            default_name if name is None else name,
            given.get("value"),
            source=source and AssessmentSource(source["type"], source.get("id") or "default"),
            error=error and AssessmentError(error["code"], error.get("message")),
            rationale=given.get("rationale"),
            metadata=given.get("metadata"),
            **about,
        )
    except InvalidAssessment as mistake:
        raise invalid(mistake, at) from None


def invalid(mistake: InvalidAssessment, at: str = "") -> Problem:
    """The problem of an assessment that cannot be."""
    match = re.match(r"(\w+(?:, \w+)?): (.*)", str(mistake), re.DOTALL)
    argument, detail = (match[1], match[2]) if match else ("", str(mistake))
    pointer = _POINTERS.get(argument, f"/{argument}" if argument else "")
    return Problem.of_body([_mistake(at + pointer, detail)])


def _mistake(pointer: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "detail": detail}


def _escaped(name: str) -> str:
    return name[:80].replace("~", "~0").replace("/", "~1")


def assessment_json(assessment: Assessment) -> dict[str, Any]:
    """An assessment as it is answered."""
    error, source = assessment.error, assessment.source
    return {
        "assessment_id": assessment.assessment_id,
        "trace_id": assessment.trace_id,
        "span_id": assessment.span_id,
        "session_id": assessment.session_id,
        "kind": "expectation" if isinstance(assessment, Expectation) else "feedback",
        "name": assessment.name,
        "value": assessment.value,
        "error": error and {"code": error.error_code, "message": error.error_message},
        "rationale": assessment.rationale,
        "metadata": dict(assessment.metadata or {}),
        "source": {"type": source.source_type, "id": source.source_id} if source and source.source_type else None,
        "overrides": assessment.overrides,
        "valid": assessment.valid,
        "labeling_session_id": assessment.labeling_session_id,
        "evaluation_run_id": assessment.evaluation_run_id,
        "created_at": moment_json(assessment.create_time_ms, 3),
        "updated_at": moment_json(assessment.last_update_time_ms, 3),
    }


def moment_json(ticks: int | None, digits: int) -> str | None:
    """RFC 3339 of milliseconds (3 digits) or nanoseconds (9) since 1970."""
    if ticks is None:
        return None
    seconds, rest = divmod(ticks, 10**digits)
    return f"{(_EPOCH + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')}.{rest:0{digits}d}Z"

"""What is said of a trace, a span or a session: feedback on what happened, or what should have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.ids import span_id_or_none, trace_id_or_none
from hansei.feedback.json_value import expectation_json, feedback_json
from hansei.feedback.source import AssessmentSource, AssessmentSourceType
from hansei.feedback.text import optional_text, required_text, sendable

DEFAULT_NAME: Final = "feedback"


@dataclass(frozen=True, slots=True)
class AssessmentError:
    """Why there is no value: a judge that timed out, a scorer that raised."""

    error_code: str
    error_message: str | None = None
    stack_trace: str | None = None
    """Kept by the caller alone; it is not recorded."""

    @classmethod
    def of(cls, error: object) -> "AssessmentError | None":
        """From an exception or a text too, as MLflow takes them. Raises ``InvalidAssessment``."""
        if error is None or isinstance(error, cls):
            return error
        if isinstance(error, BaseException):
            return cls(type(error).__name__, sendable(str(error)))
        if isinstance(error, str):
            return cls("ASSESSMENT_ERROR", sendable(error))
        raise InvalidAssessment(f"error: {error!r} is not an AssessmentError, an exception or a string")


@dataclass(frozen=True, slots=True)
class Assessment:
    """What :class:`Feedback` and :class:`Expectation` have in common; make one of these.

    An assessment is checked when it is made: ``InvalidAssessment`` tells what is wrong. What hansei fills in when it
    is recorded (ids, times, the source) may be left out.
    """

    name: str
    value: object = None
    source: AssessmentSource | None = None
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    metadata: Mapping[str, str] | None = None
    rationale: str | None = None
    error: AssessmentError | None = None
    overrides: str | None = None
    """The id of the assessment of the same trace that this one stands in for."""
    valid: bool = True
    """Whether no other one stands in for it; only what has been read knows."""
    assessment_id: str | None = None
    create_time_ms: int | None = None
    last_update_time_ms: int | None = None
    labeling_session_id: str | None = None
    evaluation_run_id: str | None = None

    def __post_init__(self) -> None:
        if type(self) is Assessment:
            raise InvalidAssessment("an assessment is a Feedback or an Expectation")
        if self.source is not None and not isinstance(self.source, AssessmentSource):
            raise InvalidAssessment(f"source: {self.source!r} is not an AssessmentSource")
        # Who overrides need not know the name of what is overridden.
        check_name = optional_text if self.overrides else required_text
        self._set("name", check_name("name", self.name) or "")
        self._set("trace_id", trace_id_or_none(self.trace_id))
        self._set("span_id", span_id_or_none(self.span_id))
        self._set("metadata", metadata_texts(self.metadata))
        self._set("error", AssessmentError.of(self.error))
        for argument in _TEXTS:
            given = getattr(self, argument)
            if given is not None:
                self._set(argument, optional_text(argument, given))
        self.json()

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    @property
    def default_source(self) -> AssessmentSource:
        """Who says it where nobody is named."""
        raise NotImplementedError

    def json(self) -> str:
        """The value as JSON text."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Feedback(Assessment):
    """How good it was: a bool, a number, a text, or lists and dicts of these; or the error in place of it."""

    name: str = DEFAULT_NAME

    @property
    def default_source(self) -> AssessmentSource:
        """Code, as in MLflow."""
        return AssessmentSource(AssessmentSourceType.CODE)

    def json(self) -> str:
        """The value as JSON text; ``null`` where there is an error instead."""
        if (self.value is None) == (self.error is None):
            raise InvalidAssessment("value, error: a feedback has one of the two; give either a value or an error")
        return "null" if self.value is None else feedback_json(self.value)


@dataclass(frozen=True, slots=True)
class Expectation(Assessment):
    """What would have been right: any JSON."""

    @property
    def default_source(self) -> AssessmentSource:
        """A person, as in MLflow."""
        return AssessmentSource(AssessmentSourceType.HUMAN)

    def json(self) -> str:
        """The value as JSON text."""
        if self.rationale is not None or self.error is not None:
            raise InvalidAssessment("rationale, error: an expectation has neither")
        return expectation_json(self.value)


_TEXTS: Final = ("session_id", "rationale", "overrides", "assessment_id", "labeling_session_id", "evaluation_run_id")


def metadata_texts(given: object) -> dict[str, str] | None:
    """Texts by name; a number or a bool becomes its JSON text."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidAssessment(f"metadata: {given!r} is not a dict")
    found = {}
    for key, value in given.items():
        name = required_text("metadata", key)
        if not isinstance(value, str | bool | int | float):
            raise InvalidAssessment(f"metadata: {name!r} is a {type(value).__name__}; give a str, bool, int or float")
        found[name] = sendable(value) if isinstance(value, str) else feedback_json(value)
    return found

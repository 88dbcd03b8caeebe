"""From what somebody filled in to an assessment, and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hansei.feedback.assessment import Assessment, Expectation, Feedback
from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.source import AssessmentSource, AssessmentSourceType

VALUE_KINDS: Final = ("yesno", "number", "text", "json")
KINDS: Final = ("feedback", "expectation")


@dataclass(frozen=True, slots=True)
class AssessmentForm:
    """The fields of the form, as texts."""

    kind: str = "feedback"
    name: str = ""
    span_id: str = ""
    value_kind: str = "yesno"
    yesno: str = ""
    number: str = ""
    text: str = ""
    json: str = ""
    rationale: str = ""
    who: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "AssessmentForm":
        """What a browser sent; what it left out is as in a new form."""
        known = {name: given[name] for name in cls.__slots__ if isinstance(given.get(name), str)}
        # A browser ends lines as HTTP does.
        return cls(**{name: value.replace("\r\n", "\n") for name, value in known.items()})

    @classmethod
    def filled(cls, assessment: Assessment) -> "AssessmentForm":
        """With what an assessment says."""
        value = assessment.value
        form = cls(
            kind="expectation" if isinstance(assessment, Expectation) else "feedback",
            name=assessment.name,
            span_id=assessment.span_id or "",
            rationale=assessment.rationale or "",
        )
        if isinstance(value, bool):
            return replace(form, value_kind="yesno", yesno="yes" if value else "no")
        if isinstance(value, int | float):
            return replace(form, value_kind="number", number=json.dumps(value))
        if isinstance(value, str):
            return replace(form, value_kind="text", text=value)
        if value is None and assessment.error is not None:
            return form
        return replace(form, value_kind="json", json=json.dumps(value, ensure_ascii=False, indent=2))

    @property
    def value(self) -> Any:
        """The value. Raises :class:`InvalidAssessment`."""
        if self.value_kind not in VALUE_KINDS:
            raise InvalidAssessment(f"value: {self.value_kind!r} is not one of {', '.join(VALUE_KINDS)}")
        if self.value_kind == "yesno":
            if self.yesno not in ("yes", "no"):
                raise InvalidAssessment("value: choose yes or no")
            return self.yesno == "yes"
        given = {"number": self.number, "text": self.text, "json": self.json}[self.value_kind].strip()
        if not given:
            raise InvalidAssessment("value: it is empty; write one")
        if self.value_kind == "text":
            return given
        try:
            # NaN and Infinity are read by the parser, and refused when the assessment is made.
            value = json.loads(given)
        except (ValueError, RecursionError) as error:
            if self.value_kind == "number":
                raise InvalidAssessment(f"value: {given[:80]!r} is not a number; write 4 or 0.75") from None
            raise InvalidAssessment(f"value: this is not JSON: {str(error)[:200]}") from None
        if self.value_kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise InvalidAssessment(f"value: {given[:80]!r} is not a number; write 4 or 0.75")
        return value

    def assessment(self, trace_id: str, who: str, *, overrides: str | None = None) -> Feedback | Expectation:
        """What the form says, said by a person. Raises :class:`InvalidAssessment`."""
        if self.kind not in KINDS:
            raise InvalidAssessment(f"type: {self.kind!r} is not one of {', '.join(KINDS)}")
        if not self.name.strip():
            raise InvalidAssessment("name: it is empty; say what is assessed, such as helpful or correctness")
        source = AssessmentSource(AssessmentSourceType.HUMAN, who)
        common: dict[str, Any] = {
            "source": source, "trace_id": trace_id, "span_id": self.span_id.strip() or None,
        }  # fmt: skip
        if self.kind == "expectation":
            return Expectation(self.name.strip(), self.value, **common)
        rationale = self.rationale.strip() or None
        return Feedback(self.name.strip(), self.value, rationale=rationale, overrides=overrides, **common)

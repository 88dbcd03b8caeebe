"""Who says it: a person, a model or code, each with an id."""

from dataclasses import dataclass
from typing import Final

from hansei.feedback.errors import InvalidAssessment
from hansei.feedback.text import required_text


class AssessmentSourceType:
    """The kinds of source. A string does as well, in any case."""

    HUMAN: Final = "HUMAN"
    LLM_JUDGE: Final = "LLM_JUDGE"
    CODE: Final = "CODE"


SOURCE_TYPES: Final = (AssessmentSourceType.HUMAN, AssessmentSourceType.LLM_JUDGE, AssessmentSourceType.CODE)
_FORMER_NAMES: Final = {"AI_JUDGE": AssessmentSourceType.LLM_JUDGE}
"""What MLflow still takes."""


@dataclass(frozen=True, slots=True)
class AssessmentSource:
    """A source, by kind and id: an address of a person, the name of a model, the path of a script."""

    source_type: str
    source_id: str = "default"

    def __post_init__(self) -> None:
        kind = str(self.source_type).strip().upper()
        kind = _FORMER_NAMES.get(kind, kind)
        if kind not in SOURCE_TYPES:
            raise InvalidAssessment(f"source_type: {self.source_type!r} is not one of {', '.join(SOURCE_TYPES)}")
        object.__setattr__(self, "source_type", kind)
        object.__setattr__(self, "source_id", required_text("source_id", self.source_id))

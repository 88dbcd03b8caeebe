"""What would have been right, where several people have said it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, get_args

from hansei.evaluation.consensus import Consensus, consensus_of
from hansei.evaluation.errors import EvaluationConflict, InvalidEvaluation
from hansei.feedback.assessment import Assessment, Expectation
from hansei.feedback.labeling.desk_labels import SCHEMA_VERSION
from hansei.feedback.labeling.labels import DECIDED_BETWEEN

OnConflict = Literal["skip", "newest", "error"]
Rule = Consensus | Literal["newest"]
ON_CONFLICT: Final = get_args(OnConflict)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of several expectations holds, and why."""

    rule: Rule
    assessment_ids: Sequence[str]
    """All that say it, the one that was taken first."""
    source_ids: Sequence[str]
    """Who says it."""
    labeling_session_id: str = ""
    label_schema_version: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        found = asdict(self)
        return {**found, "assessment_ids": list(self.assessment_ids), "source_ids": list(self.source_ids)}


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a trace or a conversation, by name."""

    values: Mapping[str, Any] = field(default_factory=dict)
    by: Mapping[str, Choice] = field(default_factory=dict)
    conflicts: Mapping[str, Sequence[Assessment]] = field(default_factory=dict)
    """Names about which people disagree, with what they said; they have no value."""


def expected_of(assessments: Iterable[Assessment], *, on_conflict: OnConflict = "skip") -> Expected:
    """What is expected, of the valid expectations on the whole of a trace or a conversation.

    Of each source its newest one counts. What an arbiter decided holds; else what all say; else what more than half
    of them say. Where that leaves nothing nobody is right by being the last: ``on_conflict`` says whether the name is
    left out and told (``skip``), the newest is taken all the same (``newest``), or ``EvaluationConflict`` is raised
    (``error``). Raises ``InvalidEvaluation`` for another word.
    """
    if on_conflict not in ON_CONFLICT:
        raise InvalidEvaluation(f"on_conflict: {on_conflict!r} is not one of {', '.join(ON_CONFLICT)}")
    said: dict[str, list[Assessment]] = {}
    for each in sorted(assessments, key=_age):
        if isinstance(each, Expectation) and each.valid and each.error is None and each.span_id is None:
            said.setdefault(each.name, []).append(each)
    values: dict[str, Any] = {}
    by: dict[str, Choice] = {}
    conflicts: dict[str, Sequence[Assessment]] = {}
    for name, of_name in said.items():
        found = consensus_of(of_name, source=_source, value=lambda each: each.value, decides=_decides)
        if found is None and on_conflict == "skip":
            conflicts[name] = of_name
            continue
        if found is None and on_conflict == "error":
            about = of_name[0].trace_id or of_name[0].session_id
            people = ", ".join(_source(each) for each in of_name)
            raise EvaluationConflict(f"{people} disagree about {name!r} of {about}; have it decided, or skip it")
        rule, holding = found or ("newest", [of_name[-1]])
        values[name] = holding[-1].value
        by[name] = _choice(rule, holding)
    return Expected(values, by, conflicts)


def _choice(rule: Rule, holding: Sequence[Assessment]) -> Choice:
    taken = holding[-1]
    return Choice(
        rule,
        [each.assessment_id or "" for each in reversed(holding)],
        [_source(each) for each in reversed(holding)],
        taken.labeling_session_id or "",
        (taken.metadata or {}).get(SCHEMA_VERSION, ""),
    )


def _source(assessment: Assessment) -> str:
    return assessment.source.source_id if assessment.source else ""


def _age(assessment: Assessment) -> tuple[int, str]:
    return assessment.last_update_time_ms or 0, assessment.assessment_id or ""


def _decides(assessment: Assessment) -> bool:
    return bool((assessment.metadata or {}).get(DECIDED_BETWEEN))

"""Labelled examples of what a judge is to say, and how they are shared out."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hansei.evaluation.agreement.people import Held, Said, held_by_people
from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.expectations import expected_of
from hansei.evaluation.judges.judge import Judge
from hansei.evaluation.judges.rendering import as_json, bounded, conversation_text, enclosed, trace_text, value_text
from hansei.evaluation.scorer import plain
from hansei.evaluation.subject import Subject
from hansei.feedback.assessment import Assessment, Feedback
from hansei.feedback.labeling.texts import brief
from hansei.feedback.search.arguments import trace_id_of
from hansei.feedback.search.assessments import search_assessments
from hansei.feedback.search.many_traces import get_traces
from hansei.feedback.search.trace import Trace
from hansei.feedback.source import AssessmentSourceType

LONGEST_PART: Final = 4_000
"""Characters of what is judged, in an example."""


@dataclass(frozen=True, slots=True)
class Example:
    """What is judged, and what people say of it."""

    subject: Subject
    people: Held

    def shown(self, needs: frozenset[str]) -> str:
        """What a judge looks at, between tags."""
        subject, parts = self.subject, {}
        if "session" in needs:
            parts["conversation"] = conversation_text(subject.session)
        if "inputs" in needs and subject.inputs is not None:
            parts["inputs"] = value_text(subject.inputs, "user")
        if "outputs" in needs and subject.outputs is not None:
            parts["outputs"] = value_text(subject.outputs, "assistant")
        if "expectations" in needs and subject.expectations:
            parts["expectations"] = as_json(dict(subject.expectations))
        if "trace" in needs and subject.trace is not None and not {"inputs", "outputs"} & parts.keys():
            parts["trace"] = trace_text(subject.trace)
        return "\n".join(enclosed(name, bounded(text, LONGEST_PART)) for name, text in parts.items())

    def told(self) -> str:
        """What people say of it, as a line or two."""
        said = f"People say: {json.dumps(self.people.value, ensure_ascii=False)}"
        return f"{said}\nTheir reason: {bounded(self.people.rationale, 1000)}" if self.people.rationale else said


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples, in the order in which they came."""

    found: Sequence[Example] = ()
    undecided: int = 0
    """About which people disagree."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Examples, shared out: no conversation is in two of them."""

    fit: list[Example] = field(default_factory=list)
    validation: list[Example] = field(default_factory=list)
    held_out: list[Example] = field(default_factory=list)


def examples_of(judge: Judge, traces: object, label: str) -> Examples:
    """The traces, or their conversations, that people have labelled. Raises ``InvalidEvaluation``, ``SearchError``."""
    given = list(_traces(traces))
    if judge.is_session_level_scorer:
        return _labelled(_conversations(given, label), label)
    subjects = [(_subject(trace, label), trace.assessments) for trace in given]
    return _labelled(subjects, label)


def shared_out(examples: Sequence[Example], held_out: float) -> Shares:
    """The same examples are always shared out alike; in each share values are about as frequent as in the whole."""
    units: dict[str, list[Example]] = {}
    for each in examples:
        units.setdefault(each.subject.session_id or each.subject.subject_id, []).append(each)

    def place_of(name: str) -> tuple[list[tuple[float, str]], bytes]:
        return sorted(map(_value_key, units[name])), hashlib.sha256(name.encode()).digest()

    in_order = sorted(units, key=place_of)
    shares = Shares()
    kept: list[str] = []
    count = 0.0
    for name in in_order:
        before, count = count, count + held_out
        if int(count + 0.5) > int(before + 0.5):
            shares.held_out.extend(units[name])
        else:
            kept.append(name)
    for place, name in enumerate(kept):
        (shares.validation if place % 2 else shares.fit).extend(units[name])
    return shares


def _value_key(example: Example) -> tuple[float, str]:
    value = example.people.value
    is_number = isinstance(value, int | float)
    return (float(value) if is_number else 0.0, "" if is_number else json.dumps(value, sort_keys=True))


def _traces(given: Any) -> Iterable[Trace]:
    if isinstance(given, Trace):
        given = [given]
    if hasattr(given, "columns") and hasattr(given, "to_dict"):
        if "trace_id" not in given.columns:
            raise InvalidEvaluation("traces: the DataFrame has no column trace_id; give what search_traces answers")
        given = [plain(each) for each in given["trace_id"]]
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise InvalidEvaluation(f"traces: {brief(given)} is no list of traces; give what search_traces answers")
    everything = list(given)
    named = {each: trace_id_of(each) for each in everything if isinstance(each, str)}
    found = get_traces(named.values())
    for each in everything:
        trace = found.get(named[each]) if isinstance(each, str) else each
        if not isinstance(trace, Trace):
            raise InvalidEvaluation(f"traces: {brief(each)} is not a trace; give what search_traces answers")
        yield trace


def _subject(trace: Trace, label: str) -> Subject:
    # What the judge is to say must not be told to it as an expectation.
    expected = {name: value for name, value in expected_of(trace.assessments).values.items() if name != label}
    info = trace.info
    return Subject(
        "trace", info.trace_id, info.request, info.response, expected, trace, session_id=info.session_id,
        tags=info.tags, time_ms=info.request_time,
    )  # fmt: skip


def _conversations(traces: Sequence[Trace], label: str) -> Iterable[tuple[Subject, Sequence[Assessment]]]:
    turns: dict[str, list[Trace]] = {}
    for trace in traces:
        if trace.info.session_id:
            turns.setdefault(trace.info.session_id, []).append(trace)
    for session_id, of_session in turns.items():
        said = search_assessments(session_id=session_id, name=label, source_type=AssessmentSourceType.HUMAN)
        in_order = sorted(of_session, key=lambda trace: trace.info.request_time)
        subject = Subject("session", session_id, session=in_order, time_ms=in_order[0].info.request_time)
        yield subject, [each for each in said if each.trace_id is None]


def _labelled(subjects: Iterable[tuple[Subject, Sequence[Assessment]]], label: str) -> Examples:
    found: list[Example] = []
    undecided = 0
    for subject, assessments in subjects:
        said = [
            Said.of(each.value, each.source.source_id, each.rationale or "", each.metadata, _age(each))
            for each in sorted(assessments, key=_age)
            if isinstance(each, Feedback)
            and each.name == label
            and each.valid
            and each.error is None
            and each.span_id is None
            and each.source is not None
            and each.source.source_type == AssessmentSourceType.HUMAN
        ]
        people = held_by_people(said)
        if people is not None:
            found.append(Example(subject, people))
        elif said:
            undecided += 1
    return Examples(found, undecided)


def _age(assessment: Assessment) -> int:
    return assessment.last_update_time_ms or 0

"""What a judge and people say of the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hansei.evaluation.agreement.people import Held, Said, held_by_people
from hansei.evaluation.errors import EvaluationError
from hansei.evaluation.scorer import SCORER_VERSION
from hansei.evaluation.statements import statement
from hansei.feedback.search.connection import Query
from hansei.feedback.search.moment import END_OF_TIME

MOST: Final = 500_000
"""Assessments that are read."""
MOST_NAMES: Final = 1000
Target = tuple[str, str, str]
"""A trace and a span of it, or a conversation: what there is not is empty."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a version of a judge said of a target last."""

    value: Any
    rationale: str
    version: str
    source_id: str
    """The model, or the scorer."""
    time_ms: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A target that a judge and people have judged."""

    trace_id: str
    span_id: str
    session_id: str
    judge: Judgement
    people: Held

    @property
    def cluster(self) -> str:
        """The conversation, or else the trace: pairs of the same one are not independent."""
        return self.session_id or self.trace_id


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a judge and people."""

    latest: Sequence[Pair] = ()
    """One for each target, with what the judge said last."""
    by_version: Mapping[str, Sequence[Pair]] = field(default_factory=dict)
    """One for each target and version of the judge, the version that came first first."""
    undecided: int = 0
    """Targets that the judge has judged and about which people disagree."""
    unjudged: int = 0
    """Targets that people have labelled and the judge has not judged."""


@dataclass(frozen=True, slots=True)
class ComparableNames:
    """What can be compared: names of what judges say and of what people say, the most frequent first."""

    judges: Mapping[str, int]
    labels: Mapping[str, int]


def read_pairs(
    query: Query,
    judge: str,
    label: str,
    *,
    labeling_session_id: str = "",
    run_id: str = "",
    version: str = "",
    from_ns: int = 0,
    until_ns: int = END_OF_TIME,
) -> Pairs:
    """The pairs of a judge, by its name, and the labels of a name; of what the judge said in that time.

    Raises ``EvaluationError`` where there are too many.
    """
    asked = {
        "judge": judge, "label": label, "labeling_session": labeling_session_id, "run_id": run_id, "version": version,
        "from": from_ns, "until": until_ns, "limit": MOST + 1,
    }  # fmt: skip
    rows = query(statement("agreement", "judged_and_labelled"), asked)
    if len(rows) > MOST:
        raise EvaluationError(f"there are more than {MOST:,} assessments to compare; give a start_time and an end_time")
    judged: dict[Target, dict[str, Judgement]] = {}
    said: dict[Target, list[Said]] = {}
    sessions: dict[Target, str] = {}
    for row in rows:
        # What is said of a trace may name its conversation too.
        target = (row["TraceId"], row["SpanId"], "" if row["TraceId"] else row["SessionId"])
        sessions[target] = row["SessionId"] or sessions.get(target, "")
        value = json.loads(row["Value"])
        if row["SourceType"] == "HUMAN":
            each = Said.of(value, row["SourceId"], row["Rationale"], row["Metadata"], row["UpdatedMs"])
            said.setdefault(target, []).append(each)
        elif value is not None:
            found = _judgement(row, value)
            of_target = judged.setdefault(target, {})
            of_target.pop(found.version, None)
            of_target[found.version] = found
    return _paired(judged, said, sessions)


def read_comparable_names(query: Query) -> ComparableNames:
    """What could be compared: names of what judges, and of what people say, and how often each is said."""
    rows = query(statement("agreement", "comparable_names"), {"limit": MOST_NAMES})
    judges = {row["Name"]: int(row["Said"]) for row in rows if not row["ByPeople"]}
    return ComparableNames(judges, {row["Name"]: int(row["Said"]) for row in rows if row["ByPeople"]})


def _paired(
    judged: Mapping[Target, Mapping[str, Judgement]],
    said: Mapping[Target, Sequence[Said]],
    sessions: Mapping[Target, str],
) -> Pairs:
    latest: list[Pair] = []
    by_version: dict[str, list[Pair]] = {}
    undecided = unjudged = 0
    for target, of_people in said.items():
        of_target = judged.get(target)
        if not of_target:
            unjudged += 1
            continue
        people = held_by_people(of_people)
        if people is None:
            undecided += 1
            continue
        trace_id, span_id, session_id = target
        pairs = [Pair(trace_id, span_id, session_id or sessions[target], each, people) for each in of_target.values()]
        for pair in pairs:
            by_version.setdefault(pair.judge.version, []).append(pair)
        latest.append(pairs[-1])
    first = {version: min(pair.judge.time_ms for pair in pairs) for version, pairs in by_version.items()}
    in_order = sorted(by_version, key=lambda version: (first[version], version))
    return Pairs(latest, {version: by_version[version] for version in in_order}, undecided, unjudged)


def _judgement(row: Mapping[str, Any], value: Any) -> Judgement:
    version = row["Metadata"].get(SCORER_VERSION, "")
    return Judgement(value, row["Rationale"], version, row["SourceId"], row["CreatedMs"])

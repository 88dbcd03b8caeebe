"""Which scores there are already: a run that is repeated does only what is missing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.batch.selection import AT_ONCE, Chosen
from hansei.evaluation.scorer import Scorer, assessment_id_of
from hansei.evaluation.statements import statement
from hansei.evaluation.subject import Subject, SubjectKind
from hansei.feedback.search.connection import Query

_SEVERAL: Final = 8
"""Things that a scorer says of one subject: so many count in the metrics of a run that finds them said."""
_Known = dict[str, Mapping[str, Any]]
"""Rows of the ledger by their assessments' ids."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a version of a scorer has said of a subject before."""

    scorer: Scorer
    values: Sequence[tuple[str, Any]]
    """Names and values."""


@dataclass(frozen=True, slots=True)
class Work:
    """A subject, what is there of it, and who has yet to score it."""

    chosen: Chosen
    missing: Sequence[Scorer]
    kept: Sequence[Kept]


def missing_scores(query: Query, kind: SubjectKind, chosen: Sequence[Chosen], scorers: Sequence[Scorer]) -> list[Work]:
    """What is to be done. A score is missing that is not there, failed, or speaks of what has changed since.

    A score is known by its subject, the scorer and the scorer's version. Raises ``SearchError``.
    """
    subjects = [Subject(kind, each.subject_id) for each in chosen]
    firsts = [[assessment_id_of(subject, scorer) for scorer in scorers] for subject in subjects]
    if kind == "trace":
        known = _of_traces(query, chosen)
    else:
        known = _by_id(query, [each for of_one in firsts for each in of_one])
        known |= _by_id(
            query,
            [
                assessment_id_of(subject, scorer, position)
                for subject, of_one in zip(subjects, firsts, strict=True)
                for scorer, first in zip(scorers, of_one, strict=True)
                if first in known
                for position in range(1, _SEVERAL)
            ],
        )
    if not known:
        return [Work(each, scorers, ()) for each in chosen]
    work = []
    for each, subject, of_one in zip(chosen, subjects, firsts, strict=True):
        missing, kept = [], []
        for scorer, first in zip(scorers, of_one, strict=True):
            rows = _said(known, subject, scorer, first)
            current = [row for row in rows if row["Revision"] == each.revision]
            if current and not any(row["Failed"] for row in current):
                kept.append(Kept(scorer, [(row["Name"], _value(row["Value"])) for row in current]))
            else:
                missing.append(scorer)
        work.append(Work(each, missing, kept))
    return work


def _said(known: _Known, subject: Subject, scorer: Scorer, first: str) -> list[Mapping[str, Any]]:
    """What a scorer said of a subject: under the ids of the positions from the first on."""
    if first not in known:
        return []
    others = (assessment_id_of(subject, scorer, position) for position in range(1, _SEVERAL))
    return [known[first], *(known[each] for each in others if each in known)]


def _of_traces(query: Query, chosen: Sequence[Chosen]) -> _Known:
    asked = {"trace_ids": [each.subject_id for each in chosen]}
    return {row["AssessmentId"]: row for row in query(statement("batch", "scores_of_traces"), asked)}


def _by_id(query: Query, assessment_ids: Sequence[str]) -> _Known:
    found: _Known = {}
    for start in range(0, len(assessment_ids), AT_ONCE):
        asked = {"assessment_ids": assessment_ids[start : start + AT_ONCE]}
        found |= {row["AssessmentId"]: row for row in query(statement("batch", "scores_by_id"), asked)}
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text

"""What would have been right, of many subjects at a time: from the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.batch.config import OnConflict
from hansei.evaluation.batch.selection import Chosen
from hansei.evaluation.batch.work import ReadExpectations
from hansei.evaluation.expectations import expected_of
from hansei.evaluation.subject import SubjectKind
from hansei.feedback.assessment import Assessment
from hansei.feedback.search.connection import Query
from hansei.feedback.search.statements import fill, statement
from hansei.feedback.search.stored import assessment_of

_VALID: Final = "    AND Valid AND Kind = 'expectation'\n"
_OF: Final[Mapping[SubjectKind, str]] = {
    "trace": "    AND TraceId IN {ids:Array(String)}\n",
    "session": "    AND TraceId = '' AND SessionId IN {ids:Array(String)}\n",
}
_ALL: Final = 2**32 - 1


def expectations_reader(query: Query, kind: SubjectKind, on_conflict: OnConflict) -> ReadExpectations:
    """What reads them; ``on_conflict`` says what holds where reviewers disagree and nobody has decided.

    Of a conversation it is what was said of it as a whole. Raises ``SearchError``.
    """
    sql = fill(statement("assessments"), conditions=_VALID + _OF[kind])

    def read(chosen: Sequence[Chosen]) -> Mapping[str, Mapping[str, Any]]:
        said: dict[str, list[Assessment]] = {}
        for row in query(sql, {"ids": [each.subject_id for each in chosen], "limit": _ALL}):
            said.setdefault(row["TraceId" if kind == "trace" else "SessionId"], []).append(assessment_of(row))
        return {name: expected_of(of_one, on_conflict=on_conflict).values for name, of_one in said.items()}

    return read

"""What a run has to do, piece by piece: subjects chosen, what is there already left out, the rest read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hansei.evaluation.batch.missing import Work, missing_scores
from hansei.evaluation.batch.reading import read_subjects
from hansei.evaluation.batch.selection import Chosen, Selection, in_chunks
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scoring import Task
from hansei.evaluation.subject import SubjectKind
from hansei.feedback.search.connection import Query

_TASKS: Final = 250
"""Tasks of a piece."""

ReadExpectations = Callable[[Sequence[Chosen]], Mapping[str, Mapping[str, Any]]]
"""What would have been right, by subject and name."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the work, and what of the funnel is known with it."""

    tasks: Sequence[Task]
    kept: Sequence[Work] = ()
    """Subjects of this window that have scores already."""
    drawn: int = 0
    not_drawn: int = 0
    again: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    """By scorer: scores that are to be made."""


class WorkPlan:
    """The work of a run, read as it is taken."""

    def __init__(
        self,
        query: Query,
        kind: SubjectKind,
        selection: Selection,
        scorers: Sequence[Scorer],
        expectations: ReadExpectations,
    ) -> None:
        self._query = query
        self._kind = kind
        self._selection = selection
        self._scorers = scorers
        self._expectations = expectations

    def pieces(self, *, read: bool = True) -> Iterator[Piece]:
        """All of it; without ``read`` only how much it is. Raises ``SearchError``."""
        for page in self._selection.pages():
            drawn = sum(not each.again for each in page.chosen)
            yield Piece((), drawn=drawn, not_drawn=page.seen - drawn)
            for chosen in in_chunks(page.chosen):
                work = missing_scores(self._query, self._kind, chosen, self._scorers)
                todo = [each for each in work if each.missing]
                yield self._counted(work)
                if read:
                    yield from self._read(todo)

    def _counted(self, work: Sequence[Work]) -> Piece:
        missing: dict[str, int] = {}
        for each in work:
            for scorer in each.missing:
                missing[scorer.name] = missing.get(scorer.name, 0) + 1
        again = sum(each.chosen.again and bool(each.missing) for each in work)
        # A subject that was seen before counts where there is something to do about it.
        kept = [each for each in work if each.kept and (each.missing or not each.chosen.again)]
        return Piece((), kept=kept, again=again, missing=missing)

    def _read(self, todo: Sequence[Work]) -> Iterator[Piece]:
        if not todo:
            return
        needs = frozenset(need for each in todo for scorer in each.missing for need in scorer.needs)
        chosen = [each.chosen for each in todo]
        expectations = self._expectations(chosen) if "expectations" in needs else {}
        subjects = read_subjects(self._query, self._kind, chosen, needs, expectations)
        tasks: list[Task] = []
        for subject, each in zip(subjects, todo, strict=True):
            tasks.append((subject, each.missing))
            if len(tasks) == _TASKS:
                yield Piece(tasks)
                tasks = []
        if tasks:
            yield Piece(tasks)

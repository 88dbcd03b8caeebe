"""What a run has to do, piece by piece: subjects chosen, what is there already left out, the rest read."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hansei.evaluation.batch.missing import Work, missing_scores
from hansei.evaluation.batch.read_ahead import read_ahead
from hansei.evaluation.batch.reading import read_subjects
from hansei.evaluation.batch.selection import Chosen, Selection, in_chunks
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scoring import Task
from hansei.evaluation.subject import SubjectKind
from hansei.feedback.search.connection import Query

_TASKS: Final = 250
"""Tasks of a piece."""
_PIECES_AHEAD: Final = 6
_CHUNKS_AHEAD: Final = 2
"""Read before they are asked for."""

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

    def pieces(self, *, read: bool = True) -> Generator[Piece, None, None]:
        """All of it; without ``read`` only how much it is. Raises ``SearchError``.

        What is selected, what is missing and what is read of it comes each from a thread of its own: each waits for
        the store while the others do.
        """
        if read:
            yield from read_ahead(self._read(read_ahead(self._chosen(), _CHUNKS_AHEAD)), _PIECES_AHEAD)
        else:
            for counted, _ in self._chosen():
                yield counted

    def _chosen(self) -> Generator[tuple[Piece, Sequence[Work]], None, None]:
        """Numbers of the funnel, and what is to be read."""
        for page in read_ahead(self._selection.pages(), 1):
            drawn = sum(not each.again for each in page.chosen)
            yield Piece((), drawn=drawn, not_drawn=page.seen - drawn), ()
            for chosen in in_chunks(page.chosen):
                work = missing_scores(self._query, self._kind, chosen, self._scorers)
                yield self._counted(work), [each for each in work if each.missing]

    def _counted(self, work: Sequence[Work]) -> Piece:
        missing: dict[str, int] = {}
        for each in work:
            for scorer in each.missing:
                missing[scorer.name] = missing.get(scorer.name, 0) + 1
        again = sum(each.chosen.again and bool(each.missing) for each in work)
        # A subject that was seen before counts where there is something to do about it.
        kept = [each for each in work if each.kept and (each.missing or not each.chosen.again)]
        return Piece((), kept=kept, again=again, missing=missing)

    def _read(self, chosen: Iterable[tuple[Piece, Sequence[Work]]]) -> Generator[Piece, None, None]:
        for counted, todo in chosen:
            yield counted
            if todo:
                yield from self._tasks(todo)

    def _tasks(self, todo: Sequence[Work]) -> Generator[Piece, None, None]:
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

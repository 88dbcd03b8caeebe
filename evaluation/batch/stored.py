"""Whether scores that a collector has taken can be read: only then a run that starts again finds them."""

import time
from collections import deque
from typing import Final

from hansei.evaluation.scorer import assessment_id_of
from hansei.evaluation.scoring import Scored
from hansei.evaluation.statements import statement
from hansei.feedback.search.connection import Query

_LAST: Final = 500
"""Subjects that are looked for: the last to be written, and some of before."""
_EVERY: Final = 20
_PATIENCE: Final = 60.0
"""Seconds."""


class Unseen:
    """Looks for the scores of a run."""

    def __init__(self, query: Query, run_id: str) -> None:
        self._query = query
        self._run_id = run_id
        self._last: deque[tuple[str, list[str]]] = deque(maxlen=_LAST)
        self._some: deque[tuple[str, list[str]]] = deque(maxlen=_LAST)
        self._count = 0

    def add(self, scored: Scored) -> None:
        """Remember what is to be looked for."""
        ids = [assessment_id_of(scored.subject, score.scorer) for score in scored.scores if score.feedbacks]
        if not ids:
            return
        place = (scored.subject.trace_id or "", ids)
        self._count += 1
        self._last.append(place)
        if self._count % _EVERY == 0:
            self._some.append(place)

    def wait(self) -> bool:
        """Wait until they can be read; False where that takes too long. Raises ``SearchError``."""
        end = time.monotonic() + _PATIENCE
        for places in (self._last, self._some):
            while not self._all_there(list(places)):
                if time.monotonic() > end:
                    return False
                time.sleep(0.1)
        return True

    def _all_there(self, places: list[tuple[str, list[str]]]) -> bool:
        if not places:
            return True
        wanted = {(trace_id, each) for trace_id, ids in places for each in ids}
        ids = sorted({each for _, each in wanted})
        found = 0
        for start in range(0, len(ids), 1000):
            asked = {
                "trace_ids": sorted({trace_id for trace_id, _ in places}),
                "assessment_ids": ids[start : start + 1000],
                "run_id": self._run_id,
            }
            (row,) = self._query(statement("batch", "stored_scores"), asked)
            found += int(row["Stored"])
        return found >= len(wanted)

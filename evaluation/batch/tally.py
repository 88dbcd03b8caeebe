"""What scorers said in a run, as numbers for its metrics, with memory for some thousands of values and no more."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hansei.evaluation.batch.missing import Kept
from hansei.evaluation.scorer import Scorer
from hansei.evaluation.scoring import Scored

MOST: Final = 10_000
"""Values of a name that metrics are made of; of more so many are drawn at random."""


class _Values:
    def __init__(self, aggregations: Sequence[Any]) -> None:
        self.aggregations = aggregations
        self.count = 0
        self.kept: list[tuple[Any, float, str]] = []
        self._random = random.Random(0)

    def add(self, value: Any, weight: float, cluster: str) -> None:
        self.count += 1
        if len(self.kept) < MOST:
            self.kept.append((value, weight, cluster))
            return
        place = self._random.randrange(self.count)
        if place < MOST:
            self.kept[place] = (value, weight, cluster)


class Tally:
    """Values by the names of assessments. For one thread."""

    def __init__(self) -> None:
        self._values: dict[str, _Values] = {}

    def add(self, scored: Scored) -> None:
        """The scores of a subject."""
        subject = scored.subject
        for score in scored.scores:
            for feedback in score.feedbacks:
                if feedback.error is None:
                    self._add(score.scorer, feedback.name, feedback.value, subject.weight, subject.session_id)

    def keep(self, kept: Iterable[Kept], weight: float, session_id: str | None) -> None:
        """What was said of a subject before."""
        for each in kept:
            for name, value in each.values:
                self._add(each.scorer, name, value, weight, session_id)

    def metrics(self) -> tuple[Mapping[str, float], Mapping[str, Sequence[float]]]:
        """The metrics of a run and their intervals, by name."""
        from hansei.evaluation.runs.statistics import metrics_of

        return metrics_of(
            {name: [value for value, _, _ in of_name.kept] for name, of_name in self._values.items()},
            {name: of_name.aggregations for name, of_name in self._values.items()},
            weights={name: [weight for _, weight, _ in of_name.kept] for name, of_name in self._values.items()},
            clusters={name: [cluster for _, _, cluster in of_name.kept] for name, of_name in self._values.items()},
        )

    def _add(self, scorer: Scorer, name: str, value: Any, weight: float, session_id: str | None) -> None:
        if name not in self._values:
            self._values[name] = _Values(scorer.aggregations)
        self._values[name].add(value, weight, session_id or "")

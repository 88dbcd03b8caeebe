"""Krippendorff's alpha: how far reviewers agree beyond what chance would give; any number of them, any gaps."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from hansei.feedback.labeling.answers import INTERVAL, LEVELS, NOMINAL, ORDINAL, SETS, Answer, Floats, PairableAnswers
from hansei.feedback.labeling.distances import MASI, SET_DISTANCES, distances
from hansei.feedback.labeling.resampling import Coefficient, estimated

MOST_SETS: Final = 1000
"""Different lists between which distances are worked out."""
_NOTHING: Final = 1e-12


class Disagreement:
    """What reviewers' answers of the same item differ by, and what answers drawn by chance would differ by.

    The distance of two answers is 0 or 1 (nominal); the square of their difference (interval) or of the difference of
    their mean ranks among all answers (ordinal, the same as Krippendorff's sum of frequencies); a distance of sets.
    """

    def __init__(self, answers: PairableAnswers, set_distance: str = MASI) -> None:
        self.answers = answers
        self._fixed = self._distances_from_others(set_distance) if answers.level != ORDINAL else None

    def _distances_from_others(self, set_distance: str) -> Floats:
        answers = self.answers
        if answers.level == NOMINAL:
            return answers.sizes[answers.item] - answers.same
        if answers.level == INTERVAL:
            # In the middle and of size one: squares of large numbers would lose the digits that matter.
            found = np.array(answers.values, dtype=float)
            self._scale = (found - found.mean()) / (np.ptp(found) or 1.0) if len(found) else found
            return self._squares(self._scale[answers.value])
        between = distances(answers.values, SET_DISTANCES[set_distance])
        self._between = between
        of_item: dict[int, list[int]] = {}
        for item, value in zip(answers.item.tolist(), answers.value.tolist(), strict=True):
            of_item.setdefault(item, []).append(value)
        pairs = zip(answers.item.tolist(), answers.value.tolist(), strict=True)
        return np.array([between[value, of_item[item]].sum() for item, value in pairs])

    def _squares(self, numbers: Floats) -> Floats:
        answers = self.answers
        sums, squares = answers.sums(numbers)[answers.item], answers.sums(numbers**2)[answers.item]
        return answers.sizes[answers.item] * numbers**2 - 2 * numbers * sums + squares

    def of_answers(self, weights: Floats) -> Floats:
        """Each answer's mean distance from the others of its item; ``weights`` is how often each item counts."""
        answers = self.answers
        total = self._squares(self._ranks(weights)[answers.value]) if self._fixed is None else self._fixed
        return np.asarray(total / (answers.sizes[answers.item] - 1))

    def by_chance(self, weights: Floats) -> float:
        """The mean distance of two answers, whichever; ``nan`` where all say the same."""
        answers = self.answers
        counts = np.bincount(answers.value, weights[answers.item], len(answers.values))
        n = float(counts.sum())
        if answers.level == NOMINAL:
            total = n * n - float(counts @ counts)
        elif answers.level == SETS:
            total = float(counts @ self._between @ counts)
        else:
            numbers = self._ranks(weights) if answers.level == ORDINAL else self._scale
            total = 2 * (n * float(counts @ numbers**2) - float(counts @ numbers) ** 2)
        return total / (n * (n - 1)) if total > _NOTHING * n * n else math.nan

    def _ranks(self, weights: Floats) -> Floats:
        """The mean rank of each value, as a share of all answers."""
        answers = self.answers
        counts = np.bincount(answers.value, weights[answers.item], len(answers.values))
        return np.asarray((np.cumsum(counts) - counts / 2) / counts.sum())

    def alpha(self, weights: Floats) -> float:
        """One less what is seen over what chance would give."""
        seen = float(weights @ self.answers.sums(self.of_answers(weights))) / float(weights @ self.answers.sizes)
        return 1 - seen / self.by_chance(weights)


def krippendorffs_alpha(
    answers: Iterable[Answer], level: str = NOMINAL, *, order: Sequence[Any] = (), set_distance: str = MASI
) -> Coefficient:
    """Krippendorff's alpha (*Content Analysis*, 2004, chapter 11; "Computing Krippendorff's Alpha-Reliability", 2011)
    with the 95 % interval of :func:`~hansei.feedback.labeling.resampling.estimated`.

    ``level`` is one of ``nominal``, ``ordinal`` (``order`` lists the values from low to high; without it they are
    sorted), ``interval``, ``sets`` (by ``set_distance``: ``masi`` or ``jaccard``). 1 is full agreement, 0 is what
    chance would give, less than 0 is worse than chance. Items with one answer are left out. None, with the reason,
    where no item has two answers, and where all answers are the same: then chance explains everything.
    """
    if level not in LEVELS:
        raise ValueError(f"level: {level!r} is not one of {', '.join(LEVELS)}")
    pairable = PairableAnswers(answers, level, order)
    reason = unmeasured(pairable)
    if reason:
        return Coefficient(reason=reason)
    return estimated([Disagreement(pairable, set_distance).alpha], len(pairable.items))[0]


def unmeasured(answers: PairableAnswers) -> str:
    """Why alpha cannot be worked out of these; empty where it can."""
    if not len(answers):
        return "no item has answers of two reviewers yet"
    if len(set(answers.value.tolist())) == 1:
        return "all answers are the same, so agreement by chance cannot be told apart"
    if answers.level == SETS and len(answers.values) > MOST_SETS:
        return f"there are more than {MOST_SETS:,} different lists; this is worked out for fewer"
    return ""

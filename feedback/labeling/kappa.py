"""Cohen's kappa: how far two reviewers agree beyond what chance would give."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from hansei.feedback.labeling.answers import NOMINAL, ORDINAL, Answer, Floats, PairableAnswers
from hansei.feedback.labeling.resampling import Coefficient, Statistic, estimated

LINEAR: Final = "linear"
QUADRATIC: Final = "quadratic"
WEIGHTS: Final = (None, LINEAR, QUADRATIC)


def cohens_kappa(answers: Iterable[Answer], *, weights: str | None = None, order: Sequence[Any] = ()) -> Coefficient:
    """Cohen's kappa (*Educational and Psychological Measurement* 20:37, 1960) of the items that both have answered,
    with the 95 % interval of :func:`~hansei.feedback.labeling.resampling.estimated`.

    ``weights`` is for answers with an order (Cohen, *Psychological Bulletin* 70:213, 1968): ``linear`` counts how many
    steps apart two answers are, ``quadratic`` the square of it; ``order`` lists the values from low to high, without
    it they are sorted. None, with the reason, where there are not two reviewers, and where both always say the same
    one thing.
    """
    if weights not in WEIGHTS:
        raise ValueError(f"weights: {weights!r} is not one of {LINEAR}, {QUADRATIC}")
    given = list(answers)
    reviewers = {answer.reviewer for answer in given}
    if len(reviewers) != 2:
        return Coefficient(reason=f"kappa is of two reviewers; there {_are(len(reviewers))}")
    pairable = PairableAnswers(given, ORDINAL if weights else NOMINAL, order)
    if not len(pairable):
        return Coefficient(reason="no item has answers of both reviewers yet")
    reason = "both always give the same one answer, so agreement by chance cannot be told apart"
    return estimated([kappa_statistic(pairable, weights)], len(pairable.items), reason)[0]


def kappa_statistic(answers: PairableAnswers, weights: str | None = None) -> Statistic:
    """Kappa as a function of how often each item counts; each item has two answers."""
    by_item = np.lexsort((answers.reviewer, answers.item))
    first, second = answers.value[by_item[::2]], answers.value[by_item[1::2]]
    number = len(answers.values)
    steps = np.abs(np.subtract.outer(np.arange(number), np.arange(number))) if weights else None
    apart = None if steps is None else (steps if weights == LINEAR else steps**2).astype(float)
    differ = (first != second).astype(float) if apart is None else apart[first, second]

    def statistic(counts: Floats) -> float:
        one, other = np.bincount(first, counts, number), np.bincount(second, counts, number)
        n = float(counts.sum())
        chance = n * n - float(one @ other) if apart is None else float(one @ apart @ other)
        return 1 - float(counts @ differ) * n / chance if chance > 0 else math.nan

    return statistic


def _are(number: int) -> str:
    return "is 1" if number == 1 else f"are {number}" if number else "are none"

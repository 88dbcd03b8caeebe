"""How different two lists are, where their order and repetitions do not count."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from hansei.feedback.labeling.answers import Floats

SetDistance = Callable[[frozenset[Any], frozenset[Any]], float]


def jaccard(one: frozenset[Any], other: frozenset[Any]) -> float:
    """The share of what either has that not both have (Jaccard 1901): 0 for the same, 1 for nothing in common."""
    either = len(one | other)
    return 1 - len(one & other) / either if either else 0.0


def masi(one: frozenset[Any], other: frozenset[Any]) -> float:
    """The distance of Passonneau, "Measuring Agreement on Set-valued Items" (LREC 2006): one less Jaccard's similarity
    times 1 for the same, 2/3 where one contains the other, 1/3 where both have something of their own, 0 where they
    have nothing in common. So a list that says less is nearer than one that says something else."""
    if one == other:
        return 0.0
    shared = one & other
    if not shared:
        return 1.0
    kind = 2 / 3 if one <= other or other <= one else 1 / 3
    return 1 - kind * (1 - jaccard(one, other))


MASI: Final = "masi"
JACCARD: Final = "jaccard"
SET_DISTANCES: Final[dict[str, SetDistance]] = {MASI: masi, JACCARD: jaccard}


def distances(sets: Sequence[frozenset[Any]], distance: SetDistance) -> Floats:
    """The distance of each two."""
    found = np.zeros((len(sets), len(sets)))
    for row, one in enumerate(sets):
        for column in range(row):
            found[row, column] = found[column, row] = distance(one, sets[column])
    return found

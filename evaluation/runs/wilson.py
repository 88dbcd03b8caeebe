"""How far a share could be off."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Z: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


def wilson(share: float, number: float, z: float = Z) -> tuple[float, float]:
    """The score interval of a share of ``number`` independent trials (Wilson, *Journal of the American Statistical
    Association* 22:209, 1927), 95 % with the ``z`` as it stands. It holds for few trials, and where the share is 0 or
    1; without a trial it is all from 0 to 1."""
    if number <= 0:
        return 0.0, 1.0
    squared = z * z / number
    middle = (share + squared / 2) / (1 + squared)
    half = z * math.sqrt(share * (1 - share) / number + squared / (4 * number)) / (1 + squared)
    return max(0.0, middle - half) if share > 0 else 0.0, min(1.0, middle + half) if share < 1 else 1.0


def effective_number(values: Floats, weights: Floats, cluster: npt.NDArray[np.intp]) -> float:
    """Of how many independent trials a weighted share of clustered zeros and ones is worth as much (Korn and Graubard,
    *Survey Methodology* 24:193, 1998): ``share * (1 - share)`` over the variance that the clusters' sums show, at most
    the trials that there are. Where all are the same the clusters cannot show it: then Kish's number of them,
    the squared sum of their weights over the sum of their squares. ``cluster`` is a number from 0 for each value.
    """
    of_cluster = np.bincount(cluster, weights).astype(float)
    total = float(of_cluster.sum())
    most = _kish(weights)
    if total <= 0:
        return 0.0
    share = float(weights @ values) / total
    clusters = len(of_cluster)
    if clusters == len(values) and float(np.ptp(weights)) == 0:
        return float(len(values))
    if share in (0.0, 1.0) or clusters < 2:
        return _kish(of_cluster)
    sums = np.bincount(cluster, weights * (values - share))
    variance = float(sums @ sums) / total**2 * clusters / (clusters - 1)
    return min(share * (1 - share) / variance, most) if variance > 0 else _kish(of_cluster)


def _kish(weights: Floats) -> float:
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0

"""Figures of a sample, and how far they could be off: worked out again for many samples of the same size."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

RESAMPLES: Final = 2000
ROUGH_RESAMPLES: Final = 200
"""Enough for a standard error (Efron and Tibshirani, section 6.4), which is all that a large sample needs."""
LARGE: Final = 10_000
"""Clusters from which on the distribution of a figure is as good as normal."""
MOST_AT_ONCE: Final = 2_000_000
"""Numbers of a block of samples."""
SEED: Final = 20_260_101
"""Any number does: with the same one the same values have the same interval."""
LEVELS: Final = (0.025, 0.975)
_Z: Final = NormalDist().inv_cdf(LEVELS[1])
_TINY: Final = 1e-9

QUANTILES: Final[Mapping[str, float]] = {"median": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
MEAN: Final = "mean"
VARIANCE: Final = "variance"
EXTREMES: Final = ("min", "max")


@dataclass(frozen=True)
class Sample:
    """Numbers in ascending order, with how many each stands for, and which of them belong together."""

    values: Floats
    weights: Floats
    cluster: Codes
    """A number from 0 on for each value: those with the same one are drawn together."""

    @classmethod
    def of(
        cls, values: Sequence[float], weights: Sequence[float] | None = None, clusters: Sequence[str] | None = None
    ) -> "Sample":
        """Of values in any order; an empty text in ``clusters`` is a cluster of its own."""
        found = np.asarray(values, dtype=float)
        order = np.argsort(found, kind="stable")
        weight = np.ones(len(found)) if weights is None else np.asarray(weights, dtype=float)
        number = np.arange(len(found), dtype=np.intp)
        if clusters is not None:
            names = [name or index for index, name in enumerate(clusters)]
            known = {name: index for index, name in enumerate(dict.fromkeys(names))}
            number = np.array([known[name] for name in names], dtype=np.intp)
        return cls(found[order], weight[order], number[order])

    @property
    def clusters(self) -> int:
        """How many there are."""
        return int(self.cluster.max()) + 1 if len(self.cluster) else 0

    @property
    def is_binary(self) -> bool:
        """Whether there is nothing but zeros and ones."""
        return bool(np.isin(self.values, (0.0, 1.0)).all())

    def figure(self, name: str) -> float:
        """The sample's ``mean``, ``variance`` (divided by n), ``min``, ``max`` or one of :data:`QUANTILES`."""
        if name == "min":
            return float(self.values[0])
        if name == "max":
            return float(self.values[-1])
        if name == MEAN:
            return float(np.average(self.values, weights=self.weights))
        return float(self.figures((name,), np.ones((1, self.clusters)))[0, 0])

    def figures(self, names: Sequence[str], counts: Floats) -> Floats:
        """Figures of several samples: a row each, made of how often each cluster was drawn (a row a sample)."""
        found = np.empty((len(counts), len(names)))
        # In the middle: squares of large numbers would lose the digits that matter.
        middle = float(self.values.mean())
        apart = self.values - middle
        sums = [np.bincount(self.cluster, self.weights * apart**power, self.clusters) for power in range(3)]
        weight, first, second = (counts @ each for each in sums)
        cumulated = None
        for column, name in enumerate(names):
            if name == MEAN:
                found[:, column] = middle + first / weight
            elif name == VARIANCE:
                found[:, column] = second / weight - (first / weight) ** 2
            else:
                if cumulated is None:
                    cumulated = np.cumsum(counts[:, self.cluster] * self.weights, axis=1)
                found[:, column] = self._quantiles(QUANTILES[name], cumulated)
        return found

    def _quantiles(self, share: float, cumulated: Floats) -> Floats:
        """As of the sample in which each value stands as often as it weighs, between its neighbours linearly."""
        place = 1 + np.maximum(cumulated[:, -1] - 1, 0) * share
        low = np.floor(place + _TINY)
        part = np.clip(place - low, 0, 1)
        return np.asarray((1 - part) * self._at(low, cumulated) + part * self._at(low + 1, cumulated))

    def _at(self, place: Floats, cumulated: Floats) -> Floats:
        before = (cumulated < (place - _TINY)[:, None]).sum(axis=1)
        return np.asarray(self.values[np.minimum(before, len(self.values) - 1)])


def bootstrap_intervals(sample: Sample, names: Sequence[str], seed: int = SEED) -> dict[str, tuple[float, float]]:
    """The 95 % intervals of some figures of a sample, by the bootstrap over its clusters.

    Mean and variance: bias-corrected and accelerated (Efron, *Journal of the American Statistical Association* 82:171,
    1987). Quantiles: the middle 95 % of what the samples give, because leaving one out moves a quantile in jumps. From
    :data:`LARGE` clusters on: the figure and 1.96 standard errors to each side. No interval where there are less than
    two clusters, where all samples give the same, and for the smallest and the largest value: samples have none beyond.
    """
    asked = [name for name in names if name not in EXTREMES]
    if not asked or sample.clusters < 2:
        return {}
    rough = sample.clusters >= LARGE
    drawn = np.concatenate([sample.figures(asked, counts) for counts in _counts(sample, rough, seed)])
    found = {}
    for column, name in enumerate(asked):
        given = drawn[:, column]
        given = given[np.isfinite(given)]
        value = sample.figure(name)
        if len(given) < 2 or float(np.ptp(given)) <= _TINY * max(1.0, abs(value)):
            continue
        if rough:
            half = _Z * float(given.std(ddof=1))
            found[name] = value - half, value + half
        else:
            levels = LEVELS if name in QUANTILES else _levels(value, given, _left_out(sample, name))
            low, high = np.quantile(given, levels)
            found[name] = float(low), float(high)
    return found


def bootstrap_of_function(
    values: Sequence[float], function: Callable[[Sequence[float]], float], seed: int = SEED
) -> tuple[float, float] | None:
    """The middle 95 % of what a function of the values gives for samples of them; None where it gives the same always.

    Raises what the function raises."""
    given, draw = np.asarray(values, dtype=float), np.random.default_rng(seed)
    if len(given) < 2:
        return None
    found = np.array([float(function(given[draw.integers(len(given), size=len(given))].tolist())) for _ in range(500)])
    found = found[np.isfinite(found)]
    if len(found) < 250 or float(np.ptp(found)) <= _TINY:
        return None
    low, high = np.quantile(found, LEVELS)
    return float(low), float(high)


def _counts(sample: Sample, rough: bool, seed: int) -> Iterator[Floats]:
    """Blocks of samples: how often each cluster was drawn."""
    draw, number = np.random.default_rng(seed), sample.clusters
    left = ROUGH_RESAMPLES if rough else RESAMPLES
    at_once = max(1, MOST_AT_ONCE // max(len(sample.values), number))
    while left > 0:
        rows = min(at_once, left)
        left -= rows
        places = draw.integers(number, size=(rows, number)) + np.arange(rows)[:, None] * number
        yield np.bincount(places.ravel(), minlength=rows * number).reshape(rows, number).astype(float)


def _left_out(sample: Sample, name: str) -> Floats:
    """The figure without each cluster in turn, of mean and variance."""
    middle = float(sample.values.mean())
    apart = sample.values - middle
    sums = [np.bincount(sample.cluster, sample.weights * apart**power, sample.clusters) for power in range(3)]
    weight, first, second = (each.sum() - each for each in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = first / weight
        return np.asarray(mean if name == MEAN else second / weight - mean**2)


def _levels(value: float, drawn: Floats, left_out: Floats) -> tuple[float, float]:
    """Of which shares of the samples the interval's ends are the quantiles (Efron and Tibshirani, *An Introduction to
    the Bootstrap*, 1993, section 14.3)."""
    normal = NormalDist()
    below = (float((drawn < value).sum()) + float((drawn == value).sum()) / 2) / len(drawn)
    if not 0 < below < 1 or not np.isfinite(left_out).all():
        return LEVELS
    bias = normal.inv_cdf(below)
    apart = left_out.mean() - left_out
    spread = float((apart**2).sum()) ** 1.5
    acceleration = float((apart**3).sum()) / (6 * spread) if spread > 0 else 0.0

    def level(share: float) -> float:
        z = bias + normal.inv_cdf(share)
        return normal.cdf(bias + z / max(1 - acceleration * z, 0.1))

    return level(LEVELS[0]), level(LEVELS[1])

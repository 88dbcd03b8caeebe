"""How far a figure could be off: it is worked out again for many samples of the items."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hansei.feedback.labeling.answers import Floats

RESAMPLES: Final = 1000
CONFIDENCE: Final = 0.95
_SEED: Final = 20_260_101
"""Any number does: with the same one the same answers have the same interval."""
_DEFINED: Final = 0.5
"""The share of the samples for which a figure must be defined."""

Statistic = Callable[[Floats], float]
"""A figure, from how often each item is in the sample; ``nan`` where it is not defined."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A figure with its 95 % confidence interval; None where there is none, and then the reason."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    """Why there is no value."""


def estimated(statistics: Sequence[Statistic], items: int, reason: str = "", seed: int = _SEED) -> list[Coefficient]:
    """Each figure with the interval that the percentile bootstrap gives (Efron and Tibshirani, *An Introduction to the
    Bootstrap*, 1993, chapter 13): 1000 samples of as many items, drawn with replacement, and of the figures of these
    the middle 95 %. Items are drawn and not answers, because the answers of an item belong together. Zapf et al. (*BMC
    Medical Research Methodology* 16:93, 2016) found it to cover as it should for agreement.

    A figure that is not defined for the items as they are is None, with ``reason``. There is no interval where every
    sample gives the same (all agree: how rare disagreement is cannot be told from having seen none), or where half of
    the samples give nothing. With fewer than some twenty items intervals are too narrow.
    """
    whole = np.ones(items)
    values = [statistic(whole) if items else math.nan for statistic in statistics]
    found = np.full((RESAMPLES, len(statistics)), math.nan)
    draw = np.random.default_rng(seed)
    for row in found if items > 1 else ():
        weights = np.bincount(draw.integers(items, size=items), minlength=items).astype(float)
        row[:] = [statistic(weights) for statistic in statistics]
    return [_coefficient(value, found[:, column], reason) for column, value in enumerate(values)]


def _coefficient(value: float, found: Floats, reason: str) -> Coefficient:
    if math.isnan(value):
        return Coefficient(reason=reason)
    defined = found[~np.isnan(found)]
    if len(defined) < _DEFINED * RESAMPLES or np.ptp(defined) < 1e-12:
        return Coefficient(value)
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Coefficient(value, float(low), float(high))

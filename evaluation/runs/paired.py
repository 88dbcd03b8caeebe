"""Whether the second values of pairs differ from the first ones, and how much."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hansei.evaluation.errors import EvaluationError
from hansei.evaluation.runs.bootstrap import MEAN, SEED, Floats, Sample, bootstrap_intervals
from hansei.evaluation.runs.wilson import Z

MCNEMAR: Final = "McNemar's exact test"
WILCOXON: Final = "Wilcoxon signed-rank test"
BY_CONVERSATION: Final = "permutation test by conversation"
COHENS_G: Final = "Cohen's g"
RANK_BISERIAL: Final = "matched-pairs rank-biserial correlation"
MOST_SIGNS: Final = 16
"""Differences up to which all assignments of signs are gone through."""
DRAWN_SIGNS: Final = 10_000
_NOTHING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A difference of pairs: the second less the first."""

    pairs: int
    before: float
    after: float
    """Means of the two sides."""
    difference: float
    interval: tuple[float, float] | None
    """95 %; None where it cannot be told from so few."""
    test: str
    p_value: float
    """Two-sided."""
    effect: float | None
    effect_name: str
    cohens_dz: float | None
    """The mean difference over the standard deviation of the differences; None where they are all the same."""
    higher: int
    lower: int
    same: int


def paired_difference(
    before: Sequence[float], after: Sequence[float], clusters: Sequence[str] | None = None
) -> PairedDifference | None:
    """How pairs differ; None without a pair. ``clusters``: the conversation of each pair, empty for none.

    Zeros and ones: McNemar's exact test (*Psychometrika* 12:153, 1947), Cohen's g, and the interval of Bonett and Price
    (*British Journal of Mathematical and Statistical Psychology* 65:1, 2012). Other numbers: Wilcoxon's signed-rank
    test (*Biometrics Bulletin* 1:80, 1945) without the differences of zero, exact up to :data:`MOST_SIGNS` of them; the
    rank-biserial correlation (Kerby, *Comprehensive Psychology* 3:1, 2014), and the interval of the bootstrap. Where
    conversations have several pairs their differences change sign together in a permutation test, and are drawn
    together by the bootstrap.
    """
    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if not len(first):
        return None
    apart = second - first
    apart[np.abs(apart) < _NOTHING] = 0.0
    higher, lower = int((apart > 0).sum()), int((apart < 0).sum())
    named = [each for each in clusters or () if each]
    together = len(named) != len(set(named))
    binary = bool(np.isin(first, (0.0, 1.0)).all() and np.isin(second, (0.0, 1.0)).all())
    if together and clusters is not None:
        sample = Sample.of(apart.tolist(), clusters=clusters)
        sums = np.bincount(sample.cluster, sample.values).astype(float)
        test, p_value = BY_CONVERSATION, sign_test(sums)
        interval = bootstrap_intervals(sample, (MEAN,)).get(MEAN)
    elif binary:
        test, p_value = MCNEMAR, mcnemar(higher, lower)
        interval = paired_share_interval(higher, lower, len(apart))
    else:
        test, p_value = WILCOXON, wilcoxon(apart)
        interval = bootstrap_intervals(Sample.of(apart.tolist()), (MEAN,)).get(MEAN)
    spread = float(apart.std(ddof=1)) if len(apart) > 1 else 0.0
    return PairedDifference(
        pairs=len(apart),
        before=float(first.mean()),
        after=float(second.mean()),
        difference=float(apart.mean()),
        interval=interval,
        test=test,
        p_value=p_value,
        effect=cohens_g(higher, lower) if binary else rank_biserial(apart),
        effect_name=COHENS_G if binary else RANK_BISERIAL,
        cohens_dz=float(apart.mean()) / spread if spread > _NOTHING else None,
        higher=higher,
        lower=lower,
        same=len(apart) - higher - lower,
    )


def mcnemar(higher: int, lower: int) -> float:
    """The two-sided p-value of so many changes up and down, if both were as likely; 1 without a change."""
    if not higher + lower:
        return 1.0
    return float(_scipy_stats().binomtest(higher, higher + lower).pvalue)


def cohens_g(higher: int, lower: int) -> float | None:
    """The share of the changes that go up, less a half (Cohen, *Statistical Power Analysis*, 1988, chapter 5)."""
    return higher / (higher + lower) - 0.5 if higher + lower else None


def paired_share_interval(higher: int, lower: int, pairs: int) -> tuple[float, float]:
    """The 95 % interval of Bonett and Price of the difference of two shares of the same trials."""
    up, down = (higher + 1) / (pairs + 2), (lower + 1) / (pairs + 2)
    half = Z * math.sqrt((up + down - (up - down) ** 2) / (pairs + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def wilcoxon(apart: Floats) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test; 1 where nothing differs."""
    changed = apart[apart != 0]
    if not len(changed):
        return 1.0
    if len(changed) <= MOST_SIGNS:
        return sign_test(np.sign(changed) * _ranks(np.abs(changed)))
    return float(_scipy_stats().wilcoxon(changed, method="approx", correction=True).pvalue)


def rank_biserial(apart: Floats) -> float | None:
    """Of the ranks of the differences: the share that go up less the share that go down; None where nothing differs."""
    changed = apart[apart != 0]
    if not len(changed):
        return None
    ranks = _ranks(np.abs(changed))
    return float((np.sign(changed) * ranks).sum() / ranks.sum())


def sign_test(numbers: Floats, seed: int = SEED) -> float:
    """How often a sum is as far from zero if each number's sign were a coin's: of all assignments of signs, or of
    :data:`DRAWN_SIGNS` drawn ones and the one that was seen."""
    changed = numbers[np.abs(numbers) > _NOTHING]
    number = len(changed)
    if not number:
        return 1.0
    seen = abs(float(changed.sum())) - 1e-9 * float(np.abs(changed).sum())
    if number <= MOST_SIGNS:
        signs = 1.0 - 2.0 * ((np.arange(2**number)[:, None] >> np.arange(number)) & 1)
        return float((np.abs(signs @ changed) >= seen).mean())
    draw, hits = np.random.default_rng(seed), 0
    at_once = max(1, 2_000_000 // number)
    for start in range(0, DRAWN_SIGNS, at_once):
        rows = min(at_once, DRAWN_SIGNS - start)
        signs = 1.0 - 2.0 * draw.integers(0, 2, size=(rows, number))
        hits += int((np.abs(signs @ changed) >= seen).sum())
    return (hits + 1) / (DRAWN_SIGNS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests, adjusted (Holm, *Scandinavian Journal of Statistics* 6:65, 1979): those below 5 %
    are, with 95 % certainty, all right."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        found[place] = largest
    return found


def _ranks(numbers: Floats) -> Floats:
    """From 1 on; those that are the same share the mean of theirs."""
    _, place, counts = np.unique(np.round(numbers, 12), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], dtype=float)


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise EvaluationError("comparing needs scipy: pip install 'hansei[evaluation]'") from error
    return stats

"""The metrics of a run: each scorer's values in a few numbers, and how far these could be off."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.runs.bootstrap import MEAN, Sample, bootstrap_intervals, bootstrap_of_function
from hansei.evaluation.runs.numbers import categories_of, flattened, number_of
from hansei.evaluation.runs.wilson import effective_number, wilson

Function = Callable[[Sequence[float]], float]
Aggregation = str | Function
Metrics = dict[str, float]
Intervals = dict[str, tuple[float, float]]
Found = tuple[Metrics, Intervals]
T = TypeVar("T")

AGGREGATIONS: Final = ("mean", "min", "max", "median", "variance", "p90", "p95", "p99")
"""Those that have a name."""
MEAN_ONLY: Final[Sequence[Aggregation]] = ("mean",)
MOST_CATEGORIES: Final = 50
"""More different texts than this are no categories: they are free text, which has no metric."""
MOST_FOR_FUNCTIONS: Final = 2000
"""Values up to which the interval of a function is worked out."""

log: Final = logging.getLogger("hansei.evaluation")


def metrics_of(
    values_by_scorer: Mapping[str, Sequence[object]],
    aggregations: Mapping[str, Sequence[Aggregation]] | None = None,
    *,
    weights: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    clusters: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
) -> tuple[Metrics, Intervals]:
    """Metrics by ``name/aggregation``, and the 95 % intervals of those that have one.

    Values may be bools, numbers and words for yes and no, which count 1 and 0: a metric for each of the scorer's
    ``aggregations`` (its mean, where none are given). Other texts, and lists of texts, are categories:
    ``name/category/share``. Dicts are taken apart: ``name/key/mean``. None is no value;
    where a scorer has none it has no metric.

    ``weights``: how many subjects each value stands for, for mean, variance, quantiles and shares. ``clusters``: the
    conversation of each value, empty for none; values of one conversation are not independent, and the intervals take
    that into account. Both run parallel to the values: one sequence for all scorers, or one for each.

    Intervals of shares are Wilson's, others come from the bootstrap (:func:`~hansei.evaluation.runs.bootstrap
    .bootstrap_intervals`). A function that raises gives no metric, which is logged. Raises ``InvalidEvaluation`` for an
    aggregation that there is not.
    """
    found: Found = ({}, {})
    for scorer, values in values_by_scorer.items():
        asked = (aggregations or {}).get(scorer, MEAN_ONLY)
        check_aggregations(scorer, asked)
        weight = _parallel("weights", weights, scorer, len(values))
        cluster = _parallel("clusters", clusters, scorer, len(values))
        for name, column in flattened(scorer, values):
            _add_numbers(name, column, asked, weight, cluster, found)
            _add_shares(name, column, weight, cluster, found)
    return found


def check_aggregations(scorer: str, asked: Iterable[Aggregation]) -> None:
    """Raises ``InvalidEvaluation`` for one that there is not."""
    for each in asked:
        if not callable(each) and each not in AGGREGATIONS:
            raise InvalidEvaluation(
                f"aggregations of {scorer}: {each!r} is not one of {', '.join(AGGREGATIONS)}, or a function"
            )


def _parallel(
    argument: str, given: Sequence[T] | Mapping[str, Sequence[T]] | None, scorer: str, number: int
) -> Sequence[T] | None:
    found = given.get(scorer) if isinstance(given, Mapping) else given
    if found is not None and len(found) != number:
        raise InvalidEvaluation(f"{argument}: {len(found)} for the {number} values of {scorer}; give one for each")
    return found


def _chosen(given: Sequence[T] | None, places: Sequence[int]) -> Sequence[T] | None:
    return None if given is None else [given[place] for place in places]


def _add_numbers(
    name: str,
    values: Sequence[object],
    asked: Iterable[Aggregation],
    weights: Sequence[float] | None,
    clusters: Sequence[str] | None,
    found: Found,
) -> None:
    numbers = [number_of(value) for value in values]
    places = [place for place, number in enumerate(numbers) if number is not None]
    if not places:
        return
    given = [number for number in numbers if number is not None]
    metrics, intervals = found
    sample = Sample.of(given, _chosen(weights, places), _chosen(clusters, places))
    named = [each for each in asked if isinstance(each, str)]
    metrics.update({f"{name}/{each}": sample.figure(each) for each in named})
    others = [each for each in named if not (each == MEAN and sample.is_binary)]
    intervals.update({f"{name}/{each}": ends for each, ends in bootstrap_intervals(sample, others).items()})
    if MEAN in named and sample.is_binary:
        intervals[f"{name}/{MEAN}"] = _share_interval(sample)
    for function in asked:
        if not isinstance(function, str):
            _add_function(name, function, given, weights is None and clusters is None, found)


def _add_function(name: str, function: Function, values: Sequence[float], alike: bool, found: Found) -> None:
    key = f"{name}/{getattr(function, '__name__', type(function).__name__)}"
    metrics, intervals = found
    try:
        value = float(function(values))
        ends = bootstrap_of_function(values, function) if alike and len(values) <= MOST_FOR_FUNCTIONS else None
    except Exception as error:
        log.warning("there is no metric %s: %s: %s", key, type(error).__name__, error)
        return
    if math.isfinite(value):
        metrics[key] = value
        if ends is not None:
            intervals[key] = ends


def _add_shares(
    name: str, values: Sequence[object], weights: Sequence[float] | None, clusters: Sequence[str] | None, found: Found
) -> None:
    given = [frozenset[str]() if number_of(value) is not None else categories_of(value) for value in values]
    categories = dict.fromkeys(each for named in given for each in sorted(named))
    if not 0 < len(categories) <= MOST_CATEGORIES:
        return
    places = [place for place, value in enumerate(values) if value is not None]
    for category in categories:
        shares = [float(category in given[place]) for place in places]
        sample = Sample.of(shares, _chosen(weights, places), _chosen(clusters, places))
        found[0][f"{name}/{category}/share"] = sample.figure(MEAN)
        found[1][f"{name}/{category}/share"] = _share_interval(sample)


def _share_interval(sample: Sample) -> tuple[float, float]:
    return wilson(sample.figure(MEAN), effective_number(sample.values, sample.weights, sample.cluster))

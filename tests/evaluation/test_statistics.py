"""Metrics and their intervals, against answers that others published or that were worked by hand."""

import math
from typing import Any

import numpy as np
import pytest

from hansei.evaluation.errors import InvalidEvaluation
from hansei.evaluation.runs.bootstrap import Sample, bootstrap_intervals
from hansei.evaluation.runs.statistics import metrics_of
from hansei.evaluation.runs.wilson import effective_number, wilson
from hansei.feedback.labeling.alpha import krippendorffs_alpha
from hansei.feedback.labeling.answers import INTERVAL, NOMINAL, Answer
from hansei.feedback.labeling.kappa import cohens_kappa


def rounded(ends: tuple[float, float], digits: int = 4) -> tuple[float, float]:
    """An interval as papers print it."""
    return round(ends[0], digits), round(ends[1], digits)


@pytest.mark.parametrize(
    ("positive", "number", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_published(positive: int, number: int, low: float, high: float) -> None:
    """Wilson's interval is that of method 3 in table I of Newcombe (Statistics in Medicine 17:857, 1998)."""
    assert rounded(wilson(positive / number, number)) == (low, high)


def test_wilson_without_a_trial() -> None:
    """Without a trial a share can be anything."""
    assert wilson(0.5, 0) == (0.0, 1.0)


def test_kinds_of_values() -> None:
    """Bools, numbers and words for yes and no are numbers; other texts are categories; None is no value, never 0."""
    metrics, _ = metrics_of(
        {
            "bool": [True, False, True, None],
            "number": [1, 2.5, math.nan, None],
            "word": ["yes", "No", "PASS", "fail"],
            "colour": ["red", "blue", "red", None],
            "some": [["a", "b"], ["b"]],
            "dict": [{"x": 1, "why": "short"}, {"x": 3}],
            "mixed": ["unknown", "yes", 0],
            "nothing": [None, None],
            "empty": [],
            "essay": [f"text {number}" for number in range(60)],
        }
    )
    assert metrics == {
        "bool/mean": 2 / 3, "number/mean": 1.75, "word/mean": 0.5, "colour/red/share": 2 / 3,
        "colour/blue/share": 1 / 3, "some/a/share": 0.5, "some/b/share": 1.0, "dict/x/mean": 2.0,
        "dict/why/short/share": 1.0, "mixed/mean": 0.5, "mixed/unknown/share": 1 / 3,
    }  # fmt: skip


def test_aggregations() -> None:
    """Each aggregation is numpy's; a function is named by its name; extremes have no interval."""
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]

    def spread(given: Any) -> float:
        return float(max(given) - min(given))

    asked = ("mean", "min", "max", "median", "variance", "p90", "p95", "p99", spread)
    metrics, intervals = metrics_of({"s": values}, {"s": asked})
    assert metrics == pytest.approx(
        {
            "s/mean": 3.875, "s/min": 1.0, "s/max": 9.0, "s/median": 3.5, "s/variance": float(np.var(values)),
            "s/p90": float(np.quantile(values, 0.9)), "s/p95": float(np.quantile(values, 0.95)),
            "s/p99": float(np.quantile(values, 0.99)), "s/spread": 8.0,
        }
    )  # fmt: skip
    assert set(intervals) == set(metrics) - {"s/min", "s/max"}
    assert all(intervals[name][0] <= metrics[name] <= intervals[name][1] for name in intervals)


def test_aggregation_that_there_is_not() -> None:
    """An unknown aggregation is refused by its name, with those that there are."""
    with pytest.raises(InvalidEvaluation, match="aggregations of s: 'p42' is not one of mean, min, max, median"):
        metrics_of({"s": [1]}, {"s": ("p42",)})


def test_function_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """A function that raises costs its own metric and is logged; the others are there."""

    def broken(given: Any) -> float:
        raise ValueError("no idea")

    metrics, _ = metrics_of({"s": [1, 2]}, {"s": ("mean", broken)})
    assert metrics == {"s/mean": 1.5}
    assert "there is no metric s/broken: ValueError: no idea" in caplog.text


def test_weights() -> None:
    """A value that stands for three counts as if it were there three times, in means, variances and quantiles."""
    asked = {"s": ("mean", "variance", "median", "p90")}
    weighted, _ = metrics_of({"s": [1, 2, 10]}, asked, weights=[3, 1, 2])
    repeated, _ = metrics_of({"s": [1, 1, 1, 2, 10, 10]}, asked)
    assert weighted == pytest.approx(repeated)


def test_weights_that_do_not_fit() -> None:
    """A list of weights of another length is refused."""
    with pytest.raises(InvalidEvaluation, match="weights: 1 for the 2 values of s; give one for each"):
        metrics_of({"s": [1, 2]}, weights=[1.0])


def test_effective_number() -> None:
    """Trials that repeat each other are worth one: ten conversations of five same answers are ten trials (nearly)."""
    values = np.repeat([1.0, 0, 1, 1, 0, 1, 0, 0, 1, 1], 5)
    alone, ones = np.arange(50), np.ones(50)
    together = np.repeat(np.arange(10), 5)
    assert effective_number(values, ones, alone) == 50
    # share (1 - share) / (sum of squares of the clusters' sums / n squared x 10 / 9) = .24 / (60 / 2500 x 10 / 9)
    assert effective_number(values, ones, together) == pytest.approx(9.0)
    assert effective_number(np.ones(50), ones, together) == 10
    assert effective_number(np.array([1.0, 1.0]), np.array([1.0, 3.0]), np.arange(2)) == pytest.approx(1.6)


def test_clusters_widen() -> None:
    """Rows of the same conversation widen the interval, of shares and of means."""
    draw = np.random.default_rng(4)
    of_conversation = np.repeat(draw.normal(size=20), 5)
    values = {"share": list(of_conversation > 0), "mean": of_conversation.tolist()}
    clusters = [f"c{number // 5}" for number in range(100)]
    _, alone = metrics_of(values)
    _, together = metrics_of(values, clusters=clusters)
    for name in ("share/mean", "mean/mean"):
        assert together[name][1] - together[name][0] > 1.8 * (alone[name][1] - alone[name][0])


def test_same_values_same_interval() -> None:
    """The bootstrap is seeded: the same values have the same interval."""
    values = {"s": np.random.default_rng(1).exponential(size=40).tolist()}
    assert metrics_of(values) == metrics_of(values)


@pytest.mark.parametrize(("name", "truth"), [("mean", 1.0), ("median", math.log(2))])
def test_bootstrap_coverage(name: str, truth: float) -> None:
    """Of 200 samples of 60 skewed values the 95 % interval has the truth in it in 90 % to 98 %."""
    draw = np.random.default_rng(7)
    hits = 0
    for _ in range(200):
        low, high = bootstrap_intervals(Sample.of(draw.exponential(size=60).tolist()), (name,))[name]
        hits += low <= truth <= high
    assert 0.90 <= hits / 200 <= 0.98


def test_bootstrap_of_symmetric_values() -> None:
    """The interval of a mean is within a tenth of the one of Student's t where values are symmetric."""
    values = np.random.default_rng(3).normal(10, 2, size=100)
    low, high = bootstrap_intervals(Sample.of(values.tolist()), ("mean",))["mean"]
    half = 1.9842 * values.std(ddof=1) / 10
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 10)


def test_large_samples() -> None:
    """A hundred thousand values have the interval that theory gives: 1.96 standard errors."""
    values = np.random.default_rng(5).exponential(size=100_000)
    low, high = bootstrap_intervals(Sample.of(values.tolist()), ("mean",))["mean"]
    assert high - low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(100_000), rel=0.15)


def test_one_value_has_no_interval() -> None:
    """One number has a mean and no interval; values that are all the same have none either."""
    assert metrics_of({"s": [4.5], "t": [2.0, 2.0, 2.0]}) == ({"s/mean": 4.5, "t/mean": 2.0}, {})


def test_kappa_as_scikit_learn_has_it() -> None:
    """Cohen's kappa is that of the example of scikit-learn's cohen_kappa_score: 0.6875."""
    one = ["negative", "positive", "negative", "neutral", "positive"]
    other = ["negative", "positive", "negative", "neutral", "negative"]
    pairs = [Answer(str(item), "one", value) for item, value in enumerate(one)]
    pairs += [Answer(str(item), "other", value) for item, value in enumerate(other)]
    assert cohens_kappa(pairs).value == pytest.approx(0.6875)


@pytest.mark.parametrize(("level", "alpha"), [(NOMINAL, 0.691), (INTERVAL, 0.811)])
def test_alpha_as_krippendorff_has_it(level: str, alpha: float) -> None:
    """Alpha is that of the example of the krippendorff package: three coders, fifteen units, gaps."""
    coders = ("*****34121133*3", "1*213343*******", "**21344*21133*4")
    answers = [
        Answer(str(unit), str(coder), int(digit))
        for coder, said in enumerate(coders)
        for unit, digit in enumerate(said)
        if digit != "*"
    ]
    value = krippendorffs_alpha(answers, level).value
    assert value is not None
    assert round(value, 3) == alpha

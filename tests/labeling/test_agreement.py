"""Agreement, checked against what its authors published and against answers worked by hand."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hansei.feedback.labeling.agreement import (
    NOT_MEASURED,
    ItemDisagreement,
    percent_agreement,
    question_agreement,
)
from hansei.feedback.labeling.alpha import krippendorffs_alpha
from hansei.feedback.labeling.answers import Answer
from hansei.feedback.labeling.distances import jaccard, masi
from hansei.feedback.labeling.kappa import cohens_kappa
from hansei.feedback.labeling.resampling import Coefficient

# "Computing Krippendorff's Alpha-Reliability" (2011), sections A to C; None is missing.
MEG, OWEN = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
BEN, GERRY = "aabbdcccedda", "babbbccceddd"
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def answered(*reviewers: Sequence[Any]) -> list[Answer]:
    """Answers of a table that has a row for each reviewer and a column for each item."""
    return [
        Answer(f"item-{item:05d}", f"reviewer-{number}", value)
        for number, row in enumerate(reviewers)
        for item, value in enumerate(row)
        if value is not None
    ]


def counted(table: dict[tuple[Any, Any], int]) -> list[Answer]:
    """Answers of a table of how often two reviewers said what."""
    pairs = [pair for pair, number in table.items() for _ in range(number)]
    return answered([one for one, _ in pairs], [other for _, other in pairs])


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)], ids=lambda value: str(value)
)
def test_alpha_of_four_observers(level: str, published: float) -> None:
    """Alpha of four observers with gaps is what Krippendorff published, at each level of measurement."""
    assert krippendorffs_alpha(answered(*OBSERVERS), level).value == pytest.approx(published, abs=0.0005)


def test_alpha_of_two_observers() -> None:
    """Alpha of two observers is what Krippendorff published: binary, and nominal."""
    assert krippendorffs_alpha(answered(MEG, OWEN)).value == pytest.approx(0.095, abs=0.0005)
    assert krippendorffs_alpha(answered(BEN, GERRY)).value == pytest.approx(0.692, abs=0.0005)


def test_ordinal_by_given_order() -> None:
    """Words in a given order have the alpha of numbers in theirs; values that nobody chose change nothing."""
    words = ["never", "seldom", "often", "mostly", "always"]
    said = [[value and words[value - 1] for value in row] for row in OBSERVERS]
    found = krippendorffs_alpha(answered(*said), "ordinal", order=["not at all", *words])
    assert found.value == pytest.approx(0.815, abs=0.0005)


def test_interval_by_hand() -> None:
    """(1, 2), (3, 3), (5, 5): seen (1/6)(2 · 1) = 1/3; by chance 2(6 · 73 - 19²)/30 = 77/15; alpha 1 - 5/77. It is the
    same for numbers a million times as large and far from zero."""
    table = [1, 3, 5], [2, 3, 5]
    assert krippendorffs_alpha(answered(*table), "interval").value == pytest.approx(1 - 5 / 77)
    far = [[1e12 + 1e6 * value for value in row] for row in table]
    assert krippendorffs_alpha(answered(*far), "interval").value == pytest.approx(1 - 5 / 77)


def test_cohen_1960() -> None:
    """Kappa of the table in Cohen's paper: 0.70 agree, 0.41 would by chance, so 0.29/0.59."""
    table = {("a", "a"): 88, ("a", "b"): 14, ("a", "c"): 18, ("b", "a"): 10, ("b", "b"): 40, ("b", "c"): 10,
             ("c", "a"): 2, ("c", "b"): 6, ("c", "c"): 12}  # fmt: skip
    found = cohens_kappa(counted(table))
    assert found.value == pytest.approx(0.29 / 0.59)
    # The standard error by Cohen's formula is 0.055; a normal distribution has 95 % within 1.96 of these.
    assert found.low == pytest.approx(0.492 - 1.96 * 0.055, abs=0.02)
    assert found.high == pytest.approx(0.492 + 1.96 * 0.055, abs=0.02)


def test_kappa_of_scikit_learn() -> None:
    """Kappa of the example in scikit-learn's documentation: 0.8 agree, 9/25 would by chance, so 0.44/0.64."""
    one = ["negative", "positive", "negative", "neutral", "positive"]
    other = ["negative", "positive", "negative", "neutral", "negative"]
    assert cohens_kappa(answered(one, other)).value == pytest.approx(0.6875)


@pytest.mark.parametrize(
    ("weights", "expected"), [(None, 0.9315), ("linear", 0.9412), ("quadratic", 0.9541)], ids=lambda value: str(value)
)
def test_weighted_kappa(weights: str | None, expected: float) -> None:
    """Weighted kappa of the example in scikit-learn's tests; 4 of 100 are one step apart. Linear by hand: seen 0.04, by
    chance 0.46(0.4 + 2 · 0.1) + 0.44(0.5 + 0.1) + 0.1(2 · 0.5 + 0.4) = 0.68, so 1 - 4/68."""
    one, other = [0] * 46 + [1] * 44 + [2] * 10, [0] * 50 + [1] * 40 + [2] * 10
    assert cohens_kappa(answered(one, other), weights=weights).value == pytest.approx(expected, abs=0.00005)


def test_percent() -> None:
    """Agreement is the share of pairs that agree, each item counting once: of (a a b) a third, of (a a) all."""
    table = answered(["a", "a"], ["a", "a"], ["b", None])
    assert percent_agreement(table).value == pytest.approx((1 / 3 + 1) / 2)


def test_all_agree() -> None:
    """All agree on more than one answer: 1, without an interval, for no sample shows otherwise."""
    table = answered(["a", "b", "a", "c"], ["a", "b", "a", "c"])
    assert [krippendorffs_alpha(table), cohens_kappa(table), percent_agreement(table)] == [Coefficient(1.0)] * 3


def test_one_category() -> None:
    """Where all answers are the same, beyond chance is not defined: None with the reason, though all do agree."""
    table = answered([True] * 5, [True] * 5)
    found = question_agreement(table, "pass_fail")
    assert (found.same, found.alpha.value, found.by_reviewer[0].alpha) == (Coefficient(1.0), None, None)
    assert "all answers are the same" in found.alpha.reason
    assert found.kappa is not None
    assert found.kappa.value is None
    assert "the same" in found.kappa.reason
    assert {item.score for item in found.by_item} == {0.0}


@pytest.mark.parametrize(
    "table",
    [[], answered(["a", "b"]), answered(["a", None], [None, "b"])],
    ids=["no answers", "one reviewer", "no overlap"],
)
def test_nothing_to_compare(table: list[Answer]) -> None:
    """Without two answers to one item there is no number, and the reason is told."""
    nothing = Coefficient(reason="no item has answers of two reviewers yet")
    assert (krippendorffs_alpha(table), percent_agreement(table)) == (nothing, nothing)
    found = question_agreement(table, "categorical")
    assert (found.items, found.same, found.alpha, found.kappa, found.by_reviewer, found.by_item) == (
        0, nothing, nothing, None, [], [],
    )  # fmt: skip
    assert cohens_kappa(table).value is None


def test_kappa_is_of_two() -> None:
    """Three reviewers have no kappa."""
    assert cohens_kappa(answered("ab", "ab", "aa")) == Coefficient(reason="kappa is of two reviewers; there are 3")


def test_last_answer_counts() -> None:
    """Who answers an item again has changed their mind; true and 1 are not the same."""
    table = answered(["a", "b"], ["b", "b"])
    assert percent_agreement([*table, Answer("item-00000", "reviewer-1", "a")]).value == 1.0
    assert percent_agreement(answered([True], [1])).value == 0.0


def test_set_distances() -> None:
    """MASI and Jaccard of sets that are the same, within another, overlapping, and apart."""
    sets = [frozenset(text) for text in ("ab", "ab", "abc", "bc", "cd", "")]
    assert [masi(sets[0], other) for other in sets[1:]] == pytest.approx([0, 1 - 4 / 9, 1 - 1 / 9, 1, 1])
    assert [jaccard(sets[0], other) for other in sets[1:]] == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert jaccard(sets[5], sets[5]) == 0


def test_sets_by_hand() -> None:
    """(ab, ab), (a, ab), (c, c) by Jaccard. Seen: (1/6)(2 · 1/2) = 1/6. By chance, of the 30
    ordered pairs of {3 ab, 1 a, 2 c}: ab and a 6 · 1/2, ab and c 12, a and c 4, so 19/30; alpha 1 - 5/19. Order and
    repetitions do not count."""
    table = answered([["a", "b"], ["a"], ["c"]], [["b", "a", "a"], ["a", "b"], ["c"]])
    assert krippendorffs_alpha(table, "sets", set_distance="jaccard").value == pytest.approx(1 - 5 / 19)
    # By MASI ab and a is 1 - 2/3 · 1/2 = 2/3: seen 2/9, by chance 20/30.
    assert question_agreement(table, "text_list").alpha.value == pytest.approx(1 - (2 / 9) / (20 / 30))


def test_text() -> None:
    """Free text is not measured."""
    found = question_agreement(answered(["Good.", "Bad."], ["Good!", "Bad."]), "text")
    assert (found.items, found.same.value, found.alpha.value) == (2, None, None)
    assert found.same.reason == found.alpha.reason == NOT_MEASURED


def test_by_reviewer_and_item() -> None:
    """The third differs from the others in two of four items, and these come first. By chance 72 of the 132 ordered
    pairs of {6 y, 6 n} differ."""
    one, two, three = ["y", "n", "y", "n"], ["y", "n", "y", "n"], ["y", "n", "n", "y"]
    found = question_agreement(answered(one, two, three), "categorical")
    assert [(one.reviewer, one.items, one.same.value) for one in found.by_reviewer] == [
        ("reviewer-2", 4, 0.5), ("reviewer-0", 4, 0.75), ("reviewer-1", 4, 0.75),
    ]  # fmt: skip
    chance = 72 / 132
    assert [one.alpha for one in found.by_reviewer] == pytest.approx(
        [1 - 0.5 / chance, 1 - 0.25 / chance, 1 - 0.25 / chance]
    )
    assert [one.item for one in found.by_item] == ["item-00002", "item-00003", "item-00000", "item-00001"]
    assert [one.score for one in found.by_item] == pytest.approx([(2 / 3) / chance] * 2 + [0, 0])
    assert found.by_item[3] == ItemDisagreement(
        "item-00001", 0.0, {"reviewer-0": "n", "reviewer-1": "n", "reviewer-2": "n"}
    )


def test_interval_covers() -> None:
    """Of forty surveys of 200 items by two who each err in a fifth of them, the interval has the true agreement of
    0.68 in nearly all; the same answers have the same interval."""
    draw = np.random.default_rng(7)
    covered = 0
    for _ in range(40):
        truth = draw.integers(2, size=200)
        one, other = (truth ^ (draw.random(200) < 0.2) for _ in range(2))
        table = answered(one.tolist(), other.tolist())
        found = percent_agreement(table)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.68 <= found.high
    assert covered >= 35
    assert percent_agreement(table) == found


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_fast(level: str) -> None:
    """Ten thousand items of three reviewers take less than two seconds, interval included."""
    draw = np.random.default_rng(1)
    truth = draw.integers(1, 6, size=10_000)
    table = answered(*[np.clip(truth + draw.integers(-1, 2, size=10_000), 1, 5).tolist() for _ in range(3)])
    started = time.process_time()
    assert krippendorffs_alpha(table, level).low is not None
    assert time.process_time() - started < 2

"""How far reviewers agree in their answers to a question: as a whole, by reviewer and by item."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hansei.feedback.labeling.alpha import Disagreement, unmeasured
from hansei.feedback.labeling.answers import INTERVAL, NOMINAL, SETS, Answer, Floats, PairableAnswers
from hansei.feedback.labeling.distances import MASI
from hansei.feedback.labeling.inputs import (
    InputCategorical,
    InputCategoricalList,
    InputNumeric,
    InputPassFail,
    InputText,
    InputTextList,
)
from hansei.feedback.labeling.kappa import kappa_statistic
from hansei.feedback.labeling.resampling import Coefficient, Statistic, estimated

LEVEL_OF: Final[Mapping[str, str | None]] = {
    InputPassFail.TYPE: NOMINAL,
    InputCategorical.TYPE: NOMINAL,
    InputNumeric.TYPE: INTERVAL,
    InputCategoricalList.TYPE: SETS,
    InputTextList.TYPE: SETS,
    InputText.TYPE: None,
}
"""How answers of each type of input are compared; None: not at all."""
NOT_MEASURED: Final = "not measured: whether two free texts say the same cannot be counted"


@dataclass(frozen=True, slots=True)
class ReviewerAgreement:
    """One reviewer against the others."""

    reviewer: str
    items: int
    """Items that another reviewer answered too."""
    same: Coefficient
    """The share of the others' answers that were the same."""
    alpha: float | None
    """One less the mean distance from the others, over what chance would give: 1 is never apart, 0 is as chance."""


@dataclass(frozen=True, slots=True)
class ItemDisagreement:
    """How far the answers of an item are apart."""

    item: str
    score: float
    """0 where all say the same, 1 where they are as far apart as any two answers to the question are on average."""
    answers: Mapping[str, Any]
    """By reviewer."""


@dataclass(frozen=True, slots=True)
class QuestionAgreement:
    """Agreement in a question. ``same`` and ``alpha`` say themselves why they are not known; ``kappa`` is for two
    reviewers who choose one of some answers."""

    items: int
    """Items with answers of two reviewers or more."""
    reviewers: int
    """Reviewers with an answer to one of these."""
    same: Coefficient
    """The share of the pairs of answers that are the same, averaged over the items."""
    alpha: Coefficient
    kappa: Coefficient | None = None
    by_reviewer: list[ReviewerAgreement] = field(default_factory=list)
    """Who agrees least first."""
    by_item: list[ItemDisagreement] = field(default_factory=list)
    """The furthest apart first; items on which all agree are there too."""


def percent_agreement(answers: Iterable[Answer], level: str = NOMINAL) -> Coefficient:
    """The share (0 to 1) of the pairs of answers to the same item that are the same, each item counting once, with the
    95 % interval of :func:`~hansei.feedback.labeling.resampling.estimated`. Chance is not taken off."""
    pairable = PairableAnswers(answers, level)
    if not len(pairable):
        return Coefficient(reason=unmeasured(pairable))
    return estimated([_same(pairable)], len(pairable.items))[0]


def question_agreement(answers: Iterable[Answer], input_type: str, set_distance: str = MASI) -> QuestionAgreement:
    """Agreement in the answers to a question, by the type of its input: same or not for pass/fail and categorical,
    distances of numbers for numeric, distances of sets for lists. Free text is not measured."""
    level = LEVEL_OF[input_type]
    given = list(answers)
    pairable = PairableAnswers(given, level or NOMINAL)
    shape = len(pairable.items), len(pairable.reviewers)
    if level is None:
        nothing = Coefficient(reason=NOT_MEASURED)
        return QuestionAgreement(*shape, nothing, nothing)
    if not len(pairable):
        nothing = Coefficient(reason=unmeasured(pairable))
        return QuestionAgreement(*shape, nothing, nothing)
    reason = unmeasured(pairable)
    disagreement = None if reason else Disagreement(pairable, set_distance)
    two = level == NOMINAL and shape[1] == 2
    statistics: list[Statistic] = [_same(pairable)]
    statistics += [_same_as_others(pairable, number) for number in range(shape[1])]
    statistics += [disagreement.alpha] if disagreement else []
    statistics += [kappa_statistic(pairable)] if two else []
    found = estimated(statistics, shape[0], reason)
    alpha = found[1 + shape[1]] if disagreement else Coefficient(reason=reason)
    return QuestionAgreement(
        *shape,
        same=found[0],
        alpha=alpha,
        kappa=found[-1] if two else None,
        by_reviewer=_by_reviewer(pairable, found[1 : 1 + shape[1]], disagreement),
        by_item=_by_item(pairable, given, disagreement),
    )


def _same(answers: PairableAnswers) -> Statistic:
    others = answers.sizes - 1
    shares = answers.sums(answers.same - 1) / (answers.sizes * others)

    def statistic(weights: Floats) -> float:
        return float(weights @ shares) / float(weights.sum())

    return statistic


def _same_as_others(answers: PairableAnswers, reviewer: int) -> Statistic:
    own = answers.reviewer == reviewer
    items = answers.item[own]
    shares = (answers.same[own] - 1) / (answers.sizes[items] - 1)

    def statistic(weights: Floats) -> float:
        counted = weights[items]
        total = float(counted.sum())
        return float(counted @ shares) / total if total else math.nan

    return statistic


def _by_reviewer(
    answers: PairableAnswers, same: list[Coefficient], disagreement: Disagreement | None
) -> list[ReviewerAgreement]:
    whole = np.ones(len(answers.items))
    apart = disagreement.of_answers(whole) / disagreement.by_chance(whole) if disagreement else None
    found = []
    for number, (reviewer, coefficient) in enumerate(zip(answers.reviewers, same, strict=True)):
        own = answers.reviewer == number
        alpha = None if apart is None else 1 - float(apart[own].mean())
        found.append(ReviewerAgreement(reviewer, int(own.sum()), coefficient, alpha))
    return sorted(found, key=lambda one: (one.same.value or 0.0, one.reviewer))


def _by_item(
    answers: PairableAnswers, given: list[Answer], disagreement: Disagreement | None
) -> list[ItemDisagreement]:
    said: dict[str, dict[str, Any]] = {item: {} for item in answers.items}
    for answer in given:
        if answer.item in said:
            said[answer.item][answer.reviewer] = answer.value
    scores = np.zeros(len(answers.items))
    if disagreement:
        whole = np.ones(len(answers.items))
        scores = answers.sums(disagreement.of_answers(whole)) / answers.sizes / disagreement.by_chance(whole)
    found = zip(answers.items, scores.tolist(), strict=True)
    # Squares of numbers leave a trace of rounding where all say the same.
    rounded = [ItemDisagreement(item, round(max(score, 0.0), 9), said[item]) for item, score in found]
    return sorted(rounded, key=lambda one: (-one.score, one.item))

"""How far a judge and people agree, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hansei.evaluation.agreement.pairs import Pair
from hansei.evaluation.agreement.scale import BINARY, CATEGORIES, NUMBERS, Scale
from hansei.evaluation.runs.bootstrap import Sample
from hansei.evaluation.runs.wilson import effective_number, wilson
from hansei.feedback.labeling.alpha import krippendorffs_alpha
from hansei.feedback.labeling.answers import Answer
from hansei.feedback.labeling.kappa import QUADRATIC, cohens_kappa
from hansei.feedback.labeling.resampling import Coefficient

JUDGE: Final = "judge"
PEOPLE: Final = "people"


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """How well a judge finds a class, where people are right."""

    name: str
    judged: int
    """Targets that the judge puts in it."""
    labelled: int
    """Targets that people put in it."""
    precision: Coefficient
    """Of those that the judge puts in it, the share that people do too."""
    recall: Coefficient
    """Of those that people put in it, the share that the judge does too."""
    f1: Coefficient


@dataclass(frozen=True, slots=True)
class Measures:
    """Agreement over some pairs; each says itself why it is not known."""

    pairs: int
    agreement: Coefficient
    """The share of the targets of which both say the same, with Wilson's interval."""
    kappa: Coefficient
    """Cohen's, of numbers with quadratic weights; the interval is the bootstrap's."""
    alpha: Coefficient
    """Krippendorff's."""


def measures_of(pairs: Sequence[Pair], scale: Scale) -> Measures:
    """Agreement over some pairs."""
    if not scale.kind:
        nothing = Coefficient(reason=scale.reason)
        return Measures(len(pairs), nothing, nothing, nothing)
    answers = answers_of(pairs, scale)
    return Measures(
        len(pairs), share_that_agrees(pairs, scale), kappa_of(answers, scale), krippendorffs_alpha(answers, scale.level)
    )


def answers_of(pairs: Sequence[Pair], scale: Scale) -> list[Answer]:
    """Both sides as two who answer."""
    found = []
    for place, pair in enumerate(pairs):
        found.append(Answer(str(place), JUDGE, scale.answer(pair.judge.value)))
        found.append(Answer(str(place), PEOPLE, scale.answer(pair.people.value)))
    return found


def kappa_of(answers: Sequence[Answer], scale: Scale) -> Coefficient:
    """Cohen's kappa of both sides; none of lists."""
    if scale.kind in (BINARY, CATEGORIES):
        return cohens_kappa(answers)
    if scale.kind == NUMBERS:
        return cohens_kappa(answers, weights=QUADRATIC)
    return Coefficient(reason="kappa is for who chooses one of some answers; alpha is for lists too")


def share_that_agrees(pairs: Sequence[Pair], scale: Scale) -> Coefficient:
    """The share of the targets of which both say the same; those of one conversation or trace are not
    independent."""
    if not pairs:
        return Coefficient(reason="nothing has been judged by both")
    same = [float(scale.closeness(pair.judge.value, pair.people.value) == 1) for pair in pairs]
    sample = Sample.of(same, clusters=[pair.cluster for pair in pairs])
    share = float(np.mean(same))
    return Coefficient(share, *wilson(share, effective_number(sample.values, sample.weights, sample.cluster)))


def confusion_of(pairs: Sequence[Pair], scale: Scale) -> list[list[int]]:
    """How many targets there are of each class of the judge (a row each) and of people (a column each)."""
    place = {name: index for index, name in enumerate(scale.classes)}
    counts = [[0] * len(place) for _ in place]
    for pair in pairs if place else ():
        counts[place[scale.label(pair.judge.value)]][place[scale.label(pair.people.value)]] += 1
    return counts


def classes_of(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> list[ClassAgreement]:
    """Precision, recall and F1 of each class, with Wilson's intervals.

    F1 is ``2 J / (1 + J)`` of the share J of the targets in the class of both among those in the class of either, so
    that the ends of J's interval give those of F1.
    """
    found = []
    for index, name in enumerate(classes):
        both = confusion[index][index]
        judged, labelled = sum(confusion[index]), sum(row[index] for row in confusion)
        either = _share(both, judged + labelled - both, "nobody puts anything in it")
        found.append(
            ClassAgreement(
                name,
                judged,
                labelled,
                _share(both, judged, "the judge puts nothing in it"),
                _share(both, labelled, "people put nothing in it"),
                Coefficient(_f1(either.value), _f1(either.low), _f1(either.high), either.reason),
            )
        )
    return found


def _f1(share: float | None) -> float | None:
    return None if share is None else 2 * share / (1 + share)


def _share(count: int, of: int, reason: str) -> Coefficient:
    return Coefficient(count / of, *wilson(count / of, of)) if of else Coefficient(reason=reason)

"""Who answered what: the answers to one question, as agreement counts them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

NOMINAL: Final = "nominal"
"""Answers are the same or not."""
ORDINAL: Final = "ordinal"
"""Answers have an order, and nothing is known of their distances."""
INTERVAL: Final = "interval"
"""Answers are numbers, and a difference of two is twice a difference of one."""
SETS: Final = "sets"
"""Answers are lists whose order and repetitions do not count."""
LEVELS: Final = (NOMINAL, ORDINAL, INTERVAL, SETS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer answered of an item."""

    item: str
    reviewer: str
    value: Any


class PairableAnswers:
    """The answers that can be compared with another one: those of items that two reviewers or more answered.

    Of a reviewer's several answers of an item the last one counts. Everything is by number: items and reviewers in the
    order in which they first occur, values as indexes into ``values``.
    """

    def __init__(self, answers: Iterable[Answer], level: str, order: Sequence[Any] = ()) -> None:
        last = {(answer.item, answer.reviewer): answer.value for answer in answers}
        an_item = Counter(item for item, _ in last)
        kept = [(item, who, _comparable(value, level)) for (item, who), value in last.items() if an_item[item] > 1]
        self.level = level
        self.items = list(dict.fromkeys(item for item, _, _ in kept))
        self.reviewers = list(dict.fromkeys(who for _, who, _ in kept))
        self.values = _values((value for _, _, value in kept), level, order)
        self.item = _codes((item for item, _, _ in kept), self.items)
        self.reviewer = _codes((who for _, who, _ in kept), self.reviewers)
        self.value = _codes((value for _, _, value in kept), self.values)

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def sizes(self) -> Floats:
        """How many answers each item has; two at least."""
        return np.bincount(self.item, minlength=len(self.items)).astype(float)

    @cached_property
    def same(self) -> Floats:
        """Of each answer: how many answers of its item say the same, itself included."""
        cell = self.item * len(self.values) + self.value
        _, place, counted = np.unique(cell, return_inverse=True, return_counts=True)
        return np.asarray(counted[place], dtype=float)

    def sums(self, of_answers: Floats) -> Floats:
        """The sum of each item's answers."""
        return np.asarray(np.bincount(self.item, of_answers, len(self.items)), dtype=float)


def _comparable(value: Any, level: str) -> Any:
    if level == INTERVAL:
        return float(value)
    if level == SETS:
        return frozenset(_comparable(one, NOMINAL) for one in value)
    # True and 1 are not the same answer.
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _values(found: Iterable[Any], level: str, order: Sequence[Any]) -> list[Any]:
    if level == INTERVAL:
        return sorted(set(found))
    if level == ORDINAL:
        known = [_comparable(value, level) for value in order]
        if order:
            return known
        return sorted(set(found), key=json.loads)
    return list(dict.fromkeys(found))


def _codes(found: Iterable[Any], known: Sequence[Any]) -> Codes:
    number = {value: index for index, value in enumerate(known)}
    return np.array([number[value] for value in found], dtype=np.intp)

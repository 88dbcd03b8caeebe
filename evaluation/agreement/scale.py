"""What kind of values a judge and people give, and when two of them are the same."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hansei.evaluation.runs.numbers import WORDS, number_of
from hansei.feedback.labeling.answers import INTERVAL, NOMINAL, SETS
from hansei.feedback.labeling.distances import masi

BINARY: Final = "yes or no"
CATEGORIES: Final = "categories"
NUMBERS: Final = "numbers"
LISTS: Final = "lists"
YES: Final = "yes"
NO: Final = "no"
MOST_CATEGORIES: Final = 50
MOST_RATINGS: Final = 11
"""Whole numbers that are classes too, such as 0 to 10."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How values are compared."""

    kind: str
    """:data:`BINARY`, :data:`CATEGORIES`, :data:`NUMBERS` or :data:`LISTS`; empty where they cannot be compared."""
    classes: Sequence[str] = ()
    """Of a confusion matrix; empty for lists and for numbers that are many."""
    span: float = 1.0
    """Of numbers: the largest less the smallest."""
    threshold: float | None = None
    reason: str = ""
    """Why they cannot be compared."""

    @property
    def level(self) -> str:
        """The level of measurement, as agreement knows it."""
        return {NUMBERS: INTERVAL, LISTS: SETS}.get(self.kind, NOMINAL)

    def answer(self, value: Any) -> Any:
        """A value as agreement counts it: a label, a number, or a list of labels."""
        if self.kind == LISTS:
            return [_label(each) for each in (value if isinstance(value, list) else [value])]
        if self.kind == NUMBERS:
            return number_of(value)
        return self.label(value)

    def label(self, value: Any) -> str:
        """The class of a value."""
        if self.threshold is not None and _is_number(value):
            return YES if float(value) >= self.threshold else NO
        if self.kind == BINARY:
            return YES if number_of(value) else NO
        return _label(value)

    def closeness(self, one: Any, other: Any) -> float:
        """1 for the same, 0 for as far apart as can be; of yes or no and of categories nothing between."""
        if self.kind == NUMBERS:
            return 1 - min(1.0, abs(float(self.answer(one)) - float(self.answer(other))) / self.span)
        if self.kind == LISTS:
            return 1 - masi(frozenset(self.answer(one)), frozenset(self.answer(other)))
        return float(self.label(one) == self.label(other))


def scale_of(judged: Sequence[Any], said: Sequence[Any], threshold: float | None = None) -> Scale:
    """How the values of a judge and of people are compared.

    True, 1, yes and pass are the same; numbers are compared as such where both give some; from ``threshold`` on a
    number is a yes. Other texts are categories, upper and lower case apart.
    """
    values = [*judged, *said]
    if not values:
        return Scale("", reason="nothing has been judged by both")
    if any(isinstance(value, dict) for value in values):
        return Scale("", reason="values that are dicts are not compared; have the judge say one of their parts")
    if any(isinstance(value, list) for value in values):
        return Scale(LISTS)
    if threshold is not None:
        values = [value >= threshold if _is_number(value) else value for value in values]
    if all(number_of(value) is not None for value in values):
        return _of_numbers(judged, said, threshold)
    labels = sorted({_label(value) for value in values})
    if len(labels) > MOST_CATEGORIES:
        return Scale("", reason="these are free texts, and whether two of them say the same cannot be counted")
    return Scale(CATEGORIES, labels, threshold=threshold)


def _of_numbers(judged: Sequence[Any], said: Sequence[Any], threshold: float | None) -> Scale:
    numbers = [found for value in (*judged, *said) if (found := number_of(value)) is not None]
    if threshold is not None or set(numbers) <= {0.0, 1.0}:
        return Scale(BINARY, (YES, NO), threshold=threshold)
    sides = [all(not _is_number(value) for value in side) for side in (judged, said)]
    if sides[0] != sides[1]:
        numeric, other = ("people give", "the judge says") if sides[0] else ("the judge gives", "people say")
        return Scale(
            "", reason=f"{numeric} numbers and {other} yes or no; give the threshold from which on it is a yes"
        )
    distinct = sorted(set(numbers))
    few = len(distinct) <= MOST_RATINGS and all(each.is_integer() for each in distinct)
    classes = [_label(int(each)) for each in distinct] if few else []
    return Scale(NUMBERS, classes, (distinct[-1] - distinct[0]) or 1.0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, str):
        text = value.strip()
        word = WORDS.get(text.lower())
        return text if word is None else YES if word else NO
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)

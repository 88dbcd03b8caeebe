"""The inputs of questions: what an answer may be, as MLflow names them.

Each checks its own limits when it is made (:class:`InvalidLabeling`), becomes JSON and is made of it again, and checks
an answer: ``check(value)`` answers the value as it is recorded, or raises :class:`InvalidLabel` with one line for who
answers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

from hansei.feedback.labeling.errors import InvalidLabel, InvalidLabeling
from hansei.feedback.labeling.texts import brief, plain_text, storable

LONGEST_TEXT: Final = 65_535
"""Characters of an answer."""
FEWEST_OPTIONS: Final = 2
MOST_OPTIONS: Final = 100
LONGEST_OPTION: Final = 500
"""Characters."""
MOST_TEXTS: Final = 1_000
"""Texts of one answer, where the question sets no limit of its own."""


@dataclass(frozen=True, slots=True)
class InputCategorical:
    """One of some options."""

    options: Sequence[str]
    TYPE: ClassVar[str] = "categorical"

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _options(self.options))

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"type": self.TYPE, "options": list(self.options)}

    def check(self, value: object) -> str:
        """The option that was chosen. Raises :class:`InvalidLabel`."""
        return _option(value, self.options)


@dataclass(frozen=True, slots=True)
class InputCategoricalList:
    """Some of some options, at least one."""

    options: Sequence[str]
    TYPE: ClassVar[str] = "categorical_list"

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _options(self.options))

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"type": self.TYPE, "options": list(self.options)}

    def check(self, value: object) -> list[str]:
        """The options that were chosen, in the order of the question. Raises :class:`InvalidLabel`."""
        chosen = {_option(each, self.options) for each in _list(value, "options")}
        return [option for option in self.options if option in chosen]


@dataclass(frozen=True, slots=True)
class InputText:
    """Free text; ``max_length`` in characters."""

    max_length: int | None = None
    TYPE: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        _whole_number("max_length", self.max_length, LONGEST_TEXT)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"type": self.TYPE, "max_length": self.max_length}

    def check(self, value: object) -> str:
        """The text. Raises :class:`InvalidLabel`."""
        return _text(value, self.max_length)


@dataclass(frozen=True, slots=True)
class InputTextList:
    """Some texts; ``max_length_each`` in characters."""

    max_length_each: int | None = None
    max_count: int | None = None
    TYPE: ClassVar[str] = "text_list"

    def __post_init__(self) -> None:
        _whole_number("max_length_each", self.max_length_each, LONGEST_TEXT)
        _whole_number("max_count", self.max_count, MOST_TEXTS)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"type": self.TYPE, "max_length_each": self.max_length_each, "max_count": self.max_count}

    def check(self, value: object) -> list[str]:
        """The texts. Raises :class:`InvalidLabel`."""
        given = _list(value, "texts")
        most = self.max_count or MOST_TEXTS
        if len(given) > most:
            raise InvalidLabel(f"these are {len(given)} texts; give at most {most}")
        texts = [_text(each, self.max_length_each) for each in given]
        if sum(map(len, texts)) > LONGEST_TEXT:
            raise InvalidLabel(f"these are more than {LONGEST_TEXT} characters together; write less")
        return texts


@dataclass(frozen=True, slots=True)
class InputNumeric:
    """A number, from ``min_value`` to ``max_value``, both allowed."""

    min_value: float | None = None
    max_value: float | None = None
    TYPE: ClassVar[str] = "numeric"

    def __post_init__(self) -> None:
        for argument, bound in (("min_value", self.min_value), ("max_value", self.max_value)):
            if bound is not None and not _is_number(bound):
                raise InvalidLabeling(f"{argument}: {brief(bound)} is not a finite number; give one, or None")
        if self.min_value is not None and self.max_value is not None and self.min_value >= self.max_value:
            raise InvalidLabeling(
                f"max_value: {self.max_value!r} is not more than min_value, {self.min_value!r}; give a larger one"
            )

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"type": self.TYPE, "min_value": self.min_value, "max_value": self.max_value}

    def check(self, value: object) -> int | float:
        """The number. Raises :class:`InvalidLabel`."""
        if not isinstance(value, int | float) or not _is_number(value):
            raise InvalidLabel(f"{brief(value)} is not a number; give {self._allowed()}")
        if (self.min_value is not None and value < self.min_value) or (
            self.max_value is not None and value > self.max_value
        ):
            raise InvalidLabel(f"{value!r} is out of range; give {self._allowed()}")
        return value

    def _allowed(self) -> str:
        if self.min_value is None and self.max_value is None:
            return "a number"
        if self.max_value is None:
            return f"a number of at least {self.min_value!r}"
        if self.min_value is None:
            return f"a number of at most {self.max_value!r}"
        return f"a number from {self.min_value!r} to {self.max_value!r}"


@dataclass(frozen=True, slots=True)
class InputPassFail:
    """Yes or no, under the labels of the question; recorded as true or false."""

    positive_label: str = "Pass"
    negative_label: str = "Fail"
    TYPE: ClassVar[str] = "pass_fail"

    def __post_init__(self) -> None:
        plain_text("positive_label", self.positive_label, LONGEST_OPTION)
        plain_text("negative_label", self.negative_label, LONGEST_OPTION)
        if self.positive_label == self.negative_label:
            raise InvalidLabeling(f"negative_label: {self.negative_label!r} is the positive_label too; give another")

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"type": self.TYPE, "positive_label": self.positive_label, "negative_label": self.negative_label}

    def check(self, value: object) -> bool:
        """True for the positive label. Raises :class:`InvalidLabel`."""
        if not isinstance(value, bool):
            raise InvalidLabel(
                f"{brief(value)} is neither true ({self.positive_label}) nor false ({self.negative_label}); give one"
            )
        return value


Input: TypeAlias = InputCategorical | InputCategoricalList | InputText | InputTextList | InputNumeric | InputPassFail

INPUTS: Final[Mapping[str, type[Input]]] = {
    kind.TYPE: kind
    for kind in (InputCategorical, InputCategoricalList, InputText, InputTextList, InputNumeric, InputPassFail)
}
"""The classes, by the type that their JSON tells."""
CLASS_NAMES: Final = tuple(kind.__name__ for kind in INPUTS.values())


def input_of(given: object) -> Input:
    """An input of its JSON. Raises :class:`InvalidLabeling`."""
    if not isinstance(given, Mapping):
        raise InvalidLabeling(f"input: {brief(given)} is not an object with a type and its limits")
    kind = INPUTS.get(given["type"]) if isinstance(given.get("type"), str) else None
    if kind is None:
        raise InvalidLabeling(f"input.type: {brief(given.get('type'))} is not one of {', '.join(INPUTS)}")
    fields = [name for name in kind.__slots__ if name != "TYPE"]
    for name in given:
        if name not in ("type", *fields):
            raise InvalidLabeling(
                f"input.{str(name)[:80]}: {kind.TYPE} has no such limit; there are {', '.join(fields)}"
            )
    if "options" in fields and "options" not in given:
        raise InvalidLabeling(f"input.options: there are none; give {FEWEST_OPTIONS} to {MOST_OPTIONS} different texts")
    return kind(**{name: value for name, value in given.items() if name != "type"})


def _options(given: object) -> tuple[str, ...]:
    allowed = f"give {FEWEST_OPTIONS} to {MOST_OPTIONS} different texts"
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InvalidLabeling(f"options: {brief(given)} is not a list of texts; {allowed}")
    options = tuple(plain_text("options", option, LONGEST_OPTION) for option in given)
    if not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
        raise InvalidLabeling(f"options: there are {len(options)}; {allowed}")
    seen: set[str] = set()
    for option in options:
        if option in seen:
            raise InvalidLabeling(f"options: {brief(option)} is there twice; {allowed}")
        seen.add(option)
    return options


def _option(value: object, options: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in options:
        raise InvalidLabel(f"{brief(value)} is not one of the options; choose one of {_shown(options)}")
    return value


def _shown(options: Sequence[str]) -> str:
    shown = ", ".join(brief(option) for option in options[:10])
    return shown if len(options) <= 10 else f"{shown} and {len(options) - 10} more"


def _list(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise InvalidLabel(f"{brief(value)} is not a list of {what}; give a list")
    if not value:
        raise InvalidLabel(f"the list of {what} is empty; give at least one, or skip the question")
    return value


def _text(value: object, longest: int | None) -> str:
    if not isinstance(value, str):
        raise InvalidLabel(f"{brief(value)} is not a text; give one")
    if not value.strip():
        raise InvalidLabel("the text is empty; write something, or skip the question")
    if not storable(value):
        raise InvalidLabel("the text has a character that cannot be stored; write it without")
    most = longest or LONGEST_TEXT
    if len(value) > most:
        raise InvalidLabel(f"the text has {len(value)} characters; write at most {most}")
    return value


def _is_number(value: object) -> bool:
    # What is larger than any float could not be compared with one.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**63


def _whole_number(argument: str, value: object, largest: int) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest):
        raise InvalidLabeling(
            f"{argument}: {brief(value)} is not a whole number from 1 to {largest}; give one, or None"
        )

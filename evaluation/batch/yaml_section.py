"""A part of a configuration, read key by key: what is wrong is said with its place and what is allowed."""

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from hansei.collector.errors import ConfigurationError
from hansei.collector.setting_values import parse_duration
from hansei.evaluation.errors import InvalidEvaluation

T = TypeVar("T")

_VARIABLE: Final = re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)\}?")


class Section:
    """A mapping at a place in a configuration. Every reading method raises ``InvalidEvaluation``."""

    def __init__(self, place: str, given: object, known: Sequence[str]) -> None:
        """``place``: ``subjects.sample``, empty for the whole; ``known``: the keys that there may be."""
        if not isinstance(given, Mapping):
            raise InvalidEvaluation(f"{place or 'configuration'}: {shown(given)} is not a mapping of keys to values")
        self._place = place
        self._given: Mapping[Any, Any] = given
        for key in given:
            if key not in known:
                raise InvalidEvaluation(f"{self.at(str(key))}: there is no such key; {_meant(str(key), known)}")

    def at(self, key: str) -> str:
        """The place of a key."""
        return f"{self._place}.{key}" if self._place else key

    def has(self, key: str) -> bool:
        """Whether there is a value."""
        return self._given.get(key) is not None

    def raw(self, key: str) -> Any:
        """The value as it is."""
        return self._given.get(key)

    def needed(self, key: str, allowed: str) -> None:
        """That there must be a value."""
        if not self.has(key):
            raise InvalidEvaluation(f"{self.at(key)}: there is none, and it is needed; write {allowed}")

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        value = self._given.get(key)
        if value is None:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a text")
        return value

    def secret(self, key: str) -> str:
        """A text; ``$NAME`` is read from the environment."""
        value = self.text(key)
        found = _VARIABLE.fullmatch(value)
        if found is None:
            return value
        if not os.environ.get(found[1]):
            raise InvalidEvaluation(
                f"{self.at(key)}: the environment has no {found[1]}; set it, or write the value here"
            )
        return os.environ[found[1]]

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of some texts."""
        value = self._given.get(key)
        if value is None:
            return default
        if value not in choices:
            raise InvalidEvaluation(
                f"{self.at(key)}: {shown(value)} is not one of {', '.join(choices)}{_close(str(value), choices)}"
            )
        return str(value)

    def duration(self, key: str, default: float) -> float:
        """Seconds: ``30m``, ``10s``, ``2d``, 0."""
        value = self._given.get(key)
        if value is None:
            return default
        try:
            return parse_duration(self.at(key), value if isinstance(value, str) else str(value))
        except ConfigurationError as error:
            raise InvalidEvaluation(str(error)) from None

    def number(self, key: str, default: T, lowest: float, highest: float = math.inf) -> float | T:
        """A number above ``lowest``, up to ``highest``."""
        value = self._given.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest < value <= highest:
            bounds = f" above {lowest:g}" if math.isfinite(lowest) else ""
            raise self.wrong(key, f"a number{bounds}{f', up to {highest:g}' if math.isfinite(highest) else ''}")
        return float(value)

    def whole(self, key: str, default: T, lowest: int, highest: int = 2**53) -> int | T:
        """A whole number from ``lowest`` to ``highest``."""
        value = self._given.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            bounds = f"from {lowest} on" if highest == 2**53 else f"from {lowest} to {highest}"
            raise self.wrong(key, f"a whole number {bounds}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._given.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; one text is a list of one."""
        value = self._given.get(key)
        given = [] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not all(isinstance(each, str) and each for each in given):
            raise self.wrong(key, "a list of texts")
        return tuple(given)

    def sections(self, key: str, known: Sequence[str], make: Callable[["Section"], T]) -> tuple[T, ...]:
        """A list of mappings."""
        value = self._given.get(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise self.wrong(key, "a list")
        return tuple(make(Section(f"{self.at(key)}[{number}]", each, known)) for number, each in enumerate(value))

    def section(self, key: str, known: Sequence[str]) -> "Section":
        """A mapping; empty where there is none."""
        return Section(self.at(key), {} if self._given.get(key) is None else self._given[key], known)

    def wrong(self, key: str, allowed: str) -> InvalidEvaluation:
        """That a value is not what is allowed."""
        return InvalidEvaluation(f"{self.at(key)}: {shown(self._given.get(key))} is not {allowed}")


def shown(value: object) -> str:
    """A value as an error shows it."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _meant(key: str, known: Sequence[str]) -> str:
    close = get_close_matches(key, known, 1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


def _close(value: str, choices: Sequence[str]) -> str:
    close = get_close_matches(value, choices, 1)
    return f"; did you mean {close[0]}?" if close else ""

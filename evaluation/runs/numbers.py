"""What scorers said, as numbers or categories."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

WORDS: Final[Mapping[str, float]] = {"yes": 1.0, "no": 0.0, "pass": 1.0, "fail": 0.0}
"""Words that mean yes or no, in small letters."""


def number_of(value: object) -> float | None:
    """A value as a number: a bool and a word of :data:`WORDS` is 1 or 0. None for anything else, and for one that is
    not finite."""
    if isinstance(value, str):
        return WORDS.get(value.strip().lower())
    if isinstance(value, bool | int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    item = getattr(value, "item", None)
    if callable(item) and type(value).__module__ == "numpy":
        return number_of(item()) if getattr(value, "size", 1) == 1 else None
    return None


def categories_of(value: object) -> frozenset[str]:
    """The categories that a value names: a text names one, a list those of its texts, anything else none."""
    if isinstance(value, str):
        return frozenset((value,))
    if isinstance(value, Sequence):
        return frozenset(each for each in value if isinstance(each, str))
    return frozenset()


def flattened(name: str, values: Sequence[object]) -> Iterator[tuple[str, list[object]]]:
    """The values that are no dicts under the name, and those of each key of the dicts under ``name/key``."""
    dicts = [value if isinstance(value, Mapping) else None for value in values]
    yield name, [None if isinstance(value, Mapping) else value for value in values]
    keys: dict[Any, None] = {key: None for each in dicts if each is not None for key in each}
    for key in keys:
        yield f"{name}/{key}", [None if each is None else each.get(key) for each in dicts]

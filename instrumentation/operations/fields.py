"""Reading what may be a dict, one of openai's models, or something else altogether."""

from collections.abc import Iterable, Mapping
from typing import Any

_MISSING = object()
_NO_FIELDS: Mapping[str, Any] = {}


def field(source: object, name: str) -> Any:
    """A field of a dict or of one of openai's models, or None where it has none."""
    if type(source) is dict:
        return source.get(name)
    if source is None:
        return None
    values = getattr(source, "__dict__", _NO_FIELDS)
    if name in values:
        return values[name]
    # For what a pydantic model lacks it writes an error message, which takes longer than all the rest.
    extra: Any = getattr(source, "__pydantic_extra__", _MISSING)
    if extra is not _MISSING:
        return extra.get(name) if extra else None
    value = getattr(source, name, _MISSING)
    if value is _MISSING:
        return source.get(name) if isinstance(source, Mapping) else None
    return value


def given(source: object) -> Iterable[tuple[str, Any]]:
    """The fields that a dict or one of openai's models has, with their values."""
    if type(source) is dict:
        return source.items()
    values = getattr(source, "__dict__", _NO_FIELDS)
    extra = getattr(source, "__pydantic_extra__", None)
    return {**values, **extra}.items() if extra else values.items()


def items(value: object) -> Iterable[Any]:
    """The elements of a list or a tuple. Anything else has none: a generator that is read here would arrive empty."""
    return value if isinstance(value, (list, tuple)) else ()


def text(value: object) -> str | None:
    """The value if it is a text that is not empty."""
    return value if isinstance(value, str) and value else None


def integer(value: object) -> int | None:
    """The value if it is a whole number, and no boolean."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object) -> float | None:
    """The value as a float if it is a number, and no boolean."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

"""Checking what a scorer is made with, against the types of its fields."""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from inspect import get_annotations
from typing import Any, Literal, Union, get_args, get_origin

from hansei.evaluation.errors import InvalidEvaluation

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "None"}


def check_arguments(made: Any) -> None:
    """Raise ``InvalidEvaluation`` for the first field of a dataclass that has a value of another type."""
    kind: Any = type(made)
    for name, hint in _hints(kind).items():
        value = getattr(made, name)
        if not _fits(value, hint):
            raise wrong(made, name, f"is not {_described(hint)}")


def wrong(made: object, argument: str, why: str) -> InvalidEvaluation:
    """What to raise: the scorer, the argument, its value, and why it cannot be."""
    return InvalidEvaluation(f"{type(made).__name__}: {argument}: {getattr(made, argument)!r} {why}")


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    # Of the classes with arguments alone: what others hold may be named for type checkers only.
    hints = {
        name: hint
        for base in reversed(kind.__mro__)
        if "__dataclass_fields__" in vars(base)
        for name, hint in get_annotations(base, eval_str=True).items()
    }
    return {each.name: hints[each.name] for each in fields(kind) if each.init}


def _fits(value: object, hint: Any) -> bool:
    if hint is Any:
        return True
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is Callable:
        return callable(value)
    if origin is not None and issubclass(origin, Sequence):
        return (
            isinstance(value, Sequence)
            and not isinstance(value, str)
            and all(_fits(x, get_args(hint)[0]) for x in value)
        )
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _described(hint: Any) -> str:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_described(each) for each in get_args(hint))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    if origin is Callable:
        return "a function"
    if origin is not None and issubclass(origin, Mapping):
        return "a dict"
    if origin is not None and issubclass(origin, Sequence):
        return f"a list of {_described(get_args(hint)[0])}"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))

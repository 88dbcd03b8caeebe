"""The arguments of a call by the names that the function gives them."""

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any

_OWN = ("self", "cls", "mcs")


class Arguments:
    """Reads the signature of one function, once, and names the arguments of calls.

    ``inspect.Signature.bind`` also checks them, at several times the cost; here the call itself does that.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            # Some functions written in C have no signature.
            parameters = []
        by_position = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        self._positions = [each.name for each in parameters if each.kind in by_position]
        self._names = frozenset(each.name for each in parameters if each.kind in by_name)
        self._more_positions = next((each.name for each in parameters if each.kind is Parameter.VAR_POSITIONAL), "args")
        self._more_names = next((each.name for each in parameters if each.kind is Parameter.VAR_KEYWORD), "kwargs")
        first = self._positions[0] if self._positions else None
        self._own = first if first in _OWN else None
        self.defaults: dict[str, Any] = {
            each.name: each.default for each in parameters if each.default is not Parameter.empty
        }
        """The values of the arguments that a call leaves out."""

    def named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that were passed, right or wrong; ``self`` and ``cls`` are left out."""
        named = dict(zip(self._positions, args, strict=False))
        if len(args) > len(self._positions):
            named[self._more_positions] = args[len(self._positions) :]
        more: dict[str, Any] = {}
        for name, value in kwargs.items():
            (named if name in self._names else more)[name] = value
        if more:
            named[self._more_names] = more
        if self._own is not None:
            named.pop(self._own, None)
        return named

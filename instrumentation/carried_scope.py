"""A stretch of code in an OpenTelemetry context of its own: a block, sync or async, or a decorated function."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from opentelemetry.context import Context

from hansei.instrumentation.guard import Guard
from hansei.instrumentation.resumption import (
    Observer,
    ResumedContext,
    Unobserved,
    observed_async_generator,
    observed_generator,
)

F = TypeVar("F", bound=Callable[..., Any])


class CarriedScope:
    """``with``, ``async with`` and ``@``; ``make`` derives the context from the current one.

    A ``with`` may be entered again inside itself; two threads or tasks each need a scope of their own. Each call of
    a decorated function has one.
    """

    def __init__(self, make: Callable[[], Context], guard: Guard) -> None:
        self._make = make
        self._guard = guard
        self._entered: list[ResumedContext] = []

    def __enter__(self) -> None:
        entered = self._fresh()
        entered.enter()
        self._entered.append(entered)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._entered:
            self._entered.pop().leave()

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        """Decorate a function, a coroutine function or a generator function: every call runs inside."""
        made: Any
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def carried_coroutine(*args: Any, **kwargs: Any) -> Any:
                with CarriedScope(self._make, self._guard):
                    return await function(*args, **kwargs)

            made = carried_coroutine
        elif inspect.isgeneratorfunction(function):
            made = observed_generator(function, self._observe)
        elif inspect.isasyncgenfunction(function):
            made = observed_async_generator(function, self._observe)
        else:

            @functools.wraps(function)
            def carried_call(*args: Any, **kwargs: Any) -> Any:
                with CarriedScope(self._make, self._guard):
                    return function(*args, **kwargs)

            made = carried_call
        return made  # type: ignore[no-any-return]

    def _fresh(self) -> ResumedContext:
        return ResumedContext(self._make, self._guard)

    def _observe(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Observer:
        return _Carried(self._fresh())


class _Carried(Unobserved):
    """Gives a generator its context each time that it goes on."""

    def __init__(self, resumed: ResumedContext) -> None:
        self._resumed = resumed

    def enter(self) -> None:
        self._resumed.enter()

    def leave(self) -> None:
        self._resumed.leave()

"""Code that stops and goes on, generators above all, with a context of its own each time that it runs."""

import functools
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextvars import Token
from typing import Any, Protocol

from opentelemetry import context
from opentelemetry.context import Context

from hansei.instrumentation.guard import Guard


class ResumedContext:
    """An OpenTelemetry context that holds while some code runs, and is gone while it waits for its consumer.

    ``make`` derives it from the consumer's context. A body that stopped inside a block of its own, such as
    ``with tracer.start_as_current_span(…)``, finds itself in that block again.
    """

    __slots__ = ("_attached", "_guard", "_left", "_make", "_token")

    def __init__(self, make: Callable[[], Context], guard: Guard) -> None:
        self._make = make
        self._guard = guard
        self._token: Token[Context] | None = None
        self._attached: Context | None = None
        self._left: Context | None = None

    def enter(self) -> None:
        """The code goes on."""
        self._token = self._guard.run("enter a context", self._attach)

    def leave(self) -> None:
        """The code stops, for now or for good."""
        if self._token is not None:
            self._guard.run("restore the context", self._detach, self._token)
            self._token = None

    def _attach(self) -> Token[Context]:
        self._attached = self._left or self._make()
        return context.attach(self._attached)

    def _detach(self, token: Token[Context]) -> None:
        current = context.get_current()
        self._left = None if current is self._attached else current
        context.detach(token)


class Observer(Protocol):
    """Who is told how a generator gets on. None of these may raise."""

    def enter(self) -> None:
        """The generator is about to run."""

    def leave(self) -> None:
        """It has stopped."""

    def yielded(self, item: object) -> None:
        """It gave an item."""

    def returned(self) -> None:
        """It came to its end."""

    def raised(self, error: BaseException) -> None:
        """It raised, which it also does when it is closed."""


class Unobserved:
    """Nobody is told."""

    def enter(self) -> None:
        pass

    def leave(self) -> None:
        pass

    def yielded(self, item: object) -> None:
        pass

    def returned(self) -> None:
        pass

    def raised(self, error: BaseException) -> None:
        pass


Observe = Callable[[tuple[Any, ...], Mapping[str, Any]], Observer | None]
"""Who observes a call with these arguments, as its generator begins; None for nobody. It may not raise."""

_NOBODY = Unobserved()


def observed_generator(
    function: Callable[..., Generator[Any, Any, Any]], observe: Observe
) -> Callable[..., Generator[Any, Any, Any]]:
    """The generator function, observed: what is sent, thrown in, yielded, returned and raised stays the same.

    A call with wrong arguments is refused when the generator is first used rather than when it is made.
    """

    @functools.wraps(function)
    def observed(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        # Not "yield from", even for nobody: that turns a GeneratorExit which is thrown in into a call of close().
        observer = observe(args, kwargs) or _NOBODY
        resume: Callable[[Any], Any] = generator.send
        given: Any = None
        while True:
            observer.enter()
            try:
                item = resume(given)
            except StopIteration as stop:
                observer.leave()
                observer.returned()
                return stop.value
            except BaseException as error:
                # This frame is in the error's traceback: to keep the error here would make a cycle.
                given = None
                observer.leave()
                observer.raised(error)
                raise
            observer.leave()
            observer.yielded(item)
            try:
                given = yield item
                resume = generator.send
            except BaseException as error:
                # close() throws GeneratorExit in, so a generator that ignores it fails as it would by itself.
                given, resume = error, generator.throw
            del item

    return observed


def observed_async_generator(
    function: Callable[..., AsyncGenerator[Any, Any]], observe: Observe
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The async generator function, observed; as ``observed_generator``."""

    @functools.wraps(function)
    async def observed(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        observer = observe(args, kwargs) or _NOBODY
        resume: Callable[[Any], Awaitable[Any]] = functools.partial(_begun, generator)
        given: Any = None
        while True:
            observer.enter()
            try:
                item = await resume(given)
            except StopAsyncIteration:
                observer.leave()
                observer.returned()
                return
            except BaseException as error:
                given = None
                observer.leave()
                observer.raised(error)
                raise
            observer.leave()
            observer.yielded(item)
            try:
                given = yield item
                resume = generator.asend
            except BaseException as error:
                given, resume = error, generator.athrow
            del item

    return observed


def _begun(generator: AsyncGenerator[Any, Any], given: None) -> Awaitable[Any]:
    """Begin a generator that the event loop does not get to know.

    The loop closes every generator that it knows: those that are dropped, and all when it ends. It knows the one that
    the application holds, which closes this one; to close both at the same time is an error.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, _left_alone)
    try:
        return generator.asend(given)
    finally:
        sys.set_asyncgen_hooks(*hooks)


def _left_alone(generator: AsyncGenerator[Any, Any]) -> None:
    """What is done about a generator that is dropped, which is nothing."""

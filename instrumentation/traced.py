"""``@trace``: a span for every call of a function."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from opentelemetry.trace import Tracer
from opentelemetry.util.types import AttributeValue

from hansei.instrumentation.arguments import Arguments
from hansei.instrumentation.attributes import SPAN_ITEMS_LEFT_OUT
from hansei.instrumentation.content import process_content
from hansei.instrumentation.guard import Guard
from hansei.instrumentation.open_span import OpenSpan
from hansei.instrumentation.plain_value import MAX_ITEMS, PlainItems
from hansei.instrumentation.process_tracer import process_tracer
from hansei.instrumentation.resumption import observed_async_generator, observed_generator
from hansei.instrumentation.span_content import call_attributes, input_attributes, output_attributes, stream_attributes
from hansei.instrumentation.span_types import SpanPlan, SpanType, span_plan

F = TypeVar("F", bound=Callable[..., Any])
Reducer = Callable[[list[Any]], Any]

_guard = Guard()


@overload
def trace(func: F, /) -> F: ...


@overload
def trace(
    func: F,
    *,
    name: str | None = None,
    span_type: str = SpanType.UNKNOWN,
    attributes: Mapping[str, Any] | None = None,
    output_reducer: Reducer | None = None,
) -> F: ...


@overload
def trace(
    func: None = None,
    *,
    name: str | None = None,
    span_type: str = SpanType.UNKNOWN,
    attributes: Mapping[str, Any] | None = None,
    output_reducer: Reducer | None = None,
) -> Callable[[F], F]: ...


def trace(
    func: Any = None,
    *,
    name: str | None = None,
    span_type: str = SpanType.UNKNOWN,
    attributes: Mapping[str, Any] | None = None,
    output_reducer: Reducer | None = None,
) -> Any:
    """Make a span of every call: ``@trace``, ``@trace(span_type=SpanType.TOOL)`` or ``trace(math.factorial)(5)``.

    It takes functions and methods, plain, async, generators and async generators, and above or below
    ``@classmethod`` and ``@staticmethod``. The span of a generator lasts until it is exhausted or closed, and is
    current only while its body runs.

    ``name`` is what is called, by default the function's name. ``span_type`` is one of ``SpanType`` or a word of
    yours; a type that the GenAI conventions have an operation for (RETRIEVER, TOOL, AGENT, WORKFLOW, EMBEDDING, LLM,
    CHAT_MODEL) makes a span of that operation. ``attributes`` are set on every span.

    Arguments and result are recorded as JSON if content is recorded at all (``instrument(capture_content=…)``), up to
    ``HANSEI_CONTENT_MAX_LENGTH`` characters each. Of a generator these are the items that it yields, or what
    ``output_reducer`` makes of the list of the first 4096 of them.

    What is called, returned, yielded and raised stays the same, and a fault in here reaches only the log. Wrong
    arguments are refused as ever, by a coroutine or generator function when it is first awaited or iterated. A
    TypeError at once if what is decorated is a class or cannot be called.
    """
    if func is None:
        return functools.partial(
            trace, name=name, span_type=span_type, attributes=attributes, output_reducer=output_reducer
        )
    if isinstance(func, classmethod | staticmethod):
        inner = trace(
            func.__func__, name=name, span_type=span_type, attributes=attributes, output_reducer=output_reducer
        )
        return type(func)(inner)
    if isinstance(func, type) or not callable(func):
        raise TypeError(f"trace: {func!r} is no function; decorate functions and methods")
    called = name or getattr(getattr(func, "func", func), "__name__", None) or type(func).__name__
    described = (inspect.getdoc(func) or "").partition("\n")[0] if inspect.isroutine(func) else ""
    plan = span_plan(called, span_type, attributes, described)
    return _wrapped(func, _Calls(plan, Arguments(func), output_reducer))


def _wrapped(func: Callable[..., Any], calls: "_Calls") -> Callable[..., Any]:
    # An object that can be called is what its class's method is.
    bodies = (func, type(func).__call__)
    if any(map(inspect.isgeneratorfunction, bodies)):
        return observed_generator(func, calls.begin_stream)
    if any(map(inspect.isasyncgenfunction, bodies)):
        return observed_async_generator(func, calls.begin_stream)
    if any(map(inspect.iscoroutinefunction, bodies)):

        @functools.wraps(func)
        async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
            call = calls.begin(args, kwargs)
            if call is None:
                return await func(*args, **kwargs)
            call.enter()
            try:
                result = await func(*args, **kwargs)
            except BaseException as error:
                call.raised(error)
                raise
            call.succeeded(result)
            return result

        return traced_coroutine

    @functools.wraps(func)
    def traced_call(*args: Any, **kwargs: Any) -> Any:
        call = calls.begin(args, kwargs)
        if call is None:
            return func(*args, **kwargs)
        call.enter()
        try:
            result = func(*args, **kwargs)
        except BaseException as error:
            call.raised(error)
            raise
        call.succeeded(result)
        return result

    return traced_call


class _Calls:
    """Begins the spans of one function's calls."""

    def __init__(self, plan: SpanPlan, arguments: Arguments, reducer: Reducer | None) -> None:
        self._plan = plan
        self._arguments = arguments
        self._reducer = reducer

    def begin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> "_Call | None":
        """The span of a call that is about to be made; None while there is nobody to record it."""
        span = self._started(args, kwargs)
        return None if span is None else _Call(span, self._plan.operation)

    def begin_stream(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> "_Stream | None":
        """The span of a generator that is about to begin."""
        span = self._started(args, kwargs)
        return None if span is None else _Stream(span, self._plan.operation, self._reducer)

    def _started(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> OpenSpan | None:
        plan = self._plan
        tracer = _guard.run("find a tracer", _tracer)
        if tracer is None:
            return None
        span = OpenSpan.start(tracer, plan.name, plan.kind, plan.attributes, _guard)
        if span is not None and span.recording:
            _guard.run("read a call's arguments", self._describe, span, args, kwargs)
        return span

    def _describe(self, span: OpenSpan, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        operation, content = self._plan.operation, process_content.content
        if not (operation or content.on_spans):
            return
        named = self._arguments.named(args, kwargs)
        if operation:
            found = call_attributes(operation, {**self._arguments.defaults, **named})
            # What the decorator was given is what the application means.
            span.describe({name: value for name, value in found.items() if name not in self._plan.attributes})
        if content.on_spans:
            span.describe(input_attributes(operation, named, content.max_length))


class _Call:
    """The open span of one call."""

    __slots__ = ("_operation", "_span")

    def __init__(self, span: OpenSpan, operation: str) -> None:
        self._span = span
        self._operation = operation

    def enter(self) -> None:
        self._span.enter()

    def succeeded(self, result: object) -> None:
        ended = time.time_ns()
        self._span.leave()
        content = process_content.content
        if self._span.recording and content.on_spans:
            found = _guard.run("read a result", output_attributes, self._operation, result, content.max_length)
            self._span.describe(found)
        self._span.end(ended)

    def raised(self, error: BaseException) -> None:
        ended = time.time_ns()
        self._span.leave()
        self._span.fail(error)
        self._span.end(ended)


class _Stream:
    """The open span of one generator, with what is kept of its items."""

    __slots__ = ("_items", "_kept", "_left_out", "_limit", "_operation", "_reducer", "_span", "enter", "leave")

    def __init__(self, span: OpenSpan, operation: str, reducer: Reducer | None) -> None:
        self._span = span
        self._operation = operation
        self._reducer = reducer
        content = process_content.content
        self._limit = content.max_length
        kept = span.recording and content.on_spans
        # A reducer gets the items themselves; without one only their text is kept.
        self._left_out = 0
        self._items = PlainItems(self._limit) if kept and reducer is None else None
        self._kept: list[Any] | None = [] if kept and reducer is not None else None
        self.enter = span.enter
        self.leave = span.leave

    def yielded(self, item: object) -> None:
        if self._items is not None:
            _guard.run("keep an item", self._items.add, item)
        elif self._kept is not None:
            if len(self._kept) < MAX_ITEMS:
                self._kept.append(item)
            else:
                self._left_out += 1

    def returned(self) -> None:
        ended = time.time_ns()
        self._span.describe(_guard.run("read a generator's items", self._outputs))
        self._span.end(ended)

    def raised(self, error: BaseException) -> None:
        ended = time.time_ns()
        self._span.describe(_guard.run("read a generator's items", self._outputs))
        self._span.fail(error)
        self._span.end(ended)

    def _outputs(self) -> dict[str, AttributeValue]:
        if self._kept is not None and self._reducer is not None:
            found = output_attributes(self._operation, self._reducer(self._kept), self._limit)
            return {**found, SPAN_ITEMS_LEFT_OUT: self._left_out} if self._left_out else found
        return {} if self._items is None else stream_attributes(self._operation, self._items)


def _tracer() -> Tracer | None:
    return process_tracer.tracer

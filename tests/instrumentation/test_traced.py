"""``@trace``: what it records, and that what it decorates cannot tell."""

import asyncio
import contextlib
import functools
import gc
import inspect
import json
import math
import pickle
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from hansei.instrumentation import SpanType, trace
from hansei.instrumentation.content import NOTHING, Content, process_content
from hansei.instrumentation.process_tracer import process_tracer

from . import traces as in_memory
from .conftest import Spans
from .traces import found, read

traces = in_memory.traces


@trace
def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def current_span_id() -> int:
    return otel.get_current_span().get_span_context().span_id


# What is recorded


def test_a_call_is_a_span_with_its_arguments_and_its_result(traces: Spans) -> None:
    """By name, as JSON, of what was passed."""
    assert add(1, b=3) == 4
    span = traces.only()
    assert (span.name, span.kind) == ("add", SpanKind.INTERNAL)
    assert found(span) == {
        "hansei.span.type": "UNKNOWN",
        "hansei.span.inputs": '{"a":1,"b":3}',
        "hansei.span.outputs": "4",
    }


def test_name_type_and_attributes_are_the_decorators(traces: Spans) -> None:
    """Also a type of one's own; and a function of a library can be wrapped in place."""
    decorated = trace(math.factorial, name="fact", span_type="MATHS", attributes={"team": "search", "deep": {"a": [1]}})
    assert decorated(5) == 120
    span = traces.only()
    assert span.name == "fact"
    assert found(span)["hansei.span.type"] == "MATHS"
    assert found(span)["team"] == "search"
    assert read(span, "deep") == {"a": [1]}


@pytest.mark.parametrize(
    ("span_type", "name", "kind", "expected"),
    [
        (SpanType.TOOL, "execute_tool look_up", SpanKind.INTERNAL, {"gen_ai.tool.name": "look_up"}),
        (SpanType.AGENT, "invoke_agent look_up", SpanKind.INTERNAL, {"gen_ai.agent.name": "look_up"}),
        (SpanType.WORKFLOW, "invoke_workflow look_up", SpanKind.INTERNAL, {"gen_ai.workflow.name": "look_up"}),
        (SpanType.RETRIEVER, "retrieval look_up", SpanKind.CLIENT, {}),
        (SpanType.EMBEDDING, "embeddings look_up", SpanKind.CLIENT, {}),
        (SpanType.LLM, "chat look_up", SpanKind.CLIENT, {}),
        (SpanType.CHAT_MODEL, "chat look_up", SpanKind.CLIENT, {}),
        (SpanType.CHAIN, "look_up", SpanKind.INTERNAL, None),
        (SpanType.GUARDRAIL, "look_up", SpanKind.INTERNAL, None),
    ],
)
def test_a_type_with_an_operation_is_a_span_of_that_operation(
    traces: Spans, span_type: str, name: str, kind: SpanKind, expected: dict[str, str] | None
) -> None:
    """Named by the conventions; the type itself is there always."""

    @trace(span_type=span_type)
    def look_up() -> None:
        pass

    look_up()
    span = traces.only()
    assert (span.name, span.kind, found(span)["hansei.span.type"]) == (name, kind, span_type)
    assert found(span).get("gen_ai.operation.name") == (None if expected is None else name.split()[0])
    assert (expected or {}).items() <= found(span).items()


def test_a_tools_arguments_result_and_description_are_on_its_span(traces: Spans) -> None:
    """As the convention has it: the result is an object."""

    @trace(span_type=SpanType.TOOL)
    def weather(city: str, tool_call_id: str) -> int:
        """How warm it is.

        In degrees.
        """
        return 21

    weather("Kyoto", tool_call_id="call_1")
    span = traces.only()
    assert read(span, "gen_ai.tool.call.arguments") == {"city": "Kyoto", "tool_call_id": "call_1"}
    assert read(span, "gen_ai.tool.call.result") == {"result": 21}
    assert found(span)["gen_ai.tool.type"] == "function"
    assert found(span)["gen_ai.tool.call.id"] == "call_1"
    assert found(span)["gen_ai.tool.description"] == "How warm it is."


class Document:
    """As LangChain's."""

    def __init__(self, text: str) -> None:
        self.page_content = text
        self.metadata = {"source": "manual.pdf"}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        (
            [{"id": 1, "text": "Descale it.", "score": 0.5, "metadata": {"page": 3}}],
            [{"id": "1", "score": 0.5, "content": "Descale it.", "metadata": {"page": 3}}],
        ),
        ([Document("Descale it.")], [{"content": "Descale it.", "metadata": {"source": "manual.pdf"}}]),
        ([(Document("x"), 0.25)], [{"score": 0.25, "content": "x", "metadata": {"source": "manual.pdf"}}]),
        (("plain",), [{"content": "plain"}]),
        ([None, 3, {}], [{}, {}, {}]),
    ],
)
def test_a_retrievers_query_limit_and_documents_are_on_its_span(traces: Spans, documents: Any, expected: Any) -> None:
    """Whatever shape the documents have, and also when the limit is a default."""

    @trace(span_type=SpanType.RETRIEVER, attributes={"gen_ai.data_source.id": "manuals"})
    def search(tenant: str, query: str, k: int = 5) -> Any:
        return documents

    assert search("kumo", "scale") is documents
    span = traces.only()
    assert span.name == "retrieval manuals"
    assert found(span)["gen_ai.retrieval.query.text"] == "scale"
    assert found(span)["gen_ai.retrieval.top_k"] == 5
    assert read(span, "gen_ai.retrieval.documents") == expected


def test_a_model_call_is_named_by_its_model(traces: Spans) -> None:
    """Where the attributes have it; a ``model`` argument is recorded."""

    @trace(span_type=SpanType.LLM, attributes={"gen_ai.request.model": "llama"})
    def ask() -> None:
        pass

    @trace(span_type=SpanType.EMBEDDING)
    def embed(model: str) -> None:
        pass

    ask()
    embed("minilm")
    assert [span.name for span in traces.all()] == ["chat llama", "embeddings embed"]
    assert found(traces.all()[1])["gen_ai.request.model"] == "minilm"


def test_without_content_there_are_no_arguments_and_no_results(traces: Spans) -> None:
    """Nor a retriever's query or documents; how many were asked for is no content."""
    process_content.set(NOTHING)

    @trace(span_type=SpanType.RETRIEVER)
    def search(query: str, top_k: int) -> list[str]:
        return [query]

    @trace
    def stream() -> Iterator[str]:
        yield "a"

    search("secret", 3)
    list(stream())
    assert found(traces.all()[0]) == {
        "hansei.span.type": "RETRIEVER",
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.top_k": 3,
    }
    assert found(traces.all()[1]) == {"hansei.span.type": "UNKNOWN"}


def test_nested_calls_are_children(traces: Spans) -> None:
    """Of whichever span is current, and afterwards it is current again."""

    @trace
    def outer() -> int:
        return add(1, 1)

    with traces.provider.get_tracer("t").start_as_current_span("root") as root:
        outer()
        assert otel.get_current_span() is root
    inner, middle, _ = traces.all()
    assert inner.parent == middle.get_span_context()
    assert middle.parent == root.get_span_context()


class Calculator:
    """Every kind of method."""

    factor = 3

    @trace
    def method(self, a: int) -> int:
        return a * self.factor

    @classmethod
    @trace
    def class_inside(cls, a: int) -> int:
        return a * cls.factor

    @trace
    @classmethod
    def class_outside(cls, a: int) -> int:
        return a * cls.factor

    @staticmethod
    @trace
    def static_inside(a: int) -> int:
        return a

    @trace
    @staticmethod
    def static_outside(a: int) -> int:
        return a

    @property
    @trace
    def prop(self) -> int:
        return self.factor

    @trace
    def __call__(self, a: int) -> int:
        return a


def test_methods_of_every_kind_work_in_either_order(traces: Spans) -> None:
    """``self`` and ``cls`` are no arguments."""
    calculator = Calculator()
    assert (calculator.method(2), Calculator.method(calculator, 2)) == (6, 6)
    assert (Calculator.class_inside(2), calculator.class_outside(2)) == (6, 6)
    assert (Calculator.static_inside(2), calculator.static_outside(2)) == (2, 2)
    assert (calculator.prop, calculator(2)) == (3, 2)
    assert [read(span, "hansei.span.inputs") for span in traces.all()] == [{"a": 2}] * 6 + [{}, {"a": 2}]


def test_objects_that_can_be_called_are_what_their_class_makes_them(traces: Spans) -> None:
    """A partial, and an object whose call is a coroutine."""

    class Agent:
        async def __call__(self, question: str) -> str:
            return question

    assert trace(functools.partial(add, b=1))(1) == 2
    assert asyncio.run(trace(Agent())("why")) == "why"
    assert [span.name for span in traces.all()] == ["add", "add", "Agent"]


@pytest.mark.parametrize("wrong", [Calculator, 5, "search"])
def test_what_is_no_function_is_refused(wrong: Any) -> None:
    """At once, and by name: nothing could be recorded later."""
    with pytest.raises(TypeError, match="is no function; decorate functions and methods"):
        trace(wrong)


# What cannot be told from outside


def test_what_inspect_sees_stays_true() -> None:
    """Names, documentation, signature, kind; and it can be pickled by name."""

    async def coroutine(a: int, *, b: str = "x") -> None:
        """Wait."""

    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncGenerator[int, None]:
        yield 1

    def plain() -> None:
        """Do."""

    for function in (coroutine, generator, async_generator, plain):
        decorated = trace(function)
        for tells in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
            assert tells(decorated) == tells(function)
        assert inspect.signature(decorated) == inspect.signature(function)
        assert (decorated.__name__, decorated.__doc__, decorated.__wrapped__) == (  # type: ignore[attr-defined]
            function.__name__,
            function.__doc__,
            function,
        )
    assert inspect.isgenerator(trace(generator)())
    assert pickle.loads(pickle.dumps(math.factorial))(3) == 6
    assert pickle.dumps(add)


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), StopIteration(3), SystemExit(2)])
def test_the_very_object_that_was_raised_is_raised(traces: Spans, error: BaseException) -> None:
    """It is recorded with its type, and nothing is added to it."""

    @trace
    def fails() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        fails()
    assert raised.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    span = traces.only()
    assert span.status.status_code is StatusCode.ERROR
    assert found(span)["error.type"] == type(error).__name__
    (event,) = span.events
    assert event.name == "exception"
    assert otel.get_current_span() is otel.INVALID_SPAN


def test_an_error_that_cannot_be_written_is_still_an_error(traces: Spans) -> None:
    """Its type is there when its text is not."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    @trace
    def fails() -> None:
        raise Mute

    with pytest.raises(Mute):
        fails()
    assert traces.only().status.status_code is StatusCode.ERROR
    assert "Mute" in found(traces.only())["error.type"]


def test_wrong_arguments_are_the_functions_own_error(traces: Spans) -> None:
    """Word for word."""
    with pytest.raises(TypeError) as bare:
        add.__wrapped__()  # type: ignore[attr-defined]
    with pytest.raises(TypeError) as decorated:
        add()  # type: ignore[call-arg]
    assert str(decorated.value) == str(bare.value)


def test_a_cancelled_coroutine_neither_fails_nor_succeeds(traces: Spans) -> None:
    """The span ends, and says so."""

    @trace
    async def waits() -> None:
        await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    span = traces.only()
    assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())
    assert found(span)["hansei.span.outcome"] == "cancelled"


def test_tasks_and_threads_keep_to_their_own_spans(traces: Spans) -> None:
    """However they interleave."""

    @trace
    async def outer(name: str) -> str:
        await asyncio.sleep(0)
        return await inner(name)

    @trace
    async def inner(name: str) -> str:
        await asyncio.sleep(0)
        return name

    async def many() -> list[str]:
        return await asyncio.gather(*(outer(str(number)) for number in range(20)))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_id = {span.get_span_context().span_id: span for span in traces.all()}
    children = [span for span in traces.all() if span.name == "inner"]
    assert len(children) == 80
    for child in children:
        assert child.parent is not None
        assert found(by_id[child.parent.span_id])["hansei.span.inputs"] == found(child)["hansei.span.inputs"]


# Generators

Action = tuple[str, Any]
ACTIONS = st.lists(
    st.one_of(
        st.just(("next", None)),
        st.tuples(st.just("send"), st.integers()),
        st.just(("throw", ValueError)),
        st.just(("throw", KeyError)),
        st.just(("throw", GeneratorExit)),
        st.just(("throw", StopIteration)),
        st.just(("close", None)),
    ),
    max_size=8,
)
BODY = st.fixed_dictionaries(
    {
        "items": st.lists(st.integers(), max_size=4),
        "raises": st.sampled_from([None, ValueError, StopIteration]),
        "swallows": st.booleans(),
        "ignores_close": st.booleans(),
        "returns": st.integers(),
    }
)


def scripted(items: list[int], raises: Any, swallows: bool, ignores_close: bool, returns: int, log: list[Any]) -> Any:
    """A generator that does what it is told, and notes what it is sent."""
    try:
        for item in items:
            try:
                log.append((yield item))
            except ValueError as error:
                log.append(type(error))
                if not swallows:
                    raise
            except GeneratorExit:
                if ignores_close:
                    yield -1
                raise
        if raises:
            raise raises("scripted")
        return returns
    finally:
        log.append("finally")


def performed(make: Callable[[list[Any]], Generator[Any, Any, Any]], actions: list[Action]) -> list[Any]:
    """All that a consumer and the generator itself see."""
    log: list[Any] = []
    generator = make(log)
    for kind, argument in actions:
        thrown = argument("thrown") if kind == "throw" else None
        try:
            if kind == "throw":
                log.append(("item", generator.throw(thrown)))
            elif kind == "close":
                log.append(("closed", generator.close()))
            else:
                log.append(("item", next(generator) if kind == "next" else generator.send(argument)))
        except BaseException as error:
            log.append((type(error), error.args, error is thrown, type(error.__cause__), type(error.__context__)))
    try:
        generator.close()
    except RuntimeError as error:
        log.append(error.args)
    return log


@given(body=BODY, actions=ACTIONS)
def test_a_decorated_generator_cannot_be_told_from_the_bare_one(body: dict[str, Any], actions: list[Action]) -> None:
    """Whatever is sent, thrown in, raised, returned or closed, and whenever; recorded or not."""
    bare = performed(lambda log: scripted(**body, log=log), actions)
    for provider in (None, TracerProvider(shutdown_on_exit=False)):
        process_tracer.use(provider)
        process_content.set(Content(on_spans=True))
        try:
            assert performed(lambda log: trace(scripted)(**body, log=log), actions) == bare
        finally:
            process_tracer.use(None)
            process_content.set(None)


async def async_scripted(items: list[int], raises: Any, swallows: bool, log: list[Any]) -> Any:
    """As ``scripted``, with a pause at every step. It may be closed: one that refuses to be is a leak in any case."""
    try:
        for item in items:
            await asyncio.sleep(0)
            try:
                log.append((yield item))
            except ValueError as error:
                log.append(type(error))
                if not swallows:
                    raise
        if raises:
            raise raises("scripted")
    finally:
        await asyncio.sleep(0)
        log.append("finally")


async def async_performed(make: Callable[[list[Any]], AsyncGenerator[Any, Any]], actions: list[Action]) -> list[Any]:
    log: list[Any] = []
    generator = make(log)
    for kind, argument in actions:
        thrown = argument("thrown") if kind == "throw" else None
        try:
            if kind == "throw":
                log.append(("item", await generator.athrow(thrown)))  # type: ignore[arg-type]
            elif kind == "close":
                log.append(("closed", await generator.aclose()))  # type: ignore[func-returns-value]
            else:
                log.append(("item", await (generator.__anext__() if kind == "next" else generator.asend(argument))))
        except BaseException as error:
            log.append((type(error), error.args, error is thrown, type(error.__cause__), type(error.__context__)))
    await generator.aclose()
    return log


@given(body=BODY, actions=ACTIONS)
def test_a_decorated_async_generator_cannot_be_told_from_the_bare_one(
    body: dict[str, Any], actions: list[Action]
) -> None:
    """Whatever is sent, thrown in, raised or closed, and whenever; recorded or not."""
    body = {name: body[name] for name in ("items", "raises", "swallows")}
    bare = asyncio.run(async_performed(lambda log: async_scripted(**body, log=log), actions))
    for provider in (None, TracerProvider(shutdown_on_exit=False)):
        process_tracer.use(provider)
        try:
            observed = async_performed(lambda log: trace(async_scripted)(**body, log=log), actions)
            assert asyncio.run(observed) == bare
        finally:
            process_tracer.use(None)


def test_yield_from_gets_the_return_value(traces: Spans) -> None:
    """And the items are the outputs."""

    @trace
    def inner() -> Generator[int, None, str]:
        yield 1
        yield 2
        return "done"

    def outer() -> Generator[int, None, str]:
        return (yield from inner())

    consumed = outer()
    assert [next(consumed), next(consumed)] == [1, 2]
    with pytest.raises(StopIteration) as stopped:
        next(consumed)
    assert stopped.value.value == "done"
    assert read(traces.only(), "hansei.span.outputs") == [1, 2]


def test_a_generators_span_is_current_only_while_its_body_runs(traces: Spans) -> None:
    """Its own inner blocks hold over a pause, and neither reaches the consumer."""
    tracer = traces.provider.get_tracer("t")

    @trace
    def body() -> Iterator[tuple[int, int]]:
        outside = current_span_id()
        with tracer.start_as_current_span("step"):
            inside = current_span_id()
            yield outside, inside
            assert current_span_id() == inside
            yield outside, current_span_id()
        assert current_span_id() == outside
        yield outside, current_span_id()

    with tracer.start_as_current_span("consumer") as consumer:
        seen = []
        for item in body():
            assert otel.get_current_span() is consumer
            seen.append(item)
    assert len({outside for outside, _ in seen}) == 1
    assert seen[0] == seen[1]
    assert otel.get_current_span() is otel.INVALID_SPAN
    assert {span.name for span in traces.all()} == {"step", "body", "consumer"}


def test_two_generators_in_step_do_not_mix(traces: Spans) -> None:
    """Each is the parent of what it does, though the consumer takes from both in turn."""

    @trace
    def numbers(name: str) -> Iterator[int]:
        for number in range(3):
            yield add(number, len(name))

    list(zip(numbers("a"), numbers("bb"), strict=True))
    by_id = {span.get_span_context().span_id: span for span in traces.all() if span.name == "numbers"}
    for span in traces.all():
        if span.name == "add":
            assert span.parent is not None
            name = read(by_id[span.parent.span_id], "hansei.span.inputs")["name"]
            assert len(name) == read(span, "hansei.span.inputs")["b"]


def test_closing_a_generator_early_is_no_error(traces: Spans) -> None:
    """By close(), by garbage collection and by aclose(); what it had yielded is there."""

    @trace
    def counts() -> Iterator[int]:
        yield 1
        yield 2

    @trace(name="counts")
    async def async_counts() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    async def aclosed() -> None:
        generator = async_counts()
        await generator.__anext__()
        await generator.aclose()

    first = counts()
    next(first)
    first.close()  # type: ignore[attr-defined]
    next(counts())
    gc.collect()
    asyncio.run(aclosed())
    assert len(traces.all()) == 3
    for span in traces.all():
        assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())
        assert found(span)["hansei.span.outcome"] == "closed"
        assert read(span, "hansei.span.outputs") == [1]


def test_an_abandoned_async_generator_is_closed_once_with_its_loop(
    traces: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop knows the generator that the application holds, and not the one inside."""

    @trace
    async def slow() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0.01)

    async def main() -> Any:
        generator = slow()
        await generator.__anext__()
        return generator

    kept = asyncio.run(main())
    assert found(traces.only())["hansei.span.outcome"] == "closed"
    assert caplog.messages == []
    del kept


def test_a_generator_that_never_begins_has_no_span(traces: Spans) -> None:
    """There was no call to speak of."""

    @trace
    def never() -> Iterator[int]:
        yield 1

    never().close()  # type: ignore[attr-defined]
    assert traces.all() == ()


def test_a_reducer_makes_the_outputs_of_the_items(traces: Spans) -> None:
    """It gets the items themselves, in a list."""
    seen: list[Any] = []

    def joined(items: list[Any]) -> str:
        seen.append(items)
        return "".join(items)

    @trace(output_reducer=joined)
    async def words() -> AsyncGenerator[str, None]:
        yield "Kumo "
        yield "One"

    async def consume() -> None:
        async for _ in words():
            pass

    asyncio.run(consume())
    assert seen == [["Kumo ", "One"]]
    assert read(traces.only(), "hansei.span.outputs") == "Kumo One"


def test_a_reducer_that_fails_costs_the_outputs_alone(traces: Spans, caplog: pytest.LogCaptureFixture) -> None:
    """The consumer has its items, the span its end."""

    @trace(output_reducer=lambda items: items[99])
    def words() -> Iterator[str]:
        yield "Kumo"

    assert list(words()) == ["Kumo"]
    assert "hansei.span.outputs" not in found(traces.only())
    assert "could not read a generator's items" in caplog.text


def test_a_long_stream_is_kept_in_part_and_counted(traces: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number of items and by their text, with a reducer and without."""

    @trace
    def numbers(count: int) -> Iterator[int]:
        yield from range(count)

    @trace(output_reducer=len)
    def reduced(count: int) -> Iterator[int]:
        yield from range(count)

    @trace
    def texts() -> Iterator[str]:
        for _ in range(10):
            yield "x" * 100

    for consumed in (numbers(5000), reduced(5000)):
        assert sum(1 for _ in consumed) == 5000
    process_content.set(Content(on_spans=True, max_length=250))
    list(texts())
    first, second, third = traces.all()
    assert read(first, "hansei.span.outputs")[-2:] == [4095, "… [904 items left out]"]
    assert read(second, "hansei.span.outputs") == 4096
    assert found(second)["hansei.span.items_left_out"] == 904
    kept = read(third, "hansei.span.outputs")
    assert kept[-1] == "… [7 items left out]"
    assert kept[2].endswith("characters left out]")


# Faults and cost


class Hostile:
    """Nothing about it can be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")


@dataclass
class Order:
    number: int
    key: str = field(repr=False, default="secret")


def test_what_cannot_be_written_is_named_and_what_can_be_read_once_is_not_read(traces: Spans) -> None:
    """Nothing is consumed, changed or refused."""
    generator = (number for number in range(3))
    circle: list[Any] = [1]
    circle.append(circle)
    arguments = [generator, Hostile(), circle, {1: b"bytes", (1,): {1}}, Order(3), float("nan"), 10**5000]

    @trace
    def takes(things: list[Any]) -> list[Any]:
        return things

    assert takes(arguments) is arguments
    assert list(generator) == [0, 1, 2]
    expected = ["<generator>", "<Hostile>", [1, "<list>"], {"1": "<bytes>", "<tuple>": [1]}, {"number": 3}, "nan"]
    assert read(traces.only(), "hansei.span.inputs")["things"][:6] == expected
    assert read(traces.only(), "hansei.span.outputs")[6] == "<int of 16610 bits>"


def test_what_is_too_long_is_cut_and_stays_json(traces: Spans) -> None:
    """A text, and a whole that is made of many."""
    process_content.set(Content(on_spans=True, max_length=1000))

    @trace
    def takes(text: str, many: list[str], table: dict[str, int]) -> None:
        pass

    takes("x" * 5000, [], {})
    takes("", ["y" * 50] * 5000, {})
    takes("", [], {str(number): number for number in range(5000)})
    for span in traces.all():
        assert len(found(span)["hansei.span.inputs"]) < 3100
        assert "left out]" in found(span)["hansei.span.inputs"]
        json.loads(found(span)["hansei.span.inputs"])


def test_inputs_are_what_was_passed_not_what_became_of_it(traces: Spans) -> None:
    """A function may change its arguments."""

    @trace
    def empties(things: list[int]) -> list[int]:
        things.clear()
        return things

    empties([1])
    assert found(traces.only())["hansei.span.inputs"] == '{"things":[1]}'


@pytest.mark.parametrize(
    "step",
    [
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.is_recording",
        "opentelemetry.sdk.trace.Span.set_attributes",
        "opentelemetry.sdk.trace.Span.set_status",
        "opentelemetry.sdk.trace.Span.record_exception",
        "opentelemetry.sdk.trace.Span.end",
        "opentelemetry.context.attach",
        "opentelemetry.context.detach",
        "hansei.instrumentation.traced._tracer",
        "hansei.instrumentation.traced.call_attributes",
        "hansei.instrumentation.traced.input_attributes",
        "hansei.instrumentation.traced.output_attributes",
        "hansei.instrumentation.traced.stream_attributes",
        "hansei.instrumentation.open_span.session_attributes",
    ],
)
def test_a_fault_at_any_step_does_not_reach_the_application(
    traces: Spans, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Results and errors are as without the fault."""

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("fault")

    error = ValueError("mine")

    @trace
    def fails() -> None:
        raise error

    @trace
    def stream() -> Iterator[int]:
        yield 1

    async def consumed() -> list[int]:
        return [item async for item in trace(async_stream)()]

    async def async_stream() -> AsyncGenerator[int, None]:
        yield 1

    monkeypatch.setattr(step, broken)
    assert add(1) == 3
    assert list(stream()) == [1]
    assert asyncio.run(consumed()) == [1]
    with pytest.raises(ValueError, match="mine") as raised:
        fails()
    assert raised.value is error


def test_a_call_leaves_no_cycles_behind(traces: Spans) -> None:
    """Whether it returns, raises, or is a generator that is closed or not: memory is free without the collector."""

    @trace
    def fails() -> None:
        raise ValueError

    @trace
    def stream() -> Iterator[int]:
        yield add(1)
        yield 2

    def calls() -> None:
        add(1)
        list(stream())
        next(stream())
        with contextlib.suppress(ValueError):
            fails()

    calls()
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            calls()
        assert gc.collect() < 50
    finally:
        gc.enable()


def test_what_is_not_sampled_is_not_read(traces: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """But it is the parent of what it calls, so that the decision holds for all of the trace."""
    monkeypatch.setattr("hansei.instrumentation.traced.input_attributes", lambda *_: pytest.fail("read"))
    process_tracer.use(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))

    @trace
    def sampled(a: int) -> bool:
        return otel.get_current_span().get_span_context().trace_flags.sampled

    assert sampled(1) is False
    assert context.get_current() == {}


def test_without_an_sdk_a_call_costs_next_to_nothing() -> None:
    """No span, and no look at arguments: some microseconds, with room for a busy machine."""
    process_tracer.use(otel.NoOpTracerProvider())
    try:
        best = math.inf
        for _ in range(20):
            began = time.perf_counter()
            for number in range(500):
                add(number)
            best = min(best, time.perf_counter() - began)
    finally:
        process_tracer.use(None)
    assert best / 500 < 20e-6

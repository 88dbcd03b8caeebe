"""A fault of hansei's own, at any step: the application gets what it would have got, and the log says so once."""

import asyncio
import gc
import importlib
import json
import logging
import pkgutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FrameType, FunctionType
from typing import Any

import httpx2
import pytest
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import hansei.instrumentation
from hansei.instrumentation.content import Content

from .conftest import completion
from .laws import SSE, Answer, Seen, Transport, observing, raised, shown

REQUEST: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    "tools": [{"type": "function", "function": {"name": "look_up"}}],
    "temperature": 1,
    "extra_body": {"top_k": 3},
}
LIMIT = 8
"""Characters of content, so that what cuts it is on the way too."""


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _chunk(**delta: Any) -> bytes:
    return _event({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


BODY = json.dumps(completion()).encode()
CHUNKS = [
    _chunk(role="assistant", content="Hello, world"),
    _chunk(
        tool_calls=[{"index": 0, "id": "t", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}]
    ),
    b"data: [DONE]\n\n",
]
RESPONSE = {"id": "r", "model": "m", "status": "completed", "output": [
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    {"type": "function_call", "call_id": "t", "name": "look_up", "arguments": "{}"},
], "usage": {"input_tokens": 1, "output_tokens": 2}}  # fmt: skip
EVENTS = [
    _event({"type": "response.created", "response": RESPONSE}),
    _event({"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"}),
    _event({"type": "response.output_item.added", "output_index": 1, "item": RESPONSE["output"][1]}),  # type: ignore[index]
    _event({"type": "response.completed", "response": RESPONSE}),
]
RETRY = {"content-type": "application/json", "retry-after-ms": "1", "x-request-id": "req"}


def create(client: Any) -> Seen:
    """A completion."""
    return [shown(client.chat.completions.create(**REQUEST))]


def raw(client: Any) -> Seen:
    """A response that the application parses."""
    response = client.chat.completions.with_raw_response.create(**REQUEST)
    return [response.text, shown(response.parse())]


def read(client: Any) -> Seen:
    """Bytes that the application reads."""
    with client.chat.completions.with_streaming_response.create(**REQUEST) as response:
        return list(response.iter_bytes())


def stream(client: Any) -> Seen:
    """A stream to its end."""
    return [shown(each) for each in client.chat.completions.create(**REQUEST, stream=True)]


def leave(client: Any) -> Seen:
    """A stream that is closed after a chunk."""
    with client.chat.completions.create(**REQUEST, stream=True) as chunks:
        return [shown(next(chunks))]


def respond(client: Any) -> Seen:
    """A response."""
    return [shown(client.responses.create(model="m", input=[{"role": "user", "content": "Hi"}], instructions="Be"))]


def respond_stream(client: Any) -> Seen:
    """A response in events."""
    return [shown(each) for each in client.responses.create(model="m", input="Hi", stream=True)]


def posted(client: Any) -> Seen:
    """What hansei has no name for."""
    return [shown(client.post("/next/{year}", cast_to=object, body={"model": "m"}))]


def awaited(client: Any) -> Seen:
    """An asynchronous completion and a stream."""

    async def ask() -> Seen:
        chunks = await client.chat.completions.create(**REQUEST, stream=True)
        seen = [shown(each) async for each in chunks]
        async with client.chat.completions.with_streaming_response.create(**REQUEST) as response:
            seen += [each async for each in response.iter_bytes()]
        return [*seen, shown(await client.chat.completions.with_raw_response.create(**REQUEST))]

    return asyncio.run(ask())


SCENARIOS: dict[str, tuple[Callable[[Any], Seen], list[Answer]]] = {
    "a completion": (create, [Answer([BODY])]),
    "an error": (create, [Answer([b"{}"], status=404)]),
    "a retry": (create, [Answer([b"{}"], RETRY, 500), Answer([BODY], RETRY)]),
    "no connection": (create, [Answer([], error=lambda: httpx2.ReadError("gone"))]),
    "a raw response": (raw, [Answer([BODY])]),
    "bytes": (read, [Answer([BODY])]),
    "bytes of a stream": (read, [Answer(CHUNKS, SSE)]),
    "bytes that break off": (read, [Answer([BODY[:9]], error=lambda: httpx2.ReadError("gone"))]),
    "a stream": (stream, [Answer(CHUNKS, SSE)]),
    "a stream that breaks off": (stream, [Answer(CHUNKS[:1], SSE, error=lambda: RuntimeError("odd"))]),
    "a stream that is left": (leave, [Answer(CHUNKS, SSE)]),
    "a response": (respond, [Answer([json.dumps(RESPONSE).encode()])]),
    "a response in events": (respond_stream, [Answer(EVENTS, SSE)]),
    "a request of next year": (posted, [Answer([BODY])]),
    "asynchronous": (awaited, [Answer(CHUNKS, SSE)]),
}
PASSING_THROUGH = {
    "request_layer.RequestLayer": "the wrappers: what they do themselves is to call the client and the guard",
    "guard.Guard": "what swallows faults",
    "call.Call.leave": "gives the context back by way of the guard",
    "streams.ObservedIterator.": "calls the client's iterator and the guard",
    "streams.ObservedAsyncIterator.": "calls the client's iterator and the guard",
    "streams.Observation.__del__": "calls the guard",
    "response_bytes._ObservedSync": "calls the original and the guard",
    "response_bytes._ObservedAsync": "calls the original and the guard",
    "instrumentor.": "sets up and takes out; no part of a call but the lookup of a rival, whose fault is the guard's",
}
"""Where a fault cannot be put: what is left there is the call of the client itself."""
_GUARDED_WRAPPER_PARTS = ("_start", "_server", "_leave")


def answer(scenario: str) -> Seen:
    """What the application and the server see of a scenario."""
    ask, answers = SCENARIOS[scenario]
    # What one scenario has left in a cache, another would not pass through.
    for forget in _caches():
        forget()
    transport = Transport(*answers)
    seen: Seen = []
    with transport.client(retries=scenario == "a retry") as client:
        try:
            seen += ask(transport.async_client() if ask is awaited else client)
        except Exception as error:
            seen.append(raised(error))
    return seen + transport.wire


@cache
def _caches() -> list[Callable[[], None]]:
    """What empties each cache of the instrumentation."""
    package = hansei.instrumentation
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    members = {id(member): member for module in modules for member in vars(module).values()}
    return [member.cache_clear for member in members.values() if hasattr(member, "cache_clear")]


def _functions() -> dict[CodeType, tuple[str, FunctionType]]:
    """Every function and method of the instrumentation that a call may pass, by its code."""
    found: dict[CodeType, tuple[str, FunctionType]] = {}
    package = hansei.instrumentation
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        values = vars(importlib.import_module(module.name))
        owners = [("", values), *((f"{k}.", vars(v)) for k, v in values.items() if isinstance(v, type))]
        for prefix, members in owners:
            for name, member in members.items():
                function = getattr(member, "fget", None) or getattr(member, "__func__", None) or member
                function = getattr(function, "__wrapped__", function)
                if isinstance(function, FunctionType) and function.__module__ == module.name:
                    short = module.name.removeprefix(package.__name__ + ".")
                    found.setdefault(function.__code__, (f"{short}.{prefix}{name}", function))
    return found


@cache
def _steps(scenario: str) -> dict[str, FunctionType]:
    """The functions that a scenario passes, without those that only pass on."""
    known, passed = _functions(), {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in known:
            name, function = known[frame.f_code]
            passed[name] = function

    with _observed():
        sys.setprofile(note)
        try:
            answer(scenario)
        finally:
            sys.setprofile(None)
    return {name: function for name, function in passed.items() if not _passes_through(name)}


def _steps_to_test(scenario: str) -> dict[str, FunctionType]:
    """A scenario's steps, but for those that two before it have passed."""
    earlier = list(SCENARIOS)[: list(SCENARIOS).index(scenario)]
    passed = Counter(name for each in earlier for name in _steps(each))
    return {name: function for name, function in _steps(scenario).items() if passed[name] < 2}


def _passes_through(name: str) -> bool:
    return name.rpartition(".")[2] not in _GUARDED_WRAPPER_PARTS and name.startswith(tuple(PASSING_THROUGH))


class Fault(RuntimeError):
    """Of hansei's own."""


def broken(*_: object, **__: object) -> Any:
    """Stand in for any step, and fail."""
    raise Fault("a fault of hansei's own")


@contextmanager
def fault_in(function: FunctionType) -> Iterator[None]:
    """Make a function fail, for all who hold it already."""
    code = function.__code__
    free = len(code.co_freevars)
    # The code that is put in place must close over as many names as the one that it replaces.
    source = (
        f"def outer():\n x0 = x1 = x2 = None\n def broken(*_, **__):\n  {' ,'.join(['x0', 'x1', 'x2'][:free]) or 0}\n"
    )
    scope: dict[str, Any] = {}
    exec(source + "  raise RuntimeError('a fault of hansei\\'s own')\n return broken", scope)
    function.__code__ = scope["outer"]().__code__
    try:
        yield
    finally:
        function.__code__ = code


@pytest.fixture(autouse=True)
def _little_to_collect() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@contextmanager
def _observed() -> Iterator[tuple[Any, Any]]:
    # What an earlier block left to the collector has another guard, which would speak up in this one.
    gc.collect()
    with observing(
        content=Content(on_spans=True, on_events=True, max_length=LIMIT),
        metrics="both",
        meter_provider=MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False),
        logger_provider=LoggerProvider(shutdown_on_exit=False),
    ) as found:
        yield found


def _complaints(scenario: str, bare: Seen, warnings: Any) -> list[str]:
    """What is wrong with a scenario under a fault, run twice."""
    found = []
    for turn in ("first", "second"):
        if (seen := answer(scenario)) != bare:
            found.append(f"the {turn} call was another: {seen[:1]}")
        if trace.get_current_span() is not trace.INVALID_SPAN:
            found.append(f"the {turn} call left its span in the context")
            context.attach(Context())
    messages = warnings.of(logging.WARNING)
    if len(set(messages)) != len(messages):
        found.append(f"warned twice: {messages}")
    if not messages:
        found.append("no warning")
    if foreign := [message for message in messages if "the application is not affected" not in message]:
        found.append(f"another warning: {foreign}")
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_fault_at_any_step_is_swallowed_and_logged_once(scenario: str) -> None:
    """The steps are those that the scenario passes, found as it runs: one that is added is put to the test too."""
    bare = answer(scenario)
    assert len(_steps(scenario)) > 20
    wrong = {}
    for name, function in _steps_to_test(scenario).items():
        with _observed() as (spans, warnings):
            with fault_in(function):
                complaints = _complaints(scenario, bare, warnings)
            before = len(spans.all())
            answer("a completion")
            if len(spans.all()) == before:
                complaints.append("no span afterwards")
            if complaints:
                wrong[name] = complaints
    assert wrong == {}


OF_OPENTELEMETRY = [
    "opentelemetry.sdk.trace.Tracer.start_span",
    "opentelemetry.sdk.trace.Span.is_recording",
    "opentelemetry.sdk.trace.Span.set_attributes",
    "opentelemetry.sdk.trace.Span.set_status",
    "opentelemetry.sdk.trace.Span.record_exception",
    "opentelemetry.sdk.trace.Span.add_event",
    "opentelemetry.sdk.trace.Span.end",
    "opentelemetry.sdk.trace.export.SimpleSpanProcessor.on_start",
    "opentelemetry.sdk.trace.export.SimpleSpanProcessor.on_end",
    "opentelemetry.sdk.trace.sampling.ParentBased.should_sample",
    "opentelemetry.sdk.metrics._internal.instrument.Histogram.record",
    "opentelemetry.sdk._logs._internal.Logger.emit",
    "opentelemetry.trace.set_span_in_context",
    "opentelemetry.context.attach",
    "opentelemetry.context.detach",
    "opentelemetry.baggage.get_all",
]


@pytest.mark.parametrize("step", OF_OPENTELEMETRY)
def test_a_fault_of_opentelemetrys_is_swallowed(step: str) -> None:
    """Whatever of it raises, in whatever call: same answers, and spans again once it works."""
    bare = {scenario: answer(scenario) for scenario in SCENARIOS}
    with _observed() as (spans, warnings):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(step, broken)
            for scenario, expected in bare.items():
                assert answer(scenario) == expected
        context.attach(Context())
        messages = warnings.of(logging.WARNING)
        assert len(set(messages)) == len(messages)
        before = len(spans.all())
        answer("a completion")
        assert len(spans.all()) == before + 1


def test_an_exporter_that_raises_is_opentelemetrys_to_handle(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not reach the application."""
    bare = answer("a completion")
    with _observed() as (spans, _):
        monkeypatch.setattr(spans.exporter, "export", broken)
        assert answer("a completion") == bare


def test_what_passes_through_is_still_there() -> None:
    """An exemption that no function needs any more is taken out."""
    names = [name for name, _ in _functions().values()]
    assert [prefix for prefix in PASSING_THROUGH if not any(name.startswith(prefix) for name in names)] == []


@pytest.mark.parametrize("attribute", ["status_code", "is_closed", "stream", "is_success"])
def test_an_http_response_that_cannot_be_looked_at_is_handed_out(attribute: str) -> None:
    """A client of another kind may lack what httpx has."""
    from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

    class Odd:
        headers: dict[str, str] = {}  # noqa: RUF012 - stands in for a response

        def __getattr__(self, name: str) -> Any:
            if name == attribute:
                raise Fault(name)
            return {"status_code": 200, "is_closed": False, "is_success": True, "stream": httpx2.ByteStream(b"")}[name]

    response = Odd()
    with _observed() as (spans, _), Transport(Answer([BODY])).client() as client:
        layer = HanseiOpenAIInstrumentor()._layer
        assert layer is not None
        options = type("Options", (), {"method": "post", "url": "/chat/completions", "json_data": {}, "params": {}})()

        def wrapped(*args: object, **kwargs: object) -> object:
            return layer.process_response(lambda **_: response, client, (), {"response": response})

        assert layer.request(wrapped, client, (object, options), {}) is response
        assert trace.get_current_span() is trace.INVALID_SPAN
        assert len(spans.all()) <= 1

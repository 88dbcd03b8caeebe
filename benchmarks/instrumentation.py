"""What observing a call costs over the bare openai client, for hansei and for the official instrumentation."""

import gc
import json
import multiprocessing
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import httpx2
import openai
from openai import Stream
from openai._base_client import BaseClient, SyncAPIClient
from openai.resources.chat.completions import Completions
from openai.resources.responses import Responses
from opentelemetry.context import attach, detach
from opentelemetry.metrics import Meter, MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context
from wrapt import wrap_function_wrapper

FLOOR = "opentelemetry"
"""Writes the very spans and measurements that hansei does, known beforehand: what is left is the SDK's own cost."""
MODES = ("spans", "spans, metrics", "spans, metrics, content")
INSTRUMENTATIONS = ("hansei", "official", FLOOR)
CALLS = 40
CHUNKS = 2_000
AT_START = 5
"""Attributes that a span of hansei's starts with."""
WARM_UP = 10
"""Of each, before the clock starts: an interpreter adapts to what it runs."""
ROUNDS = 11
"""Everyone takes a turn in each: a machine is faster at one time than at another, and a difference needs both."""
MOST = 0.50
"""Of the official instrumentation's cost."""
OPEN_STREAM = (1_000, 50_000)
"""Chunks after which the memory of a stream that is still open is looked at."""

_CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_JSON, _SSE = {"content-type": "application/json"}, {"content-type": "text/event-stream"}


class Kind(NamedTuple):
    """One instrumentation as it is set up in a process of its own."""

    instrumentation: str
    mode: str


class Times(NamedTuple):
    """Seconds that a call or a chunk took in one round, without the instrumentation and with it."""

    bare: float
    observed: float


def run() -> None:
    """Print the medians of what a call and a chunk cost, and the ratio of the two instrumentations."""
    kinds = [Kind(name, mode) for mode in MODES for name in INSTRUMENTATIONS]
    workers = {kind: Worker(kind) for kind in kinds}
    for scenario in SCENARIOS:
        rounds = [{kind: worker.times(scenario) for kind, worker in workers.items()} for _ in range(ROUNDS)]
        bare = statistics.median(times.bare for one in rounds for times in one.values())
        print(f"{scenario:<21} {bare * 1e6:>7.1f} µs without instrumentation")
        for mode in MODES:
            ours, theirs, floor = (
                statistics.median(one[kind].observed - one[kind].bare for one in rounds) * 1e6
                for kind in (Kind(name, mode) for name in INSTRUMENTATIONS)
            )
            print(
                f"  {mode:<24} hansei {ours:>+7.1f} µs, official {theirs:>+7.1f} µs: "
                f"ratio {ours / theirs:.2f} (at most {MOST:.2f}); the SDK's part of it {floor:+.1f} µs"
            )
    for kind, worker in workers.items():
        if kind.mode == MODES[-1] and kind.instrumentation != FLOOR:
            held = [f"{worker.held(chunks) / 1024:,.0f} KiB after {chunks:,} chunks" for chunks in OPEN_STREAM]
            print(f"an open stream in {kind.instrumentation:<8}  {', '.join(held)}")
        worker.close()


class Worker:
    """A process with one instrumentation; it measures what it is asked to and waits in between."""

    def __init__(self, kind: Kind) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._requests, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(kind, theirs))
        self._process.start()
        theirs.close()

    def times(self, scenario: str) -> Times:
        """One round of a scenario."""
        self._requests.send(scenario)
        times: Times = self._requests.recv()
        return times

    def held(self, chunks: int) -> int:
        """The bytes that a stream holds that is open."""
        self._requests.send(chunks)
        size: int = self._requests.recv()
        return size

    def close(self) -> None:
        """End the process."""
        self._requests.close()
        self._process.join()


def _serve(kind: Kind, requests: Connection) -> None:
    switch = Switch(kind)
    calls = Calls()
    for measured in SCENARIOS.values():
        measured(calls)
    gc.collect()
    gc.freeze()
    with suppress(EOFError):
        while True:
            question = requests.recv()
            if isinstance(question, int):
                requests.send(calls.held(question))
                continue
            switch.off()
            bare = SCENARIOS[question](calls)
            switch.on()
            requests.send(Times(bare, SCENARIOS[question](calls)))


class Switch:
    """An instrumentation that can be taken out and put back as it was: what it replaced in the client's classes."""

    _KINDS: tuple[type, ...] = (SyncAPIClient, BaseClient, Stream, Completions, Responses)

    def __init__(self, kind: Kind) -> None:
        before = {(owner, name): value for owner in self._KINDS for name, value in vars(owner).items()}
        _instrument(kind)
        self._replaced = {place: value for place, value in before.items() if vars(place[0])[place[1]] is not value}
        self._observing = {place: vars(place[0])[place[1]] for place in self._replaced}

    def off(self) -> None:
        """The bare client."""
        self._set(self._replaced)

    def on(self) -> None:
        """The observed one."""
        self._set(self._observing)

    def _set(self, values: dict[tuple[type, str], Any]) -> None:
        for (owner, name), value in values.items():
            setattr(owner, name, value)


def _instrument(kind: Kind) -> None:
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    # Spans that record, and go nowhere.
    tracer_provider.add_span_processor(SpanProcessor())
    metered, told = kind.mode != MODES[0], kind.mode == MODES[-1]
    meter_provider: MeterProvider = NoOpMeterProvider()
    if metered:
        meter_provider = SdkMeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    if told:
        os.environ[_CONTENT_VARIABLE] = "SPAN_ONLY"
    if kind.instrumentation == "hansei":
        from hansei.instrumentation.content import Content
        from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

        HanseiOpenAIInstrumentor().instrument(
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            content=Content(on_spans=told),
            metrics="deployed" if metered else "none",
        )
    elif kind.instrumentation == FLOOR:
        Replay(told).instrument(tracer_provider.get_tracer("floor"), meter_provider.get_meter("floor"), metered)
    else:
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

        OpenAIInstrumentor().instrument(tracer_provider=tracer_provider, meter_provider=meter_provider)


class Replay:
    """Spans that hansei made of the calls of this benchmark, made again without looking at anything."""

    def __init__(self, told: bool) -> None:
        from hansei.instrumentation.content import Content
        from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

        exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        instrumentor = HanseiOpenAIInstrumentor()
        instrumentor.instrument(tracer_provider=provider, content=Content(on_spans=told), metrics="none")
        calls = Calls()
        for stream in (False, True):
            for answer in (calls.chat(stream=stream), calls.response(stream=stream)):
                if stream:
                    list(answer)
        instrumentor.uninstrument()
        paths = ("/chat/completions", "/responses")
        places = [(path, stream) for stream in (False, True) for path in paths]
        self._spans = dict(zip(places, exporter.get_finished_spans(), strict=True))

    def instrument(self, tracer: Tracer, meter: Meter, metered: bool) -> None:
        """Put it where hansei is."""
        tokens, seconds = meter.create_histogram("tokens"), meter.create_histogram("seconds")

        def request(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            known = dict(self._spans[args[1].url, kwargs["stream"]].attributes or {})
            names = list(known)
            span = tracer.start_span(
                "chat", kind=SpanKind.CLIENT, attributes={name: known[name] for name in names[:AT_START]}
            )
            current = set_span_in_context(span)
            token = attach(current)
            try:
                return wrapped(*args, **kwargs)
            finally:
                detach(token)
                span.set_attributes({name: known[name] for name in names[AT_START:]})
                span.end()
                if metered:
                    dimensions: dict[str, Any] = {name: known[name] for name in names[: AT_START + 2]}
                    for count in (64, 60):
                        tokens.record(count, {**dimensions, "gen_ai.token.type": "input"}, current)
                    seconds.record(1.0, dimensions, current)

        wrap_function_wrapper("openai._base_client", "SyncAPIClient.request", request)


class Calls:
    """A real client of a server in the same process."""

    def __init__(self) -> None:
        transport = httpx2.MockTransport(self._answer)
        self._client = openai.OpenAI(api_key="key", http_client=httpx2.Client(transport=transport))
        self._chunks = CHUNKS

    def chat(self, **changes: Any) -> Any:
        """One completion."""
        return self._client.chat.completions.create(
            model="gpt-4o-mini", messages=MESSAGES, temperature=0.2, max_tokens=400, tools=TOOLS, **changes
        )

    def response(self, **changes: Any) -> Any:
        """One response."""
        return self._client.responses.create(
            model="gpt-4o-mini", instructions=INSTRUCTIONS, input=QUESTION, temperature=0.2, **changes
        )

    def held(self, chunks: int) -> int:
        """The bytes that an open stream holds after so many chunks, over those that it holds after ten."""
        self._chunks = 2 * chunks
        tracemalloc.start()
        stream = self.chat(stream=True)
        _take(stream, 10)
        before = tracemalloc.get_traced_memory()[0]
        _take(stream, chunks - 10)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        stream.close()
        self._chunks = CHUNKS
        return grown

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        chat = "messages" in asked
        if not asked.get("stream"):
            return httpx2.Response(200, headers=_JSON, content=COMPLETION if chat else RESPONSE)
        return httpx2.Response(200, headers=_SSE, content=(_chat_events if chat else _response_events)(self._chunks))


def _take(stream: Any, count: int) -> None:
    for _ in range(count):
        next(stream)


def _each_call(ask: Callable[[Calls], Any]) -> Callable[[Calls], float]:
    def seconds(calls: Calls) -> float:
        for _ in range(WARM_UP):
            ask(calls)
        started = time.thread_time()
        for _ in range(CALLS):
            ask(calls)
        return (time.thread_time() - started) / CALLS

    return seconds


def _each_chunk(ask: Callable[[Calls], Any]) -> Callable[[Calls], float]:
    def seconds(calls: Calls) -> float:
        stream = ask(calls)
        _take(stream, WARM_UP)
        started = time.thread_time()
        for _ in stream:
            pass
        return (time.thread_time() - started) / (CHUNKS - WARM_UP)

    return seconds


SCENARIOS: dict[str, Callable[[Calls], float]] = {
    "chat, a call": _each_call(lambda calls: calls.chat()),
    "chat, a chunk": _each_chunk(lambda calls: calls.chat(stream=True)),
    "responses, a call": _each_call(lambda calls: calls.response()),
    "responses, an event": _each_chunk(lambda calls: calls.response(stream=True)),
}
INSTRUCTIONS = "You are the support agent of a shop for coffee machines. Answer in three sentences at most."
QUESTION = "My Kumo One blinks twice and does not heat up any more. What can I do about it before I send it in?"
MESSAGES: list[Any] = [
    {"role": "system", "content": INSTRUCTIONS},
    {"role": "user", "content": "Hello!"},
    {"role": "assistant", "content": "Hello! How can I help you with your coffee machine?"},
    {"role": "user", "content": QUESTION},
]
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "description": "Find a page of the manual.",
            "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        },
    }
]
ANSWER = "Two blinks mean that the descaling cycle was interrupted. Fill the tank, hold both buttons and wait. " * 3
_HEAD: dict[str, Any] = {"id": "chatcmpl-1", "created": 1730000000, "model": "gpt-4o-mini-2024-07-18"}
_USAGE: dict[str, Any] = {
    "prompt_tokens": 64,
    "completion_tokens": 60,
    "total_tokens": 124,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
COMPLETION = json.dumps(
    {
        **_HEAD,
        "object": "chat.completion",
        "system_fingerprint": "fp_1",
        "service_tier": "default",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
        "usage": _USAGE,
    }
).encode()


def _response(status: str, output: list[Any]) -> dict[str, Any]:
    return {
        "id": "resp_1", "object": "response", "created_at": 1730000000.0, "status": status, "output": output,
        "model": "gpt-4o-mini-2024-07-18", "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "service_tier": "default", "temperature": 0.2,
        "usage": {
            "input_tokens": 64, "output_tokens": 60, "total_tokens": 124,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }  # fmt: skip


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


RESPONSE = json.dumps(_response("completed", [_message(ANSWER)])).encode()


def _event(value: dict[str, Any]) -> bytes:
    named = f"event: {value['type']}\n" if "type" in value else ""
    return f"{named}data: {json.dumps(value)}\n\n".encode()


def _chat_events(count: int) -> Iterator[bytes]:
    """As many chunks, one at a time as a server sends them; the last one has the usage."""
    chunk = {**_HEAD, "object": "chat.completion.chunk"}
    first = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
    yield _event({**chunk, "choices": [first]})
    piece = _event({**chunk, "choices": [{"index": 0, "delta": {"content": " machine"}, "finish_reason": None}]})
    for _ in range(count - 3):
        yield piece
    yield _event({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _event({**chunk, "choices": [], "usage": _USAGE})
    yield b"data: [DONE]\n\n"


def _response_events(count: int) -> Iterator[bytes]:
    """As many events, the last of which has the whole response."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield _event({"type": "response.created", "response": _response("in_progress", []), "sequence_number": 0})
    delta = {"type": "response.output_text.delta", **place, "delta": " machine", "logprobs": [], "sequence_number": 1}
    piece = _event(delta)
    for _ in range(count - 2):
        yield piece
    whole = _response("completed", [_message(" machine" * (count - 2))])
    yield _event({"type": "response.completed", "response": whole, "sequence_number": count})

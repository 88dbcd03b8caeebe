"""Streams of any shape: the same chunks, the same end, and no more memory however long."""

import asyncio
import gc
import itertools
import json
import sys
import tracemalloc
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from hansei.instrumentation.call import Call
from hansei.instrumentation.streams import Observation, ObservedAsyncIterator, ObservedIterator

from .conftest import completion
from .laws import SSE, Answer, Seen, Transport, alike, observing, raised, shown

FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
REQUEST: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
VALUES = st.sampled_from([None, True, 0, -1, 10**30, 1.5, "", "text", [], [None], [1], {}, {"a": 1}, "\ud800"])


def chunk(**changes: Any) -> dict[str, Any]:
    """A chunk as OpenAI sends it, with ``changes``."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": [choice], **changes}


def _choice(changes: dict[str, Any], missing: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": "Hello"}, "finish_reason": None, **changes}
    choice.pop(missing, None)
    return chunk(choices=[choice])


DELTAS = st.dictionaries(st.sampled_from(["content", "role", "tool_calls", "function_call", "refusal"]), VALUES)
TOOL_CALLS = st.fixed_dictionaries({}, optional={"index": VALUES, "id": VALUES, "function": VALUES}).map(
    lambda call: {"delta": {"tool_calls": [call]}}
)
CHUNKS = st.one_of(
    st.just(chunk()),
    st.dictionaries(st.sampled_from(["choices", "usage", "model", "id"]), VALUES, max_size=2).map(lambda c: chunk(**c)),
    st.builds(
        _choice,
        st.fixed_dictionaries({}, optional={"index": VALUES, "finish_reason": VALUES}) | TOOL_CALLS,
        st.sampled_from(["", "index", "delta", "finish_reason"]),
    ),
    DELTAS.map(lambda delta: chunk(choices=[{"index": 0, "delta": delta}])),
    st.just({"error": {"message": "overloaded", "code": "server_error"}}),
    VALUES,
)
EVENTS = st.one_of(
    CHUNKS.map(lambda value: f"data: {json.dumps(value)}\n\n".encode()),
    st.sampled_from([b"data: {broken\n\n", b": comment\n\n", b"event: error\ndata: 1\n\n", b"data: \xff\n\n", b"\r\n"]),
)
ERRORS = st.sampled_from(
    [None, None, lambda: httpx2.ReadError("gone"), lambda: httpx2.ReadTimeout("slow"), lambda: RuntimeError("odd")]
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """A stream, cut into pieces anywhere, that may break off."""
    body = b"".join(draw(st.lists(EVENTS, max_size=6))) + draw(st.sampled_from([b"data: [DONE]\n\n", b""]))
    cuts = sorted(draw(st.lists(st.integers(0, max(len(body), 1)), max_size=4)))
    pieces = [body[start:end] for start, end in itertools.pairwise([0, *cuts, len(body)])]
    return Answer([piece for piece in pieces if piece], SSE, 200, draw(ERRORS))


MOVES = st.lists(st.sampled_from(["next", "for", "close", "some", "with", "text"]), min_size=1, max_size=4)


def look(answer: Answer, moves: list[str], way: str) -> Seen:
    """What an application sees that reads a stream in some way."""
    transport = Transport(answer)
    seen: Seen = []
    with transport.client() as client:
        create = client.chat.completions.create
        try:
            if way == "streaming raw":
                with client.chat.completions.with_streaming_response.create(**REQUEST, stream=True) as response:
                    seen += [type(response), response.status_code]
                    if "text" in moves:
                        seen += list(response.iter_bytes())
                    else:
                        _move(seen, response.parse(), moves)
            elif way == "raw":
                _move(seen, client.chat.completions.with_raw_response.create(**REQUEST, stream=True).parse(), moves)
            elif way == "helper":
                with client.chat.completions.stream(**REQUEST) as helper:
                    seen += [shown(event) for event in helper]
                    seen += [shown(helper.get_final_completion())]
            else:
                _move(seen, create(**REQUEST, stream=True), moves)
        except Exception as error:
            seen.append(raised(error))
    return seen + transport.wire


def _move(seen: Seen, stream: Any, moves: list[str]) -> None:
    seen += [type(stream), type(stream.response), sorted(vars(stream)), type(iter(stream))]
    for move in moves:
        try:
            match move:
                case "next":
                    seen.append(shown(next(stream)))
                case "for":
                    seen += [shown(each) for each in stream]
                case "some":
                    seen += [shown(each) for each in itertools.islice(stream, 2)]
                case "close":
                    seen.append(stream.close())
                case "with":
                    with stream as entered:
                        seen += [entered is stream, shown(next(entered))]
                case "text":
                    seen.append(stream.response.read())
        except Exception as error:
            seen.append(raised(error))
        seen.append(stream.response.is_closed)


async def look_async(answer: Answer, moves: list[str], way: str) -> Seen:
    """The same of an asynchronous client."""
    transport = Transport(answer)
    seen: Seen = []
    async with transport.async_client() as client:
        try:
            if way == "streaming raw":
                async with client.chat.completions.with_streaming_response.create(**REQUEST, stream=True) as response:
                    seen += [type(response), response.status_code]
                    if "text" in moves:
                        seen += [piece async for piece in response.iter_bytes()]
                    else:
                        await _move_async(seen, await response.parse(), moves)
            elif way == "raw":
                response = await client.chat.completions.with_raw_response.create(**REQUEST, stream=True)
                await _move_async(seen, response.parse(), moves)
            elif way == "helper":
                async with client.chat.completions.stream(**REQUEST) as helper:
                    seen += [shown(event) async for event in helper]
                    seen += [shown(await helper.get_final_completion())]
            else:
                await _move_async(seen, await client.chat.completions.create(**REQUEST, stream=True), moves)
        except Exception as error:
            seen.append(raised(error))
    return seen + transport.wire


async def _move_async(seen: Seen, stream: Any, moves: list[str]) -> None:
    seen += [type(stream), type(stream.response), sorted(vars(stream)), type(aiter(stream))]
    for move in moves:
        try:
            match move:
                case "next":
                    seen.append(shown(await anext(stream)))
                case "for":
                    seen += [shown(each) async for each in stream]
                case "some":
                    seen += [shown(await anext(stream)), shown(await anext(stream))]
                case "close":
                    seen.append(await stream.close())
                case "with":
                    async with stream as entered:
                        seen += [entered is stream, shown(await anext(entered))]
                case "text":
                    seen.append(await stream.response.aread())
        except (Exception, StopAsyncIteration) as error:
            seen.append(raised(error))
        seen.append(stream.response.is_closed)


WAYS = st.sampled_from(["plain", "plain", "raw", "streaming raw", "helper"])


@FEW
@given(answers(), MOVES, WAYS)
def test_any_stream_is_read_as_without_hansei(answer: Answer, moves: list[str], way: str) -> None:
    """Same chunks in the same order, same types, same end, and the connection is closed at the same moment."""
    alike(lambda: look(answer, moves, way))


@FEW
@given(answers(), MOVES, WAYS)
def test_any_asynchronous_stream_is_read_as_without_hansei(answer: Answer, moves: list[str], way: str) -> None:
    """The same of ``AsyncStream``."""
    alike(lambda: asyncio.run(look_async(answer, moves, way)))


WHOLE = Answer([f"data: {json.dumps(chunk())}\n\n".encode()] * 40 + [b"data: [DONE]\n\n"], SSE)


@pytest.mark.parametrize("moves", [["for", "for"], ["close", "close", "for", "next"], ["next", "close", "close"]])
def test_a_stream_that_is_over_stays_over(moves: list[str]) -> None:
    """Closed twice, read after it was closed, read after its end: one span, and the client's own behaviour."""
    assert len(alike(lambda: look(WHOLE, moves, "plain")).all()) == 1
    assert len(alike(lambda: asyncio.run(look_async(WHOLE, moves, "plain"))).all()) == 1


def test_a_response_whose_bytes_are_here_already_is_a_stream_all_the_same() -> None:
    """As transports for tests make them: the span has the stream's outcome and its content."""
    body = f"data: {json.dumps(chunk())}\n\ndata: [DONE]\n\n".encode()
    transport = Transport(Answer())
    transport._response = lambda: httpx2.Response(200, headers=SSE, content=body)  # type: ignore[method-assign]

    def read() -> Seen:
        with transport.client() as client:
            return [shown(each) for each in client.chat.completions.create(**REQUEST, stream=True)]

    attributes = dict(alike(read).only().attributes or {})
    assert attributes["hansei.stream.outcome"] == "truncated"
    assert "Hello" in str(attributes["gen_ai.output.messages"])


@pytest.mark.parametrize("copied", ["copy", "deepcopy", "pickle"])
def test_a_stream_that_cannot_be_copied_says_so_as_without_hansei(copied: str) -> None:
    """What is asked of an object that is not whole yet does not go round in circles."""
    observed = ObservedIterator.__new__(ObservedIterator)
    with pytest.raises(AttributeError):
        getattr(observed, f"__{copied}_state__")
    waiting = ObservedAsyncIterator.__new__(ObservedAsyncIterator)
    with pytest.raises(AttributeError):
        getattr(waiting, f"__{copied}_state__")


@pytest.mark.parametrize("delta", [{"content": " machine"}, {"tool_calls": [{"function": {"arguments": "1"}}]}])
def test_an_open_streams_memory_does_not_grow(delta: dict[str, Any]) -> None:
    """Fifty thousand chunks leave less than a span's content behind, whatever is in them."""
    piece = ChatCompletionChunk.construct(**chunk(choices=[{"index": 0, "delta": delta, "finish_reason": None}]))
    with observing(), Transport(WHOLE).client() as client:
        stream: Any = client.chat.completions.create(**REQUEST, stream=True)
        next(stream)
        # The client's own work on a chunk takes far longer than ours, and is not what is asked about.
        stream._iterator._next = itertools.repeat(piece).__next__
        for _ in range(1_000):
            next(stream)
        gc.collect()
        tracemalloc.start()
        for _ in range(50_000):
            next(stream)
        grown = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        stream.close()
    # 128 KiB of text, and the list of the pieces that it is kept in.
    assert grown < 1 << 18


def _alive(but: Sequence[Any] = ()) -> list[Any]:
    """The objects of calls that there are, but for those that there were."""
    found = [each for each in gc.get_objects() if isinstance(each, Call | Observation)]
    return [each for each in found if not any(each is known for known in but)]


# Python 3.10 holds on to the last stream's response, also without anybody who observes it.
keeps_nothing = pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python keeps the response itself")


@keeps_nothing
@pytest.mark.parametrize("streamed", [False, True])
def test_nothing_of_a_call_is_kept(streamed: bool) -> None:
    """Its objects go with the last reference, without the garbage collector: there is no cycle."""
    answer = WHOLE if streamed else Answer([json.dumps(completion()).encode()])
    with observing() as (spans, _), Transport(answer).client() as client:
        gc.collect()
        before = _alive()
        gc.disable()
        try:
            result: Any = client.chat.completions.create(**REQUEST, stream=streamed)
            if streamed:
                list(result)
            del result
            assert _alive(before) == []
        finally:
            gc.enable()
        assert len(spans.all()) == 1


@keeps_nothing
@pytest.mark.parametrize("closes", [False, True])
def test_nothing_of_a_stream_that_was_not_read_to_its_end_is_kept(closes: bool) -> None:
    """Closed or just dropped, its span ends and its objects go."""
    with observing() as (spans, warnings), Transport(WHOLE).client() as client:
        before = _alive()
        stream: Any = client.chat.completions.create(**REQUEST, stream=True)
        next(stream)
        if closes:
            stream.close()
        del stream
        gc.collect()
        assert _alive(before) == []
        outcome = (spans.only().attributes or {})["hansei.stream.outcome"]
        assert outcome == ("cancelled" if closes else "abandoned")
        assert warnings.records == []


@pytest.mark.parametrize("error", [httpx2.ReadError("gone"), RuntimeError("odd")])
def test_bytes_that_break_off_end_their_span_with_what_was_raised(error: Exception) -> None:
    """Where the application reads the bytes itself, the span knows what happened to them."""
    answer = Answer([b'{"id":'], error=lambda: error)

    def read() -> Seen:
        seen: Seen = []
        with Transport(answer).client() as client:
            try:
                with client.chat.completions.with_streaming_response.create(**REQUEST) as response:
                    seen += list(response.iter_bytes())
            except Exception as caught:
                seen.append((caught is error, raised(caught)))
        return seen

    attributes = dict(alike(read).only().attributes or {})
    assert str(attributes["error.type"]).endswith(type(error).__name__)

"""How a stream ends: finished, truncated, cancelled, abandoned, or failed."""

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from openai import APIConnectionError, APIError, AsyncOpenAI, AsyncStream, OpenAI, Stream
from opentelemetry.trace import StatusCode

from . import replay
from .recorded import CHAT_CHUNKS, RESPONSE_EVENTS, USAGE_CHUNK, chunk
from .replay import Api, Recording, Reply

listening, api, recording = replay.listening, replay.api, replay.recording

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "What?"}], "stream": True}
WHOLE = Reply.events(*CHAT_CHUNKS, USAGE_CHUNK)


def read_all(stream: Any) -> None:
    """To its end."""
    list(stream)


def read_one_and_close(stream: Any) -> None:
    """As an application does that has seen enough."""
    next(iter(stream))
    stream.close()


def read_one_and_forget(stream: Any) -> None:
    """As an application does that does not care."""
    next(iter(stream))


def leave_the_block(stream: Any) -> None:
    """By ``with``."""
    with stream:
        for _ in stream:
            break


async def async_read_all(stream: Any) -> None:
    """To its end."""
    async for _ in stream:
        pass


async def async_read_one_and_close(stream: Any) -> None:
    """As an application does that has seen enough."""
    await anext(aiter(stream))
    await stream.close()


async def async_read_one_and_break(stream: Any) -> None:
    """As an application does that leaves its loop, and the stream to the collector."""
    async for _ in stream:
        break


async def async_leave_the_block(stream: Any) -> None:
    """By ``async with``."""
    async with stream:
        async for _ in stream:
            break


SYNC = [
    (read_all, WHOLE, "finished", ("stop",)),
    (read_all, Reply.events(*CHAT_CHUNKS[:3]), "truncated", ("error",)),
    (read_one_and_close, WHOLE, "cancelled", ("error",)),
    (leave_the_block, WHOLE, "cancelled", ("error",)),
    (read_one_and_forget, WHOLE, "abandoned", ("error",)),
]
ASYNC = [
    (async_read_all, WHOLE, "finished", ("stop",)),
    (async_read_all, Reply.events(*CHAT_CHUNKS[:3]), "truncated", ("error",)),
    (async_read_one_and_close, WHOLE, "cancelled", ("error",)),
    (async_leave_the_block, WHOLE, "cancelled", ("error",)),
    (async_read_one_and_break, WHOLE, "abandoned", ("error",)),
]


def check(recording: Recording, outcome: str, reasons: tuple[str, ...]) -> None:
    """The span tells the outcome; only what the provider broke off is an error."""
    gc.collect()
    expected: dict[str, Any] = {"hansei.stream.outcome": outcome, "gen_ai.response.finish_reasons": reasons}
    if outcome == "truncated":
        expected["error.type"] = "stream_truncated"
    assert recording.some("hansei.*", "error.type", "gen_ai.response.finish_reasons") == expected
    wanted = StatusCode.ERROR if outcome == "truncated" else StatusCode.UNSET
    assert recording.only().status.status_code is wanted
    assert recording.attributes()["gen_ai.response.id"] == "chatcmpl-1"


@pytest.mark.parametrize(("use", "reply", "outcome", "reasons"), SYNC)
def test_outcomes(
    api: Api, recording: Recording, use: Callable[[Any], None], reply: Reply, outcome: str, reasons: tuple[str, ...]
) -> None:
    """What was done with a stream is told apart, and the type of the stream stays what it was."""
    api.answer(reply)
    with OpenAI(base_url=api.url, api_key="key", max_retries=0) as client:
        stream = client.chat.completions.create(**ASKED)
        assert type(stream) is Stream
        use(stream)
        del stream
        check(recording, outcome, reasons)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(("use", "reply", "outcome", "reasons"), ASYNC)
def test_async_outcomes(
    api: Api,
    recording: Recording,
    use: Callable[[Any], Awaitable[None]],
    reply: Reply,
    outcome: str,
    reasons: tuple[str, ...],
) -> None:
    """The same of the asynchronous client."""
    api.answer(reply)

    async def run() -> None:
        async with AsyncOpenAI(base_url=api.url, api_key="key", max_retries=0) as client:
            stream = await client.chat.completions.create(**ASKED)
            assert type(stream) is AsyncStream
            await use(stream)
            del stream
            for _ in range(2):
                # The event loop closes what was forgotten, which frees what it held.
                gc.collect()
                await asyncio.sleep(0.02)

    asyncio.run(run())
    check(recording, outcome, reasons)


def test_an_async_task_that_is_cancelled(api: Api, recording: Recording) -> None:
    """Cancellation is no failure, and goes on to the application."""
    api.answer(Reply.events(*CHAT_CHUNKS, pause=5.0))

    async def run() -> None:
        async with AsyncOpenAI(base_url=api.url, api_key="key", max_retries=0) as client:
            stream = await client.chat.completions.create(**ASKED)
            await anext(aiter(stream))
            task = asyncio.ensure_future(async_read_all(stream))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await stream.close()

    asyncio.run(run())
    check(recording, "cancelled", ("error",))


def test_a_slow_stream_is_timed_at_its_first_chunk(api: Api, recording: Recording) -> None:
    """Later chunks do not move the time to the first."""
    api.answer(Reply.events(*CHAT_CHUNKS, pause=0.04))
    with OpenAI(base_url=api.url, api_key="key") as client:
        read_all(client.chat.completions.create(**ASKED))
    span = recording.only()
    assert span.end_time is not None
    assert span.start_time is not None
    assert recording.attributes()["gen_ai.response.time_to_first_chunk"] < 0.1
    assert (span.end_time - span.start_time) / 1e9 > 0.12


BROKEN = [
    (Reply.events(*CHAT_CHUNKS[:3], done=False, end="cut"), APIConnectionError, "openai.APIConnectionError"),
    (Reply.events(*CHAT_CHUNKS[:3], "{garbage"), json.JSONDecodeError, "json.decoder.JSONDecodeError"),
    (
        Reply.events(*CHAT_CHUNKS[:3], {"error": {"message": "Overloaded", "code": "overloaded"}}),
        APIError,
        "openai.APIError",
    ),
]


@pytest.mark.parametrize(("reply", "raised", "kind"), BROKEN, ids=["cut", "garbage", "error"])
def test_a_stream_that_breaks(api: Api, recording: Recording, reply: Reply, raised: type[Exception], kind: str) -> None:
    """The application gets the client's own error; the span has it, and what had come."""
    api.answer(reply)
    with OpenAI(base_url=api.url, api_key="key", max_retries=0) as client, pytest.raises(raised):
        read_all(client.chat.completions.create(**ASKED))
    assert recording.attributes()["error.type"] == kind
    assert recording.only().status.status_code is StatusCode.ERROR
    assert [event.name for event in recording.only().events] == ["exception"]
    assert recording.content("gen_ai.output.messages")[0]["parts"][0]["content"] == "A coffee machine."
    assert recording.attributes()["gen_ai.response.finish_reasons"] == ("error",)


def test_a_stream_read_as_lines(api: Api, recording: Recording) -> None:
    """Whoever reads the events himself gets the bytes of the server; they are understood all the same."""
    with (
        OpenAI(base_url=api.url, api_key="key") as client,
        client.chat.completions.with_streaming_response.create(**ASKED) as response,
    ):
        lines = list(response.iter_lines())
    assert lines[-2] == "data: [DONE]"
    assert recording.some("hansei.*", "gen_ai.usage.input_tokens", "gen_ai.response.id") == {
        "hansei.stream.outcome": "finished",
        "gen_ai.usage.input_tokens": 210,
        "gen_ai.response.id": "chatcmpl-1",
    }


def test_a_response_that_is_never_parsed(api: Api, recording: Recording) -> None:
    """A streaming response that is left unread is cancelled, with the status of its answer."""
    with (
        OpenAI(base_url=api.url, api_key="key") as client,
        client.chat.completions.with_streaming_response.create(**ASKED) as response,
    ):
        assert response.status_code == 200
    assert recording.some("hansei.*", "http.response.status_code") == {
        "hansei.stream.outcome": "cancelled",
    }


def test_a_truncated_response_keeps_what_came(api: Api, recording: Recording) -> None:
    """A stream of the Responses API without its last event has the pieces."""
    api.answer(Reply.events(*RESPONSE_EVENTS, done=False))
    with OpenAI(base_url=api.url, api_key="key") as client:
        read_all(client.responses.create(model="m", input="What?", stream=True))
    assert recording.some("hansei.*", "error.type", "gen_ai.response.finish_reasons") == {
        "hansei.stream.outcome": "truncated",
        "error.type": "stream_truncated",
        "gen_ai.response.finish_reasons": ("error",),
    }
    parts = recording.content("gen_ai.output.messages")[0]["parts"]
    assert [part["content"] for part in parts] == ["Kumo is a machine.", "A coffee machine."]


def test_long_streams_keep_their_bound(api: Api, recording: Recording) -> None:
    """Two hundred choices are read without keeping all of them."""
    api.answer(Reply.events(*(chunk({"content": "x"}, index=index, finish_reason="stop") for index in range(200))))
    with OpenAI(base_url=api.url, api_key="key") as client:
        read_all(client.chat.completions.create(**ASKED))
    assert len(recording.attributes()["gen_ai.response.finish_reasons"]) == 128

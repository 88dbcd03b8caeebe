"""Threads, tasks and cancellation: every span has its own parent, and nothing happens at another time."""

import asyncio
import contextvars
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

from .conftest import Spans, completion
from .laws import SSE, Answer, Seen, Transport, alike, observing, raised, shown

REQUEST: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
BODY = json.dumps(completion()).encode()
CHUNK = json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hello"}}]})
PIECES = [f"data: {CHUNK}\n\n".encode()] * 4 + [b"data: [DONE]\n\n"]


def _parents(spans: Spans) -> list[tuple[str, str]]:
    """The name of each call's parent and the model that was asked for, which are the same if all is well."""
    by_id = {span.context.span_id: span for span in spans.all()}

    def parent(span: ReadableSpan) -> str:
        return by_id[span.parent.span_id].name if span.parent else ""

    calls = [span for span in spans.all() if span.name.startswith("chat ")]
    return sorted((parent(span), str((span.attributes or {})["gen_ai.request.model"])) for span in calls)


def test_threads_have_their_own_parents() -> None:
    """Eight threads, calls and streams at a time, one client."""
    with observing() as (spans, warnings), Transport(Answer(PIECES, SSE)).client() as client:
        tracer = spans.provider.get_tracer("application")

        def work(number: int) -> None:
            with tracer.start_as_current_span(f"work-{number}") as mine:
                stream = client.chat.completions.create(**{**REQUEST, "model": f"work-{number}"}, stream=True)
                for _ in stream:
                    assert trace.get_current_span() is mine

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(100)))
    assert _parents(spans) == sorted((f"work-{number}",) * 2 for number in range(100))
    assert warnings.records == []


def test_tasks_have_their_own_parents() -> None:
    """A hundred streams read by turns in one thread, each chunk seen under the application's own span."""
    transport = Transport(Answer(PIECES, SSE))
    transport.pause = lambda: asyncio.sleep(0)

    async def work(client: Any, tracer: trace.Tracer, number: int) -> None:
        with tracer.start_as_current_span(f"work-{number}") as mine:
            stream = await client.chat.completions.create(**{**REQUEST, "model": f"work-{number}"}, stream=True)
            async for _ in stream:
                assert trace.get_current_span() is mine

    async def all_of_it(tracer: trace.Tracer) -> None:
        async with transport.async_client() as client:
            await asyncio.gather(*(work(client, tracer, number) for number in range(100)))

    with observing() as (spans, warnings):
        asyncio.run(all_of_it(spans.provider.get_tracer("application")))
    assert _parents(spans) == sorted((f"work-{number}",) * 2 for number in range(100))
    assert warnings.records == []


@pytest.mark.parametrize("streamed", [False, True])
def test_a_task_can_be_cancelled_at_any_await(streamed: bool) -> None:
    """After so many turns of the loop, for every number of them: the same is seen, and no turn is added."""
    answer = Answer(PIECES, SSE) if streamed else Answer([BODY[:20], BODY[20:]])

    async def cancel_after(turns: int) -> Seen:
        transport = Transport(answer)
        transport.pause = lambda: asyncio.sleep(0)
        seen: Seen = []

        async def ask() -> None:
            try:
                result: Any = await client.chat.completions.create(**REQUEST, stream=streamed)
                if streamed:
                    async for each in result:
                        seen.append(shown(each))
                else:
                    seen.append(shown(result))
            except BaseException as error:
                seen.append(raised(error))
                raise

        async with transport.async_client() as client:
            task = asyncio.ensure_future(ask())
            for _ in range(turns):
                await asyncio.sleep(0)
            seen += [task.done(), task.cancel()]
            await asyncio.wait([task])
            seen.append(task.cancelled())
        return seen + transport.wire

    outcomes = []
    for turns in range(1, 60):
        (span,) = alike(lambda turns=turns: asyncio.run(cancel_after(turns))).all()  # type: ignore[misc]
        outcomes.append((span.attributes or {}).get("hansei.stream.outcome"))
        if outcomes[-1] != "cancelled":
            break
    assert len(outcomes) > 3
    assert outcomes[-1] == ("truncated" if streamed else None)


def test_a_call_may_be_driven_from_several_contexts() -> None:
    """A coroutine that is begun in one context and closed in another, as some frameworks do at their end."""
    transport = Transport(Answer([BODY]))
    transport.pause = lambda: asyncio.sleep(0)

    def drive() -> Seen:
        client = transport.async_client()
        coroutine: Any = client.chat.completions.create(**REQUEST)
        begun, closing = contextvars.copy_context(), contextvars.copy_context()
        seen: Seen = [begun.run(coroutine.send, None)]
        try:
            closing.run(coroutine.close)
        except BaseException as error:
            seen.append(raised(error))
        return seen

    bare = drive()
    with observing() as (spans, _):
        assert drive() == bare
    assert len(spans.all()) == 1

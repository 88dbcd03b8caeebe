"""Which trace was last, which is current, and what can be said of it."""

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags

from hansei.instrumentation import (
    get_current_trace_id,
    get_last_active_trace_id,
    trace,
    update_current_trace,
)
from hansei.instrumentation.active_trace import active_traces
from hansei.instrumentation.content import NOTHING, process_content
from hansei.instrumentation.session_processor import install

from . import traces as in_memory
from .conftest import Spans
from .traces import found

traces = in_memory.traces


@pytest.fixture(autouse=True)
def _no_trace_yet() -> Iterator[None]:
    """As in a process that has just begun."""
    active_traces._here.set(None)
    active_traces._thread = threading.local()
    active_traces._process = None
    active_traces._warned = False
    yield
    active_traces._here.set(None)


@trace
def answer() -> str | None:
    """The id of its own trace."""
    return get_current_trace_id()


async def async_answer() -> str | None:
    """As ``answer``, from a coroutine that pauses."""
    await asyncio.sleep(0)
    return answer()


def test_there_is_none_before_the_first() -> None:
    """Neither last nor current."""
    assert (get_last_active_trace_id(), get_last_active_trace_id(thread_local=True)) == (None, None)
    assert get_current_trace_id() is None


def test_it_is_there_at_once_and_before_any_export(traces: Spans) -> None:
    """32 hex digits, while the trace runs and after it."""
    assert answer() == get_last_active_trace_id()
    with traces.provider.get_tracer("t").start_as_current_span("open"):
        assert get_last_active_trace_id() == get_current_trace_id()
    assert get_last_active_trace_id() == f"{traces.all()[-1].get_span_context().trace_id:032x}"


def test_any_span_of_opentelemetry_counts_and_children_do_not(traces: Spans) -> None:
    """The last that ended is the last, even when another began inside."""
    tracer = traces.provider.get_tracer("somebody")
    with tracer.start_as_current_span("outer") as outer:
        with tracer.start_as_current_span("apart", context=Context()) as apart:
            assert get_last_active_trace_id() == f"{apart.get_span_context().trace_id:032x}"
        with tracer.start_as_current_span("child"):
            pass
    assert get_last_active_trace_id() == f"{outer.get_span_context().trace_id:032x}"


def test_a_trace_that_another_service_began_counts(traces: Spans) -> None:
    """Its first span in this process has a remote parent."""
    remote = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1)))
    token = context.attach(otel.set_span_in_context(remote))
    answer()
    context.detach(token)
    assert get_last_active_trace_id() == f"{0xABC:032x}"


def test_tasks_do_not_see_each_others(traces: Spans) -> None:
    """Each has its own, and who awaits them has the last of all."""

    async def turn(delay: float) -> tuple[str | None, str | None]:
        mine = await async_answer()
        await asyncio.sleep(delay)
        return mine, get_last_active_trace_id(thread_local=True)

    async def main() -> tuple[list[tuple[str | None, str | None]], str | None]:
        answer()
        turns = await asyncio.gather(*(turn(0.002 * number) for number in range(5)))
        return turns, get_last_active_trace_id(thread_local=True)

    turns, last = asyncio.run(main())
    assert all(mine == seen for mine, seen in turns)
    assert last == turns[-1][0]


def test_who_awaits_a_task_a_thread_or_a_loop_has_its_trace(traces: Spans) -> None:
    """Though it had one of its own before."""

    async def main() -> None:
        answer()
        assert await asyncio.create_task(async_answer()) == get_last_active_trace_id(thread_local=True)
        assert await asyncio.to_thread(answer) == get_last_active_trace_id(thread_local=True)

    answer()
    asyncio.run(main())
    assert get_last_active_trace_id() == f"{traces.all()[-1].get_span_context().trace_id:032x}"


def test_threads_do_not_see_each_others_unless_they_have_none(traces: Spans) -> None:
    """A thread without a trace gets the process's, but not with ``thread_local=True``."""
    with ThreadPoolExecutor(4) as pool:
        pairs = list(pool.map(lambda _: (answer(), get_last_active_trace_id(thread_local=True)), range(40)))
    assert all(mine == seen for mine, seen in pairs)
    assert get_last_active_trace_id(thread_local=True) is None
    assert get_last_active_trace_id() in {mine for mine, _ in pairs}


def test_a_thread_has_its_last_in_any_context(traces: Spans) -> None:
    """A fresh context, as a callback has it, is no fresh thread."""
    last = contextvars.Context().run(answer)
    other = threading.Thread(target=answer)
    other.start()
    other.join()
    assert get_last_active_trace_id() == last


def test_tasks_that_begin_each_other_for_ever_take_constant_memory(traces: Spans) -> None:
    """What is inherited is cut off after some generations."""

    async def generation(left: int) -> int:
        answer()
        if left:
            return await asyncio.create_task(generation(left - 1))
        mark, length = active_traces._here.get(), 0
        while mark is not None:
            mark, length = mark.parent, length + 1
        return length

    assert asyncio.run(generation(50)) <= 9


def test_the_trace_is_updated_on_its_outermost_span(traces: Spans) -> None:
    """From any depth; every parameter has its attribute."""

    @trace
    def outer() -> None:
        inner()

    @trace
    def inner() -> None:
        update_current_trace(
            tags={"stage": "beta"},
            metadata={"version": 3, "mlflow.trace.user": "bo"},
            session_id="s-1",
            user="ana",
            client_request_id="r-1",
            state="ERROR",
            request_preview="What is it?",
            response_preview="A coffee machine.",
        )

    outer()
    inner_span, outer_span = traces.all()
    assert not any("tag" in name or "session" in name for name in found(inner_span))
    expected = {
        "hansei.tag.stage": "beta",
        "hansei.metadata.version": 3,
        "session.id": "s-1",
        "gen_ai.conversation.id": "s-1",
        "user.id": "ana",
        "hansei.client_request_id": "r-1",
        "hansei.request_preview": "What is it?",
        "hansei.response_preview": "A coffee machine.",
    }
    assert expected.items() <= found(outer_span).items()
    assert "hansei.metadata.mlflow.trace.user" not in found(outer_span)
    assert outer_span.status.status_code is StatusCode.ERROR


def test_a_task_that_outlives_its_trace_updates_its_own_span(traces: Spans) -> None:
    """The outermost span has ended and can take no more."""
    tracer = traces.provider.get_tracer("t")
    root = tracer.start_span("root")
    with tracer.start_as_current_span("late", otel.set_span_in_context(root)):
        root.end()
        update_current_trace(tags={"a": "b"})
    assert found(traces.all()[-1])["hansei.tag.a"] == "b"


def test_previews_are_content(traces: Spans) -> None:
    """Where content is not recorded they are not."""
    process_content.set(NOTHING)
    with traces.provider.get_tracer("t").start_as_current_span("turn"):
        update_current_trace(request_preview="secret", metadata={"mlflow.trace.session": "s-1"})
    assert found(traces.only()) == {"session.id": "s-1", "gen_ai.conversation.id": "s-1"}


@pytest.mark.parametrize("wrong", [{"state": "FINE"}, {"tags": 3}, {"metadata": "x"}, {"metadata": {1: object()}}])
def test_what_makes_no_sense_is_not_raised(traces: Spans, wrong: dict[str, Any]) -> None:
    """The rest of the update may be lost, the call is not."""
    with traces.provider.get_tracer("t").start_as_current_span("turn"):
        update_current_trace(**wrong)


def test_outside_any_trace_there_is_one_warning(traces: Spans, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is called."""
    update_current_trace(tags={"a": "b"})
    update_current_trace(tags={"a": "b"})
    assert caplog.messages == ["update_current_trace: there is no recorded trace here, so nothing is updated"]


def test_a_provider_is_given_the_processor_once() -> None:
    """And what is no SDK's provider is left alone."""
    provider = TracerProvider(shutdown_on_exit=False)
    install(provider)
    install(provider)
    install(otel.NoOpTracerProvider())
    install(None)
    assert len(provider._active_span_processor._span_processors) == 1

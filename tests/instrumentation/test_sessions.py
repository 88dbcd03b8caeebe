"""Session and user on every span, wherever it is started."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from opentelemetry import baggage, context, propagate
from opentelemetry import trace as otel

from hansei.instrumentation import get_last_active_trace_id, instrument, session, trace, using_attributes
from hansei.instrumentation.session_context import session_attributes

from . import traces as in_memory
from .conftest import Spans
from .traces import found

traces = in_memory.traces
ANA = {"session.id": "s-1", "gen_ai.conversation.id": "s-1", "user.id": "ana"}


@trace
def work() -> dict[str, Any]:
    """What is carried where it is called."""
    return session_attributes()


def carried(spans: Spans) -> list[dict[str, Any]]:
    """Session, conversation and user of every span."""
    return [{name: value for name, value in found(span).items() if name in ANA} for span in spans.all()]


def test_every_span_inside_has_them_and_none_outside(traces: Spans) -> None:
    """Of any instrumentation, roots and children."""
    tracer = traces.provider.get_tracer("somebody")
    with session("s-1", user="ana"), tracer.start_as_current_span("root"), tracer.start_as_current_span("child"):
        pass
    with tracer.start_as_current_span("outside"):
        pass
    assert carried(traces) == [ANA, ANA, {}]


def test_what_the_application_has_set_itself_stays(traces: Spans) -> None:
    """Only what is missing is added."""
    with session("s-1", user="ana"):
        traces.provider.get_tracer("t").start_span("own", attributes={"user.id": "bo"}).end()
    assert carried(traces) == [ANA | {"user.id": "bo"}]


def test_an_inner_session_wins_and_leaves_what_it_does_not_say(traces: Spans) -> None:
    """The parameters of old work too, and a number is an id."""
    with session("s-1", user_id="ana"):
        with session("s-2", conversation_id="c-2"):
            assert work() == {"session.id": "s-2", "gen_ai.conversation.id": "c-2", "user.id": "ana"}
        with session(None, user=7):  # type: ignore[arg-type]
            assert work() == ANA | {"user.id": "7"}
        assert work() == ANA
    assert context.get_current() == {}


def test_it_is_a_decorator_of_every_kind_of_function() -> None:
    """Each call is inside; a generator is inside while its body runs, and its consumer is not."""

    @session("s-1", user="ana")
    def plain() -> dict[str, Any]:
        return session_attributes()

    @session("s-1", user="ana")
    async def coroutine() -> dict[str, Any]:
        await asyncio.sleep(0)
        return session_attributes()

    @session("s-1", user="ana")
    def generator() -> Iterator[dict[str, Any]]:
        yield session_attributes()
        yield session_attributes()

    @session("s-1", user="ana")
    async def async_generator() -> AsyncGenerator[dict[str, Any], None]:
        yield session_attributes()
        yield session_attributes()

    async def main() -> None:
        assert await asyncio.gather(coroutine(), coroutine()) == [ANA, ANA]
        async for seen in async_generator():
            assert (seen, session_attributes()) == (ANA, {})

    assert plain() == ANA
    for seen in generator():
        assert (seen, session_attributes()) == (ANA, {})
    asyncio.run(main())
    assert session_attributes() == {}


def test_it_is_an_async_block_and_can_be_entered_again() -> None:
    """One object, block after block and block in block."""
    scope = session("s-1", user="ana")

    async def main() -> None:
        async with scope:
            assert session_attributes() == ANA
            with scope:
                assert session_attributes() == ANA
            assert session_attributes() == ANA
        assert session_attributes() == {}

    asyncio.run(main())


def test_what_the_block_raises_goes_on() -> None:
    """The very object, and the context is as before."""
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as raised, session("s-1"):
        raise error
    assert raised.value is error
    assert session_attributes() == {}


def test_tasks_and_copied_contexts_are_inside(traces: Spans) -> None:
    """A thread that is started without its context is not."""

    async def main() -> None:
        async with session("s-1", user="ana"):
            await asyncio.gather(asyncio.create_task(asyncio.to_thread(work)), asyncio.to_thread(work))

    asyncio.run(main())
    with session("s-1", user="ana"):
        copied = contextvars.copy_context()
    for target in (lambda: copied.run(work), work):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert carried(traces) == [ANA, ANA, ANA, {}]


def test_ids_reach_the_next_service_and_metadata_does_not(traces: Spans) -> None:
    """Baggage is what an instrumented HTTP client sends."""
    headers: dict[str, str] = {}
    with using_attributes(session_id="s-1", user_id="ana", metadata={"note": "private"}, tags=["beta"]):
        propagate.inject(headers)
        work()
    assert "private" not in str(headers)
    assert dict(baggage.get_all(propagate.extract(headers))) == ANA
    tracer = traces.provider.get_tracer("next service")
    tracer.start_span("serve", propagate.extract(headers)).end()
    assert carried(traces) == [ANA, ANA]


def test_metadata_and_tags_are_on_every_span_inside(traces: Spans) -> None:
    """Those of an inner block besides the outer's; what is no attribute becomes JSON."""
    with (
        using_attributes(metadata={"plan": "pro", "limits": {"rate": 3}}, tags={"stage": "beta"}),
        using_attributes(tags=["a", "b"], metadata={"plan": "free"}),
        traces.provider.get_tracer("t").start_as_current_span("turn"),
    ):
        pass
    assert found(traces.only()) == {
        "hansei.metadata.plan": "free",
        "hansei.metadata.limits": '{"rate":3}',
        "hansei.tag.stage": "beta",
        "hansei.tags": ("a", "b"),
    }


class Unwritable:
    """An id that cannot be written."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_a_fault_inside_does_not_reach_the_block(traces: Spans, caplog: pytest.LogCaptureFixture) -> None:
    """It runs without a session, and the log says so."""
    with session(Unwritable()):  # type: ignore[arg-type]
        assert work() == {}
    assert "could not enter a context" in caplog.text


def test_a_broken_processor_step_does_not_break_a_span(traces: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other libraries' spans go through here too."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("fault")

    monkeypatch.setattr("hansei.instrumentation.session_processor.session_attributes", broken)
    monkeypatch.setattr("hansei.instrumentation.active_trace.ActiveTraces.touch", broken)
    with traces.provider.get_tracer("t").start_as_current_span("turn") as turn:
        assert otel.get_current_span() is turn
    assert traces.only().name == "turn"


def test_instrument_is_all_the_set_up_there_is(spans: Spans) -> None:
    """Spans by hand, their content, and the session on spans of others, all with its provider."""
    instrument(tracer_provider=spans.provider, capture_content=True)
    with session("s-1", user="ana"):
        work()
        spans.provider.get_tracer("somebody").start_span("theirs").end()
    assert carried(spans) == [ANA, ANA]
    assert found(spans.all()[0])["hansei.span.inputs"] == "{}"
    assert get_last_active_trace_id() == f"{spans.all()[1].get_span_context().trace_id:032x}"

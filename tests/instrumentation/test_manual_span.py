"""``start_span()``: a span around a block."""

import asyncio

import pytest
from opentelemetry import trace as otel
from opentelemetry.trace import SpanKind, Status, StatusCode

from hansei.instrumentation import SpanType, get_current_active_span, start_span
from hansei.instrumentation.content import NOTHING, process_content

from . import traces as in_memory
from .conftest import Spans
from .traces import found, read

traces = in_memory.traces


def test_a_block_is_a_span_with_what_it_says_of_itself(traces: Spans) -> None:
    """Inputs, outputs, attributes of any kind, status and ids."""
    with start_span("rank", span_type=SpanType.RERANKER, attributes={"team": "search"}) as span:
        span.set_inputs({"documents": [1, 2]})
        span.set_outputs([2, 1])
        span.set_attribute("depth", 3)
        span.set_attributes({"weights": {"a": 0.5}})
        span.set_status("ok", "not kept")
        assert otel.get_current_span() is span.span
    ended = traces.only()
    context = ended.get_span_context()
    assert (span.trace_id, span.span_id) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert (ended.name, ended.kind, ended.status.status_code) == ("rank", SpanKind.INTERNAL, StatusCode.OK)
    assert found(ended) == {
        "hansei.span.type": "RERANKER",
        "team": "search",
        "hansei.span.inputs": '{"documents":[1,2]}',
        "hansei.span.outputs": "[2,1]",
        "depth": 3,
        "weights": '{"a":0.5}',
    }
    assert otel.get_current_span() is otel.INVALID_SPAN


def test_a_type_with_an_operation_gets_its_attributes(traces: Spans) -> None:
    """As with the decorator."""
    with start_span("manuals", span_type=SpanType.RETRIEVER) as span:
        span.set_inputs({"query": "scale", "k": 2})
        span.set_outputs([{"id": "d1", "text": "Descale it."}])
    ended = traces.only()
    assert ended.name == "retrieval manuals"
    assert found(ended)["gen_ai.retrieval.query.text"] == "scale"
    assert found(ended)["gen_ai.retrieval.top_k"] == 2
    assert read(ended, "gen_ai.retrieval.documents") == [{"id": "d1", "content": "Descale it."}]


@pytest.mark.parametrize("error", [ValueError("mine"), StopIteration(1), KeyboardInterrupt()])
def test_what_the_block_raises_is_recorded_and_goes_on(traces: Spans, error: BaseException) -> None:
    """The very object."""
    with pytest.raises(type(error)) as raised, start_span():
        raise error
    assert raised.value is error
    assert traces.only().name == "span"
    assert traces.only().status.status_code is StatusCode.ERROR
    assert found(traces.only())["error.type"] == type(error).__name__


def test_a_cancelled_block_is_no_error(traces: Spans) -> None:
    """It says that it was cancelled."""

    async def waits() -> None:
        with start_span("waits"):
            await asyncio.sleep(60)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waits(), 0.01)

    asyncio.run(main())
    assert traces.only().status.status_code is StatusCode.UNSET
    assert found(traces.only())["hansei.span.outcome"] == "cancelled"


def test_without_content_there_are_neither_inputs_nor_outputs(traces: Spans) -> None:
    """Attributes are no content."""
    process_content.set(NOTHING)
    with start_span("rank") as span:
        span.set_inputs({"a": 1})
        span.set_outputs(2)
        span.set_attribute("b", 3)
    assert found(traces.only()) == {"hansei.span.type": "UNKNOWN", "b": 3}


def test_a_wrong_status_is_logged_and_not_raised(traces: Spans, caplog: pytest.LogCaptureFixture) -> None:
    """OpenTelemetry's own statuses are taken as well."""
    with start_span() as span:
        span.set_status("FINE")
        span.set_status(StatusCode.ERROR, "half of it")
        span.set_status(Status(StatusCode.ERROR, "all of it"))
    assert "could not set a span's status" in caplog.text
    assert traces.only().status.description == "all of it"


def test_without_an_sdk_the_block_runs() -> None:
    """And every method of the handle can be called."""
    with start_span("rank") as span:
        span.set_inputs({})
        span.set_outputs({})
        span.set_attribute("a", 1)
        span.set_status("OK")
    assert (span.trace_id, span.span_id) == ("0" * 32, "0" * 16)


def test_the_current_span_can_be_had_whoever_started_it(traces: Spans) -> None:
    """None outside any."""
    assert get_current_active_span() is None
    with traces.provider.get_tracer("t").start_as_current_span("theirs"):
        current = get_current_active_span()
        assert current is not None
        current.set_outputs("ours")
    assert found(traces.only())["hansei.span.outputs"] == '"ours"'

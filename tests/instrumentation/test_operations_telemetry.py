"""Metrics of both generations, and the event with the details of a call."""

from typing import Any

import pytest
from openai import APIStatusError
from opentelemetry.sdk.metrics.export import Histogram

from hansei.instrumentation.content import Content

from . import replay
from .recorded import CHAT_MODEL, error
from .replay import WAYS, Api, Recording, Reply, call

listening, api, recording, bare, on_events = (
    replay.listening, replay.api, replay.recording, replay.bare, replay.on_events,
)  # fmt: skip

ASKED: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What?"}]}
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = tuple(4**power for power in range(14))
DEPLOYED = {
    "gen_ai.client.operation.duration": "s",
    "gen_ai.client.operation.time_to_first_chunk": "s",
    "gen_ai.client.token.usage": "{token}",
}


def dimensions(api: Api, **more: Any) -> dict[str, Any]:
    """What every data point of a chat has."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": CHAT_MODEL,
        "server.address": "127.0.0.1",
        "server.port": api.port,
        **{name.replace("__", "."): value for name, value in more.items()},
    }


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_counted_once(api: Api, bare: Recording, way: str) -> None:
    """A streamed call has a duration, a time to its first chunk, and its tokens by direction."""
    call(api, "chat.completions.create", way, stream=True, **ASKED)
    metrics = bare.metrics()
    assert {name: metrics[name].unit for name in DEPLOYED} == DEPLOYED
    for name, unit in DEPLOYED.items():
        assert isinstance(metrics[name].data, Histogram)
        assert {tuple(point.explicit_bounds) for point in bare.points(name)} == {SECONDS if unit == "s" else TOKENS}
    for name in ("gen_ai.client.operation.duration", "gen_ai.client.operation.time_to_first_chunk"):
        (point,) = bare.points(name)
        assert (point.count, dict(point.attributes or {})) == (1, dimensions(api))
        assert 0 < point.sum < 5
    found = {
        (point.attributes or {})["gen_ai.token.type"]: (point.count, point.sum)
        for point in bare.points("gen_ai.client.token.usage")
    }
    assert found == {"input": (1, 210), "output": (1, 40)}


def test_metrics_are_of_the_span(api: Api, bare: Recording) -> None:
    """The duration is the span's, and its exemplar points at it."""
    call(api, "chat.completions.create", **ASKED)
    span = bare.only()
    (point,) = bare.points("gen_ai.client.operation.duration")
    assert span.end_time is not None
    assert span.start_time is not None
    assert point.sum == pytest.approx((span.end_time - span.start_time) / 1e9, abs=0.005)
    assert [exemplar.span_id for exemplar in point.exemplars] == [span.context.span_id]
    assert dict(point.attributes or {}) == dimensions(api, openai__response__service_tier="default")


def test_a_failure_is_timed_by_its_kind(api: Api, bare: Recording) -> None:
    """An error is a dimension of the duration, and no tokens are counted."""
    api.answer(Reply.json(error("No."), 400))
    with pytest.raises(APIStatusError):
        call(api, "chat.completions.create", **ASKED)
    (point,) = bare.points("gen_ai.client.operation.duration")
    expected = dimensions(api, error__type="openai.BadRequestError")
    del expected["gen_ai.response.model"]
    assert dict(point.attributes or {}) == expected
    assert "gen_ai.client.token.usage" not in bare.metrics()


@pytest.mark.parametrize("generation", ["deployed", "latest", "both", "none"])
def test_each_generation_has_its_names(api: Api, generation: str) -> None:
    """The deployed names, those that follow them, both or none."""
    with Recording().on(Content(), metrics=generation) as recording:
        call(api, "chat.completions.create", stream=True, **ASKED)
        names = set(recording.metrics())
    assert (set(DEPLOYED) <= names) is (generation in ("deployed", "both"))
    assert ("gen_ai.client.inference.duration" in names) is (generation in ("latest", "both"))
    assert {name for name in names if not name.startswith("gen_ai.client.")} == set()
    assert bool(names) is (generation != "none")


def test_a_general_request_is_no_model_call(api: Api, bare: Recording) -> None:
    """Files and batches are spans alone."""
    call(api, "batches.retrieve", batch_id="batch_1")
    assert bare.spans()
    assert bare.metrics() == {}


@pytest.mark.parametrize("stream", [False, True])
def test_content_on_events_is_structured(api: Api, on_events: Recording, stream: bool) -> None:
    """The event has the call's attributes and its messages as values, not as text; the span has no content."""
    settings: dict[str, Any] = {"stream": True} if stream else {}
    call(api, "chat.completions.create", **ASKED, **settings)
    (event,) = on_events.events()
    record = event.log_record
    assert record.event_name == "gen_ai.client.inference.operation.details"
    assert record.attributes is not None
    messages: Any = record.attributes["gen_ai.output.messages"]
    assert messages[0]["role"] == "assistant"
    assert messages[0]["parts"][0]["content"] == "A coffee machine."
    span = on_events.only()
    assert span.context is not None
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert on_events.some("*messages") == {}
    shared = {name: value for name, value in record.attributes.items() if not name.endswith("messages")}
    assert {name: value for name, value in shared.items() if not isinstance(value, list | tuple)} == {
        name: value for name, value in on_events.attributes().items() if not isinstance(value, list | tuple)
    }


def test_a_general_request_has_no_details(api: Api, on_events: Recording) -> None:
    """The event is of inferences."""
    call(api, "batches.retrieve", batch_id="batch_1")
    assert on_events.events() == []


def test_events_without_content(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch for events alone sends the numbers without a word of what was said."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true")
    with Recording().on(Content()) as recording:
        call(api, "chat.completions.create", **ASKED)
    (event,) = recording.events()
    attributes = event.log_record.attributes or {}
    assert attributes["gen_ai.usage.input_tokens"] == 210
    assert not [name for name in attributes if name.endswith("messages")]


def test_content_on_both(api: Api) -> None:
    """Span and event say the same."""
    with Recording().on(Content(on_spans=True, on_events=True)) as recording:
        call(api, "chat.completions.create", **ASKED)
    assert recording.content("gen_ai.input.messages")[0]["role"] == "user"
    (event,) = recording.events()
    assert "gen_ai.input.messages" in (event.log_record.attributes or {})

"""Calls that fail, answers that cannot be read, and faults of our own."""

import logging
from typing import Any

import openai
import pytest
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from hansei.instrumentation import instrument

from .conftest import ModelServer, Spans, completion

QUESTION: list[Any] = [{"role": "user", "content": "What is Kumo One?"}]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "AuthenticationError"), (404, "NotFoundError"), (500, "InternalServerError")]
)
def test_an_http_error_is_recorded_and_raised(
    client: OpenAI, server: ModelServer, bare: Spans, status: int, kind: str
) -> None:
    """``error.type`` is the exception's type, as in its event; the request's attributes are there too."""
    server.answer(
        {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}, status=status
    )
    with pytest.raises(getattr(openai, kind)) as raised:
        client.chat.completions.create(model="m", messages=QUESTION)
    span = bare.only()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == str(raised.value)
    assert bare.attributes()["error.type"] == f"openai.{kind}"
    assert bare.attributes()["gen_ai.request.model"] == "m"
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes is not None
    assert event.attributes["exception.type"] == f"openai.{kind}"
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_refused_connection_is_recorded_and_raised(bare: Spans) -> None:
    """There is no response at all, and the span still ends."""
    with (
        OpenAI(base_url="http://127.0.0.1:1/v1", api_key="key", max_retries=0) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        client.chat.completions.create(model="m", messages=QUESTION)
    assert bare.attributes()["error.type"] == "openai.APIConnectionError"
    assert bare.attributes()["server.port"] == 1


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_the_application_gets_the_very_object_that_was_raised(
    client: OpenAI, bare: Spans, error: BaseException
) -> None:
    """Same object, same cause, same context; even when it is no Exception."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    client._prepare_options = refuse  # type: ignore[assignment]
    with pytest.raises(type(error)) as raised:
        client.chat.completions.create(model="m", messages=QUESTION)
    assert raised.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert bare.attributes()["error.type"] == type(error).__name__


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"choices": None, "usage": None},
        {"choices": [None, {}, {"message": None}, {"message": "text"}], "id": 7, "model": ["m"]},
        {"choices": "none", "usage": {"prompt_tokens": "many", "completion_tokens": True}},
        {
            "choices": [
                {"message": {"role": 3, "content": [1, {"type": "text"}], "tool_calls": [None, {"function": 1}]}}
            ]
        },
        {
            "choices": [{"finish_reason": 1, "message": {"content": "\ud800 lone"}}],
            "usage": {"prompt_tokens_details": 1},
        },
    ],
)
def test_a_malformed_answer_reaches_the_application_unchanged(
    client: OpenAI, server: ModelServer, recorded: Spans, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    """What is wrong has no attribute; what can be sent is UTF-8; nothing is even logged."""
    server.answer(answer)
    observed = client.chat.completions.create(model="m", messages=QUESTION)
    with recorded.paused():
        assert repr(client.chat.completions.create(model="m", messages=QUESTION)) == repr(observed)
    assert recorded.only().status.status_code is StatusCode.UNSET
    assert [name for name in recorded.attributes() if name.startswith(("gen_ai.usage", "gen_ai.response"))] == []
    for value in recorded.attributes().values():
        str(value).encode()
    assert caplog.messages == []


def test_an_answer_that_is_not_json_is_the_applications_to_handle(
    client: OpenAI, server: ModelServer, recorded: Spans
) -> None:
    """The client gives a gateway's error page as a string, and so do we."""
    server.answer_text("<html>down for maintenance</html>")
    assert client.chat.completions.create(model="m", messages=QUESTION) == "<html>down for maintenance</html>"
    assert recorded.only().status.status_code is StatusCode.UNSET


def broken(*_: object, **__: object) -> Any:
    """Stand in for any step, and fail."""
    raise RuntimeError("a fault of hansei's own")


OURS = "hansei.instrumentation"
STEPS = [
    f"{OURS}.request_layer.operation_of",
    f"{OURS}.request_layer.server_of",
    f"{OURS}.request_layer._parameters",
    f"{OURS}.call.session_attributes",
    f"{OURS}.call.json_text",
    f"{OURS}.call.Call.answered",
    f"{OURS}.operations.chat.input_messages",
    f"{OURS}.operations.chat.tool_definitions",
    f"{OURS}.operations.chat.finish_reasons",
    f"{OURS}.operations.chat.output_messages",
    f"{OURS}.metrics.Metrics.record",
    f"{OURS}.call.context.attach",
    "opentelemetry.sdk.trace.Tracer.start_span",
    "opentelemetry.sdk.trace.Span.is_recording",
    "opentelemetry.sdk.trace.Span.set_attributes",
    "opentelemetry.sdk.trace.Span.end",
]


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_in_any_step_is_logged_once_and_goes_no_further(
    client: OpenAI, recorded: Spans, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    """Two calls succeed; the log warns the first time only."""
    monkeypatch.setattr(step, broken)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert client.chat.completions.create(model="m", messages=QUESTION).id == "chatcmpl-1"
    warnings = [record for record in caplog.records if record.name.startswith("hansei")]
    assert len({record.getMessage() for record in warnings}) == len(warnings) >= 1
    assert all("the application is not affected" in record.getMessage() for record in warnings)


@pytest.mark.parametrize("step", ["record_exception", "set_status", "set_attribute", "end"])
def test_a_fault_while_recording_an_error_does_not_hide_the_error(
    client: OpenAI, server: ModelServer, recorded: Spans, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The application still gets openai's exception, and the next span has no stale parent."""
    monkeypatch.setattr(f"opentelemetry.sdk.trace.Span.{step}", broken)
    server.answer({}, status=500)
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="m", messages=QUESTION)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_fault_in_one_step_leaves_the_others_their_attributes(
    client: OpenAI, recorded: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that cannot be read do not cost the span its usage."""
    monkeypatch.setattr("hansei.instrumentation.operations.chat.input_messages", broken)
    client.chat.completions.create(model="m", messages=QUESTION)
    found = recorded.attributes()
    assert "gen_ai.input.messages" not in found
    assert found["gen_ai.usage.input_tokens"] == 21
    assert "gen_ai.output.messages" in found


def test_a_log_handler_that_raises_is_no_harm(client: OpenAI, recorded: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reporting a fault cannot become one."""
    monkeypatch.setattr("hansei.instrumentation.operations.chat.input_messages", broken)
    monkeypatch.setattr(logging.getLogger("hansei.instrumentation.guard"), "filters", [broken])
    assert client.chat.completions.create(model="m", messages=QUESTION).id == "chatcmpl-1"


def test_instrument_never_raises(
    client: OpenAI, spans: Spans, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A service starts without its telemetry rather than not at all, and the log says so."""
    monkeypatch.setattr("hansei.instrumentation.instrumentor.wrap_function_wrapper", broken)
    instrument(tracer_provider=spans.provider)
    assert "hansei could not instrument this process" in caplog.text
    assert client.chat.completions.create(model="m", messages=QUESTION).model == completion()["model"]

"""Calls that fail, calls that are sent again, and where exceptions are recorded."""

import asyncio
from typing import Any

import pytest
from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, OpenAI
from opentelemetry.trace import StatusCode

from hansei.instrumentation.content import Content

from . import replay
from .recorded import chat, error
from .replay import WAYS, Api, Recording, Reply, call

listening, api, recording = replay.listening, replay.api, replay.recording

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "What?"}]}
LIMITED = Reply.json(error("Slow down.", "rate_limit_exceeded"), 429, retry_after_ms="20", x_request_id="req_0")
BROKEN = Reply.json(error("Oops."), 500, retry_after_ms="10", x_request_id="req_5")
RESET = Reply(end="reset")

STATUSES = [
    (400, "openai.BadRequestError"),
    (401, "openai.AuthenticationError"),
    (404, "openai.NotFoundError"),
    (429, "openai.RateLimitError"),
    (500, "openai.InternalServerError"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_refusals(api: Api, recording: Recording, way: str, status: int, kind: str) -> None:
    """The application gets the client's exception; the span its type, status, request id and event."""
    api.answer(Reply.json(error("No.", "some_code"), status, x_request_id="req_4"))
    with pytest.raises(APIStatusError) as raised:
        call(api, "chat.completions.create", way, **ASKED)
    span = recording.only()
    assert (span.name, span.status.status_code) == ("chat m", StatusCode.ERROR)
    assert span.status.description == str(raised.value)
    assert recording.some("error.type", "http.*", "hansei.*", "gen_ai.response.*") == {
        "error.type": kind,
        "http.response.status_code": status,
        "http.response.header.x-request-id": ("req_4",),
    }
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes is not None
    assert event.attributes["exception.type"] == kind


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
def test_each_resend_is_an_event(api: Api, recording: Recording, way: str, stream: bool) -> None:
    """A call that succeeds at its third attempt is one span, with what came of the first two."""
    api.answer(LIMITED, BROKEN)
    call(api, "chat.completions.create", way, retries=2, **ASKED, **({"stream": True} if stream else {}))
    span = recording.only()
    assert span.status.status_code is StatusCode.UNSET
    assert recording.attributes()["http.request.resend_count"] == 2
    assert recording.attributes()["http.response.status_code"] == 200
    assert [(event.name, dict(event.attributes or {})) for event in span.events] == [
        (
            "hansei.retry",
            {
                "http.request.resend_count": 1,
                "hansei.retry.delay": 0.02,
                "http.response.status_code": 429,
                "error.type": "429",
                "http.response.header.x-request-id": ("req_0",),
            },
        ),
        (
            "hansei.retry",
            {
                "http.request.resend_count": 2,
                "hansei.retry.delay": 0.01,
                "http.response.status_code": 500,
                "error.type": "500",
                "http.response.header.x-request-id": ("req_5",),
            },
        ),
    ]


def test_a_call_that_is_given_up(api: Api, recording: Recording) -> None:
    """The last attempt is the outcome; the ones before it are resends."""
    api.answer(BROKEN, LIMITED)
    with pytest.raises(APIStatusError):
        call(api, "chat.completions.create", retries=1, **ASKED)
    assert [event.name for event in recording.only().events] == ["hansei.retry", "exception"]
    assert recording.some("error.type", "http.*") == {
        "error.type": "openai.RateLimitError",
        "http.request.resend_count": 1,
        "http.response.status_code": 429,
        "http.response.header.x-request-id": ("req_0",),
    }


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_connection_that_breaks(api: Api, recording: Recording, way: str) -> None:
    """No answer is an error of the connection, and a resend says so."""
    api.answer(RESET, RESET)
    with pytest.raises(APIConnectionError):
        call(api, "chat.completions.create", way, retries=1, **ASKED)
    retry, exception = recording.only().events
    assert retry.attributes is not None
    assert exception.name == "exception"
    assert retry.attributes["http.request.resend_count"] == 1
    assert str(retry.attributes["error.type"]).endswith(("RemoteProtocolError", "ReadError"))
    assert recording.some("error.type", "http.response.*") == {"error.type": "openai.APIConnectionError"}


def test_a_timeout(api: Api, recording: Recording) -> None:
    """A client that waits no longer ends with its own exception."""
    api.answer(Reply.events("{}", "{}", pause=0.3))
    with (
        OpenAI(base_url=api.url, api_key="key", max_retries=0, timeout=0.1) as client,
        pytest.raises(APITimeoutError),
    ):
        client.chat.completions.create(**ASKED)
    assert recording.attributes()["error.type"] == "openai.APITimeoutError"


def test_a_cancelled_call_is_no_error(api: Api, recording: Recording) -> None:
    """A task that the application cancels ends its span without a failure."""
    api.answer(Reply.events("{}", "{}", pause=3.0))

    async def run() -> None:
        async with AsyncOpenAI(base_url=api.url, api_key="key", max_retries=0) as client:
            task = asyncio.ensure_future(client.chat.completions.create(**ASKED))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert recording.only().status.status_code is StatusCode.UNSET
    assert recording.some("error.type") == {}


def test_an_answer_that_the_client_cannot_use(api: Api, recording: Recording) -> None:
    """What was paid for is counted, though the client raised."""
    api.answer(Reply.json(chat(choices=[{"index": 0, "finish_reason": "length", "message": {"role": "assistant"}}])))
    with pytest.raises(Exception, match="length limit"):
        call(api, "chat.completions.parse", response_format={"type": "json_object"}, **ASKED)
    assert recording.some("error.type", "gen_ai.usage.input_tokens") == {
        "error.type": "openai.LengthFinishReasonError",
        "gen_ai.usage.input_tokens": 210,
    }


@pytest.mark.parametrize(
    ("opted", "on_span", "on_log"), [("", True, False), ("logs", False, True), ("logs/dup", True, True)]
)
def test_where_exceptions_are_recorded(
    api: Api, monkeypatch: pytest.MonkeyPatch, opted: str, on_span: bool, on_log: bool
) -> None:
    """On the span, as an event of the convention, or both, by the standard switch."""
    monkeypatch.setenv("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", opted)
    api.answer(Reply.json(error("No."), 400))
    with Recording().on(Content()) as recording, pytest.raises(APIStatusError):
        call(api, "chat.completions.create", **ASKED)
    span = recording.only()
    assert [event.name for event in span.events] == (["exception"] if on_span else [])
    assert span.status.status_code is StatusCode.ERROR
    records = [event.log_record for event in recording.events()]
    assert [record.event_name for record in records] == (["gen_ai.client.operation.exception"] if on_log else [])
    for record in records:
        assert record.attributes is not None
        assert record.severity_text == "WARN"
        assert record.attributes["exception.type"] == "openai.BadRequestError"
        assert span.context is not None
        assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)

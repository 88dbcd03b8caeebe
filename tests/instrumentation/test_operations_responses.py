"""The Responses API: create, parse, stream, retrieve, cancel, compact."""

import json
from typing import Any

import pytest
from openai import OpenAI
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel

from . import replay
from .recorded import (
    COMPLETED_EVENT,
    ERROR_EVENT,
    REASONING_MODEL,
    RESPONSE_EVENTS,
    begun,
    message_item,
    response,
    text_delta,
)
from .replay import WAYS, Api, Recording, Reply, call

listening, api, recording, bare = replay.listening, replay.api, replay.recording, replay.bare

ANSWER = {
    "role": "assistant",
    "parts": [
        {"type": "reasoning", "content": "Kumo is a machine."},
        {"type": "text", "content": "A coffee machine."},
    ],
    "finish_reason": "stop",
}
USAGE = {
    "gen_ai.usage.input_tokens": 36,
    "gen_ai.usage.output_tokens": 87,
    "gen_ai.usage.cache_read.input_tokens": 16,
    "gen_ai.usage.reasoning.output_tokens": 64,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
def test_each_way_of_calling_records_the_same(api: Api, recording: Recording, way: str, stream: bool) -> None:
    """Sync, async, raw and streaming responses, whole and streamed: one span that says the same."""
    settings: dict[str, Any] = {"stream": True} if stream else {}
    call(
        api, "responses.create", way,
        model="gpt-5-mini", input="What is Kumo One?", instructions="Be brief.", reasoning={"effort": "low"},
        previous_response_id="resp_0", max_output_tokens=100, temperature=1, **settings,
    )  # fmt: skip
    span = recording.only()
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-5-mini", SpanKind.CLIENT, StatusCode.UNSET)
    found = recording.attributes()
    assert (found.pop("gen_ai.response.time_to_first_chunk", None) is not None) is stream
    assert json.loads(found.pop("gen_ai.output.messages")) == [ANSWER]
    assert json.loads(found.pop("gen_ai.system_instructions")) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(found.pop("gen_ai.input.messages")) == [
        {"role": "user", "parts": [{"type": "text", "content": "What is Kumo One?"}]}
    ]
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.previous_response.id": "resp_0",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 1.0,
        "gen_ai.conversation.id": "conv_1",
        "server.address": "127.0.0.1",
        "server.port": api.port,
        "openai.api.type": "responses",
        "openai.response.service_tier": "default",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.model": REASONING_MODEL,
        "gen_ai.response.finish_reasons": ("stop",),
        **USAGE,
    }
    if stream:
        expected |= {"gen_ai.request.stream": True, "hansei.stream.outcome": "finished"}
    else:
        expected["http.response.header.x-request-id"] = ("req_1",)
    assert found == expected


@pytest.mark.parametrize("way", ["sync", "async"])
def test_parse_records_a_structured_output(api: Api, recording: Recording, way: str) -> None:
    """``.parse()`` is a chat whose output is JSON, and the application still gets its object."""

    class Machine(BaseModel):
        name: str

    api.answer(Reply.json(response(output=[message_item('{"name":"Kumo"}')])))
    answer = call(api, "responses.parse", way, model="m", input="What?", text_format=Machine)
    assert answer.output_parsed == Machine(name="Kumo")
    assert recording.attributes()["gen_ai.output.type"] == "json"


def test_stream_helper_is_one_finished_stream(api: Api, recording: Recording) -> None:
    """``.stream()`` hands out its own events; the span has what they amount to."""
    with (
        OpenAI(base_url=api.url, api_key="key") as client,
        client.responses.stream(model="m", input="What?") as stream,
    ):
        assert [event.type for event in stream][-1] == "response.completed"
        assert stream.get_final_response().output_text == "A coffee machine."
    assert recording.attributes()["hansei.stream.outcome"] == "finished"
    assert recording.content("gen_ai.output.messages") == [ANSWER]


ENDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        {"gen_ai.response.finish_reasons": ("length",)},
    ),
    (
        {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
        {"gen_ai.response.finish_reasons": ("content_filter",)},
    ),
    (
        {"status": "failed", "error": {"code": "server_error", "message": "No."}},
        {"gen_ai.response.finish_reasons": ("error",), "error.type": "server_error"},
    ),
    ({"status": "queued", "output": [], "usage": None}, {}),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("ended", "expected"), ENDS)
def test_why_a_response_ended(
    api: Api, recording: Recording, ended: dict[str, Any], expected: dict[str, Any], stream: bool
) -> None:
    """Incomplete responses say why, failed ones are errors, and one in the background has not ended."""
    answer = response(**ended)
    if stream:
        kind = f"response.{ended['status']}"
        api.answer(Reply.events(begun(), {"type": kind, "response": answer, "sequence_number": 1}, done=False))
    else:
        api.answer(Reply.json(answer))
    settings: dict[str, Any] = {"stream": True} if stream else {}
    call(api, "responses.create", model="m", input="What?", background=True, **settings)
    found = recording.some("gen_ai.response.finish_reasons", "error.type")
    if stream and not expected:
        # Its end was to come in the same stream.
        expected = {"error.type": "stream_truncated", "gen_ai.response.finish_reasons": ("error",)}
    assert found == expected
    failed = StatusCode.ERROR if "error.type" in found else StatusCode.UNSET
    assert recording.only().status.status_code is failed


def test_an_error_event_is_an_error(api: Api, recording: Recording) -> None:
    """A stream that ends in the provider's error keeps what came before it."""
    api.answer(Reply.events(begun(), text_delta("A cof"), ERROR_EVENT, done=False))
    call(api, "responses.create", model="m", input="What?", stream=True)
    assert recording.some("error.type", "hansei.*", "gen_ai.response.id") == {
        "error.type": "server_error",
        "hansei.stream.outcome": "finished",
        "gen_ai.response.id": "resp_1",
    }
    assert recording.content("gen_ai.output.messages")[0]["parts"] == [{"type": "text", "content": "A cof"}]


FUNCTION = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather", "arguments": ""}
ARGUMENTS = {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0}
CUSTOM = {"type": "custom_tool_call", "id": "ct_1", "call_id": "call_2", "name": "write_sql", "input": ""}
INPUT = {"type": "response.custom_tool_call_input.delta", "item_id": "ct_1", "output_index": 0}


@pytest.mark.parametrize(
    ("item", "delta", "pieces", "expected"),
    [
        (FUNCTION, ARGUMENTS, ['{"city":', '"Paris"}'], ("call_1", "get_weather", {"city": "Paris"})),
        (CUSTOM, INPUT, ["SELECT", " 1"], ("call_2", "write_sql", "SELECT 1")),
    ],
    ids=["function", "custom"],
)
def test_a_call_that_was_begun_in_a_broken_stream(
    api: Api, recording: Recording, item: Any, delta: Any, pieces: Any, expected: Any
) -> None:
    """Calls are kept as far as they came."""
    added = {"type": "response.output_item.added", "output_index": 0, "item": item, "sequence_number": 1}
    api.answer(
        Reply.events(begun(), added, *({**delta, "delta": piece, "sequence_number": 2} for piece in pieces), done=False)
    )
    call(api, "responses.create", model="m", input="What?", stream=True)
    (part,) = recording.content("gen_ai.output.messages")[0]["parts"]
    assert (part["type"], (part["id"], part["name"], part["arguments"])) == ("tool_call", expected)
    assert recording.attributes()["hansei.stream.outcome"] == "truncated"


def test_input_items_are_messages(api: Api, recording: Recording) -> None:
    """Messages, calls and their results, of functions and of custom tools, keep roles and order."""
    items = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {**FUNCTION, "arguments": '{"city":"Paris"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "57°F"},
        {**CUSTOM, "input": "SELECT 1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "1"},
    ]
    tools: list[Any] = [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": True},
        {"type": "custom", "name": "write_sql"},
        {"type": "web_search"},
    ]
    call(api, "responses.create", model="m", input=items, tools=tools, conversation="conv_7")
    messages = recording.content("gen_ai.input.messages")
    assert [(message["role"], [part["type"] for part in message["parts"]]) for message in messages] == [
        ("developer", ["text"]),
        ("user", ["text"]),
        ("assistant", ["tool_call"]),
        ("tool", ["tool_call_response"]),
        ("assistant", ["tool_call"]),
        ("tool", ["tool_call_response"]),
    ]
    assert messages[4]["parts"] == [{"type": "tool_call", "id": "call_2", "name": "write_sql", "arguments": "SELECT 1"}]
    assert [(tool["type"], tool["name"]) for tool in recording.content("gen_ai.tool.definitions")] == [
        ("function", "get_weather"),
        ("custom", "write_sql"),
        ("web_search", "web_search"),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_fetched_response_counts_no_tokens(api: Api, recording: Recording, way: str) -> None:
    """Retrieving is no inference: no model asked for, no usage, but the response's id, model, status and reason."""
    call(api, "responses.retrieve", way, response_id="resp_1")
    assert recording.only().name == "fetch_response"
    assert recording.some("gen_ai.usage.*", "gen_ai.request.*", "gen_ai.input.*") == {}
    assert recording.some("gen_ai.response.*", "gen_ai.operation.name", "openai.api.type") == {
        "gen_ai.operation.name": "fetch_response",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.model": REASONING_MODEL,
        "gen_ai.response.status": "completed",
        "gen_ai.response.finish_reasons": ("stop",),
        "openai.api.type": "responses",
    }
    assert recording.content("gen_ai.output.messages") == [ANSWER]


def test_a_resumed_stream_names_its_cursor(api: Api, recording: Recording) -> None:
    """Retrieving as a stream, from an event on, is a stream with its cursor."""
    call(api, "responses.retrieve", response_id="resp_1", stream=True, starting_after=3)
    assert recording.some("gen_ai.request.*", "hansei.*", "gen_ai.usage.*") == {
        "gen_ai.request.stream": True,
        "gen_ai.request.stream_cursor": "3",
        "hansei.stream.outcome": "finished",
    }


def test_a_fetched_failure_is_no_failure_to_fetch(api: Api, recording: Recording) -> None:
    """What failed when it was made is a status; the fetch went well."""
    api.answer(Reply.json(response(status="failed", error={"code": "server_error", "message": "No."})))
    call(api, "responses.retrieve", response_id="resp_1")
    assert recording.only().status.status_code is StatusCode.UNSET
    assert recording.some("error.type", "gen_ai.response.status", "gen_ai.response.finish_reasons") == {
        "gen_ai.response.status": "failed",
        "gen_ai.response.finish_reasons": ("error",),
    }


def test_cancelled_and_compacted(api: Api, recording: Recording) -> None:
    """A cancelled response is named by its id; to compact a conversation is a chat, with its usage."""
    call(api, "responses.cancel", response_id="resp_1")
    call(api, "responses.compact", model="gpt-5-mini", input="What?")
    cancelled, compacted = recording.spans()
    assert (cancelled.name, compacted.name) == ("cancel_response", "chat gpt-5-mini")
    assert cancelled.attributes is not None
    assert compacted.attributes is not None
    assert cancelled.attributes["gen_ai.response.status"] == "cancelled"
    assert cancelled.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert compacted.attributes["gen_ai.usage.input_tokens"] == 36


def test_the_beta_resource_is_the_same_request(api: Api, recording: Recording) -> None:
    """``client.beta.responses`` sends what ``client.responses`` does, and is recorded as such."""
    call(api, "beta.responses.create", model="gpt-5-mini", input="What?", stream=True)
    assert recording.only().name == "chat gpt-5-mini"
    assert recording.attributes()["hansei.stream.outcome"] == "finished"


def test_what_the_last_event_says_stands(api: Api, recording: Recording) -> None:
    """Pieces are no more than a substitute for the whole response."""
    api.answer(Reply.events(*RESPONSE_EVENTS, text_delta(" More."), COMPLETED_EVENT, done=False))
    call(api, "responses.create", model="m", input="What?", stream=True)
    assert recording.content("gen_ai.output.messages") == [ANSWER]

"""What a span says about a chat completion that succeeded."""

import json
from typing import Any

import pytest
from openai import AzureOpenAI, OpenAI
from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from hansei.instrumentation import instrument, session

from .conftest import ModelServer, Spans, choice, completion

QUESTION: list[Any] = [
    {"role": "system", "content": "Answer in one sentence."},
    {"role": "user", "content": "What is Kumo One?", "name": "ana"},
]


def test_a_call_is_one_client_span_with_the_conventions_attributes(
    client: OpenAI, server: ModelServer, bare: Spans
) -> None:
    """Nothing is missing from the span of a call that uses every setting, and nothing is added."""
    server.answer(
        completion(
            service_tier="default",
            system_fingerprint="fp_1",
            usage={
                "prompt_tokens": 210,
                "completion_tokens": 40,
                "total_tokens": 250,
                "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 3, "cache_write_tokens": 7},
                "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0},
            },
        )
    )
    client.chat.completions.create(
        model="gpt-4o-mini",
        messages=QUESTION,
        temperature=0,
        top_p=0.9,
        max_completion_tokens=200,
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=-0.2,
        stop=["END", "STOP"],
        reasoning_effort="low",
        response_format={"type": "json_object"},
        service_tier="flex",
        extra_body={"top_k": 40},
    )
    span = bare.only()
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-4o-mini", SpanKind.CLIENT, StatusCode.UNSET)
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "hansei.instrumentation"
    assert span.events == ()
    assert bare.attributes() == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "server.address": "127.0.0.1",
        "server.port": int(server.url.split(":")[2].removesuffix("/v1")),
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40.0,
        "gen_ai.request.max_tokens": 200,
        "gen_ai.request.seed": 7,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": -0.2,
        "gen_ai.request.stop_sequences": ("END", "STOP"),
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.output.type": "json",
        "openai.api.type": "chat_completions",
        "openai.request.service_tier": "flex",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 210,
        "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.cache_read.input_tokens": 128,
        "gen_ai.usage.cache_write.input_tokens": 7,
        "gen_ai.usage.audio.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 30,
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_1",
    }


def test_settings_that_were_not_given_have_no_attribute(client: OpenAI, bare: Spans) -> None:
    """A default is the server's to choose, so none is recorded; n=1 and service_tier=auto say nothing either."""
    client.chat.completions.create(model="m", messages=QUESTION, n=1, service_tier="auto", stop=None, seed=None)
    assert {name for name in bare.attributes() if ".request." in name} == {"gen_ai.request.model"}


def test_prompt_and_answer_are_messages_of_parts(client: OpenAI, recorded: Spans) -> None:
    """The system message stays in the history that it is part of; the answer carries its finish reason."""
    client.chat.completions.create(model="m", messages=QUESTION)
    found = recorded.attributes()
    assert json.loads(found["gen_ai.input.messages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "Answer in one sentence."}]},
        {"role": "user", "parts": [{"type": "text", "content": "What is Kumo One?"}], "name": "ana"},
    ]
    assert json.loads(found["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "A coffee machine."}], "finish_reason": "stop"}
    ]
    assert "gen_ai.system_instructions" not in found


def test_without_content_no_word_of_the_conversation_is_on_the_span(client: OpenAI, bare: Spans) -> None:
    """Not in messages, not in tools, not anywhere."""
    client.chat.completions.create(model="m", messages=QUESTION, tools=[TOOL])
    assert "Kumo" not in bare.only().to_json()
    assert "coffee" not in bare.only().to_json()
    assert "get_weather" not in bare.only().to_json()


TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def test_tool_calls_are_parts_on_both_sides(client: OpenAI, server: ModelServer, recorded: Spans) -> None:
    """Arguments become JSON values; the history may hold the client's own message objects."""
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
    server.answer(completion(choices=[choice(finish_reason="tool_calls", content=None, tool_calls=[call])]))
    first = client.chat.completions.create(model="m", messages=QUESTION, tools=[TOOL])
    server.answer(completion())
    tool_answer = {"role": "tool", "tool_call_id": "call_1", "content": "57°F"}
    client.chat.completions.create(model="m", messages=[*QUESTION, first.choices[0].message, tool_answer], tools=[TOOL])

    part = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}
    asked, answered = (dict(span.attributes or {}) for span in recorded.all())
    assert json.loads(asked["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [part], "finish_reason": "tool_call"}
    ]
    assert asked["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert json.loads(asked["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "get_weather", **{k: TOOL["function"][k] for k in ("description", "parameters")}}
    ]
    assert json.loads(answered["gen_ai.input.messages"])[2:] == [
        {"role": "assistant", "parts": [part]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "57°F"}]},
    ]
    assert "57°F" in answered["gen_ai.input.messages"]


def test_each_choice_is_a_message(client: OpenAI, server: ModelServer, recorded: Spans) -> None:
    """Two choices are two messages and two finish reasons."""
    server.answer(completion(choices=[choice(0, content="One."), choice(1, "length", content="Tw")]))
    client.chat.completions.create(model="m", messages=QUESTION, n=2)
    found = recorded.attributes()
    assert found["gen_ai.request.choice.count"] == 2
    assert found["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert [message["finish_reason"] for message in json.loads(found["gen_ai.output.messages"])] == ["stop", "length"]


def test_the_span_is_current_during_the_call_and_not_after(client: OpenAI, recorded: Spans) -> None:
    """What is called inside nests, what comes later does not."""
    tracer = recorded.provider.get_tracer("application")
    seen = []
    client._client.event_hooks["request"].append(lambda _: seen.append(trace.get_current_span().get_span_context()))
    with tracer.start_as_current_span("turn") as turn:
        before = context.get_current()
        client.chat.completions.create(model="m", messages=QUESTION)
        assert context.get_current() == before
    chat = recorded.all()[0]
    assert seen == [chat.get_span_context()]
    assert chat.parent == turn.get_span_context()


def test_session_and_user_travel_in_baggage(client: OpenAI, bare: Spans) -> None:
    """They are on the calls of the block, and on no call after it."""
    with session("s-1", user_id="ana"):
        client.chat.completions.create(model="m", messages=QUESTION)
    with session("s-2", conversation_id="c-2"):
        client.chat.completions.create(model="m", messages=QUESTION)
    client.chat.completions.create(model="m", messages=QUESTION)
    names = ("session.id", "gen_ai.conversation.id", "user.id")
    assert [tuple((span.attributes or {}).get(name) for name in names) for span in bare.all()] == [
        ("s-1", "s-1", "ana"),
        ("s-2", "c-2", None),
        (None, None, None),
    ]


def test_a_suppressed_call_passes_through(client: OpenAI, bare: Spans) -> None:
    """It works as without hansei, and has no span."""
    with suppress_instrumentation():
        assert client.chat.completions.create(model="m", messages=QUESTION).id == "chatcmpl-1"
    assert bare.all() == ()


def test_a_call_that_is_not_sampled_is_not_read(client: OpenAI, spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody will see is not computed."""
    operation = "hansei.instrumentation.operations.chat.ChatCompletion"
    for step in ("request_content", "describe_response", "response_content"):
        monkeypatch.setattr(f"{operation}.{step}", lambda *_: pytest.fail("what nobody will see was read"))
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    instrument(tracer_provider=provider, capture_content=True, metrics="none")
    assert client.chat.completions.create(model="m", messages=QUESTION).id == "chatcmpl-1"


def test_an_azure_client_is_azure_whatever_its_host(server: ModelServer, bare: Spans) -> None:
    """The client knows what it speaks to, even through a gateway."""
    with AzureOpenAI(base_url=server.url, api_key="key", api_version="2024-10-21") as client:
        client.chat.completions.create(model="m", messages=QUESTION)
    assert bare.attributes()["gen_ai.provider.name"] == "azure.ai.openai"

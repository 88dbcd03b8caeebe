"""Chat completions, in every way of calling and every shape of answer."""

import json
from typing import Any

import pytest
from openai import AzureOpenAI, OpenAI
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel

from hansei.instrumentation.content import Content

from . import recorded, replay
from .recorded import AZURE_FIRST_CHUNK, CHAT_CHUNKS, GRAMMAR_CALL, USAGE_CHUNK, WEATHER_CALL, chat, choice, chunk
from .replay import WAYS, Api, Recording, Reply, call

listening, api, recording, bare = replay.listening, replay.api, replay.recording, replay.bare

QUESTION: list[Any] = [{"role": "user", "content": "What is Kumo One?"}]
ANSWER = [
    {"role": "assistant", "parts": [{"type": "text", "content": "A coffee machine."}], "finish_reason": "stop"},
]
USAGE = {
    "gen_ai.usage.input_tokens": 210,
    "gen_ai.usage.output_tokens": 40,
    "gen_ai.usage.cache_read.input_tokens": 128,
    "gen_ai.usage.audio.input_tokens": 3,
    "gen_ai.usage.reasoning.output_tokens": 30,
    "gen_ai.usage.audio.output_tokens": 4,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
def test_each_way_of_calling_records_the_same(api: Api, recording: Recording, way: str, stream: bool) -> None:
    """Sync, async, raw and streaming responses, whole and streamed: one span that says the same."""
    streaming: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    call(
        api, "chat.completions.create", way,
        model="gpt-4o-mini", messages=QUESTION, reasoning_effort="low", service_tier="flex", n=2, seed=7, **streaming,
    )  # fmt: skip
    span = recording.only()
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-4o-mini", SpanKind.CLIENT, StatusCode.UNSET)
    found = recording.attributes()
    first_chunk = found.pop("gen_ai.response.time_to_first_chunk", None)
    assert json.loads(found.pop("gen_ai.input.messages"))[0]["parts"] == [
        {"type": "text", "content": "What is Kumo One?"}
    ]
    assert json.loads(found.pop("gen_ai.output.messages")) == ANSWER
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.seed": 7,
        "server.address": "127.0.0.1",
        "server.port": api.port,
        "openai.api.type": "chat_completions",
        "openai.request.service_tier": "flex",
        "openai.response.system_fingerprint": "fp_1",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": recorded.CHAT_MODEL,
        "gen_ai.response.finish_reasons": ("stop",),
        **USAGE,
    }
    if stream:
        assert first_chunk is not None
        assert 0 < first_chunk < 5
        expected |= {"gen_ai.request.stream": True, "hansei.stream.outcome": "finished"}
    else:
        assert first_chunk is None
        expected |= {"openai.response.service_tier": "default", "http.response.header.x-request-id": ("req_1",)}
    assert found == expected


@pytest.mark.parametrize("way", ["sync", "async"])
def test_parse_records_a_structured_output(api: Api, recording: Recording, way: str) -> None:
    """``.parse()`` is a chat whose output is JSON, and the application still gets its object."""

    class Machine(BaseModel):
        name: str

    api.answer(Reply.json(chat(choices=[choice(content='{"name":"Kumo"}')])))
    answer = call(api, "chat.completions.parse", way, model="m", messages=QUESTION, response_format=Machine)
    assert answer.choices[0].message.parsed == Machine(name="Kumo")
    assert recording.some("gen_ai.output.type", "gen_ai.operation.name") == {
        "gen_ai.operation.name": "chat",
        "gen_ai.output.type": "json",
    }


def test_stream_helper_is_one_finished_stream(api: Api, recording: Recording) -> None:
    """``.stream()`` hands out its own events; the span has what they amount to."""
    with (
        OpenAI(base_url=api.url, api_key="key") as client,
        client.chat.completions.stream(model="m", messages=QUESTION) as stream,
    ):
        assert "content.done" in [event.type for event in stream]
        assert stream.get_final_completion().choices[0].message.content == "A coffee machine."
    assert recording.attributes()["hansei.stream.outcome"] == "finished"
    assert recording.content("gen_ai.output.messages") == ANSWER


CALLS = [
    ([WEATHER_CALL], {"name": "get_weather", "id": "call_1", "arguments": {"city": "Paris"}}),
    ([GRAMMAR_CALL], {"name": "write_sql", "id": "call_2", "arguments": "SELECT 1"}),
]
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}},
    {"type": "custom", "custom": {"name": "write_sql", "description": "SQL"}},
]


@pytest.mark.parametrize(("calls", "part"), CALLS, ids=["function", "custom"])
def test_tools_and_their_calls(api: Api, recording: Recording, calls: list[Any], part: dict[str, Any]) -> None:
    """Functions and custom tools are defined by type and name, and called by id, name and arguments."""
    api.answer(Reply.json(chat(choices=[choice(finish_reason="tool_calls", tool_calls=calls)])))
    call(api, "chat.completions.create", model="m", messages=QUESTION, tools=TOOLS)
    assert recording.content("gen_ai.tool.definitions") == [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}},
        {"type": "custom", "name": "write_sql", "description": "SQL"},
    ]
    assert recording.content("gen_ai.output.messages") == [
        {"role": "assistant", "parts": [{"type": "tool_call", **part}], "finish_reason": "tool_call"}
    ]


def _pieces(indexed: bool, call: dict[str, Any], kind: str, said: str) -> list[Any]:
    place = {"index": 0} if indexed else {}
    whole = call[kind][said]
    first = {**place, **call, kind: {**call[kind], said: whole[:3]}}
    deltas = [first, {**place, kind: {said: whole[3:]}}]
    return [chunk({"tool_calls": [delta]}) for delta in deltas] + [chunk({}, finish_reason="tool_calls")]


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    ("called", "kind", "said"), [(WEATHER_CALL, "function", "arguments"), (GRAMMAR_CALL, "custom", "input")]
)
def test_streamed_tool_calls_are_put_together(
    api: Api, recording: Recording, indexed: bool, called: dict[str, Any], kind: str, said: str
) -> None:
    """Deltas of a call make one call, also from servers that leave the index out."""
    api.answer(Reply.events(*_pieces(indexed, called, kind, said)))
    call(api, "chat.completions.create", model="m", messages=QUESTION, stream=True)
    (part,) = recording.content("gen_ai.output.messages")[0]["parts"]
    assert (part["type"], part["id"], part["name"]) == ("tool_call", called["id"], called[kind]["name"])
    assert part["arguments"] in ({"city": "Paris"}, "SELECT 1")
    assert recording.attributes()["gen_ai.response.finish_reasons"] == ("tool_calls",)


def test_two_streamed_calls_without_index_stay_apart(api: Api, recording: Recording) -> None:
    """A new id is a new call, where the server numbers none."""
    second = {**WEATHER_CALL, "id": "call_9"}
    api.answer(Reply.events(chunk({"tool_calls": [WEATHER_CALL]}), chunk({"tool_calls": [second]}), CHAT_CHUNKS[-1]))
    call(api, "chat.completions.create", model="m", messages=QUESTION, stream=True)
    (message,) = recording.content("gen_ai.output.messages")
    assert [(part["id"], part["arguments"]) for part in message["parts"]] == [
        ("call_1", {"city": "Paris"}),
        ("call_9", {"city": "Paris"}),
    ]


def test_each_choice_has_its_place(api: Api, recording: Recording) -> None:
    """The reasons stand in the order of the choices; one that gave none stands as an error."""
    choices = [choice(0, "stop", content="One."), choice(1, None, content="Tw"), choice(2, "length", content="Th")]
    api.answer(Reply.json(chat(choices=choices)))
    call(api, "chat.completions.create", model="m", messages=QUESTION, n=3)
    assert recording.attributes()["gen_ai.response.finish_reasons"] == ("stop", "error", "length")
    assert [message["parts"][0]["content"] for message in recording.content("gen_ai.output.messages")] == [
        "One.",
        "Tw",
        "Th",
    ]


def test_interleaved_choices_of_a_stream(api: Api, recording: Recording) -> None:
    """Chunks of two choices that come in turns are two messages."""
    said = [chunk({"content": text}, index=index) for index, text in ((0, "A"), (1, "X"), (0, "B"), (1, "Y"))]
    ends = [chunk({}, index=0, finish_reason="stop"), chunk({}, index=1, finish_reason="length")]
    api.answer(Reply.events(*said, *ends))
    call(api, "chat.completions.create", model="m", messages=QUESTION, n=2, stream=True)
    messages = recording.content("gen_ai.output.messages")
    assert [message["parts"][0]["content"] for message in messages] == ["AB", "XY"]
    assert recording.attributes()["gen_ai.response.finish_reasons"] == ("stop", "length")


MESSAGES = [
    ({"refusal": "I cannot."}, [{"type": "text", "content": "I cannot."}]),
    (
        {"audio": {"id": "a", "data": "UklG", "expires_at": 1, "transcript": "Hello."}},
        [{"type": "blob", "modality": "audio", "mime_type": None, "content": "UklG", "transcript": "Hello."}],
    ),
    (
        {"reasoning_content": "Hm.", "content": "Yes."},
        [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Yes."}],
    ),
]


@pytest.mark.parametrize(("message", "parts"), MESSAGES, ids=["refusal", "audio", "reasoning"])
def test_what_a_model_may_answer(api: Api, recording: Recording, message: Any, parts: Any) -> None:
    """A refusal, a sound and the thinking of compatible servers are parts of the message."""
    logprobs = {"content": [{"token": "A", "logprob": -0.1, "bytes": [65], "top_logprobs": []}], "refusal": None}
    api.answer(Reply.json(chat(choices=[{**choice(**message), "logprobs": logprobs}])))
    call(api, "chat.completions.create", model="m", messages=QUESTION, logprobs=True)
    assert recording.content("gen_ai.output.messages")[0]["parts"] == parts


def test_audio_asked_for_is_speech(api: Api, recording: Recording) -> None:
    """A request for sound has ``speech`` as its output type."""
    wanted: dict[str, Any] = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    call(api, "chat.completions.create", model="gpt-audio", messages=QUESTION, **wanted)
    assert recording.attributes()["gen_ai.output.type"] == "speech"


def test_a_stream_without_usage_has_none(api: Api, recording: Recording) -> None:
    """Nothing is made up where the server counts nothing; the stream is finished all the same."""
    api.answer(Reply.events(*CHAT_CHUNKS))
    call(api, "chat.completions.create", model="m", messages=QUESTION, stream=True)
    assert recording.some("gen_ai.usage.*", "hansei.stream.outcome") == {"hansei.stream.outcome": "finished"}


def test_azure_stream_has_its_model(api: Api, recording: Recording) -> None:
    """The first chunk, with a filter's verdict alone, is not what the answer is named after."""
    api.answer(Reply.events(AZURE_FIRST_CHUNK, *CHAT_CHUNKS, USAGE_CHUNK))
    with AzureOpenAI(azure_endpoint=api.url, api_key="key", api_version="2024-10-21") as client:
        list(client.chat.completions.create(model="deployment", messages=QUESTION, stream=True))
    assert api.requests[0][1].startswith("/v1/openai/deployments/deployment/chat/completions")
    assert recording.some("gen_ai.response.*el", "gen_ai.response.id", "gen_ai.provider.name") == {
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.response.model": recorded.CHAT_MODEL,
        "gen_ai.response.id": "chatcmpl-1",
    }


@pytest.mark.parametrize("way", ["raw", "streaming"])
def test_a_compressed_body_is_read(api: Api, recording: Recording, way: str) -> None:
    """Gzip on the wire is no different to the span."""
    api.answer(Reply.json(chat()).zipped())
    answer = call(api, "chat.completions.create", way, model="m", messages=QUESTION)
    assert answer.id == "chatcmpl-1"
    assert recording.some("gen_ai.usage.*") == USAGE
    assert recording.content("gen_ai.output.messages") == ANSWER


@pytest.mark.parametrize("stream", [False, True])
def test_long_texts_are_cut_visibly(api: Api, stream: bool) -> None:
    """Prompt, answer and arguments keep their beginning and say how much is missing."""
    with Recording().on(Content(on_spans=True, max_length=4)) as recording:
        question = [{"role": "user", "content": "What?!"}]
        call(api, "chat.completions.create", model="m", messages=question, stream=stream)
    assert recording.content("gen_ai.input.messages")[0]["parts"][0]["content"] == "What… [2 characters left out]"
    answered = recording.content("gen_ai.output.messages")[0]["parts"][0]["content"]
    assert answered == "A co… [13 characters left out]"


def test_without_content_no_word_of_it_is_kept(api: Api, bare: Recording) -> None:
    """A stream of which only the numbers are wanted leaves the numbers alone."""
    call(api, "chat.completions.create", model="m", messages=QUESTION, tools=TOOLS, stream=True)
    assert not bare.some("*messages", "*definitions")
    assert "coffee" not in bare.only().to_json()
    assert bare.some("gen_ai.usage.*") == USAGE

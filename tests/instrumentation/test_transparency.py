"""The request that the server gets is the one that it would get without hansei."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessage

from .conftest import ModelServer, Spans


def spoken() -> Iterator[dict[str, str]]:
    """Messages that can be read once."""
    yield {"role": "system", "content": "Be brief."}
    yield {"role": "user", "content": "What is Kumo One?"}


def parts() -> Iterator[dict[str, str]]:
    """Content parts that can be read once."""
    yield {"type": "text", "text": "What is Kumo One?"}


def tools() -> Iterator[dict[str, Any]]:
    """Tools that can be read once."""
    yield {"type": "function", "function": {"name": "look_up"}}


REQUESTS: dict[str, Callable[[], dict[str, Any]]] = {
    "messages from a generator": lambda: {"messages": spoken()},
    "messages from a map": lambda: {"messages": map(dict, spoken())},
    "content from a generator": lambda: {"messages": [{"role": "user", "content": parts()}]},
    "tools from a generator": lambda: {"messages": list(spoken()), "tools": tools()},
    "tool calls from a generator": lambda: {
        "messages": [{"role": "assistant", "tool_calls": (call for call in [{"id": "1", "type": "function"}])}]
    },
    "a tuple": lambda: {"messages": tuple(spoken())},
    "a model's own message": lambda: {"messages": [ChatCompletionMessage(role="assistant", content="Hello.")]},
    "extra body and headers": lambda: {
        "messages": list(spoken()),
        "extra_body": {"top_k": 3, "model": "other"},
        "extra_headers": {"x-tenant": "kumo"},
    },
    "words of every script": lambda: {"messages": [{"role": "user", "content": "反省 \U0001f33f é"}]},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_server_gets_the_same_bytes(client: OpenAI, server: ModelServer, recorded: Spans, name: str) -> None:
    """Byte for byte, whatever the application passes."""
    client.chat.completions.create(**{"model": "m", **REQUESTS[name]()})
    with recorded.paused():
        client.chat.completions.create(**{"model": "m", **REQUESTS[name]()})
    observed, plain = server.requests
    assert observed == plain
    assert len(recorded.all()) == 1


def test_messages_that_can_be_read_once_are_recorded_as_they_were_sent(client: OpenAI, recorded: Spans) -> None:
    """The client has made a list of them when they are read."""
    client.chat.completions.create(model="m", messages=spoken())  # type: ignore[arg-type]
    assert [message["role"] for message in json.loads(recorded.attributes()["gen_ai.input.messages"])] == [
        "system",
        "user",
    ]


def test_a_wrong_call_gets_the_clients_own_error(client: OpenAI, recorded: Spans) -> None:
    """hansei has no opinion on arguments."""
    with recorded.paused(), pytest.raises(TypeError) as plain:
        client.chat.completions.create("m")  # type: ignore[call-overload, misc]
    with pytest.raises(TypeError) as observed:
        client.chat.completions.create("m")  # type: ignore[call-overload, misc]
    assert str(observed.value) == str(plain.value)


def test_the_arguments_are_the_applications_still(client: OpenAI, recorded: Spans) -> None:
    """Nothing that was passed is changed."""
    messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    extra = {"top_k": 3}
    client.chat.completions.create(model="m", messages=messages, extra_body=extra)
    assert messages == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    assert extra == {"top_k": 3}

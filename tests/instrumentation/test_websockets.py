"""Responses over a WebSocket, from a server that speaks the API's events."""

import asyncio
import gc
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from opentelemetry.trace import StatusCode
from websockets.sync.server import Server, ServerConnection, serve

from .conftest import Spans

ANSWER: dict[str, Any] = {
    "id": "resp_1",
    "object": "realtime.response",
    "status": "completed",
    "output": [
        {
            "id": "item_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_audio", "transcript": "A coffee machine."}],
        }
    ],
    "usage": {
        "input_tokens": 30,
        "output_tokens": 40,
        "total_tokens": 70,
        "input_token_details": {"cached_tokens": 8, "text_tokens": 10, "audio_tokens": 20},
        "output_token_details": {"text_tokens": 15, "audio_tokens": 25},
    },
}
Talk = Callable[[ServerConnection], None]
# openai 3.54 calls websockets in its older way.
pytestmark = pytest.mark.filterwarnings("ignore:connect\\(\\) must be used:DeprecationWarning")


def say(connection: ServerConnection, **event: Any) -> None:
    connection.send(json.dumps({"event_id": "event_1", **event}))


def begin(connection: ServerConnection) -> None:
    """Open a session, and the response that is asked for."""
    say(connection, type="session.created", session={"type": "realtime", "model": "gpt-realtime"})
    connection.recv()
    say(connection, type="response.created", response={**ANSWER, "status": "in_progress", "output": [], "usage": None})


def answer(connection: ServerConnection) -> None:
    begin(connection)
    say(connection, type="response.done", response=ANSWER)


def refuse(connection: ServerConnection) -> None:
    say(connection, type="session.created", session={"type": "realtime", "model": "gpt-realtime"})
    connection.recv()
    say(connection, type="error", error={"type": "invalid_request_error", "code": "no_session", "message": "No."})


@pytest.fixture
def realtime() -> Iterator[Callable[[Talk], str]]:
    """``realtime(talk)``: the URL of a server that says what ``talk`` says to each who connects."""
    servers: list[tuple[Server, threading.Thread]] = []

    def start(talk: Talk) -> str:
        server = serve(talk, "127.0.0.1", 0)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()


def ask(url: str, until: str) -> None:
    """One response of a connection, read to an event."""
    with (
        OpenAI(api_key="key", websocket_base_url=url) as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        connection.recv()
        connection.response.create(response={"instructions": "Be brief.", "output_modalities": ["audio"]})
        while connection.recv().type != until:
            pass


def test_a_response_of_a_connection_is_a_call(realtime: Callable[[Talk], str], recorded: Spans) -> None:
    """From the request for it to the event with its usage; the connection itself is none."""
    url = realtime(answer)
    ask(url, "response.done")
    found = recorded.attributes()
    assert recorded.only().name == "chat gpt-realtime"
    assert recorded.only().status.status_code is StatusCode.UNSET
    expected = {
        "gen_ai.operation.name": "chat",
        "openai.api.type": "realtime",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.output.type": "speech",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.cache_read.input_tokens": 8,
        "gen_ai.usage.audio.input_tokens": 20,
        "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.audio.output_tokens": 25,
        "server.address": "127.0.0.1",
        "server.port": int(url.split(":")[2].removesuffix("/v1")),
        "hansei.stream.outcome": "finished",
    }
    assert expected.items() <= found.items()
    assert json.loads(found["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(found["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "A coffee machine."}], "finish_reason": "stop"}
    ]


def test_an_asynchronous_connection_is_observed_too(realtime: Callable[[Talk], str], recorded: Spans) -> None:
    """The server may answer unasked: it has heard that somebody stopped speaking."""

    def unasked(connection: ServerConnection) -> None:
        say(connection, type="response.created", response={**ANSWER, "status": "in_progress"})
        say(connection, type="response.done", response=ANSWER)

    async def listen() -> None:
        async with (
            AsyncOpenAI(api_key="key", websocket_base_url=realtime(unasked)) as client,
            client.realtime.connect(model="gpt-realtime") as connection,
        ):
            while (await connection.recv()).type != "response.done":
                pass

    asyncio.run(listen())
    assert recorded.attributes()["gen_ai.usage.output_tokens"] == 40


def test_a_refused_request_is_an_error(realtime: Callable[[Talk], str], recorded: Spans) -> None:
    """The span has the error's code."""
    ask(realtime(refuse), "error")
    assert recorded.only().status.status_code is StatusCode.ERROR
    assert recorded.attributes()["error.type"] == "no_session"


def test_a_response_that_is_not_read_to_its_end_is_cancelled_with_the_connection(
    realtime: Callable[[Talk], str], recorded: Spans
) -> None:
    """No span stays open."""
    ask(realtime(begin), "response.created")
    gc.collect()
    assert recorded.attributes()["hansei.stream.outcome"] == "cancelled"
    assert recorded.only().status.status_code is StatusCode.UNSET


def test_uninstrumented_connections_have_their_own_methods_back(recorded: Spans) -> None:
    """Those that they inherit are inherited again."""
    from openai.resources.realtime.realtime import RealtimeConnection

    observed = {name: vars(RealtimeConnection).get(name) for name in ("send", "parse_event", "close")}
    with recorded.paused():
        plain = {name: vars(RealtimeConnection).get(name) for name in observed}
        assert "close" in vars(RealtimeConnection) or hasattr(RealtimeConnection, "close")
    assert all(observed[name] is not plain[name] for name in observed)
    assert {name: vars(RealtimeConnection).get(name) for name in observed} != plain

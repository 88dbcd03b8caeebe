"""What is kept at the provider: stores, conversations, threads; and all requests that are no operation of a model."""

from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from . import replay
from .recorded import CHAT_MODEL
from .replay import WAYS, Api, Recording, call

listening, api, recording, bare = replay.listening, replay.api, replay.recording, replay.bare


@pytest.mark.parametrize("way", ["sync", "raw"])
def test_vector_store_search(api: Api, recording: Recording, way: str) -> None:
    """A search is a retrieval from its store, with query, limit and the documents that were found."""
    call(
        api, "vector_stores.search", way,
        vector_store_id="vs_1", query=["What is", "Kumo One?"], max_num_results=3,
    )  # fmt: skip
    assert recording.only().name == "retrieval vs_1"
    assert recording.some("gen_ai.operation.name", "gen_ai.data_source.id", "*.top_k") == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "vs_1",
        "gen_ai.retrieval.top_k": 3,
    }
    assert recording.attributes()["gen_ai.retrieval.query.text"] == "What is\nKumo One?"
    assert recording.content("gen_ai.retrieval.documents") == [
        {"id": "file-1", "score": 0.95, "content": "Kumo One is a coffee machine."}
    ]


def test_vector_store_search_without_content(api: Api, bare: Recording) -> None:
    """Neither question nor documents are on the span."""
    call(api, "vector_stores.search", vector_store_id="vs_1", query="Kumo?")
    assert bare.some("gen_ai.retrieval.query.text", "gen_ai.retrieval.documents") == {}
    assert "Kumo" not in bare.only().to_json()


ITEMS: list[Any] = [{"type": "message", "role": "user", "content": "Good morning."}]
CONVERSATIONS: list[tuple[str, dict[str, Any], str]] = [
    ("conversations.create", {"items": ITEMS}, "POST /conversations"),
    ("conversations.retrieve", {"conversation_id": "conv_1"}, "GET /conversations/{id}"),
    ("conversations.items.create", {"conversation_id": "conv_1", "items": ITEMS}, "POST /conversations/{id}/items"),
    ("conversations.delete", {"conversation_id": "conv_1"}, "DELETE /conversations/{id}"),
]


@pytest.mark.parametrize(("method", "arguments", "name"), CONVERSATIONS, ids=[row[0] for row in CONVERSATIONS])
def test_conversations(api: Api, recording: Recording, method: str, arguments: dict[str, Any], name: str) -> None:
    """They are requests with the conversation's id; items that are sent are messages."""
    call(api, method, **arguments)
    assert recording.only().name == name
    assert recording.attributes()["gen_ai.conversation.id"] == "conv_1"
    if "items" in arguments:
        assert recording.content("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Good morning."}]


@pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning")
@pytest.mark.parametrize("way", ["sync", "async", "raw"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("method", "arguments"),
    [("beta.threads.runs.create", {"thread_id": "thread_1"}), ("beta.threads.create_and_run", {})],
)
def test_assistants(
    api: Api, recording: Recording, way: str, stream: bool, method: str, arguments: dict[str, Any]
) -> None:
    """A run invokes the assistant in its thread, which is the conversation."""
    settings = {"stream": True} if stream else {}
    call(api, method, way, assistant_id="asst_1", instructions="Be brief.", **arguments, **settings)
    assert recording.only().name == "invoke_agent"
    assert recording.only().kind is SpanKind.CLIENT
    wanted = ("gen_ai.agent.id", "gen_ai.conversation.id", "gen_ai.usage.*", "hansei.*")
    assert recording.some("gen_ai.response.model", "gen_ai.response.id", *wanted) == {
        "gen_ai.agent.id": "asst_1",
        "gen_ai.conversation.id": "thread_1",
        "gen_ai.response.id": "run_1",
        "gen_ai.response.model": CHAT_MODEL,
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 10,
        **({"hansei.stream.outcome": "finished"} if stream else {}),
    }


JSONL = ("a.jsonl", b"{}\n", "application/jsonl")
GENERAL: list[tuple[str, dict[str, Any], str]] = [
    (
        "batches.create",
        {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"},
        "POST /batches",
    ),
    ("batches.retrieve", {"batch_id": "batch_1"}, "GET /batches/{id}"),
    ("files.create", {"file": JSONL, "purpose": "batch"}, "POST /files"),
    ("files.content", {"file_id": "file-1"}, "GET /files/{id}/content"),
    ("files.delete", {"file_id": "file-1"}, "DELETE /files/{id}"),
    ("fine_tuning.jobs.create", {"model": "m", "training_file": "file-1"}, "POST /fine_tuning/jobs"),
    ("fine_tuning.jobs.cancel", {"fine_tuning_job_id": "ftjob-1"}, "POST /fine_tuning/jobs/{id}/cancel"),
    ("uploads.create", {"bytes": 5, "filename": "a", "mime_type": "b", "purpose": "batch"}, "POST /uploads"),
    ("containers.create", {"name": "c"}, "POST /containers"),
    ("videos.create", {"prompt": "A coffee machine", "model": "sora-2"}, "POST /videos"),
    ("responses.delete", {"response_id": "resp_1"}, "DELETE /responses/{id}"),
]


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("method", "arguments", "name"), GENERAL, ids=[row[0] for row in GENERAL])
def test_all_other_requests(
    api: Api, recording: Recording, way: str, method: str, arguments: dict[str, Any], name: str
) -> None:
    """No request goes unseen: one that is no operation of a model has its method, path, server and outcome."""
    call(api, method, way, **arguments)
    verb, template = name.split()
    assert recording.only().name == name
    assert recording.only().kind is SpanKind.CLIENT
    assert recording.some(
        "gen_ai.operation.name", "http.request.*", "http.response.s*", "url.template", "server.*"
    ) == {
        "http.request.method": verb,
        "http.response.status_code": 200,
        "url.template": template,
        "server.address": "127.0.0.1",
        "server.port": api.port,
    }
    assert api.requests[0][:2] == (verb, "/v1" + recording.attributes()["url.path"])


@pytest.mark.parametrize("method", ["files.list", "models.list"])
def test_lists(api: Api, recording: Recording, method: str) -> None:
    """A page is one request."""
    call(api, method)
    assert recording.only().name == f"GET /{method.split('.')[0]}"

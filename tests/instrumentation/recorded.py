"""Answers in the shapes of OpenAI's API: one for each request that has no other answer waiting for it."""

import base64
import json
import struct
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

CHAT_MODEL = "gpt-4o-mini-2024-07-18"
REASONING_MODEL = "gpt-5-mini-2025-08-07"
WEATHER_CALL: Json = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
}
GRAMMAR_CALL: Json = {"id": "call_2", "type": "custom", "custom": {"name": "write_sql", "input": "SELECT 1"}}
FULL_USAGE: Json = {
    "prompt_tokens": 210,
    "completion_tokens": 40,
    "total_tokens": 250,
    "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 4},
}


def chat(**changes: Any) -> Json:
    """A chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1730000000,
        "model": CHAT_MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
        "choices": [choice(content="A coffee machine.")],
        "usage": FULL_USAGE,
        **changes,
    }


def choice(index: int = 0, finish_reason: str | None = "stop", **message: Any) -> Json:
    """One choice of a chat completion, with the fields of its message."""
    return {
        "index": index,
        "finish_reason": finish_reason,
        "logprobs": None,
        "message": {"role": "assistant", "content": None, "refusal": None, **message},
    }


def chunk(delta: Json | None = None, *, index: int = 0, finish_reason: str | None = None, **changes: Any) -> Json:
    """One chunk of a streamed chat completion."""
    choices = [] if delta is None else [{"index": index, "delta": delta, "finish_reason": finish_reason}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1730000000,
        "model": CHAT_MODEL,
        "system_fingerprint": "fp_1",
        "choices": choices,
        **changes,
    }


CHAT_CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "A coffee "}),
    chunk({"content": "machine."}),
    chunk({}, finish_reason="stop"),
]
USAGE_CHUNK = chunk(usage=FULL_USAGE)
AZURE_FIRST_CHUNK = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "choices": [],
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
}


def response(**changes: Any) -> Json:
    """A response, with a reasoning before its text."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1730000000,
        "status": "completed",
        "model": REASONING_MODEL,
        "service_tier": "default",
        "conversation": {"id": "conv_1"},
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [
            {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Kumo is a machine."}]},
            message_item("A coffee machine."),
        ],
        "usage": {
            "input_tokens": 36,
            "input_tokens_details": {"cached_tokens": 16},
            "output_tokens": 87,
            "output_tokens_details": {"reasoning_tokens": 64},
            "total_tokens": 123,
        },
        **changes,
    }


def message_item(said: str) -> Json:
    """A message among a response's output."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": said, "annotations": []}],
    }


def begun() -> Json:
    """The first event of a streamed response."""
    return {"type": "response.created", "sequence_number": 0, "response": response(status="in_progress", output=[])}


def text_delta(said: str, index: int = 1) -> Json:
    """A piece of its text."""
    return {
        "type": "response.output_text.delta",
        "item_id": "msg_1",
        "output_index": index,
        "content_index": 0,
        "delta": said,
        "logprobs": [],
        "sequence_number": 4,
    }


RESPONSE_EVENTS = [
    begun(),
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "sequence_number": 1,
        "item": {"id": "rs_1", "type": "reasoning", "summary": []},
    },
    {
        "type": "response.reasoning_summary_text.delta",
        "item_id": "rs_1",
        "output_index": 0,
        "summary_index": 0,
        "delta": "Kumo is a machine.",
        "sequence_number": 2,
    },
    {
        "type": "response.output_item.added",
        "output_index": 1,
        "sequence_number": 3,
        "item": {**message_item(""), "content": []},
    },
    {
        "type": "response.content_part.added",
        "item_id": "msg_1",
        "output_index": 1,
        "content_index": 0,
        "sequence_number": 3,
        "part": {"type": "output_text", "text": "", "annotations": []},
    },
    text_delta("A coffee "),
    text_delta("machine."),
]
COMPLETED_EVENT = {"type": "response.completed", "sequence_number": 9, "response": response()}
ERROR_EVENT = {"type": "error", "code": "server_error", "message": "No.", "param": None, "sequence_number": 9}


def error(message: str, code: str | None = None, kind: str = "invalid_request_error") -> Json:
    """The body of a refusal."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def vector(*numbers: float) -> str:
    """An embedding as base64 of 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def embeddings(embedding: Any) -> Json:
    """One embedding."""
    return {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": embedding}],
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }


def sse(events: Iterable[Any], *, done: bool = True) -> list[bytes]:
    """Server-sent events, one piece of the body each; a text goes as it is."""
    pieces = []
    for event in events:
        name = event.get("type") or event.get("event") if isinstance(event, dict) else None
        data = event if isinstance(event, str) else json.dumps(event.get("data", event))
        pieces.append((f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode())
    return [*pieces, b"data: [DONE]\n\n"] if done else pieces


def listed(*data: Json) -> Json:
    """A page of a list."""
    return {"object": "list", "data": list(data), "has_more": False, "first_id": None, "last_id": None}


def _image_usage() -> Json:
    return {
        "input_tokens": 50,
        "output_tokens": 4160,
        "total_tokens": 4210,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 4160},
    }


COMPLETION: Json = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1730000000,
    "model": "gpt-3.5-turbo-instruct",
    "choices": [{"index": 0, "text": " machine.", "finish_reason": "length", "logprobs": None}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
}
IMAGES: Json = {"created": 1730000000, "data": [{"b64_json": "aGVsbG8="}], "usage": _image_usage()}
IMAGE_EVENTS: list[Json] = [
    {"type": "image_generation.partial_image", "b64_json": "aGU=", "partial_image_index": 0},
    {"type": "image_generation.completed", "b64_json": "aGVsbG8=", "usage": _image_usage()},
]
TRANSCRIPTION: Json = {
    "text": "Good morning.",
    "usage": {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
        "output_tokens": 45,
        "total_tokens": 59,
    },
}
TRANSCRIPTION_EVENTS = [
    {"type": "transcript.text.delta", "delta": "Good morning."},
    {"type": "transcript.text.done", **TRANSCRIPTION},
]
SPEECH_EVENTS = [
    {"type": "speech.audio.delta", "audio": "aGU="},
    {"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}},
]
MODERATION: Json = {
    "id": "modr-1",
    "model": "omni-moderation-latest",
    "results": [{"flagged": True, "categories": {"violence": True}, "category_scores": {"violence": 0.9}}],
}
SEARCH: Json = {
    "object": "vector_store.search_results.page",
    "search_query": "What is Kumo One?",
    "data": [
        {
            "file_id": "file-1",
            "filename": "kumo.md",
            "score": 0.95,
            "attributes": {},
            "content": [{"type": "text", "text": "Kumo One is a coffee machine."}],
        }
    ],
    "has_more": False,
    "next_page": None,
}
CONVERSATION: Json = {"id": "conv_1", "object": "conversation", "created_at": 1730000000, "metadata": {}}
RUN: Json = {
    "id": "run_1",
    "object": "thread.run",
    "thread_id": "thread_1",
    "assistant_id": "asst_1",
    "status": "completed",
    "model": CHAT_MODEL,
    "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
}
RUN_EVENTS = [
    {"event": "thread.run.created", "data": {**RUN, "status": "queued", "usage": None}},
    {"event": "thread.message.delta", "data": {"id": "msg_1", "object": "thread.message.delta", "delta": {}}},
    {"event": "thread.run.completed", "data": RUN},
]
BATCH: Json = {"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "status": "validating"}
FILE: Json = {"id": "file-1", "object": "file", "bytes": 5, "filename": "a.jsonl", "purpose": "batch"}
JOB: Json = {"id": "ftjob-1", "object": "fine_tuning.job", "model": CHAT_MODEL, "status": "queued"}

ANSWERS: dict[tuple[str, str], Any] = {
    ("POST", "/chat/completions"): chat(),
    ("POST", "/responses"): response(),
    ("GET", "/responses/{id}"): response(),
    ("POST", "/responses/{id}/cancel"): response(status="cancelled", output=[], usage=None),
    ("POST", "/responses/compact"): {**response(), "object": "response.compaction"},
    ("DELETE", "/responses/{id}"): {"id": "resp_1", "object": "response", "deleted": True},
    ("POST", "/completions"): COMPLETION,
    ("POST", "/embeddings"): embeddings([0.1, 0.2, 0.3]),
    ("POST", "/images/generations"): IMAGES,
    ("POST", "/images/edits"): IMAGES,
    ("POST", "/images/variations"): {"created": 1730000000, "data": [{"url": "https://images.example/1.png"}]},
    ("POST", "/audio/speech"): b"\x00\x01sound",
    ("POST", "/audio/transcriptions"): TRANSCRIPTION,
    ("POST", "/audio/translations"): {"text": "Good morning."},
    ("POST", "/moderations"): MODERATION,
    ("POST", "/vector_stores/{id}/search"): SEARCH,
    ("POST", "/conversations"): CONVERSATION,
    ("GET", "/conversations/{id}"): CONVERSATION,
    ("DELETE", "/conversations/{id}"): {"id": "conv_1", "object": "conversation.deleted", "deleted": True},
    ("POST", "/conversations/{id}/items"): listed(message_item("Good morning.")),
    ("GET", "/conversations/{id}/items"): listed(message_item("Good morning.")),
    ("POST", "/batches"): BATCH,
    ("GET", "/batches/{id}"): BATCH,
    ("POST", "/files"): FILE,
    ("GET", "/files"): listed(FILE),
    ("GET", "/files/{id}/content"): b'{"custom_id":"1"}\n',
    ("DELETE", "/files/{id}"): {"id": "file-1", "object": "file", "deleted": True},
    ("POST", "/fine_tuning/jobs"): JOB,
    ("POST", "/fine_tuning/jobs/{id}/cancel"): {**JOB, "status": "cancelled"},
    ("POST", "/assistants"): {"id": "asst_1", "object": "assistant", "model": CHAT_MODEL},
    ("POST", "/threads"): {"id": "thread_1", "object": "thread"},
    ("POST", "/threads/{id}/runs"): RUN,
    ("POST", "/threads/runs"): RUN,
    ("POST", "/uploads"): {"id": "upload_1", "object": "upload", "status": "pending"},
    ("POST", "/containers"): {"id": "cntr_1", "object": "container", "name": "c"},
    ("POST", "/videos"): {"id": "video_1", "object": "video", "model": "sora-2", "status": "queued"},
    ("GET", "/models"): listed({"id": CHAT_MODEL, "object": "model"}),
}
"""What is answered to a request, by method and path below the base URL."""

STREAMS: dict[tuple[str, str], list[bytes]] = {
    ("POST", "/chat/completions"): sse([*CHAT_CHUNKS, USAGE_CHUNK]),
    ("POST", "/responses"): sse([*RESPONSE_EVENTS, COMPLETED_EVENT], done=False),
    ("GET", "/responses/{id}"): sse([*RESPONSE_EVENTS, COMPLETED_EVENT], done=False),
    ("POST", "/completions"): sse(
        [
            {**COMPLETION, "choices": [{"index": 0, "text": " mach", "finish_reason": None}], "usage": None},
            {**COMPLETION, "choices": [{"index": 0, "text": "ine.", "finish_reason": "length"}], "usage": None},
            {**COMPLETION, "choices": []},
        ]
    ),
    ("POST", "/images/generations"): sse(IMAGE_EVENTS, done=False),
    ("POST", "/images/edits"): sse(
        [{**event, "type": event["type"].replace("generation", "edit")} for event in IMAGE_EVENTS], done=False
    ),
    ("POST", "/audio/speech"): sse(SPEECH_EVENTS, done=False),
    ("POST", "/audio/transcriptions"): sse(TRANSCRIPTION_EVENTS, done=False),
    ("POST", "/threads/{id}/runs"): sse(RUN_EVENTS),
    ("POST", "/threads/runs"): sse(RUN_EVENTS),
}
"""The same for requests that ask for a stream."""

"""OpenAI's messages in the conventions' format."""

from typing import Any

import pytest

from hansei.instrumentation.json_text import json_text, parsed_or_text
from hansei.instrumentation.operations.chat_messages import input_messages, output_messages, tool_definitions


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"role": "user", "content": ""}, []),
        ({"role": "user", "content": None}, []),
        ({"role": "user", "content": ["a", {"type": "text", "text": "b"}]}, ["a", "b"]),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://kumo.example/a.png"}}]},
            [{"type": "uri", "modality": "image", "mime_type": None, "uri": "https://kumo.example/a.png"}],
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"}],
        ),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}]},
            [{"type": "blob", "modality": "audio", "mime_type": "audio/mpeg", "content": "AAAA"}],
        ),
        (
            {"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf"}}]},
            [{"type": "file", "modality": "document", "mime_type": "application/pdf", "file_id": "file-1"}],
        ),
        ({"role": "user", "content": [{"type": "hologram", "hologram": 1}]}, [{"type": "hologram"}]),
        ({"role": "assistant", "content": None, "refusal": "No."}, ["No."]),
        (
            {"role": "assistant", "content": "4", "reasoning_content": "2+2"},
            [{"type": "reasoning", "content": "2+2"}, "4"],
        ),
        (
            {
                "role": "assistant",
                "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "sql", "input": "1"}}],
            },
            [{"type": "tool_call", "id": "1", "name": "sql", "arguments": "1"}],
        ),
        (
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{not json"}},
            [{"type": "tool_call", "id": None, "name": "f", "arguments": "{not json"}],
        ),
        (
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "ok"}]},
            [{"type": "tool_call_response", "id": "1", "response": "ok"}],
        ),
    ],
)
def test_a_message_becomes_its_parts(message: dict[str, Any], parts: list[Any]) -> None:
    """Text is written here as the bare string."""
    expected = [{"type": "text", "content": part} if isinstance(part, str) else part for part in parts]
    assert input_messages([message]) == [{"role": message["role"], "parts": expected}]


def test_a_spoken_answer_is_a_blob_with_its_transcript() -> None:
    """Audio has no text of its own."""
    audio = {"id": "audio_1", "data": "AAAA", "transcript": "Hello."}
    (message,) = output_messages([{"message": {"role": "assistant", "content": None, "audio": audio}}])
    assert message == {
        "role": "assistant",
        "parts": [{"type": "blob", "modality": "audio", "mime_type": None, "content": "AAAA", "transcript": "Hello."}],
    }


def test_tools_of_each_kind_are_defined() -> None:
    """`functions` is the old name for a list of what tools wrap."""
    tools = [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        {"type": "custom", "custom": {"name": "c", "description": "d"}},
        {"name": "old"},
    ]
    assert tool_definitions(tools) == [
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "custom", "name": "c", "description": "d"},
        {"type": "function", "name": "old"},
    ]


def test_json_is_readable_and_always_sendable() -> None:
    """Words of any language stay searchable; what has no UTF-8 form is escaped; the rest is named."""
    assert json_text({"a": "反省"}) == '{"a":"反省"}'
    assert json_text(["\ud800"]) == '["\\ud800"]'
    assert json_text([(number for number in [1])]) == '["<generator>"]'


@pytest.mark.parametrize("text", ["{", "NaN", '{"a": Infinity}', "[" * 100_000])
def test_arguments_that_are_not_json_stay_text(text: str) -> None:
    """A model's arguments are what the model wrote."""
    assert parsed_or_text(text) == text

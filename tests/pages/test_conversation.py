"""What a span says of its content, out of every form in which it comes; and Markdown that cannot do anything."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hansei.feedback.pages.conversation import Content, Message, Part, content_of, messages_of
from hansei.feedback.pages.markdown import markdown, plain

GOLDEN = Path(__file__).with_name("conversations.golden.json")
ASK = "How often?"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

FORMS: dict[str, dict[str, Any]] = {
    "the conventions": {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "look_up", "description": "Looks up."}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [
                {"type": "text", "content": ASK},
                {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://kumo.example/a.png"},
                {"type": "uri", "modality": "image", "mime_type": None, "uri": "javascript:alert(1)"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL},
                {"type": "blob", "modality": "image", "mime_type": "image/svg+xml", "content": PIXEL},
                {"type": "blob", "modality": "audio", "mime_type": "audio/mpeg", "content": "AAAA",
                 "transcript": "Hi."},
                {"type": "file", "modality": "document", "mime_type": "application/pdf", "file_id": "file-1"},
                {"type": "hologram", "size": 3},
            ]},
            {"role": "assistant", "parts": [
                {"type": "reasoning", "content": "Look first."},
                {"type": "tool_call", "id": "c1", "name": "look_up", "arguments": {"page": 12}},
            ]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"text": "Monthly"}}]},
        ],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "Monthly."}], "finish_reason": "stop"}
        ],
    },
    "OpenAI's messages in a function's inputs": {
        "hansei.span.inputs": {"model": "gpt-4o", "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": ASK},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{\"page\":12}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "{\"text\":\"Monthly\"}"},
        ]},
        "hansei.span.outputs": {"choices": [
            {"message": {"role": "assistant", "content": "Monthly."}, "finish_reason": "stop"}], "id": "r"},
    },
    "plain inputs and outputs": {
        "hansei.span.inputs": {"question": ASK, "limit": 3, "user": {"id": 1}},
        "hansei.span.outputs": "\"Monthly.\"",
    },
    "flattened as traceloop does": {
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": ASK,
        "gen_ai.prompt.1.role": "assistant", "gen_ai.prompt.1.tool_calls.0.name": "look_up",
        "gen_ai.prompt.1.tool_calls.0.id": "c1", "gen_ai.prompt.1.tool_calls.0.arguments": "{\"page\":12}",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Monthly.",
        "gen_ai.completion.0.finish_reason": "stop",
    },
    "flattened as OpenInference does": {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": ASK,
        "llm.input_messages.0.message.contents.1.message_content.type": "image",
        "llm.input_messages.0.message.contents.1.message_content.image.image.url": "https://kumo.example/a.png",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look_up",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{\"page\": 12}",
    },
    "retrieval": {
        "gen_ai.retrieval.query.text": ASK,
        "gen_ai.retrieval.documents": [
            {"id": "manual-12", "score": 0.91, "content": "Monthly.", "metadata": {"page": 12}}, "bare"],
    },
    "retrieval as OpenInference has it": {
        "retrieval.documents.0.document.id": "manual-12", "retrieval.documents.0.document.score": "0.91",
        "retrieval.documents.0.document.content": "Monthly.",
    },
    "text that is no JSON": {"gen_ai.input.messages": "{cut off", "gen_ai.output.messages": "Monthly."},
    "a list of unknown things": {"gen_ai.input.messages": [1, {"who": "knows"}]},
}  # fmt: skip


def content(form: dict[str, Any]) -> Content:
    """What attributes say, of which those that are no text are JSON."""
    return content_of({name: value if isinstance(value, str) else json.dumps(value) for name, value in form.items()})


def test_every_form_of_content_is_understood() -> None:
    """Each form of messages, tools, media and documents becomes the same few pieces, as the golden file has them."""
    said = (
        json.dumps({name: asdict(content(form)) for name, form in FORMS.items()}, indent=1, ensure_ascii=False) + "\n"
    )
    if os.environ.get("GOLDEN"):
        GOLDEN.write_text(said)
    assert said == GOLDEN.read_text(), f"GOLDEN=1 pytest {__file__} writes the file anew"


def test_events_of_older_conventions_are_messages() -> None:
    """Messages that are events of the span are read where its attributes have none."""
    found = content_of({}, [
        ("gen_ai.user.message", {"content": ASK}),
        ("gen_ai.choice", {"message": '{"role":"assistant","content":"Monthly."}', "finish_reason": "stop"}),
    ])  # fmt: skip
    assert (found.input, found.output) == (
        [Message("user", [Part("text", ASK)])],
        [Message("assistant", [Part("text", "Monthly.")], finish_reason="stop")],
    )


@pytest.mark.parametrize("value", [None, [], {}, [1], "text", [{"role": 1}], {"messages": []}, [{"role": "user"}]])
def test_what_is_no_list_of_messages_is_not_taken_for_one(value: Any) -> None:
    """A value that only looks like messages is shown as it is."""
    assert messages_of(value) is None


BROKEN = ["[" * 3000, '{"a":' * 3000, "\u0000", '{"role":{},"parts":3}', '[{"role":"u","parts":3}]']


@pytest.mark.parametrize("text", BROKEN)
def test_no_content_breaks_the_page(text: str) -> None:
    """Whatever stands in the attributes, something is shown."""
    for name in (
        "gen_ai.input.messages",
        "hansei.span.inputs",
        "gen_ai.system_instructions",
        "gen_ai.tool.definitions",
    ):
        assert isinstance(content_of({name: text}), Content)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** <b>x</b>", "<p><strong>bold</strong> &lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>\n"),
        ("[a](/sign-out)", "<p>[a](/sign-out)</p>\n"),
        ("[a](//kumo.example)", "<p>[a](//kumo.example)</p>\n"),
        ("[a](https://kumo.example)",
         '<p><a href="https://kumo.example" rel="noopener noreferrer nofollow">a</a></p>\n'),
        ('![a"b](https://kumo.example/p.png)',
         '<p><a href="https://kumo.example/p.png" rel="noopener noreferrer nofollow">a&#34;b</a></p>\n'),
        ("![a](javascript:x)", "<p>![a](javascript:x)</p>\n"),
        ("# Title", '<p class="heading h1">Title</p>\n'),
        ('```"><script>\nx\n```', '<pre><code class="language-&quot;&gt;&lt;script&gt;">x\n</code></pre>\n'),
        ("|a|\n|-:|\n|1|", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n"
         "</tbody>\n</table>\n"),
        ("<https://kumo.example>", '<p><a href="https://kumo.example" rel="noopener noreferrer nofollow">'
         "https://kumo.example</a></p>\n"),
        ("[a]: javascript:x\n\n[a]", "<p>[a]: javascript:x</p>\n<p>[a]</p>\n"),
    ],
)  # fmt: skip
def test_markdown_cannot_do_anything(text: str, html: str) -> None:
    """HTML stays text, links lead to sites and mailboxes alone, pictures become links, nothing has a style."""
    assert markdown(text) == html


def test_what_is_too_long_for_markdown_is_shown_as_it_is() -> None:
    """A text of a quarter of a million characters is not rendered."""
    text = "**x** <b>" * 30_000
    assert markdown(text) == plain(text)

"""Completions, embeddings, images, sound, moderations."""

from typing import Any

import pytest
from openai import OpenAI

from . import replay
from .recorded import embeddings, vector
from .replay import WAYS, Api, Recording, Reply, call

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
listening, api, recording = replay.listening, replay.api, replay.recording

PNG = ("a.png", b"\x89PNG", "image/png")
WAV = ("a.wav", b"RIFF", "audio/wav")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
def test_completions(api: Api, recording: Recording, way: str, stream: bool) -> None:
    """The API before chat is ``text_completion``, with its prompt and its text as messages."""
    settings = {"stream": True} if stream else {}
    call(api, "completions.create", way, model="instruct", prompt="A coffee", max_tokens=7, stop="END", **settings)
    assert recording.only().name == "text_completion instruct"
    assert recording.some("gen_ai.operation.name", "gen_ai.usage.*", "gen_ai.response.f*", "gen_ai.request.*") == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.request.model": "instruct",
        "gen_ai.request.max_tokens": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.finish_reasons": ("length",),
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 7,
        **({"gen_ai.request.stream": True} if stream else {}),
    }
    assert recording.content("gen_ai.input.messages") == [
        {"role": "user", "parts": [{"type": "text", "content": "A coffee"}]}
    ]
    assert recording.content("gen_ai.output.messages") == [
        {"role": "assistant", "parts": [{"type": "text", "content": " machine."}], "finish_reason": "length"}
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", [None, "float", "base64"])
def test_embeddings(api: Api, recording: Recording, way: str, encoding: str | None) -> None:
    """Dimensions are counted in numbers, not in characters, whichever way the vector travels."""
    # The client asks for base64 by itself, and decodes it.
    api.answer(Reply.json(embeddings([0.5, 0.25, 1.0] if encoding == "float" else vector(0.5, 0.25, 1.0))))
    settings: dict[str, Any] = {"encoding_format": encoding} if encoding else {}
    call(api, "embeddings.create", way, model="text-embedding-3-small", input="What?", **settings)
    assert recording.only().name == "embeddings text-embedding-3-small"
    assert recording.some("gen_ai.e*", "gen_ai.usage.*", "gen_ai.response.*", "gen_ai.request.e*") == {
        "gen_ai.embeddings.dimension.count": 3,
        "gen_ai.request.encoding_formats": (encoding or "base64",),
        "gen_ai.response.model": "text-embedding-3-small",
        "gen_ai.usage.input_tokens": 8,
    }


IMAGE_USAGE = {
    "gen_ai.usage.input_tokens": 50,
    "gen_ai.usage.output_tokens": 4160,
    "gen_ai.usage.text.input_tokens": 10,
    "gen_ai.usage.image.input_tokens": 40,
    "gen_ai.usage.image.output_tokens": 4160,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("method", ["generate", "edit"])
def test_images(api: Api, recording: Recording, way: str, stream: bool, method: str) -> None:
    """Pictures are counted by modality; their bytes are not on the span."""
    settings: dict[str, Any] = {"image": PNG} if method == "edit" else {}
    settings |= {"stream": True, "partial_images": 1} if stream else {}
    call(api, f"images.{method}", way, model="gpt-image-1", prompt="A coffee machine", n=2, **settings)
    assert recording.only().name == "generate_content gpt-image-1"
    assert recording.some("gen_ai.usage.*", "gen_ai.output.type") == {"gen_ai.output.type": "image", **IMAGE_USAGE}
    assert recording.content("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "A coffee machine"}]
    assert recording.content("gen_ai.output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "blob", "modality": "image", "mime_type": None, "content": "", "omitted_chars": 8},
            ],
        }
    ]
    assert ("hansei.stream.outcome" in recording.attributes()) is stream


@pytest.mark.parametrize("way", ["sync", "async"])
def test_image_variations(api: Api, recording: Recording, way: str) -> None:
    """A picture by reference is recorded as one."""
    call(api, "images.create_variation", way, image=PNG, model="dall-e-2")
    assert recording.content("gen_ai.output.messages")[0]["parts"] == [
        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://images.example/1.png"}
    ]


@pytest.mark.parametrize("way", ["sync", "async", "raw"])
def test_speech(api: Api, recording: Recording, way: str) -> None:
    """A text read aloud arrives as bytes, which are not recorded; the text is."""
    answer = call(api, "audio.speech.create", way, model="tts-1", voice="alloy", input="Hello.", instructions="Calm.")
    assert answer.content == b"\x00\x01sound"
    assert recording.only().name == "generate_content tts-1"
    assert recording.attributes()["gen_ai.output.type"] == "speech"
    assert recording.content("gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Hello."}]
    assert recording.content("gen_ai.system_instructions") == [{"type": "text", "content": "Calm."}]


def test_streamed_speech(api: Api, recording: Recording) -> None:
    """Read as bytes or as events, the usage in its last event is found."""
    with (
        OpenAI(base_url=api.url, api_key="key") as client,
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="Hello.", stream_format="sse"
        ) as response,
    ):
        assert b"speech.audio.done" in b"".join(response.iter_bytes())
    assert recording.some("gen_ai.usage.*") == {"gen_ai.usage.input_tokens": 14, "gen_ai.usage.output_tokens": 101}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
def test_transcriptions(api: Api, recording: Recording, way: str, stream: bool) -> None:
    """Speech written down is the output; sound and text of the input are counted apart."""
    settings = {"stream": True} if stream else {}
    call(api, "audio.transcriptions.create", way, model="gpt-4o-transcribe", file=WAV, **settings)
    assert recording.only().name == "generate_content gpt-4o-transcribe"
    assert recording.some("gen_ai.usage.*", "gen_ai.output.type") == {
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 45,
        "gen_ai.usage.text.input_tokens": 4,
        "gen_ai.usage.audio.input_tokens": 10,
    }
    assert recording.content("gen_ai.output.messages")[0]["parts"] == [{"type": "text", "content": "Good morning."}]


@pytest.mark.parametrize(
    ("wanted", "reply", "kind"),
    [
        ("text", Reply.text("Good morning."), "text"),
        ("srt", Reply.text("Good morning."), "text"),
        ("verbose_json", Reply.json({"text": "Good morning.", "language": "english", "duration": 1.0}), "json"),
    ],
)
@pytest.mark.parametrize("method", ["transcriptions", "translations"])
def test_forms_of_a_transcription(
    api: Api, recording: Recording, wanted: str, reply: Reply, kind: str, method: str
) -> None:
    """Plain text and subtitles are text, all else JSON; the words are recorded of each."""
    api.answer(reply)
    call(api, f"audio.{method}.create", model="whisper-1", file=WAV, response_format=wanted, temperature=0)
    assert recording.some("gen_ai.output.type", "gen_ai.request.temperature") == {
        "gen_ai.output.type": kind,
        "gen_ai.request.temperature": 0.0,
    }
    assert recording.content("gen_ai.output.messages")[0]["parts"] == [{"type": "text", "content": "Good morning."}]


@pytest.mark.parametrize("given", ["Hm.", ["Hm."], [{"type": "text", "text": "Hm."}]])
def test_moderations(api: Api, recording: Recording, given: Any) -> None:
    """Each input's verdict is a finish reason; what was judged is content, in each of its forms."""
    call(api, "moderations.create", model="omni-moderation-latest", input=given)
    assert recording.only().name == "moderation omni-moderation-latest"
    assert recording.some("gen_ai.response.*") == {
        "gen_ai.response.id": "modr-1",
        "gen_ai.response.model": "omni-moderation-latest",
        "gen_ai.response.finish_reasons": ("flagged",),
    }
    assert recording.content("gen_ai.input.messages") == [
        {"role": "user", "parts": [{"type": "text", "content": "Hm."}]}
    ]

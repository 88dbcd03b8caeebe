"""The oldest client that is supported, installed beside the one that the other tests use."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from . import replay
from .recorded import CHAT_CHUNKS, error
from .replay import Api, Reply

listening = replay.listening

OLDEST = "1.26.0"
# With the HTTP client of its time: later ones lack what it passes to them.
REQUIREMENTS = (f"openai=={OLDEST}", "httpx==0.27.2", "httpcore==1.0.9", "distro==1.9.0", "sniffio==1.3.1")

SCRIPT = """
import asyncio, json, sys
import openai
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hansei.instrumentation.content import Content
from hansei.instrumentation.instrumentor import HanseiOpenAIInstrumentor

assert openai.__version__ == sys.argv[2], openai.__version__
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
HanseiOpenAIInstrumentor().instrument(tracer_provider=provider, content=Content(on_spans=True), metrics="none")

asked = {"model": "m", "messages": [{"role": "user", "content": "What?"}]}
settings = {"base_url": sys.argv[1], "api_key": "key", "max_retries": 1}

with openai.OpenAI(**settings) as client:
    create = client.chat.completions.create
    assert create(**asked).choices[0].message.content == "A coffee machine."
    assert len(list(create(**asked, stream=True))) == 5
    stream = create(**asked, stream=True)
    next(stream)
    stream.close()
    list(create(**asked, stream=True))
    assert client.chat.completions.with_raw_response.create(**asked).parse().id == "chatcmpl-1"
    with client.chat.completions.with_streaming_response.create(**asked) as response:
        assert response.parse().id == "chatcmpl-1"
    create(**asked)
    try:
        create(**asked)
    except openai.BadRequestError:
        pass
    client.embeddings.create(model="e", input="What?")
    client.files.list()

async def run():
    async with openai.AsyncOpenAI(**settings) as client:
        await client.chat.completions.create(**asked)
        stream = await client.chat.completions.create(**asked, stream=True)
        assert len([chunk async for chunk in stream]) == 5

asyncio.run(run())
HanseiOpenAIInstrumentor().uninstrument()
with openai.OpenAI(**settings) as client:
    client.chat.completions.create(**asked)
print(json.dumps([
    {"name": span.name, "events": [event.name for event in span.events], **span.attributes}
    for span in exporter.get_finished_spans()
]))
"""


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the oldest client, to be put before everything else."""
    target = tmp_path_factory.mktemp("oldest")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*pip, "--target", str(target), *REQUIREMENTS], capture_output=True, check=False, timeout=120
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"openai {OLDEST} is not to be had")
    return target


@pytest.fixture(scope="module")
def spans(oldest: Path, listening: Callable[[], Api]) -> list[dict[str, Any]]:
    """The spans of a program that uses it."""
    api = listening()
    limited = Reply.json(error("Slow down."), 429, retry_after_ms="5", x_request_id="req_0")
    api.answer(
        *_recorded(api, "whole", "stream", "stream"), Reply.events(*CHAT_CHUNKS[:2]),
        *_recorded(api, "whole", "whole"), limited, *_recorded(api, "whole"), Reply.json(error("No."), 400),
    )  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "HANSEI_"))}
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", SCRIPT, api.url, OLDEST],
        env={**environment, "PYTHONPATH": str(oldest)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _recorded(api: Api, *kinds: str) -> list[Reply]:
    body = {"whole": b"{}", "stream": b'{"stream":true}'}
    replies = [api.reply("POST", "/v1/chat/completions", body[kind]) for kind in kinds]
    api.requests.clear()
    return replies


def test_the_oldest_client_is_observed(spans: list[dict[str, Any]]) -> None:
    """Whole, streamed, closed, broken off, raw, resent, refused and asynchronous calls have the spans they should."""
    chats = [span for span in spans if span["name"] == "chat m"]
    assert [span.get("hansei.stream.outcome") for span in chats] == [
        None, "finished", "cancelled", "truncated", None, None, None, None, None, "finished",
    ]  # fmt: skip
    assert {span["name"] for span in spans} == {"chat m", "embeddings e", "GET /files"}
    ended = [span for span in chats if span.get("gen_ai.response.finish_reasons") == ["stop"]]
    assert [span["gen_ai.usage.input_tokens"] for span in ended] == [210] * 7
    assert all("A coffee machine." in span["gen_ai.output.messages"] for span in (chats[0], chats[1], chats[4]))


def test_its_resends_and_errors_are_recorded(spans: list[dict[str, Any]]) -> None:
    """A resend is an event, a refusal an exception."""
    resent = [span for span in spans if "http.request.resend_count" in span]
    assert [(span["http.request.resend_count"], span["events"]) for span in resent] == [(1, ["hansei.retry"])]
    failed = [span for span in spans if span.get("error.type") == "openai.BadRequestError"]
    assert [span["events"] for span in failed] == [["exception"]]

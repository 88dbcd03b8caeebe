"""The examples' model server, through the real client."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import openai
import pytest
from openai import OpenAI

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROMPT = "Answer from these documents:\n[lights] A red light means that the tank is empty. White means ready."


@pytest.fixture(scope="module")
def model_server() -> Iterator[ModuleType]:
    """The module, imported as an example's neighbour imports it."""
    sys.path.insert(0, str(EXAMPLES))
    import model_server

    yield model_server
    sys.path.remove(str(EXAMPLES))


@pytest.fixture
def client(model_server: ModuleType) -> Iterator[OpenAI]:
    """A client of a server of its own."""
    with model_server.serve(latency=0) as url, OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client


def ask(client: OpenAI, question: str, **settings: object) -> openai.types.chat.ChatCompletion:
    """Ask about the documents of the prompt."""
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": question}]
    return client.chat.completions.create(**{"model": "gpt-4o-mini", "messages": messages, **settings})  # type: ignore[call-overload, no-any-return]


def test_it_answers_from_the_documents_and_always_the_same(client: OpenAI, model_server: ModuleType) -> None:
    """The snapshot's name and plausible usage are in the answer, as OpenAI's has them."""
    first, second = (ask(client, "What does the red light mean?") for _ in range(2))
    assert first == second
    assert first.choices[0].message.content == "A red light means that the tank is empty."
    assert first.choices[0].finish_reason == "stop"
    assert first.model == "gpt-4o-mini-2024-07-18"
    assert first.id.startswith("chatcmpl-")
    assert first.usage is not None
    assert first.usage.completion_tokens == 11  # 41 characters
    assert first.usage.total_tokens == first.usage.prompt_tokens + 11
    assert ask(client, "Do you sell tea?").choices[0].message.content == model_server.NO_ANSWER


def test_a_stream_gives_the_same_answer_in_pieces(client: OpenAI) -> None:
    """With the usage at the end if it is asked for."""
    whole = ask(client, "What does the red light mean?")
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": "What does the red light mean?"}]
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o-mini",
            messages=messages,  # type: ignore[arg-type]
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len(pieces) > 5
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage


def test_a_limit_cuts_the_answer_and_choices_are_counted(client: OpenAI) -> None:
    """A token is four characters here."""
    cut = ask(client, "What does the red light mean?", max_completion_tokens=3, n=2)
    assert [choice.message.content for choice in cut.choices] == ["A red light "] * 2
    assert {choice.finish_reason for choice in cut.choices} == {"length"}
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 6


def test_errors_are_openais(client: OpenAI) -> None:
    """Unknown models and empty requests raise what they raise at OpenAI."""
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(client, "Hello?", model="gpt-9")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="gpt-4o-mini", messages=[])
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="gpt-4o-mini", input="Hello")


def test_it_lists_its_models(client: OpenAI, model_server: ModuleType) -> None:
    """Those that it answers as."""
    assert [model.id for model in client.models.list()] == list(model_server.MODELS)


def test_as_a_program_it_prints_its_url() -> None:
    """One line, once it listens."""
    command = [sys.executable, str(EXAMPLES / "model_server.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/models", timeout=5) as answer:
            assert answer.status == 200
        program.terminate()

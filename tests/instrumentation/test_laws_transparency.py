"""Any request and any answer: an application sees what it would see without hansei."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI
from openai.types.chat import ChatCompletionMessage
from pydantic import BaseModel

from .conftest import ModelServer, completion
from .laws import JSON, SSE, Answer, Seen, Transport, alike, raised, shown

FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
HEADER_TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
PARTS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["text", "image_url", "odd"]), "text": TEXTS}), max_size=2
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": TEXTS | PARTS})
    | VALUES,
    max_size=4,
)
CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "generator": lambda messages: (message for message in messages),
    "map": lambda messages: map(lambda message: message, messages),  # noqa: C417 - the very type is the point
    "models": lambda messages: [ChatCompletionMessage(role="assistant", content=str(len(messages)))],
    "itself": lambda messages: messages[0] if messages else None,
}
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": VALUES,
        "stop": VALUES,
        "n": VALUES,
        "tools": st.lists(st.fixed_dictionaries({"type": st.just("function"), "function": VALUES}), max_size=2)
        | VALUES,
        "extra_body": st.dictionaries(st.sampled_from(["model", "top_k", "messages"]), VALUES, max_size=2),
        "extra_headers": st.dictionaries(st.sampled_from(["x-tenant", "x-run"]), HEADER_TEXTS, max_size=2),
        "extra_query": st.dictionaries(st.sampled_from(["a", "b"]), st.integers() | HEADER_TEXTS, max_size=2),
        "unknown": VALUES,
    },
)
COMPLETIONS = st.dictionaries(
    st.sampled_from(["id", "model", "choices", "usage", "service_tier", "object"]), VALUES, max_size=3
).map(lambda changes: completion(**changes))
BODIES = st.one_of(
    COMPLETIONS.map(lambda body: json.dumps(body).encode()),
    VALUES.map(lambda body: json.dumps(body).encode()),
    st.just(json.dumps(completion()).encode()[:-9]),
    st.just(b'{"usage": {"prompt_tokens": 1e999, "completion_tokens": 123456789012345678901234567890}}'),
    st.binary(max_size=20),
)
KINDS = st.sampled_from([JSON, {"content-type": "text/html"}, {"content-type": "application/octet-stream"}, {}, SSE])
ANSWERS = st.builds(
    lambda body, headers, status: Answer([body], headers, status),
    BODIES,
    KINDS,
    st.sampled_from([200, 200, 200, 201, 204, 400, 401, 429, 500]),
)


class Machine(BaseModel):
    """What an application asks to be parsed."""

    name: str
    price: float | None = None


def plain(client: Any, request: dict[str, Any]) -> Any:
    """``create``."""
    return client.chat.completions.create(**request)


def raw(client: Any, request: dict[str, Any]) -> Any:
    """``with_raw_response``."""
    return client.chat.completions.with_raw_response.create(**request)


def parsed(client: Any, request: dict[str, Any]) -> Any:
    """``parse``."""
    return client.chat.completions.parse(response_format=Machine, **request)


def responses(client: Any, request: dict[str, Any]) -> Any:
    """``responses.create``."""
    request["input"] = request.pop("messages", None)
    for name in ("stop", "n"):
        request.pop(name, None)
    return client.responses.create(**request)


def embeddings(client: Any, request: dict[str, Any]) -> Any:
    """``embeddings.create``."""
    return client.embeddings.create(model="m", input=request.get("messages"))


def posted(client: Any, request: dict[str, Any]) -> Any:
    """A path that the client has no method for."""
    return client.post("/next/year", cast_to=object, body=request.get("extra_body"))


WAYS = [plain, raw, parsed, responses, embeddings, posted]


def look(answer: Answer, request: Callable[[], dict[str, Any]], way: Callable[[Any, dict[str, Any]], Any]) -> Seen:
    """What the application and the server see of one call."""
    transport = Transport(answer)
    seen: Seen = []
    with transport.client() as client:
        try:
            result = way(client, request())
            seen += [shown(result), getattr(result, "_request_id", None), sorted(getattr(result, "__dict__", {}))]
            if way is raw:
                seen += [result.text, result.status_code, sorted(result.headers.items()), shown(result.http_response)]
                seen += [shown(result.parse())]
        except Exception as error:
            seen.append(raised(error))
    return seen + transport.wire


async def look_async(
    answer: Answer, request: Callable[[], dict[str, Any]], way: Callable[[Any, dict[str, Any]], Awaitable[Any]]
) -> Seen:
    """The same with an asynchronous client."""
    transport = Transport(answer)
    seen: Seen = []
    async with transport.async_client() as client:
        try:
            result = await way(client, request())
            seen += [shown(result), getattr(result, "_request_id", None), sorted(getattr(result, "__dict__", {}))]
            if way is raw:
                seen += [result.text, result.status_code, shown(result.parse())]
        except Exception as error:
            seen.append(raised(error))
    return seen + transport.wire


@FEW
@given(MESSAGES, st.sampled_from(sorted(CONTAINERS)), OPTIONS, st.sampled_from(WAYS))
def test_any_request_is_sent_and_answered_as_without_hansei(
    messages: list[Any], container: str, options: dict[str, Any], way: Callable[..., Any]
) -> None:
    """Same bytes on the wire, same result, or the same exception for what cannot be sent."""

    def request() -> dict[str, Any]:
        return {"model": "m", "messages": CONTAINERS[container](messages), **options}

    answer = Answer([json.dumps(completion()).encode()])
    alike(lambda: look(answer, request, way))
    alike(lambda: asyncio.run(look_async(answer, request, way)))


@FEW
@given(ANSWERS, st.sampled_from(WAYS))
def test_any_answer_reaches_the_application_as_without_hansei(answer: Answer, way: Callable[..., Any]) -> None:
    """Same type, same value; an error has the same type, arguments, attributes, cause and context."""

    def request() -> dict[str, Any]:
        return {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

    assert len(alike(lambda: look(answer, request, way)).all()) == 1
    assert len(alike(lambda: asyncio.run(look_async(answer, request, way))).all()) == 1


@pytest.mark.parametrize("way", [plain, raw, responses, posted])
def test_nothing_is_added_to_what_the_application_gets(way: Callable[..., Any]) -> None:
    """Neither the result, nor the client, nor the resource has an attribute more."""
    transport = Transport(Answer([json.dumps(completion()).encode()]))

    def attributes() -> Seen:
        with transport.client() as client:
            result = way(client, {"model": "m", "messages": []})
            return [sorted(vars(owner)) for owner in (client, client.chat.completions) if way is plain] + [
                sorted(vars(result)) if hasattr(result, "__dict__") else type(result)
            ]

    alike(attributes)


@pytest.mark.parametrize("status", [200, 400])
def test_a_call_is_the_same_to_a_real_server(server: ModelServer, status: int) -> None:
    """Over a socket too."""
    server.answer(completion() if status == 200 else {"error": {"message": "no"}}, status=status)

    def ask() -> Seen:
        server.requests.clear()
        seen: Seen = []
        with OpenAI(base_url=server.url, api_key="key", max_retries=0) as client:
            for messages in ([{"role": "user", "content": "Hi"}], spoken()):
                try:
                    seen.append(shown(client.chat.completions.create(model="m", messages=messages)))  # type: ignore[arg-type]
                except Exception as error:
                    seen.append((type(error), str(error), raised(error.__cause__), raised(error.__context__)))
        return seen + list(server.requests)

    assert len(alike(ask).all()) == 2


def spoken() -> Iterator[dict[str, str]]:
    """Messages that can be read once."""
    yield {"role": "user", "content": "Hi"}


@pytest.mark.parametrize("answers", [[500, 200], [429, 503, 200], [500, 500, 500]])
def test_a_request_is_sent_again_as_without_hansei(answers: list[int]) -> None:
    """As often, with the same headers, and with the same end."""

    def ask() -> Seen:
        body = json.dumps(completion()).encode()
        transport = Transport(*(Answer([body], {**JSON, "retry-after-ms": "1"}, status) for status in answers))
        seen: Seen = []
        with transport.client(retries=2) as client:
            try:
                seen.append(shown(plain(client, {"model": "m", "messages": []})))
            except Exception as error:
                seen.append(raised(error))
        return seen + transport.wire

    assert len(alike(ask).only().events) == len(answers) - 1 + (answers[-1] != 200)

"""A request that is repeated with its key is carried out once, and answered the same."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.requests import Request

from hansei.collector.keys import ANYONE
from hansei.feedback.api.idempotency import IdempotencyKey
from hansei.feedback.api.problem import Problem
from hansei.feedback.api.repetitions import Repetitions
from hansei.feedback.api.resource import Answer
from hansei.feedback.client import new_key

from .conftest import Api, uuid7

KEYS = {"uuid7": uuid7, "any other": lambda: f"order {time.time_ns()}"}
each_key = pytest.mark.parametrize("kind", KEYS)


@each_key
def test_repeated(api: Api, trace_id: str, kind: str) -> None:
    """Recording, correcting and retracting: the second answer is the first one, and the history has each once."""
    body = {"trace_id": trace_id, "name": "helpful", "value": 1}
    key = KEYS[kind]()
    first, second = (api.post(body, Idempotency_Key=key) for _ in range(2))
    assert (first.status, first.text, first.headers["location"]) == (201, second.text, second.headers["location"])
    path = f"/assessments/{first.json['assessment_id']}?trace_id={trace_id}"
    key = KEYS[kind]()
    first, second = (api.ask("PUT", path, {"value": 2}, Idempotency_Key=key) for _ in range(2))
    assert (first.status, first.text) == (200, second.text)
    key = KEYS[kind]()
    assert [api.ask("DELETE", path, Idempotency_Key=key).status for _ in range(2)] == [204, 204]
    api.serving.wait_stored()
    history = api.history(trace_id, first.json["assessment_id"])
    assert [each["event"] for each in history] == ["said", "corrected", "retracted"]


@each_key
def test_other_request(api: Api, trace_id: str, kind: str) -> None:
    """A key that was used for one request is refused for another, however its JSON is written."""
    key = KEYS[kind]()
    assert api.post({"trace_id": trace_id, "value": 1, "name": "a"}, Idempotency_Key=key).status == 201
    same = b'{"name":"\\u0061",  "value":1, "trace_id":"' + trace_id.encode() + b'"}'
    assert api.post(same, Idempotency_Key=f'"{key}"').status == 201
    for method, path, body in (
        ("POST", "/assessments", {"trace_id": trace_id, "value": 2, "name": "a"}),
        ("POST", "/assessments:batch", [{"trace_id": trace_id, "value": 1, "name": "a"}]),
        ("PUT", f"/assessments/a?trace_id={trace_id}", {"value": 1}),
    ):
        reply = api.ask(method, path, body, Idempotency_Key=key)
        assert (reply.status, "take a new key" in reply.json["detail"]) == (422, True)


@each_key
def test_at_once(api: Api, trace_id: str, kind: str) -> None:
    """Several threads with one key get one answer, and make one assessment."""
    key = KEYS[kind]()
    with ThreadPoolExecutor(8) as threads:
        replies = list(
            threads.map(lambda _: api.post({"trace_id": trace_id, "value": 1}, Idempotency_Key=key), range(8))
        )
    assert {reply.status for reply in replies} == {201}
    (text,) = {reply.text for reply in replies}
    api.serving.wait_stored()
    (found,) = api.items(f"/assessments?trace_id={trace_id}")
    assert found["assessment_id"] in text
    assert len(api.history(trace_id, found["assessment_id"])) == 1


@each_key
def test_batch(api: Api, trace_id: str, kind: str) -> None:
    """A batch is repeated as a whole; its assessments have ids of their own."""
    key = KEYS[kind]()
    batch = [{"trace_id": trace_id, "value": 1}] * 3
    first, second = (api.post(batch, "/assessments:batch", Idempotency_Key=key) for _ in range(2))
    assert first.text == second.text
    api.serving.wait_stored()
    assert {each["assessment_id"] for each in api.items(f"/assessments?trace_id={trace_id}")} == {
        each["assessment_id"] for each in first.json["items"]
    }
    assert len({each["assessment_id"] for each in first.json["items"]}) == 3


def test_without_a_key(api: Api, trace_id: str) -> None:
    """Without a key two requests are two assessments; with two keys as well."""
    for headers in ({}, {}, {"Idempotency-Key": "a"}, {"Idempotency-Key": "b"}):
        assert api.post({"trace_id": trace_id, "value": 1}, **headers).status == 201
    api.serving.wait_stored()
    assert len(api.items(f"/assessments?trace_id={trace_id}")) == 4


@pytest.mark.parametrize(
    "key", ["", "é", "a" * 256, '"', None], ids=["empty", "not ASCII", "too long", "open quote", "of the future"]
)
def test_bad_key(api: Api, trace_id: str, key: str | None) -> None:
    """A key that cannot be one is refused, so is one from the future."""
    if key is None:
        key = uuid7((time.time_ns() // 1_000_000) + 600_000)
    reply = api.post({"trace_id": trace_id, "value": 1}, Idempotency_Key=key)
    assert (reply.status, reply.json["detail"].startswith("Idempotency-Key: ")) == (400, True)


def test_time_of_a_key(api: Api, trace_id: str) -> None:
    """A UUIDv7 is when it was said: of two corrections that of the later key holds, whichever comes first."""
    now = time.time_ns() // 1_000_000
    said = api.post({"trace_id": trace_id, "value": 0}, Idempotency_Key=uuid7(now - 3000)).json
    path = f"/assessments/{said['assessment_id']}?trace_id={trace_id}"
    for value, age in ((2, 1000), (1, 2000)):
        assert api.ask("PUT", path, {"value": value}, Idempotency_Key=uuid7(now - age)).status == 200
    api.serving.wait_stored()
    found = api.get(path).json
    assert found["value"] == 2
    moments = [found["created_at"], found["updated_at"]]
    assert [moment[-4:-1] for moment in moments] == [f"{(now - age) % 1000:03d}" for age in (3000, 1000)]


def test_keys_of_the_client() -> None:
    """The keys that the client makes are UUIDv7 that order as the moments do, down to a quarter of a microsecond."""
    moments = [1_763_640_000_123_000_000 + step for step in (0, 300, 500_000, 999_999, 1_000_000)]
    keys = [new_key(moment) for moment in moments]
    times = [_key(key).event_time("") or 0 for key in keys]
    assert keys == sorted(keys)
    assert times == sorted(times)
    assert all(abs(at - moment) < 500 for at, moment in zip(times, moments, strict=True))


def test_forgotten(api: Api) -> None:
    """Only so many answers are kept, for so long, and the oldest go first; one that failed is not kept."""
    now = [0.0]
    known = Repetitions(2, lambda: now[0])
    asked: list[str] = []

    async def ask(name: str, fails: bool = False) -> Any:
        async def answer() -> Answer:
            asked.append(name)
            if fails:
                raise Problem(503, "later")
            return Answer(200, name)

        return (await known.once(_key(name), (name,), answer)).body

    async def all_of_it() -> None:
        for name in ("a", "b", "a", "c", "b", "a"):  # c puts a out, which then puts b out
            assert await ask(name) == name
        assert asked == ["a", "b", "c", "a"]
        now[0] = 100_000.0
        assert await ask("c") == "c"
        with pytest.raises(Problem):
            await ask("d", fails=True)
        assert await ask("d") == "d"
        assert asked[4:] == ["c", "d", "d"]

    asyncio.run(all_of_it())


def _key(text: str) -> IdempotencyKey:
    headers = [(b"idempotency-key", text.encode())]
    found = IdempotencyKey.of(Request({"type": "http", "headers": headers}), ANYONE)
    assert found is not None
    return found

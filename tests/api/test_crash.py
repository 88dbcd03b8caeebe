"""What the API acknowledged is there once, whatever happened, and however often it was sent."""

import http.client
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ..collector.processes import Serving  # noqa: TID252
from ..collector.waiting import PATIENCE, until  # noqa: TID252
from .conftest import KEY, Api, uuid7

Sent = tuple[str, str, Any, str]
"""A request: method, path, body and idempotency key."""


def send(api: Api, request: Sent) -> str:
    """Send a request until it is answered; the body of the answer."""
    method, path, body, key = request
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        reply = api.ask(method, path, body, Idempotency_Key=key)
        if reply.status != 503:
            assert reply.status in (200, 201), reply.text
            return reply.text
        assert reply.headers["retry-after"] == "1"
        time.sleep(0.05)
    pytest.fail("it is still not taken")


def test_killed(serve: Callable[..., Serving], trace_id: str) -> None:
    """Writers are cut off by SIGKILL, again and again; all is sent again: each assessment and each correction that was
    acknowledged is there exactly once, also what was written and not acknowledged."""
    requests: list[Sent] = []
    acknowledged: dict[str, str] = {}
    corrected = "by-all"
    for round_ in range(3):
        api = Api(serve("--segment-age=50ms", HANSEI_API_KEY=KEY))
        if round_:
            answers = dict(acknowledged)
            with ThreadPoolExecutor(4) as threads:
                sent_again = threads.map(lambda request, api=api: (request[3], send(api, request)), requests)
                acknowledged.update(sent_again)
            for key, text in answers.items():
                assert _identity(acknowledged[key]) == _identity(text)
        if round_ == 2:
            break
        stop = threading.Event()

        def write(number: int, api: Api = api, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                key = uuid7() if number % 2 else str(uuid.uuid4())
                sent: Sent = ("POST", "/assessments", {"trace_id": trace_id, "name": key, "value": 1}, key)
                if number > 1:
                    sent = ("PUT", f"/assessments/{corrected}?trace_id={trace_id}", {"value": key}, key)
                requests.append(sent)
                try:
                    reply = api.ask(*sent[:3], Idempotency_Key=key)
                except (OSError, http.client.HTTPException):
                    return
                # After a start, what has no time of its own waits until all of the earlier run is stored.
                if reply.status != 503:
                    assert reply.status in (200, 201), reply.text
                    acknowledged[key] = reply.text

        with ThreadPoolExecutor(4) as writers:
            writing = [writers.submit(write, number) for number in range(4)]
            enough = len(acknowledged) + 16
            until(lambda enough=enough: len(acknowledged) >= enough, "so much to be acknowledged")
            api.serving.kill()
            stop.set()
            for each in writing:
                each.result()
    for request in requests[:8]:
        assert _identity(send(api, request)) == _identity(acknowledged[request[3]])
    api.serving.wait_stored()
    posted = [request for request in requests if request[0] == "POST"]
    found = api.items(f"/assessments?trace_id={trace_id}&limit=1000")
    assert sorted(each["name"] for each in found) == sorted(key for *_, key in posted)
    assert len(posted) > 4
    histories = [api.history(trace_id, each["assessment_id"]) for each in found[:6]]
    assert [len(history) for history in histories] == [1] * len(histories)
    history = api.history(trace_id, corrected)
    assert sorted(each["value"] for each in history) == sorted(key for method, *_, key in requests if method == "PUT")
    # Another body under a key is refused, though this run has not seen the first.
    for method, path, body, key in (posted[0], posted[1]):
        assert api.ask(method, path, {**body, "value": 2}, Idempotency_Key=key).status == 422


def _identity(text: str) -> str:
    """Which assessment an answer speaks of, and what it says; whether its target has come may change."""
    return text.partition(',"linked"')[0]


@pytest.mark.parametrize("keyed", [False, True])
def test_corrected_by_many(api: Api, trace_id: str, keyed: bool) -> None:
    """Eight writers correct one assessment: the history has every acknowledged correction, the state is the last."""
    said = api.post({"trace_id": trace_id, "name": "score", "value": -1}).json["assessment_id"]
    path = f"/assessments/{said}?trace_id={trace_id}"

    def correct(writer: int) -> None:
        for number in range(3):
            headers = {"Idempotency-Key": f"{said}{writer}{number}"} if keyed else {}
            assert api.ask("PUT", path, {"value": [writer, number]}, **headers).status == 200

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(correct, range(8)))
    last = api.ask("PUT", path, {"value": "last"}, **({"Idempotency-Key": f"{said}last"} if keyed else {}))
    api.serving.wait_stored()
    history = api.history(trace_id, said)
    corrections = [each["value"] for each in history[1:]]
    assert corrections[-1] == "last"
    assert sorted(corrections[:-1]) == [[writer, number] for writer in range(8) for number in range(3)]
    # What one writer said one after the other is in that order.
    for writer in range(8):
        assert [value[1] for value in corrections[:-1] if value[0] == writer] == list(range(3))
    found = api.get(path).json
    assert (found["value"], found["updated_at"]) == ("last", last.json["updated_at"])


def test_at_one_moment(api: Api, trace_id: str) -> None:
    """Ten corrections of the same millisecond end in one state, which is the last of the history."""
    said = api.post({"trace_id": trace_id, "name": "score", "value": -1}).json["assessment_id"]
    path = f"/assessments/{said}?trace_id={trace_id}"
    moment = time.time_ns() // 1_000_000 + 1000
    with ThreadPoolExecutor(10) as writers:
        sent = writers.map(
            lambda number: api.ask("PUT", path, {"value": number}, Idempotency_Key=uuid7(moment)).status, range(10)
        )
        assert list(sent) == [200] * 10
    api.serving.wait_stored()
    history = api.history(trace_id, said)
    assert sorted(each["value"] for each in history) == list(range(-1, 10))
    assert api.get(path).json["value"] == history[-1]["value"]

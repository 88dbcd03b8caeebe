"""The API of collectors in front of a ClickHouse server, whose part the SQL endpoint of another collector plays."""

from collections.abc import Callable

from ..collector.processes import Serving  # noqa: TID252
from .conftest import ADMIN_KEY, KEY, Api, uuid7


def test_two_collectors(api: Api, serve: Callable[..., Serving], trace_id: str) -> None:
    """A request with a UUIDv7, repeated at another collector before the first has stored it, makes one event."""
    database = f"http://admin:{ADMIN_KEY}@{api.serving.sql}/default"
    first, second = Api(serve(f"--clickhouse={database}", "--segment-age=300ms", HANSEI_API_KEY=KEY)), api
    key, body = uuid7(), {"trace_id": trace_id, "name": "helpful", "value": 1}
    said = first.post(body, Idempotency_Key=key)
    assert said.text == second.post(body, Idempotency_Key=key).text
    path = f"/assessments/{said.json['assessment_id']}?trace_id={trace_id}"
    key = uuid7()
    replies = [each.ask("PUT", path, {"value": 2}, Idempotency_Key=key) for each in (second, first)]
    assert [reply.json["value"] for reply in replies] == [2, 2]
    for each in (first, second):
        each.serving.wait_stored()
    assert [each["event"] for each in second.history(trace_id, said.json["assessment_id"])] == ["said", "corrected"]
    assert first.get(path).json["value"] == 2
    server = first.get("/server").json
    assert server["sql"] is None
    assert "ClickHouse server" in server["sql_explanation"]


def test_store_away(serve: Callable[..., Serving], trace_id: str) -> None:
    """While ClickHouse is away, assessments are taken and reading is answered 503; a key that is no UUIDv7 waits, since
    nobody can tell whether it was used. What there is no room for is answered 429."""
    room = ("--wal-max-size=32KiB", "--max-request-size=32KiB")
    api = Api(serve("--clickhouse=http://127.0.0.1:9/away", *room), None)
    body = {"trace_id": trace_id, "value": 1}
    key = uuid7()
    for headers in ({}, {"Idempotency-Key": key}, {"Idempotency-Key": key}):
        reply = api.post(body, **headers)
        assert (reply.status, reply.json["linked"]) == (201, None)
    path = f"/assessments/{reply.json['assessment_id']}?trace_id={trace_id}"
    assert api.ask("PUT", path, {"value": 2}).status == 200
    assert api.ask("DELETE", path).status == 204
    for reply in (api.post(body, Idempotency_Key="a"), api.get(path), api.get("/traces"), api.get("/sessions")):
        assert (reply.status, reply.headers["retry-after"]) == (503, "2")
        assert "127.0.0.1:9" in reply.json["detail"]
    reply = api.post({**body, "rationale": "a" * 40_000}, Idempotency_Key=uuid7())
    assert (reply.status, reply.headers["retry-after"], reply.json["title"]) == (429, "5", "Too Many Requests")

"""Assessments over HTTP: recorded, corrected, retracted, read, found."""

from typing import Any

import pytest

from .conftest import KEY, Api, Told

ANA = {"type": "HUMAN", "id": "ana"}
DEFAULTS: dict[str, Any] = {
    "span_id": None, "session_id": None, "kind": "feedback", "name": "feedback", "error": None, "rationale": None,
    "metadata": {}, "source": {"type": "CODE", "id": "default"}, "overrides": None, "valid": True,
    "labeling_session_id": None, "evaluation_run_id": None,
}  # fmt: skip


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


def test_recorded(api: Api, told: Told) -> None:
    """What is recorded is answered whole, with its address, at which it then is."""
    body = {
        "trace_id": told.trace_ids[0], "span_id": told.span_ids[0], "session_id": "s", "name": "answer",
        "value": {"facts": ["a", 1, None, 0.5]}, "metadata": {"build": 12, "beta": True}, "kind": "expectation",
        "source": ANA, "labeling_session_id": "l-1", "evaluation_run_id": "r-1",
    }  # fmt: skip
    reply = api.post(body)
    assert reply.status == 201
    answer = reply.json
    times = ("created_at", "updated_at")
    assert without(answer, *times, "assessment_id", "linked") == {
        **without(DEFAULTS, "source"), **body, "metadata": {"build": "12", "beta": "true"},
    }  # fmt: skip
    assert answer["created_at"] == answer["updated_at"]
    assert reply.headers["cache-control"] == "no-store"
    address = reply.headers["location"]
    assert address == f"/api/v1/assessments/{answer['assessment_id']}?trace_id={told.trace_ids[0]}"
    read = api.get(address.removeprefix("/api/v1") + "&wait=20")
    assert (read.status, read.json) == (200, without(answer, "linked"))


def test_defaults(api: Api, trace_id: str) -> None:
    """A value and a trace are enough: feedback by code; an expectation is a person's, and may be null."""
    answer = api.post({"trace_id": trace_id.upper(), "value": False}).json
    assert without(answer, "assessment_id", "created_at", "updated_at") == {
        **DEFAULTS, "trace_id": trace_id, "value": False, "linked": "trace_unknown",
    }  # fmt: skip
    answer = api.post({"trace_id": trace_id, "kind": "expectation", "name": "answer", "value": None}).json
    assert (answer["source"], answer["value"]) == ({"type": "HUMAN", "id": "default"}, None)
    answer = api.post({"trace_id": trace_id, "error": {"code": "TIMEOUT"}}).json
    assert (answer["error"], answer["value"]) == ({"code": "TIMEOUT", "message": None}, None)


def test_linked(api: Api, told: Told, trace_id: str) -> None:
    """The answer tells what has come of that which it speaks of."""
    known, span = told.trace_ids[0], told.span_ids[0]
    about = [
        ({"trace_id": known}, "linked"),
        ({"trace_id": known, "span_id": span}, "linked"),
        ({"trace_id": known, "span_id": told.span_ids[1]}, "span_unknown"),
        ({"trace_id": trace_id, "span_id": span}, "trace_unknown"),
        ({"session_id": told.session_id}, "linked"),
        ({"session_id": trace_id}, "session_unknown"),
    ]
    reply = api.post([{**target, "name": "of", "value": 1} for target, _ in about], "/assessments:batch")
    assert reply.status == 201
    assert [each["linked"] for each in reply.json["items"]] == [link for _, link in about]
    (alone,) = [api.post({**target, "value": 1}).json["linked"] for target, _ in about[2:3]]
    assert alone == "span_unknown"


def test_corrected_and_retracted(api: Api, trace_id: str) -> None:
    """A correction replaces what is said and nothing else; a retraction leaves the history."""
    path_of = "/assessments/{}?trace_id={}".format
    first = api.post({"trace_id": trace_id, "name": "helpful", "value": 1, "rationale": "so", "source": ANA}).json
    path = path_of(first["assessment_id"], trace_id)
    api.serving.wait_stored()
    reply = api.ask("PUT", path, {"value": 2, "source": {"type": "human", "id": "bo"}})
    assert reply.status == 200
    assert without(reply.json, "linked", "updated_at") == {
        **without(first, "linked", "updated_at"), "value": 2, "rationale": None,
    }  # fmt: skip
    api.serving.wait_stored()
    assert api.get(path).json == without(reply.json, "linked")
    assert api.ask("DELETE", path + "&source_type=HUMAN&source_id=cy").status == 204
    api.serving.wait_stored()
    assert api.get(path).status == 404
    history = api.history(trace_id, first["assessment_id"])
    assert [(each["event"], each["value"], each["rationale"], each["source"]["id"]) for each in history] == [
        ("said", 1, "so", "ana"), ("corrected", 2, None, "bo"), ("retracted", None, None, "cy"),
    ]  # fmt: skip
    assert [each["name"] for each in history] == ["helpful", "", ""]


def test_change_before_the_statement(api: Api, trace_id: str) -> None:
    """A correction of what has not come is kept and joined later; it says so."""
    answer = api.ask("PUT", f"/assessments/mine?trace_id={trace_id}", {"value": 2}).json
    assert answer["linked"] == "assessment_unknown"
    assert (answer["assessment_id"], answer["value"], answer["source"]) == ("mine", 2, None)


def test_kind_is_kept(api: Api, trace_id: str) -> None:
    """A correction cannot make feedback of an expectation, nor give one a rationale."""
    expected = api.post({"trace_id": trace_id, "kind": "expectation", "name": "answer", "value": "a"}).json
    api.serving.wait_stored()
    path = f"/assessments/{expected['assessment_id']}?trace_id={trace_id}"
    for body, pointer in (
        ({"kind": "feedback", "value": "b"}, "/kind"),
        ({"value": "b", "rationale": "c"}, "/rationale"),
    ):
        reply = api.ask("PUT", path, body)
        assert (reply.status, [each["pointer"] for each in reply.json["errors"]]) == (422, [pointer])
    answer = api.ask("PUT", path, {"value": "b"}).json
    assert (answer["kind"], answer["name"], answer["value"]) == ("expectation", "answer", "b")
    api.serving.wait_stored()
    assert [each["kind"] for each in api.history(trace_id, expected["assessment_id"])] == ["expectation"] * 2


def test_override(api: Api, trace_id: str) -> None:
    """What overrides another makes it invalid, takes its name, and is told from it by a filter."""
    first = api.post({"trace_id": trace_id, "name": "faithful", "value": 0.9}).json["assessment_id"]
    second = api.post({"trace_id": trace_id, "value": 0.2, "overrides": first}).json["assessment_id"]
    api.serving.wait_stored()
    found = api.items(f"/assessments?trace_id={trace_id}")
    assert [(each["assessment_id"], each["valid"], each["name"]) for each in found] == [
        (second, True, "faithful"), (first, False, "faithful"),
    ]  # fmt: skip
    assert [each["assessment_id"] for each in api.items(f"/assessments?trace_id={trace_id}&valid=true")] == [second]


def test_batch_all_or_none(api: Api, trace_id: str) -> None:
    """A batch with a mistake is refused whole, each mistake at its place."""
    batch = [{"trace_id": trace_id, "value": 1}, {"value": 1}, {"trace_id": trace_id, "value": 1, "nam": "a"}, 3]
    reply = api.post(batch, "/assessments:batch")
    assert reply.status == 422
    assert [each["pointer"] for each in reply.json["errors"]] == ["/1/trace_id", "/2/nam", "/3"]
    for wrong in ([], {}, [{}] * 1001):
        assert api.post(wrong, "/assessments:batch").status == 422
    assert api.post(batch[:1], "/assessments:batch").status == 201
    api.serving.wait_stored()
    assert len(api.items(f"/assessments?trace_id={trace_id}")) == 1


def test_filters(api: Api, trace_id: str) -> None:
    """Every filter leaves what fits it."""
    batch: list[dict[str, Any]] = [
        {"trace_id": trace_id, "name": "a", "value": 1, "source": ANA, "labeling_session_id": f"l{trace_id}"},
        {"trace_id": trace_id, "name": "b", "value": 1, "span_id": trace_id[:16], "evaluation_run_id": f"r{trace_id}"},
        {"trace_id": trace_id, "name": "c", "value": 1, "kind": "expectation"},
        {"session_id": f"s{trace_id}", "name": "d", "value": 1},
    ]
    created = api.post(batch, "/assessments:batch").json["items"][0]["created_at"]
    api.serving.wait_stored()
    for query, names in (
        (f"trace_id={trace_id}", "cba"), (f"span_id={trace_id[:16]}", "b"), (f"session_id=s{trace_id}", "d"),
        (f"trace_id={trace_id}&name=a", "a"), (f"trace_id={trace_id}&kind=expectation", "c"),
        (f"trace_id={trace_id}&source_type=human&source_id=ana", "a"), (f"trace_id={trace_id}&source_type=CODE", "b"),
        (f"labeling_session_id=l{trace_id}", "a"), (f"evaluation_run_id=r{trace_id}", "b"),
        (f"trace_id={trace_id}&from={created}", "cba"), (f"trace_id={trace_id}&to={created}", ""),
        (f"trace_id={trace_id}&to=1", ""), (f"trace_id={trace_id}&valid=false", ""),
    ):  # fmt: skip
        assert {each["name"] for each in api.items(f"/assessments?{query}")} == set(names), query


@pytest.mark.parametrize("path", ["/assessments?trace_id={}", "/assessments/unlinked?min_age=0"])
def test_pages(api: Api, trace_id: str, path: str) -> None:
    """The pages that links lead to hold everything once, in order, also what was said at one moment."""
    api.post([{"trace_id": trace_id, "value": number} for number in range(7)], "/assessments:batch")
    api.serving.wait_stored()
    listed = path.format(trace_id)
    whole = api.items(listed + "&limit=1000")
    found: list[Any] = []
    step: str | None = listed + f"&limit={max(2, len(whole) // 3)}"
    while step is not None:
        reply = api.get(step)
        found += reply.json["items"]
        link = reply.headers.get("link")
        assert (link is None) == (reply.json["next_page_token"] is None)
        step = link.split(">")[0].removeprefix("</api/v1") if link else None
    assert [each["assessment_id"] for each in found] == [each["assessment_id"] for each in whole]
    assert sum(each["trace_id"] == trace_id for each in found) == 7


def test_unlinked(api: Api, trace_id: str) -> None:
    """What waits for its trace is listed with its reason and age, and counted."""
    said = api.post({"trace_id": trace_id, "name": "lost", "value": 1, "source": ANA}).json
    api.serving.wait_stored()
    reply = api.get("/assessments/unlinked").json
    (found,) = (each for each in reply["items"] if each["assessment_id"] == said["assessment_id"])
    assert found["age_seconds"] < 60
    assert without(found, "age_seconds", "at") == {
        "reason": "its trace has not come", "assessment_id": said["assessment_id"], "trace_id": trace_id,
        "span_id": None, "session_id": None, "name": "lost", "source": ANA,
    }  # fmt: skip
    (counted,) = (each for each in reply["reasons"] if each["reason"] == "its trace has not come")
    assert counted["count"] >= 1
    assert api.get("/assessments/unlinked?min_age=100000").json == {"items": [], "next_page_token": None, "reasons": []}


def test_traces(api: Api, told: Told) -> None:
    """Traces are listed in short, the newest first, by MLflow's filters and by time, and one is read whole."""
    api.post({"trace_id": told.trace_ids[1], "name": "helpful", "value": False, "source": ANA})
    api.serving.wait_stored()
    session = f"filter=session%20%3D%20'{told.session_id}'"
    assert [each["trace_id"] for each in api.items(f"/traces?{session}")] == told.trace_ids[::-1]
    failed = api.items(f"/traces?{session}%20AND%20status%20%3D%20'ERROR'")
    assert [(each["trace_id"], each["state"]) for each in failed] == [(told.trace_ids[2], "ERROR")]
    (second,) = api.items(f"/traces?{session}&from=2025-11-20T12:00:01Z&to=2025-11-20T12:00:02Z")
    assert (second["start"], second["duration_ms"]) == ("2025-11-20T12:00:01.000000000Z", 250.0)
    assert (second["models"], second["input_tokens"], second["spans"]) == (["gpt-4o-mini"], 1000, 2)
    assert ("helpful", False) in [(each["name"], each["value"]) for each in second["assessments"]]
    pages = api.get(f"/traces?{session}&limit=2")
    rest = api.items(pages.headers["link"].split(">")[0].removeprefix("</api/v1"))
    assert [each["trace_id"] for each in pages.json["items"] + rest] == told.trace_ids[::-1]
    whole = api.get(f"/traces/{told.trace_ids[1]}").json
    assert whole["spans"][0]["span_id"] == told.span_ids[1]
    assert ("helpful", ANA) in [(each["name"], each["source"]) for each in whole["assessments"]]


def test_sessions(api: Api, told: Told) -> None:
    """A session is listed, and read with its traces in order and what was said of it as a whole."""
    said = api.post({"session_id": told.session_id, "name": "solved", "value": 4}).json
    api.serving.wait_stored()
    (listed,) = api.items(f"/sessions?filter=session%20%3D%20'{told.session_id}'&to=2025-11-21")
    assert (listed["start"], listed["end"]) == ("2025-11-20T12:00:00.000000Z", "2025-11-20T12:00:02.250000Z")
    assert (listed["traces"], listed["calls"], listed["user_id"]) == (3, 3, "ana")
    whole = api.get(f"/sessions/{told.session_id}").json
    assert whole["trace_ids"] == told.trace_ids
    assert without(said, "linked") in whole["said"]
    assert {each["trace_id"] for each in whole["said"]} == {None}


def test_server(api: Api) -> None:
    """The server tells anybody where its listeners are, and whether it asks for a key."""
    answer = Api(api.serving, None).get("/server", Host="hansei.example:80").json
    assert answer == {
        "version": answer["version"],
        "keys_required": True,
        "otlp_grpc": {"url": f"http://{api.serving.grpc}"},
        "otlp_http": {"url": f"http://{api.serving.http}"},
        "sql": {"url": f"http://{api.serving.sql}", "database": "default"},
        "sql_explanation": None,
    }
    assert KEY not in str(answer)

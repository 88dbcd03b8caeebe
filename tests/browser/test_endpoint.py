"""``/api/v1/feedback`` of a collector that runs: what is written, read, changed, taken back and refused."""

import gzip
import threading
import time
import urllib.request
from typing import Any

import pytest

import hansei
from hansei.collector.signals import LOGS
from hansei.feedback.assessment import Feedback
from hansei.feedback.event import correction
from hansei.feedback.otlp import export_request

from ..collector.processes import Serving  # noqa: TID252
from .conftest import API_KEY, Call, Ledger, token_for


def held(call: Call, token: str) -> list[tuple[Any, ...]]:
    """What the endpoint says that holds."""
    return [tuple(one.values()) for one in call("GET", token).body["feedback"]]


def test_say_change_undo_and_say_again(call: Call, ledger: Ledger, trace_id: str) -> None:
    """Each answer replaces the one before, an undo takes it back, and a later answer is there again."""
    token = token_for(trace_id)
    assert held(call, token) == []
    said = call(
        "POST", token, {"name": "helpful", "value": True, "rationale": "Short."}, Origin="https://chat.example.com"
    )
    assert (said.status, said.body) == (200, {
        "assessment_id": said.body["assessment_id"], "trace_id": trace_id, "name": "helpful", "value": True,
        "rationale": "Short.",
    })  # fmt: skip
    assert held(call, token) == [("helpful", True, "Short.")]
    assert ledger.feedback(trace_id) == [("helpful", "true", "Short.", "HUMAN", "ana")]
    assert call("POST", token, {"name": "helpful", "value": False}).body["assessment_id"] == said.body["assessment_id"]
    assert held(call, token) == [("helpful", False, None)]
    assert ledger.feedback(trace_id) == [("helpful", "false", "", "HUMAN", "ana")]
    assert call("DELETE", token, path="/helpful").status == 204
    assert held(call, token) == []
    assert ledger.feedback(trace_id) == []
    assert call("POST", token, {"name": "helpful", "value": 0.5}).status == 200
    assert ledger.feedback(trace_id) == [("helpful", "0.5", "", "HUMAN", "ana")]
    assert call("DELETE", token, path="/helpful").status == 204
    assert ledger.feedback(trace_id) == []
    assert ledger.history(trace_id) == [
        ("said", "helpful", "true"), ("corrected", "helpful", "false"), ("retracted", "", "null"),
        ("corrected", "helpful", "0.5"), ("retracted", "", "null"),
    ]  # fmt: skip
    (first, *_) = ledger.rows(f"SELECT Metadata FROM feedback_history WHERE TraceId = '{trace_id}'")
    assert first == {"Metadata": {"origin": "https://chat.example.com"}}


def test_what_it_is_about(call: Call, ledger: Ledger, trace_id: str) -> None:
    """Span and session are those of the token; every name has an assessment of its own."""
    token = token_for(trace_id, span_id="b7ad6b7169203331", session_id="s-1", names=["helpful", "a/b c", "comment"])
    for name, value in [("a/b c", 4), ("comment", "Süß 😀 <b>"), ("helpful", True)]:
        assert call("POST", token, {"name": name, "value": value, "trace_id": trace_id}).status == 200
    columns = "Name, Value, NumericValue, SpanId, SessionId, Valid"
    rows = ledger.rows(f"SELECT {columns} FROM feedback WHERE TraceId = '{trace_id}' ORDER BY Name")
    assert [tuple(row.values()) for row in rows] == [
        ("a/b c", "4", 4, "b7ad6b7169203331", "s-1", 1),
        ("comment", '"Süß 😀 <b>"', None, "b7ad6b7169203331", "s-1", 1),
        ("helpful", "true", 1, "b7ad6b7169203331", "s-1", 1),
    ]
    assert call("DELETE", token, path="/a%2Fb%20c").status == 204
    assert held(call, token) == [("helpful", True, None), ("comment", "Süß 😀 <b>", None)]


def test_who_speaks(call: Call, ledger: Ledger, trace_id: str) -> None:
    """A new token of the same user goes on where the old one was; other people's answers stand beside it."""
    call("POST", token_for(trace_id), {"name": "helpful", "value": True})
    assert held(call, token_for(trace_id, expires=60)) == [("helpful", True, None)]
    call("POST", token_for(trace_id), {"name": "helpful", "value": False})
    call("POST", token_for(trace_id, user="ben"), {"name": "helpful", "value": True})
    for value in (True, False):
        call("POST", hansei.feedback_token(trace_id, api_key=API_KEY), {"name": "helpful", "value": value})
    found = [(row[1], row[4]) for row in ledger.feedback(trace_id)]
    assert sorted(found) == [("false", "ana"), ("false", "end-user"), ("true", "ben"), ("true", "end-user")]


def test_what_others_change(call: Call, serving: Serving, ledger: Ledger, trace_id: str) -> None:
    """A page reads what others have made of its answer, here by OTLP, and not what this collector remembers."""
    token = token_for(trace_id)
    said = call("POST", token, {"name": "helpful", "value": True})
    better = Feedback("helpful", False, trace_id=trace_id, assessment_id=said.body["assessment_id"])
    request = urllib.request.Request(
        f"http://{serving.http}/v1/{LOGS.name}",
        export_request([correction(better, time.time_ns())]),
        {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {API_KEY}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass
    serving.wait_stored()
    assert held(call, token) == [("helpful", False, None)]


def test_at_once(call: Call, ledger: Ledger, trace_id: str) -> None:
    """Answers that cross, and the same sent twice, end as one assessment."""
    token = token_for(trace_id)
    answers = [{"name": "helpful", "value": number % 2 == 0} for number in range(8)]
    threads = [threading.Thread(target=call, args=("POST", token, answer)) for answer in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(2):
        assert call("POST", token, {"name": "helpful", "value": True}).status == 200
    assert ledger.feedback(trace_id) == [("helpful", "true", "", "HUMAN", "ana")]
    assert len(ledger.history(trace_id)) == 10
    assert ledger.rows(f"SELECT Reason FROM feedback_unlinked WHERE TraceId = '{trace_id}'") == [
        {"Reason": "its trace has not come"}
    ]


def test_refused(call: Call, ledger: Ledger, trace_id: str) -> None:
    """Without a token that holds for it nothing is written, and one line says why."""
    token = token_for(trace_id, names=["helpful"])
    good = {"name": "helpful", "value": True}
    head, payload, signature = token.split(".")
    _, other, _ = token_for("f" * 32).split(".")
    answers = {
        "none": call("POST", None, good),
        "a key": call("POST", API_KEY, good),
        "expired": call("POST", token_for(trace_id, expires=-1), good),
        "altered": call("POST", f"{head}.{other}.{signature}", good),
        "unsigned": call("POST", f"{head}.{payload}.", good),
        "another name": call("POST", token, {"name": "comment", "value": "x"}),
        "another name to undo": call("DELETE", token, path="/comment"),
        "another trace": call("POST", token, {**good, "trace_id": "f" * 32}),
        "too large": call("POST", token, b" " * 20_000),
        "no JSON": call("POST", token, b"x"),
    }
    told = {what: (answer.status, answer.body["detail"].partition(";")[0]) for what, answer in answers.items()}
    altered = "the feedback token was altered, or signed with another key than the collector has"
    expired = told.pop("expired")
    assert (expired[0], expired[1].startswith("the feedback token expired at ")) == (401, True)
    assert told == {
        "none": (401, "send the feedback token as a header: Authorization: Bearer TOKEN"),
        "a key": (401, "this is not a feedback token"),
        "altered": (401, altered),
        "unsigned": (401, altered),
        "another name": (403, "name: the feedback token is not for 'comment'"),
        "another name to undo": (403, "name: the feedback token is not for 'comment'"),
        "another trace": (403, f"trace_id: the feedback token is for {trace_id}"),
        "too large": (413, "the body is larger than 16384 bytes"),
        "no JSON": (400, "the body is not JSON"),
    }
    assert answers["none"].body == {
        "type": "about:blank", "title": "Unauthorized", "status": 401, "detail": told["none"][1],
    }  # fmt: skip
    assert answers["none"].headers["Content-Type"] == "application/problem+json"
    assert answers["none"].headers["WWW-Authenticate"] == "Bearer"
    assert ledger.history(trace_id) == []


def test_too_often(call: Call, trace_id: str) -> None:
    """A token is good for 30 requests a minute; then the answer says when to come again, and another still is."""
    token = token_for(trace_id)
    # What is refused counts too, and is quick: one more is allowed every two seconds.
    tries = (call("POST", token, b"", Origin="https://chat.example.com") for _ in range(100))
    taken, refused = 0, next(tries)
    while refused.status == 400:
        taken, refused = taken + 1, next(tries)
    assert (refused.status, refused.body["title"]) == (429, "Too Many Requests")
    assert 30 <= taken < 60
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    assert refused.headers["Access-Control-Allow-Origin"] == "https://chat.example.com"
    assert refused.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert call("GET", token_for(trace_id, user="ben")).status == 200


def test_preflight(call: Call) -> None:
    """What a browser asks beforehand is answered for the pages that are named, without a word of cookies."""
    asked = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    answer = call("OPTIONS", None, path="/helpful", Origin="https://chat.example.com", **asked)
    allowed = {name: value for name, value in answer.headers.items() if name.lower().startswith(("access", "vary"))}
    assert (answer.status, allowed) == (204, {
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "3600",
        "vary": "Origin",
        "access-control-allow-origin": "https://chat.example.com",
        "access-control-expose-headers": "Retry-After",
    })  # fmt: skip
    for method in ("OPTIONS", "POST"):
        stranger = call(method, None, Origin="https://evil.example")
        assert (stranger.status, stranger.headers["Access-Control-Allow-Origin"]) == (403, None)
        assert "https://evil.example may not send feedback" in stranger.body["detail"]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_script(serving: Serving, encoding: str) -> None:
    """Any page may load the script, keep it for an hour, and ask whether it has changed; it is small."""
    address = f"{serving.ui}/hansei-feedback.js"
    request = urllib.request.Request(address, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(request, timeout=10) as answer:
        content, headers = answer.read(), answer.headers
    assert b"customElements.define" in (gzip.decompress(content) if encoding == "gzip" else content)
    assert len(content) < (5 if encoding == "gzip" else 10) * 1024
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cache-Control"] == "public, max-age=3600"
    request.add_header("If-None-Match", headers["ETag"])
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as unchanged:
        assert unchanged.code == 304

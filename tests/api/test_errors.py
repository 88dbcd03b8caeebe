"""What is wrong is told as problem details (RFC 9457), in a way that helps."""

import json
import time
from typing import Any

import pytest

from hansei.collector.keys_command import create_key

from ..collector.waiting import until  # noqa: TID252
from .conftest import Api

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
DEEP = b'{"trace_id": "' + TRACE.encode() + b'", "value": ' + b"[" * 70 + b"]" * 70 + b"}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "detail"),
    [
        ("GET", "/nothing", None, 404, "there is nothing at '/api/v1/nothing'"),
        ("PATCH", "/assessments", None, 405, "PATCH is not done here; there are GET, HEAD, OPTIONS, POST"),
        ("POST", "/assessments?x=1", {}, 400, "x: no parameter is taken here"),
        ("POST", "/assessments", b"{", 400, "the body is not JSON as it is taken here: Expecting property name"),
        ("POST", "/assessments", b"\xff", 400, "byte 0 is not UTF-8"),
        ("POST", "/assessments", b'{"value": 1, "value": 2}', 400, "the key 'value' is there twice"),
        ("POST", "/assessments", b'{"value": NaN}', 400, "NaN is not JSON; write null or a string"),
        ("POST", "/assessments", b'{"value": 1e999}', 400, "the number 1e999 is too large"),
        ("POST", "/assessments", b'{"value": 1' + b"0" * 5000 + b"}", 400, "a number has too many digits"),
        ("POST", "/assessments", DEEP, 400, "nested more than 64 deep"),
        ("POST", "/assessments", b"[" * 200_000, 400, "nested more than 64 deep"),
        ("POST", "/assessments", b" " * (1024**2 + 1), 413, "the body is larger than 1048576 bytes"),
        ("POST", "/assessments", [], 422, "the body: it is not an object"),
        ("POST", "/assessments", {"trace_id": TRACE, "vaule": 1}, 422, "/vaule: there is no such field; did you mean"),
        ("POST", "/assessments", {"trace_id": TRACE}, 422, "/value: a feedback has one of the two"),
        ("POST", "/assessments", {"trace_id": "x", "value": 1}, 422, "/trace_id: 'x' is not 32 hexadecimal digits"),
        ("POST", "/assessments", {"span_id": "1" * 16, "session_id": "s", "value": 1}, 422, "/span_id: a span is"),
        ("POST", "/assessments", {"trace_id": TRACE, "value": 1, "source": {"type": "CAT"}}, 422, "/source/type: 'C"),
        ("POST", "/assessments", {"trace_id": TRACE, "value": 1, "kind": "praise"}, 422, "/kind: 'praise' is"),
        ("POST", "/assessments", {"trace_id": TRACE, "error": "x"}, 422, "/error: it is not an object with code and"),
        ("PUT", "/assessments/a", {"value": 1, "trace_id": TRACE}, 422, "/trace_id: there is no such field"),
        ("GET", "/assessments?trace=1", None, 400, "trace: there is no such parameter; did you mean trace_id?"),
        ("GET", "/assessments?limit=1001", None, 400, "limit: '1001' is not a whole number from 1 to 1000"),
        ("GET", "/assessments?limit=1&limit=2", None, 400, "limit: it is there twice"),
        ("GET", "/assessments?trace_id=1", None, 400, "trace_id: '1' is not 32 hexadecimal digits"),
        ("GET", "/assessments?kind=praise", None, 400, "kind: 'praise' is not one of feedback, expectation"),
        ("GET", "/assessments?from=yesterday", None, 400, "from: 'yesterday' is not a moment; write 2026-11-20T12:00"),
        ("GET", "/assessments?page_token=x", None, 400, "page_token: 'x' is not the next_page_token"),
        ("GET", "/sessions?page_token=WzFd", None, 400, "page_token: 'WzFd' is not the next_page_token"),
        ("GET", "/assessments?name=%00", None, 400, "name: '\\x00' is not a text that can be stored"),
        ("GET", f"/assessments/none?trace_id={TRACE}", None, 404, f"no assessment 'none' in the trace {TRACE}"),
        ("GET", "/assessments/none/history", None, 404, "on a session; give the trace_id of one in a trace"),
        ("DELETE", "/assessments/a?source_id=ana", None, 400, "source_type: there is none; give one of HUMAN"),
        ("PUT", "/assessments/", {"value": 1}, 404, "there is no assessment ''"),
        ("PUT", "/assessments/%00", {"value": 1}, 400, "assessment_id: '\\x00' is not a text that can be stored"),
        ("GET", f"/traces/{TRACE}", None, 404, f"there is no trace '{TRACE}'"),
        ("GET", "/traces/x", None, 400, "trace_id: 'x' is not 32 hexadecimal digits"),
        ("GET", "/traces?filter=status%20%3E%201", None, 400, "filter: > does not fit trace.status"),
        ("GET", "/traces?filter=name%20RLIKE%20'('", None, 422, "ClickHouse refused the search: "),
        ("GET", "/sessions/none", None, 404, "there is no session 'none'"),
    ],
)  # fmt: skip
def test_problem(api: Api, method: str, path: str, body: Any, status: int, detail: str) -> None:
    """A mistake is told by its status, its place and what would be right."""
    reply = api.ask(method, path, body)
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json
    assert (reply.status, problem["status"], problem["type"]) == (status, status, "about:blank")
    assert detail in problem["detail"]
    if status in (400, 422) and "errors" in problem:
        place = problem["errors"][0]
        assert problem["detail"].startswith(place.get("pointer") or place.get("parameter") or "the body")


def test_all_mistakes(api: Api) -> None:
    """Every mistake of a body is told at once, each with its pointer."""
    body = {"value": 1, "nam": "a", "rationale": 3, "source": {"typ": "HUMAN"}, "a/b~": 1}
    reply = api.post(body)
    assert {each["pointer"] for each in reply.json["errors"]} == {
        "/nam", "/rationale", "/source/typ", "/source/type", "/a~1b~0",
    }  # fmt: skip
    assert reply.json["detail"].endswith("(and 4 more)")


def test_content_type(api: Api) -> None:
    """Only JSON is taken, which no form of a web page can send."""
    reply = api.post({"value": 1}, Content_Type="text/plain")
    assert (reply.status, reply.headers["accept"]) == (415, "application/json")
    assert api.post(b"\x1f\x8b", Content_Encoding="gzip").status == 415


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/assessments"), ("GET", "/assessments"), ("PUT", "/assessments/a"), ("GET", "/traces")],
)
def test_keys(api: Api, method: str, path: str) -> None:
    """Without the key nothing is answered but 401, which tells how it is sent."""
    for key in (None, "wrong"):
        reply = Api(api.serving, key).ask(method, path, {} if method != "GET" else None)
        assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert "key" in reply.json["detail"]


def test_roles(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that may read cannot write, and the other way round; the answer names the key and the role."""
    for role, other, asked in (
        ("read", "feedback", ("POST", "/assessments", {})),
        ("feedback", "read", ("GET", "/traces")),
    ):
        create_key(api.serving.data, None, name="narrow", roles=[role], expires=None, now=time.time())
        narrow = Api(api.serving, capsys.readouterr().out.strip())
        until(lambda narrow=narrow, asked=asked: narrow.ask(*asked).status != 401, "the key to be known")
        reply = narrow.ask(*asked)
        assert reply.status == 403
        assert reply.json["detail"] == f"the key 'narrow' lacks the role {other}; it has {role}"


def test_options(api: Api) -> None:
    """OPTIONS tells the methods, HEAD is GET without a body, and no answer lets other sites in."""
    reply = api.ask("OPTIONS", "/assessments", Origin="https://example.com")
    assert (reply.status, reply.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert not any(name.startswith("access-control") for name in reply.headers)
    head = api.ask("HEAD", "/assessments?limit=1")
    assert (head.status, head.text) == (200, "")


def test_foreign_values(api: Api, trace_id: str) -> None:
    """Text comes back as it was sent; what has no UTF-8 form comes back as a question mark."""
    text = "naïve \u2028 日本 \U0001f600 </script> \x01"
    body = json.dumps({"trace_id": trace_id, "value": text, "rationale": "\ud800"}).encode()
    answer = api.post(body).json
    assert (answer["value"], answer["rationale"]) == (text, "?")
